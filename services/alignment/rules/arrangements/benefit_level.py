"""BENEFIT_LEVEL: the Medicaid benefits that the programme is for.

Source: CMS dual status codes, which mean full, partial or no benefits; each programme's pack says which it takes.
"""

from contracts.codes import BenefitLevel, benefit_level
from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, fails, passes, unknown

_REASONS = {BenefitLevel.PARTIAL: "DUAL_PARTIAL", BenefitLevel.NONE: "DUAL_LOST", BenefitLevel.OTHER: "DUAL_LOST"}


def benefits(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the dual status code of the month."""
    if not pack.benefit_levels:
        return None
    stated = month.known.dual_status_code
    if stated is None:
        return unknown("NO_DUAL_STATUS_STATED")
    level = benefit_level(stated.value)
    if level in pack.benefit_levels:
        return passes(stated)
    if level is BenefitLevel.UNKNOWN:
        return unknown("DUAL_STATUS_UNKNOWN", stated)
    return fails(_REASONS.get(level, "DUAL_FULL"), stated)
