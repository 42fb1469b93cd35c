"""Risk scores with their trail, and tiers."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from contracts.envelope import Event
from contracts.identifiers import PersonId, RecordId, StateCode
from contracts.model import ContractModel

# On the wire a text, so that no reader makes a binary fraction of it.
RawScore = Annotated[
    Decimal,
    Field(ge=0, le=100, decimal_places=3),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3})?$", "description": "score before normalisation"}
    ),
]
Segment = Literal["CNA", "CND", "CPA", "CPD", "CFA", "CFD", "INS", "NE", "SNPNE"]


class ConditionCategory(ContractModel):
    """A payment HCC after hierarchies, and the first claim that supports it."""

    category: Annotated[int, Field(ge=1, le=999)]
    diagnosis_code: Annotated[str, Field(max_length=8)] | None = None
    first_record_id: RecordId | None = None


class RiskScoredData(ContractModel):
    """One score. Raw V24 and V28 scores have different denominators: never compare or average them."""

    person_id: PersonId
    state: StateCode
    model: Literal["V24", "V28"]
    payment_year: Annotated[int, Field(ge=2018, le=2100)]
    diagnosis_year: Annotated[int, Field(ge=2017, le=2100)]
    segment: Segment
    raw_score: RawScore
    demographic_score: RawScore | None = None
    # "disease_only": birth date or sex is unknown, so the demographic part is left out and said to be.
    completeness: Literal["complete", "disease_only"] = "complete"
    categories: tuple[ConditionCategory, ...] = ()
    interactions: tuple[Annotated[str, Field(max_length=60)], ...] = ()


class RiskScored(Event[RiskScoredData]):
    """See :class:`RiskScoredData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.risk.scored.v1"


class RiskTierChangedData(ContractModel):
    """Tier 4 is the highest. Reasons are plain words, the strongest first, at most three."""

    person_id: PersonId
    state: StateCode
    tier: Annotated[int, Field(ge=1, le=4)]
    previous_tier: Annotated[int, Field(ge=1, le=4)] | None = None
    reasons: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=3)]


class RiskTierChanged(Event[RiskTierChangedData]):
    """See :class:`RiskTierChangedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.risk.tier-changed.v1"
