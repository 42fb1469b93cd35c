"""The claim type (CLM_TYPE_CD) that a claim in adjudication will have, by its type of bill or by its system's code.

Before a claim is final CMS's shared systems number it by type of bill (facility type and classification, the first
two digits) or, in the Integrated Data Repository, by a four-digit code made of it: 1 and 2 in front are the phases of
adjudication, 700 is professional, 800 is equipment. Sources: ResDAC, NCH Claim Type Code (which bills make a type);
CMS, Medicare Claims Processing Manual, chapter 1 (type of bill); CMS Beneficiary FHIR Data, code system CLM-TYPE-CD.
"""

from typing import Final

_INPATIENT, _SWING_BED, _SKILLED_NURSING, _HOME_HEALTH, _OUTPATIENT, _HOSPICE = "60", "30", "20", "10", "40", "50"
PROFESSIONAL: Final = "71"
EQUIPMENT: Final = "82"
_PHASES = frozenset("12")
_PHASED_DIGITS = 4

_OF_BILL: dict[str, str] = {
    **dict.fromkeys(("11", "41"), _INPATIENT),
    **dict.fromkeys(("18", "28"), _SWING_BED),
    "21": _SKILLED_NURSING,
    **dict.fromkeys(("32", "33"), _HOME_HEALTH),
    **dict.fromkeys(("81", "82"), _HOSPICE),
    **dict.fromkeys(("12", "13", "14", "22", "23", "34", "42", "43"), _OUTPATIENT),
    **dict.fromkeys(("71", "72", "73", "74", "75", "76", "77", "78", "79", "83", "85", "87"), _OUTPATIENT),
}


def claim_type_of_bill(facility_type: str | None, classification: str | None) -> str | None:
    """The type that a bill of this facility type and classification gets; ``None`` for bills of no known type."""
    return _OF_BILL.get(f"{facility_type}{classification}")


def is_preliminary(code: str) -> bool:
    """Whether a claim type code is one of the phases before a claim is final."""
    return len(code) == _PHASED_DIGITS and code.isdecimal() and code[0] in _PHASES


def claim_type_of_phase(code: str) -> str | None:
    """The type that a claim of a four-digit code will have; ``None`` for reserved codes and notices of election."""
    if code[1:] == "700":
        return PROFESSIONAL
    if code[1:] == "800":
        return EQUIPMENT
    return _OF_BILL.get(code[2:]) if code[1] == "0" else None
