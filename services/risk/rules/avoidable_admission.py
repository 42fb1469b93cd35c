"""The probability of an avoidable admission within six months: a logistic model whose every number can be read.

Source: ``policy/avoidable_admission.toml``, written by ``tandem train-risk`` with the day, the data and the measures of
the training. Serving is arithmetic: log odds = intercept + sum of coefficient times predictor.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.risk.rules.predictors import PREDICTORS


class PackError(ValueError):
    """A pack of coefficients does not fit the predictors of this version."""


@dataclass(frozen=True, slots=True)
class CoefficientPack:
    """Coefficients in the order of the predictors, what is typical of each, and where they come from."""

    dated: str
    trained_on: str
    intercept: float
    coefficients: tuple[float, ...]
    typical: tuple[float, ...]


def _in_order(values: Mapping[str, float]) -> tuple[float, ...]:
    if set(values) != set(PREDICTORS):
        missing, unknown = set(PREDICTORS) - set(values), set(values) - set(PREDICTORS)
        raise PackError(f"missing: {sorted(missing)}, unknown: {sorted(unknown)}")
    return tuple(values[name] for name in PREDICTORS)


def pack_of(
    dated: str, trained_on: str, intercept: float, coefficients: Mapping[str, float], typical: Mapping[str, float]
) -> CoefficientPack:
    """Put a pack together. Raises :class:`PackError` unless both tables name every predictor and no other."""
    return CoefficientPack(dated, trained_on, intercept, _in_order(coefficients), _in_order(typical))


def probability(pack: CoefficientPack, predictors: Sequence[float]) -> float:
    """Compute the probability, between 0 and 1."""
    odds = pack.intercept + math.fsum(a * b for a, b in zip(pack.coefficients, predictors, strict=True))
    # Beyond this no decimal that is shown changes, and the exponential would overflow far beyond.
    odds = max(-40.0, min(40.0, odds))
    return 1 / (1 + math.exp(-odds))


def contributions(pack: CoefficientPack, predictors: Sequence[float]) -> dict[str, float]:
    """Say what each predictor adds to the log odds of whoever is typical in everything, the largest first."""
    parts = {
        name: coefficient * (value - typical)
        for name, coefficient, value, typical in zip(
            PREDICTORS, pack.coefficients, predictors, pack.typical, strict=True
        )
    }
    return dict(sorted(parts.items(), key=lambda part: (-part[1], part[0])))
