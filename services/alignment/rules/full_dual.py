"""FULL_DUAL: a full-benefit dual eligible for the month (02, 04, 08).

Source: CMS, MCO-based Direct Contracting Entity fact sheet (2020); CMS dual status codes.
"""

from contracts.codes import BenefitLevel, benefit_level
from services.alignment.rules.known_month import Answer, KnownMonth, fails, passes, unknown


def full_dual(known: KnownMonth) -> Answer:
    """Judge by the dual status code of the month."""
    stated = known.dual_status_code
    if stated is None:
        return unknown("NO_DUAL_STATUS_STATED")
    match benefit_level(stated.value):
        case BenefitLevel.FULL:
            return passes(stated)
        case BenefitLevel.PARTIAL:
            return fails("DUAL_PARTIAL", stated)
        case BenefitLevel.UNKNOWN:
            return unknown("DUAL_STATUS_UNKNOWN", stated)
        case BenefitLevel.NONE | BenefitLevel.OTHER:
            return fails("DUAL_LOST", stated)
