"""A_AND_B: entitled to Part A and enrolled in Part B for the month.

Source: GPDC participation agreement, Appendix B (beneficiary eligibility); CCLF Information Packet v36.0, CCLF8
element 19 (buy-in indicator: 3 and C are both parts).
"""

from contracts.codes import PART_A_AND_B_CODES
from services.alignment.rules.known_month import Answer, KnownMonth, Reach, fails, passes, unknown

_MISSING_PART = {
    "0": "NOT_ENTITLED",
    "1": "LOST_PART_B",
    "A": "LOST_PART_B",
    "2": "LOST_PART_A",
    "B": "LOST_PART_A",
}


def a_and_b(known: KnownMonth) -> Answer:
    """Judge by the buy-in code; one from a later month counts only if both parts had begun."""
    stated = known.entitlement_buy_in_code
    if stated is None:
        return unknown("NO_ENTITLEMENT_STATED")
    if stated.value not in PART_A_AND_B_CODES:
        return fails(_MISSING_PART[stated.value], stated)
    if stated.reach is not Reach.FROM_LATER:
        return passes(stated)
    if False in known.begun:
        return fails("PART_A_NOT_BEGUN" if known.begun[0] is False else "PART_B_NOT_BEGUN", stated)
    return unknown("BEGIN_NOT_STATED", stated) if None in known.begun else passes(stated)
