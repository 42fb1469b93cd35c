"""Care actions that risk stratification proposes."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import Event
from contracts.identifiers import PersonId, StateCode
from contracts.model import ContractModel
from contracts.months import Day


class CareActionProposedData(ContractModel):
    """Something that a coordinator or an aide can do for one person, and why."""

    person_id: PersonId
    state: StateCode
    action: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=60)]
    owner: Literal["care_coordinator", "aide", "contracting"]
    due_on: Day | None = None
    reason: Annotated[str, Field(max_length=200)]


class CareActionProposed(Event[CareActionProposedData]):
    """See :class:`CareActionProposedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.care.action-proposed.v1"
