"""DUAL_LAPSE: the state has stated ahead that full Medicaid benefits end soon, and nothing that goes on after it.

Source: 42 CFR 435.916 (benefits are redetermined at least once a year). An end in the month of the statement itself is
how states write month by month, and announces nothing.
"""

from contracts.codes import BenefitLevel, benefit_level
from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.known_month import Stated
from services.alignment.rules.work_items.work_item import WorkItem
from services.alignment.statements import month_number


def dual_lapse(ending: tuple[int, Stated[str | None]] | None, now: int, policy: ReviewPolicy) -> WorkItem | None:
    """Judge the enrolment that holds now.

    ``ending``: its last month, and its dual status with who stated it; none where it goes on. ``now``: the month of the
    newest statement about the person.
    """
    if ending is None:
        return None
    last, dual = ending
    if benefit_level(dual.value) is not BenefitLevel.FULL or month_number(dual.stated_on) >= last:
        return None
    if last > now + policy.lapse_notice_months:
        return None
    return WorkItem("dual_lapse", last, ("ENDS_AS_STATED",), (dual.evidence(),))
