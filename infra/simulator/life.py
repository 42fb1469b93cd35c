"""What happens to a person month by month, and when each source comes to know it.

Truth and knowledge are kept apart: a :class:`Change` holds from its first month, but a file of month ``t``
states it only when ``known <= t``. That is all there is to a retroactive change.
"""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Literal, NamedTuple

from contracts.codes import DUAL_BENEFIT_LEVEL, PART_A_AND_B_CODES, BenefitLevel
from infra.simulator.period import Period
from infra.simulator.traits import Traits
from infra.simulator.world import (
    COUNTIES,
    FEE_FOR_SERVICE_PLAN,
    MEDICARE_HEALTH_PLAN_CONTRACTS,
    OTHER_PLANS,
    OUR_PLAN,
    SERVICE_AREA,
)

Field = Literal["dual", "plan", "health_plan"]
FULL_CODES = ("02", "02", "02", "02", "04", "08", "08")
PARTIAL_CODES = ("01", "01", "03", "06")
MANAGED_CARE_PLANS = (OUR_PLAN, *OTHER_PLANS)


class Enrolment(NamedTuple):
    """What the state says of one month. ``dual`` and ``plan`` are ``None`` without Medicaid."""

    dual: str | None
    plan: str | None
    health_plan: str | None

    @property
    def full(self) -> bool:
        """Full Medicaid benefits."""
        return self.dual is not None and DUAL_BENEFIT_LEVEL[self.dual] is BenefitLevel.FULL


@dataclass(frozen=True, slots=True)
class Change:
    """From ``first`` to ``last`` the field has this value; files say so from month ``known`` on."""

    name: Field
    value: str | None
    first: int
    last: int
    known: int


@dataclass(frozen=True, slots=True)
class AlignedSpan:
    """Months of alignment as CMS finally states them, and when its reports begin to state each end."""

    first: int
    known_first: int
    last: int | None
    known_last: int | None
    reason: str = ""

    def covers(self, month: int) -> bool:
        """Whether the month is aligned in the end."""
        return self.first <= month and (self.last is None or month <= self.last)

    def last_as_known(self, report: int) -> int | None:
        """The last month as the report of that month states it."""
        return self.last if self.known_last is not None and self.known_last <= report else None


@dataclass(slots=True)
class Life:
    """One person's course. ``last_stated`` is the last month whose files mention the person."""

    entry: int
    death: date | None
    last_stated: int
    start: Enrolment
    changes: list[Change]
    counties: list[str]
    buy_ins: list[str]
    mbi_changes: tuple[int, ...]
    opted_out: bool
    final: list[Enrolment] = field(default_factory=list)
    spans: tuple[AlignedSpan, ...] = ()

    def as_known(self, month: int, delivery: int) -> Enrolment:
        """The month's enrolment as files of month ``delivery`` state it."""
        values: dict[str, str | None] = {}
        for change in self.changes:
            if change.known <= delivery and change.first <= month <= change.last:
                values[change.name] = change.value
        return self.start._replace(**values) if values else self.start

    def corrections(self, delivery: int) -> list[tuple[int, Enrolment, Enrolment]]:
        """Earlier months that files of month ``delivery`` state anew: (month, before, now)."""
        if not any(change.known == delivery and change.first < delivery for change in self.changes):
            return []
        pairs = (
            (month, self.as_known(month, delivery - 1), self.as_known(month, delivery))
            for month in range(self.entry, delivery)
        )
        return [(month, before, now) for month, before, now in pairs if before != now]

    def mbi_version(self, month: int) -> int:
        """How often the identifier had changed by the CCLF of that month."""
        return sum(change <= month for change in self.mbi_changes)

    def aligned(self, month: int) -> bool:
        """Whether the last report about the person calls the month aligned."""
        return any(span.covers(month) for span in self.spans)

    def reported(self, report: int) -> list[AlignedSpan]:
        """The spans that the report of a month lists."""
        return [span for span in self.spans if span.known_first <= report]

    def in_entity_feed(self, month: int) -> bool:
        """Whether the report of the month calls the month aligned, so that the entity gets the claims."""
        return any(
            span.first <= month and (last is None or month <= last)
            for span in self.reported(month)
            for last in (span.last_as_known(month),)
        )


def _lag(random: Random, longest: int) -> int:
    return 0 if random.random() < 0.5 else random.randint(1, longest)  # noqa: PLR2004 - half are known in time


def _plan_for(random: Random, county: str) -> str:
    ours = 0.80 if county in SERVICE_AREA else 0.15
    return OUR_PLAN if random.random() < ours else random.choice(OTHER_PLANS)


def _death(random: Random, traits: Traits, entry: int, period: Period) -> date | None:
    age = (period.first_days[0] - traits.birth).days / 365.25
    hazard = 0.003 if traits.setting == "nursing_facility" else 0.0008 * math.exp(0.06 * max(0.0, age - 65))
    month = entry + int(random.expovariate(hazard * 1.3))
    if month > period.last_service:
        return None
    first = period.first_days[month]
    return first + timedelta(days=random.randrange(period.last_days[month].day))


def _counties(random: Random, home: str, period: Period) -> list[str]:
    counties = [home] * (period.last_delivery + 1)
    if random.random() < 0.06:  # noqa: PLR2004 - movers
        month, county = random.randrange(1, len(counties)), random.choice(COUNTIES)
        counties[month:] = [county] * (len(counties) - month)
    return counties


def _buy_ins(random: Random, period: Period) -> list[str]:
    codes = [random.choice("C3C")] * (period.last_delivery + 1)
    if random.random() < 0.02:  # noqa: PLR2004 - people who lose Part B for a while
        month = random.randrange(len(codes))
        codes[month : month + 4] = ["1"] * len(codes[month : month + 4])
    return codes


def _plan_changes(random: Random, start: Enrolment, county: str, period: Period) -> list[Change]:
    """Somebody else's member comes to our plan where the entity works, so as many come as leave."""
    first = random.randrange(1, period.months)
    comes = start.plan != OUR_PLAN and county in SERVICE_AREA
    value = OUR_PLAN if comes else random.choice([plan for plan in MANAGED_CARE_PLANS if plan != start.plan])
    return [Change("plan", value, first, period.last_delivery, first + _lag(random, 5))]


def _loss_of_full_benefits(random: Random, period: Period) -> list[Change]:
    first = random.randrange(1, period.months)
    last, known = first + random.randint(1, 5), first + _lag(random, 5)
    return [
        Change("dual", random.choice(PARTIAL_CODES), first, last, known),
        Change("plan", FEE_FOR_SERVICE_PLAN, first, last, known),
    ]


def _gap(random: Random, period: Period) -> list[Change]:
    first = random.randrange(1, period.months)
    last = first + random.randint(0, 3)
    return [Change("dual", None, first, last, first), Change("plan", None, first, last, first)]


def _other_full_code(random: Random, start: Enrolment, period: Period) -> list[Change]:
    first = random.randrange(1, period.months)
    value = "08" if start.dual != "08" else "02"
    return [Change("dual", value, first, period.last_delivery, first + _lag(random, 4))]


def _gain_of_full_benefits(random: Random, county: str, period: Period) -> list[Change]:
    first = random.randrange(1, period.months)
    known = first + _lag(random, 5)
    return [
        Change("dual", random.choice(FULL_CODES), first, period.last_delivery, known),
        Change("plan", _plan_for(random, county), first, period.last_delivery, known),
    ]


def _medicaid_changes(random: Random, start: Enrolment, county: str, period: Period) -> list[Change]:
    """At most one course of Medicaid changes a person, so that a gap never follows another plan's statement."""
    draw = random.random()
    if not start.full:
        return _gain_of_full_benefits(random, county, period) if draw < 0.3 else []  # noqa: PLR2004
    if draw < (0.04 if start.plan == OUR_PLAN else 0.10):
        return _plan_changes(random, start, county, period)
    if draw < 0.15:  # noqa: PLR2004
        return _other_full_code(random, start, period)
    if draw < 0.19:  # noqa: PLR2004 - redetermined to partial benefits
        return _loss_of_full_benefits(random, period)
    return _gap(random, period) if draw < 0.23 else []  # noqa: PLR2004 - paperwork lost


def _health_plan_changes(random: Random, start: Enrolment, period: Period) -> list[Change]:
    leaves = start.health_plan is not None
    if random.random() >= (0.2 if leaves else 0.06):
        return []
    first = random.randrange(1, period.months)
    known = first + _lag(random, 4)
    if leaves:
        return [Change("health_plan", None, first, period.last_delivery, known)]
    last = first + random.randint(2, 18)
    return [Change("health_plan", random.choice(MEDICARE_HEALTH_PLAN_CONTRACTS), first, last, known)]


def _start(random: Random, county: str) -> Enrolment:
    full = random.random() < 0.92  # noqa: PLR2004 - mostly full-benefit duals
    in_health_plan = random.random() < 0.09  # noqa: PLR2004 - those already in Medicare Advantage
    return Enrolment(
        dual=random.choice(FULL_CODES if full else PARTIAL_CODES),
        plan=_plan_for(random, county) if full else FEE_FOR_SERVICE_PLAN,
        health_plan=random.choice(MEDICARE_HEALTH_PLAN_CONTRACTS) if in_health_plan else None,
    )


def _mbi_changes(random: Random, entry: int, period: Period) -> tuple[int, ...]:
    if random.random() >= 0.03 or entry + 1 >= period.months:  # noqa: PLR2004 - stolen numbers
        return ()
    first = random.randrange(entry + 1, period.months)
    again = random.random() < 0.15 and first < period.last_service  # noqa: PLR2004
    return (first, first + 1) if again else (first,)


def _settled(random: Random, traits: Traits) -> bool:
    """People in care or often in hospital seldom change what they are enrolled in."""
    return (traits.high_need or traits.setting != "community") and random.random() < 0.9  # noqa: PLR2004


def _last_stated(random: Random, death: date | None, period: Period) -> int:
    lag = random.choice((1, 1, 2))
    return period.last_delivery if death is None else min(period.last_delivery, period.number(death) + lag)


def _within(changes: list[Change], entry: int, last: int) -> list[Change]:
    """Changes that happen while files speak of the person; what is known too late is known at the end."""
    return [
        Change(change.name, change.value, max(change.first, entry), change.last, min(max(change.known, entry), last))
        for change in changes
        if change.first <= last and change.last >= entry
    ]


def draw_life(random: Random, traits: Traits, period: Period) -> Life:
    """Invent one person's course through the period."""
    settled = _settled(random, traits)
    late = random.random() < 0.06 and not settled  # noqa: PLR2004
    entry = random.randrange(1, period.months) if late and period.months > 1 else 0
    death = _death(random, traits, entry, period)
    last = _last_stated(random, death, period)
    counties, buy_ins = _counties(random, traits.home_county, period), _buy_ins(random, period)
    start = _start(random, counties[entry])
    changes: list[Change] = []
    if period.months > 1 and not settled:
        changes += _medicaid_changes(random, start, counties[entry], period)
        changes += _health_plan_changes(random, start, period)
    life = Life(
        entry=entry,
        death=death,
        last_stated=last,
        start=start,
        changes=_within(changes, entry, last),
        counties=counties,
        buy_ins=buy_ins,
        mbi_changes=tuple(month for month in _mbi_changes(random, entry, period) if month <= last),
        opted_out=random.random() < 0.03,  # noqa: PLR2004 - share who refuse data sharing
    )
    life.final = [life.as_known(month, period.last_delivery) for month in range(period.last_delivery + 1)]
    return life


def alive(life: Life, month: int, period: Period) -> bool:
    """Alive on the first day of the month."""
    return life.death is None or life.death >= period.first_days[month]


def part_a_and_b(life: Life, month: int) -> bool:
    """Entitled to both parts of Medicare in the month."""
    return life.buy_ins[month] in PART_A_AND_B_CODES
