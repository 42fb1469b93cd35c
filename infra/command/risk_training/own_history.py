"""Histories of an installation's own people: what is known now of a day half a year ago and more, and what came after."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from infra.command.risk_training.history import HORIZON_DAYS, UNKNOWN, History, age_group
from services.risk.rules.claim_marks import Mark
from services.risk.rules.person_use import PersonUse
from services.risk.rules.predictors import Candidate
from services.risk.use_reading import use_by_person
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone

# Larger than any sequence: as known now.
_NOW: Final = 2**62
# The score of the payment year in which the day lies, of everybody who was alive all through the time looked at.
_PEOPLE: Final = f"""
    SELECT DISTINCT ON (person_id) person_id, raw_score, categories, segment, age, completeness
    FROM score WHERE model = 'V28' AND payment_year = $1 AND NOT {is_gone("score.person_id", f"{_NOW}")}
        AND NOT EXISTS (SELECT FROM statement WHERE statement.person_id = score.person_id AND death_date <= $2)
    ORDER BY person_id, sequence DESC
"""  # noqa: S608 - a fixed condition
_SEXES: Final = """
    SELECT DISTINCT ON (person_id) person_id, sex_code FROM statement WHERE sex_code IN ('1', '2') AND until IS NULL
    ORDER BY person_id, payer = 'medicare' DESC, stated_on DESC, sequence DESC
"""
_FOLLOWED: Final = f"""
    WITH newest AS (
        SELECT DISTINCT ON (person_id, record_id) person_id, claim_key, cancellation, marks
        FROM claim_record
        WHERE until IS NULL AND service_from > $1 AND service_through <= $2
        ORDER BY person_id, record_id, version DESC, sequence, alias
    )
    SELECT person_id FROM newest GROUP BY person_id, claim_key
    HAVING count(*) FILTER (WHERE NOT cancellation) > count(*) FILTER (WHERE cancellation)
        AND bit_or(marks) FILTER (WHERE NOT cancellation) & {int(Mark.AVOIDABLE)} <> 0
"""  # noqa: S608 - a number
_NEWEST_DAY: Final = """
    SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY service_from) FROM claim_record
    WHERE admission AND NOT cancellation AND until IS NULL
"""
_SEX_WORDS: Final = {"1": "men", "2": "women"}
_DUAL_LETTERS: Final = {"F": "full benefits", "P": "partial or none", "N": "partial or none"}


def _residence(use: PersonUse) -> str:
    if use.nursing_facility:
        return "nursing facility"
    return "home and community" if use.community_services else "community"


def _groups(segment: str, age: int, sex_code: str | None, use: PersonUse) -> dict[str, str]:
    # Neither claims nor enrolment carry race: an installation cannot judge by it.
    return {
        "age": age_group(age),
        "sex": _SEX_WORDS.get(sex_code or "", UNKNOWN),
        "race": UNKNOWN,
        "dual status": _DUAL_LETTERS.get(segment[1:2], UNKNOWN) if segment.startswith("C") else UNKNOWN,
        "residence": _residence(use),
    }


def _history(row: Any, use: PersonUse, sex_code: str | None, *, avoidable: bool) -> History:  # noqa: ANN401 - a row
    categories = frozenset(one["category"] for one in json.loads(row["categories"]))
    candidate = Candidate(row["age"], float(row["raw_score"]), categories, use)
    return History(candidate, avoidable, _groups(row["segment"], row["age"], sex_code, use))


async def newest_day(connection: Connection) -> date | None:
    """Find the last day of which half a year after is known; ``None`` without any admission."""
    known: date | None = await connection.fetchval(_NEWEST_DAY)
    return None if known is None else known - timedelta(days=HORIZON_DAYS)


async def own_histories(connection: Connection, day: date) -> list[History]:
    """Look at everybody with a complete score of the day's year who was alive through the half year after it."""
    until = day + timedelta(days=HORIZON_DAYS)
    rows = await connection.fetch(_PEOPLE, day.year, until)
    sexes = {row["person_id"]: row["sex_code"] for row in await connection.fetch(_SEXES)}
    used = await use_by_person(connection, _NOW, day)
    followed = {row["person_id"] for row in await connection.fetch(_FOLLOWED, day, until)}
    return list(_all(rows, used, sexes, followed))


def _all(
    rows: Iterable[Any], used: dict[str, PersonUse], sexes: dict[str, str], followed: set[str]
) -> Iterable[History]:
    nothing = PersonUse()
    for row in rows:
        if row["completeness"] == "complete" and row["age"] is not None:
            name = row["person_id"]
            yield _history(row, used.get(name, nothing), sexes.get(name), avoidable=name in followed)
