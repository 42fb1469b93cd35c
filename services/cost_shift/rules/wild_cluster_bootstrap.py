"""Tests and intervals that hold with few counties: the wild cluster bootstrap with the null imposed.

Cameron, Gelbach and Miller (2008): residuals under the null keep their county and change sign together; the studentised
estimate is compared with its own bootstrap distribution. Six-point weights of Webb (2014) where two-point weights would
have too few combinations. Intervals by inverting the test (MacKinnon and Webb 2017). Everything happens on
sums within counties, as in Roodman, MacKinnon, Nielsen and Webb (2019), so that a draw costs counties squared, not cells.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.cost_shift.rules.clustered_regression import Regression
from services.cost_shift.rules.county_panel import Numbers

# Two-point weights give at most 2 to the number of counties different draws.
FEWEST_COUNTIES_FOR_TWO_POINTS = 12
_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
_RADEMACHER = np.array([-1.0, 1.0])
_WIDENINGS = 12
_BISECTIONS = 30


def bootstrap_weights(clusters: int, draws: int, seed: int) -> Numbers:
    """Independent weights of mean 0 and variance 1 (clusters x draws): the same seed gives the same."""
    values = _RADEMACHER if clusters >= FEWEST_COUNTIES_FOR_TWO_POINTS else _WEBB
    return np.random.default_rng(seed).choice(values, size=(clusters, draws))


@dataclass(frozen=True, slots=True, eq=False)
class _OneSeries:
    """A regression's parts for one series, as the bootstrap needs them."""

    score: Numbers
    own: Numbers
    absorbed: Numbers
    outcome_absorbed: Numbers
    factor: float

    @classmethod
    def of(cls, found: Regression, place: int) -> "_OneSeries":
        return cls(found.scores[:, place], found.own, found.absorbed, found.outcome_absorbed[:, :, place], found.factor)

    def studentised(self, null: float) -> float:
        left = self.score - self.own * (self.score.sum() / self.own.sum())
        spread = np.sqrt(self.factor * (left @ left))
        return float((self.score.sum() - null * self.own.sum()) / spread) if spread > 0 else np.inf

    def drawn(self, null: float, weights: Numbers) -> Numbers:
        """Studentised estimates of data in which the null holds."""
        score = self.score - null * self.own
        crossed = self.outcome_absorbed - null * self.absorbed
        response = np.diag(score) - self.absorbed @ crossed.T - np.outer(self.own, score) / self.own.sum()
        spread = np.sqrt(self.factor * ((response @ weights) ** 2).sum(axis=0))
        estimates = score @ weights
        still = spread <= np.finfo(np.float64).tiny
        return np.where(still, 0.0, estimates / np.where(still, 1.0, spread))

    def p_value(self, null: float, weights: Numbers) -> float:
        drawn = np.abs(self.drawn(null, weights))
        # The sample itself is one of the draws: a p-value is never zero.
        return float((1 + (drawn >= abs(self.studentised(null)) - 1e-12).sum()) / (1 + drawn.size))


def p_value(found: Regression, place: int, weights: Numbers, null: float = 0.0) -> float:
    """Two-sided, of the hypothesis that the coefficient of series ``place`` is ``null``."""
    return _OneSeries.of(found, place).p_value(null, weights)


def interval(found: Regression, place: int, weights: Numbers, level: float) -> tuple[float, float] | None:
    """The values that the test does not reject around the estimate; ``None`` where they have no end."""
    one = _OneSeries.of(found, place)
    centre = float(one.score.sum() / one.own.sum())
    error = float(np.sqrt(found.covariance()[place, place]))
    if error == 0:
        return centre, centre

    def rejects(value: float) -> bool:
        return one.p_value(value, weights) <= 1 - level

    lower, upper = _edge(centre, -error, rejects), _edge(centre, error, rejects)
    return None if lower is None or upper is None else (lower, upper)


def _edge(inside: float, step: float, rejects: Callable[[float], bool]) -> float | None:
    outside = inside + 2 * step
    for _ in range(_WIDENINGS):
        if rejects(outside):
            break
        inside, outside = outside, outside + (outside - inside) * 2
    else:
        return None
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejects(middle) else (middle, outside)
    return (inside + outside) / 2


def critical_value(found: Regression, place: int, weights: Numbers, level: float) -> float:
    """How many standard errors an estimate must lie from zero to be told from chance."""
    drawn = np.abs(_OneSeries.of(found, place).drawn(0.0, weights))
    return float(np.quantile(drawn, level))


def joint_draws(found: Regression, weights: Numbers) -> Numbers:
    """Estimates of all series (draws x series), whole counties drawn together, so that series keep their covariance."""
    moved = weights.T @ found.residual_scores() * np.sqrt(found.factor)
    drawn: Numbers = found.coefficients() + moved / found.own.sum()
    return drawn
