"""How complete a month's cost is, so many months after it: by how much earlier months grew after the same time.

The chain-ladder method with Mack's standard errors (Mack, ASTIN Bulletin 1993;23(2):213-225): cumulative amounts of service months
observed at successive dates; each development factor is the volume-weighted growth from one lag to the next. The share that has
come in at a lag is one over the product of the factors still ahead. Behind the longest lag observed nothing more is expected.

Where costs are counted for other people from a date on, as those of an entity are, that is no growth: there a month grows by what came
in for the people who were counted already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from contracts.months import add_months, month_index

# Cumulative cents by service month and then by the month as of which they were known.
Triangle = Mapping[str, Mapping[str, int]]
Grown = tuple[int, int]  # cents at a lag, and what they had grown to at the next


@dataclass(frozen=True, slots=True)
class Development:
    """Growth from ``lag`` to the lag after it, over so many service months.

    ``variance`` is Mack's of the factor, ``spread`` his sigma squared: by how much single months differ from it, in cents.
    """

    lag: int
    factor: float
    months: int
    variance: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Completeness:
    """The share of the final amount that has come in, between 0 and about 1, and its relative standard error.

    The error is that of the factors. That single months differ from them besides is ``process``: the square of that relative error times
    the cents that have come in.
    """

    share: float
    relative_error: float
    process: float = 0.0


def developments(triangle: Triangle) -> tuple[Development, ...]:
    """One for each lag at which growth was observed; none for a lag without a positive amount to grow from."""
    return developments_of(_grown(triangle))


def unbegun(triangle: Triangle) -> frozenset[int]:
    """Lags at which no month had any amount yet, and that come before one at which some had: their share is nothing, and completes nothing."""
    volumes: dict[int, int] = {}
    for lag, (cents, _) in _grown(triangle):
        volumes[lag] = volumes.get(lag, 0) + abs(cents)
    begun = min((lag for lag, volume in volumes.items() if volume), default=0)
    return frozenset(lag for lag in volumes if lag < begun)


def developments_among(standing: Triangle, received: Triangle) -> tuple[Development, ...]:
    """The same where people come and go: what stood at a lag, against that with what came in until the next.

    ``received``: what came in, by service month and month known, for whoever was counted then; nothing recorded is nothing.
    """
    return developments_of(
        (lag, (cents, cents + received.get(service, {}).get(add_months(service, lag + 1), 0)))
        for service, known in sorted(standing.items())
        for lag, (cents, _) in _steps(service, known)
    )


def _grown(triangle: Triangle) -> Iterable[tuple[int, Grown]]:
    return (step for service, known in sorted(triangle.items()) for step in _steps(service, known))


def _steps(service: str, known: Mapping[str, int]) -> Iterable[tuple[int, Grown]]:
    """For each lag that was observed together with the next, both amounts. Months are in order: so are sums of floating-point numbers."""
    at_lag = {month_index(month) - month_index(service): cents for month, cents in known.items()}
    return ((lag, (cents, at_lag[lag + 1])) for lag, cents in at_lag.items() if lag >= 0 and lag + 1 in at_lag)


def developments_of(steps: Iterable[tuple[int, Grown]]) -> tuple[Development, ...]:
    """Of single months' growth from each lag to the next."""
    pairs: dict[int, list[Grown]] = {}
    for lag, grown in steps:
        pairs.setdefault(lag, []).append(grown)
    volumes = {lag: sum(before for before, _ in grown) for lag, grown in pairs.items()}
    usable = sorted(lag for lag, volume in volumes.items() if volume > 0)
    factors = {lag: sum(after for _, after in pairs[lag]) / volumes[lag] for lag in usable}
    spreads = _spreads({lag: pairs[lag] for lag in usable}, factors)
    return tuple(
        Development(lag, factors[lag], len(pairs[lag]), spreads[lag] / volumes[lag], spreads[lag]) for lag in usable
    )


def _spreads(pairs: Mapping[int, list[Grown]], factors: Mapping[int, float]) -> dict[int, float]:
    """Mack's sigma squared. Where one month is all there is, what the two lags before suggest."""
    spreads: dict[int, float] = {}
    for lag in sorted(pairs):
        grown = [(before, after) for before, after in pairs[lag] if before > 0]
        if len(grown) > 1:
            deviations = (before * (after / before - factors[lag]) ** 2 for before, after in grown)
            spreads[lag] = sum(deviations) / (len(grown) - 1)
        else:
            spreads[lag] = _carried(spreads.get(lag - 2), spreads.get(lag - 1))
    return spreads


def _carried(earlier: float | None, last: float | None) -> float:
    if earlier is None or last is None:
        return last or 0.0
    return min(last**2 / earlier if earlier > 0 else 0.0, last, earlier)


def completeness(found: tuple[Development, ...], lag: int) -> Completeness | None:
    """Of a month observed at ``lag``. ``None`` where growth from some lag ahead was never observed."""
    if not found or lag < 0:
        return None
    longest = found[-1].lag
    ahead = {one.lag: one for one in found if one.lag >= lag}
    product, relative, process = 1.0, 0.0, 0.0
    for step in range(lag, longest + 1):
        one = ahead.get(step)
        if one is None or one.factor <= 0:
            return None
        relative += one.variance / one.factor**2
        process += one.spread / one.factor**2 / product
        product *= one.factor
    return Completeness(1 / product, sqrt(relative), process)
