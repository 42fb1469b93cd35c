"""Counts what people used in the year before a day, as known at a delivery: the SQL of ``rules/person_use.py``.

One statement a source, whatever the number of people; a test holds it to the rule on random histories.
"""

from datetime import date
from typing import Any, Final

from services.risk.rules.claim_marks import Mark
from services.risk.rules.person_use import (
    QUARTER_DAYS,
    RECENT_DAYS,
    SERIES,
    SERIES_DAYS,
    SERIES_TREATMENTS,
    YEAR_DAYS,
    PersonUse,
)
from services.runtime.database import Connection

DRUG_DAYS: Final = 180
# So many days of the last ninety in a nursing facility make it the person's residence.
_RESIDENCE_DAYS: Final = 60


def _has(mark: Mark, days: int = YEAR_DAYS) -> str:
    within = "" if days == YEAR_DAYS else f" AND day > $2::date - {days}"
    return f"marks & {int(mark)} <> 0{within}"


def _count(mark: Mark, days: int = YEAR_DAYS) -> str:
    return f"count(DISTINCT began) FILTER (WHERE {_has(mark, days)})"


def _missed(mark: Mark) -> str:
    before = f"count(*) FILTER (WHERE {_has(mark, SERIES_DAYS)} AND day <= $2::date - {RECENT_DAYS})"
    return f"({before} >= {SERIES_TREATMENTS} AND count(*) FILTER (WHERE {_has(mark, RECENT_DAYS)}) = 0)::int"


# $1 the sequence, $2 the day, $3 people or null for everybody.
_USE = f"""
    WITH newest AS (
        SELECT DISTINCT ON (person_id, record_id) person_id, claim_key, cancellation, service_from, service_through,
               paid_cents, marks, frailty
        FROM claim_record
        WHERE since <= $1 AND (until IS NULL OR until > $1)
          AND service_through > $2::date - {YEAR_DAYS} AND service_through <= $2
          AND ($3::text[] IS NULL OR person_id = ANY($3))
        ORDER BY person_id, record_id, version DESC, sequence, alias
    ), standing AS (
        SELECT person_id,
               max(service_from) FILTER (WHERE NOT cancellation) AS began,
               max(service_through) FILTER (WHERE NOT cancellation) AS day,
               sum(CASE WHEN cancellation THEN -paid_cents ELSE paid_cents END) AS cents,
               bit_or(marks) FILTER (WHERE NOT cancellation) AS marks,
               bit_or(frailty) FILTER (WHERE NOT cancellation) AS frailty
        FROM newest GROUP BY person_id, claim_key
        HAVING count(*) FILTER (WHERE NOT cancellation) > count(*) FILTER (WHERE cancellation)
    )
    SELECT person_id, sum(cents)::bigint AS spend_year_cents,
           coalesce(sum(cents) FILTER (WHERE day > $2::date - {QUARTER_DAYS}), 0)::bigint AS spend_quarter_cents,
           {_count(Mark.ADMISSION)} AS admissions_year,
           {_count(Mark.ADMISSION, QUARTER_DAYS)} AS admissions_quarter,
           {_count(Mark.AVOIDABLE)} AS avoidable_year,
           {_count(Mark.EMERGENCY)} AS emergency_year,
           count(*) FILTER (WHERE {_has(Mark.PRIMARY_CARE)}) AS primary_care_year,
           coalesce(bool_or({_has(Mark.ADMISSION, RECENT_DAYS)}), false) AS discharged_recently,
           coalesce(bool_or({_has(Mark.TO_FACILITY, RECENT_DAYS)}), false) AS to_facility_recently,
           coalesce(bool_or({_has(Mark.BEHAVIOURAL)}), false) AS behavioural,
           coalesce(bool_or({_has(Mark.DIALYSIS)}), false) AS dialysis,
           {" + ".join(_missed(series) for series in SERIES)} AS missed_series,
           coalesce(bit_or(frailty), 0) AS frailty
    FROM standing GROUP BY person_id
"""  # noqa: S608 - numbers of this module
_LEVELS = """
    SELECT DISTINCT ON (person_id) person_id, long_term_care_level FROM statement
    WHERE long_term_care_level IS NOT NULL AND since <= $1 AND (until IS NULL OR until > $1)
      AND first_month <= $2 AND (last_month IS NULL OR last_month >= $2)
      AND ($3::text[] IS NULL OR person_id = ANY($3))
    ORDER BY person_id, stated_on DESC, sequence DESC, event_id, ordinal DESC
"""
_RESIDENTS = f"""
    WITH newest AS (
        SELECT DISTINCT ON (person_id, record_id) person_id, first_day, last_day, counts
        FROM facility_stay
        WHERE since <= $1 AND (until IS NULL OR until > $1) AND ($3::text[] IS NULL OR person_id = ANY($3))
        ORDER BY person_id, record_id, version DESC, sequence, alias
    )
    SELECT person_id FROM newest
    WHERE counts AND last_day > $2::date - {QUARTER_DAYS} AND first_day <= $2
    GROUP BY person_id
    HAVING sum(least(last_day, $2) - greatest(first_day, $2::date - {QUARTER_DAYS} + 1) + 1) >= {_RESIDENCE_DAYS}
"""  # noqa: S608 - as above
_DRUGS = f"""
    WITH newest AS (
        SELECT DISTINCT ON (person_id, record_id) person_id, product, cancellation FROM drug_fill
        WHERE since <= $1 AND (until IS NULL OR until > $1) AND filled_on > $2::date - {DRUG_DAYS} AND filled_on <= $2
          AND ($3::text[] IS NULL OR person_id = ANY($3))
        ORDER BY person_id, record_id, version DESC, sequence, alias
    )
    SELECT person_id, count(DISTINCT product) AS products FROM newest WHERE NOT cancellation GROUP BY person_id
"""  # noqa: S608 - as above
# The window ends where 99 % of known admissions had begun, so that one wrong date in the future does not move it.
_DAY = """
    SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY service_from) FROM claim_record
    WHERE admission AND NOT cancellation AND since <= $1 AND (until IS NULL OR until > $1)
"""


async def last_day_of_claims(connection: Connection, sequence: int, otherwise: date) -> date:
    """Find the day up to which claims are known; ``otherwise`` where there is no admission at all."""
    day: date | None = await connection.fetchval(_DAY, sequence)
    return otherwise if day is None else day


async def use_by_person(
    connection: Connection, sequence: int, day: date, people: list[str] | None = None
) -> dict[str, PersonUse]:
    """Count what each person used in the year that ends with ``day``. Who used nothing is not in it."""
    counted: dict[str, dict[str, Any]] = {}
    for row in await connection.fetch(_USE, sequence, day, people):
        values = dict(row)
        counted[values.pop("person_id")] = values
    for person_id, level in await connection.fetch(_LEVELS, sequence, f"{day:%Y-%m}", people):
        if level != "none":
            name = "nursing_facility" if level == "institutional" else "community_services"
            counted.setdefault(person_id, {})[name] = True
    for row in await connection.fetch(_RESIDENTS, sequence, day, people):
        counted.setdefault(row["person_id"], {})["nursing_facility"] = True
    for person_id, products in await connection.fetch(_DRUGS, sequence, day, people):
        counted.setdefault(person_id, {})["drug_products"] = products
    return {person_id: PersonUse(**values) for person_id, values in counted.items()}
