"""Made-up people in counties who enter at different times, with a known effect: cheap enough for hundreds of seeds.

People have a lasting cost of their own for each payer, which their risk score half knows. What happens to the people can be planted
instead of a shift: heavy users leave to health plans, or lighter ones join.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from contracts.months import add_months
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.completion import Completion
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.signal_policy import signal_policy
from services.cost_shift.study_cells import TRAITS, StudyCells, UnitMonth, group_starts
from services.cost_shift.studying import ALL_SERVICES, Study

FIRST_MONTH = "2020-01"
PAIR = CategoryPair("early_discharge_to_nursing_facility", "skilled_nursing_facility", "nursing_facility")
SERIES: tuple[Series, Series] = (("medicare", PAIR.medicare), ("medicaid", PAIR.medicaid))
_LEVELS = np.array([60_000.0, 50_000.0])  # cents per person-month
_OWN = np.array([40_000.0, 35_000.0])  # how much people differ for good
_MONTHLY = np.array([60_000.0, 50_000.0])  # how much a month differs from the person's own
_CORRELATED = np.array([[1.0, 0.3], [0.3, 1.0]])  # of the payers
_SCORE_KNOWS = 0.5
_UNDER_65 = 0.4
_SEEN_LATER = 0.15  # of people, those who are there only from some month on
_LEAVE = 0.2
_INTO_PLANS = 0.5  # of those who leave
_YOUNG_COST: Final = np.array([15_000.0, -12_000.0])  # by how much people under 65 cost more
_YOUNG_LEAVE: Final = 0.7
_OUTLYING: Final = 0.2  # of the aligned, those who leave or join where people change

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Change = Literal["none", "heavy_leave", "light_join", "young_leave"]


@dataclass(slots=True)
class _People:
    """The people of one cohort in a county, as arrays: months from ``first`` up to ``last``, treated from ``start`` on."""

    first: Counts
    last: Counts
    start: Counts
    into_plan: Flags
    lasting: Numbers
    under_65: Flags
    score: Numbers

    def here(self, months: int) -> Flags:
        """Who is there in which month."""
        number = np.arange(months)
        present: Flags = (number >= self.first[:, None]) & (number < self.last[:, None])
        return present


@dataclass(frozen=True)
class StudyWorld:
    """``effects`` in cents per person-month behind the entry; ``grows``: by how much of it more each month; ``change``: of the people."""

    seed: int
    counties: int = 20
    months: int = 30
    people: int = 60
    effects: tuple[float, float] = (-6000.0, 4500.0)
    grows: float = 0.0
    staggered: bool = True
    change: Change = "none"
    county_spread: float = 1500.0

    @property
    def baseline(self) -> int:
        """How many months it has."""
        return signal_policy().baseline_months

    @property
    def baseline_last(self) -> str:
        """Its last month."""
        return add_months(FIRST_MONTH, self.baseline - 1)

    def calendar(self) -> tuple[str, ...]:
        """All months."""
        return tuple(add_months(FIRST_MONTH, number) for number in range(self.months))

    def study(self, *, covariates: bool = True) -> Study:
        """As signals see it: nothing is still to come."""
        months = self.calendar()
        completion = Completion(known={payer: [months[-1]] for payer, _ in SERIES})
        cells, pairs = self.cells().of_months(months), (ALL_SERVICES, PAIR)
        return Study(
            cells, completion, self.baseline_last, pairs, estimate_policy(), signal_policy(), covariates, months
        )

    def cells(self) -> StudyCells:
        """County by county."""
        chance = np.random.default_rng(self.seed)
        cells = StudyCells()
        seasons = chance.normal(0, 2000, (self.months, 2))
        for county in range(self.counties):
            level = _LEVELS + chance.normal(0, 4000, 2) + seasons
            planted = np.array(self.effects)
            response = planted + chance.normal(0, self.county_spread, 2) * (planted != 0)
            for aligned in (False, True):
                people = self._people(chance, aligned=aligned)
                cost = self._cost(chance, people, level, response)
                self._fill(cells, f"39{county:03}", people, cost)
        return cells

    def _people(self, chance: np.random.Generator, *, aligned: bool) -> _People:
        count = self.people + int(chance.integers(0, self.people))
        start = np.full(count, self.months)
        if aligned:
            entered = [self.baseline, self.baseline, self.baseline + 3, self.baseline + 6]
            start = chance.choice(entered if self.staggered else entered[:1], count)
        lasting = chance.multivariate_normal([0, 0], _CORRELATED, count)
        knows, rest = _SCORE_KNOWS * lasting.mean(axis=1), chance.normal(0, 0.5, count)
        people = _People(
            first=np.where(chance.random(count) < _SEEN_LATER, chance.integers(0, self.months, count), 0),
            last=np.where(
                chance.random(count) < _LEAVE, chance.integers(self.baseline, self.months, count), self.months
            ),
            start=start,
            into_plan=chance.random(count) < _INTO_PLANS,
            lasting=lasting,
            under_65=chance.random(count) < _UNDER_65,
            score=1.2 + 0.4 * (knows + np.sqrt(1 - _SCORE_KNOWS**2) * rest),
        )
        if aligned:
            self._change(chance, people)
        return people

    def _change(self, chance: np.random.Generator, people: _People) -> None:
        """Other people in a way that looks like a shift: less for Medicare, more for Medicaid."""
        gap, middle = people.lasting[:, 0] - people.lasting[:, 1], self.baseline + 2
        if self.change == "heavy_leave":
            heavy = gap > np.quantile(gap, 1 - _OUTLYING)
            leaves = np.minimum(people.last, middle + chance.integers(0, 4, len(gap)))
            people.last, people.into_plan = np.where(heavy, leaves, people.last), people.into_plan | heavy
        elif self.change == "light_join":
            # They would enter late; but whoever was not there in the baseline is not followed.
            light = gap < np.quantile(gap, _OUTLYING)
            people.start = np.where(light, self.baseline + 6, people.start)
            people.first = np.where(light, np.maximum(people.first, self.baseline + 4), people.first)
        elif self.change == "young_leave":
            young = people.under_65 & (chance.random(len(gap)) < _YOUNG_LEAVE)
            people.last = np.where(
                young, np.minimum(people.last, middle + chance.integers(0, 4, len(gap))), people.last
            )

    def _cost(self, chance: np.random.Generator, people: _People, level: Numbers, response: Numbers) -> Counts:
        """Cents of each person, month and payer."""
        noise = chance.multivariate_normal([0, 0], _CORRELATED, (len(people.first), self.months))
        behind = np.arange(self.months) - people.start[:, None]
        size = (behind >= 0) * (1 + self.grows * np.maximum(behind, 0))
        lasting = people.lasting * _OWN + people.under_65[:, None] * _YOUNG_COST
        mean = level + lasting[:, None, :] + size[:, :, None] * response
        cents: Counts = np.rint(mean + noise * _MONTHLY).astype(np.int64)
        return cents

    def _fill(self, cells: StudyCells, county: str, people: _People, cost: Counts) -> None:
        months, here = self.calendar(), people.here(self.months)
        starts = group_starts(months, self.baseline_last, signal_policy().months_a_group)
        early = here[:, : self.baseline]
        stays = early.sum(axis=1)
        spent = (cost[:, : self.baseline] * early[:, :, None]).sum(axis=1) / np.maximum(stays, 1)[:, None]
        seen = people.first < self.baseline
        for group in np.unique(people.start):
            name = "" if group == self.months else starts[months[group]]
            for month in range(self.months):
                inside = (people.start == group) & seen & here[:, month]
                if inside.any():
                    key = UnitMonth(county, name, months[month])
                    cells.people[key] = int(inside.sum())
                    cells.traits[key] = _traits(people, inside, inside & (stays > 0), spent, month)
                    sums = cost[inside, month].sum(axis=0)
                    cells.cents[key] = {SERIES[0]: int(sums[0]), SERIES[1]: int(sums[1])}


def _traits(people: _People, inside: Flags, known: Flags, spent: Numbers, month: int) -> dict[str, float]:
    count = float(inside.sum())
    return dict.fromkeys(TRAITS, 0.0) | {
        "with_status": count,
        "status_02": count,
        "scored": count,
        "thousandths": float((people.score[inside] * 1000).sum()),
        "with_age": count,
        "under_65": float(people.under_65[inside].sum()),
        "with_baseline": float(known.sum()),
        "baseline_medicare": float(spent[known, 0].sum()),
        "baseline_medicaid": float(spent[known, 1].sum()),
        "exits": float((inside & people.into_plan & (people.last == month + 1)).sum()),
    }
