"""Deliveries: one file set from one source, and how far each service has come with it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import Event
from contracts.model import LARGEST_LONG_NUMBER, LARGEST_NUMBER, ContractModel
from contracts.months import Day


class DeliveryKind(StrEnum):
    """Which reader a delivery needs."""

    CCLF = "cclf"
    ENROLMENT_834 = "enrolment_834"
    MEDICAID_CLAIMS = "medicaid_claims"
    ALIGNMENT_REPORT = "alignment_report"
    PROVIDER_ROSTER = "provider_roster"
    EXPLANATION_OF_BENEFIT = "explanation_of_benefit"


EndOffsets = Annotated[
    dict[str, dict[str, Annotated[int, Field(ge=0, le=LARGEST_LONG_NUMBER)]]],
    Field(description="topic, then partition as text, to the offset after the last event written"),
]


class DeliveryReceivedData(ContractModel):
    """A delivery was accepted and is being read."""

    kind: DeliveryKind
    source: Annotated[str, Field(max_length=80, description="entity, plan or state that the files came from")]
    file_count: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    dated: Day


class DeliveryReceived(Event[DeliveryReceivedData]):
    """See :class:`DeliveryReceivedData`."""

    TYPE: ClassVar[str] = "tandem.delivery.received.v1"


class DeliveryCompletedData(ContractModel):
    """Every event of the delivery is on the log, before these offsets."""

    kind: DeliveryKind
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
    kind: DeliveryKind | None = None
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
