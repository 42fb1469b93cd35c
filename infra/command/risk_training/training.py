"""Fits the coefficients. ``statsmodels`` is needed here and nowhere else: serving is arithmetic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from infra.command.output import Failure
from infra.command.risk_training.history import History
from services.risk.rules.avoidable_admission import CoefficientPack, pack_of, probability
from services.risk.rules.predictors import PREDICTORS, predictors_of

# Holds coefficients of rare and of correlated predictors back; too little to move those that many people carry.
_RIDGE: Final = 1e-3
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Alone:
    """A logistic model of one predictor, to compare with."""

    intercept: float
    slope: float

    def predict(self, value: float) -> float:
        """Compute the probability."""
        return 1 / (1 + math.exp(-(self.intercept + self.slope * value)))


def _models() -> Any:  # noqa: ANN401 - untyped
    try:
        import statsmodels.api  # noqa: PLC0415 - only training needs it, and not every installation has it
    except ImportError:
        raise Failure("Training needs statsmodels: pip install statsmodels. Serving a model does not.") from None
    return statsmodels.api


def _fitted(columns: Sequence[Sequence[float]], observed: Sequence[bool]) -> tuple[float, list[float]]:
    """Fit a logistic regression on standardised columns; give intercept and coefficients of the columns as they are.

    A column that never differs can be given no coefficient: it gets 0.
    """
    models = _models()
    values = np.array(columns, dtype=float)
    means, spreads = values.mean(axis=0), values.std(axis=0)
    seen = spreads > 0
    design = models.add_constant((values[:, seen] - means[seen]) / spreads[seen], has_constant="add")
    family = models.families.Binomial()
    found = models.GLM(np.array(observed, dtype=float), design, family=family).fit_regularized(
        alpha=[0.0, *([_RIDGE] * int(seen.sum()))], L1_wt=0.0
    )
    coefficients = np.zeros(values.shape[1])
    coefficients[seen] = found.params[1:] / spreads[seen]
    return float(found.params[0] - (coefficients * means).sum()), [float(one) for one in coefficients]


def train(histories: Sequence[History], dated: str, trained_on: str) -> CoefficientPack:
    """Fit every predictor. Raises :class:`Failure` where nobody or everybody had the event."""
    observed = [one.avoidable for one in histories]
    if len(set(observed)) < 2:  # noqa: PLR2004 - both answers are needed
        raise Failure("Nothing can be learnt: nobody, or everybody, had an avoidable admission.")
    values = [predictors_of(one.candidate) for one in histories]
    intercept, found = _fitted(values, observed)
    means = [math.fsum(column) / len(values) for column in zip(*values, strict=True)]
    typical = {name: round(mean, _DIGITS) for name, mean in zip(PREDICTORS, means, strict=True)}
    coefficients = {name: round(value, _DIGITS) for name, value in zip(PREDICTORS, found, strict=True)}
    return pack_of(dated, trained_on, round(intercept, _DIGITS), coefficients, typical)


def train_alone(histories: Sequence[History], value: Callable[[History], float]) -> Alone:
    """Fit one predictor alone."""
    intercept, (slope,) = _fitted([[value(one)] for one in histories], [one.avoidable for one in histories])
    return Alone(intercept, slope)


def predict(pack: CoefficientPack, histories: Sequence[History]) -> list[float]:
    """Compute the probability of each person."""
    return [probability(pack, predictors_of(one.candidate)) for one in histories]
