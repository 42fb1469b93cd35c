"""Whether a person has end-stage renal disease in a month, and whether a transplanted kidney works.

Source: CCLF8 Medicare status codes 11, 21 and 31 (with end-stage renal disease); CMS-HCC ESRD model: transplant status in the
month of the operation and the two after it, functioning graft from the fourth month on. The transplant is known by its
inpatient claim: DRG 008, 019, 650, 651 or 652, ICD-10-PCS 0TY0 or 0TY1, or CPT 50360 or 50365. A graft that fails is
known to no feed but by dialysis that begins again: three months with dialysis after the third month end it.
"""

from collections.abc import Iterable
from typing import Final

from contracts.claims import MedicareClaim
from contracts.codes import END_STAGE_RENAL_DISEASE_STATUS
from contracts.months import month_index, month_of
from services.risk.facts import ClaimRecord, Statement
from services.risk.rules.coverage_at import nearest_snapshot
from services.risk.rules.esrd_score import Kidneys, kidneys_of

_TRANSPLANT_GROUPS: Final = frozenset({"008", "019", "650", "651", "652"})
_TRANSPLANT_PROCEDURES: Final = ("0TY0", "0TY1")
TRANSPLANT_SERVICES: Final = frozenset({"50360", "50365"})
_LAST_TRANSPLANT_MONTH: Final = 3
_DIALYSIS_MONTHS_OF_FAILURE: Final = 3


def is_transplant_stay(claim: MedicareClaim) -> bool:
    """Say whether a claim that was not denied is of the hospital where a kidney was transplanted."""
    group = claim.diagnosis_related_group_code
    if group is not None and group.lstrip("0").rjust(3, "0") in _TRANSPLANT_GROUPS:
        return True
    return any(procedure.code.startswith(_TRANSPLANT_PROCEDURES) for procedure in claim.procedures)


def _is_renal(statements: Iterable[Statement], month: str) -> bool:
    coded = [one for one in statements if one.medicare_status_code is not None and one.first_month is not None]
    newest = nearest_snapshot(coded, month)
    return newest is not None and newest.medicare_status_code in END_STAGE_RENAL_DISEASE_STATUS


def _has_failed(standing: Iterable[ClaimRecord], transplanted: int, until: int) -> bool:
    months = {month_index(month_of(one.service_through)) for one in standing if one.dialysis}
    return (
        sum(transplanted + _LAST_TRANSPLANT_MONTH <= month <= until for month in months) >= _DIALYSIS_MONTHS_OF_FAILURE
    )


def kidneys_in(statements: Iterable[Statement], standing: tuple[ClaimRecord, ...], month: str) -> Kidneys | None:
    """Read the status of a month; ``None`` without the disease."""
    index = month_index(month)
    operations = [month_index(month_of(one.service_through)) for one in standing if one.transplant]
    transplanted = max((one for one in operations if one <= index), default=None)
    if transplanted is not None:
        graft_month = index - transplanted + 1
        if graft_month <= _LAST_TRANSPLANT_MONTH:
            return kidneys_of("transplant", graft_month)
        if not _has_failed(standing, transplanted, index):
            return kidneys_of("functioning_graft", graft_month)
    return Kidneys("dialysis") if transplanted is not None or _is_renal(statements, month) else None
