"""Reads figures that may be shown, as of any revision. Row-level security leaves the rows of the tenant alone.

A sum over categories holds whole groups, so it is told. Where the category stays or is asked for, a figure that is shown only
together with others is marked hidden, and so is the crossover part wherever one of its parts is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import asyncpg

from services.runtime.database import Connection

_PEOPLE_FILTER = """
    ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR entity = $3) AND ($4::text IS NULL OR cohort = $4)
    AND ($5::text IS NULL OR month >= $5) AND ($6::text IS NULL OR month <= $6)"""
_COST_FILTER = f"""{_PEOPLE_FILTER}
    AND ($7::text IS NULL OR payer = $7) AND ($8::text IS NULL OR category = $8)"""

# Capitation is a line of its own, never inside a sum of services.
_STANDING = f"""
    FROM released_measure
    WHERE revision <= $1 AND (until IS NULL OR until > $1) AND {_COST_FILTER} AND ($9 OR category <> 'capitation')"""
# Of one figure a sum is the figure: where every dimension stays, nothing is added up.
_ONE = "cents, claims, crossover_cents, crossover_claims, revision, $10 AND group_name IS NOT NULL, split_hidden"
_SUM = """sum(cents)::bigint, sum(claims)::bigint, sum(crossover_cents)::bigint, sum(crossover_claims)::bigint, max(revision),
    $10 AND bool_or(group_name IS NOT NULL), bool_or(split_hidden)"""
_ALL = frozenset({"state", "entity", "cohort", "payer", "category", "month"})

_PEOPLE = f"""
    SELECT DISTINCT ON (state, entity, cohort, month) state, entity, cohort, month, person_months
    FROM released_person_months
    WHERE revision <= $1 AND {_PEOPLE_FILTER}
    ORDER BY state, entity, cohort, month, revision DESC"""  # noqa: S608 - constants

_OF_PEOPLE = frozenset({"state", "entity", "cohort", "month"})


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


class Known(NamedTuple):
    """What is known of a figure. ``grouped``: told only together with others; ``split_hidden``: without its crossover."""

    key: tuple[str, ...]
    cents: int
    claims: int
    crossover_cents: int
    crossover_claims: int
    revision: int
    grouped: bool
    split_hidden: bool


async def latest_revision(connection: Connection) -> int:
    """The sequence of the latest published cut; 0 before the first."""
    latest: int = await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM revision")
    return latest


async def figures(  # noqa: PLR0913, PLR0917 - what is asked, and which page
    connection: Connection,
    people: PeopleQuery,
    payer: str | None,
    category: str | None,
    group_by: Sequence[str],
    limit: int,
    offset: int,
) -> list[Known]:
    """Figures in the order of their dimensions."""
    by_category = "category" in group_by or category is not None
    keys = ", ".join(group_by)
    selected = (
        f"SELECT {keys}, {_ONE} {_STANDING}"
        if {*group_by} >= _ALL
        else f"SELECT {keys}, {_SUM} {_STANDING} GROUP BY {keys}"
    )
    statement = f"{selected} ORDER BY {keys} LIMIT $11 OFFSET $12"
    parameters = [*people.parameters(), payer, category, by_category, by_category, limit, offset]
    width = len(group_by)
    return [Known(row[:width], *row[width:]) for row in map(tuple, await connection.fetch(statement, *parameters))]


async def person_months(
    connection: Connection, people: PeopleQuery, group_by: Sequence[str]
) -> dict[tuple[str, ...], int]:
    """Person-months by those of the dimensions that people have, in the order of ``group_by``."""
    dimensions = [name for name in group_by if name in _OF_PEOPLE]
    grouping = f"GROUP BY {', '.join(dimensions)}" if dimensions else ""
    columns = ", ".join([*dimensions, "coalesce(sum(person_months), 0)::bigint"])
    statement = f"SELECT {columns} FROM ({_PEOPLE}) AS counted {grouping}"  # noqa: S608 - names from a closed list
    rows = await connection.fetch(statement, *people.parameters())
    return {tuple(row)[:-1]: row[-1] for row in rows}


def people_key(key: Sequence[str], group_by: Sequence[str]) -> tuple[str, ...]:
    """The part of a figure's key that its person-months have."""
    return tuple(value for name, value in zip(group_by, key, strict=True) if name in _OF_PEOPLE)


_STEPS = """
    SELECT moved.state, moved.entity, moved.cohort, moved.payer, moved.category, moved.month, moved.revision,
        moved.previous_revision, moved.causes, moved.group_name IS NOT NULL AS grouped,
        moved.cents - coalesce(older.cents, 0) AS cents, moved.claims - coalesce(older.claims, 0) AS claims
    FROM released_measure AS moved LEFT JOIN released_measure AS older
        ON (older.state, older.entity, older.cohort, older.payer, older.category, older.month, older.revision)
        = (moved.state, moved.entity, moved.cohort, moved.payer, moved.category, moved.month, moved.previous_revision)
    WHERE moved.revision <= $1 AND moved.revision > $9
        AND ($2::text IS NULL OR moved.state = $2) AND ($3::text IS NULL OR moved.entity = $3)
        AND ($4::text IS NULL OR moved.cohort = $4) AND ($5::text IS NULL OR moved.month >= $5)
        AND ($6::text IS NULL OR moved.month <= $6) AND ($7::text IS NULL OR moved.payer = $7)
        AND ($8::text IS NULL OR moved.category = $8)
    ORDER BY moved.revision, moved.state, moved.entity, moved.cohort, moved.payer, moved.category, moved.month
    LIMIT $10 OFFSET $11
"""


async def steps(  # noqa: PLR0913, PLR0917 - what is asked, and which page
    connection: Connection,
    people: PeopleQuery,
    payer: str | None,
    category: str | None,
    since: int,
    limit: int,
    offset: int,
) -> list[asyncpg.Record]:
    """By how much figures moved between two revisions: after ``since``, up to the query's."""
    return await connection.fetch(_STEPS, *people.parameters(), payer, category, since, limit, offset)


async def entities(connection: Connection, revision: int) -> list[asyncpg.Record]:
    """Entities that have people, with the first and last month in which they do."""
    return await connection.fetch(
        """SELECT entity AS entity_id, state, min(month) AS first_month, max(month) AS last_month
        FROM released_person_months WHERE revision <= $1 AND entity <> '' GROUP BY entity, state ORDER BY entity, state""",
        revision,
    )


async def has_entity(connection: Connection, entity: str) -> bool:
    """Whether the tenant has an entity of this name."""
    return bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM released_person_months WHERE entity = $1)", entity)
    )


async def known_months(connection: Connection) -> tuple[str, str] | None:
    """The first and the last month of which the tenant is told anything."""
    row = await connection.fetchrow("SELECT min(month), max(month) FROM released_person_months")
    return None if row is None or row[0] is None else (row[0], row[1])


async def deliveries(connection: Connection, limit: int) -> list[asyncpg.Record]:
    """Published cuts, the latest first, with how many of the tenant's figures each changed."""
    return await connection.fetch(
        """SELECT sequence AS revision, delivery_id, known_at, dated,
            (SELECT count(*) FROM released_measure WHERE released_measure.revision = latest.sequence) AS figures_changed
        FROM (SELECT * FROM revision ORDER BY sequence DESC LIMIT $1) AS latest ORDER BY sequence DESC""",
        limit,
    )
