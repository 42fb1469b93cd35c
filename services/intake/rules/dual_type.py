"""Whether a dual status code and the type of dual that CMS states beside it contradict each other.

Source: CMS Beneficiary FHIR Data, BENE_DUAL_STUS_CD and BENE_DUAL_TYPE_CD (F full, P partial, N none, U unknown); CCW
codebook, DUAL_01. 09 and 10 are neither full nor partial, so no type contradicts them but F.
"""

from contracts.codes import BenefitLevel, benefit_level

_CONTRADICTING: dict[BenefitLevel, frozenset[str]] = {
    BenefitLevel.FULL: frozenset("PN"),
    BenefitLevel.PARTIAL: frozenset("FN"),
    BenefitLevel.OTHER: frozenset("F"),
    BenefitLevel.NONE: frozenset("FP"),
    BenefitLevel.UNKNOWN: frozenset(),
}


def contradicts(dual_status_code: str | None, dual_type: str | None) -> bool:
    """Whether both cannot be true. An absent or unknown one contradicts nothing."""
    return dual_type in _CONTRADICTING[benefit_level(dual_status_code)]
