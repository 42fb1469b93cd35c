"""Medicare entitlement, health-plan enrolment, dual status, residence and death, as stated spans.

A statement replaces, month by month, what an older statement of the same source said about the months
that its spans cover; ``None`` in a field is no information, never a change.
Sources: CCLF8 (CCLF Information Packet v36.0), FHIR Coverage and Patient (CMS Beneficiary FHIR Data server).
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.codes import (
    DualStatusCode,
    EntitlementBuyInCode,
    HealthPlan,
    MedicareStatusCode,
    OriginalEntitlementCode,
    SexCode,
)
from contracts.envelope import Event
from contracts.identifiers import CountyFips, PersonId, StateCode
from contracts.model import ContractModel
from contracts.months import Day, Month


class CoverageSource(StrEnum):
    """Where a statement about Medicare coverage comes from."""

    CCLF8 = "cclf8"
    FHIR = "fhir"


class MedicareCoverageSpan(ContractModel):
    """What held in the months ``first_month`` to ``last_month`` (open when ``None``)."""

    first_month: Month
    last_month: Month | None = None
    entitlement_buy_in_code: EntitlementBuyInCode | None = None
    medicare_status_code: MedicareStatusCode | None = None
    dual_status_code: DualStatusCode | None = None
    health_plan: HealthPlan | None = None
    medicare_is_primary: bool | None = None
    county_fips: CountyFips | None = None
    in_united_states: bool | None = None


class MedicareCoverageStatedData(ContractModel):
    """One person's Medicare coverage as one delivery states it."""

    person_id: PersonId
    state: StateCode
    source: CoverageSource
    stated_on: Day
    birth_date: Day | None = None
    sex_code: SexCode | None = None
    original_entitlement_code: OriginalEntitlementCode | None = None
    death_date: Day | None = None
    part_a_began: Day | None = None
    part_b_began: Day | None = None
    spans: Annotated[tuple[MedicareCoverageSpan, ...], Field(max_length=600)]


class MedicareCoverageStated(Event[MedicareCoverageStatedData]):
    """See :class:`MedicareCoverageStatedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.coverage.medicare-stated.v1"
