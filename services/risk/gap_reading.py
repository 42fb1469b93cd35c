"""Reads conditions without support this year from the trail of scores, as known at a delivery."""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import asyncpg

from services.risk.hcc_tables import AnyModel, HccTables
from services.risk.rules.scoring_input import DIED_IN_YEAR
from services.risk.rules.support_gaps import Gap, Support, gaps_in
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone

# People who have a score of the payment year and are not known to have died, with those of the years before.
_TRAILS: Final = f"""
    WITH known AS (
        SELECT DISTINCT ON (person_id, payment_year) person_id, payment_year, categories, notes
        FROM score
        WHERE model = $2 AND payment_year BETWEEN $3::int - $4::int AND $3::int AND sequence <= $1 AND person_id > $5
          AND ($6::text IS NULL OR person_id = $6) AND NOT {is_gone("score.person_id", "$1")}
        ORDER BY person_id, payment_year, sequence DESC
    ), page AS (
        SELECT person_id FROM known AS now
        WHERE payment_year = $3 AND NOT '{DIED_IN_YEAR}' = ANY(notes)
          AND EXISTS (SELECT FROM known earlier WHERE earlier.person_id = now.person_id
                      AND earlier.payment_year < $3 AND earlier.categories <> '[]')
        ORDER BY person_id LIMIT $7
    )
    SELECT person_id, payment_year, categories FROM known JOIN page USING (person_id) ORDER BY person_id, payment_year
"""  # noqa: S608 - fixed conditions


class GapQuestion(NamedTuple):
    """Of which model and payment year, as known at a delivery; ``years``: so many years back a condition is known."""

    sequence: int
    model: AnyModel
    payment_year: int
    years: int


class GapReader:
    """Gaps of one model and payment year as known at a delivery."""

    def __init__(self, connection: Connection, question: GapQuestion, tables: HccTables) -> None:
        self._connection = connection
        self._question = question
        self._tables = tables

    async def page(self, after: str, limit: int) -> tuple[list[tuple[str, tuple[Gap, ...]]], str | None]:
        """Read the gaps of some people in the order of pseudonyms, and after whom to go on."""
        found: list[tuple[str, tuple[Gap, ...]]] = []
        while len(found) < limit:
            trails = _by_person(await self._connection.fetch(_TRAILS, *self._question, after, None, limit))
            for person_id, years in trails.items():
                after = person_id
                if gaps := self._gaps(years):
                    found.append((person_id, gaps))
                if len(found) == limit:
                    return found, after
            if len(trails) < limit:
                break
        return found, None

    async def of(self, person_id: str) -> tuple[Gap, ...]:
        """Read the gaps of one person."""
        trails = _by_person(await self._connection.fetch(_TRAILS, *self._question, "", person_id, 1))
        return self._gaps(trails[person_id]) if person_id in trails else ()

    def _gaps(self, years: dict[int, dict[int, Support]]) -> tuple[Gap, ...]:
        return gaps_in(self._question.payment_year, years, self._question.model, self._tables)


def _by_person(rows: Iterable[asyncpg.Record]) -> dict[str, dict[int, dict[int, Support]]]:
    trails: dict[str, dict[int, dict[int, Support]]] = {}
    for person_id, payment_year, categories in rows:
        trails.setdefault(person_id, {})[payment_year] = {
            one["category"]: _support(one) for one in json.loads(categories)
        }
    return trails


def _support(category: dict[str, Any]) -> Support:
    return Support(category["diagnosis_code"], category["first_record_id"])
