"""LONG_TERM_NEED: needs long-term services and supports: a certified level of care, or a home-and-community waiver.

Source: ICRC, State Pathways to Integrated Care (2019), of managed long-term services; T-MSIS waiver types, of which any
1915(c) code in a month is presence of home- and community-based services.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.level_of_care import level_of_care
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, passes


def long_term_need(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the waivers, then by the level of care."""
    waivers = month.care.waiver_type_codes
    if waivers is not None and pack.waiver_type_codes.intersection(waivers.value):
        return passes(waivers)
    return level_of_care(month, pack)
