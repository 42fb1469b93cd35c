"""People who lack care, among people who have it: what is missing, from when to when, and everything that was done.

Everybody gets the care that is due to them, except where a gap is planted; a gap may end with the service it was about. Drawn from
a stream of its own, so that people are who they are without it. Knows nothing of any service's rules: codes are CPT, HCPCS and
ICD-10-CM as claims carry them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from infra.simulator.care_screening import is_screened, plans
from infra.simulator.claim_facts import CLINICIAN_SPECIALTIES
from infra.simulator.claims import Line, MedicaidClaim, MedicareClaim
from infra.simulator.life import part_a_and_b
from infra.simulator.period import Period
from infra.simulator.person import Person
from infra.simulator.world import CLINICIAN_NPIS, SERVICE_AREA

GAP_SHARE: Final = 0.2
ENDING_SHARE: Final = 0.5
FALL_SHARE: Final = 0.25
FRAILTY_SHARE: Final = 0.3
SERIES_SHARES: Final = {"missed_dialysis": 0.05, "missed_wound_care": 0.08, "missed_infusion": 0.08}
# What shows each yearly service, and how long after the last the next is done.
YEARLY: Final = {
    "wellness_visit": "G0439", "diabetes_eye_exam": "92014", "diabetes_foot_exam": "G0245", "diabetes_blood_test": "83036",
    "nutrition_meals": "97802", "connect_primary_care": "99214",
}  # fmt: skip
SERIES: Final = {
    "missed_dialysis": ("90935", 2, 21), "missed_wound_care": ("97597", 7, 70), "missed_infusion": ("96365", 28, 100),
}  # fmt: skip
FLU_VACCINE, FALL, THERAPY = "90662", "W1830XA", "97161"
# Gait, weakness, incontinence, a pressure ulcer: what claims show of somebody frail.
FRAILTY: Final = ("R2681", "M6281", "R32", "L89152")
_OFFICE: Final = frozenset(
    {"99213", "99214", "99215", "99203", "G0439", "99308", "99309", "99310"}
)  # what the simulator's physicians bill for visits
_EVERY: Final = timedelta(days=300)
# Specialties of primary care (GPDC Operating Guide, table B.6.4); others' visits are none.
_PRIMARY_CARE: Final = frozenset({"01", "08", "11", "37", "38", "50", "89", "97"})
_GENERALISTS: Final = [
    place
    for place in range(len(CLINICIAN_NPIS))
    if CLINICIAN_SPECIALTIES[place % len(CLINICIAN_SPECIALTIES)] in _PRIMARY_CARE
]
# Participants of all rosters: those who neither leave nor come.
_PARTICIPANTS: Final = [CLINICIAN_NPIS[place] for place in _GENERALISTS if 2 <= place < 2 * len(SERVICE_AREA)]  # noqa: PLR2004
_OUTSIDERS: Final = [CLINICIAN_NPIS[place] for place in _GENERALISTS if place >= 160]  # noqa: PLR2004
_DIABETES: Final = ("E11",)
_NUTRITION: Final = ("E11", "N1832", "N184", "N185", "N186")
_CENTS: Final = 9_000


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing of a person from a day on; ``closed_on``: when it was done after all."""

    kind: str
    since: date
    closed_on: date | None


@dataclass(slots=True)
class Care:
    """One person's gaps, and the days on which each kind's service was received; ``fall``, ``frailty``: when claims show it."""

    gaps: list[Gap] = field(default_factory=list)
    done: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    conditions: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As it stands in the truth."""
        return {
            "gaps": [
                {"kind": one.kind, "since": str(one.since), "closed_on": one.closed_on and str(one.closed_on)}
                for one in self.gaps
            ],
            "done": {kind: sorted(map(str, days)) for kind, days in sorted(self.done.items())},
            "conditions": self.conditions,
        }


class Planter:
    """Plants one person's care into their claims."""

    def __init__(self, person: Person, seed: int) -> None:
        self._person = person
        self._random = Random(f"{seed}:care:{person.traits.index}")
        # Of its own, so that everything else is planted as it would be without.
        self._frailty_random = Random(f"{seed}:frailty:{person.traits.index}")
        self._screening_random = Random(f"{seed}:screening:{person.traits.index}")
        self._clinician = self._random.choice(_PARTICIPANTS)
        self._made: list[MedicareClaim] = []
        self.care = Care()
        period: Period = person.period
        self._first, self._last = period.first_days[0], period.last_days[period.last_service]

    def _covered(self, day: date) -> bool:
        person = self._person
        if not self._first <= day <= min(self._last, person.last_day):
            return False
        month = person.period.number(day)
        in_fee_for_service = person.life.final[month].health_plan is None and part_a_and_b(person.life, month)
        return month >= person.life.entry and in_fee_for_service

    def _do(self, kind: str, day: date, code: str, *, npi: str = "", diagnoses: tuple[str, ...] = ("Z0000",)) -> bool:
        """Give a service, if the person's claims of the day go to Medicare; tells whether they do."""
        if not self._covered(day):
            return False
        self.care.done[kind].append(day)
        if kind == "wellness_visit":
            self.care.done["connect_primary_care"].append(day)
        line = Line(day, day, code, _CENTS, _CENTS)
        claim = MedicareClaim(
            number=self._person.next_claim(),
            claim_type="71",
            first=day,
            last=day,
            diagnosis_codes=diagnoses,
            npi=npi or self._clinician,
            lines=[line],
        )
        self._made.append(claim)
        return True

    def _add_gap(self, kind: str, since: date, closed: date | None, code: str) -> date | None:
        """A gap that ends with its service, unless Medicare would not pay for it that day."""
        ended = closed if closed is not None and self._do(kind, closed, code) else None
        self.care.gaps.append(Gap(kind, since, ended))
        return ended

    def _has(self, beginnings: Iterable[str]) -> bool:
        return any(code.startswith(tuple(beginnings)) for code in self._person.traits.diagnosis_codes)

    def _yearly_kinds(self) -> Iterator[str]:
        yield from ("connect_primary_care", "wellness_visit")
        if self._has(_DIABETES):
            yield from ("diabetes_eye_exam", "diabetes_foot_exam", "diabetes_blood_test")
        if self._has(_NUTRITION):
            yield "nutrition_meals"

    def _ending(self, first: date, last: date) -> date | None:
        days = (min(last, self._last) - first).days
        day = first + timedelta(days=self._random.randrange(days)) if days > 0 else first
        return day if self._random.random() < ENDING_SHARE else None

    def _yearly(self, kind: str) -> None:
        code = YEARLY[kind]
        # A wellness visit is a primary care visit: who has none of these has none of those.
        never = kind == "wellness_visit" and any(one.kind == "connect_primary_care" for one in self.care.gaps)
        if never or self._random.random() < GAP_SHARE:
            closed = None if never else self._ending(self._first + timedelta(days=430), self._last)
            self._add_gap(kind, self._first, closed, code)
            return
        day = self._first + timedelta(days=self._random.randrange(60))
        while day <= self._last:
            self._do(kind, day, code)
            day += _EVERY

    def _flu(self) -> None:
        for year in range(self._first.year, self._last.year + 1):
            opens = date(year, 9, 1)
            if self._random.random() < GAP_SHARE:
                closed = self._ending(date(year, 11, 15), date(year + 1, 3, 20))
                self._add_gap("flu_vaccine", opens, closed, FLU_VACCINE)
            else:
                self._do("flu_vaccine", opens + timedelta(days=self._random.randrange(60)), FLU_VACCINE)

    def _falls(self) -> None:
        if self._random.random() >= FALL_SHARE:
            return
        day = self._first + timedelta(days=self._random.randrange(60, max(61, (self._last - self._first).days - 90)))
        if not self._do("fall", day, "71046", diagnoses=(FALL,)):
            return
        if self._random.random() < GAP_SHARE * 2:
            closed = self._ending(day + timedelta(days=60), day + timedelta(days=100))
            self._add_gap("falls_prevention", day, closed, THERAPY)
        else:
            self._do("falls_prevention", day + timedelta(days=self._random.randrange(2, 9)), THERAPY)

    def _frailty(self) -> None:
        """Two to four signs on one claim; half of the frail get therapy, unless their gap is that they get none."""
        chance = self._frailty_random
        if chance.random() >= FRAILTY_SHARE:
            return
        day = self._first + timedelta(days=chance.randrange(100, 400))
        signs = tuple(chance.sample(FRAILTY, chance.randrange(2, 5)))
        frail = self._do("frailty" if len(signs) > 2 else "nearly_frail", day, "71046", diagnoses=signs)  # noqa: PLR2004 - three signs make somebody frail
        if (
            frail
            and chance.random() < ENDING_SHARE
            and not any(gap.kind == "falls_prevention" for gap in self.care.gaps)
        ):
            self._do("falls_prevention", day + timedelta(days=chance.randrange(2, 150)), THERAPY)

    def _series(self, kind: str) -> None:
        code, interval, length = SERIES[kind]
        stops = resumes = self._last + timedelta(days=1)
        if self._random.random() < GAP_SHARE * 2:
            stops = self._first + timedelta(
                days=self._random.randrange(120, max(121, (self._last - self._first).days - 150))
            )
            closed = self._ending(stops + timedelta(days=length), stops + timedelta(days=2 * length))
            resumes = self._add_gap(kind, stops, closed, code) or resumes
        day = self._first + timedelta(days=self._random.randrange(interval))
        while day <= self._last:
            if not stops <= day <= resumes:
                self._do(kind, day, code)
            day += timedelta(days=interval)

    def _screening(self, medicare: list[MedicareClaim]) -> None:
        traits = self._person.traits
        if not is_screened(traits, medicare):
            return
        for kind, tests, lacking in plans(self._screening_random, traits, self._first, self._last):
            done = [one.day for one in tests if self._do(one.name, one.day, one.code)]
            if lacking:
                self.care.gaps.append(Gap(kind, self._first, min(done, default=None)))

    def plant(self, medicare: list[MedicareClaim], medicaid: list[MedicaidClaim]) -> list[MedicareClaim]:
        """All of the person's Medicare claims, with the planted ones; Medicaid's lose what would fill a gap by chance."""
        for kind in self._yearly_kinds():
            self._yearly(kind)
        self._flu()
        self._falls()
        for kind, share in SERIES_SHARES.items():
            if self._random.random() < share or (kind == "missed_dialysis" and self._person.traits.renal_failure):
                self._series(kind)
        self._frailty()
        self._screening(medicare)
        self.care.conditions = [
            name for name, codes in (("diabetes", _DIABETES), ("nutrition", _NUTRITION)) if self._has(codes)
        ]
        for service in medicaid:
            for line in service.lines:
                line.procedure = "99213" if line.procedure == "92014" else line.procedure
        return [*self._seen(medicare), *self._made]

    def _seen(self, claims: list[MedicareClaim]) -> Iterator[MedicareClaim]:
        """Visits are with the person's own clinician; with somebody else, or none, where that is the gap."""
        gap = next((one for one in self.care.gaps if one.kind == "connect_primary_care"), None)
        outside = self._random.random() < 0.5  # noqa: PLR2004 - half see somebody who is no participant
        other = self._random.choice(_OUTSIDERS)
        for claim in claims:
            visit = any(line.procedure in _OFFICE for line in claim.lines)
            if claim.claim_type != "71" or not visit:
                yield claim
                continue
            for line in claim.lines:
                line.procedure = "99214" if line.procedure == "G0439" else line.procedure
            if gap is None or (gap.closed_on is not None and claim.first > gap.closed_on):
                claim.npi = self._clinician
                self.care.done["connect_primary_care"] += [] if claim.denied else [claim.first]
            elif outside:
                claim.npi = other
            else:
                continue
            yield claim
