"""Everything that intake keeps sealed, sealed anew under another key: in batches, each of which is done or not done.

A value says under which key it was sealed, so a rotation that was killed goes on where it was, and both keys open what is
theirs meanwhile. The order of batches is that of the tables' keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from cryptography.exceptions import InvalidTag

from services.intake.quarantine import place_of_line
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection
from services.runtime.key_ring import MARK_BYTES, KeyRing

Told = Callable[[int], None]
ROWS_A_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table with sealed values: what it holds, the columns of its key, and to what each seal is bound."""

    table: str
    column: str
    key: tuple[str, ...]
    types: tuple[str, ...]
    place: Callable[[Sequence[Any]], bytes]
    ring: Callable[[IdentityKeys], KeyRing]


SEALED: Final = (
    Sealed("vault_identifier", "value_sealed", ("lookup",), ("bytea",), lambda key: bytes(key[0]), lambda k: k.vault),
    Sealed(
        "vault_demographics",
        "content_sealed",
        ("lookup", "fingerprint"),
        ("bytea", "bytea"),
        lambda key: bytes(key[0]) + bytes(key[1]),
        lambda k: k.vault,
    ),
    Sealed(
        "quarantined_line",
        "raw_sealed",
        ("delivery_id", "number"),
        ("text", "bigint"),
        lambda key: place_of_line(key[0], key[1]),
        lambda k: k.lines,
    ),
)
# What a delivery in work has sealed goes into the vault as it is.
_IN_WORK: Final = (("staged_identifier", "value_sealed"), ("staged_demographics", "content_sealed"))


class KeyMissing(ValueError):  # noqa: N818 - names the finding
    """Something is sealed under a key that is not among those given. Nothing of it was changed."""


async def sealed_otherwise(connection: Connection, keys: IdentityKeys) -> dict[str, int]:
    """How many values of each table are sealed under another key than the newest."""
    found = {one.table: await _count(connection, one.table, one.column, one.ring(keys)) for one in SEALED}
    return found | {table: await _count(connection, table, column, keys.vault) for table, column in _IN_WORK}


async def _count(connection: Connection, table: str, column: str, ring: KeyRing) -> int:
    count: int = await connection.fetchval(
        f"SELECT count(*) FROM {table} WHERE substr({column}, 1, $1) <> $2",  # noqa: S608 - constants of this module
        MARK_BYTES,
        ring.mark,
    )
    return count


async def reseal(connection: Connection, keys: IdentityKeys, tell: Told, rows: int = ROWS_A_BATCH) -> dict[str, int]:
    """Seal everything anew that is sealed under another key; how many values of each table. Raises :class:`KeyMissing`."""
    return {one.table: await _reseal(connection, one, one.ring(keys), tell, rows) for one in SEALED}


async def _reseal(connection: Connection, one: Sealed, ring: KeyRing, tell: Told, rows: int) -> int:
    done, after = 0, None
    while True:
        async with connection.transaction():
            batch = await connection.fetch(*_next_batch(one, ring, after, rows))
            if not batch:
                return done
            await _write(connection, one, ring, batch)
        after = tuple(batch[-1])[:-1]
        done += len(batch)
        tell(len(batch))


def _next_batch(one: Sealed, ring: KeyRing, after: Sequence[Any] | None, rows: int) -> tuple[Any, ...]:
    key = ", ".join(one.key)
    behind = ", ".join(f"${number}::{kind}" for number, kind in enumerate(one.types, 4))
    condition = "" if after is None else f"AND ({key}) > ({behind})"
    query = (
        f"SELECT {key}, {one.column} FROM {one.table} WHERE substr({one.column}, 1, $1) <> $2 {condition} "  # noqa: S608 - constants of this module
        f"ORDER BY {key} LIMIT $3 FOR UPDATE"
    )
    return (query, MARK_BYTES, ring.mark, rows, *(after or ()))


async def _write(connection: Connection, one: Sealed, ring: KeyRing, batch: Sequence[asyncpg.Record]) -> None:
    values = [(*key, ring.seal(_opened(one, ring, key, sealed), one.place(key))) for *key, sealed in map(tuple, batch)]
    columns = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate((*one.types, "bytea"), 1))
    same = " AND ".join(f"resealed.{column} = {one.table}.{column}" for column in one.key)
    await connection.execute(
        f"UPDATE {one.table} SET {one.column} = resealed.sealed "  # noqa: S608 - constants of this module
        f"FROM unnest({columns}) AS resealed ({', '.join(one.key)}, sealed) WHERE {same}",
        *map(list, zip(*values, strict=True)),
    )


def _opened(one: Sealed, ring: KeyRing, key: Sequence[Any], sealed: bytes) -> bytes:
    try:
        return ring.open(sealed, one.place(key))
    except InvalidTag:
        fault = KeyMissing(f"a value of {one.table} is sealed under a key that is not known here")
    raise fault


async def verify(connection: Connection, keys: IdentityKeys, tell: Told, rows: int = ROWS_A_BATCH) -> dict[str, int]:
    """Open every value, and say how many there are. ``keys`` should hold the newest only. Raises :class:`KeyMissing`."""
    found = {}
    for one in SEALED:
        count = 0
        async with connection.transaction(readonly=True):
            query = f"SELECT {', '.join(one.key)}, {one.column} FROM {one.table}"  # noqa: S608 - constants of this module
            cursor = await connection.cursor(query)
            while batch := await cursor.fetch(rows):
                for *key, sealed in map(tuple, batch):
                    _opened(one, one.ring(keys), key, sealed)
                count += len(batch)
                tell(len(batch))
        found[one.table] = count
    return found
