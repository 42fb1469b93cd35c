"""The state that the simulator invents: counties, plans, one entity, providers. Knows nothing of any service."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

STATE = "OH"
STATE_FIPS = "39"
ENTITY = "D9001"
# A feed in the same layout for the state's other dual eligibles: the comparison population.
COMPARISON_FEED = "D9900"
OUR_PLAN = "MCO9001"
OTHER_PLANS = ("MCO9002",)
# Partial-benefit duals have no managed-care plan; the state enrols them in fee-for-service.
FEE_FOR_SERVICE_PLAN = "OHFFS"
PLANS = (OUR_PLAN, *OTHER_PLANS, FEE_FOR_SERVICE_PLAN)
MEDICARE_HEALTH_PLAN_CONTRACTS = ("H9001", "H9002")

COUNTIES: tuple[str, ...] = tuple(f"{STATE_FIPS}{number:03d}" for number in range(1, 89, 2))
SERVICE_AREA: tuple[str, ...] = COUNTIES[: len(COUNTIES) // 2]

Shift = Literal["medicare-to-medicaid", "medicaid-to-medicare", "none"]
# Which Medicaid long-term care takes, or gives up, what hospitals and skilled nursing give up, or take.
Channel = Literal["nursing-facility", "home-and-community", "both"]
# The layouts in which Medicare's claims and people can be delivered; x12-837 adds what plans report to the state.
Feed = Literal["cclf", "fhir-v1", "fhir-v2", "fhir-v3", "x12-837"]
ENCOUNTER_FEED: Feed = "x12-837"
# Large enough for the default shift to be seen: docs/simulator.md says how well.
DEMO_PEOPLE, DEMO_MONTHS = 800, 12


def zip_code(county: str) -> str:
    """One invented ZIP code a county."""
    return f"43{county[2:]}"


def _check_digit(first_nine: str) -> int:
    """Luhn over the prefix 80840, as NPIs carry it (45 CFR 162.406)."""
    total = 24
    for position, character in enumerate(reversed(first_nine)):
        digit = int(character) * (2 if position % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit  # noqa: PLR2004 - two digits are added crosswise
    return -total % 10


def npi(number: int) -> str:
    """A well-formed National Provider Identifier."""
    first_nine = f"19{number:07d}"
    return f"{first_nine}{_check_digit(first_nine)}"


@dataclass(frozen=True, slots=True)
class Participant:
    """One row of the entity's roster."""

    npi: str
    specialty: str
    county: str
    began: date
    ended: date | None = None


FACILITY_NPIS: tuple[str, ...] = tuple(npi(1000 + number) for number in range(60))
CLINICIAN_NPIS: tuple[str, ...] = tuple(npi(2000 + number) for number in range(200))
SPECIALTIES = ("01", "08", "11", "38", "50", "97")


def roster(first_year: int, *, later: bool) -> tuple[Participant, ...]:
    """The entity's participants: two a county of the service area; later one has left and one has joined."""
    began = date(first_year, 1, 1)
    rows = [
        Participant(CLINICIAN_NPIS[index], SPECIALTIES[index % len(SPECIALTIES)], SERVICE_AREA[index // 2], began)
        for index in range(2 * len(SERVICE_AREA))
    ]
    if later:
        left = rows[1]
        rows[1] = Participant(left.npi, left.specialty, left.county, began, date(first_year, 4, 30))
        rows.append(Participant(CLINICIAN_NPIS[150], "11", SERVICE_AREA[0], date(first_year, 5, 1)))
    return tuple(rows)
