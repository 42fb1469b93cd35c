"""How much of one programme's saving reappears in the other, with an interval.

The offset ratio r = -dD / dM (mirrored where only dD fell) is the value for which dD + r dM = 0. Every r that this test does not
reject is in the interval (Fieller 1954); the test is the bootstrap's. Where the saving itself cannot be told from zero the interval
has no end, and none is given.
"""

from collections.abc import Callable

import numpy as np

from services.cost_shift.rules.clustered_regression import Regression
from services.cost_shift.rules.county_panel import Numbers
from services.cost_shift.rules.wild_cluster_bootstrap import p_value

_WIDEST = 64.0
_BISECTIONS = 30


def offset_interval(
    found: Regression, fallen: int, other: int, weights: Numbers, level: float
) -> tuple[float, float] | None:
    """``fallen`` is the place of the series whose cost fell. ``None``: the data set no bound."""
    if p_value(found, fallen, weights) <= 1 - level:
        estimated = found.coefficients()
        centre = float(-estimated[other] / estimated[fallen])

        def rejects(ratio: float) -> bool:
            combination = np.zeros((len(estimated), 1))
            combination[other, 0] += 1.0
            combination[fallen, 0] += ratio
            return p_value(found.combined(combination), 0, weights) <= 1 - level

        lower, upper = _edge(centre, -1, rejects), _edge(centre, 1, rejects)
        if lower is not None and upper is not None:
            return lower, upper
    return None


def _edge(inside: float, sign: int, rejects: Callable[[float], bool]) -> float | None:
    centre, step = inside, 1 / 16
    while not rejects(centre + sign * step):
        inside, step = centre + sign * step, step * 1.5
        if step > _WIDEST:
            return None
    outside = centre + sign * step
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejects(middle) else (middle, outside)
    return (inside + outside) / 2
