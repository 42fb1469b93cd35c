"""The score by which people are ranked for care, and why: spending, what is likely to come, and unmet need.

Source: domain of risk stratification, "Tiering": Medicare spending of the last twelve months (40), probability of an avoidable
admission within six months (40), and a modifier (20) for a nursing facility, behavioural health and no primary care visit in
twelve months. Both measures count by the share of people who have less, so that the weights mean what they say.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.risk.rules.person_use import PersonUse

MOST_REASONS: Final = 3
_MOST_REASON_CHARACTERS: Final = 120
Part = Literal["spend", "probability", "need"]
_NEEDS: Final = 3


@dataclass(frozen=True, slots=True)
class Outlook:
    """A person beside all others: ``spend_share`` and ``probability_share`` of people have less."""

    use: PersonUse
    probability: float
    spend_share: float
    probability_share: float
    # The heaviest conditions in CMS's words, and the HCC score in ours.
    conditions: tuple[str, ...]
    scored: str


def shares_below(values: Sequence[float]) -> list[float]:
    """Say for each value which share of all is smaller, between 0 and 1."""
    ordered = sorted(values)
    return [bisect_left(ordered, value) / len(ordered) for value in values]


def needs_of(use: PersonUse) -> tuple[str, ...]:
    """Name in words what the modifier counts."""
    found = {
        "lives in a nursing facility or at its level of care": use.nursing_facility,
        "a mental health condition was treated within 12 months": use.behavioural,
        "no primary care visit within 12 months": use.primary_care_year == 0,
    }
    return tuple(words for words, holds in found.items() if holds)


def stratification_score(outlook: Outlook, weights: Mapping[str, int]) -> float:
    """Weigh the parts; between 0 and 1."""
    parts = {
        "spend": outlook.spend_share,
        "probability": outlook.probability_share,
        "need": len(needs_of(outlook.use)) / _NEEDS,
    }
    return sum(weights[name] * part for name, part in parts.items()) / sum(weights.values())


def overrides_of(use: PersonUse, admissions_for_highest: int) -> tuple[str, ...]:
    """Say in words what lifts a person to the highest tier, whatever the score."""
    found = {
        f"{use.admissions_quarter} hospital admissions within 90 days": use.admissions_quarter
        >= admissions_for_highest,
        "discharged to a nursing facility within 30 days": use.to_facility_recently,
    }
    return tuple(words for words, holds in found.items() if holds)


def reasons_of(outlook: Outlook, weights: Mapping[str, int], overrides: tuple[str, ...]) -> tuple[str, ...]:
    """Say why, in plain words: what lifts first, then what adds most to the score; three at most, one at least."""
    dollars = f"${outlook.use.spend_year_cents // 100:,}"
    above = f", more than {outlook.probability_share:.0%} of people"
    weighed = [
        (
            weights["spend"] * outlook.spend_share,
            f"{dollars} of Medicare spending within 12 months, more than {outlook.spend_share:.0%} of people",
        ),
        (
            weights["probability"] * outlook.probability_share,
            f"{outlook.probability:.1%} chance of an avoidable admission within 6 months by estimate{above}",
        ),
        *((weights["need"] / _NEEDS, words) for words in needs_of(outlook.use)),
    ]
    told = [words for weight, words in sorted(weighed, key=lambda one: -one[0]) if weight > 0]
    reasons = (*overrides, *told, *outlook.conditions, outlook.scored)
    return tuple(reason[:_MOST_REASON_CHARACTERS] for reason in reasons[:MOST_REASONS])
