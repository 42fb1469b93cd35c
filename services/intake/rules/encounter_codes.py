"""What the codes of an 837 mean for the record of a Medicaid encounter. The tables are ``policy/encounter_837.toml``.

Sources: ASC X12N 005010X222A1 and 005010X223A2 (SBR09, CLM05, CAS); NUBC type of bill and claim frequency; X12 claim
adjustment reason codes; T-MSIS Data Guide (claim files, TYPE-OF-SERVICE).
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from services.intake.rules.claim_version import MedicaidAdjustment

FileType = Literal["IP", "LT", "OT"]
_TYPE_OF_BILL = "A"
_PATIENT = "PR"
# NUBC claim frequency: interim and late bills and final home health claims are claims of their own.
_FREQUENCIES: dict[str, MedicaidAdjustment] = {
    **dict.fromkeys(("0", "1", "2", "3", "4", "5", "9"), "original"),
    **dict.fromkeys(("6", "7"), "replacement"),
    "8": "void",
}


class Adjustment(NamedTuple):
    """One reason of a CAS segment: why a payer paid so much less than was charged."""

    group: str
    reason: str
    cents: int


class LineInformation(NamedTuple):
    """What a state has its plans say of a line beyond the guide."""

    line: int
    type_of_service_code: str
    waiver: bool


@dataclass(frozen=True, slots=True)
class EncounterPolicy:
    """The codes, by what they mean."""

    medicaid: frozenset[str]
    medicare: frozenset[str]
    inpatient: frozenset[str]
    long_term_care: frozenset[str]
    deductible: frozenset[str]
    coinsurance: frozenset[str]
    no_denial: frozenset[str]
    service_of_facility: dict[str, str]
    service_of_procedure: dict[str, str]
    line_information: dict[str, re.Pattern[str]]


@cache
def encounter_policy() -> EncounterPolicy:
    """The policy in force."""
    text = files("services.intake.policy").joinpath("encounter_837.toml").read_text(encoding="utf-8")
    value = {name: entry["value"] for name, entry in tomllib.loads(text).items()}
    return EncounterPolicy(
        medicaid=frozenset(value["medicaid_filing_indicator"]),
        medicare=frozenset(value["medicare_filing_indicator"]),
        inpatient=frozenset(value["inpatient_facility"]),
        long_term_care=frozenset(value["long_term_care_facility"]),
        deductible=frozenset(value["deductible_reason"]),
        coinsurance=frozenset(value["coinsurance_reason"]),
        no_denial=frozenset(value["no_denial_reason"]),
        service_of_facility=_inverted(value["type_of_service_of_facility"]),
        service_of_procedure=_inverted(value["type_of_service_of_procedure"]),
        line_information={state: re.compile(pattern) for state, pattern in value["line_information"].items()},
    )


def _inverted(table: dict[str, list[str]]) -> dict[str, str]:
    return {code: meaning for meaning, codes in table.items() for code in codes}


def adjustment_of(frequency: str) -> MedicaidAdjustment | None:
    """What a claim frequency (CLM05-3) makes of a claim; ``None`` where it is no frequency."""
    return _FREQUENCIES.get(frequency)


def file_type(facility: str, qualifier: str, policy: EncounterPolicy) -> FileType:
    """In which of T-MSIS's files the claim would stand: by type of bill; places of service (B) are all OT."""
    if qualifier == _TYPE_OF_BILL and facility in policy.inpatient:
        return "IP"
    return "LT" if qualifier == _TYPE_OF_BILL and facility in policy.long_term_care else "OT"


def type_of_service(procedure: str | None, facility: str, qualifier: str, policy: EncounterPolicy) -> str | None:
    """T-MSIS type of service, by procedure, else by type of bill; ``None`` where neither says anything."""
    code = procedure or ""
    for length in range(len(code), 0, -1):
        if (found := policy.service_of_procedure.get(code[:length])) is not None:
            return found
    return policy.service_of_facility.get(facility) if qualifier == _TYPE_OF_BILL else None


def line_information(text: str, state: str, policy: EncounterPolicy) -> LineInformation | None:
    """A state's K3 about a line."""
    pattern = policy.line_information.get(state)
    found = pattern.fullmatch(text) if pattern else None
    if found is None:
        return None
    return LineInformation(int(found["line"]), found["type_of_service"], found["waiver"] == "Y")


def is_denied(paid_cents: int | None, adjustments: Iterable[Adjustment], policy: EncounterPolicy) -> bool:
    """Nothing was paid, and none of the reasons given leaves the care covered."""
    reasons = {adjustment.reason for adjustment in adjustments}
    return paid_cents == 0 and bool(reasons) and not reasons & policy.no_denial


def deductible_cents(adjustments: Iterable[Adjustment], policy: EncounterPolicy) -> int:
    """What a payer left to the patient as deductible."""
    return sum(one.cents for one in adjustments if one.group == _PATIENT and one.reason in policy.deductible)


def coinsurance_cents(adjustments: Iterable[Adjustment], policy: EncounterPolicy) -> int:
    """What a payer left to the patient as coinsurance or co-payment."""
    return sum(one.cents for one in adjustments if one.group == _PATIENT and one.reason in policy.coinsurance)
