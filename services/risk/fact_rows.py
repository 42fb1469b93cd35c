"""From events to fact rows, in the order of the tables' columns. Pure: what a claim supports is decided here."""

from collections.abc import Iterator
from typing import Any, Final

from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicareClaim,
    MedicareClaimsDelivered,
)
from contracts.coverage import MedicareCoverageSpan, MedicareCoverageStated
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStated
from services.risk.hcc_tables import eligible_procedures, hcc_tables
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.eligible_diagnoses import eligible_diagnoses

Row = tuple[Any, ...]
_ADMISSION_CLAIMS: Final = frozenset({"60", "61"})
_PART_A_CLAIMS: Final = frozenset({"10", "20", "30", "40", "50", "60", "61"})
# Claims of these types can neither support a diagnosis nor be an admission, so no row is kept of them.
_WITHOUT_BEARING: Final = frozenset({"10", "20", "30", "50", "81", "82"})


def medicare_statements(event: MedicareCoverageStated) -> Iterator[Row]:
    """Give one row a span of months; a statement without spans still speaks of the person."""
    data = event.data
    spans: tuple[MedicareCoverageSpan | None, ...] = data.spans or (None,)
    for ordinal, span in enumerate(spans):
        yield (
            *(data.person_id, event.id, ordinal, event.deliveryseq, data.state, "medicare", data.stated_on),
            *(data.birth_date, data.sex_code, data.original_entitlement_code, data.death_date, data.part_b_began),
            *((span.first_month, span.last_month, span.dual_status_code) if span else (None, None, None)),
            None,
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
            span.long_term_care_level if span else None,
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


def supported_diagnoses(claim: MedicareClaim, policy: RiskPolicy) -> tuple[str, ...]:
    """List the diagnoses that count and that a model knows."""
    tables = hcc_tables(policy.hcc_tables_year)
    codes = eligible_diagnoses(claim, eligible_procedures(claim.service_through.year, policy))
    return tuple(code for code in codes if tables.is_mapped(code))


def claim_records(event: MedicareClaimsDelivered, policy: RiskPolicy) -> Iterator[Row]:
    """Give one row a claim record that may support a diagnosis, be an admission, or take either back."""
    data = event.data
    for claim in data.claims:
        if claim.claim_type_code not in _WITHOUT_BEARING:
            yield (
                *(data.person_id, claim.record_id, claim.version, event.deliveryseq, data.state, claim_key(claim)),
                claim.adjustment is Adjustment.CANCELLATION,
                claim.claim_type_code in _ADMISSION_CLAIMS and not claim.denied,
                *(claim.service_from, claim.service_through),
                "|".join(supported_diagnoses(claim, policy)),
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
