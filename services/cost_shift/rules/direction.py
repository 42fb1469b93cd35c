"""How two effects on the same people's cost relate: net, offset, direction and shifted amount.

Effects are exact cents per person-month; negative means that spending fell. The vocabulary follows the aim that
CMS stated on 2020-12-17 for MCO-based Direct Contracting Entities: costs must not move from either programme to
the other. A direction describes two numbers; by itself it is no evidence of a shift.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Direction = Literal["medicare_to_medicaid", "medicaid_to_medicare", "both_down", "both_up", "none"]


@dataclass(frozen=True, slots=True)
class Relation:
    """Two effects side by side, in cents per person-month; ``offset_ratio`` is a plain number."""

    net_effect: Fraction
    offset_ratio: Fraction | None
    direction: Direction
    shifted: Fraction


def direction(medicare: Fraction | float, medicaid: Fraction | float) -> Direction:
    """Which programme's cost fell while the other's rose; ``none`` where one did not move."""
    if not medicare or not medicaid:
        return "none"
    if medicare < 0:
        return "medicare_to_medicaid" if medicaid > 0 else "both_down"
    return "medicaid_to_medicare" if medicaid < 0 else "both_up"


def offset_ratio(medicare: Fraction, medicaid: Fraction) -> Fraction | None:
    """The share of one programme's reduction that reappears in the other; ``None`` where neither fell.

    Above 1 the total rose. Negative: the other programme's cost fell too.
    """
    if medicare < 0:
        return -medicaid / medicare
    if medicaid < 0:
        return -medicare / medicaid
    return None


def shifted(medicare: Fraction, medicaid: Fraction) -> Fraction:
    """The smaller of the two sizes where the signs differ, else nothing."""
    return min(abs(medicare), abs(medicaid)) if medicare * medicaid < 0 else Fraction(0)


def relation(medicare: Fraction, medicaid: Fraction) -> Relation:
    """All of the above for one pair of effects."""
    return Relation(
        net_effect=medicare + medicaid,
        offset_ratio=offset_ratio(medicare, medicaid),
        direction=direction(medicare, medicaid),
        shifted=shifted(medicare, medicaid),
    )
