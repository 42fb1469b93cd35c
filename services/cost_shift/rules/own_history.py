"""Whose history tells how a month fills up: that of an entity where there is enough of it, else that of everybody.

Full credibility by limited fluctuation (Longley-Cook, Proceedings of the Casualty Actuarial Society 1962;49:194-221): a history stands by
itself where its error is small often enough; the bars are dated parameters (``policy/estimates.toml``). Growth so late that an entity has
seen too little of it is taken from everybody, as a tail.
"""

from dataclasses import dataclass
from math import sqrt

from services.cost_shift.rules.chain_ladder import Development


@dataclass(frozen=True, slots=True)
class Enough:
    """How many service months must have been observed, and how large the relative standard error of their growth may be."""

    months: int
    error: float


def stands_alone(found: Development, enough: Enough) -> bool:
    """Whether growth at one lag was observed well enough."""
    if found.months < enough.months or found.factor <= 0:
        return False
    return sqrt(found.variance) / found.factor <= enough.error


def own_history(
    own: tuple[Development, ...], everybody: tuple[Development, ...], enough: Enough
) -> tuple[tuple[Development, ...], frozenset[int]]:
    """Growth at every lag that everybody has, and the lags at which it is the own."""
    alone = {one.lag: one for one in own if stands_alone(one, enough)}
    chosen = tuple(alone.get(one.lag, one) for one in everybody)
    return chosen, frozenset(alone.keys() & {one.lag for one in everybody})
