"""People who turned out to be one, or two. Written by intake; the pseudonym is all that is said."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import DeliverySequence, Event
from contracts.identifiers import PersonId
from contracts.model import ContractModel


class PeopleMergedData(ContractModel):
    """``retired`` and ``kept`` are the same person; later events carry ``kept`` only."""

    retired: PersonId
    kept: PersonId


class PeopleMerged(Event[PeopleMergedData]):
    """See :class:`PeopleMergedData`. Key: ``kept``."""

    TYPE: ClassVar[str] = "tandem.identity.people-merged.v1"


class PeopleSplitData(ContractModel):
    """``separated`` had been taken for ``person_id`` and is somebody else.

    What deliveries said about them before lies under ``person_id``; intake says it again, under the right person, in
    the delivery that carries this event. ``withdrawn_deliveries`` name the deliveries whose events about
    ``person_id`` count no longer: what stays true of them follows under its own person.
    """

    person_id: PersonId
    separated: PersonId
    withdrawn_deliveries: Annotated[tuple[DeliverySequence, ...], Field(max_length=10_000)] = ()


class PeopleSplit(Event[PeopleSplitData]):
    """See :class:`PeopleSplitData`. Key: ``person_id``."""

    TYPE: ClassVar[str] = "tandem.identity.people-split.v1"
