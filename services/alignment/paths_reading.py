"""The queries behind forecasts and explanations: evidence of people as known at a delivery."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from asyncpg import Record

from services.alignment import visit_store
from services.alignment.computing import Evidence, Lists, designations_of
from services.alignment.statements import Fact, restored
from services.alignment.visits import visits_as_known
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone


async def lists_as_known(connection: Connection, as_of: int) -> Lists:
    """Participants of every entity."""
    participants = await visit_store.participants_as_known(connection, as_of)
    return Lists(participants, await visit_store.entities_with_participants(connection, as_of))


async def evidence_of(connection: Connection, states: dict[str, str], as_of: int) -> dict[str, Evidence]:
    """Visits and designations of people, whose states are given."""
    people = sorted(states)
    records = await visit_store.visits_of(connection, people)
    designations = await _designations(connection, people, as_of)
    found = {}
    for person_id, state in states.items():
        visits = visits_as_known(records.get(person_id, ()), as_of)
        found[person_id] = Evidence(state, visits, designations_of(designations.get(person_id, ())))
    return found


async def _designations(connection: Connection, people: Sequence[str], as_of: int) -> dict[str, list[Fact]]:
    rows = await connection.fetch(
        """
        SELECT person_id, event_id::text, sequence, state, source, stated_on, entity_id, body FROM fact
        WHERE person_id = ANY($1) AND kind = 'designation' AND since <= $2 AND (until IS NULL OR until > $2)
        """,
        people,
        as_of,
    )
    found: dict[str, list[Fact]] = {}
    for person_id, event_id, sequence, state, source, stated_on, entity_id, body in rows:
        fact = restored(event_id, sequence, "designation", state, source, stated_on.toordinal(), entity_id, body)
        found.setdefault(person_id, []).append(fact)
    return found


async def deaths_of(connection: Connection, people: Sequence[str], as_of: int) -> dict[str, int]:
    """The death (an ordinal) of each of these people of whom one is stated, as it was stated last."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (person_id) person_id, (body::json ->> 0)::integer AS death FROM fact
        WHERE person_id = ANY($1) AND kind IN ('coverage', 'enrolment') AND body NOT LIKE '[null,%'
            AND since <= $2 AND (until IS NULL OR until > $2)
        ORDER BY person_id, stated_on DESC, sequence DESC, event_id DESC
        """,
        people,
        as_of,
    )
    return {row["person_id"]: row["death"] for row in rows}


async def people_after(connection: Connection, after: str, limit: int, as_of: int) -> dict[str, str]:
    """A page of people who are still themselves, with their states, in order."""
    rows = await connection.fetch(
        "SELECT person_id, state FROM person WHERE person_id > $1 AND NOT "  # noqa: S608 - a fixed condition
        + is_gone("person.person_id", "$3")
        + " ORDER BY person_id LIMIT $2",
        after,
        limit,
        as_of,
    )
    return {row["person_id"]: row["state"] for row in rows}


async def standing_decisions(
    connection: Connection, people: Sequence[str], before: str, as_of: int
) -> dict[str, Record]:
    """Of each person the decision of the last month before a month; people without any are left out."""
    rows = await connection.fetch(
        """
        SELECT decided.* FROM unnest($1::text[]) AS asked (person_id) CROSS JOIN LATERAL (
            SELECT * FROM decision WHERE decision.person_id = asked.person_id AND month < $2 AND sequence <= $3
            ORDER BY month DESC, sequence DESC LIMIT 1
        ) AS decided
        """,
        people,
        before,
        as_of,
    )
    return {row["person_id"]: row for row in rows}


async def decision_of(connection: Connection, person_id: str, month: str, as_of: int) -> Record | None:
    """The decision of a month."""
    return await connection.fetchrow(
        "SELECT * FROM decision WHERE person_id = $1 AND month = $2 AND sequence <= $3 ORDER BY sequence DESC LIMIT 1",
        person_id,
        month,
        as_of,
    )


async def last_reported_month(connection: Connection, entity_id: str | None, as_of: int) -> str | None:
    """The newest month that a report has spoken of; ``None`` before the first."""
    found: str | None = await connection.fetchval(
        """
        SELECT max(month) FROM decision
        WHERE basis = 'reported' AND sequence <= $1 AND ($2::text IS NULL OR entity_id = $2)
        """,
        as_of,
        entity_id,
    )
    return found


async def changes(connection: Connection, since: tuple[int, str, str], as_of: int, limit: int) -> Sequence[Record]:
    """Decisions made after a place (delivery, person, month), in that order."""
    return await connection.fetch(
        """
        SELECT sequence, person_id, month, aligned, basis, change, cohort, entity_id, reasons FROM decision
        WHERE (sequence, person_id, month) > ($1, $2, $3) AND sequence <= $4
        ORDER BY sequence, person_id, month LIMIT $5
        """,
        *since,
        as_of,
        limit,
    )


async def received_on(connection: Connection, sequence: int) -> date | None:
    """The day on which a delivery was received."""
    found: Any = await connection.fetchval("SELECT received_at FROM delivery WHERE sequence = $1", sequence)
    return None if found is None else found.date()
