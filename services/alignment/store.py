"""The SQL of alignment. Every function is a constant number of round trips, however many people it is about."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from contracts.alignment import MonthDecision
from contracts.provider import ProviderRosterStated
from contracts.topics import AnyEvent
from services.alignment.statements import DECIDING, Fact, restored
from services.runtime.database import Connection
from services.runtime.person_moves import Phase, move_rows


class Delivery(NamedTuple):
    """A delivery as the events of it tell."""

    delivery_id: str
    received_at: datetime


class Row(NamedTuple):
    """One stored decision, in the order of the table's columns."""

    person_id: str
    month: str
    sequence: int
    aligned: bool
    basis: str
    change: str
    cohort: str
    entity_id: str | None
    county_fips: str | None
    dual_status_code: str | None
    reasons: list[str]
    predicates: str


def row_of(person_id: str, sequence: int, decision: MonthDecision) -> Row:
    """A decision as it is stored."""
    return Row(
        person_id,
        decision.month,
        sequence,
        decision.aligned,
        decision.basis,
        decision.change.value,
        decision.cohort.value,
        decision.entity_id,
        decision.county_fips,
        decision.dual_status_code,
        list(decision.reasons),
        json.dumps([[p.name, p.outcome.value, p.reason, p.evidence] for p in decision.predicates]),
    )


async def record_deliveries(connection: Connection, events: Iterable[AnyEvent]) -> None:
    """Note each delivery once; sorted, so that two workers never wait for each other in a ring."""
    known = sorted({(event.deliveryseq, event.deliveryid, event.time) for event in events})
    await connection.execute(_RECORD_DELIVERIES, *_columns(known, 3))


_RECORD_DELIVERIES = """
    INSERT INTO delivery (sequence, delivery_id, received_at)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS told (sequence, delivery_id, received_at)
    WHERE NOT EXISTS (
        SELECT FROM delivery WHERE delivery.sequence = told.sequence AND delivery.received_at <= told.received_at
    )
    ORDER BY sequence
    ON CONFLICT (sequence) DO UPDATE SET received_at = least(delivery.received_at, excluded.received_at)
"""


async def deliveries_since(connection: Connection, sequence: int) -> dict[int, Delivery]:
    """Every delivery from ``sequence`` on."""
    rows = await connection.fetch(
        "SELECT sequence, delivery_id, received_at FROM delivery WHERE sequence >= $1", sequence
    )
    return {row["sequence"]: Delivery(row["delivery_id"], row["received_at"]) for row in rows}


async def append_facts(connection: Connection, facts: Sequence[tuple[str, str, Fact]]) -> set[str]:
    """Append facts, each with its person and the alias it was said by; give back the event ids of those that were new.

    What comes behind a move, out of its turn, is moved on with the next delivery.
    """
    rows = [
        (
            person_id,
            fact.sequence,
            UUID(fact.event_id),
            fact.kind,
            fact.state,
            fact.source,
            date.fromordinal(fact.stated_on),
            fact.entity_id,
            fact.body(),
            alias,
        )
        for person_id, alias, fact in facts
    ]
    appended = await connection.fetch(_APPEND_FACTS, *_columns(rows, 10))
    return {str(row["event_id"]) for row in appended}


_APPEND_FACTS = """
    WITH appended AS (
        INSERT INTO fact (person_id, sequence, event_id, kind, state, source, stated_on, entity_id, body, alias, since)
        SELECT *, said.sequence FROM unnest(
            $1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[], $8::text[], $9::text[],
            $10::text[]
        ) AS said (person_id, sequence, event_id, kind, state, source, stated_on, entity_id, body, alias)
        ON CONFLICT DO NOTHING
        RETURNING person_id, since, event_id
    ), behind AS (
        UPDATE person_move SET settled = false FROM appended
        WHERE settled AND source = appended.person_id AND person_move.sequence > appended.since
    )
    SELECT event_id FROM appended
"""


async def move_facts(connection: Connection, phase: Phase) -> None:
    """Put facts under whom they are about from a delivery on."""
    columns = ("sequence", "kind", "state", "source", "stated_on", "entity_id", "body", "alias")
    await move_rows(connection, phase, "fact", ("event_id",), columns)


async def facts_about(connection: Connection, people: Sequence[str]) -> dict[str, list[Fact]]:
    """Every fact about each of ``people``."""
    rows = await connection.fetch(
        """
        SELECT person_id, event_id::text, sequence, kind, state, source, stated_on, entity_id, body, since, until
        FROM fact WHERE person_id = ANY($1)
        """,
        people,
    )
    facts: dict[str, list[Fact]] = defaultdict(list)
    for person_id, event_id, sequence, kind, state, source, stated_on, entity_id, body, since, until in rows:
        fact = restored(event_id, sequence, kind, state, source, stated_on.toordinal(), entity_id, body)
        moved = since != sequence or until is not None
        facts[person_id].append(replace(fact, since=since, until=until) if moved else fact)
    return facts


async def revisions_of(connection: Connection, people: Sequence[str]) -> dict[str, int]:
    """How many decision events each person had so far; people without any are left out."""
    rows = await connection.fetch("SELECT person_id, revision FROM told_revision WHERE person_id = ANY($1)", people)
    return {row["person_id"]: row["revision"] for row in rows}


async def save_people(connection: Connection, people: Mapping[str, tuple[str, int]]) -> None:
    """Write each person's state and revision."""
    rows = sorted((person_id, state, revision) for person_id, (state, revision) in people.items())
    await connection.execute(_SAVE_PEOPLE, *_columns(rows, 3))


_SAVE_PEOPLE = """
    WITH told AS (
        INSERT INTO told_revision (person_id, revision)
        SELECT * FROM unnest($1::text[], $3::integer[])
        ON CONFLICT (person_id) DO UPDATE SET revision = excluded.revision
    )
    INSERT INTO person (person_id, state)
    SELECT * FROM unnest($1::text[], $2::text[])
    ON CONFLICT (person_id) DO UPDATE SET state = excluded.state
"""


async def add_people(connection: Connection, people: Sequence[str]) -> None:
    """Write the state of people of whom there is evidence; what decisions rest on goes before it."""
    if people:
        await connection.execute(_ADD_PEOPLE, people, sorted(DECIDING))


_ADD_PEOPLE = """
    INSERT INTO person (person_id, state)
    SELECT DISTINCT ON (person_id) person_id, state FROM fact WHERE person_id = ANY($1) AND until IS NULL
    ORDER BY person_id, kind = ANY($2) DESC, sequence DESC, event_id DESC
    ON CONFLICT (person_id) DO UPDATE SET state = excluded.state
"""


async def decisions_since(connection: Connection, since: Mapping[str, int]) -> dict[str, dict[tuple[str, int], Row]]:
    """Stored decisions of each person as known at the given sequence or later."""
    rows = await connection.fetch(_DECISIONS_SINCE, list(since), list(since.values()))
    found: dict[str, dict[tuple[str, int], Row]] = defaultdict(dict)
    for row in rows:
        found[row["person_id"]][row["month"], row["sequence"]] = Row(*row)
    return found


_DECISIONS_SINCE = f"""
    SELECT {", ".join(f"decision.{column}" for column in Row._fields)}
    FROM decision JOIN unnest($1::text[], $2::bigint[]) AS late (person_id, sequence) USING (person_id)
    WHERE decision.sequence >= late.sequence
"""  # noqa: S608 - columns of our own table


async def restated_since(connection: Connection, since: Mapping[str, int]) -> dict[str, set[tuple[str, int]]]:
    """Months and deliveries of each person that were published as a change and are none any more."""
    rows = await connection.fetch(
        """
        SELECT person_id, month, told_restated.sequence
        FROM told_restated JOIN unnest($1::text[], $2::bigint[]) AS late (person_id, sequence) USING (person_id)
        WHERE told_restated.sequence >= late.sequence
        """,
        list(since),
        list(since.values()),
    )
    found: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for person_id, month, sequence in rows:
        found[person_id].add((month, sequence))
    return found


async def add_restated(connection: Connection, keys: Sequence[tuple[str, str, int]]) -> None:
    """Remember published changes that are none any more."""
    await connection.execute(
        """
        INSERT INTO told_restated SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING
        """,
        *_columns(keys, 3),
    )


async def replace_decisions(connection: Connection, gone: Sequence[tuple[str, str, int]], rows: Sequence[Row]) -> None:
    """Delete decisions by person, month and sequence, then write new ones."""
    if gone:
        await connection.execute(
            """
            DELETE FROM decision USING unnest($1::text[], $2::text[], $3::bigint[]) AS gone (person_id, month, sequence)
            WHERE (decision.person_id, decision.month, decision.sequence) = (gone.person_id, gone.month, gone.sequence)
            """,
            *_columns(gone, 3),
        )
    if rows:
        await connection.copy_records_to_table("decision", records=rows, columns=Row._fields)


async def save_rosters(connection: Connection, events: Sequence[ProviderRosterStated]) -> None:
    """Keep each roster page's counties; the same page again changes nothing."""
    await connection.executemany(
        """
        INSERT INTO roster_page (entity_id, sequence, page, stated_on, counties) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        [
            (
                event.data.entity_id,
                event.deliveryseq,
                event.data.page,
                event.data.stated_on,
                sorted(_counties(event)),
            )
            for event in events
        ],
    )


def _counties(event: ProviderRosterStated) -> set[str]:
    named = {provider.county_fips for provider in event.data.providers if provider.county_fips}
    return named | set(event.data.service_area_counties)


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
