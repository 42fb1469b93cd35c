"""The cells of a study: county, group of entry and month, with people, their traits and both payers' cents. No I/O."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from contracts.months import add_months, month_index
from services.cost_shift.rules.county_panel import Numbers, Panel, Series

# Sums over the person-months of a cell; what "with_..." and "scored" count is of how many the trait is known.
TRAITS: Final = (
    "with_status", "status_02", "status_08", "moved", "exits", "scored", "thousandths", "with_age", "under_65",
    "long_term", "with_baseline", "baseline_medicare", "baseline_medicaid",
)  # fmt: skip
NEVER: Final = ""


class UnitMonth(NamedTuple):
    """A county's people who count as treated from ``start`` on, in one month. Empty start: never aligned."""

    county: str
    start: str
    month: str

    @property
    def treated(self) -> bool:
        """Whether these person-months are behind the start."""
        return self.start != NEVER and self.month >= self.start


class Side(NamedTuple):
    """Who and when: people who were ever aligned or never, in the baseline or later."""

    aligned: bool
    later: bool


Cents = dict[UnitMonth, dict[Series, int]]


@dataclass(slots=True)
class StudyCells:
    """``unseen``: person-months of people first seen behind the baseline; ``nowhere``: of unknown county. Both are left out.

    ``claimants``: how many different people of each side had a cost of a series in the months that are used.
    """

    people: dict[UnitMonth, int] = field(default_factory=dict)
    traits: dict[UnitMonth, dict[str, float]] = field(default_factory=dict)
    cents: Cents = field(default_factory=lambda: defaultdict(dict))
    unseen: int = 0
    nowhere: int = 0
    claimants: dict[Side, dict[Series, int]] = field(default_factory=lambda: defaultdict(dict))

    def of_months(self, months: Iterable[str]) -> "StudyCells":
        """The cells of some months; treated cells of a county and group without any month before are none of them."""
        wanted = frozenset(months)
        kept = {key for key in self.people if key.month in wanted}
        before = {key[:2] for key in kept if not key.treated}
        kept = {key for key in kept if key[:2] in before}
        return StudyCells(
            {key: self.people[key] for key in kept},
            {key: self.traits[key] for key in kept if key in self.traits},
            {key: self.cents[key] for key in kept if key in self.cents},
            self.unseen,
            self.nowhere,
            self.claimants,
        )

    def digest(self) -> str:
        """SHA-256 over every number, whatever the order in which they were read."""
        rows = [
            [*key, self.people[key], sorted(self.traits.get(key, {}).items()), sorted(self.cents.get(key, {}).items())]
            for key in sorted(self.people)
        ]
        return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()

    def ordered(self) -> list[UnitMonth]:
        """The keys in the order of the panel's cells."""
        return sorted(self.people)


def group_starts(months: Sequence[str], baseline_last: str, months_a_group: int) -> dict[str, str]:
    """For each month of entry, from when on its people count as treated.

    Who was there in the baseline or before counts from the month behind it on, others from the first month of their quarter, counted from there.
    """
    first = month_index(add_months(baseline_last, 1))
    entered = [add_months(months[0], -number) for number in range(1, 1 + 120)]
    starts = {}
    for month in (*entered, *months):
        behind = max(0, month_index(month) - first)
        starts[month] = add_months(add_months(baseline_last, 1), behind - behind % months_a_group)
    return starts


def study_panel(
    cells: StudyCells, series: Sequence[Series], completed: Mapping[UnitMonth, Mapping[Series, float]]
) -> Panel:
    """The cells as arrays: cents per person-month of each series. A unit is a county and a group."""
    keys = cells.ordered()
    weight = np.array([cells.people[key] for key in keys], dtype=np.float64)
    sums = [[completed.get(key, {}).get(one, 0.0) for one in series] for key in keys]
    outcomes = np.array(sums, dtype=np.float64).reshape(len(keys), len(series)) / weight[:, None]
    months = tuple(sorted({key.month for key in keys}))
    counties = tuple(sorted({key.county for key in keys}))
    units = {name: number for number, name in enumerate(sorted({key[:2] for key in keys}))}
    return Panel(
        series=tuple(series),
        months=months,
        counties=counties,
        unit=np.array([units[key[:2]] for key in keys], dtype=np.int64),
        month=np.array([months.index(key.month) for key in keys], dtype=np.int64),
        cluster=np.array([counties.index(key.county) for key in keys], dtype=np.int64),
        aligned=np.array([key.start != NEVER for key in keys], dtype=np.float64),
        weight=weight,
        outcomes=outcomes,
    )


def trait(cells: StudyCells, total: str, known: str | None = None, scale: float = 1.0) -> Numbers:
    """Mean of a trait in each cell. Of whom it is unknown, it is taken to be what it is on average."""
    keys = cells.ordered()
    people = np.array([cells.people[key] for key in keys], dtype=np.float64)
    sums = np.array([cells.traits[key][total] for key in keys], dtype=np.float64) * scale
    if known is None:
        return np.asarray(sums / people)
    told = np.array([cells.traits[key][known] for key in keys], dtype=np.float64)
    mean = sums.sum() / told.sum() if told.sum() else 0.0
    return np.asarray((sums + (people - told) * mean) / people)


def known_share(cells: StudyCells, known: str) -> float:
    """Of how large a part of person-months something is known."""
    people = sum(cells.people.values())
    return sum(cells.traits[key][known] for key in cells.people) / people if people else 0.0
