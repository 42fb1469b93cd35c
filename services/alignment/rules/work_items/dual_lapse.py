"""DUAL_LAPSE: the state has stated ahead that full Medicaid benefits end soon, and nothing that goes on after it.

Source: 42 CFR 435.916 (benefits are redetermined at least once a year). An end in the month of the statement itself is
how states write month by month, and announces nothing.
"""

from collections.abc import Sequence

from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.known_month import Stated
from services.alignment.rules.work_items.work_item import WorkItem
from services.alignment.statements import month_number


def dual_lapse(
    ends: Sequence[tuple[int, Stated[str]]], enrolled_through: int | None, now: int, policy: ReviewPolicy
) -> WorkItem | None:
    """Judge the stated ends of full benefits.

    ``ends``: last months, each with who stated it, the last one first. ``enrolled_through``: the last month of any
    enrolment, none while one goes on. ``now``: the month of the newest statement.
    """
    if not ends or enrolled_through is None:
        return None
    last, stated = ends[0]
    if last < enrolled_through or month_number(stated.stated_on) >= last:
        return None
    if not now <= last <= now + policy.lapse_notice_months:
        return None
    return WorkItem("dual_lapse", last, ("ENDS_AS_STATED",), (stated.evidence(),))
