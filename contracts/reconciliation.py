"""CMS's alignment report against ours, month by month, and what people decided about the differences."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.arrangements import ReasonCode
from contracts.envelope import DeliverySequence, Event
from contracts.identifiers import EntityId, NotAnMbi, PersonId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.months import Month

Difference = Literal["only_ours", "only_theirs", "different_month", "different_reason"]
Outcome = Literal["agreed", "only_ours", "only_theirs", "different_month", "different_reason"]
Evidence = Annotated[str, Field(max_length=200, description="source and date, never an identifier"), NotAnMbi]


class Side(ContractModel):
    """What one side says of a month, and on what."""

    aligned: bool
    reasons: Annotated[tuple[ReasonCode, ...], Field(max_length=20)] = ()
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=20)] = ()


class ReconciledMonth(ContractModel):
    """One month of one person, both sides as known from delivery ``known_since`` on."""

    entity_id: EntityId
    month: Month
    known_since: DeliverySequence
    outcome: Outcome
    theirs: Side
    ours: Side
    # What was said of the month before CMS's report first spoke of it.
    forecast: Literal["aligned", "not_aligned", "none"]


class ReconciliationDifferedData(ContractModel):
    """All that is known since a delivery of where CMS and Tandem differ about a person, and where no longer.

    It replaces everything that was told before with ``known_since`` of ``known_from`` or later, except where it
    ``continues`` the event before it, which was full.
    """

    person_id: PersonId
    state: StateCode
    revision: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    known_from: DeliverySequence
    continues: bool = False
    months: Annotated[tuple[ReconciledMonth, ...], Field(max_length=240)] = ()


class ReconciliationDiffered(Event[ReconciliationDifferedData]):
    """See :class:`ReconciliationDifferedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.reconciliation-differed.v1"


class DifferenceClosedData(ContractModel):
    """Somebody looked at a difference and closed it: it was accepted, or disputed with CMS, or put right at home.

    It closes what differed in this way; where the sides come to differ in another way, the difference is open again.
    """

    person_id: PersonId
    state: StateCode
    entity_id: EntityId
    month: Month
    outcome: Difference
    resolution: Literal["accepted", "disputed", "corrected"]
    actor: Annotated[str, Field(min_length=1, max_length=200), NotAnMbi]
    note: Annotated[str, Field(min_length=1, max_length=500), NotAnMbi]


class DifferenceClosed(Event[DifferenceClosedData]):
    """See :class:`DifferenceClosedData`. Key: person. ``time``: when. ``deliveryseq``: up to which delivery they had seen."""

    TYPE: ClassVar[str] = "tandem.alignment.difference-closed.v1"
