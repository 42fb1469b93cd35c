"""MEDICARE_PRIMARY: Medicare pays first.

Source: GPDC participation agreement, Appendix B. Secondary-payer status is often not checked at all, and then
the answer is unknown.
"""

from services.alignment.rules.known_month import Answer, KnownMonth, fails, passes, unknown


def medicare_primary(known: KnownMonth) -> Answer:
    """Judge by what coverage states."""
    stated = known.medicare_is_primary
    if stated is None:
        return unknown("PRIMARY_PAYER_NOT_STATED")
    return passes(stated) if stated.value else fails("MSP", stated)
