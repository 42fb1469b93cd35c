"""IN_FEE_FOR_SERVICE: Medicare pays for services, not a health plan. The same answer as NOT_IN_MA of alignment.

Source: GPDC participation agreement, Appendix B, condition 2; CMS Financial Alignment Initiative page, managed
fee-for-service.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer
from services.alignment.rules.not_in_ma import not_in_ma


def fee_for_service(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the health plan of the month."""
    return not_in_ma(month.known) if pack.fee_for_service else None
