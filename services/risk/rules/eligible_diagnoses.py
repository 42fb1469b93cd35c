"""Which diagnoses of a Medicare claim count for risk adjustment.

Source: CMS, "Final Encounter Data Diagnosis Filtering Logic" (2015-12-22) and its amendment for bill type 87X:
inpatient bills 11X and 41X; outpatient bills 12X, 13X, 43X, 71X, 73X, 76X, 77X, 85X, 87X with a line whose procedure
is on CMS's list; professional claims with such a line. Nothing else counts: not home health, hospice, skilled
nursing, equipment.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from contracts.claims import MedicareClaim

_INPATIENT_CLAIMS: Final = frozenset({"60", "61"})
_OUTPATIENT_CLAIM: Final = "40"
_PROFESSIONAL_CLAIMS: Final = frozenset({"71", "72"})
_INPATIENT_BILLS: Final = frozenset({"11", "41"})
_OUTPATIENT_BILLS: Final = frozenset({"12", "13", "43", "71", "73", "76", "77", "85", "87"})


def _bill(claim: MedicareClaim) -> str:
    return f"{claim.facility_type_code or '?'}{claim.classification_code or '?'}"


def _has_listed_line(claim: MedicareClaim, procedures: AbstractSet[str]) -> bool:
    return any(line.procedure_code in procedures and not line.denied for line in claim.lines)


def ineligible_because(claim: MedicareClaim, procedures: AbstractSet[str]) -> str | None:
    """Say why the claim's diagnoses do not count; ``None`` where they do.

    ``procedures`` are those on CMS's list for the service year.
    """
    if claim.denied:
        return "denied_claim"
    kind = claim.claim_type_code
    if kind in _INPATIENT_CLAIMS:
        return None if _bill(claim) in _INPATIENT_BILLS else "bill_type"
    if kind == _OUTPATIENT_CLAIM and _bill(claim) not in _OUTPATIENT_BILLS:
        return "bill_type"
    if kind != _OUTPATIENT_CLAIM and kind not in _PROFESSIONAL_CLAIMS:
        return "claim_kind"
    return None if _has_listed_line(claim, procedures) else "no_listed_procedure"


def is_eligible(claim: MedicareClaim, procedures: AbstractSet[str]) -> bool:
    """Say whether the claim's diagnoses count."""
    return ineligible_because(claim, procedures) is None


def eligible_diagnoses(claim: MedicareClaim, procedures: AbstractSet[str]) -> tuple[str, ...]:
    """List the claim's diagnosis codes that count, in the order of the claim."""
    return claim.diagnosis_codes if is_eligible(claim, procedures) else ()
