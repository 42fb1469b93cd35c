"""What a planted cost shift is: by how much each payer's amounts change in the aligned months after it starts."""

from dataclasses import dataclass

from infra.simulator.world import Shift

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """Factors in millionths for aligned months from ``month`` on."""

    direction: Shift
    month: int
    medicare_pbpm_cents: int
    medicaid_pbpm_cents: int
    medicare_per_million: int = MILLION
    medicaid_per_million: int = MILLION

    def applies(self, month: int) -> bool:
        """Whether the shift has begun."""
        return self.direction != "none" and month >= self.month
