"""The one registry of topics: topics are created from it, AsyncAPI is generated from it.

Nothing else names a topic. Decoding an event starts here, because the topic says which types may stand on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from contracts.alignment import (
    AlignmentDecided,
    AlignmentReported,
    DesignationRecorded,
    ProviderAlignmentReported,
    SharingPreferenceStated,
)
from contracts.arrangements import ArrangementsDecided
from contracts.care import CareActionClosed, CareActionProposed, CareActionReported, FacilityRated
from contracts.claims import (
    MedicaidClaimsDelivered,
    MedicareClaimsDelivered,
    PartDEventsDelivered,
    PreliminaryMedicareClaimsDelivered,
)
from contracts.cost_shift import CostShiftSignalled, MeasureRestated
from contracts.coverage import MedicareCoverageStated
from contracts.delivery import DeliveryCompleted, DeliveryProcessed, DeliveryQuarantined, DeliveryReceived
from contracts.envelope import Event
from contracts.identities import PeopleMerged, PeopleSplit
from contracts.medicaid import MedicaidEnrolmentStated, MedicaidPremiumsPaid
from contracts.provider import ProviderRosterStated
from contracts.reconciliation import DifferenceClosed, ReconciliationDiffered
from contracts.risk import EsrdRiskScored, RiskScored, RiskTierChanged

AnyEvent = Event[Any]
EventClass = type[AnyEvent]
Service = Literal["intake", "alignment", "risk", "cost-shift"]

PERSON_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, what stands on it, who writes it, and how long it is kept (-1: for ever)."""

    name: str
    events: tuple[EventClass, ...]
    key: Literal["person", "delivery", "entity", "cell", "facility"]
    writers: tuple[Service, ...]
    partitions: int = PERSON_PARTITIONS
    compacted: bool = False
    retention_ms: int = -1


def _topic(name: str) -> str:
    return f"tandem.{name}.v1"


_ALL: tuple[Service, ...] = ("intake", "alignment", "risk", "cost-shift")

DELIVERIES = Topic(
    _topic("deliveries"),
    (DeliveryReceived, DeliveryCompleted, DeliveryQuarantined, DeliveryProcessed),
    "delivery",
    _ALL,
    partitions=1,
)
IDENTITIES = Topic(_topic("identities"), (PeopleMerged, PeopleSplit), "person", ("intake",))
COVERAGE = Topic(_topic("coverage"), (MedicareCoverageStated,), "person", ("intake",))
MEDICAID_ENROLMENT = Topic(_topic("medicaid-enrolment"), (MedicaidEnrolmentStated,), "person", ("intake",))
CLAIMS_MEDICARE = Topic(_topic("claims-medicare"), (MedicareClaimsDelivered,), "person", ("intake",))
CLAIMS_MEDICAID = Topic(_topic("claims-medicaid"), (MedicaidClaimsDelivered,), "person", ("intake",))
CLAIMS_PRELIMINARY = Topic(_topic("claims-preliminary"), (PreliminaryMedicareClaimsDelivered,), "person", ("intake",))
CLAIMS_PART_D = Topic(_topic("claims-part-d"), (PartDEventsDelivered,), "person", ("intake",))
MEDICAID_PREMIUMS = Topic(_topic("medicaid-premiums"), (MedicaidPremiumsPaid,), "person", ("intake",))
ALIGNMENT_REPORTS = Topic(
    _topic("alignment-reports"), (AlignmentReported, ProviderAlignmentReported), "person", ("intake",)
)
SHARING_PREFERENCES = Topic(_topic("sharing-preferences"), (SharingPreferenceStated,), "person", ("intake",))
DESIGNATIONS = Topic(_topic("designations"), (DesignationRecorded,), "person", ("intake",))
PROVIDER_ROSTERS = Topic(
    _topic("provider-rosters"), (ProviderRosterStated,), "entity", ("intake",), partitions=1, compacted=True
)
ALIGNMENT_DECISIONS = Topic(_topic("alignment-decisions"), (AlignmentDecided,), "person", ("alignment",))
ARRANGEMENTS = Topic(_topic("arrangements"), (ArrangementsDecided,), "person", ("alignment",))
RECONCILIATION = Topic(_topic("reconciliation"), (ReconciliationDiffered,), "person", ("alignment",))
# What people decided; alignment itself reads it, so that it stands in every rebuild.
RECONCILIATION_CLOSINGS = Topic(_topic("reconciliation-closings"), (DifferenceClosed,), "person", ("alignment",))
RISK_SCORES = Topic(_topic("risk-scores"), (RiskScored, EsrdRiskScored, RiskTierChanged), "person", ("risk",))
CARE_ACTIONS = Topic(_topic("care-actions"), (CareActionProposed, CareActionClosed), "person", ("risk",))
CARE_REPORTS = Topic(_topic("care-reports"), (CareActionReported,), "person", ("risk",))
FACILITY_RATES = Topic(_topic("facility-rates"), (FacilityRated,), "facility", ("risk",), partitions=1)
COST_SHIFT_MEASURES = Topic(_topic("cost-shift-measures"), (MeasureRestated,), "cell", ("cost-shift",))
COST_SHIFT_SIGNALS = Topic(_topic("cost-shift-signals"), (CostShiftSignalled,), "entity", ("cost-shift",), partitions=1)

TOPICS: tuple[Topic, ...] = (
    DELIVERIES,
    IDENTITIES,
    COVERAGE,
    MEDICAID_ENROLMENT,
    CLAIMS_MEDICARE,
    CLAIMS_MEDICAID,
    CLAIMS_PRELIMINARY,
    CLAIMS_PART_D,
    MEDICAID_PREMIUMS,
    ALIGNMENT_REPORTS,
    SHARING_PREFERENCES,
    DESIGNATIONS,
    PROVIDER_ROSTERS,
    ALIGNMENT_DECISIONS,
    ARRANGEMENTS,
    RECONCILIATION,
    RECONCILIATION_CLOSINGS,
    RISK_SCORES,
    CARE_ACTIONS,
    CARE_REPORTS,
    FACILITY_RATES,
    COST_SHIFT_MEASURES,
    COST_SHIFT_SIGNALS,
)
TOPIC_BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
TOPIC_BY_TYPE: dict[str, Topic] = {event.TYPE: topic for topic in TOPICS for event in topic.events}
EVENT_BY_TYPE: dict[str, EventClass] = {event.TYPE: event for topic in TOPICS for event in topic.events}


def event_classes() -> Iterator[EventClass]:
    """List every event class, in the order of the registry."""
    return (event for topic in TOPICS for event in topic.events)
