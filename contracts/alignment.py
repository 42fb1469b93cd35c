"""What CMS reports about alignment, what people signed, and what Tandem decides."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.codes import DecidedCohort, DualStatusCode
from contracts.envelope import Event
from contracts.identifiers import CountyFips, EntityId, NotAnMbi, Npi, PersonId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.months import Day, Month

# Preferences are stated to accountable entities of any model: A1234, D9001, T9992.
SharingEntityId = Annotated[
    str, Field(pattern=r"^[A-Z][A-Z0-9][0-9]{3}$", description="accountable entity of any model", examples=["D9001"])
]
CriterionCode = Annotated[
    str, NotAnMbi, Field(pattern=r"^[A-Z0-9_]{1,20}$", description="a High Needs criterion that the person meets")
]


class ReportedSpan(ContractModel):
    """Months that a report calls aligned; ``last_month`` is ``None`` while it goes on."""

    first_month: Month
    last_month: Month | None = None
    removal_reason: Annotated[str, Field(max_length=40), NotAnMbi] | None = None


class AlignmentReportedData(ContractModel):
    """All that one monthly report says about one person; it replaces what older reports said."""

    person_id: PersonId
    state: StateCode
    entity_id: EntityId
    report_month: Month
    stated_on: Day
    basis: Literal["claims", "voluntary", "roster"] | None = None
    performance_year: Annotated[int, Field(ge=2021, le=2100)] | None = None
    data_sharing_opt_out: bool | None = None
    # The person wishes not to be aligned at all; whether CMS has removed them is what the spans say.
    administrative_opt_out: bool | None = None
    # In which the person became alignable.
    alignment_year: Annotated[int, Field(ge=2017, le=2100)] | None = None
    part_d_covered: bool | None = None
    high_needs_criteria: Annotated[tuple[CriterionCode, ...], Field(max_length=20)] | None = None
    spans: Annotated[tuple[ReportedSpan, ...], Field(min_length=1, max_length=120)]


class AlignmentReported(Event[AlignmentReportedData]):
    """See :class:`AlignmentReportedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.reported.v1"


class ProviderAlignmentReportedData(ContractModel):
    """Whose care aligned a person, as CMS reports it; it replaces what older reports of the period said."""

    person_id: PersonId
    state: StateCode
    entity_id: EntityId
    period: Annotated[str, Field(pattern=r"^[0-9]{4}(-Q[1-4])?$", description="performance year, or a quarter of it")]
    stated_on: Day
    basis: Literal["claims", "voluntary", "roster"] | None = None
    npis: Annotated[tuple[Npi, ...], Field(min_length=1, max_length=200)]


class ProviderAlignmentReported(Event[ProviderAlignmentReportedData]):
    """See :class:`ProviderAlignmentReportedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.provider-reported.v1"


class SharingPreferenceStatedData(ContractModel):
    """Whether Medicare may share a person's claims with the entity. Alignment and cost stay as they are.

    ``None`` is no statement; a preference without a day holds from the day of its file. Source: 1-800-MEDICARE
    beneficiary data-sharing preferences file.
    """

    person_id: PersonId
    state: StateCode
    entity_id: SharingEntityId
    stated_on: Day
    shares_claims: bool | None = None
    shares_claims_from: Day | None = None
    shares_substance_use: bool | None = None
    shares_substance_use_from: Day | None = None
    source_code: Annotated[str, Field(max_length=5)] | None = None
    substance_use_source_code: Annotated[str, Field(max_length=5)] | None = None


class SharingPreferenceStated(Event[SharingPreferenceStatedData]):
    """See :class:`SharingPreferenceStatedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.sharing-preference-stated.v1"


class DesignationRecordedData(ContractModel):
    """A person named a primary clinician, on Medicare.gov or on a signed form."""

    person_id: PersonId
    state: StateCode
    entity_id: EntityId
    channel: Literal["medicare_gov", "signed_form"]
    signed_on: Day
    clinician_npi: Npi | None = None
    withdrawn: bool = False
    # CMS's answer to a signed form that was sent in.
    response: Literal["accepted", "rejected"] | None = None
    rejection_reason: Annotated[str, Field(max_length=40), NotAnMbi] | None = None


class DesignationRecorded(Event[DesignationRecordedData]):
    """See :class:`DesignationRecordedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.designation-recorded.v1"


class Outcome(StrEnum):
    """The answer of one eligibility predicate."""

    PASS = "pass"  # noqa: S105 - an answer, not a secret
    FAIL = "fail"
    UNKNOWN = "unknown"


class PredicateResult(ContractModel):
    """One named eligibility predicate, its answer and what it rests on."""

    name: Annotated[str, Field(pattern=r"^[A-Z_]+$", max_length=40)]
    outcome: Outcome
    reason: Annotated[str, Field(max_length=40)] | None = None
    evidence: Annotated[str, Field(max_length=120, description="source and date, never an identifier")] | None = None


class DecisionChange(StrEnum):
    """How a month's decision differs from what was last decided for it, or from the month before."""

    ALIGNED = "aligned"
    REMOVED = "removed"
    REINSTATED = "reinstated"
    FORECAST = "forecast"
    ELIGIBILITY_CHANGED = "eligibility_changed"


class MonthDecision(ContractModel):
    """The decision for one month, as known at the event's ``deliveryseq``."""

    month: Month
    aligned: bool
    basis: Literal["reported", "forecast", "none"]
    change: DecisionChange
    cohort: DecidedCohort
    entity_id: EntityId | None = None
    county_fips: CountyFips | None = None
    dual_status_code: DualStatusCode | None = None
    reasons: tuple[Annotated[str, Field(max_length=40)], ...] = ()
    predicates: tuple[PredicateResult, ...] = ()


class AlignmentDecidedData(ContractModel):
    """Every month of one person whose decision changed because of one delivery."""

    person_id: PersonId
    state: StateCode
    # Grows by one with every decision event of the person: an older one that comes again is ignored.
    revision: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    decisions: Annotated[tuple[MonthDecision, ...], Field(min_length=1, max_length=240)]


class AlignmentDecided(Event[AlignmentDecidedData]):
    """See :class:`AlignmentDecidedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.decided.v1"
