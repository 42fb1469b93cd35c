"""People who turned out to be one, or two. Written by intake; the pseudonym is all that is said."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import Event
from contracts.identifiers import PersonId
from contracts.model import ContractModel


class PeopleMergedData(ContractModel):
    """``retired`` and ``kept`` are the same person; later events carry ``kept`` only.

    Everything that lies under ``retired`` counts under ``kept`` from this delivery on.
    """

    retired: PersonId
    kept: PersonId


class PeopleMerged(Event[PeopleMergedData]):
    """See :class:`PeopleMergedData`. Key: ``kept``."""

    TYPE: ClassVar[str] = "tandem.identity.people-merged.v1"


class PeopleSplitData(ContractModel):
    """``separated`` had been taken for ``person_id`` and is somebody else.

    Of what lies under ``person_id``, all that sources said by one of ``aliases`` (see the envelope) counts under
    ``separated`` from this delivery on. ``separated`` may be somebody of whom nothing was known before.
    """

    person_id: PersonId
    separated: PersonId
    aliases: Annotated[tuple[PersonId, ...], Field(min_length=1, max_length=10_000)]


class PeopleSplit(Event[PeopleSplitData]):
    """See :class:`PeopleSplitData`. Key: ``person_id``."""

    TYPE: ClassVar[str] = "tandem.identity.people-split.v1"
