"""Reads how effects are estimated, once."""

from dataclasses import dataclass
from functools import cache

from services.cost_shift.policy_files import policy_values


@dataclass(frozen=True, slots=True)
class EstimatePolicy:
    """The values in force; each has its source in ``policy/estimates.toml``."""

    confidence_level: float
    power: float
    bootstrap_draws: int
    bootstrap_seed: int
    least_completeness: float
    fewest_counties: int
    fewest_own_months: int
    largest_own_error: float


@cache
def estimate_policy() -> EstimatePolicy:
    """The policy in force. Raises :class:`services.cost_shift.policy_files.PolicyError` for an entry without source or status."""
    return EstimatePolicy(**policy_values("estimates.toml"))
