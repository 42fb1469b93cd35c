"""Restated measures of both payers' cost.

A figure is published once a consistent cut is reached, and again, as a new revision, whenever later knowledge changes it.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.envelope import Event
from contracts.identifiers import EntityId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.money import Cents
from contracts.months import Month

Count = Annotated[int, Field(ge=-(10**12), le=10**12)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]


class MeasureKey(ContractModel):
    """One published figure: all counties of one state, entity, cohort, payer, category and month."""

    state: StateCode
    entity_id: EntityId | None = None
    cohort: Cohort
    payer: Payer
    category: ServiceCategory
    month: Month

    def text(self) -> str:
        """Write the partition key."""
        parts = (self.state, self.entity_id or "-", self.cohort, self.payer, self.category, self.month)
        return ":".join(parts)


class MeasureRestatedData(ContractModel):
    """A figure as of one revision. ``claims`` is signed: original and adjustment +1, cancellation -1.

    ``crossover_cents`` and ``crossover_claims`` are part of ``cents`` and ``claims``.
    """

    key: MeasureKey
    revision: Annotated[int, Field(ge=1, le=LARGEST_NUMBER, description="delivery sequence of the cut")]
    cents: Cents
    claims: Count
    crossover_cents: Cents = 0
    crossover_claims: Count = 0
    person_months: Annotated[int, Field(ge=0, le=10**12)]
    previous_revision: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] | None = None
    previous_cents: Cents | None = None
    causes: tuple[Literal["claims", "cancellations", "alignment"], ...] = ()


class MeasureRestated(Event[MeasureRestatedData]):
    """See :class:`MeasureRestatedData`. Key: :meth:`MeasureKey.text`."""

    TYPE: ClassVar[str] = "tandem.cost-shift.measure-restated.v1"


class CostShiftSignalData(ContractModel):
    """A level of attention for an entity, raised or cleared."""

    state: StateCode
    entity_id: EntityId
    level: Literal["watch", "review", "notify", "cleared"]
    direction: Literal["medicare_to_medicaid", "medicaid_to_medicare", "both_down", "both_up", "none"]
    revision: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    shifted_cents: Cents
    signal_id: Annotated[str, Field(pattern=r"^D[0-9]{4}\.[a-z_]{1,60}\.[0-9]{1,19}$")] | None = None
    channel: Name | None = None
    previous_level: Literal["none", "watch", "review", "notify", "cleared"] | None = None
    # The two series of the channel; both None: all services.
    medicare_category: ServiceCategory | None = None
    medicaid_category: ServiceCategory | None = None
    # Against comparison people, a person and month: an evaluated effect, never a saving against a benchmark.
    medicare_effect_cents: Cents | None = None
    medicaid_effect_cents: Cents | None = None
    # What keeps a state from being told; empty for ``notify``.
    lacking: tuple[Name, ...] | None = None
    statement: Annotated[str, Field(max_length=1000)] | None = None
    caveats: tuple[Annotated[str, Field(max_length=400)], ...] | None = None


class CostShiftSignalled(Event[CostShiftSignalData]):
    """See :class:`CostShiftSignalData`. Key: entity."""

    TYPE: ClassVar[str] = "tandem.cost-shift.signalled.v1"
