"""The level of a signal of one channel, and what is lacking for the next.

Nothing is called a shift by a pair of series alone. A state is told where all of these hold: (i) effects of opposite signs; (ii) both
intervals exclude zero after allowing for all channels that were looked at, or the joint probability of the signs is high; (iii) a channel links
the categories; (iv) the people did not change; the same held a quarter earlier; and the cohorts had not parted before.
"""

from dataclasses import dataclass
from typing import Literal

from services.cost_shift.rules.attention_level import Level as Attention

Level = Literal["none", "watch", "review", "notify"]
Lack = Literal[
    "effect_not_estimated",
    "same_signs",
    "chance_not_excluded",
    "no_channel",
    "people_changed",
    "people_not_told",
    "not_persistent",
    "parted_before",
    "too_small",
]
_ORDER: tuple[Level, ...] = ("none", "watch", "review", "notify")


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one channel. Probabilities are joint ones of the two estimated signs."""

    attention: Attention
    estimated: bool
    opposite: bool
    both_exclude_zero: bool
    adjusted_p_value: float
    probability: float
    linked: bool
    people_changed: bool = False
    people_told: bool = True
    held_earlier: bool = False
    parted_before: bool = False
    large: bool = True


@dataclass(frozen=True, slots=True)
class Bars:
    """``error``: how often chance may pass for an effect, over all channels."""

    error: float
    review_probability: float
    notify_probability: float


def beyond_chance(found: Findings, bars: Bars) -> bool:
    """Condition (ii), as it is asked for before a state is told."""
    by_intervals = found.both_exclude_zero and found.adjusted_p_value <= bars.error
    return by_intervals or found.probability >= bars.notify_probability


def lacking(found: Findings, bars: Bars) -> tuple[Lack, ...]:
    """What keeps a state from being told; empty where nothing does."""
    if not found.estimated:
        return ("effect_not_estimated",)
    said: dict[Lack, bool] = {
        "same_signs": not found.opposite,
        "chance_not_excluded": not beyond_chance(found, bars),
        "no_channel": not found.linked,
        "people_changed": found.people_changed,
        "people_not_told": not found.people_told,
        "not_persistent": not found.held_earlier,
        "parted_before": found.parted_before,
        "too_small": not found.large,
    }
    return tuple(lack for lack, holds in said.items() if holds)


def signal_level(found: Findings, bars: Bars) -> Level:
    """The charts' level, raised where an effect says so. An effect that lacks a condition deserves a review at most."""
    level: Level = found.attention
    if not found.estimated:
        return level
    if not lacking(found, bars):
        return "notify"
    likely = beyond_chance(found, bars) or found.probability >= bars.review_probability
    if found.opposite and likely and found.large and found.linked:
        level = max(level, "review", key=_ORDER.index)
    return level
