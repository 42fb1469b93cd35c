"""Where there is no comparison: by how much level and slope of one series changed from a month on.

Segmented regression: level, trend, month of the year, step and change of slope (Wagner et al. 2002), by least squares; errors that allow
for months that resemble the ones before (Newey and West 1987, Bartlett weights, with the factor for few values). Without a
comparison whatever else happened at that time is in the step: it is the weakest of the designs, and at least two years before are asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.county_panel import Numbers

FEWEST_MONTHS_BEFORE: Final = 24
FEWEST_MONTHS_AFTER: Final = 6
_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Coefficient:
    """Cents per person-month (slope: a month), and its error."""

    value: float
    standard_error: float

    def limits(self, level: float) -> tuple[float, float]:
        """Two-sided, by the normal distribution."""
        width = NormalDist().inv_cdf(0.5 + level / 2) * self.standard_error
        return self.value - width, self.value + width


@dataclass(frozen=True, slots=True)
class Interruption:
    """What changed from a month on.

    ``step``: the change of level in that month; ``slope``: by how much more each month moves on; ``mean``: the average distance from what the
    months before foretell, over all months after; ``lags``: how many months back were taken to resemble each other.
    """

    step: Coefficient
    slope: Coefficient
    mean: Coefficient
    lags: int


def interruption(values: Sequence[float], start: int, first_calendar_month: int) -> Interruption:
    """``values``: consecutive months; ``start``: the place of the first month after; months of the year count from 0.

    Raises :class:`NotIdentifiedError` where there are too few months before or after.
    """
    after = len(values) - start
    if start < FEWEST_MONTHS_BEFORE or after < FEWEST_MONTHS_AFTER:
        raise NotIdentifiedError(
            f"{start} months before and {after} after are told, and {FEWEST_MONTHS_BEFORE} and {FEWEST_MONTHS_AFTER} are needed"
        )
    columns = design(len(values), start, first_calendar_month)
    outcome = np.asarray(values, dtype=np.float64)
    inverse = np.asarray(np.linalg.inv(columns.T @ columns), dtype=np.float64)
    estimate = inverse @ (columns.T @ outcome)
    lags = lag_length(len(values))
    covariance = _newey_west(columns, outcome - columns @ estimate, inverse, lags)
    mean = np.zeros(columns.shape[1])
    mean[2], mean[3] = 1.0, (after - 1) / 2
    step, slope = np.eye(columns.shape[1])[2], np.eye(columns.shape[1])[3]
    of_step, of_slope, of_mean = (_coefficient(weights, estimate, covariance) for weights in (step, slope, mean))
    return Interruption(of_step, of_slope, of_mean, lags)


def _coefficient(weights: Numbers, estimate: Numbers, covariance: Numbers) -> Coefficient:
    return Coefficient(float(weights @ estimate), float(np.sqrt(weights @ covariance @ weights)))


def design(count: int, start: int, first_calendar_month: int) -> Numbers:
    """Columns: level, trend, step, months since the step, and eleven months of the year."""
    month = np.arange(count)
    after = (month >= start).astype(np.float64)
    season = ((month + first_calendar_month) % _YEAR)[:, None] == np.arange(1, _YEAR)
    return np.column_stack([np.ones(count), month, after, after * (month - start), season.astype(np.float64)])


def lag_length(count: int) -> int:
    """How far back months are taken to resemble each other (Newey and West 1994: the usual rule of thumb)."""
    return int(4 * (count / 100) ** (2 / 9))


def _newey_west(columns: Numbers, left: Numbers, inverse: Numbers, lags: int) -> Numbers:
    scores = columns * left[:, None]
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        crossed = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (crossed + crossed.T)
    count, parameters = columns.shape
    robust: Numbers = inverse @ middle @ inverse * count / (count - parameters)
    return robust
