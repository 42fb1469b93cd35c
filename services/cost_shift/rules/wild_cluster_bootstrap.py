"""Tests and intervals that hold with few counties: the wild cluster bootstrap with the null imposed.

Cameron, Gelbach and Miller (2008): residuals under the null keep their county and change sign together; the studentised
estimate is compared with its own bootstrap distribution. Six-point weights of Webb (2014) where two-point weights would
have too few combinations. Intervals by inverting the test (MacKinnon and Webb 2017). Everything happens on
sums within counties, as in Roodman, MacKinnon, Nielsen and Webb (2019), so that a draw costs counties squared, not cells. What is drawn is
linear in the outcome, so that another null, and a sum of series, are sums of what was drawn once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from services.cost_shift.rules.clustered_regression import Regression
from services.cost_shift.rules.county_panel import Numbers

# Two-point weights give at most 2 to the number of counties different draws.
FEWEST_COUNTIES_FOR_TWO_POINTS = 12
_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
_RADEMACHER = np.array([-1.0, 1.0])
_WIDENINGS = 12
_BISECTIONS = 30
# With few counties some draws are the sample itself, or its mirror image: rounding must not make them smaller.
_EQUAL = 1e-9


def bootstrap_weights(clusters: int, draws: int, seed: int) -> Numbers:
    """Independent weights of mean 0 and variance 1 (clusters x draws): the same seed gives the same."""
    values = _RADEMACHER if clusters >= FEWEST_COUNTIES_FOR_TWO_POINTS else _WEBB
    return np.random.default_rng(seed).choice(values, size=(clusters, draws))


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """An outcome in every draw, whatever the null: its score and what the estimate leaves of it, by cluster, and both drawn.

    ``score`` and ``left`` (clusters), ``sums`` (draws), ``spread`` (clusters x draws). All four are linear in the outcome.
    """

    score: Numbers
    left: Numbers
    sums: Numbers
    spread: Numbers

    def plus(self, other: "Drawn", times: float = 1.0) -> "Drawn":
        """The outcome with so many times another added."""
        return Drawn(
            self.score + times * other.score, self.left + times * other.left, self.sums + times * other.sums,
            self.spread + times * other.spread,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The test of no effect on every outcome ``base + at x slope``.

    Of base and slope the sums that are drawn, and the products of what is left, so that another ``at`` costs a step a draw. ``score``
    and ``left`` are those of the sample itself.
    """

    sums: tuple[Numbers, Numbers]
    spread: tuple[Numbers, Numbers, Numbers]
    score: tuple[float, float]
    left: tuple[float, float, float]
    factor: float

    @classmethod
    def of(cls, base: Drawn, slope: Drawn, factor: float) -> "Line":
        """``factor``: that of the regression for few clusters."""
        both = ((base, base), (base, slope), (slope, slope))
        spread = [np.einsum("cd,cd->d", one.spread, other.spread) for one, other in both]
        left = [float(one.left @ other.left) for one, other in both]
        return cls(
            (base.sums, slope.sums), (spread[0], spread[1], spread[2]), (float(base.score.sum()), float(slope.score.sum())),
            (left[0], left[1], left[2]), factor,
        )  # fmt: skip

    def studentised(self, at: float) -> float:
        """Of the sample."""
        squared = self.factor * (self.left[0] + at * (2 * self.left[1] + at * self.left[2]))
        return (self.score[0] + at * self.score[1]) / float(np.sqrt(squared)) if squared > 0 else np.inf

    def drawn(self, at: float) -> Numbers:
        """Of every draw of data in which there is no effect."""
        squared = self.factor * (self.spread[0] + at * (2 * self.spread[1] + at * self.spread[2]))
        still = squared <= np.finfo(np.float64).tiny
        estimates = self.sums[0] + at * self.sums[1]
        return np.where(still, 0.0, estimates / np.sqrt(np.where(still, 1.0, squared)))

    def p_value(self, at: float = 0.0) -> float:
        """Two-sided. The sample itself is one of the draws: never zero."""
        drawn = np.abs(self.drawn(at))
        return float((1 + (drawn >= abs(self.studentised(at)) * (1 - _EQUAL)).sum()) / (1 + drawn.size))


@dataclass(frozen=True, eq=False)
class WildBootstrap:
    """A regression and its draws."""

    found: Regression
    weights: Numbers
    _series: dict[int, Drawn] = field(default_factory=dict)

    def series(self, place: int) -> Drawn:
        """One series of the regression."""
        if place not in self._series:
            self._series[place] = self._drawn(self.found.scores[:, place], self.found.outcome_absorbed[:, :, place])
        return self._series[place]

    @cached_property
    def regressor(self) -> Drawn:
        """The regressor as an outcome: what a null other than nothing takes away."""
        return self._drawn(self.found.own, self.found.absorbed)

    def _drawn(self, score: Numbers, absorbed: Numbers) -> Drawn:
        own = self.found.own
        response = np.diag(score) - self.found.absorbed @ absorbed.T - np.outer(own, score) / own.sum()
        left = score - own * (score.sum() / own.sum())
        return Drawn(score, left, score @ self.weights, response @ self.weights)

    def estimate(self, one: Drawn) -> tuple[float, float]:
        """The coefficient and its standard error."""
        own, spread = self.found.own.sum(), np.sqrt(self.found.factor * (one.left @ one.left))
        return float(one.score.sum() / own), float(spread / own)

    def line(self, base: Drawn, slope: Drawn) -> Line:
        """To test many outcomes that lie on one line."""
        return Line.of(base, slope, self.found.factor)

    def p_value(self, one: Drawn, null: float = 0.0) -> float:
        """Of the hypothesis that the coefficient is ``null``."""
        return self.line(one, self.regressor).p_value(-null)

    def critical_value(self, one: Drawn, level: float) -> float:
        """How many standard errors an estimate must lie from zero to be told from chance."""
        return float(np.quantile(np.abs(self.line(one, self.regressor).drawn(0.0)), level))

    def interval(self, one: Drawn, level: float) -> tuple[float, float] | None:
        """The values that the test does not reject around the estimate; ``None`` where they have no end."""
        centre, error = self.estimate(one)
        if error == 0:
            return centre, centre
        # From the estimate outwards, where squares do not cancel.
        line = self.line(one.plus(self.regressor, -centre), self.regressor)

        def rejects(away: float) -> bool:
            return line.p_value(-away) <= 1 - level

        lower, upper = _edge(-error, rejects), _edge(error, rejects)
        return None if lower is None or upper is None else (centre + lower, centre + upper)

    def joint_draws(self) -> Numbers:
        """Estimates of all series (draws x series), whole counties drawn together, so that series keep their covariance."""
        moved = self.weights.T @ self.found.residual_scores() * np.sqrt(self.found.factor)
        drawn: Numbers = self.found.coefficients() + moved / self.found.own.sum()
        return drawn


def _edge(step: float, rejects: Callable[[float], bool]) -> float | None:
    inside, outside = 0.0, 2 * step
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
