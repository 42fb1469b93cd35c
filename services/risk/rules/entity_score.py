"""From raw scores of people-months to the score of an entity's benchmark: normalised, blended, capped, deflated.

Source: GPDC financial methodology, risk adjustment: (1) raw score over the average raw score of the reference population;
(2) growth against the reference year at most 3 % either way; (3) times the coding intensity factor. Aged and disabled people
and people with end-stage renal disease are two populations. Raw scores of models are never mixed: each is normalised by its
own denominator, and only then shares are taken. A step that lacks what it needs ends the chain and says what is missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.risk.hcc_tables import AnyModel

_HUNDRED: Final = Decimal(100)
_PLACES: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class MonthsAt:
    """So many months of people with one raw score of one model."""

    model: AnyModel
    months: int
    raw_score: Decimal


@dataclass(frozen=True, slots=True)
class ChainPolicy:
    """The parameters of one population and performance year. ``shares``: percent by model."""

    shares: Mapping[AnyModel, int]
    normalisation: Mapping[AnyModel, Decimal]
    growth_cap_percent: Decimal
    coding_intensity_factor: Decimal | None


@dataclass(frozen=True, slots=True)
class EntityScore:
    """Each step of the chain; what could not be computed is ``None`` and named in ``missing``."""

    person_months: int
    mean_raw: Mapping[AnyModel, Decimal]
    normalised: Decimal | None
    reference: Decimal | None
    capped: Decimal | None
    final: Decimal | None
    missing: tuple[str, ...]


def _means(scores: Iterable[MonthsAt]) -> tuple[dict[AnyModel, Decimal], int]:
    months: dict[AnyModel, int] = {}
    sums: dict[AnyModel, Decimal] = {}
    for one in scores:
        months[one.model] = months.get(one.model, 0) + one.months
        sums[one.model] = sums.get(one.model, Decimal(0)) + one.months * one.raw_score
    found = {model: sums[model] / count for model, count in sorted(months.items()) if count}
    return found, max(months.values(), default=0)


def normalised_score(means: Mapping[AnyModel, Decimal], policy: ChainPolicy) -> tuple[Decimal | None, tuple[str, ...]]:
    """Normalise each model of the year and blend; also name what is missing."""
    missing = [f"normalisation_factor_{model}" for model in policy.shares if model not in policy.normalisation]
    missing += [f"scores_{model}" for model in policy.shares if model not in means]
    if not policy.shares:
        missing.append("model_shares")
    if missing:
        return None, tuple(missing)
    parts = (share * means[model] / policy.normalisation[model] for model, share in policy.shares.items())
    return sum(parts, Decimal(0)) / _HUNDRED, ()


def capped_score(normalised: Decimal, reference: Decimal, cap_percent: Decimal) -> Decimal:
    """Limit growth against the reference year, either way."""
    room = reference * cap_percent / _HUNDRED
    return min(max(normalised, reference - room), reference + room)


def _shown(score: Decimal | None) -> Decimal | None:
    return None if score is None else score.quantize(_PLACES)


def entity_score(scores: Iterable[MonthsAt], reference: Decimal | None, policy: ChainPolicy) -> EntityScore:
    """Go through the chain. Without a reference year nothing is capped, and that is said."""
    means, months = _means(scores)
    normalised, missing = normalised_score(means, policy)
    capped = normalised
    if reference is None:
        missing = (*missing, "reference_score")
    elif normalised is not None:
        capped = capped_score(normalised, reference, policy.growth_cap_percent)
    factor = policy.coding_intensity_factor
    if factor is None:
        missing = (*missing, "coding_intensity_factor")
    final = None if capped is None or factor is None else capped * factor
    mean_raw = {model: mean.quantize(_PLACES) for model, mean in means.items()}
    return EntityScore(months, mean_raw, _shown(normalised), _shown(reference), _shown(capped), _shown(final), missing)
