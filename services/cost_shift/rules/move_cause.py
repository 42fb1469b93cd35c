"""Why a person-month's costs count elsewhere from a delivery on: what changed between two decisions about it.

Dual status decides where costs count (docs/architecture.md, cohorts): a state's late word on it moves costs between cohorts though nobody was
aligned or removed. So it is told apart from alignment, as is a move of house within the same cohort.
"""

from typing import Literal, NamedTuple

from contracts.codes import Cohort, benefit_level
from services.cost_shift.rules.standing_version import Cause

CellCause = Cause | Literal["dual_status", "residence"]


class Place(NamedTuple):
    """Where a person's month counts. Empty text stands for no entity or an unknown county."""

    state: str
    county: str
    entity: str
    cohort: str


def move_cause(before: Place, status_before: str, after: Place, status_after: str) -> CellCause:
    """Residence: only where the person lives. Dual status: the level of Medicaid's benefits, and nobody was or is aligned by it alone.

    Everything else, and the first decision about a month, is alignment.
    """
    if (before.entity, before.cohort) == (after.entity, after.cohort):
        return "residence"
    if before.cohort == Cohort.UNASSIGNED.value or not status_before or not status_after:
        return "alignment"
    return "dual_status" if benefit_level(status_before) != benefit_level(status_after) else "alignment"
