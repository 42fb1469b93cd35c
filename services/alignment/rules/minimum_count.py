"""Aligned people against the minimum, and the month in which an entity would fall below it.

Source: GPDC participation agreement and CMS, PY2024 quick reference (minimum numbers, and the shortfall tolerated); the
minimum of the MCO-based type is a value of the pack. The projection carries the mean monthly change of the last months
forward, in whole numbers: it is arithmetic, not a model.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.alignment.paths_policy import Minimum

# Further ahead a trend of a few months says nothing.
FURTHEST_MONTHS = 36


class Projection(NamedTuple):
    """The mean change as people in so many months, and the first months (numbers) below minimum and below floor."""

    change: int
    months: int
    below_minimum: int | None
    below_floor: int | None


def projection(
    counts: Mapping[int, int], lost_at: Mapping[int, int], minima: Mapping[int, Minimum], trend_months: int
) -> Projection:
    """Carry counts by month number forward.

    ``lost_at``: people whom a forecast says are lost in a month, on top of the trend. ``minima``: by month; a month that
    has none cannot be fallen below.
    """
    if not counts:
        return Projection(0, 0, None, None)
    last = max(counts)
    first = min(month for month in counts if month >= last - trend_months)
    change, months = counts[last] - counts[first], last - first
    ahead = [(last + step, _expected(counts[last], change, months, step)) for step in range(FURTHEST_MONTHS + 1)]
    left = [(month, people - _lost_by(month, lost_at, last)) for month, people in ahead]
    return Projection(
        change,
        months,
        _first_below(left, {month: one.people for month, one in minima.items()}),
        _first_below(left, {month: one.floor for month, one in minima.items()}),
    )


def _expected(people: int, change: int, months: int, step: int) -> int:
    # Rounded down: half a person less is a person less.
    return people + (change * step) // months if months else people


def _lost_by(month: int, lost_at: Mapping[int, int], last: int) -> int:
    return sum(people for when, people in lost_at.items() if last < when <= month)


def _first_below(left: Sequence[tuple[int, int]], least: Mapping[int, int]) -> int | None:
    return next((month for month, people in left if month in least and people < least[month]), None)
