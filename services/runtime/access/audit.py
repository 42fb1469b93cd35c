"""The record of every read: who, what, when and with what outcome, in a chain that shows when anything of it is changed.

No value is ever in it: of what was asked, the names of parameters alone.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

import asyncpg

from services.runtime.database import Connection

# A text: asyncpg knows the parameter in its types only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

FIRST: Final = hashlib.sha256(b"tandem audit").digest()
_MOST_AT_ONCE: Final = 500
_SEPARATOR: Final = "\x1f"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Read(NamedTuple):
    """One read. ``tenant`` is empty for operators and for whoever is not known; ``client_id`` is ``-`` for those."""

    read_at: datetime
    client_id: str
    tenant: str
    route: str
    parameters: str
    status: int
    request_id: str


def digest_of(before: bytes, number: int, read: Read) -> bytes:
    """The digest of a row behind another's: SHA-256 over that digest and the row's fields."""
    since = read.read_at - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    fields = (number, microseconds, *read[1:])
    return hashlib.sha256(before + _SEPARATOR.join(map(str, fields)).encode()).digest()


_APPEND: Final = "SELECT runtime_audit_append($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[])"


@dataclass(slots=True)
class AuditTrail:
    """Adds reads to the record. Reads that come while one is written are written together, in their order."""

    pool: Pool
    _waiting: list[tuple[Read, "asyncio.Future[None]"]] = field(default_factory=list)
    _writing: "asyncio.Task[None] | None" = None

    async def append(self, read: Read) -> None:
        """Return when the read is in the record for good. Raises what the database raises."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((read, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[tuple[Read, "asyncio.Future[None]"]]) -> None:
        fault: Exception | None = None
        try:
            columns = [list(column) for column in zip(*(read for read, _ in batch), strict=True)]
            async with self.pool.acquire() as connection:
                await connection.fetchval(_APPEND, *columns)
        except Exception as error:  # noqa: BLE001 - told to everybody who waits for it
            fault = error
        for _, written in batch:
            if written.done():  # whoever waited is gone
                continue
            if fault is None:
                written.set_result(None)
            else:
                written.set_exception(fault)


class Head(NamedTuple):
    """Where the record ends. Kept elsewhere, it shows later that nothing before it was changed."""

    number: int
    digest: bytes


class Finding(NamedTuple):
    """Something of the record that is not as it was written."""

    number: int
    fault: str


async def head_of(connection: Connection) -> Head:
    """Where the record ends, by its own word."""
    row = await connection.fetchrow("SELECT number, digest FROM runtime_audit_head")
    return Head(0, FIRST) if row is None else Head(row["number"], row["digest"])


async def _rows(connection: Connection) -> AsyncIterator[asyncpg.Record]:
    """Rows in their order, a page at a time: the record may be larger than memory."""
    last = 0
    while page := await connection.fetch(
        "SELECT number, read_at, client_id, tenant, route, parameters, status, request_id, digest FROM runtime_audit "
        "WHERE number > $1 ORDER BY number LIMIT 10000",
        last,
    ):
        for row in page:
            yield row
        last = page[-1]["number"]


async def verify(connection: Connection, anchors: Sequence[Head] = ()) -> tuple[Head, Finding | None]:
    """Compute the whole chain again, on one snapshot; where it ends, and the first thing that is wrong.

    ``anchors``: ends that were noted earlier and kept elsewhere. Whoever owns the database could compute a new chain over
    changed rows; against an anchor that shows.
    """
    wanted = {anchor.number: anchor.digest for anchor in anchors if anchor.number}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        number, chain = 0, FIRST
        async for row in _rows(connection):
            number += 1
            if row["number"] != number:
                return Head(number - 1, chain), Finding(number, "the row is missing")
            chain = digest_of(chain, number, Read(*tuple(row)[1:8]))
            if chain != row["digest"]:
                return Head(number, chain), Finding(number, "the row, or one before it, is not what was written")
            if wanted.pop(number, chain) != chain:
                return Head(number, chain), Finding(number, "the chain is not the one that was noted")
        return Head(number, chain), _end(Head(number, chain), await head_of(connection), wanted)


def _end(found: Head, told: Head, left: dict[int, bytes]) -> Finding | None:
    if found != told:
        return Finding(found.number + 1, "rows at the end are missing")
    if left:
        return Finding(min(left), "rows up to what was noted are missing")
    return None
