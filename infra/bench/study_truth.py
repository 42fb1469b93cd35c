"""What a study of a simulated population should find: what was planted in the person-months that it counts as treated.

Worked out from the invented people, never from files, tables or code of a service: whoever was there in the baseline is followed, in all months in which
they were aligned or in the comparison; of these, months from their quarter of entry on are treated, whether or not they are aligned still.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.codes import Cohort, Payer
from infra.simulator.calibration import plan_shift
from infra.simulator.claims import MedicaidClaim, MedicareClaim, scaled
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.shift import ShiftPlan
from infra.simulator.simulation import RUN_OUT_MONTHS, claims_of
from infra.simulator.truth import cohort_of
from infra.simulator.world import Shift

_GROUP_MONTHS = 3  # people who enter in one quarter count from its first month on


@dataclass(frozen=True, slots=True)
class Population:
    """The arguments of a simulation. The shift begins behind the baseline; cents are a person-month's, on average over its sample."""

    seed: int
    people: int
    months: int
    baseline: int
    shift: Shift
    medicare: int
    medicaid: int

    @property
    def period(self) -> Period:
        """Its months."""
        return Period("2022-01", self.months, RUN_OUT_MONTHS)

    @property
    def start(self) -> str:
        """The first month behind the baseline."""
        return self.period.texts[self.baseline]

    def plan(self) -> ShiftPlan:
        """What is planted."""
        return plan_shift(
            self.seed, self.period, direction=self.shift, month=self.baseline, medicare=self.medicare, medicaid=self.medicaid
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudyTruth:
    """Treated person-months, and cents that the shift put into them."""

    person_months: int
    medicare_cents: int
    medicaid_cents: int

    @property
    def effects(self) -> tuple[float, float]:
        """Cents per treated person-month, Medicare's first."""
        return self.medicare_cents / self.person_months, self.medicaid_cents / self.person_months


def planted_cents(
    medicare: list[MedicareClaim], medicaid: list[MedicaidClaim], period: Period
) -> Counter[tuple[Payer, int]]:
    """What the shift changed of somebody's claims as they stand in the end, by payer and number of the month."""
    found: Counter[tuple[Payer, int]] = Counter()
    for claim in medicare:
        for version in claim.versions:
            sign = -1 if version.kind == "1" else 1
            for line in claim.lines:
                change = scaled(line.cents, version.permille) - scaled(line.unshifted_cents, version.permille)
                found[Payer.MEDICARE, period.number(line.last)] += sign * change
    for service in medicaid:
        standing = service.versions[-1]
        if standing.kind == "1" or service.denied:
            continue
        for line in service.lines:
            change = scaled(line.cents, standing.permille) - scaled(line.unshifted_cents, standing.permille)
            day = line.last if service.lines_carry_amounts else service.last
            found[Payer.MEDICAID, period.number(day)] += change
    return found


Unit = tuple[str, int]  # county, and number of the month from which people count as treated


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody who was there in the baseline: the county of every month that counts, and the first month of treatment, if there is one."""

    counties: dict[int, str]
    start: int | None

    def unit(self, month: int) -> Unit:
        """Whose earlier months those of a month are set against."""
        return self.counties[month], -1 if self.start is None else self.start

    @property
    def treated(self) -> list[int]:
        """The months behind the start."""
        return [] if self.start is None else [month for month in self.counties if month >= self.start]


def followed(person: Person, baseline: int, months: frozenset[int]) -> Followed | None:
    """As a study of these months sees a person; ``None`` for whoever comes later than the baseline."""
    end = min(person.life.last_stated, max(months))
    cohorts = {month: cohort_of(person, month) for month in range(person.life.entry, end + 1)}
    counted = [month for month, cohort in cohorts.items() if cohort is not Cohort.EXCLUDED]
    if not counted or counted[0] >= baseline:
        return None
    counties = {month: person.life.counties[month] for month in counted if month in months}
    entered = [month for month, cohort in cohorts.items() if cohort is Cohort.ALIGNED]
    if not entered:
        return Followed(counties, None)
    behind = max(0, entered[0] - baseline)
    return Followed(counties, baseline + behind - behind % _GROUP_MONTHS)


def study_truth(population: Population, months: Iterable[str]) -> StudyTruth:
    """Invent the people again, and add up what was planted in the months of a study.

    Treated months of a county and group of which no earlier month is studied are set against nothing, and count nowhere.
    """
    period, plan = population.period, population.plan()
    studied, total, cents = frozenset(map(period.texts.index, months)), 0, Counter[Payer]()
    drawn = [draw_person(population.seed, index, period, plan) for index in range(population.people)]
    seen = [(person, one) for person in drawn if (one := followed(person, population.baseline, studied)) is not None]
    before = {one.unit(month) for _, one in seen for month in one.counties.keys() - set(one.treated)}
    for person, one in seen:
        inside = {month for month in one.treated if one.unit(month) in before}
        if not inside:
            continue
        total += len(inside)
        for (payer, month), change in planted_cents(*claims_of(person), period).items():
            cents[payer] += change if month in inside else 0
    return StudyTruth(total, cents[Payer.MEDICARE], cents[Payer.MEDICAID])
