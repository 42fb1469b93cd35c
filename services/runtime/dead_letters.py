"""Messages that could not be applied: kept sealed, with a reason, to be listed, replayed or dropped by command."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
from cryptography.exceptions import InvalidTag

from contracts.topics import AnyEvent
from services.runtime.database import Connection
from services.runtime.key_ring import KeyRing
from services.runtime.ledger import Message, Spot

MOST_PAYLOAD_BYTES: Final = 1024 * 1024
_MOST_DETAIL: Final = 500
_LENGTHS: Final = struct.Struct(">ii")
_ABSENT: Final = -1


class SealBroken(ValueError):  # noqa: N818 - names the finding
    """The payload was sealed with another key, or was changed."""


class Seal:
    """AES-256-GCM under the newest of several keys. The place of a message is authenticated with it."""

    def __init__(self, key: bytes, *previous: bytes) -> None:
        self._ring = KeyRing("dead letters", key, *previous)
        self.key_id = self._ring.key_id

    def close(self, content: bytes, spot: Spot, offset: int) -> bytes:
        """Encrypt."""
        return self._ring.seal(content, _place(spot, offset))

    def open(self, sealed: bytes, spot: Spot, offset: int) -> bytes:
        """Decrypt. Raises :class:`SealBroken`."""
        try:
            return self._ring.open(sealed, _place(spot, offset))
        except InvalidTag:
            raise SealBroken("sealed with another key, or changed") from None


def _place(spot: Spot, offset: int) -> bytes:
    return f"{spot.topic}/{spot.partition}/{offset}".encode()


def pack(key: bytes | None, value: bytes | None) -> bytes:
    """Key and value of a message as one text, absent and empty told apart."""
    lengths = (_ABSENT if part is None else len(part) for part in (key, value))
    return _LENGTHS.pack(*lengths) + (key or b"") + (value or b"")


def unpack(content: bytes) -> tuple[bytes | None, bytes | None]:
    """Undo :func:`pack`."""
    key_length, value_length = _LENGTHS.unpack_from(content)
    body = content[_LENGTHS.size :]
    split = max(key_length, 0)
    return (None if key_length == _ABSENT else body[:split]), (None if value_length == _ABSENT else body[split:])


class DeadLetter(NamedTuple):
    """A message to park."""

    message: Message
    reason: str
    detail: str
    event: AnyEvent | None


_PARK = """
    INSERT INTO runtime_dead_letter (topic, partition, message_offset, reason, detail, event_type, delivery_id,
        delivery_sequence, occurred_at, payload, payload_key_id, payload_bytes, truncated)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::timestamptz[], $10::bytea[], $11::text[], $12::integer[], $13::boolean[])
    ON CONFLICT (topic, partition, message_offset) DO NOTHING
"""


async def park(connection: Connection, letters: Sequence[DeadLetter], seal: Seal) -> None:
    """Write dead letters inside the open transaction: one round trip."""
    if letters:
        await connection.execute(_PARK, *map(list, zip(*(_row(letter, seal) for letter in letters), strict=True)))


def _row(letter: DeadLetter, seal: Seal) -> tuple[object, ...]:
    message, event = letter.message, letter.event
    size = len(message.key or b"") + len(message.value or b"")
    truncated = size > MOST_PAYLOAD_BYTES
    kept = message._replace(key=(message.key or b"")[:200], value=(message.value or b"")[: MOST_PAYLOAD_BYTES - 200])
    content = pack(kept.key, kept.value) if truncated else pack(message.key, message.value)
    return (
        message.spot.topic,
        message.spot.partition,
        message.offset,
        letter.reason,
        letter.detail[:_MOST_DETAIL].replace("\x00", ""),
        event.type if event else None,
        event.deliveryid if event else None,
        event.deliveryseq if event else None,
        event.time if event else message.time,
        seal.close(content, message.spot, message.offset),
        seal.key_id,
        size,
        truncated,
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """A dead letter as an operator sees it: no payload."""

    id: int
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    event_type: str | None
    delivery_id: str | None
    delivery_sequence: int | None
    occurred_at: datetime | None
    payload_bytes: int
    truncated: bool
    status: str


_COLUMNS = """id, topic, partition, message_offset AS "offset", reason, detail, event_type, delivery_id,
    delivery_sequence, occurred_at, payload_bytes, truncated, status"""


async def list_dead_letters(
    connection: Connection,
    *,
    status: str | None = "parked",
    reason: str | None = None,
    limit: int = 100,
    after: int = 0,
) -> list[Listed]:
    """Dead letters in order of arrival, from the one after ``after``."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM runtime_dead_letter WHERE id > $1 AND ($2::text IS NULL OR status = $2) "  # noqa: S608 - fixed columns
        "AND ($3::text IS NULL OR reason = $3) ORDER BY id LIMIT $4",
        after,
        status,
        reason,
        limit,
    )
    return [Listed(**dict(row)) for row in rows]


async def count_by_reason(connection: Connection) -> dict[str, int]:
    """How many are parked, by reason."""
    rows = await connection.fetch(
        "SELECT reason, count(*) AS letters FROM runtime_dead_letter WHERE status = 'parked' GROUP BY reason ORDER BY 1"
    )
    return {row["reason"]: row["letters"] for row in rows}


async def open_letter(connection: Connection, dead_letter_id: int, seal: Seal) -> Message:
    """Lock a parked letter and open its message. Raises :class:`LookupError`, :class:`SealBroken`."""
    row = await _locked(connection, dead_letter_id)
    if row["truncated"]:
        raise LookupError(f"dead letter {dead_letter_id} was too large to keep whole: deliver its source again")
    spot = Spot(row["topic"], row["partition"])
    key, value = unpack(seal.open(row["payload"], spot, row["message_offset"]))
    return Message(spot, row["message_offset"], key, value, row["occurred_at"])


_OTHER_KEYS = """
    SELECT id, topic, partition, message_offset, payload FROM runtime_dead_letter
    WHERE id > $1 AND payload IS NOT NULL AND payload_key_id <> $2 ORDER BY id LIMIT $3 FOR UPDATE
"""


async def sealed_otherwise(connection: Connection, seal: Seal) -> int:
    """How many letters are sealed under another key than the newest."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM runtime_dead_letter WHERE payload IS NOT NULL AND payload_key_id <> $1", seal.key_id
    )
    return count


async def reseal(connection: Connection, seal: Seal, *, after: int, most: int) -> tuple[int, int]:
    """Seal some letters behind one anew, in one transaction: how many, and the last of them. Raises :class:`SealBroken`."""
    async with connection.transaction():
        rows = await connection.fetch(_OTHER_KEYS, after, seal.key_id, most)
        for row in rows:
            spot, offset = Spot(row["topic"], row["partition"]), row["message_offset"]
            payload = seal.close(seal.open(row["payload"], spot, offset), spot, offset)
            await connection.execute(
                "UPDATE runtime_dead_letter SET payload = $2, payload_key_id = $3 WHERE id = $1",
                row["id"],
                payload,
                seal.key_id,
            )
    return len(rows), rows[-1]["id"] if rows else after


async def drop(connection: Connection, dead_letter_id: int, *, actor: str) -> None:
    """Give a parked letter up: its payload goes, the row and who decided it stay. Raises :class:`LookupError`."""
    async with connection.transaction():
        await _locked(connection, dead_letter_id)
        await settle(connection, dead_letter_id, "dropped")
        await record_action(connection, dead_letter_id, action="drop", outcome="dropped", actor=actor)


async def settle(connection: Connection, dead_letter_id: int, status: str) -> None:
    """Close a letter; what is not needed any more is not kept."""
    await connection.execute(
        "UPDATE runtime_dead_letter SET status = $2, payload = NULL WHERE id = $1", dead_letter_id, status
    )


async def record_action(connection: Connection, dead_letter_id: int, *, action: str, outcome: str, actor: str) -> None:
    """Write down who did what."""
    await connection.execute(
        "INSERT INTO runtime_dead_letter_action (dead_letter_id, action, outcome, actor) VALUES ($1, $2, $3, $4)",
        dead_letter_id,
        action,
        outcome,
        actor,
    )


async def _locked(connection: Connection, dead_letter_id: int) -> asyncpg.Record:
    row = await connection.fetchrow(
        "SELECT * FROM runtime_dead_letter WHERE id = $1 AND status = 'parked' FOR UPDATE", dead_letter_id
    )
    if row is None:
        raise LookupError(f"no parked dead letter {dead_letter_id}")
    return row
