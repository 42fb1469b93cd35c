"""PostgreSQL: one way to connect, one way to open a transaction, migrations, and which errors pass by themselves."""

import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import asyncpg

from services.runtime.exits import DatabaseUnreachable, SchemaConflict
from services.runtime.retrying import Backoff
from services.runtime.settings import SCHEMA_NAME
from services.runtime.telemetry import log

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    # Generic only to type checkers.
    Connection = asyncpg.Connection

_OWN_MIGRATIONS = Path(__file__).parent / "migrations"
_SCHEMA_NAME = re.compile(SCHEMA_NAME)
_CONNECT_TIMEOUT_SECONDS = 10.0
# A statement that takes longer than this is stuck: it fails as transient and is tried again.
_COMMAND_TIMEOUT_SECONDS = 300.0

_TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,  # serialization failure, deadlock
    asyncpg.OperatorInterventionError,  # administrator, crash, start-up, cancelled statement
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # the primary became a replica
)


def is_transient(error: BaseException, connection: Connection | None = None) -> bool:
    """Whether trying again can help. A lost connection shows as an interface error of a closed connection."""
    if isinstance(error, _TRANSIENT):
        return True
    return isinstance(error, asyncpg.InterfaceError) and connection is not None and connection.is_closed()


def lock_number(name: str) -> int:
    """A name as the 32-bit number that advisory locks want."""
    return crc32(name.encode()) - 2**31


def _checked(schema: str) -> str:
    if not _SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"not a plain schema name: {schema!r}")
    return schema


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds of silence PostgreSQL ends a session, so that a frozen process frees its locks."""

    in_transaction: float | None = None
    between: float | None = None

    def server_settings(self) -> dict[str, str]:
        """As PostgreSQL wants it; 0 is for ever."""
        return {
            "idle_in_transaction_session_timeout": f"{(self.in_transaction or 0) * 1000:.0f}ms",
            "idle_session_timeout": f"{(self.between or 0) * 1000:.0f}ms",
        }


_ENDLESS = Patience()


async def connect(url: str, schema: str, patience: Patience = _ENDLESS) -> Connection:
    """One connection whose search path is the schema."""
    return await asyncpg.connect(
        url,
        timeout=_CONNECT_TIMEOUT_SECONDS,
        command_timeout=_COMMAND_TIMEOUT_SECONDS,
        server_settings={
            "search_path": _checked(schema),
            "application_name": f"tandem {schema}",
            **patience.server_settings(),
        },
    )


async def connect_patiently(url: str, schema: str, seconds: float | None, patience: Patience = _ENDLESS) -> Connection:
    """Connect, trying again for so long, or for ever. Raises :class:`DatabaseUnreachable`."""
    backoff = Backoff(give_up_after=seconds)
    while True:
        try:
            return await connect(url, schema, patience)
        except Exception as error:
            if not is_transient(error):
                raise
            log("database_unreachable", level="warning", schema=schema, error=type(error).__name__)
            if not await backoff.wait():
                raise DatabaseUnreachable(f"PostgreSQL did not answer for {seconds} s (TANDEM_DATABASE_URL)") from None


@asynccontextmanager
async def connected(url: str, schema: str) -> AsyncIterator[Connection]:
    """A connection for the time of a block."""
    connection = await connect(url, schema)
    try:
        yield connection
    finally:
        await close(connection)


async def close(connection: Connection) -> None:
    """Close politely, but not for long: the server may be gone."""
    try:
        await connection.close(timeout=2)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


async def open_pool(url: str, schema: str, *, size: int = 8) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool for gateways and commands."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=_CONNECT_TIMEOUT_SECONDS,
        command_timeout=_COMMAND_TIMEOUT_SECONDS,
        server_settings={"search_path": _checked(schema), "application_name": f"tandem {schema}"},
    )


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered file of SQL."""

    owner: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(owner: str, folder: Path) -> Iterator[Migration]:
    """The numbered files of a folder, in order."""
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        yield Migration(owner, path.stem, path.read_text(encoding="utf-8"))


async def apply_migrations(connection: Connection, schema: str, folder: Path) -> int:
    """Bring the schema up to date: the runtime's own tables, then the service's. Returns how many were new.

    Workers may start together: an advisory lock lets one go first. Raises :class:`SchemaConflict`.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", lock_number(f"migrations of {schema}"))
        await _create_schema(connection, schema)
        applied = {(row["owner"], row["name"]): row["checksum"] for row in await _recorded(connection)}
        new = 0
        for migration in (*read_migrations("runtime", _OWN_MIGRATIONS), *read_migrations("service", folder)):
            new += await _apply(connection, migration, applied.get((migration.owner, migration.name)))
        return new


async def _create_schema(connection: Connection, schema: str) -> None:
    # Looked up first: CREATE SCHEMA IF NOT EXISTS needs the right to create even where it exists.
    if not await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema):
        await connection.execute(f"CREATE SCHEMA {_checked(schema)}")


async def _recorded(connection: Connection) -> list[asyncpg.Record]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS runtime_migration "
        "(owner text, name text, checksum text NOT NULL, PRIMARY KEY (owner, name))"
    )
    return await connection.fetch("SELECT owner, name, checksum FROM runtime_migration")


async def _apply(connection: Connection, migration: Migration, recorded: str | None) -> int:
    if recorded == migration.checksum:
        return 0
    if recorded is not None:
        raise SchemaConflict(f"migration {migration.owner}/{migration.name} was changed after it had been applied")
    await connection.execute(migration.sql)
    await connection.execute(
        "INSERT INTO runtime_migration (owner, name, checksum) VALUES ($1, $2, $3)",
        migration.owner,
        migration.name,
        migration.checksum,
    )
    return 1
