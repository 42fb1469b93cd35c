"""Reads how charts are drawn, once."""

from dataclasses import dataclass
from functools import cache

from services.cost_shift.policy_files import policy_values


@dataclass(frozen=True, slots=True)
class ChartPolicy:
    """The values in force; each has its source in ``policy/charts.toml``."""

    cusum_slack: float
    cusum_limit: float
    ewma_weight: float
    ewma_width: float
    fewest_baseline_months: int
    review_cents: float
    review_share: float


@cache
def chart_policy() -> ChartPolicy:
    """The policy in force. Raises :class:`services.cost_shift.policy_files.PolicyError`."""
    return ChartPolicy(**policy_values("charts.toml"))
