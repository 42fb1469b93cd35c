"""How much of one programme's saving reappears in the other, with an interval.

The offset ratio r = -dD / dM (mirrored where only dD fell) is the value for which dD + r dM = 0. Every r that this test does not
reject is in the interval (Fieller 1954); the test is the bootstrap's. Where the saving itself cannot be told from zero the interval
has no end, and none is given.
"""

from collections.abc import Callable

from services.cost_shift.rules.wild_cluster_bootstrap import Drawn, WildBootstrap

_WIDEST = 64.0
_BISECTIONS = 30


def offset_interval(draws: WildBootstrap, fallen: Drawn, other: Drawn, level: float) -> tuple[float, float] | None:
    """``fallen`` is the series whose cost fell. ``None``: the data set no bound."""
    if draws.p_value(fallen) > 1 - level:
        return None
    centre = -draws.estimate(other)[0] / draws.estimate(fallen)[0]
    line = draws.line(other.plus(fallen, centre), fallen)

    def rejects(ratio: float) -> bool:
        return line.p_value(ratio - centre) <= 1 - level

    lower, upper = _edge(centre, -1, rejects), _edge(centre, 1, rejects)
    return None if lower is None or upper is None else (lower, upper)


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
