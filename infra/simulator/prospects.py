"""What may befall a person whom nobody can foresee: the planted risk of an admission that good care could have kept away.

The risk of a month is what the person is (conditions, age, frailty behind the cost level, residence, behavioural health, many
drugs, no primary care, a series of treatment that broke off) times a chance that nobody sees: a gamma frailty that changes
slowly. Admissions are Poisson given that risk, so the probability that one comes is known, and belongs to the truth. The
weights are chosen so that prediction is about as hard as with real people; they are estimates of nothing.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Final, Literal

from infra.simulator.period import Period
from infra.simulator.rates import count
from infra.simulator.shift import MILLION
from infra.simulator.traits import Setting, Traits

Treatment = Literal["dialysis", "infusion", "wound"]

# Log hazard ratios by the beginning of a diagnosis code.
CONDITION_WEIGHTS: Final = {
    "I50": 0.60, "J44": 0.60, "E11": 0.35, "N18": 0.30, "G30": 0.20, "F03": 0.20, "L89": 0.35, "I4": 0.15, "C": 0.20,
}  # fmt: skip
SETTING_WEIGHTS: Final[dict[Setting, float]] = {"community": 0.0, "home_and_community": 0.25, "nursing_facility": 0.35}
LEVEL_WEIGHT, HIGH_NEED_WEIGHT = 0.50, 0.45
BEHAVIOURAL_WEIGHT, SUBSTANCE_USE_WEIGHT = 0.25, 0.40
AGE_WEIGHT, YOUNGEST_COUNTED = 0.015, 60
MANY_DRUGS, VERY_MANY_DRUGS, DRUGS_WEIGHT = 5, 10, 0.12
NO_PRIMARY_CARE_SHARE, NO_PRIMARY_CARE_WEIGHT = 0.12, 0.50
BROKEN_WEIGHT: Final = 0.80
# Admissions a month of somebody without any of these.
BASE_MONTHLY: Final = 0.006
MOST_MONTHLY: Final = 0.5
# What the drawn weights come to on average, for whoever needs the expectation without drawing.
MEAN_OF_DRAWN: Final = 1.2
# Gamma frailty: mean one, variance 1/SHAPE, correlation STAYS from month to month.
SHAPE, STAYS = 1.3, 0.93
DRUG_PLAN_SHARE: Final = 0.8
SERIES_SHARES: Final[dict[Treatment, float]] = {"infusion": 0.03, "wound": 0.03}
BREAK_SHARE, SHORTEST_BREAK, LONGEST_BREAK = 0.5, 2, 4


@dataclass(frozen=True, slots=True)
class Series:
    """Treatments that recur from a month on, and the months in which they do not: the break."""

    treatment: Treatment
    first: int
    broken: range

    def breaks_before(self, month: int) -> bool:
        """Whether the break begins in an earlier month."""
        return bool(self.broken) and self.broken.start < month

    def goes_on(self, month: int) -> bool:
        """Whether treatments are given in the month."""
        return month >= self.first and month not in self.broken


@dataclass(frozen=True, slots=True)
class Prospects:
    """The planted risk. ``weights``: of each month without chance; ``frailty``: chance; ``drugs``: products taken."""

    weights: tuple[float, ...]
    frailty: tuple[float, ...]
    drugs: int
    drug_plan: bool
    primary_care: bool
    series: tuple[Series, ...]

    def monthly(self, month: int) -> float:
        """Expected avoidable admissions of the month, with the chance that came about."""
        return min(MOST_MONTHLY, self.weights[month] * self.frailty[month])

    def probability(self, months: Iterable[int]) -> float:
        """The planted probability of at least one in the months."""
        return 1 - math.exp(-sum(self.monthly(month) for month in months))

    def foreseeable(self, known: int, months: Iterable[int]) -> float:
        """The same from a person's chance of month ``known`` and what is to be expected of it in later ones."""
        excess = self.frailty[known] - 1
        return 1 - math.exp(-sum(self.weights[month] * (1 + excess * STAYS ** (month - known)) for month in months))

    def document(self) -> dict[str, Any]:
        """As it stands in the truth."""
        return {
            "monthly_per_million": [round(self.monthly(month) * MILLION) for month in range(len(self.weights))],
            "drugs": self.drugs if self.drug_plan else 0,
            "primary_care": self.primary_care,
            "broken_series": sorted(one.treatment for one in self.series if one.breaks_before(len(self.weights))),
        }


def base_monthly(traits: Traits, first: date) -> float:
    """Avoidable admissions a month as far as they follow from what the person is at the start."""
    age = (first - traits.birth).days / 365.25
    weight = sum(value for start, value in CONDITION_WEIGHTS.items() if any(
        code.startswith(start) for code in traits.diagnosis_codes))  # fmt: skip
    weight += SETTING_WEIGHTS[traits.setting] + LEVEL_WEIGHT * math.log(traits.medicare_level)
    weight += HIGH_NEED_WEIGHT * traits.high_need + BEHAVIOURAL_WEIGHT * traits.behavioural
    weight += SUBSTANCE_USE_WEIGHT * traits.substance_use + AGE_WEIGHT * max(0.0, age - YOUNGEST_COUNTED)
    return BASE_MONTHLY * math.exp(weight)


def expected_monthly(traits: Traits, first: date) -> float:
    """Avoidable admissions a month to be expected of a person before anything is drawn."""
    return base_monthly(traits, first) * MEAN_OF_DRAWN


def _frailty(random: Random, months: int) -> Iterator[float]:
    """A stationary gamma process (Lewis, McKenzie and Hugus 1989): a share of what was stays, the rest is new."""
    value = random.gammavariate(SHAPE, 1 / SHAPE)
    for _ in range(months):
        yield value
        new = random.gammavariate(SHAPE * (1 - STAYS), 1 / SHAPE)
        value = random.betavariate(SHAPE * STAYS, SHAPE * (1 - STAYS)) * value + new


def _series(random: Random, traits: Traits, months: int) -> Iterator[Series]:
    shares: dict[Treatment, float] = {**SERIES_SHARES, "dialysis": float(traits.renal_failure)}
    if any(code.startswith("L89") for code in traits.diagnosis_codes):
        shares["wound"] = 0.5
    for treatment, share in shares.items():
        has, breaks = random.random() < share, random.random() < BREAK_SHARE
        first = 0 if treatment == "dialysis" else random.randrange(months)
        began = first + random.randint(4, 12)
        length = random.randint(SHORTEST_BREAK, LONGEST_BREAK)
        if has:
            yield Series(treatment, first, range(began, began + length if breaks else began))


def _drugs(random: Random, traits: Traits) -> int:
    """Every condition adds one or two products, and old habits some."""
    return len(traits.diagnosis_codes) + count(random, 0.6 * len(traits.diagnosis_codes)) + random.choice((0, 0, 1, 2))


def draw_prospects(random: Random, traits: Traits, period: Period) -> Prospects:
    """Plant one person's risk for every month with services."""
    drugs, drug_plan = _drugs(random, traits), random.random() < DRUG_PLAN_SHARE
    primary_care = random.random() >= NO_PRIMARY_CARE_SHARE
    series = tuple(_series(random, traits, period.months))
    base = base_monthly(traits, period.first_days[0])
    weight = DRUGS_WEIGHT * ((drugs >= MANY_DRUGS) + (drugs >= VERY_MANY_DRUGS))
    weight += 0.0 if primary_care else NO_PRIMARY_CARE_WEIGHT
    weights = (
        base * math.exp(weight + BROKEN_WEIGHT * any(month in one.broken for one in series))
        for month in range(period.months)
    )
    return Prospects(tuple(weights), tuple(_frailty(random, period.months)), drugs, drug_plan, primary_care, series)
