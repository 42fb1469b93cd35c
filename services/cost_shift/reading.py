"""Reads published figures, as of any revision, summed over whatever is not asked for.

The default basis comes from published revisions; the outlay basis and counties come from cells, whose sums up to a
revision's sequence are what was published with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import asyncpg

from contracts.codes import Cohort
from services.runtime.database import Connection

Basis = Literal["services", "outlay"]
Dimension = Literal["state", "entity", "county", "cohort", "payer", "category", "month"]
ALL_BUT_COUNTY: tuple[Dimension, ...] = ("state", "entity", "cohort", "payer", "category", "month")
_OF_PEOPLE: frozenset[str] = frozenset({"state", "entity", "county", "cohort", "month"})

# A parameter that is null does not filter.
_PEOPLE_FILTER = """
    ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR entity = $3) AND ($4::text IS NULL OR cohort = $4)
    AND ($5::text IS NULL OR month >= $5) AND ($6::text IS NULL OR month <= $6)"""
_COST_FILTER = f"""{_PEOPLE_FILTER}
    AND ($7::text IS NULL OR payer = $7) AND ($8::text IS NULL OR category = $8)"""

# Capitation is shown as a line of its own, never inside a sum of services; costs without a decision never inside a sum
# over cohorts, because no person-month stands behind them.
_PUBLISHED = f"""
    SELECT DISTINCT ON (state, entity, cohort, payer, category, month)
        state, entity, cohort, payer, category, month, cents, claims, crossover_cents, crossover_claims
    FROM published_measure
    WHERE revision <= $1 AND {_COST_FILTER} AND $9::text = 'services' AND ($10 OR category <> 'capitation')
        AND ($11 OR cohort <> 'unassigned')
    ORDER BY state, entity, cohort, payer, category, month, revision DESC"""  # noqa: S608 - constants

_CELLS = f"""
    SELECT state, entity, county, cohort, payer, category, month, cents, claims,
        CASE WHEN crossover THEN cents ELSE 0 END AS crossover_cents,
        CASE WHEN crossover THEN claims ELSE 0 END AS crossover_claims
    FROM cell_delta
    WHERE sequence <= $1 AND {_COST_FILTER}
        AND (basis IN ($9, 'both') OR ($10 AND category = 'capitation' AND basis = 'outlay'))
        AND ($11 OR cohort <> 'unassigned')"""  # noqa: S608 - constants

_PUBLISHED_PEOPLE = f"""
    SELECT DISTINCT ON (state, entity, cohort, month) state, entity, cohort, month, person_months
    FROM published_person_months
    WHERE revision <= $1 AND {_PEOPLE_FILTER}
    ORDER BY state, entity, cohort, month, revision DESC"""  # noqa: S608 - constants

_CELL_PEOPLE = f"""
    SELECT state, entity, county, cohort, month, person_months FROM person_month_delta
    WHERE sequence <= $1 AND {_PEOPLE_FILTER}"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """Which person-months; ``entity`` is empty for people of no entity."""

    revision: int
    state: str | None = None
    entity: str | None = None
    cohort: str | None = None
    first_month: str | None = None
    last_month: str | None = None

    def parameters(self) -> list[Any]:
        """In the order of the SQL."""
        return [self.revision, self.state, self.entity, self.cohort, self.first_month, self.last_month]


@dataclass(frozen=True, slots=True)
class MeasureQuery:
    """Which figures, and by what they are grouped."""

    people: PeopleQuery
    payer: str | None = None
    category: str | None = None
    basis: Basis = "services"
    group_by: tuple[Dimension, ...] = ALL_BUT_COUNTY

    def shows_capitation(self) -> bool:
        """Whether capitation can stand as a line of its own."""
        return "category" in self.group_by or self.category == "capitation"

    def shows_unassigned(self) -> bool:
        """Whether costs without a decision can stand as a line of their own."""
        return "cohort" in self.group_by or self.people.cohort == Cohort.UNASSIGNED

    def parameters(self) -> list[Any]:
        """In the order of the SQL."""
        shown = (self.shows_capitation(), self.shows_unassigned())
        return [*self.people.parameters(), self.payer, self.category, self.basis, *shown]


class Revision(NamedTuple):
    """A published cut."""

    sequence: int
    delivery_id: str
    known_at: datetime


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


async def revisions(connection: Connection, limit: int) -> list[Revision]:
    """Published cuts, the latest first."""
    rows = await connection.fetch(
        "SELECT sequence, delivery_id, known_at FROM revision ORDER BY sequence DESC LIMIT $1", limit
    )
    return [Revision(*row) for row in rows]


async def latest_revision(connection: Connection) -> int:
    """The sequence of the latest published cut; 0 before the first."""
    latest = await revisions(connection, 1)
    return latest[0].sequence if latest else 0


async def person_months(
    connection: Connection, query: PeopleQuery, group_by: Sequence[Dimension]
) -> dict[tuple[str, ...], int]:
    """Person-months by those of the dimensions that people have; keys in the order of ``group_by``."""
    dimensions = [name for name in group_by if name in _OF_PEOPLE]
    source = _CELL_PEOPLE if "county" in dimensions else _PUBLISHED_PEOPLE
    grouping = f"GROUP BY {_list(dimensions)}" if dimensions else ""
    columns = _list([*dimensions, "coalesce(sum(person_months), 0)::bigint"])
    statement = f"SELECT {columns} FROM ({source}) AS counted {grouping}"  # noqa: S608 - names from a closed list
    rows = await connection.fetch(statement, *query.parameters())
    return {tuple(row)[:-1]: row[-1] for row in rows}


async def measures(
    connection: Connection, query: MeasureQuery, limit: int, offset: int
) -> list[tuple[asyncpg.Record, int]]:
    """Figures with their person-months, in the order of their dimensions."""
    from_cells = query.basis == "outlay" or "county" in query.group_by
    source = _CELLS if from_cells else _PUBLISHED
    keys = _list(query.group_by)
    statement = f"""
        SELECT {keys}, sum(cents)::bigint AS cents, sum(claims)::bigint AS claims,
            sum(crossover_cents)::bigint AS crossover_cents, sum(crossover_claims)::bigint AS crossover_claims
        FROM ({source}) AS figure GROUP BY {keys} ORDER BY {keys} LIMIT $12 OFFSET $13"""  # noqa: S608 - closed list
    rows = await connection.fetch(statement, *query.parameters(), limit, offset)
    people = await person_months(connection, query.people, query.group_by)
    dimensions = [name for name in query.group_by if name in _OF_PEOPLE]
    return [(row, people.get(tuple(row[name] for name in dimensions), 0)) for row in rows]


async def restatements(
    connection: Connection, query: MeasureQuery, since: int, limit: int, offset: int
) -> list[asyncpg.Record]:
    """Causes of changes between two revisions: after ``since``, up to the query's revision."""
    return await connection.fetch(
        f"""
        SELECT state, entity, cohort, payer, category, month, revision, cause, cents, claims, crossover_cents,
            crossover_claims
        FROM restatement
        WHERE revision <= $1 AND {_COST_FILTER} AND revision > $9
        ORDER BY revision, state, entity, cohort, payer, category, month, cause LIMIT $10 OFFSET $11
        """,  # noqa: S608 - constants
        *query.parameters()[:8],
        since,
        limit,
        offset,
    )
