"""The SQL behind arrangements, differences and work items. A constant number of round trips, however many people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast
from uuid import UUID

from contracts.alignment import AlignmentReported
from contracts.arrangements import ArrangementStanding
from contracts.months import month_at
from contracts.reconciliation import DifferenceClosed
from contracts.topics import AnyEvent
from services.alignment.arranging import Arranged, Changes, Differing
from services.alignment.rules.reconciliation.two_sides import Sides
from services.alignment.rules.work_items.work_item import WorkItem
from services.runtime.database import Connection
from services.runtime.person_moves import Phase, move_rows


class ArrangementRow(NamedTuple):
    """One stored month, in the order of the table's columns."""

    person_id: str
    month: str
    sequence: int
    state: str
    county_fips: str | None
    members: list[str]
    standings: str
    open_reasons: list[str]


class DifferenceRow(NamedTuple):
    """One stored difference, in the order of the table's columns."""

    person_id: str
    month: str
    sequence: int
    state: str
    entity_id: str
    outcome: str
    theirs: bool
    their_reason: str | None
    their_evidence: list[str]
    ours: bool
    our_reasons: list[str]
    our_evidence: list[str]
    forecast: str


class WorkItemRow(NamedTuple):
    """One stored work item, in the order of the table's columns."""

    person_id: str
    kind: str
    sequence: int
    state: str
    is_open: bool
    month: str | None
    reasons: list[str]
    evidence: list[str]


class Rows(NamedTuple):
    """All that one person's changes come to."""

    arrangements: list[ArrangementRow]
    differences: list[DifferenceRow]
    items: list[WorkItemRow]


def rows_of(person_id: str, found: Iterable[Changes]) -> Rows:
    """The changes of a person as they are stored."""
    rows = Rows([], [], [])
    for one in found:
        at = (one.sequence, one.state)
        rows.arrangements.extend(_arrangement(person_id, month, at, now) for month, now in sorted(one.arranged.items()))
        rows.differences.extend(_difference(person_id, month, at, *now) for month, now in sorted(one.differing.items()))
        rows.items.extend(_item(person_id, kind, at, item) for kind, item in sorted(one.items.items()))
    return rows


def _arrangement(person_id: str, month: int, at: tuple[int, str], now: Arranged) -> ArrangementRow:
    members = sorted({one.arrangement for one in now.standings if one.standing == "member"})
    said = json.dumps([list(_values(one)) for one in now.standings], separators=(",", ":"))
    return ArrangementRow(person_id, month_at(month), *at, now.county_fips, members, said, list(now.open_reasons))


_STANDING = tuple(ArrangementStanding.model_fields)


def _values(standing: ArrangementStanding) -> Iterable[Any]:
    return (getattr(standing, name) for name in _STANDING)


def standings_of(stored: str) -> tuple[ArrangementStanding, ...]:
    """The inverse of how standings are stored."""
    said = (dict(zip(_STANDING, values, strict=True)) for values in json.loads(stored))
    return tuple(ArrangementStanding.model_validate(one | {"reasons": tuple(one["reasons"])}) for one in said)


def _difference(person_id: str, month: int, at: tuple[int, str], now: Differing, sides: Sides | None) -> DifferenceRow:
    return DifferenceRow(
        person_id,
        month_at(month),
        *at,
        now.entity_id,
        now.outcome,
        now.theirs,
        now.reason,
        [sides.their_evidence] if sides else [],
        now.ours,
        list(now.failing),
        list(sides.our_evidence) if sides else [],
        now.forecast,
    )


def _item(person_id: str, kind: str, at: tuple[int, str], item: WorkItem | None) -> WorkItemRow:
    if item is None:
        return WorkItemRow(person_id, kind, *at, False, None, [], [])
    return WorkItemRow(person_id, kind, *at, True, month_at(item.month), list(item.reasons), list(item.evidence))


_TABLES = (
    ("arrangement_month", ArrangementRow._fields),
    ("difference", DifferenceRow._fields),
    ("work_item", WorkItemRow._fields),
)


async def forget(connection: Connection, late: Mapping[str, int]) -> None:
    """Take back what was found about people at a delivery or later: it is found anew."""
    for table, _ in _TABLES:
        await connection.execute(
            f"DELETE FROM {table} found USING unnest($1::text[], $2::bigint[]) AS late (person_id, sequence) "  # noqa: S608 - tables of our own
            "WHERE found.person_id = late.person_id AND found.sequence >= late.sequence",
            list(late),
            list(late.values()),
        )


async def save(connection: Connection, found: Iterable[Rows]) -> None:
    """Write everything."""
    together = list(found)
    for place, (table, columns) in enumerate(_TABLES):
        records = [cast("tuple[Any, ...]", one) for rows in together for one in rows[place]]
        if records:
            await connection.copy_records_to_table(table, records=records, columns=columns)


async def revisions_of(connection: Connection, people: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many events of arrangements and of differences were published about each person."""
    rows = await connection.fetch(
        "SELECT person_id, arrangements, reconciliation FROM told_arrangement_revision WHERE person_id = ANY($1)",
        people,
    )
    return {row["person_id"]: (row["arrangements"], row["reconciliation"]) for row in rows}


async def save_revisions(connection: Connection, told: Mapping[str, tuple[int, int]]) -> None:
    """Write how many there are now."""
    rows = [(person_id, *revisions) for person_id, revisions in sorted(told.items())]
    await connection.execute(_SAVE_REVISIONS, *([list(column) for column in zip(*rows, strict=True)] or [[], [], []]))


_SAVE_REVISIONS = """
    INSERT INTO told_arrangement_revision
    SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[])
    ON CONFLICT (person_id) DO UPDATE
    SET arrangements = excluded.arrangements, reconciliation = excluded.reconciliation
"""


async def record_reported_months(connection: Connection, events: Iterable[AnyEvent]) -> None:
    """Note for which months an entity's report has come."""
    months = sorted(
        {
            (event.data.entity_id, event.data.report_month, event.deliveryseq)
            for event in events
            if isinstance(event, AlignmentReported)
        }
    )
    if months:
        await connection.execute(
            "INSERT INTO reported_month SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING",
            *[list(column) for column in zip(*months, strict=True)],
        )


async def record_closings(connection: Connection, events: Iterable[AnyEvent]) -> None:
    """Keep what people decided; told twice it changes nothing. What comes behind a move is moved on with the next cut."""
    closings = [_closing(event) for event in events if isinstance(event, DifferenceClosed)]
    if closings:
        await connection.executemany(_RECORD_CLOSING, closings)


def _closing(event: DifferenceClosed) -> tuple[Any, ...]:
    data = event.data
    decided = (data.entity_id, data.month, data.outcome, data.resolution, data.actor, data.note, event.time)
    return data.person_id, event.deliveryseq, UUID(event.id), event.named_by, *decided


_RECORD_CLOSING = """
    WITH kept AS (
        INSERT INTO difference_closing (
            person_id, since, event_id, sequence, alias, entity_id, month, outcome, resolution, actor, note, closed_at
        ) VALUES ($1, $2, $3, $2, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT DO NOTHING
        RETURNING person_id, since
    )
    UPDATE person_move SET settled = false FROM kept
    WHERE settled AND source = kept.person_id AND person_move.sequence > kept.since
"""
_CLOSING_COLUMNS = (
    "sequence", "alias", "entity_id", "month", "outcome", "resolution", "actor", "note", "closed_at",
)  # fmt: skip


async def move_closings(connection: Connection, phase: Phase) -> None:
    """Put closings under whom they are about from a delivery on."""
    await move_rows(connection, phase, "difference_closing", ("event_id",), _CLOSING_COLUMNS)
