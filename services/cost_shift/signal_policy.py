"""Reads when a state is told of a shift, once."""

from dataclasses import dataclass
from functools import cache

from services.cost_shift.policy_files import policy_values


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """The values in force; each has its source in ``policy/signals.toml``."""

    longest_months: int
    baseline_months: int
    months_a_group: int
    persistence_months: int
    fewest_months_after: int
    review_probability: float
    notify_probability: float
    least_known_share: float
    largest_risk_difference: float
    largest_share_difference: float
    largest_exit_difference: float
    largest_cost_difference: float
    earlier_trend_level: float


@cache
def signal_policy() -> SignalPolicy:
    """The policy in force. Raises :class:`services.cost_shift.policy_files.PolicyError`."""
    return SignalPolicy(**policy_values("signals.toml"))
