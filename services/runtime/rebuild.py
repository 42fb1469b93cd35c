"""A read model once more, from offset 0 into another schema, and the comparison of the two.

The same code applies the batches and makes the cuts; only Faust and the relay are left out, and what would be
published is thrown away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.runtime.applying import Applier, examine_all
from services.runtime.cuts import consumed_topics, cut_next
from services.runtime.database import Connection, apply_migrations, close, connect
from services.runtime.dead_letters import Seal
from services.runtime.ledger import Gap, Message, Spot, create_positions, read_positions
from services.runtime.log import message_of, reading, require_topics
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings

# How far the rebuild has come: messages applied, messages there were at the start.
Progress = Callable[[int, int], None]

_POLL_MS: Final = 200
_KEYS_SHOWN: Final = 5
# Beginnings of the names of tables that are no read model.
_NOT_COMPARED: Final = ["runtime_", "told_"]


def _silent(_: int, __: int) -> None:
    pass


async def replay_from_start(
    definition: ServiceDefinition, settings: Settings, schema: str, *, progress: Progress = _silent
) -> int:
    """Build the service's tables anew in ``schema``, which is dropped first, up to where the log ends now.

    Returns the number of messages applied.
    """
    if schema == definition.schema:
        raise ValueError("a rebuild needs a schema beside the live one")
    connection = await connect(settings.database_url, schema)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        await apply_migrations(connection, schema, definition.migrations)
        rebuild = _Rebuild(
            connection,
            Applier(definition, schema, Seal(*settings.payload_keys()), settings.parked_run_limit),
            settings,
            progress,
        )
        return await rebuild.run()
    finally:
        await close(connection)


@dataclass(slots=True)
class _Rebuild:
    connection: Connection
    applier: Applier
    settings: Settings
    progress: Progress

    async def run(self) -> int:
        servers, patience = self.settings.bootstrap_servers(), self.settings.start_timeout_seconds
        async with reading(servers, patience) as reader:
            spots = await require_topics(reader, consumed_topics(self.applier.definition), patience)
            ends, starts = await reader.ends(spots), await reader.beginnings(spots)
        await create_positions(self.connection, starts)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=servers, group_id=None, enable_auto_commit=False, auto_offset_reset="none"
        )
        await consumer.start()
        try:
            return await self._read(consumer, starts, ends)
        finally:
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer, starts: dict[Spot, int], ends: dict[Spot, int]) -> int:
        consumer.assign([TopicPartition(*spot) for spot in ends])
        for spot, offset in starts.items():
            consumer.seek(TopicPartition(*spot), offset)
        total = sum(ends.values()) - sum(starts.values())
        behind = {spot for spot, end in ends.items() if starts[spot] < end}
        applied = 0
        while behind:
            found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=self.settings.batch_limit)
            for place, records in found.items():
                end = ends[Spot(place.topic, place.partition)]
                messages = [message_of(record, record.timestamp) for record in records if record.offset < end]
                applied += await self._apply(messages)
            behind = {spot for spot in behind if await consumer.position(TopicPartition(*spot)) < ends[spot]}
            self.progress(applied, total)
            await self._cut()
        return applied

    async def _apply(self, messages: Sequence[Message]) -> int:
        if not messages:
            return 0
        positions = await read_positions(self.connection)
        holes = _holes(positions[messages[0].spot], messages)
        return (await self.applier.apply(self.connection, await examine_all(messages), holes)).fresh

    async def _cut(self) -> None:
        while await cut_next(self.connection, self.applier.definition, self.applier.seal):
            pass
        await self.connection.execute("TRUNCATE runtime_outbox")


def _holes(position: int, messages: Sequence[Message]) -> tuple[Gap, ...]:
    """The consumer reads on from where it stopped, so a gap that it shows is a hole in the log."""
    expected = position
    holes = []
    for message in messages:
        if message.offset > expected:
            holes.append(Gap(expected, message.offset))
        expected = message.offset + 1
    return tuple(holes)


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of a table that stand on one side only; ``examples`` are their primary keys."""

    table: str
    only_in_first: int
    only_in_second: int
    examples: tuple[str, ...]


async def compare_schemas(connection: Connection, first: str, second: str) -> list[Difference]:
    """Compare all tables of two schemas row by row. Empty: they are equal.

    Left out are the runtime's own (``runtime_``) and those that record what was told to others (``told_``): what was
    told depends on the order in which topics were read, what is known does not.
    """
    tables = sorted(await _tables(connection, first) | await _tables(connection, second))
    found = [await _compare(connection, first, second, table) for table in tables]
    return [difference for difference in found if difference is not None]


async def _tables(connection: Connection, schema: str) -> set[str]:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND NOT tablename::text ^@ ANY($2::text[])",
        schema,
        _NOT_COMPARED,
    )
    return {row["tablename"] for row in rows}


async def _columns(connection: Connection, schema: str, table: str) -> dict[str, str]:
    """Columns that hold facts, and how they are compared: PostgreSQL has no equality of json, only of its text.

    A number that the database itself counts up depends on the order of work, so it is left out.
    """
    rows = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 "
        "AND is_identity = 'NO' AND coalesce(column_default, '') NOT LIKE 'nextval(%' ORDER BY ordinal_position",
        schema,
        table,
    )
    return {
        row["column_name"]: f'"{row["column_name"]}"' + ("::text" if row["data_type"] == "json" else "") for row in rows
    }


async def _compare(connection: Connection, first: str, second: str, table: str) -> Difference | None:
    columns = await _columns(connection, first, table)
    if columns != await _columns(connection, second, table):
        return Difference(table, 0, 0, ("the columns differ",))
    listed = ", ".join(f'{compared} AS "{column}"' for column, compared in columns.items())
    sides = [f'SELECT {listed} FROM "{schema}"."{table}"' for schema in (first, second)]  # noqa: S608 - names come from the catalogue
    only_first = await _except(connection, sides[0], sides[1])
    only_second = await _except(connection, sides[1], sides[0])
    if not (only_first or only_second):
        return None
    keys = [key for key in await _key_columns(connection, first, table) if key in columns] or list(columns)[:1]
    examples = await _examples(
        connection, f"({sides[0]} EXCEPT ALL {sides[1]}) UNION ALL ({sides[1]} EXCEPT ALL {sides[0]})", keys
    )
    return Difference(table, only_first, only_second, examples)


async def _except(connection: Connection, left: str, right: str) -> int:
    counted = await connection.fetchval(f"SELECT count(*) FROM ({left} EXCEPT ALL {right}) AS extra")  # noqa: S608 - names come from the catalogue
    return int(counted)


async def _key_columns(connection: Connection, schema: str, table: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey) "
        "WHERE indisprimary AND indrelid = format('%I.%I', $1::text, $2::text)::regclass ORDER BY attnum",
        schema,
        table,
    )
    return [row["attname"] for row in rows]


async def _examples(connection: Connection, rows: str, keys: Sequence[str]) -> tuple[str, ...]:
    listed = ", ".join(f'"{key}"' for key in keys)
    query = f"SELECT DISTINCT {listed} FROM ({rows}) AS extra ORDER BY {listed} LIMIT {_KEYS_SHOWN}"  # noqa: S608 - as above
    found = await connection.fetch(query)
    return tuple(", ".join(f"{key}={row[key]}" for key in keys) for row in found)
