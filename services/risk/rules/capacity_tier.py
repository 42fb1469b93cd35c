"""Tiers by capacity: how many people can be looked after closely decides, not how high a score is.

Source: convention of this product after the Pareto tiers of risk stratification (for example the four levels of the
Kaiser pyramid): shares of people from the top, with one override: repeated recent admissions lift to the highest tier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

HIGHEST_TIER: Final = 4
LOWEST_TIER: Final = 1
MOST_REASONS: Final = 3
_MOST_REASON_CHARACTERS: Final = 120


@dataclass(frozen=True, slots=True)
class Standing:
    """One person's place: ``rank`` 1 is the highest score of ``people``; admissions within the policy's window."""

    rank: int
    people: int
    raw_score: Decimal
    model: str
    payment_year: int
    conditions: tuple[str, ...]
    admissions: int


def tier_by_rank(rank: int, people: int, capacity_percent: Mapping[str, int]) -> int:
    """Find the highest tier whose share, counted from the top, reaches down to the rank."""
    tiers = range(HIGHEST_TIER, LOWEST_TIER, -1)
    return next((tier for tier in tiers if rank * 100 <= capacity_percent[str(tier)] * people), LOWEST_TIER)


def tier_of(standing: Standing, capacity_percent: Mapping[str, int], admissions_for_highest: int) -> int:
    """Decide the tier of one person."""
    if standing.admissions >= admissions_for_highest:
        return HIGHEST_TIER
    return tier_by_rank(standing.rank, standing.people, capacity_percent)


def _place(standing: Standing) -> str:
    score = f"{standing.model} risk score {standing.raw_score} for {standing.payment_year}"
    return f"{score}, place {standing.rank} of {standing.people}"


def reasons_of(standing: Standing, admissions_for_highest: int, window_days: int) -> tuple[str, ...]:
    """Say in plain words why, the strongest first, three at most."""
    reasons = []
    if standing.admissions >= admissions_for_highest:
        reasons.append(f"{standing.admissions} hospital admissions within {window_days} days")
    reasons.append(_place(standing))
    reasons.extend(standing.conditions)
    return tuple(reason[:_MOST_REASON_CHARACTERS] for reason in reasons[:MOST_REASONS])
