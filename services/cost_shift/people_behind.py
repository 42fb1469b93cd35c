"""Who stands behind the numbers of a study: how many people of each cohort, before and after, and how many had a cost. No I/O."""

from collections import defaultdict
from collections.abc import Iterable

from services.cost_shift.completion import TOTAL
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.rules.enough_people import Behind
from services.cost_shift.study_cells import NEVER, Side, StudyCells
from services.cost_shift.studying import Study


def behind(study: Study, series: Iterable[Series]) -> list[Behind]:
    """Of every side of a study, for each of some series."""
    people = most_at_once(study.cells, study.baseline_last)
    return [
        Behind(people.get(side, 0), _claimants(study.cells, side, one))
        for one in series
        for side in (Side(aligned, later) for aligned in (False, True) for later in (False, True))
    ]


def most_at_once(cells: StudyCells, baseline_last: str) -> dict[Side, int]:
    """The most people of each side in any month: at least so many different ones were there."""
    counts: dict[tuple[Side, str], int] = defaultdict(int)
    for key, people in cells.people.items():
        counts[Side(key.start != NEVER, key.month > baseline_last), key.month] += people
    found: dict[Side, int] = {}
    for (side, _), count in counts.items():
        found[side] = max(count, found.get(side, 0))
    return found


def _claimants(cells: StudyCells, side: Side, series: Series) -> int:
    """Of all services: at least as many as of the category that most people had a cost of."""
    counts = cells.claimants.get(side, {})
    if series[1] != TOTAL:
        return counts.get(series, 0)
    return max((count for (payer, _), count in counts.items() if payer == series[0]), default=0)


def people_of_period(study: Study) -> dict[int, int]:
    """By quarter since people entered: the most who were there in any of its months."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for key, event in zip(study.cells.ordered(), study.events, strict=True):
        if event is not None:
            counts[event[1], key.month] += study.cells.people[key]
    found: dict[int, int] = {}
    for (period, _), count in counts.items():
        found[period] = max(count, found.get(period, 0))
    return found
