"""From events to fact rows, in the order of the tables' columns. Pure: what a claim supports is decided here."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicareClaim,
    MedicareClaimsDelivered,
    PartDEventsDelivered,
)
from contracts.coverage import MedicareCoverageSpan, MedicareCoverageStated
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStated
from services.risk.claim_codes import claim_codes
from services.risk.hcc_tables import eligible_procedures, is_known
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.claim_marks import avoidable_admissions, frailty_of, mark_number, paid_cents
from services.risk.rules.eligible_diagnoses import ineligible_because

Row = tuple[Any, ...]
_ADMISSION_CLAIMS: Final = frozenset({"60", "61"})
_CANCELLATION: Final = Adjustment.CANCELLATION
_PART_A_CLAIMS: Final = frozenset({"10", "20", "30", "40", "50", "60", "61"})
SERVICE_AFTER_DELIVERY: Final = "service_after_delivery"
# Of the eleven digits of an NDC: labeler and product, without the package.
_PRODUCT_DIGITS: Final = 9


def medicare_statements(event: MedicareCoverageStated) -> Iterator[Row]:
    """Give one row a span of months; a statement without spans still speaks of the person."""
    data = event.data
    spans: tuple[MedicareCoverageSpan | None, ...] = data.spans or (None,)
    for ordinal, span in enumerate(spans):
        yield (
            *(data.person_id, event.id, ordinal, event.deliveryseq, data.state, "medicare", data.stated_on),
            *(data.birth_date, data.sex_code, data.original_entitlement_code, data.death_date, data.part_b_began),
            *((span.first_month, span.last_month, span.dual_status_code) if span else (None, None, None)),
            *(None, span.medicare_status_code if span else None, None),
        )


def medicaid_statements(event: MedicaidEnrolmentStated) -> Iterator[Row]:
    """Give one row a span of months; a statement without spans still speaks of the person."""
    data = event.data
    spans: tuple[MedicaidEnrolmentSpan | None, ...] = data.spans or (None,)
    for ordinal, span in enumerate(spans):
        yield (
            *(data.person_id, event.id, ordinal, event.deliveryseq, data.state, "medicaid", data.stated_on),
            *(data.birth_date, data.sex_code, None, data.death_date, None),
            *((span.first_month, span.last_month, span.dual_status_code) if span else (None, None, None)),
            *(span.long_term_care_level if span else None, None, span.health_plan_contract if span else None),
        )


def claim_key(claim: MedicareClaim) -> str:
    """Name what related records share: facility and dates for Part A, else the control number, else the record alone.

    Source: CCLF Information Packet v36.0, 5.1.3 (natural keys of Part A and Part B claims).
    """
    if claim.claim_type_code in _PART_A_CLAIMS and claim.facility_number is not None:
        return f"{claim.claim_type_code}:{claim.facility_number}:{claim.service_from}:{claim.service_through}"
    if claim.claim_control_number is not None:
        return f"{claim.claim_type_code}:{claim.claim_control_number}"
    return claim.record_id


def _reason(claim: MedicareClaim, delivered_on: date, policy: RiskPolicy) -> str | None:
    if claim.service_through > delivered_on:
        return SERVICE_AFTER_DELIVERY
    return ineligible_because(claim, eligible_procedures(claim.service_through.year, policy))


def supported_diagnoses(
    claim: MedicareClaim, delivered_on: date, policy: RiskPolicy
) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """List the diagnoses that a model knows: those that count, those that do not, and why not."""
    known = tuple([code for code in claim.diagnosis_codes if is_known(code, policy)])
    reason = _reason(claim, delivered_on, policy) if known else None
    return (known, (), None) if reason is None else ((), known, reason)


def claim_records(event: MedicareClaimsDelivered, policy: RiskPolicy) -> Iterator[Row]:
    """Give one row a claim record: which diagnoses it supports, what it is a sign of, what it cost."""
    data, codes, day = event.data, claim_codes(), event.time.date()
    for claim in data.claims:
        counting, ignored, reason = supported_diagnoses(claim, day, policy)
        yield (
            *(data.person_id, claim.record_id, claim.version, event.deliveryseq, data.state, claim_key(claim)),
            claim.adjustment is _CANCELLATION,
            claim.claim_type_code in _ADMISSION_CLAIMS and not claim.denied,
            *(claim.service_from, claim.service_through),
            *("|".join(counting), "|".join(ignored), reason, claim.claim_type_code, paid_cents(claim)),
            *(mark_number(claim, codes), frailty_of(claim, codes)),
            "|".join([str(number) for number in avoidable_admissions(claim, codes)]),
        )


def product_of(national_drug_code: str) -> str:
    """Labeler and product of an NDC, without the package."""
    return national_drug_code[:_PRODUCT_DIGITS]


def drug_fills(event: PartDEventsDelivered) -> Iterator[Row]:
    """Give one row a fill that names its drug."""
    data = event.data
    for fill in data.claims:
        if fill.national_drug_code is not None:
            yield (
                *(data.person_id, fill.record_id, fill.version, event.deliveryseq, data.state, fill.filled_on),
                *(product_of(fill.national_drug_code), fill.adjustment is Adjustment.CANCELLATION),
            )


def _counts(claim: MedicaidClaim) -> bool:
    return not claim.voided and not claim.denied


def facility_stays(event: MedicaidClaimsDelivered) -> Iterator[Row]:
    """Give one row a long-term-care claim (T-MSIS file LT)."""
    data = event.data
    for claim in data.claims:
        if claim.file_type == "LT":
            yield (
                *(data.person_id, claim.record_id, claim.version, event.deliveryseq, data.state),
                *(claim.service_from, claim.service_through, _counts(claim)),
            )
