"""Made-up counties with a known effect: cheap enough for hundreds of seeds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.months import add_months
from services.cost_shift.estimating import Windows
from services.cost_shift.rules.county_panel import CellKey, Panel, Series, panel_of

MEDICARE: Series = ("medicare", "")
MEDICAID: Series = ("medicaid", "")
FIRST_MONTH = "2020-01"
_LEVELS = np.array([200_000.0, 150_000.0])  # cents per person-month, of a full dual's order of size
_CORRELATED = np.array([[1.0, 0.4], [0.4, 1.0]])  # the same bad month costs both payers

Pair = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CountyWorld:
    """``effects`` in cents per person-month on the aligned of the later half, for Medicare and Medicaid.

    ``spread`` is that of a month's mean of 100 people, ``county_spread`` how differently counties respond, ``drift`` by how many cents a
    month the aligned move away from the comparison all the time.
    """

    seed: int
    counties: int = 20
    months: int = 24
    effects: tuple[float, float] = (-6000.0, 4500.0)
    spread: float = 9000.0
    county_spread: float = 2500.0
    drift: float = 0.0

    @property
    def windows(self) -> Windows:
        """The two halves."""
        half = self.months // 2
        return Windows(FIRST_MONTH, self._month(half - 1), self._month(half), self._month(self.months - 1))

    def _month(self, number: int) -> str:
        return add_months(FIRST_MONTH, number)

    def cells(self) -> tuple[dict[CellKey, int], dict[CellKey, dict[Series, int]]]:
        """Person-months and cents of every unit and month."""
        chance = np.random.default_rng(self.seed)
        seasons = chance.normal(0, 3000, (self.months, 2))
        people: dict[CellKey, int] = {}
        cents: dict[CellKey, dict[Series, int]] = {}
        for county in range(self.counties):
            own = chance.normal(0, 8000, 2)
            for aligned in (False, True):
                self._unit(chance, CellKey(f"39{county:03}", aligned, ""), own, seasons, people, cents)
        return people, cents

    def _unit(  # noqa: PLR0913, PLR0917 - what a unit shares with others, and where its cells go
        self,
        chance: np.random.Generator,
        unit: CellKey,
        own: Pair,
        seasons: Pair,
        people: dict[CellKey, int],
        cents: dict[CellKey, dict[Series, int]],
    ) -> None:
        level = _LEVELS + own + chance.normal(0, 3000, 2)
        response = np.array(self.effects) + chance.normal(0, self.county_spread, 2)
        size = int(chance.integers(40, 200))
        for month in range(self.months):
            count = size + int(chance.integers(0, 10))
            noise = chance.multivariate_normal([0, 0], _CORRELATED) * self.spread / np.sqrt(count / 100)
            mean = level + seasons[month] + noise
            if unit.aligned:
                mean = mean + self.drift * month + (month >= self.months // 2) * response
            key = unit._replace(month=self._month(month))
            people[key] = count
            cents[key] = {MEDICARE: round(mean[0] * count), MEDICAID: round(mean[1] * count)}

    def panel(self) -> Panel:
        """As estimates see it."""
        people, cents = self.cells()
        return panel_of(people, cents, (MEDICARE, MEDICAID))
