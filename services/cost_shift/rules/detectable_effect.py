"""The smallest effect that these data would have shown with a stated power.

Bloom (1995): the critical value and the quantile of the power, in standard errors. The critical value is that of the test in use,
which with few counties lies well above the normal one.
"""

from statistics import NormalDist


def minimum_detectable_effect(standard_error: float, critical_value: float, power: float) -> float:
    """In the unit of the standard error. ``power`` is between 0 and 1."""
    return (critical_value + NormalDist().inv_cdf(power)) * standard_error
