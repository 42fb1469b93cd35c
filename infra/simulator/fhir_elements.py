"""Pieces of FHIR resources that all generations write alike. Amounts are exact decimals, written as JSON numbers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from infra.simulator.claims import MedicareClaim, Version
from infra.simulator.person import Person

Resource = dict[str, Any]

VARIABLES: Final = "https://bluebutton.cms.gov/resources/variables/"
MBI: Final = "http://hl7.org/fhir/sid/us-mbi"
NPI: Final = "http://hl7.org/fhir/sid/us-npi"
EOB_TYPES: Final = {
    "60": "INPATIENT",
    "20": "SNF",
    "10": "HHA",
    "40": "OUTPATIENT",
    "50": "HOSPICE",
    "71": "CARRIER",
    "72": "CARRIER",
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a claim as a source states it. ``withdrawn_on``: cancelled by then, in generations that say so."""

    person: Person
    claim: MedicareClaim
    version: Version
    withdrawn_on: date | None = None


def line_of_text(resource: Resource) -> str:
    """The resource on one line."""
    return _ENCODER.encode(resource).decode("ascii") + "\n"


def patient_id(person: Person) -> str:
    """The number of the person's Patient resource: negative, as of CMS's own synthetic people."""
    return f"-{10_000_000_000_000 + person.traits.index}"


def money(cents: int) -> Resource:
    """An amount (R4)."""
    return {"value": Decimal(cents).scaleb(-2), "currency": "USD"}


def concept(*codings: tuple[str, str]) -> Resource:
    """A concept, by pairs of system and code."""
    return {"coding": [{"system": system, "code": code} for system, code in codings]}


def coded(url: str, code: str, system: str | None = None) -> Resource:
    """An extension that states a code; its system is its address unless told otherwise."""
    return {"url": url, "valueCoding": {"system": url if system is None else system, "code": code}}


def numbered(entries: list[Resource]) -> list[Resource]:
    """The entries with ``sequence`` from one on."""
    return [{"sequence": number, **entry} for number, entry in enumerate(entries, start=1)]


def moment(day: date, zone: str) -> str:
    """A time of the day, at which resources are made."""
    return f"{day.isoformat()}T03:02:28.000{zone}"
