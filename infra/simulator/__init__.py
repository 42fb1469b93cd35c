"""A state's dual-eligible population in the real wire formats, with the truth beside it."""

from infra.simulator.eligibility import Eligibility
from infra.simulator.lists import List
from infra.simulator.simulation import (
    DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
    Simulation,
    simulate,
)
from infra.simulator.world import DEMO_MONTHS, DEMO_PEOPLE, Channel, Feed, Shift

__all__ = [
    "DEFAULT_SHIFT_MEDICAID_PBPM_CENTS",
    "DEFAULT_SHIFT_MEDICARE_PBPM_CENTS",
    "DEMO_MONTHS",
    "DEMO_PEOPLE",
    "Channel",
    "Eligibility",
    "Feed",
    "List",
    "Shift",
    "Simulation",
    "simulate",
]
