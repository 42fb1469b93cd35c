"""LEVEL_OF_CARE: certified by the state for an institution's level of care, wherever the person lives.

Source: ICRC, State Pathways to Integrated Care (2019), of PACE: certified nursing-facility level of care; T-MSIS
CARE_LVL_STUS_CD.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, fails, passes, unknown


def level_of_care(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the level that the state has certified."""
    if not pack.levels_of_care:
        return None
    stated = month.care.level_of_care
    if stated is None:
        return unknown("LEVEL_OF_CARE_NOT_STATED")
    return passes(stated) if stated.value in pack.levels_of_care else fails("LEVEL_OF_CARE_NOT_MET", stated)
