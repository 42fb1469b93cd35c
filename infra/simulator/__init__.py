"""A state's dual-eligible population in the real wire formats, with the truth beside it."""

from infra.simulator.simulation import Simulation, simulate
from infra.simulator.world import Shift

__all__ = ["Shift", "Simulation", "simulate"]
