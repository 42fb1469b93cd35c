"""The queries behind the gateway: what was decided, as known at a delivery."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from asyncpg import Record

from contracts.alignment import PredicateResult
from services.alignment.rules.in_service_area import in_service_area
from services.alignment.rules.known_month import Stated
from services.alignment.statements import Fact, restored
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone

_SERVICE_AREA_AFTER = "US_RESIDENT"


class ServiceArea(NamedTuple):
    """The counties of an entity's participants, as its newest roster says."""

    entity_id: str
    counties: Stated[frozenset[str]]


async def latest_sequence(connection: Connection) -> int:
    """The newest delivery that anything is known from; 0 before the first."""
    return int(await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM delivery"))


async def sequence_on(connection: Connection, day: date) -> int:
    """The last delivery received on ``day`` (UTC) or before; 0 when there is none."""
    midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
    found = await connection.fetchval(
        "SELECT coalesce(max(sequence), 0) FROM delivery WHERE received_at < $1", midnight
    )
    return int(found)


async def delivery_id(connection: Connection, sequence: int) -> str:
    """The id of a delivery of which something is known."""
    return str(await connection.fetchval("SELECT delivery_id FROM delivery WHERE sequence = $1", sequence))


async def person_state(connection: Connection, person_id: str) -> str | None:
    """The state of a person; ``None`` for somebody who was never heard of."""
    state: str | None = await connection.fetchval("SELECT state FROM person WHERE person_id = $1", person_id)
    return state


async def merged_into(connection: Connection, person_id: str, as_of: int) -> str | None:
    """Who somebody turned out to be; ``None`` for whoever is still themselves."""
    found: str | None = await connection.fetchval(
        "SELECT target FROM person_move WHERE source = $1 AND aliases IS NULL AND sequence <= $2 AND "  # noqa: S608 - a fixed condition
        + is_gone("$1", "$2")
        + " ORDER BY sequence DESC LIMIT 1",
        person_id,
        as_of,
    )
    return found


async def timeline(connection: Connection, person_id: str, as_of: int) -> Sequence[Record]:
    """The decision of every month of a person."""
    return await connection.fetch(
        """
        SELECT DISTINCT ON (month) * FROM decision
        WHERE person_id = $1 AND sequence <= $2 AND NOT """  # noqa: S608 - a fixed condition
        + is_gone("$1", "$2")
        + " ORDER BY month, sequence DESC",
        person_id,
        as_of,
    )


async def month_history(connection: Connection, person_id: str, month: str) -> Sequence[Record]:
    """Everything ever decided about one month of a person, oldest first."""
    return await connection.fetch(
        """
        SELECT decision.*, delivery.delivery_id, delivery.received_at
        FROM decision JOIN delivery USING (sequence)
        WHERE person_id = $1 AND month = $2 ORDER BY sequence
        """,
        person_id,
        month,
    )


async def statements(connection: Connection, person_id: str, as_of: int) -> list[Fact]:
    """What was said about a person, by whom and when."""
    rows = await connection.fetch(
        """
        SELECT event_id::text, sequence, kind, state, source, stated_on, entity_id, body FROM fact
        WHERE person_id = $1 AND since <= $2 AND (until IS NULL OR until > $2) ORDER BY sequence, event_id
        """,
        person_id,
        as_of,
    )
    return [
        restored(event_id, sequence, kind, state, source, stated_on.toordinal(), entity_id, body)
        for event_id, sequence, kind, state, source, stated_on, entity_id, body in rows
    ]


class RosterPage(NamedTuple):
    """Whom to list, and where the page begins."""

    month: str
    as_of: int
    entity_id: str | None
    after: str
    limit: int


async def roster(connection: Connection, page: RosterPage) -> Sequence[Record]:
    """The people aligned in a month, by person."""
    return await connection.fetch(
        """
        SELECT * FROM (
            SELECT DISTINCT ON (person_id) person_id, aligned, basis, entity_id, county_fips, dual_status_code, sequence
            FROM decision WHERE month = $1 AND sequence <= $2 AND person_id > $4
            ORDER BY person_id, sequence DESC
        ) AS known
        WHERE aligned AND ($3::text IS NULL OR entity_id = $3) AND NOT """  # noqa: S608 - a fixed condition
        + is_gone("known.person_id", "$2")
        + " ORDER BY person_id LIMIT $5",
        *page,
    )


async def aligned_by_month(connection: Connection, as_of: int, entity_id: str | None) -> Sequence[Record]:
    """People by month, basis and cohort."""
    return await connection.fetch(
        """
        SELECT month,
            count(*) FILTER (WHERE aligned) AS aligned,
            count(*) FILTER (WHERE aligned AND basis = 'forecast') AS forecast,
            count(*) FILTER (WHERE cohort = 'comparison') AS comparison,
            count(*) FILTER (WHERE cohort = 'excluded') AS excluded
        FROM (
            SELECT DISTINCT ON (person_id, month) * FROM decision
            WHERE sequence <= $1 ORDER BY person_id, month, sequence DESC
        ) AS known
        WHERE ($2::text IS NULL OR entity_id = $2) AND NOT """  # noqa: S608 - a fixed condition
        + is_gone("known.person_id", "$1")
        + " GROUP BY month ORDER BY month",
        as_of,
        entity_id,
    )


async def aligned_people(connection: Connection, as_of: int, after: str, limit: int) -> Sequence[Record]:
    """People with at least one aligned month, and those months."""
    return await connection.fetch(
        """
        SELECT person_id, array_agg(month ORDER BY month) AS months
        FROM (
            SELECT DISTINCT ON (person_id, month) person_id, month, aligned FROM decision
            WHERE sequence <= $1 AND person_id > $2 ORDER BY person_id, month, sequence DESC
        ) AS known
        WHERE aligned AND NOT """  # noqa: S608 - a fixed condition
        + is_gone("known.person_id", "$1")
        + " GROUP BY person_id ORDER BY person_id LIMIT $3",
        as_of,
        after,
        limit,
    )


async def service_area(connection: Connection, entity_id: str, as_of: int) -> ServiceArea | None:
    """An entity's counties by its newest roster; ``None`` where none is known."""
    rows = await connection.fetch(
        """
        SELECT stated_on, counties FROM roster_page WHERE (entity_id, sequence) = (
            SELECT entity_id, sequence FROM roster_page WHERE entity_id = $1 AND sequence <= $2
            ORDER BY stated_on DESC, sequence DESC LIMIT 1
        )
        """,
        entity_id,
        as_of,
    )
    if not rows:
        return None
    counties = frozenset(county for row in rows for county in row["counties"])
    return ServiceArea(entity_id, Stated(counties, "provider roster", rows[0]["stated_on"].toordinal()))


def predicates_of(row: Record, area: ServiceArea | None) -> tuple[PredicateResult, ...]:
    """The stored predicates and, in its place, IN_SERVICE_AREA against the roster."""
    stored = [_predicate(*said) for said in json.loads(row["predicates"])]
    answer = in_service_area(row["county_fips"], area.counties if area else None)
    lives_there = _predicate("IN_SERVICE_AREA", answer.outcome, answer.reason, answer.evidence)
    here = [result.name for result in stored].index(_SERVICE_AREA_AFTER) + 1
    return (*stored[:here], lives_there, *stored[here:])


def _predicate(name: str, outcome: Any, reason: str | None, evidence: str | None) -> PredicateResult:  # noqa: ANN401
    return PredicateResult.model_validate(
        {"name": name, "outcome": outcome, "reason": reason, "evidence": evidence}, strict=False
    )
