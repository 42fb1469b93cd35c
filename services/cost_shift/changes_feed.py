"""Reads the changes of published figures in the one order in which everybody sees them: by revision, then by figure."""

from typing import Any, NamedTuple

import asyncpg

from services.cost_shift.cursors import Key, Place
from services.runtime.database import Connection

_KEY = "state, entity, cohort, payer, category, month"

# Revisions are published one after the other, each whole: nothing ever comes before a place that has been read.
_CHANGES = f"""
    SELECT {_KEY}, measure.revision, cents, claims, crossover_cents, crossover_claims, previous_revision, previous_cents,
        known_at,
        coalesce((
            SELECT person_months FROM published_person_months AS counted
            WHERE (counted.state, counted.entity, counted.cohort, counted.month)
                = (measure.state, measure.entity, measure.cohort, measure.month)
                AND counted.revision <= measure.revision
            ORDER BY counted.revision DESC LIMIT 1
        ), 0) AS person_months,
        ARRAY(
            SELECT cause FROM restatement AS reason
            WHERE (reason.state, reason.entity, reason.cohort, reason.payer, reason.category, reason.month)
                = (measure.state, measure.entity, measure.cohort, measure.payer, measure.category, measure.month)
                AND reason.revision = measure.revision
            ORDER BY cause
        ) AS causes
    FROM published_measure AS measure JOIN revision ON revision.sequence = measure.revision
    WHERE (measure.revision, {_KEY}) > ($1, $2, $3, $4, $5, $6, $7) AND measure.revision >= $1
        AND ($8::text IS NULL OR state = $8) AND ($9::text IS NULL OR entity = $9)
        AND ($10::text IS NULL OR cohort = $10) AND ($11::text IS NULL OR payer = $11)
        AND ($12::text IS NULL OR category = $12)
    ORDER BY measure.revision, {_KEY} LIMIT $13
"""  # noqa: S608 - constants


class ChangeFilters(NamedTuple):
    """Which figures; ``entity`` is empty for people of no entity."""

    state: str | None = None
    entity: str | None = None
    cohort: str | None = None
    payer: str | None = None
    category: str | None = None


async def changes_after(
    connection: Connection, place: Place, filters: ChangeFilters, limit: int
) -> list[asyncpg.Record]:
    """Changes behind a place, in order."""
    parameters: list[Any] = [place.revision, *place.key, *filters, limit]
    return await connection.fetch(_CHANGES, *parameters)


def place_of(row: asyncpg.Record) -> Place:
    """Behind one change."""
    key: Key = (row["state"], row["entity"], row["cohort"], row["payer"], row["category"], row["month"])
    return Place(row["revision"], key)


async def cursor_secret(connection: Connection) -> bytes:
    """What this installation signs cursors with."""
    secret: bytes = await connection.fetchval("SELECT secret FROM told_cursor_key")
    return secret
