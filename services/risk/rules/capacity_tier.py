"""Tiers by capacity: how many people can be looked after closely decides, not how high a score is.

Source: domain of risk stratification, "Tiering": shares of people from the top (5 %, 15 %, 30 %, the rest), and whoever has a
reason to be lifted is in the highest tier besides. Who was in a tier keeps a small advantage, so that two people beside a
boundary do not change places month after month.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HIGHEST_TIER: Final = 4
LOWEST_TIER: Final = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """One person's place: ``score`` between 0 and 1, ``raw_score`` decides between equals."""

    person_id: str
    score: float
    raw_score: float
    previous: int | None = None
    lifted: bool = False


def places_to(tier: int, people: int, capacity_percent: Mapping[str, int]) -> int:
    """Count the places from the top down to a tier, without those of people who are lifted."""
    return capacity_percent[str(tier)] * people // 100


def _order(standings: Iterable[Standing], tier: int, advantage: float) -> list[Standing]:
    def key(one: Standing) -> tuple[float, float, str]:
        kept = one.previous is not None and one.previous >= tier
        return -(one.score + (advantage if kept else 0.0)), -one.raw_score, one.person_id

    return sorted(standings, key=key)


def tiers_of(standings: Sequence[Standing], capacity_percent: Mapping[str, int], advantage: float) -> dict[str, int]:
    """Give everybody a tier: whoever is lifted is in the highest and takes nobody's place; the rest fill from the top."""
    tiers: dict[str, int] = {}
    left = [one for one in standings if not one.lifted]
    for tier in range(HIGHEST_TIER, LOWEST_TIER, -1):
        room = places_to(tier, len(standings), capacity_percent) - len(tiers)
        ordered = _order(left, tier, advantage)
        tiers |= {one.person_id: tier for one in ordered[: max(room, 0)]}
        left = ordered[max(room, 0) :]
    tiers |= {one.person_id: LOWEST_TIER for one in left}
    return tiers | {one.person_id: HIGHEST_TIER for one in standings if one.lifted}
