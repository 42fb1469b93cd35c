"""SAFE_IN_COMMUNITY: able to live safely in the community when enrolling.

Source: ICRC, State Pathways to Integrated Care (2019), of PACE. It is asked when somebody enrols: nursing care that becomes
necessary later is the organisation's to give, and ends nothing.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, fails, passes, unknown


def safe_in_community(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the state's finding."""
    if not pack.safe_in_community:
        return None
    stated = month.care.safe_in_community
    if stated is None:
        return unknown("SAFETY_NOT_STATED")
    return passes(stated) if stated.value else fails("NOT_SAFE_IN_COMMUNITY", stated)
