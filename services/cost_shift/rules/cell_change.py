"""Where a person-month's costs count after each delivery, and what later decisions move.

The value of any cell as known at delivery D is the sum of its changes with sequence <= D, exactly, in
whatever order costs and decisions arrived. Costs of a month without a decision count as unassigned, in the state
of their claim, until one comes: no dollar waits unseen. No person-month stands behind them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contracts.codes import Cohort
from services.cost_shift.rules.move_cause import CellCause, Place, move_cause
from services.cost_shift.rules.standing_version import CostChange, Series


class Assignment(NamedTuple):
    """The decision for one person-month that became known with ``sequence``; ``dual_status`` is empty where it is not told."""

    sequence: int
    place: Place
    dual_status: str = ""


class CellChange(NamedTuple):
    """Cents and claims that one cell gained with ``sequence``."""

    sequence: int
    cause: CellCause
    place: Place
    series: Series
    month: str
    cents: int
    claims: int


def unassigned(state: str) -> Place:
    """Where costs of a state count while no decision about their person-month is known."""
    return Place(state, "", "", Cohort.UNASSIGNED.value)


def cell_changes(costs: Iterable[CostChange], assignments: Sequence[Assignment]) -> list[CellChange]:
    """Changes of cells by one person-month's costs; ``assignments`` are in the order of their sequence.

    Linear in the costs: the changes that more costs make are the changes of those costs alone.
    """
    changes: list[CellChange] = []
    for cost in costs:
        place, status = unassigned(cost.state), ""
        for known, decided, told in assignments:
            if known <= cost.sequence:
                place, status = decided, told
        changes.append(CellChange(cost.sequence, cost.cause, place, *cost[3:]))
        for known, decided, told in assignments:
            if known > cost.sequence:
                if decided != place:
                    cause = move_cause(place, status, decided, told)
                    changes.append(CellChange(known, cause, place, cost.series, cost.month, -cost.cents, -cost.claims))
                    changes.append(CellChange(known, cause, decided, cost.series, cost.month, cost.cents, cost.claims))
                place, status = decided, told
    return changes


def person_month_changes(
    assignments: Sequence[Assignment], gone: Sequence[tuple[int, int | None]] = ()
) -> list[tuple[int, Place, int]]:
    """Where one person-month is counted: ``(sequence, place, +1 or -1)``.

    ``gone``: from which delivery on, and until which, the person is known to be somebody else and counted there.
    """
    changes: list[tuple[int, Place, int]] = []
    place: Place | None = None
    ends = {mark for interval in gone for mark in interval if mark is not None}
    for known in sorted({assignment.sequence for assignment in assignments} | ends):
        decided = None
        if not any(since <= known and (until is None or known < until) for since, until in gone):
            decided = next((one.place for one in reversed(assignments) if one.sequence <= known), None)
        if decided == place:
            continue
        if place is not None:
            changes.append((known, place, -1))
        if decided is not None:
            changes.append((known, decided, 1))
        place = decided
    return changes
