"""Lines, diagnoses and charges of an 837 claim. Source: ASC X12N 005010X222A1, 005010X223A2, 005010X224A2."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from services.intake.readers.encounter_837_claim import Claim, OtherPayer, ServiceLine
from services.intake.readers.encounter_837_payments import line_payment
from services.intake.readers.fields import diagnosis_code, digits, procedure_code
from services.intake.readers.x12_segments import Segment
from services.intake.readers.x12_values import Defects, ElementError, converted, period, required_amount
from services.intake.rules.encounter_codes import (
    LineInformation,
    encounter_policy,
    line_information,
    type_of_service,
)

# HI qualifiers: principal and other diagnoses of ICD-10-CM; those of ICD-9-CM have two letters.
_DIAGNOSES = frozenset({"ABK", "ABF"})
_OLD_DIAGNOSES = frozenset({"BK", "BF"})
_MOST_DIAGNOSES = 60
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z]{2,6}")
# HCPCS and CPT, dental (CDT), and the codes of home health and skilled nursing payment groups.
_PROCEDURE_CODES = frozenset({"HC", "AD", "HP"})
# Where each kind of service line has its charge; SV2 begins with the revenue code.
_CHARGE_AT = {"SV1": 2, "SV2": 3, "SV3": 2}
_REVENUE_LINE = "SV2"
_LARGEST_LINE_NUMBER = 9_999
_revenue_code = digits(3, 4)


def diagnoses(claim: Claim, defects: Defects) -> Iterator[str]:
    """ICD-10-CM codes, principal first as they stand, each once."""
    seen: set[str] = set()
    for segment in claim.named("HI"):
        for position in range(1, len(segment.elements)):
            code = _diagnosis(segment, position, defects)
            if code is not None and code not in seen and len(seen) < _MOST_DIAGNOSES:
                seen.add(code)
                yield code


def _diagnosis(segment: Segment, position: int, defects: Defects) -> str | None:
    qualifier, text = (*segment.components(position), "")[:2]
    name = f"HI{position:02d}"
    if qualifier in _OLD_DIAGNOSES:
        defects.add(segment, name, "not_icd_10", text, "a code of ICD-10-CM (ABK, ABF)")
    if qualifier not in _DIAGNOSES:
        return None
    code = diagnosis_code(text) if "\x00" not in text else text
    if code is not None and _DIAGNOSIS.fullmatch(code):
        return code
    defects.add(segment, name, "not_a_diagnosis_code", text, "a code of ICD-10-CM")
    return None


def charges_balance(claim: Claim, defects: Defects) -> None:
    """The charges of the lines come to that of the claim, or a line was lost on the way."""
    charged = required_amount(claim.head, 2, "CLM02")
    by_line = [_charge(line.service) for line in claim.lines if line.service is not None]
    if by_line and sum(by_line) != charged:
        defects.add(claim.head, "CLM02", "charges_do_not_balance", expected="the sum of the charges of the lines")


def _charge(service: Segment) -> int:
    name = service.name
    return required_amount(service, _CHARGE_AT[name], f"{name}{_CHARGE_AT[name]:02d}")


def line_values(claim: Claim, plan: OtherPayer | None, state: str, defects: Defects) -> list[dict[str, Any]]:
    """The fields of every line; days are ``None`` where the line has none."""
    policy = encounter_policy()
    said = (line_information(segment.element(1), state, policy) for segment in claim.named("K3"))
    information = {one.line: one for one in said if one is not None}
    lines = []
    for place, line in enumerate(claim.lines, start=1):
        number = _line_number(line, place)
        lines.append(_line(claim, line, number, information.get(number), defects) | _paid(line, plan))
    return lines


def _line_number(line: ServiceLine, place: int) -> int:
    text = line.head.element(1) if line.head.name == "LX" else ""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len("999999") else 0
    return number if 1 <= number <= _LARGEST_LINE_NUMBER else place


def _line(
    claim: Claim, line: ServiceLine, number: int, information: LineInformation | None, defects: Defects
) -> dict[str, Any]:
    procedure, revenue = _codes(line, defects)
    facility, qualifier = (*claim.head.components(5), "", "")[:2]
    first, last = _dates(line)
    said = information.type_of_service_code if information else None
    return {
        "line_number": number,
        "service_from": first,
        "service_through": last,
        "type_of_service_code": said or type_of_service(procedure, facility, qualifier, encounter_policy()),
        "procedure_code": procedure,
        "revenue_code": revenue,
        "waiver_benefit": information.waiver if information else False,
    }


def _paid(line: ServiceLine, plan: OtherPayer | None) -> dict[str, Any]:
    payment = line_payment(line, plan, encounter_policy())
    return {"paid_cents": payment.paid_cents or 0, "denied": payment.denied}


def _codes(line: ServiceLine, defects: Defects) -> tuple[str | None, str | None]:
    """Procedure and revenue code."""
    service = line.service
    if service is None:
        raise ElementError(line.head, "LX", "line_without_service", expected="SV1, SV2 or SV3")
    if service.name != _REVENUE_LINE:
        return _procedure(service, 1, defects), None
    revenue = defects.or_none(
        lambda: converted(service, service.element(1), "SV201", _revenue_code, "three or four digits")
    )
    return _procedure(service, 2, defects), revenue


def _procedure(service: Segment, position: int, defects: Defects) -> str | None:
    qualifier, text = (*service.components(position), "")[:2]
    if qualifier not in _PROCEDURE_CODES:
        return None
    name = f"{service.name}{position:02d}"
    return defects.or_none(
        lambda: converted(service, text, name, procedure_code, "five letters and digits of HCPCS, CPT or CDT")
    )


def _dates(line: ServiceLine) -> tuple[date | None, date | None]:
    if line.dates is None:
        return None, None
    first, last = period(line.dates, line.dates.element(2), line.dates.element(3), "DTP472")
    if first is not None and last is not None and last < first:
        raise ElementError(line.dates, "DTP472", "ends_before_it_begins", expected="a period")
    return first, last
