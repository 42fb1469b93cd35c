"""Money is integer cents; a ratio is an exact fraction until it is shown.

Source of the shapes: CCLF amounts are ``-9(13).99`` (CCLF Information Packet v36.0, layouts), X12 and
T-MSIS amounts are plain decimals. No float touches a dollar.
"""

import re
from fractions import Fraction
from typing import Annotated

from pydantic import Field

# A trillion dollars: far above any claim, far below 64 bits. A larger amount is a broken field.
LARGEST_CENTS = 10**14

Cents = Annotated[int, Field(ge=-LARGEST_CENTS, le=LARGEST_CENTS, description="US dollars x 100")]

_AMOUNT = re.compile(r"(?P<sign>[-+]?)(?=\.?[0-9])(?P<dollars>[0-9]{0,40})(?:\.(?P<cents>[0-9]{0,4}))?")

# T-MSIS writes these when there is no amount (CMS's T-MSIS Analytic File code).
MEDICAID_MISSING_AMOUNTS = frozenset({"888888888.88", "8888888.88", "88888888888.88", "99999999.99"})


class AmountError(ValueError):
    """The text is not a dollar amount."""


def cents_from_text(text: str) -> int:
    """Read a dollar amount exactly, for example ``" 00000123.40"`` as ``12340``.

    Raises :class:`AmountError` when the text is no amount, has a fraction of a cent, or is absurd.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise AmountError("not a dollar amount")
    fraction = (match["cents"] or "").ljust(2, "0")
    if fraction[2:].strip("0"):
        raise AmountError("a fraction of a cent")
    cents = int(match["dollars"] or 0) * 100 + int(fraction[:2])
    if cents > LARGEST_CENTS:
        raise AmountError("larger than any claim can be")
    return -cents if match["sign"] == "-" else cents


def dollars_text(cents: int) -> str:
    """Write cents as dollars with two decimals, for example ``-1205`` as ``-12.05``."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def per_month(cents: int, person_months: int) -> Fraction | None:
    """Cents per person-month as an exact fraction; ``None`` where there is no person-month."""
    return Fraction(cents, person_months) if person_months else None


def shown_cents(value: Fraction) -> int:
    """Round an exact number of cents to a whole one, half away from zero, for showing."""
    doubled = abs(value) * 2
    rounded = (doubled.numerator + doubled.denominator) // (2 * doubled.denominator)
    return -rounded if value < 0 else rounded
