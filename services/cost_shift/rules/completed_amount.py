"""What an amount will come to, and between which limits, once everything is in.

Mack, ASTIN Bulletin 1993;23(2):213-225: the mean squared error of a projected amount is that of the factors plus that by which single months
differ from them. Limits are those of a lognormal distribution with this mean and error, as Mack proposes, so that none is below zero.
"""

from dataclasses import dataclass
from functools import cache
from math import exp, log, sqrt
from statistics import NormalDist

from services.cost_shift.rules.chain_ladder import Completeness


@dataclass(frozen=True, slots=True)
class CompletedAmount:
    """Cents, rounded. ``limits`` are ``None`` where nothing has come in from which an error could be told."""

    cents: int
    limits: tuple[int, int] | None


def relative_error(cents: int, come_in: Completeness) -> float:
    """The standard error of a completed amount as a share of it; of a positive amount."""
    return sqrt(come_in.relative_error**2 + come_in.process / cents)


@cache
def _quantile(confidence: float) -> float:
    """How many standard deviations hold so much of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def completed_amount(cents: int, come_in: Completeness, confidence: float) -> CompletedAmount:
    """Cents that have come in, as they will be; with limits that hold the outcome so often."""
    expected = cents / come_in.share
    if come_in.relative_error == come_in.process == 0:
        return CompletedAmount(round(expected), (round(expected), round(expected)))
    if cents <= 0:
        return CompletedAmount(round(expected), None)
    spread = log(1 + relative_error(cents, come_in) ** 2)
    reach = _quantile(confidence) * sqrt(spread)
    low, high = (expected * exp(sign * reach - spread / 2) for sign in (-1, 1))
    return CompletedAmount(round(expected), (round(low), round(high)))
