"""What a Medicare claim is a sign of, beyond its diagnoses: marks that are counted without reading the claim again.

Sources: ResDAC's way to find emergency department visits (revenue centers); AHRQ Prevention Quality Indicators; primary
care services of the GPDC Participation Agreement; markers of frailty as claims-based indices use them. The codes and
what is left out of each definition are in ``policy/claim_marks.toml``. The numbers of marks are stored: they never change.
"""

from enum import IntFlag
from functools import lru_cache
from typing import Final

from contracts.claims import MedicareClaim, MedicareClaimLine
from services.risk.claim_codes import ClaimCodes, Indicator
from services.risk.rules.kidney_status import TRANSPLANT_SERVICES, is_transplant_stay

_ACUTE: Final = frozenset({"60", "61"})
_HOSPITAL: Final = frozenset({"40", "60", "61"})
_SERVICE_LINES: Final = frozenset({"40", "71", "72"})
_PROFESSIONAL: Final = "71"
_RENAL_BILL: Final = ("7", "2")
_LAST_INSTITUTIONAL: Final = "61"


class Mark(IntFlag):
    """One bit a mark."""

    ADMISSION = 1
    AVOIDABLE = 2
    EMERGENCY = 4
    PRIMARY_CARE = 8
    SKILLED_NURSING = 16
    HOME_HEALTH = 32
    HOSPICE = 64
    DIALYSIS = 128
    INFUSION = 256
    WOUND = 512
    BEHAVIOURAL = 1024
    TRANSPLANT = 2048
    TO_FACILITY = 4096


# Whole numbers here and below: millions of claims are marked, and a flag is slow to put together.
_BY_CLAIM_TYPE: Final = {
    "10": Mark.HOME_HEALTH.value,
    "20": Mark.SKILLED_NURSING.value,
    "30": Mark.SKILLED_NURSING.value,
    "50": Mark.HOSPICE.value,
    "60": Mark.ADMISSION.value,
    "61": Mark.ADMISSION.value,
}
_DIALYSIS, _INFUSION, _WOUND = Mark.DIALYSIS.value, Mark.INFUSION.value, Mark.WOUND.value
_AVOIDABLE, _EMERGENCY, _PRIMARY_CARE = Mark.AVOIDABLE.value, Mark.EMERGENCY.value, Mark.PRIMARY_CARE.value
_BEHAVIOURAL, _TRANSPLANT, _TO_FACILITY = Mark.BEHAVIOURAL.value, Mark.TRANSPLANT.value, Mark.TO_FACILITY.value


def _any_starts(codes: tuple[str, ...], beginnings: tuple[str, ...]) -> bool:
    return bool(beginnings) and any(code.startswith(beginnings) for code in codes)


def _meets(claim: MedicareClaim, indicator: Indicator) -> bool:
    procedures = tuple(one.code for one in claim.procedures)
    return (
        (not indicator.principal or claim.diagnosis_codes[0].startswith(indicator.principal))
        and (not indicator.procedures or _any_starts(procedures, indicator.procedures))
        and (not indicator.with_any or _any_starts(claim.diagnosis_codes, indicator.with_any))
        and not _any_starts(claim.diagnosis_codes, indicator.without)
    )


def avoidable_admissions(claim: MedicareClaim, codes: ClaimCodes) -> tuple[int, ...]:
    """List the prevention quality indicators of an admission, before those that ask for an age are looked at."""
    if claim.claim_type_code not in _ACUTE or claim.denied or not claim.diagnosis_codes:
        return ()
    return tuple(one.number for one in codes.prevention_quality_indicators if _meets(claim, one))


@lru_cache(maxsize=10_000)
def _of_service(code: str, codes: ClaimCodes) -> int:
    """The marks that a service can be. Claims share services: each is looked up once."""
    lists = (
        (_DIALYSIS, codes.dialysis_services),
        (_INFUSION, codes.infusion_services),
        (_WOUND, codes.wound_services),
        (_PRIMARY_CARE, codes.primary_care_services),
        (_TRANSPLANT, TRANSPLANT_SERVICES),
    )
    return sum(mark for mark, services in lists if code in services)


def _of_line(line: MedicareClaimLine, kind: str, codes: ClaimCodes) -> int:
    """The marks of one line, as far as the claim is of a type on which they count."""
    if line.denied or line.procedure_code is None:
        return 0
    found = _of_service(line.procedure_code, codes)
    if kind not in _SERVICE_LINES:
        found &= _TRANSPLANT
    specialty = line.provider_specialty_code
    if found & _PRIMARY_CARE and (
        kind != _PROFESSIONAL or not (specialty is None or specialty in codes.primary_care_specialties)
    ):
        found -= _PRIMARY_CARE
    return found


@lru_cache(maxsize=100_000)
def _of_diagnosis(code: str, codes: ClaimCodes) -> int:
    return _BEHAVIOURAL if code.startswith(codes.behavioural_starting) else 0


def _is_emergency(claim: MedicareClaim, codes: ClaimCodes) -> bool:
    return any(
        (line.revenue_center_code or "").rjust(4, "0") in codes.emergency_revenue_centers for line in claim.lines
    )


def marks_of(claim: MedicareClaim, codes: ClaimCodes) -> Mark:
    """Say what a claim is a sign of; a denied one of nothing."""
    return Mark(mark_number(claim, codes))


def mark_number(claim: MedicareClaim, codes: ClaimCodes) -> int:
    """Give :func:`marks_of` as the number that is stored."""
    if claim.denied:
        return 0
    kind = claim.claim_type_code
    found = _BY_CLAIM_TYPE.get(kind, 0)
    for code in claim.diagnosis_codes:
        found |= _of_diagnosis(code, codes)
    for line in claim.lines:
        found |= _of_line(line, kind, codes)
    if kind in _SERVICE_LINES and (claim.facility_type_code, claim.classification_code) == _RENAL_BILL:
        found |= _DIALYSIS
    if is_transplant_stay(claim):
        found |= _TRANSPLANT
    return found | _of_hospital(claim, codes) if kind in _HOSPITAL else found


def _of_hospital(claim: MedicareClaim, codes: ClaimCodes) -> int:
    found = _EMERGENCY if _is_emergency(claim, codes) else 0
    if claim.claim_type_code in _ACUTE:
        found |= _AVOIDABLE if avoidable_admissions(claim, codes) else 0
        found |= _TO_FACILITY if claim.discharge_status_code in codes.facility_discharge_statuses else 0
    return found


@lru_cache(maxsize=100_000)
def _frailty_of_diagnosis(code: str, codes: ClaimCodes) -> int:
    """People share diagnoses: each is looked up once."""
    return sum(
        1 << place
        for place, marker in enumerate(codes.frailty_markers)
        if marker.diagnoses and code.startswith(marker.diagnoses)
    )


@lru_cache(maxsize=10_000)
def _frailty_of_service(code: str | None, codes: ClaimCodes) -> int:
    return sum(1 << place for place, marker in enumerate(codes.frailty_markers) if code in marker.services)


def frailty_of(claim: MedicareClaim, codes: ClaimCodes) -> int:
    """Give the markers of frailty of a claim, one bit each in the order of the list."""
    if claim.denied:
        return 0
    found = 0
    for code in claim.diagnosis_codes:
        found |= _frailty_of_diagnosis(code, codes)
    for line in claim.lines:
        found |= 0 if line.denied else _frailty_of_service(line.procedure_code, codes)
    return found


def paid_cents(claim: MedicareClaim) -> int:
    """What Medicare paid: of institutional claims the payment, of others the lines; nothing where denied."""
    if claim.denied:
        return 0
    if claim.claim_type_code <= _LAST_INSTITUTIONAL:
        return claim.paid_cents
    return sum(line.paid_cents or 0 for line in claim.lines if not line.denied)
