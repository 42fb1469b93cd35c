"""Reads how effects are estimated, once."""

import tomllib
from dataclasses import dataclass
from functools import cache

from services.cost_shift.category_policy import POLICY_FOLDER, PolicyError

_STATUSES = frozenset({"confirmed", "unconfirmed"})


@dataclass(frozen=True, slots=True)
class EstimatePolicy:
    """The values in force; each has its source in ``policy/estimates.toml``."""

    confidence_level: float
    power: float
    bootstrap_draws: int
    bootstrap_seed: int
    least_completeness: float
    fewest_counties: int


@cache
def estimate_policy() -> EstimatePolicy:
    """The policy in force. Raises :class:`PolicyError` for an entry without source or status."""
    read = tomllib.loads((POLICY_FOLDER / "estimates.toml").read_text(encoding="utf-8"))
    for name, entry in read.items():
        if not entry.get("source") or entry.get("status") not in _STATUSES:
            raise PolicyError(f"{name} needs a source and a status")
    return EstimatePolicy(**{name: entry["value"] for name, entry in read.items()})
