"""Risk scores with their trail, and tiers."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from contracts.envelope import Event
from contracts.identifiers import PersonId, RecordId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.months import Month

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


class SegmentPeriod(ContractModel):
    """From which month of the payment year a segment holds, and the score there; the last goes on."""

    first_month: Month
    segment: Segment
    raw_score: RawScore


class IgnoredDiagnosis(ContractModel):
    """A diagnosis that some model knows, that was said in the diagnosis year, and that does not count: and why."""

    diagnosis_code: Annotated[str, Field(max_length=8)]
    reason: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=40)]


IgnoredDiagnoses = Annotated[tuple[IgnoredDiagnosis, ...], Field(max_length=30)]
# What is said about a score besides: missing or contradicting facts, and what was assumed instead.
ScoreNotes = Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=60)], ...], Field(max_length=20)]


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
    # The model year whose tables were used; notes say where it is not the payment year.
    tables_year: Annotated[int, Field(ge=2018, le=2100)] | None = None
    # Where the segment differs from month to month: ``segment`` and ``raw_score`` are those of the last.
    periods: Annotated[tuple[SegmentPeriod, ...], Field(max_length=12)] = ()
    ignored: IgnoredDiagnoses = ()
    ignored_count: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] = 0
    notes: ScoreNotes = ()


class RiskScored(Event[RiskScoredData]):
    """See :class:`RiskScoredData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.risk.scored.v1"


EsrdSegment = Literal["DI", "DNE", "GI", "GNE", "GFA", "GFN", "GNPA", "GNPN", "TRANSPLANT"]


class EsrdRiskScoredData(ContractModel):
    """One score of the end-stage renal disease model, which replaces V24 and V28 for payment.

    Its denominator is another again: never compare it with V24 or V28.
    """

    person_id: PersonId
    state: StateCode
    model: Literal["ESRD_V24"] = "ESRD_V24"
    payment_year: Annotated[int, Field(ge=2018, le=2100)]
    diagnosis_year: Annotated[int, Field(ge=2017, le=2100)]
    segment: EsrdSegment
    kidney_status: Literal["dialysis", "transplant", "functioning_graft"]
    # Of a transplant: 1 in the month of the operation.
    graft_month: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] | None = None
    raw_score: RawScore
    demographic_score: RawScore | None = None
    completeness: Literal["complete", "disease_only"] = "complete"
    categories: tuple[ConditionCategory, ...] = ()
    interactions: tuple[Annotated[str, Field(max_length=60)], ...] = ()
    tables_year: Annotated[int, Field(ge=2018, le=2100)] | None = None
    ignored: IgnoredDiagnoses = ()
    ignored_count: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] = 0
    notes: ScoreNotes = ()


class EsrdRiskScored(Event[EsrdRiskScoredData]):
    """See :class:`EsrdRiskScoredData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.risk.esrd-scored.v1"


class RiskTierChangedData(ContractModel):
    """Tier 4 is the highest. Reasons are plain words, the strongest first, at most three.

    With ``ended`` the person is in no tier any more, and ``tier`` is the last one.
    """

    person_id: PersonId
    state: StateCode
    tier: Annotated[int, Field(ge=1, le=4)]
    previous_tier: Annotated[int, Field(ge=1, le=4)] | None = None
    reasons: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=3)]
    ended: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=40)] | None = None


class RiskTierChanged(Event[RiskTierChangedData]):
    """See :class:`RiskTierChangedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.risk.tier-changed.v1"
