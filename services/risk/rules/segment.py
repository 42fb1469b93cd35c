"""Which CMS-HCC segment a person belongs to in a payment year.

Source: CMS Announcement of Medicare Advantage Capitation Rates, CMS-HCC segments; order as in CMS's software:
long-term institutional, then new enrollee, then community by Medicaid benefit and age on February 1.
"""

from datetime import date
from typing import Final, Literal

from contracts.codes import BenefitLevel, benefit_level
from contracts.risk import Segment

_AGED = 65
_COMMUNITY: Final[dict[tuple[str, bool], Segment]] = {
    ("N", True): "CNA",
    ("N", False): "CND",
    ("P", True): "CPA",
    ("P", False): "CPD",
    ("F", True): "CFA",
    ("F", False): "CFD",
}
BenefitLetter = Literal["F", "P", "N"]
_BENEFIT_LETTER: Final[dict[BenefitLevel, BenefitLetter]] = {BenefitLevel.FULL: "F", BenefitLevel.PARTIAL: "P"}
OriginalEntitlement = Literal["0", "1", "2", "3"]
_ORIGINAL_ENTITLEMENT: Final[dict[str | None, OriginalEntitlement]] = {"0": "0", "1": "1", "2": "2", "3": "3"}


def age_on_first_of_february(birth_date: date, payment_year: int) -> int:
    """Count completed years on February 1 of the payment year; somebody born later counts as 0."""
    day = date(payment_year, 2, 1)
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return max(day.year - birth_date.year - (not had_birthday), 0)


def has_medicaid(dual_status_code: str | None) -> bool:
    """Say whether a dual status brings Medicaid benefits, full or partial: 09, 10, 99 and no code do not."""
    return benefit_level(dual_status_code) in _BENEFIT_LETTER


def original_entitlement(code: str | None) -> OriginalEntitlement:
    """Read OREC as CMS's software does, which knows 0 to 3: an unknown reason counts as age."""
    return _ORIGINAL_ENTITLEMENT.get(code, "0")


def benefit_letter(dual_status_code: str | None) -> BenefitLetter:
    """Say whether a dual status brings full, partial or no Medicaid benefits."""
    return _BENEFIT_LETTER.get(benefit_level(dual_status_code), "N")


def segment_of(
    age: int,
    dual_status_code: str | None,
    *,
    institutional: bool,
    new_enrollee: bool,
    special_needs_plan: bool = False,
) -> Segment:
    """Choose the segment of a person whose age is known."""
    if institutional:
        return "INS"
    if new_enrollee:
        return "SNPNE" if special_needs_plan else "NE"
    return _COMMUNITY[benefit_letter(dual_status_code), age >= _AGED]
