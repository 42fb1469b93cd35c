"""A state's dual-eligible population in the real wire formats, with the truth beside it."""

from infra.simulator.simulation import (
    DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
    Simulation,
    simulate,
)
from infra.simulator.world import Shift

__all__ = [
    "DEFAULT_SHIFT_MEDICAID_PBPM_CENTS",
    "DEFAULT_SHIFT_MEDICARE_PBPM_CENTS",
    "Shift",
    "Simulation",
    "simulate",
]
