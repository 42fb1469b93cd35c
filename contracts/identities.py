"""People who turned out to be one, or two. Written by intake; the pseudonym is all that is said."""

from typing import ClassVar

from contracts.envelope import Event
from contracts.identifiers import PersonId
from contracts.model import ContractModel


class PeopleMergedData(ContractModel):
    """``retired`` and ``kept`` are the same person; later events carry ``kept`` only."""

    retired: PersonId
    kept: PersonId


class PeopleMerged(Event[PeopleMergedData]):
    """See :class:`PeopleMergedData`. Key: ``kept``."""

    TYPE: ClassVar[str] = "tandem.identity.people-merged.v1"
