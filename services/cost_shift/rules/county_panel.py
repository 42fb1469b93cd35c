"""Monthly cost of two cohorts in many counties, as arrays: the ground on which effects are estimated.

A unit is one cohort in one county, a cell one unit in one month. Aligned and comparison people of a county form one
cluster, because what happens in a county happens to both. Outcomes are cents per person-month, weighted by
person-months, so that a cell counts as much as the people in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Series = tuple[str, str]  # payer, category


class CellKey(NamedTuple):
    """One unit in one month. ``aligned`` is false for the comparison cohort."""

    county: str
    aligned: bool
    month: str


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Cells in a fixed order: arrays of one length; ``outcomes`` has a column for each of ``series``."""

    series: tuple[Series, ...]
    months: tuple[str, ...]
    counties: tuple[str, ...]
    unit: Places
    month: Places
    cluster: Places
    aligned: Numbers
    weight: Numbers
    outcomes: Numbers

    def of_months(self, first: str, last: str) -> "Panel":
        """The cells of some months; counties without any of them are gone."""
        kept = np.array([first <= self.months[place] <= last for place in self.month], dtype=bool)
        cells = [
            CellKey(self.counties[self.cluster[place]], bool(self.aligned[place]), self.months[self.month[place]])
            for place in np.flatnonzero(kept)
        ]
        return _panel(cells, self.series, self.weight[kept], self.outcomes[kept])


def panel_of(
    person_months: Mapping[CellKey, int], cents: Mapping[CellKey, Mapping[Series, float]], series: Sequence[Series]
) -> Panel:
    """Cells with people in them, in the order of their keys; no recorded cost is no cost."""
    cells = sorted(key for key, count in person_months.items() if count > 0)
    weight = np.array([person_months[key] for key in cells], dtype=np.float64)
    sums = [[cents.get(key, {}).get(one, 0) for one in series] for key in cells]
    spent = np.array(sums, dtype=np.float64).reshape(len(cells), len(series))
    return _panel(cells, tuple(series), weight, spent / weight[:, None])


def _panel(cells: Sequence[CellKey], series: tuple[Series, ...], weight: Numbers, outcomes: Numbers) -> Panel:
    months, month = _numbered([cell.month for cell in cells])
    counties, cluster = _numbered([cell.county for cell in cells])
    _, unit = _numbered([f"{cell.county} {cell.aligned}" for cell in cells])
    aligned = np.array([cell.aligned for cell in cells], dtype=np.float64)
    return Panel(series, months, counties, unit, month, cluster, aligned, weight, outcomes)


def _numbered(names: Sequence[str]) -> tuple[tuple[str, ...], Places]:
    distinct = tuple(sorted(set(names)))
    place = {name: number for number, name in enumerate(distinct)}
    return distinct, np.array([place[name] for name in names], dtype=np.int64)
