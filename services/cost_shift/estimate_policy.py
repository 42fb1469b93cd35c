"""Reads how effects are estimated, once."""

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

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


def policy_values(name: str) -> dict[str, Any]:
    """The values of a policy file. Raises :class:`PolicyError` for an entry without source or status."""
    read = tomllib.loads((POLICY_FOLDER / name).read_text(encoding="utf-8"))
    for entry_name, entry in read.items():
        if not entry.get("source") or entry.get("status") not in _STATUSES:
            raise PolicyError(f"{entry_name} needs a source and a status")
    return {entry_name: entry["value"] for entry_name, entry in read.items()}


@cache
def estimate_policy() -> EstimatePolicy:
    """The policy in force. Raises :class:`PolicyError` for an entry without source or status."""
    return EstimatePolicy(**policy_values("estimates.toml"))
