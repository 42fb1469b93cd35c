"""Deliveries: one file set from one source, and how far each service has come with it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import Event
from contracts.model import LARGEST_LONG_NUMBER, LARGEST_NUMBER, ContractModel
from contracts.months import Day


class DeliveryKind(StrEnum):
    """Which reader a delivery needs: the module of that name. Events carry it as an open vocabulary."""

    CCLF = "cclf"
    ENROLMENT_834 = "enrolment_834"
    ENCOUNTER_837 = "encounter_837"
    PREMIUM_PAYMENT_820 = "premium_payment_820"
    MEDICAID_CLAIMS = "medicaid_claims"
    MEDICAID_ELIGIBILITY = "medicaid_eligibility"
    STATE_ELIGIBILITY = "state_eligibility"
    ALIGNMENT_REPORT = "alignment_report"
    PROVIDER_ALIGNMENT_REPORT = "provider_alignment_report"
    VOLUNTARY_ALIGNMENT_RESPONSE = "voluntary_alignment_response"
    SHARING_PREFERENCES = "sharing_preferences"
    PROVIDER_ROSTER = "provider_roster"
    EXPLANATION_OF_BENEFIT = "explanation_of_benefit"
    FHIR_PATIENT = "fhir_patient"
    FHIR_COVERAGE = "fhir_coverage"
    PARTIALLY_ADJUDICATED_CLAIM = "partially_adjudicated_claim"
    # Not of a sender: what people decided about who is who.
    IDENTITY_REVIEW = "identity_review"


# Open: a feed that is read from tomorrow on must not stop a reader of today.
KindCode = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", description="which feed; see DeliveryKind")]

EndOffsets = Annotated[
    dict[str, dict[str, Annotated[int, Field(ge=0, le=LARGEST_LONG_NUMBER)]]],
    Field(description="topic, then partition as text, to the offset after the last event written"),
]


class DeliveryReceivedData(ContractModel):
    """A delivery was accepted and is being read."""

    kind: KindCode
    source: Annotated[str, Field(max_length=80, description="entity, plan or state that the files came from")]
    file_count: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    dated: Day
    # Whether the sender takes records about substance use out (42 CFR Part 2); None: it is not known.
    substance_use_withheld: bool | None = None


class DeliveryReceived(Event[DeliveryReceivedData]):
    """See :class:`DeliveryReceivedData`."""

    TYPE: ClassVar[str] = "tandem.delivery.received.v1"


class DeliveryCompletedData(ContractModel):
    """Every event of the delivery is on the log, before these offsets."""

    kind: KindCode
    dated: Day
    records: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    quarantined: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    claims: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    end_offsets: EndOffsets


class DeliveryCompleted(Event[DeliveryCompletedData]):
    """See :class:`DeliveryCompletedData`."""

    TYPE: ClassVar[str] = "tandem.delivery.completed.v1"


class DeliveryQuarantinedData(ContractModel):
    """The delivery was refused whole."""

    # None where no reader recognised the files. A field that may be None has a default: events are written without it.
    kind: KindCode | None = None
    reason_code: Annotated[str, Field(max_length=60)]


class DeliveryQuarantined(Event[DeliveryQuarantinedData]):
    """See :class:`DeliveryQuarantinedData`."""

    TYPE: ClassVar[str] = "tandem.delivery.quarantined.v1"


class DeliveryProcessedData(ContractModel):
    """A service has applied the delivery; what it said because of it lies before these offsets."""

    service: Annotated[str, Field(max_length=40)]
    end_offsets: EndOffsets


class DeliveryProcessed(Event[DeliveryProcessedData]):
    """See :class:`DeliveryProcessedData`."""

    TYPE: ClassVar[str] = "tandem.delivery.processed.v1"
