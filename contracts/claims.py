"""A person's claims of one delivery. Two payers, two shapes; both carry the source's version.

Medicare (CCLF Information Packet v36.0, 5.3.1): every record is kept; a cancellation counts with a minus sign. Medicaid (T-MSIS):
the newest adjudication of an original claim number replaces the older one; a void replaces it by nothing.
Amounts stand as delivered, without sign handling: signing is cost shift's rule.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import Event
from contracts.identifiers import NotAnMbi, Npi, PersonId, PlanId, RecordId, StateCode
from contracts.model import LARGEST_LONG_NUMBER, LARGEST_NUMBER, ContractModel
from contracts.money import Cents
from contracts.months import Day

# One event holds at most this many claims or about this many bytes; intake splits above it.
MOST_CLAIMS_AN_EVENT = 250
MOST_BYTES_AN_EVENT = 256 * 1024

Version = Annotated[int, Field(ge=0, le=LARGEST_LONG_NUMBER, description="larger is newer, within one record_id")]
DiagnosisCode = Annotated[str, Field(pattern=r"^[A-Z][0-9A-Z]{2,6}$", description="ICD-10-CM without the dot")]
ProcedureCode = Annotated[str, Field(pattern=r"^[0-9A-Z]{5}$", description="HCPCS or CPT")]
Code = Annotated[str, Field(max_length=8)]


class Adjustment(StrEnum):
    """CLM_ADJSMT_TYPE_CD: 0 original, 1 cancellation, 2 adjustment."""

    ORIGINAL = "original"
    CANCELLATION = "cancellation"
    ADJUSTMENT = "adjustment"


class ClaimsFeed(StrEnum):
    """By which feed a claim came. The same claim by two feeds has one ``record_id`` and one meaning."""

    CCLF = "cclf"
    FHIR_STU3 = "fhir_stu3"
    FHIR_R4 = "fhir_r4"
    FHIR_R4_V3 = "fhir_r4_v3"
    TMSIS = "tmsis"
    ENCOUNTER_837 = "encounter_837"


class InstitutionalProcedure(ContractModel):
    """One ICD-10-PCS procedure of an institutional claim."""

    code: Annotated[str, Field(pattern=r"^[0-9A-Z]{3,7}$", description="ICD-10-PCS")]
    performed_on: Day | None = None


class MedicareClaimLine(ContractModel):
    """One Part B or DME line, or one outpatient revenue line."""

    line_number: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    service_from: Day
    service_through: Day
    procedure_code: ProcedureCode | None = None
    revenue_center_code: Code | None = None
    place_of_service_code: Code | None = None
    provider_specialty_code: Code | None = None
    rendering_npi: Npi | None = None
    # Of the practice that was paid. A sole practitioner's may be their own number: it is shown to nobody.
    practice_tax_number: Annotated[str, Field(max_length=10), NotAnMbi] | None = None
    paid_cents: Cents | None = None
    allowed_cents: Cents | None = None
    # Population-based payment: what the entity was paid instead, and by how much Medicare's payment was reduced for it.
    inclusion_cents: Cents | None = None
    reduction_cents: Cents | None = None
    denied: bool = False


class MedicareClaim(ContractModel):
    """One record of a claim: CCLF1 header, the lines of one CCLF5/6 claim, or one FHIR EOB.

    ``paid_cents`` counts for Part A (``claim_type_code`` 10-61); lines count for Part B (71, 72, 81, 82).
    """

    record_id: RecordId
    version: Version
    claim_type_code: Annotated[str, Field(pattern=r"^[0-9]{2}$", description="CLM_TYPE_CD, verbatim")]
    adjustment: Adjustment
    claim_control_number: Annotated[str, Field(max_length=40), NotAnMbi] | None = None
    service_from: Day
    service_through: Day
    paid_cents: Cents
    facility_type_code: Code | None = None
    classification_code: Code | None = None
    facility_number: Annotated[str, Field(max_length=20), NotAnMbi] | None = None
    facility_npi: Npi | None = None
    diagnosis_related_group_code: Code | None = None
    discharge_status_code: Code | None = None
    admission_type_code: Code | None = None
    primary_payer_code: Code | None = None
    denied: bool = False
    diagnosis_codes: Annotated[tuple[DiagnosisCode, ...], Field(max_length=60)] = ()
    procedures: Annotated[tuple[InstitutionalProcedure, ...], Field(max_length=60)] = ()
    inclusion_cents: Cents | None = None
    reduction_cents: Cents | None = None
    lines: Annotated[tuple[MedicareClaimLine, ...], Field(max_length=1000)] = ()
    substance_use: bool = False


class MedicareClaimsDeliveredData(ContractModel):
    """One person's Medicare claims of one delivery, or a part of them (``part`` of ``parts``)."""

    person_id: PersonId
    state: StateCode
    part: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    parts: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    feed: ClaimsFeed | None = None
    claims: Annotated[tuple[MedicareClaim, ...], Field(min_length=1, max_length=MOST_CLAIMS_AN_EVENT)]


class MedicareClaimsDelivered(Event[MedicareClaimsDeliveredData]):
    """See :class:`MedicareClaimsDeliveredData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.claims.medicare-delivered.v1"


class PreliminaryMedicareClaimsDelivered(Event[MedicareClaimsDeliveredData]):
    """Claims on their way through adjudication: early signs of care, never money. Key: person."""

    TYPE: ClassVar[str] = "tandem.claims.medicare-preliminary-delivered.v1"


class PartDEvent(ContractModel):
    """One fill of a prescription under Part D, final action only. What the plan paid is not in the feed."""

    record_id: RecordId
    version: Version
    claim_type_code: Annotated[str, Field(pattern=r"^[0-9]{2}$", description="CLM_TYPE_CD, verbatim")]
    adjustment: Adjustment = Adjustment.ORIGINAL
    filled_on: Day
    national_drug_code: Annotated[str, Field(pattern=r"^[0-9]{11}$", description="NDC")] | None = None
    days_supply: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] | None = None
    quantity: Annotated[str, Field(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,4})?$", description="units, decimal")] | None = (
        None
    )
    fill_number: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] | None = None
    dispensing_status_code: Code | None = None
    prescriber_npi: Npi | None = None
    pharmacy_npi: Npi | None = None
    patient_paid_cents: Cents | None = None


class PartDEventsDeliveredData(ContractModel):
    """One person's Part D events of one delivery, or a part of them (``part`` of ``parts``)."""

    person_id: PersonId
    state: StateCode
    part: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    parts: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    feed: ClaimsFeed | None = None
    claims: Annotated[tuple[PartDEvent, ...], Field(min_length=1, max_length=MOST_CLAIMS_AN_EVENT)]


class PartDEventsDelivered(Event[PartDEventsDeliveredData]):
    """See :class:`PartDEventsDeliveredData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.claims.part-d-delivered.v1"


class MedicaidClaimLine(ContractModel):
    """One T-MSIS claim line."""

    line_number: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    service_from: Day
    service_through: Day
    type_of_service_code: Code | None = None
    procedure_code: ProcedureCode | None = None
    revenue_code: Code | None = None
    waiver_benefit: bool = False
    paid_cents: Cents
    denied: bool = False


class MedicaidClaim(ContractModel):
    """The newest adjudication of one Medicaid claim, encounter or capitation payment.

    ``paid_cents`` is the header's Medicaid paid amount; lines share it out where they carry amounts.
    """

    record_id: RecordId
    version: Version
    file_type: Literal["IP", "LT", "OT", "RX"]
    claim_type_code: Annotated[str, Field(pattern=r"^[0-9A-Z]$", description="CLM_TYPE_CD, verbatim")]
    voided: bool = False
    crossover: bool = False
    service_from: Day
    service_through: Day
    paid_cents: Cents
    medicare_paid_cents: Cents | None = None
    medicare_deductible_cents: Cents | None = None
    medicare_coinsurance_cents: Cents | None = None
    plan_id: PlanId | None = None
    provider_npi: Npi | None = None
    type_of_service_code: Code | None = None
    denied: bool = False
    diagnosis_codes: Annotated[tuple[DiagnosisCode, ...], Field(max_length=60)] = ()
    lines: Annotated[tuple[MedicaidClaimLine, ...], Field(max_length=1000)] = ()
    substance_use: bool = False


class MedicaidClaimsDeliveredData(ContractModel):
    """One person's Medicaid claims of one delivery, or a part of them (``part`` of ``parts``)."""

    person_id: PersonId
    state: StateCode
    part: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    parts: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    feed: ClaimsFeed | None = None
    claims: Annotated[tuple[MedicaidClaim, ...], Field(min_length=1, max_length=MOST_CLAIMS_AN_EVENT)]


class MedicaidClaimsDelivered(Event[MedicaidClaimsDeliveredData]):
    """See :class:`MedicaidClaimsDeliveredData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.claims.medicaid-delivered.v1"
