"""Positions: where a service has come on each topic-partition, moved by compare-and-set.

The rules are pure functions over offsets; the SQL is below them. Offsets may have holes (compaction,
transaction markers), so a gap is legal only where the log itself was asked and holds nothing there.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from services.runtime.database import Connection


class Spot(NamedTuple):
    """A topic-partition."""

    topic: str
    partition: int


class Message(NamedTuple):
    """A message as it lay on the log."""

    spot: Spot
    offset: int
    key: bytes | None
    value: bytes | None
    time: datetime | None


class Position(NamedTuple):
    """The first offset that is not applied yet, and how many messages were parked one after the other before it."""

    next_offset: int
    parked_run: int


class Gap(NamedTuple):
    """Offsets from ``start`` up to ``end`` that were not delivered."""

    start: int
    end: int


class UnverifiedGap(Exception):  # noqa: N818 - a finding, handled by asking the log
    """Messages may be missing between the position and what was delivered."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(f"offsets {gap.start} to {gap.end} were not delivered")
        self.gap = gap


class PositionMoved(Exception):  # noqa: N818 - a finding, handled by trying again
    """Another worker moved the position in between."""


def unread(next_offset: int, messages: Sequence[Message], holes: Iterable[Gap] = ()) -> Sequence[Message]:
    """The messages at or after the position. Raises :class:`UnverifiedGap` unless every gap is a known hole."""
    known = set(holes)
    fresh = messages
    if messages and messages[0].offset < next_offset:
        fresh = [message for message in messages if message.offset >= next_offset]
    expected = next_offset
    for message in fresh:
        if message.offset != expected and Gap(expected, message.offset) not in known:
            raise UnverifiedGap(Gap(expected, message.offset))
        expected = message.offset + 1
    return fresh


def digest(message: Message) -> bytes:
    """Tells a message from any other that could stand at its offset."""
    return digest_of(message.key, message.value, message.time)


def digest_of(key: bytes | None, value: bytes | None, time: datetime | None) -> bytes:
    """See :func:`digest`."""
    hashed = blake2b(key or b"", digest_size=16)
    hashed.update(b"\x00" + (value or b""))
    # Milliseconds: what Kafka keeps, whatever became of it on the way here.
    hashed.update(str(round(time.timestamp() * 1000) if time else None).encode())
    return hashed.digest()


# The row lock reads the newest row after the advisory lock was waited for, whatever the statement's snapshot says.
_LOCK = """
    SELECT position.next_offset, position.parked_run
    FROM (SELECT pg_advisory_xact_lock($1, $3) OFFSET 0) AS turn, runtime_position AS position
    WHERE position.topic = $2 AND position.partition = $3
    FOR UPDATE OF position
"""
_ADVANCE = """
    UPDATE runtime_position SET next_offset = $4, last_digest = $5, last_time = $6, parked_run = $7
    WHERE topic = $1 AND partition = $2 AND next_offset = $3
"""
_CREATE = """
    INSERT INTO runtime_position (topic, partition, next_offset)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[]) ON CONFLICT DO NOTHING
"""


async def create_positions(connection: Connection, beginnings: Mapping[Spot, int]) -> None:
    """Start at the beginning of every partition that has no position yet."""
    spots = list(beginnings)
    await connection.execute(
        _CREATE,
        [spot.topic for spot in spots],
        [spot.partition for spot in spots],
        [beginnings[spot] for spot in spots],
    )


async def read_positions(connection: Connection) -> dict[Spot, int]:
    """Every stored position."""
    rows = await connection.fetch("SELECT topic, partition, next_offset FROM runtime_position")
    return {Spot(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def read_fingerprints(connection: Connection) -> dict[Spot, bytes]:
    """Digest of the last message applied, where one was."""
    rows = await connection.fetch(
        "SELECT topic, partition, last_digest FROM runtime_position WHERE last_digest IS NOT NULL"
    )
    return {Spot(row["topic"], row["partition"]): row["last_digest"] for row in rows}


async def lock_position(connection: Connection, turn: int, spot: Spot) -> Position:
    """Wait for the turn of this partition number, in every topic, and read the position."""
    row = await connection.fetchrow(_LOCK, turn, spot.topic, spot.partition)
    if row is None:
        raise LookupError(f"no position for {spot.topic} {spot.partition}: it is created when a worker starts")
    return Position(row["next_offset"], row["parked_run"])


async def advance(connection: Connection, position: Position, last: Message, parked_run: int) -> None:
    """Move the position behind a message. Raises :class:`PositionMoved` if it is not where it was read."""
    moved = await connection.execute(
        _ADVANCE,
        last.spot.topic,
        last.spot.partition,
        position.next_offset,
        last.offset + 1,
        digest(last),
        last.time,
        parked_run,
    )
    if moved != "UPDATE 1":
        raise PositionMoved
