"""Medicaid managed-care enrolment, waivers and long-term-care level, as stated spans.

A span with ``enrolled=False`` states that the person was *not* enrolled in those months: a void of
what was said before (an 834 whose coverage ends before it begins, or a termination).
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.codes import DualStatusCode, HealthPlan
from contracts.envelope import Event
from contracts.identifiers import CountyFips, NotAnMbi, PersonId, PlanId, RecordId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.money import Cents
from contracts.months import Day, Month

LevelOfCare = Literal["none", "hospital", "psychiatric", "nursing_facility", "intermediate_care"]
EnrolmentBasis = Literal["voluntary", "passive", "opted_out"]


class EnrolmentSource(StrEnum):
    """Which feed states it. A statement competes with older ones of its own source only."""

    ENROLMENT_834 = "enrolment_834"
    TMSIS = "tmsis"
    STATE_FILE = "state_file"


class MedicaidEnrolmentSpan(ContractModel):
    """What held in the months ``first_month`` to ``last_month`` (open when ``None``)."""

    first_month: Month
    last_month: Month | None = None
    enrolled: bool = True
    plan_id: PlanId | None = None
    plan_type_code: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None
    aid_code: Annotated[str, Field(max_length=8)] | None = None
    dual_status_code: DualStatusCode | None = None
    county_fips: CountyFips | None = None
    # Medicare health plan as the state knows it (834 REF*DX); NONE = the state says fee-for-service.
    health_plan: HealthPlan | None = None
    health_plan_contract: Annotated[str, Field(max_length=8)] | None = None
    long_term_care_level: Literal["none", "community", "institutional"] | None = None
    # What the person must pay for care in a month before Medicaid does (834 AMT*R).
    share_of_cost_cents: Cents | None = None
    # The one programme that covered the person, and which of the source's rows or codes say so.
    programme: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] | None = None
    programme_basis: Annotated[str, Field(max_length=120), NotAnMbi] | None = None
    eligibility_group_code: Annotated[str, Field(max_length=4)] | None = None
    restricted_benefits_code: Annotated[str, Field(max_length=4)] | None = None
    waiver_ids: Annotated[tuple[Annotated[str, Field(max_length=20), NotAnMbi], ...], Field(max_length=10)] = ()
    waiver_type_codes: Annotated[tuple[Annotated[str, Field(max_length=4)], ...], Field(max_length=10)] = ()
    # The plan benefit package of the Medicare contract (834 REF*DX, second part).
    health_plan_package: Annotated[str, Field(pattern=r"^[0-9]{3}$")] | None = None
    # For which institution's level of care the state has certified the person, wherever they live.
    level_of_care: LevelOfCare | None = None
    # The state's finding that the person can live safely in the community.
    safe_in_community: bool | None = None
    # How the person came into the demonstration's plan, or that they have chosen to stay out of it.
    enrolment_basis: EnrolmentBasis | None = None
    # Takes part in a demonstration under section 1115A (the Innovation Center's).
    demonstration: bool | None = None


class MedicaidEnrolmentStatedData(ContractModel):
    """One person's Medicaid enrolment as one delivery states it."""

    person_id: PersonId
    state: StateCode
    source: EnrolmentSource = EnrolmentSource.ENROLMENT_834
    stated_on: Day
    # The last month of which the feed knows anything: what lies behind it is not stated, whatever the spans end with.
    known_through: Month | None = None
    birth_date: Day | None = None
    sex_code: Literal["0", "1", "2"] | None = None
    death_date: Day | None = None
    spans: Annotated[tuple[MedicaidEnrolmentSpan, ...], Field(max_length=600)]


class PremiumPayment(ContractModel):
    """One amount of a capitation remittance, for one person and coverage period. Negative: taken back."""

    record_id: RecordId
    plan_id: PlanId | None = None
    paid_on: Day
    first_day: Day
    last_day: Day
    paid_cents: Cents
    rate_category: Annotated[str, Field(max_length=40), NotAnMbi] | None = None
    dual: bool | None = None
    adjustment_reason_code: Annotated[str, Field(max_length=8)] | None = None


class MedicaidPremiumsPaidData(ContractModel):
    """What the state paid a plan for one person in one remittance (X12 820).

    It is the plan's side of the account: the state may tell the same money as capitation lines of T-MSIS.
    """

    person_id: PersonId
    state: StateCode
    part: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    parts: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    payments: Annotated[tuple[PremiumPayment, ...], Field(min_length=1, max_length=250)]


class MedicaidPremiumsPaid(Event[MedicaidPremiumsPaidData]):
    """See :class:`MedicaidPremiumsPaidData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.medicaid.premiums-paid.v1"


class MedicaidEnrolmentStated(Event[MedicaidEnrolmentStatedData]):
    """See :class:`MedicaidEnrolmentStatedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.medicaid.enrolment-stated.v1"
