"""Risk-adjusted hospitalisation rates of nursing facilities, in the first cut of each month; kept and published.

Residents are people of whom both Medicaid stays and some Medicare claim are known: of others nobody would know an admission.
"""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import asyncpg

from contracts.care import FacilityRated, FacilityRatedData
from services.risk.care_policy import CarePolicy, care_policy
from services.risk.care_reading import CLAIMS, services_of, stored_claim
from services.risk.care_store import append_rows
from services.risk.rules.facility_rate import FacilityRate, Resident, facility_rates
from services.risk.rules.facility_residents import Residence, Stay, age_band, residences, score_bands
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone
from services.runtime.service import Cut, Transaction

_PEOPLE_AT_ONCE: Final = 1_000
# Of each claim the newest version, if it still names a facility and touches the window.
_STAYS: Final = f"""
    WITH newest AS (
        SELECT DISTINCT ON (person_id, record_id) person_id, state, facility_npi, service_from, service_through
        FROM care_claim WHERE payer = 'medicaid' AND since <= $1 AND (until IS NULL OR until > $1)
          AND (person_id, record_id) IN (
              SELECT person_id, record_id FROM care_claim WHERE facility_npi IS NOT NULL AND service_through >= $2)
        ORDER BY person_id, record_id, version DESC, sequence)
    SELECT * FROM newest
    WHERE facility_npi IS NOT NULL AND service_from <= $3 AND service_through >= $2
      AND NOT {is_gone("newest.person_id", "$1")}
      AND EXISTS (SELECT FROM care_claim medicare WHERE medicare.person_id = newest.person_id
          AND medicare.payer = 'medicare' AND medicare.since <= $1 AND (medicare.until IS NULL OR medicare.until > $1))
    ORDER BY person_id, service_from, facility_npi
"""  # noqa: S608 - a fixed condition
_SCORES: Final = """
    SELECT DISTINCT ON (person_id) person_id, (1000 * raw_score)::integer AS thousandths
    FROM score WHERE person_id = ANY($1) AND sequence <= $2 AND model = 'V28' AND completeness = 'complete'
    ORDER BY person_id, payment_year DESC, sequence DESC
"""
_BIRTHS: Final = """
    SELECT DISTINCT ON (person_id) person_id, birth_date FROM statement
    WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2) AND birth_date IS NOT NULL
    ORDER BY person_id, payer = 'medicare' DESC, stated_on DESC, sequence DESC, birth_date
"""
_COLUMNS: Final = (
    "facility_npi", "sequence", "state", "first_day", "last_day", "residents", "resident_days", "admissions", "expected",
    "ratio", "ratio_low", "ratio_high", "rate", "above_reference",
)  # fmt: skip
_PLACES: Final = Decimal("0.0001")


def window(today: date, policy: CarePolicy) -> tuple[date, date]:
    """First and last day: a year that ends where claims are taken to have come."""
    last = today - timedelta(days=policy.claims_lag_days)
    return last - timedelta(days=policy.facility_window_days - 1), last


async def _admissions(connection: Connection, people: list[str], sequence: int) -> dict[str, list[date]]:
    found: dict[str, list[date]] = {}
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        claims: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in await connection.fetch(CLAIMS, people[start : start + _PEOPLE_AT_ONCE], sequence):
            claims[row["person_id"]].append(row)
        for person, rows in claims.items():
            shown = services_of(stored_claim(row) for row in rows).get("admission", ())
            found[person] = [one.day for one in shown]
    return found


async def _strata(connection: Connection, people: list[str], sequence: int, on: date) -> dict[str, str]:
    scores: dict[str, int | None] = dict.fromkeys(people)
    scores |= {row["person_id"]: row["thousandths"] for row in await connection.fetch(_SCORES, people, sequence)}
    births = {row["person_id"]: row["birth_date"] for row in await connection.fetch(_BIRTHS, people, sequence)}
    bands = score_bands(scores)
    return {person: f"{age_band(births.get(person), on)}, {bands[person]}" for person in people}


async def residents_at(
    connection: Connection, sequence: int, first: date, last: date
) -> tuple[list[Resident], dict[str, str]]:
    """Everybody who lived in a facility within the window, and the state of each facility."""
    stays: dict[str, list[Stay]] = defaultdict(list)
    states: dict[str, str] = {}
    for row in await connection.fetch(_STAYS, sequence, first, last):
        stays[row["person_id"]].append(Stay(row["facility_npi"], row["service_from"], row["service_through"]))
        states[row["facility_npi"]] = row["state"]
    people = sorted(stays)
    admitted = await _admissions(connection, people, sequence)
    strata = await _strata(connection, people, sequence, first)
    lived: list[tuple[str, Residence]] = [
        (person, one) for person in people for one in residences(stays[person], admitted.get(person, ()), first, last)
    ]
    return [Resident(one.facility, strata[person], one.days, one.admissions) for person, one in lived], states


def _exact(value: float) -> Decimal:
    return Decimal(value).quantize(_PLACES)


def _data(rate: FacilityRate, state: str, first: date, last: date) -> FacilityRatedData:
    totals = rate.totals
    return FacilityRatedData(
        facility_npi=totals.facility,
        state=state,
        first_day=first,
        last_day=last,
        residents=totals.residents,
        resident_days=totals.days,
        admissions=totals.admissions,
        expected_admissions=_exact(totals.expected),
        ratio=_exact(rate.ratio),
        ratio_low=_exact(rate.ratio_low),
        ratio_high=_exact(rate.ratio_high),
        rate=_exact(rate.rate),
        above_reference=rate.ratio_low > 1,
    )


def _row(data: FacilityRatedData, cut: Cut) -> tuple[Any, ...]:
    return (
        *(data.facility_npi, cut.sequence, data.state, data.first_day, data.last_day, data.residents),
        *(data.resident_days, data.admissions, data.expected_admissions, data.ratio, data.ratio_low, data.ratio_high),
        *(data.rate, data.above_reference),
    )


async def rate_facilities(cut: Cut, today: date, transaction: Transaction) -> None:
    """Rate every facility with enough resident days; all of them bear on what is expected."""
    policy = care_policy()
    first, last = window(today, policy)
    residents, states = await residents_at(transaction.connection, cut.sequence, first, last)
    rated = [
        _data(rate, states[rate.totals.facility], first, last)
        for rate in facility_rates(residents, policy.facility_interval_percent)
        if rate.totals.days >= policy.facility_least_resident_days
    ]
    await append_rows(transaction.connection, "facility_rate", [_row(one, cut) for one in rated], _COLUMNS)
    for data in rated:
        event = FacilityRated.of(
            service="risk",
            key=data.facility_npi,
            version=str(cut.sequence),
            time=cut.time,
            delivery_id=cut.delivery_id,
            sequence=cut.sequence,
            data=data,
        )
        transaction.publish(event)
