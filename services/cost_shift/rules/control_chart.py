"""Charts that tell a lasting change from the noise of single months: two-sided CUSUM, EWMA, and individuals.

Page (1954) and Roberts (1959); run lengths in Lucas and Saccucci (Technometrics 1990;32(1):1-12) and Montgomery,
Introduction to Statistical Quality Control. Every step takes a standardised value and gives the next state; numbers or arrays of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar("Value", float, npt.NDArray[np.float64])

# Limits of single values, in standard deviations.
LIMIT_WIDTH = 3.0
# A value beyond the baseline follows a t distribution around it, which has no variance with fewer months.
FEWEST_MONTHS = 4
# An autocorrelation of independent values lies within so many of its standard errors, 1 / sqrt(n), nearly always.
CHANCE_WIDTH = 2.0


def cusum_above(before: Value, value: Value, slack: float) -> Value:
    """Evidence that the level rose; ``slack`` is half of the change to be found, in standard deviations."""
    risen: Value = np.maximum(0.0, before + value - slack)
    return risen


def cusum_below(before: Value, value: Value, slack: float) -> Value:
    """Evidence that the level fell."""
    fallen: Value = np.maximum(0.0, before - value - slack)
    return fallen


def ewma(before: Value, value: Value, weight: float) -> Value:
    """The moving average in which a value counts ``weight`` and everything before it the rest."""
    return weight * value + (1 - weight) * before


def ewma_limit(weight: float, width: float) -> float:
    """How far the average may be from zero once it has run for long."""
    return width * sqrt(weight / (2 - weight))


@dataclass(frozen=True, slots=True)
class Baseline:
    """Level and spread of months in which nothing is supposed to have changed, and how much a month says of the next.

    ``deviation`` is that of another month from ``mean``: with few months the mean errs, and so does the spread that they show.
    ``autocorrelation`` is zero where what was found could be chance: freeing values of it would only add noise.
    """

    mean: float
    deviation: float
    autocorrelation: float


def baseline(values: Sequence[float]) -> Baseline:
    """Of at least four values.

    A further value, less their mean, over their sample deviation times sqrt(1 + 1/n), is a t of n - 1 degrees of freedom, whose
    variance is (n - 1) / (n - 3) (Hawkins, The Statistician 1987;36(4):289-300, starts a CUSUM from it). Charted as if level and spread were
    known, twelve months would alarm twice as often as they should.
    """
    count = len(values)
    if count < FEWEST_MONTHS:
        raise ValueError(f"a baseline of {count} values tells no spread: at least {FEWEST_MONTHS} are needed")
    mean = sum(values) / count
    products = ((later - mean) * (earlier - mean) for earlier, later in pairwise(values))
    squares = sum((value - mean) ** 2 for value in values)
    correlation = sum(products) / squares if squares else 0.0
    told = abs(correlation) > CHANCE_WIDTH / sqrt(count)
    return Baseline(mean, sqrt(squares * (1 + 1 / count) / (count - 3)), correlation if told else 0.0)


def whitened(values: Sequence[float], correlation: float) -> list[float]:
    """Values freed of what the month before says about them: charts of correlated values alarm far too often."""
    spread = sqrt(1 - correlation**2)
    return [
        values[0],
        *((later - correlation * before) / spread for before, later in pairwise(values)),
    ]
