"""Medicaid managed-care enrolment, waivers and long-term-care level, as stated spans.

A span with ``enrolled=False`` states that the person was *not* enrolled in those months: a void of
what was said before (an 834 whose coverage ends before it begins, or a termination).
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.codes import DualStatusCode, HealthPlan
from contracts.envelope import Event
from contracts.identifiers import CountyFips, PersonId, PlanId, StateCode
from contracts.model import ContractModel
from contracts.months import Day, Month


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


class MedicaidEnrolmentStatedData(ContractModel):
    """One person's Medicaid enrolment as one delivery states it."""

    person_id: PersonId
    state: StateCode
    stated_on: Day
    birth_date: Day | None = None
    sex_code: Literal["0", "1", "2"] | None = None
    death_date: Day | None = None
    spans: Annotated[tuple[MedicaidEnrolmentSpan, ...], Field(max_length=600)]


class MedicaidEnrolmentStated(Event[MedicaidEnrolmentStatedData]):
    """See :class:`MedicaidEnrolmentStatedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.medicaid.enrolment-stated.v1"
