"""How often a nursing facility's residents are hospitalised, against residents like them, small facilities pulled to the mean.

Indirect standardisation: the expected admissions of a facility are its residents' days times the admission rates that residents
of their kind (stratum) have everywhere. The ratio of observed to expected is shrunk by a gamma-Poisson model: D. Clayton and
J. Kaldor, "Empirical Bayes estimates of age-standardized relative risks", Biometrics 43 (1987). How much facilities differ is not
plugged in as one number: the posterior is averaged over a grid of it, so that intervals say what is not known of it
under a prior that is zero at no spread (Y. Chung et al., "A nondegenerate penalized likelihood estimator for variance parameters in
multilevel models", Psychometrika 78 (2013)): without, intervals are too narrow where facilities differ a little. Residents who are
admitted again and again make counts vary more than Poisson; counts are scaled down by the dispersion between residents
(P. McCullagh and J. Nelder, Generalized Linear Models, 2nd ed., 4.5). Gamma probabilities by the cube root of E. Wilson and
M. Hilferty (1931). Floats are fine here: nothing is a dollar.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

# Standard deviation of true ratios between facilities: what is thought possible, and which is likeliest a priori (Rayleigh).
_SPREADS: Final = tuple(0.02 + 0.03 * step for step in range(33))
_PRIOR_SPREAD: Final = 0.4
_BISECTIONS: Final = 40


class Resident(NamedTuple):
    """One resident of one facility in the window. ``stratum``: residents of one are alike."""

    facility: str
    stratum: str
    days: int
    admissions: int


class Totals(NamedTuple):
    """One facility's sums."""

    facility: str
    residents: int
    days: int
    admissions: int
    expected: float


@dataclass(frozen=True, slots=True)
class FacilityRate:
    """``rate``: shrunk, risk-adjusted admissions per 1,000 resident days. The interval is of the ratio."""

    totals: Totals
    ratio: float
    ratio_low: float
    ratio_high: float
    rate: float


def expected_totals(residents: Sequence[Resident]) -> list[Totals]:
    """Observed and expected admissions of each facility, in the order of facilities."""
    days: dict[str, int] = defaultdict(int)
    admissions: dict[str, int] = defaultdict(int)
    for one in residents:
        days[one.stratum] += one.days
        admissions[one.stratum] += one.admissions
    grouped: dict[str, list[Resident]] = defaultdict(list)
    for one in residents:
        grouped[one.facility].append(one)
    return [
        Totals(
            facility,
            len(members),
            sum(one.days for one in members),
            sum(one.admissions for one in members),
            sum(one.days * admissions[one.stratum] / days[one.stratum] for one in members),
        )
        for facility, members in sorted(grouped.items())
    ]


def dispersion(residents: Sequence[Resident], totals: Iterable[Totals]) -> float:
    """Pearson's chi-square over its degrees of freedom, within facilities and strata; at least 1, as for Poisson."""
    ratio = {one.facility: one.admissions / one.expected if one.expected else 0.0 for one in totals}
    days: dict[str, int] = defaultdict(int)
    admissions: dict[str, int] = defaultdict(int)
    for one in residents:
        days[one.stratum] += one.days
        admissions[one.stratum] += one.admissions
    square, counted = 0.0, 0
    for one in residents:
        mean = one.days * admissions[one.stratum] / days[one.stratum] * ratio[one.facility]
        if mean > 0:
            square += (one.admissions - mean) ** 2 / mean
            counted += 1
    freedom = counted - len(ratio) - len(days) + 1
    return max(1.0, square / freedom) if freedom > 0 else 1.0


def _log_marginal(admissions: float, expected: float, shape: float) -> float:
    """Log probability of a facility's count, up to what does not depend on the shape (gamma with mean 1)."""
    return (
        math.lgamma(shape + admissions)
        - math.lgamma(shape)
        + shape * math.log(shape)
        - (shape + admissions) * math.log(shape + expected)
    )


def _weights(counts: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Shape and weight of each spread on the grid, given all facilities."""
    shapes = [1 / spread**2 for spread in _SPREADS]
    logs = [
        math.log(spread) - 0.5 * (spread / _PRIOR_SPREAD) ** 2 + sum(_log_marginal(admissions, expected, shape) for admissions, expected in counts)
        for spread, shape in zip(_SPREADS, shapes, strict=True)
    ]  # fmt: skip
    top = max(logs)
    raw = [math.exp(one - top) for one in logs]
    total = sum(raw)
    # What weighs nothing only costs time.
    return [(shape, one / total) for shape, one in zip(shapes, raw, strict=True) if one > total * 1e-6]


def gamma_probability(shape: float, value: float) -> float:
    """Probability that a gamma of scale 1 is below a value, by the cube root of Wilson and Hilferty."""
    deviate = ((value / shape) ** (1 / 3) - 1 + 1 / (9 * shape)) * 3 * math.sqrt(shape)
    return 0.5 * math.erfc(-deviate / math.sqrt(2))


def _below(value: float, posterior: Sequence[tuple[float, float, float]]) -> float:
    return sum(weight * gamma_probability(shape, rate * value) for shape, rate, weight in posterior)


def _quantile(probability: float, posterior: Sequence[tuple[float, float, float]]) -> float:
    """Of a mixture of gammas, each with shape, rate and weight."""
    low, high = 0.0, 2.0
    while _below(high, posterior) < probability:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, posterior) < probability else (low, middle)
    return (low + high) / 2


def facility_rates(residents: Sequence[Resident], interval_percent: int) -> list[FacilityRate]:
    """Every facility with its shrunk ratio and interval; none where nobody was admitted anywhere."""
    totals = expected_totals(residents)
    if not any(one.admissions for one in totals):
        return []
    scale = dispersion(residents, totals)
    counts = [(one.admissions / scale, one.expected / scale) for one in totals]
    weights = _weights(counts)
    tail = (100 - interval_percent) / 200
    return [_rated(one, count, weights, tail) for one, count in zip(totals, counts, strict=True)]


def _rated(
    totals: Totals, count: tuple[float, float], weights: Sequence[tuple[float, float]], tail: float
) -> FacilityRate:
    admissions, expected = count
    posterior = [(shape + admissions, shape + expected, weight) for shape, weight in weights]
    ratio = sum(weight * shape / rate for shape, rate, weight in posterior)
    return FacilityRate(
        totals,
        ratio,
        _quantile(tail, posterior),
        _quantile(1 - tail, posterior),
        1000 * ratio * totals.expected / totals.days,
    )
