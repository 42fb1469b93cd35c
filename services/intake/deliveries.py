"""Deliveries: numbered when they are taken, and what has become of each."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import asyncpg

from contracts.delivery import (
    DeliveryCompleted,
    DeliveryCompletedData,
    DeliveryKind,
    DeliveryQuarantined,
    DeliveryQuarantinedData,
    DeliveryReceived,
    DeliveryReceivedData,
)
from contracts.identifiers import holds_an_mbi
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.registry import delivery_id, recognise
from services.runtime.database import Connection, lock_number
from services.runtime.outbox import outgoing, publish_completed, queue

Status = Literal["registered", "staged", "held", "completed", "refused"]

_NUMBER = re.compile(r"[0-9]{1,18}")
_WITHHELD = Path("withheld")
# Numbers are given one at a time.
SEQUENCE_LOCK = lock_number("intake delivery sequence")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the table of deliveries."""

    delivery_id: str
    sequence: int
    kind: DeliveryKind | None
    source: str
    name: str
    path: Path
    dated: date | None
    received_at: datetime
    status: Status
    reason_code: str | None
    reason_detail: str | None
    records: int
    claims: int
    quarantined: int
    staged_records: int
    events: int
    published_through: str
    substance_use_withheld: bool | None
    read_bytes: int
    total_bytes: int
    released: bool
    people: int | None
    people_added: int | None
    people_gone: int | None
    people_changed: int | None
    compared_with: int | None


@dataclass(frozen=True, slots=True)
class Registration:
    """``known`` is true where the same content had been delivered before: nothing was done."""

    delivery_id: str
    sequence: int
    status: Status
    known: bool


def _delivery(row: asyncpg.Record) -> Delivery:
    values = dict(row)
    values["path"] = Path(values["path"])
    values["kind"] = DeliveryKind(values["kind"]) if values["kind"] else None
    return Delivery(**values)


async def find(connection: Connection, identity: str) -> Delivery | None:
    """One delivery."""
    row = await connection.fetchrow("SELECT * FROM delivery WHERE delivery_id = $1", identity)
    return _delivery(row) if row else None


async def find_named(connection: Connection, name: str) -> Delivery | None:
    """One delivery, by its number or its id."""
    if not _NUMBER.fullmatch(name):
        return await find(connection, name)
    row = await connection.fetchrow("SELECT * FROM delivery WHERE sequence = $1", int(name))
    return _delivery(row) if row else None


_LISTED = """
    SELECT * FROM delivery
    WHERE ($2::bigint IS NULL OR sequence < $2) AND ($3::text IS NULL OR status = $3)
    ORDER BY sequence DESC LIMIT $1
"""


async def listed(
    connection: Connection, most: int, before: int | None = None, status: str | None = None
) -> list[Delivery]:
    """Deliveries, the newest first, older than a sequence number, of one status."""
    return [_delivery(row) for row in await connection.fetch(_LISTED, most, before, status)]


async def listed_refused(connection: Connection, most: int) -> list[Delivery]:
    """Deliveries that were refused whole or are held, the newest first."""
    rows = await connection.fetch(
        "SELECT * FROM delivery WHERE status IN ('held', 'refused') ORDER BY sequence DESC LIMIT $1", most
    )
    return [_delivery(row) for row in rows]


async def next_waiting(connection: Connection) -> Delivery | None:
    """The oldest delivery that is not done with."""
    row = await connection.fetchrow(
        "SELECT * FROM delivery WHERE status IN ('registered', 'staged') ORDER BY sequence LIMIT 1"
    )
    return _delivery(row) if row else None


async def register(connection: Connection, path: Path, received_at: datetime) -> Registration:
    """Take a delivery: recognise it, number it, announce it. The same content a second time changes nothing.

    ``path`` is absolute: the delivery is read from there later.

    What cannot be recognised is refused, and takes a number too: the refusal is announced in order.
    Raises :class:`OSError` when there is no such file.
    """
    found: Recognised | RefusedDelivery
    try:
        found = recognise(path, received_at.date())
    except RefusedDelivery as refusal:
        found = refusal
    kind = found.kind if isinstance(found, Recognised) else None
    identity = delivery_id(kind, path)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", SEQUENCE_LOCK)
        known = await find(connection, identity)
        if known is not None:
            return Registration(identity, known.sequence, known.status, known=True)
        sequence = await connection.fetchval("SELECT coalesce(max(sequence), 0) + 1 FROM delivery")
        if isinstance(found, RefusedDelivery):
            await _insert(connection, (identity, sequence, received_at), path, None)
            await refuse(connection, identity, found)
            return Registration(identity, sequence, "refused", known=False)
        await _insert(connection, (identity, sequence, received_at), path, found)
        await announce_received(connection, (identity, sequence, received_at), found)
    return Registration(identity, sequence, "registered", known=False)


_INSERT = """
    INSERT INTO delivery
        (delivery_id, sequence, kind, source, name, path, dated, received_at, substance_use_withheld, status)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'registered')
"""


Taken = tuple[str, int, datetime]


async def _insert(connection: Connection, taken: Taken, path: Path, found: Recognised | None) -> None:
    identity, sequence, received_at = taken
    kind, source, dated = (found.kind.value, found.source, found.dated) if found else (None, "unknown", None)
    withheld = found.substance_use_withheld if found else None
    if holds_an_mbi(str(path)):  # it has been refused for that, and is told without its name
        path = _WITHHELD
    values = (identity, sequence, kind, source, path.name, str(path), dated, received_at, withheld)
    await connection.execute(_INSERT, *values)


async def announce_received(connection: Connection, taken: Taken, found: Recognised) -> None:
    """Say that a delivery was taken: who it is, its number and when. To be called inside a transaction."""
    identity, sequence, received_at = taken
    event = DeliveryReceived.of(
        service="intake",
        key=identity,
        version=str(sequence),
        time=received_at,
        delivery_id=identity,
        sequence=sequence,
        data=DeliveryReceivedData(
            kind=found.kind,
            source=found.source,
            file_count=1,
            dated=found.dated,
            substance_use_withheld=found.substance_use_withheld,
        ),
    )
    await queue(connection, [outgoing(event)])


_REFUSE = """
    UPDATE delivery SET status = 'refused', reason_code = $2, reason_detail = $3, records = 0, claims = 0
    WHERE delivery_id = $1 AND status IN ('registered', 'staged') RETURNING *
"""


async def refuse(connection: Connection, identity: str, refusal: RefusedDelivery) -> None:
    """Refuse a delivery whole, and say so. To be called inside a transaction."""
    row = await connection.fetchrow(_REFUSE, identity, refusal.reason_code, refusal.detail)
    if row is None:
        return
    await announce_unused(connection, _delivery(row), refusal.reason_code)


async def announce_unused(connection: Connection, delivery: Delivery, reason_code: str) -> None:
    """Say that nothing will be published under a delivery's number. To be called inside a transaction."""
    event = DeliveryQuarantined.of(
        service="intake",
        key=delivery.delivery_id,
        version=str(delivery.sequence),
        time=delivery.received_at,
        delivery_id=delivery.delivery_id,
        sequence=delivery.sequence,
        data=DeliveryQuarantinedData(kind=delivery.kind, reason_code=reason_code),
    )
    await queue(connection, [outgoing(event)])


_COMPLETE = "UPDATE delivery SET status = 'completed' WHERE delivery_id = $1 AND status = 'staged' RETURNING *"


async def complete(connection: Connection, identity: str) -> None:
    """Everything about a delivery is in the outbox: announce it, behind that. To be called inside a transaction."""
    row = await connection.fetchrow(_COMPLETE, identity)
    if row is None:
        raise LookupError("only a staged delivery can be completed")
    event = DeliveryCompleted.of(
        service="intake",
        key=identity,
        version=str(row["sequence"]),
        time=row["received_at"],
        delivery_id=identity,
        sequence=row["sequence"],
        data=DeliveryCompletedData(
            kind=DeliveryKind(row["kind"]),
            dated=row["dated"],
            records=row["records"],
            quarantined=row["quarantined"],
            claims=row["claims"],
            end_offsets={},
        ),
    )
    await publish_completed(connection, event)


_RETRY = """
    UPDATE delivery SET status = 'registered', sequence = $2, reason_code = NULL, reason_detail = NULL,
        published_through = '', events = 0
    WHERE delivery_id = $1
"""
_NOTE_RETRY = """
    INSERT INTO delivery_retry (delivery_id, refused_sequence, sequence, reason_code, actor)
    VALUES ($1, $2, $3, $4, $5)
"""


async def retry(connection: Connection, identity: str, *, actor: str) -> Registration | None:
    """Take a refused delivery again, under a new number: what it says is known from now on. Recorded with its actor.

    ``None`` where there is no refused delivery of a known kind.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", SEQUENCE_LOCK)
        refused = await find(connection, identity)
        if refused is None or refused.status != "refused" or refused.kind is None or refused.dated is None:
            return None
        sequence = await connection.fetchval("SELECT max(sequence) + 1 FROM delivery")
        await connection.execute(_RETRY, identity, sequence)
        await connection.execute(_NOTE_RETRY, identity, refused.sequence, sequence, refused.reason_code, actor)
        found = Recognised(refused.kind, refused.source, refused.dated, refused.substance_use_withheld)
        await announce_received(connection, (identity, sequence, refused.received_at), found)
    return Registration(identity, sequence, "registered", known=False)
