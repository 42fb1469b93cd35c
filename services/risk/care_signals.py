"""From claims to what they show for care: services received and conditions seen. Pure; codes are policy.

A signal is ``name=day=detail``: detail is the code that shows it, of a primary care visit the clinician, of a sign of frailty its
name. Claims about substance use show nothing here (42 CFR Part 2). Home health, skilled nursing, hospice and equipment claims
show signs of frailty alone, and hospice claims that there is hospice.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
)
from services.risk.care_policy import CarePolicy
from services.risk.claim_codes import claim_codes
from services.risk.fact_rows import Row, claim_key
from services.risk.rules.claim_marks import frailty_of

ADMISSION: Final = "admission"
PRIMARY_CARE: Final = "primary_care"
FRAILTY: Final = "frailty"
HOSPICE: Final = "hospice"
_CANCELLATION: Final = Adjustment.CANCELLATION
_HOSPICE_CLAIM: Final = "50"
_ADMISSIONS: Final = frozenset({"60", "61"})
_PROFESSIONAL: Final = frozenset({"71", "72"})
_READ: Final = _ADMISSIONS | _PROFESSIONAL | {"40"}
_CAPITATION: Final = frozenset({"2", "B", "V"})

Signal = tuple[str, date, str]


def diagnosis_signals(codes: tuple[str, ...], day: date, policy: CarePolicy) -> Iterator[Signal]:
    """The conditions that a claim's diagnoses show."""
    for code in codes:
        for name in policy.shown_by(code):
            yield name, day, code


def _line_signals(line: MedicareClaimLine, claim: MedicareClaim, policy: CarePolicy) -> Iterator[Signal]:
    code = line.procedure_code
    names = () if line.denied or code is None else policy.signals_of_procedure.get(code, ())
    for name in names:
        if name != PRIMARY_CARE:
            yield name, line.service_from, code or ""
        elif claim.claim_type_code not in _PROFESSIONAL:
            yield name, line.service_from, ""
        elif line.provider_specialty_code in policy.primary_care_specialties:
            yield name, line.service_from, line.rendering_npi or ""


def _frailty_signals(claim: MedicareClaim) -> Iterator[Signal]:
    """The markers that predictions count as well, by name."""
    codes = claim_codes()
    if markers := frailty_of(claim, codes):
        for place, marker in enumerate(codes.frailty_markers):
            if markers >> place & 1:
                yield FRAILTY, claim.service_from, marker.name


def medicare_signals(claim: MedicareClaim, policy: CarePolicy) -> set[Signal]:
    """What one Medicare record shows: nothing where it was denied."""
    if claim.denied or claim.substance_use:
        return set()
    shown = set(_frailty_signals(claim))
    if claim.claim_type_code == _HOSPICE_CLAIM:
        shown.add((HOSPICE, claim.service_through, ""))
    if claim.claim_type_code not in _READ:
        return shown
    shown.update(diagnosis_signals(claim.diagnosis_codes, claim.service_from, policy))
    if claim.claim_type_code in _ADMISSIONS:
        shown.add((ADMISSION, claim.service_from, ""))
    for done in claim.procedures:
        names = policy.signals_of_inpatient_procedure.get(done.code, ())
        shown.update((name, done.performed_on or claim.service_from, done.code) for name in names)
    for line in claim.lines:
        # Most services show nothing.
        if line.procedure_code in policy.signals_of_procedure:
            shown.update(_line_signals(line, claim, policy))
    return shown


def medicaid_signals(claim: MedicaidClaim, policy: CarePolicy) -> set[Signal]:
    """What one Medicaid record shows: nothing where it is void or denied. Who saw the person is Medicare's to tell."""
    if claim.voided or claim.denied or claim.substance_use:
        return set()
    shown = set(diagnosis_signals(claim.diagnosis_codes, claim.service_from, policy))
    for line in claim.lines:
        if not line.denied and line.procedure_code is not None:
            names = policy.signals_of_procedure.get(line.procedure_code, ())
            shown.update((name, line.service_from, line.procedure_code) for name in names if name != PRIMARY_CARE)
    return shown


def written(signals: set[Signal]) -> str:
    """Signals as they are kept, in a fixed order."""
    # Most claims show nothing.
    return "" if not signals else "|".join(f"{name}={day}={detail}" for name, day, detail in sorted(signals))


def medicare_rows(event: MedicareClaimsDelivered, policy: CarePolicy) -> Iterator[Row]:
    """One row a record that may show something, or take something back."""
    data = event.data
    for claim in data.claims:
        yield (
            *(data.person_id, claim.record_id, claim.version, event.named_by, event.deliveryseq, data.state),
            *("medicare", claim_key(claim), claim.adjustment is _CANCELLATION),
            *(claim.service_from, claim.service_through, written(medicare_signals(claim, policy)), None),
        )


def medicaid_rows(event: MedicaidClaimsDelivered, policy: CarePolicy) -> Iterator[Row]:
    """One row a service record; a long-term-care claim names its facility where it counts."""
    data = event.data
    for claim in data.claims:
        if claim.file_type in {"OT", "LT"} and claim.claim_type_code not in _CAPITATION:
            stays = claim.file_type == "LT" and not (claim.voided or claim.denied or claim.crossover)
            yield (
                *(data.person_id, claim.record_id, claim.version, event.named_by, event.deliveryseq, data.state),
                *("medicaid", claim.record_id, False, claim.service_from, claim.service_through),
                *(written(medicaid_signals(claim, policy)), claim.provider_npi if stays else None),
            )
