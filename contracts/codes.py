"""CMS code sets, verbatim at the edge and with a plain meaning inside.

Sources: CCW codebook of the Master Beneficiary Summary File (``DUAL_01``); CCLF Information Packet v36.0, CCLF8.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

DualStatusCode = Annotated[
    Literal["NA", "00", "01", "02", "03", "04", "05", "06", "08", "09", "10", "99"],
    Field(description="dual status as CMS writes it; 99 = unknown (also *, ~ and XX in source files)"),
]
EntitlementBuyInCode = Annotated[
    Literal["0", "1", "2", "3", "A", "B", "C"], Field(description="CCLF8 BENE_ENTLMT_BUYIN_IND")
]
MedicareStatusCode = Annotated[Literal["00", "10", "11", "20", "21", "31"], Field(description="BENE_MDCR_STUS_CD")]
OriginalEntitlementCode = Annotated[Literal["0", "1", "2", "3", "4"], Field(description="OREC")]
SexCode = Annotated[Literal["0", "1", "2"], Field(description="0 unknown, 1 male, 2 female")]


class BenefitLevel(StrEnum):
    """What a dual status code means for Medicaid benefits."""

    FULL = "full"
    PARTIAL = "partial"
    OTHER = "other"
    NONE = "none"
    UNKNOWN = "unknown"


DUAL_BENEFIT_LEVEL: dict[str, BenefitLevel] = {
    "NA": BenefitLevel.NONE,
    "00": BenefitLevel.NONE,
    **dict.fromkeys(("02", "04", "08"), BenefitLevel.FULL),
    **dict.fromkeys(("01", "03", "05", "06"), BenefitLevel.PARTIAL),
    **dict.fromkeys(("09", "10"), BenefitLevel.OTHER),
    "99": BenefitLevel.UNKNOWN,
}

_UNKNOWN_DUAL = frozenset({"*", "~", "XX", "99", "**"})
_EXPIRED_DUAL = frozenset({"07"})  # QI-2, 1998-2002


class CodeError(ValueError):
    """The text is not a value of the code set."""


def dual_status_code(text: str) -> str | None:
    """Read a dual status as any source writes it: padded, ``2`` for ``02``, blank for no information.

    Raises :class:`CodeError` for a code that CMS does not define, or no longer (07).
    """
    code = text.strip().upper()
    if not code:
        return None
    if code in _UNKNOWN_DUAL:
        return "99"
    code = code if code == "NA" else code.rjust(2, "0")
    if code in DUAL_BENEFIT_LEVEL:
        return code
    raise CodeError("dual status 07 ended in 2002" if code in _EXPIRED_DUAL else "not a dual status code")


def benefit_level(code: str | None) -> BenefitLevel:
    """Full, partial, other or no Medicaid benefit; unknown when there is no code."""
    return BenefitLevel.UNKNOWN if code is None else DUAL_BENEFIT_LEVEL[code]


PART_A_AND_B_CODES = frozenset({"3", "C"})
END_STAGE_RENAL_DISEASE_STATUS = frozenset({"11", "21", "31"})


class HealthPlan(StrEnum):
    """A Medicare health plan instead of fee-for-service."""

    NONE = "none"
    MEDICARE_ADVANTAGE = "medicare_advantage"
    COST = "cost"
    PACE = "pace"


class Payer(StrEnum):
    """Who paid."""

    MEDICARE = "medicare"
    MEDICAID = "medicaid"


class Cohort(StrEnum):
    """On whose side of a comparison a person's month counts."""

    ALIGNED = "aligned"
    COMPARISON = "comparison"
    EXCLUDED = "excluded"
    # No decision about the month is known yet: costs are counted here, and no person-month stands behind them.
    UNASSIGNED = "unassigned"


DecidedCohort = Literal[Cohort.ALIGNED, Cohort.COMPARISON, Cohort.EXCLUDED]


class ServiceCategory(StrEnum):
    """Categories shared by both payers, so that what moves from one to the other can be seen."""

    INPATIENT = "inpatient"
    OUTPATIENT = "outpatient"
    SKILLED_NURSING_FACILITY = "skilled_nursing_facility"
    NURSING_FACILITY = "nursing_facility"
    HOME_HEALTH = "home_health"
    HOSPICE = "hospice"
    PHYSICIAN = "physician"
    DURABLE_MEDICAL_EQUIPMENT = "durable_medical_equipment"
    HOME_AND_COMMUNITY = "home_and_community"
    BEHAVIOURAL_HEALTH = "behavioural_health"
    DRUGS = "drugs"
    OTHER = "other"
    CAPITATION = "capitation"
