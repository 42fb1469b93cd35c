"""How much attention a linked pair of series deserves: none, watch or review.

Watch: a chart of one payer alone tells a change. Review: charts of both tell changes in opposite directions, and what one gained of the
other's loss is large enough in itself and beside the baseline. Telling a state asks for more: an effect of both payers with intervals that
exclude zero, for two quarters, and a composition that stayed; that is not decided here.
"""

from dataclasses import dataclass
from typing import Literal

Level = Literal["none", "watch", "review"]
Movement = Literal["up", "down"] | None


@dataclass(frozen=True, slots=True)
class Change:
    """What the charts of one series tell, and by how many cents per person-month it moved from its baseline."""

    movement: Movement
    cents: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cents per person-month, and the share of both payers' baseline."""

    least_cents: float
    least_share: float


def shifted(medicare: Change, medicaid: Change) -> float:
    """The smaller of two changes with opposite signs, else nothing."""
    return min(abs(medicare.cents), abs(medicaid.cents)) if medicare.cents * medicaid.cents < 0 else 0.0


def attention_level(medicare: Change, medicaid: Change, baseline_cents: float, thresholds: Thresholds) -> Level:
    """``baseline_cents``: both payers' cost per person-month before, of the aligned."""
    if medicare.movement is None and medicaid.movement is None:
        return "none"
    opposite = {medicare.movement, medicaid.movement} == {"up", "down"}
    amount = shifted(medicare, medicaid)
    large = amount >= thresholds.least_cents and amount >= thresholds.least_share * baseline_cents
    return "review" if opposite and large else "watch"
