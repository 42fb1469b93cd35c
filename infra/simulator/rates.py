"""Rates, amounts and their randomness: season, trend, and small pure-Python distributions."""

import math
from random import Random
from typing import NamedTuple

from infra.simulator.traits import Setting

SETTINGS: tuple[Setting, ...] = ("community", "home_and_community", "nursing_facility")


class Rate(NamedTuple):
    """Claims a month by setting, and the mean and spread of dollars a claim."""

    community: float
    home_and_community: float
    nursing_facility: float
    mean_dollars: float
    sigma: float

    def of(self, setting: Setting) -> float:
        """Claims a month in the setting."""
        return self[SETTINGS.index(setting)]


def season(calendar_month: int) -> float:
    """Winter costs more than summer."""
    return 1 + 0.08 * math.cos(2 * math.pi * (calendar_month - 1) / 12)


def trend(month: int) -> float:
    """Prices rise by about 3.5 per cent a year."""
    return 1.0029**month


def count(random: Random, mean: float) -> int:
    """A Poisson number (Knuth's product method: the means here are small)."""
    if mean <= 0:
        return 0
    limit, product, number = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        number += 1
    return number


def recurring(phase: float, monthly: float, month: int) -> int:
    """How many events fall into the month when they recur evenly, ``monthly`` on average, from ``phase`` in [0, 1).

    Over any stretch of months the number differs from its mean by less than one: what makes people differ is their
    rate, which stays, and not the luck of the month.
    """
    return math.floor(phase + monthly * (month + 1)) - math.floor(phase + monthly * month)


def amount(random: Random, mean_dollars: float, sigma: float) -> int:
    """A lognormal amount in cents with the given mean."""
    dollars = random.lognormvariate(math.log(mean_dollars) - sigma * sigma / 2, sigma)
    return max(100, round(dollars * 100))
