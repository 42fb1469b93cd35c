"""From one 837 claim that Medicaid pays to the record of a Medicaid encounter.

Source: ASC X12N 005010X222A1, 005010X223A2 and 005010X224A2; T-MSIS Data Guide for what the record means. A claim is the
same record as its T-MSIS row (ICN_ORIG) where the plan's own claim number stands in the 837.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from contracts.claims import MedicaidClaim
from contracts.identifiers import holds_an_mbi
from services.intake.readers.encounter_837_claim import Claim, OtherPayer
from services.intake.readers.encounter_837_lines import charges_balance, diagnoses, line_values
from services.intake.readers.encounter_837_payments import (
    claim_is_denied,
    decided_on,
    medicare_share,
    paid_cents,
    plan_of,
)
from services.intake.readers.x12_segments import Segment
from services.intake.readers.x12_values import Defects, ElementError, is_code, period
from services.intake.rules.claim_version import MedicaidAdjustment, medicaid_version
from services.intake.rules.encounter_codes import EncounterPolicy, adjustment_of, encounter_policy, file_type
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

_ENCOUNTER = "3"
_MOST_LINES = 1000
_LONGEST_NUMBER, _LONGEST_PLAN_ID = 40, 20
_NPI_DIGITS = 10
_DIGEST_LETTERS = 32
_FIELDS = {
    "record_id": "REFF8",
    "file_type": "CLM05",
    "plan_id": "NM109",
    "provider_npi": "NM109",
    "paid_cents": "AMT02",
    "service_from": "DTP434",
    "service_through": "DTP434",
    "lines": "LX",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a claim and is true of it: billing provider, the payer it is for, when it was sent."""

    state: str
    billing: Segment | None
    payer: Segment | None
    sent_on: date | None
    dated: date
    identifying: frozenset[str]


@dataclass(frozen=True, slots=True)
class Encounter:
    """The record; whether the plan's own number of the claim was there to make it, and what the plan paid."""

    claim: MedicaidClaim
    numbered: bool
    paid: bool


def encounter(claim: Claim, around: Around, defects: Defects) -> Encounter:
    """The record. Raises :class:`ElementError` for what leaves no record; anything less goes to ``defects``."""
    policy = encounter_policy()
    plan = plan_of(claim, policy, defects)
    facility, qualifier, frequency = (*claim.head.components(5), "", "", "")[:3]
    adjustment = adjustment_of(frequency)
    if adjustment is None:
        raise ElementError(claim.head, "CLM05", "not_in_code_list", frequency, "a claim frequency of the NUBC")
    number = _payer_number(claim, plan, adjustment, around)
    charges_balance(claim, defects)
    paid = paid_cents(claim, plan, defects) if plan else None
    denied = plan is not None and claim_is_denied(claim, plan, paid, policy)
    values = {
        "record_id": f"{around.state}:{number or _own_number(claim, around)}",
        "version": medicaid_version(_decided_on(claim, plan, around), adjustment),
        "file_type": file_type(facility, qualifier, policy),
        "claim_type_code": _ENCOUNTER,
        "voided": adjustment == "void",
        "plan_id": _plan_id(plan, around, defects),
        "provider_npi": _npi(around.billing, defects),
        "paid_cents": paid or 0,
        "denied": denied,
        **_medicare(claim, policy, defects),
        **_services(claim, plan, around, defects, denied=denied),
    }
    try:
        built: MedicaidClaim = MedicaidClaim.__pydantic_validator__.validate_python(values)
    except ValidationError as failure:
        name = str(failure.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
        raise ElementError(claim.head, _FIELDS.get(name, "CLM"), "invalid") from None
    return Encounter(built, numbered=number is not None, paid=paid is not None)


def _payer_number(claim: Claim, plan: OtherPayer | None, adjustment: MedicaidAdjustment, around: Around) -> str | None:
    """The payer's number of the original claim: of a replacement or void in the claim, else in the plan's decision."""
    changed = None if adjustment == "original" else claim.first.get(("REF", "F8"))
    segment = changed or (plan.claim_number if plan else None)
    number = segment.element(2) if segment else ""
    if segment is None or not number:
        if adjustment != "original":
            raise ElementError(claim.head, "REFF8", "original_number_missing", expected="REF*F8 of what is replaced")
        return None
    if holds_an_mbi(number) or number in around.identifying:
        raise ElementError(segment, "REFF8", "identifier", number, "the payer's number of a claim")
    if len(number) > _LONGEST_NUMBER or not is_code(number):
        raise ElementError(segment, "REFF8", "not_a_number_of_a_claim", number, f"at most {_LONGEST_NUMBER} characters")
    return number


def _own_number(claim: Claim, around: Around) -> str:
    """The provider's number (CLM01) is often that of the patient's account: only a digest of it leaves."""
    number = claim.head.element(1)
    if not number:
        raise ElementError(claim.head, "CLM01", "missing", expected="the number of the claim")
    billing = around.billing.element(9) if around.billing else ""
    return sha256(f"{around.state}\n{billing}\n{number}".encode()).hexdigest()[:_DIGEST_LETTERS]


def _decided_on(claim: Claim, plan: OtherPayer | None, around: Around) -> date:
    decided = (decided_on(claim, plan) if plan else None) or around.sent_on
    if decided is None:
        raise ElementError(claim.head, "DTP573", "missing", expected="a day of adjudication, or a day in BHT04")
    if decided > around.dated:
        raise ElementError(claim.head, "DTP573", "after_the_delivery", expected="a day not after the delivery")
    return decided


def _plan_id(plan: OtherPayer | None, around: Around, defects: Defects) -> str | None:
    segment = (plan.payer if plan else None) or around.payer
    text = segment.element(9) if segment else ""
    if segment is None or not text:
        return None
    named = holds_an_mbi(text) or text in around.identifying
    if not named and len(text) <= _LONGEST_PLAN_ID and is_code(text):
        return text
    reason = "identifier" if named else "not_a_code" if len(text) <= _LONGEST_PLAN_ID else "code_too_long"
    defects.add(segment, "NM109", reason, text, f"a payer's number of at most {_LONGEST_PLAN_ID} characters")
    return None


def _npi(billing: Segment | None, defects: Defects) -> str | None:
    text = billing.element(9) if billing else ""
    if billing is None or not text or billing.element(8) != "XX":
        return None
    if len(text) == _NPI_DIGITS and text.isascii() and text.isdecimal():
        return text
    defects.add(billing, "NM109", "not_an_npi", text, "ten digits")
    return None


def _medicare(claim: Claim, policy: EncounterPolicy, defects: Defects) -> dict[str, Any]:
    share = medicare_share(claim, policy, defects)
    return {
        "crossover": share is not None,
        "medicare_paid_cents": share.paid_cents if share else None,
        "medicare_deductible_cents": share.deductible_cents if share else None,
        "medicare_coinsurance_cents": share.coinsurance_cents if share else None,
    }


def _services(
    claim: Claim, plan: OtherPayer | None, around: Around, defects: Defects, *, denied: bool
) -> dict[str, Any]:
    if len(claim.lines) > _MOST_LINES:
        raise ElementError(claim.head, "LX", "too_many_lines", expected=f"at most {_MOST_LINES}")
    lines = line_values(claim, plan, around.state, defects)
    first, last = _service_period(claim, lines)
    for line in lines:
        line["service_from"] = line["service_from"] or first
        line["service_through"] = line["service_through"] or last
        line["denied"] = line["denied"] or denied
    codes = tuple(diagnoses(claim, defects))
    return {
        "service_from": first,
        "service_through": last,
        "type_of_service_code": lines[0]["type_of_service_code"] if lines else None,
        "diagnosis_codes": codes,
        "substance_use": is_about_substance_use(codes, substance_use_policy()),
        "lines": tuple(lines),
    }


def _service_period(claim: Claim, lines: list[dict[str, Any]]) -> tuple[date, date]:
    """The statement's days (institutional), else those of the lines, else the day of admission."""
    for qualifier in ("434", "435"):
        segment = claim.first.get(("DTP", qualifier))
        days = [*_days(lines, "service_from"), *_days(lines, "service_through")]
        if qualifier == "435" and days:
            return min(days), max(days)
        if segment is not None:
            first, last = period(segment, segment.element(2), segment.element(3), f"DTP{qualifier}")
            if first is None or last is None or last < first:
                raise ElementError(segment, f"DTP{qualifier}", "ends_before_it_begins", expected="a period")
            return first, last
    raise ElementError(claim.head, "DTP434", "no_service_date", expected="DTP*434 of the claim or DTP*472 of its lines")


def _days(lines: list[dict[str, Any]], name: str) -> Iterator[date]:
    return (line[name] for line in lines if line[name] is not None)
