"""What a planted cost shift is: by how much each payer's amounts change in the aligned months after it starts."""

from dataclasses import dataclass

from contracts.codes import ServiceCategory
from infra.simulator.world import Channel, Shift

MILLION = 1_000_000
MEDICARE_CATEGORIES = (ServiceCategory.INPATIENT, ServiceCategory.SKILLED_NURSING_FACILITY)
MEDICAID_CATEGORIES: dict[Channel, tuple[ServiceCategory, ...]] = {
    "nursing-facility": (ServiceCategory.NURSING_FACILITY,),
    "home-and-community": (ServiceCategory.HOME_AND_COMMUNITY,),
    "both": (ServiceCategory.HOME_AND_COMMUNITY, ServiceCategory.NURSING_FACILITY),
}


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """Factors in millionths for aligned months from ``month`` on."""

    direction: Shift
    month: int
    medicare_pbpm_cents: int
    medicaid_pbpm_cents: int
    medicare_per_million: int = MILLION
    medicaid_per_million: int = MILLION
    channel: Channel = "both"

    def medicaid_factor(self, category: ServiceCategory) -> int:
        """The factor on a kind of Medicaid long-term care."""
        return self.medicaid_per_million if category in MEDICAID_CATEGORIES[self.channel] else MILLION

    def categories(self) -> dict[str, list[str]]:
        """The categories of each payer in which the shift is planted."""
        if self.direction == "none":
            return {"medicare": [], "medicaid": []}
        return {"medicare": list(MEDICARE_CATEGORIES), "medicaid": list(MEDICAID_CATEGORIES[self.channel])}

    def applies(self, month: int) -> bool:
        """Whether the shift has begun."""
        return self.direction != "none" and month >= self.month
