"""The relay of a service: outbox to Kafka in order, then cuts. One at a time, by advisory lock; others wait.

Rows are deleted when the broker has them. Dying between the two sends them again: consumers know repeats by
version, and the order of a key is kept, because a resend begins before anything later is sent.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from services.runtime import telemetry
from services.runtime.applying import location_of
from services.runtime.cuts import cut_next
from services.runtime.database import (
    Connection,
    Patience,
    apply_migrations,
    close,
    connect_patiently,
    is_transient,
    lock_number,
)
from services.runtime.dead_letters import Seal
from services.runtime.exits import CutFailed, RuntimeFailure
from services.runtime.ledger import Spot
from services.runtime.outbox import fill_fence
from services.runtime.retrying import Backoff
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings
from services.runtime.status import read_outbox
from services.runtime.telemetry import log
from services.runtime.transactions import Probe, no_probe

# Enough to fill the producer's batches, few enough that a resend after a crash is short.
CHUNK_ROWS: Final = 2_000
# Bounds memory where events are large.
CHUNK_BYTES: Final = 16 * 1024 * 1024
_IDLE_SECONDS: Final = 0.1
# Counting the outbox reads all of it.
_MEASURE_SECONDS: Final = 5.0
_START_SECONDS: Final = 10.0
# aiokafka gives a message up after this; the chunk is then sent again.
_REQUEST_TIMEOUT_MS: Final = 15_000


class Queued(NamedTuple):
    """A row of the outbox."""

    id: int
    topic: str
    partition: int
    key: bytes
    payload: bytes
    fence: bool


class SendFailed(Exception):  # noqa: N818 - a finding; the chunk is sent again
    """The broker did not acknowledge everything."""


# A window sums the sizes, so that a chunk of large events stays small in memory.
_READ: Final = """
    SELECT id, topic, partition, key, payload, fence FROM (
        SELECT *, sum(length(payload)) OVER (ORDER BY id) - length(payload) AS before
        FROM (SELECT * FROM runtime_outbox ORDER BY id LIMIT $1) AS head
    ) AS sized
    WHERE before < $2 ORDER BY id
"""
_RECORD_ENDS: Final = """
    INSERT INTO runtime_relayed AS known (topic, partition, end_offset)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[])
    ON CONFLICT (topic, partition) DO UPDATE SET end_offset = greatest(known.end_offset, EXCLUDED.end_offset)
"""


async def start_producer(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer where the broker can, else one that only waits for all acknowledgements."""
    if settings.idempotent_producer != "off":
        try:
            return await _started(settings, idempotent=True)
        except (KafkaError, TimeoutError) as error:
            # A broker that is not there refuses nothing; one that cannot do it answers with errors of many names.
            if settings.idempotent_producer == "on" or isinstance(error, KafkaConnectionError):
                raise
            log("producer_not_idempotent", level="warning", error=type(error).__name__)
    return await _started(settings, idempotent=False)


async def _started(settings: Settings, *, idempotent: bool) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers(),
        acks="all",
        enable_idempotence=idempotent,
        linger_ms=5,
        max_batch_size=256 * 1024,
        max_request_size=2 * 1024 * 1024,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            await producer.start()
    except BaseException:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await producer.stop()
        raise
    return producer


@dataclass(slots=True)
class Relay:
    """One turn of sending and cutting, on an open connection that holds the service's lock."""

    definition: ServiceDefinition
    connection: Connection
    producer: AIOKafkaProducer
    seal: Seal
    probe: Probe = no_probe
    ends: dict[Spot, int] = field(default_factory=dict)
    measured: float = 0.0

    async def load_ends(self) -> None:
        """Read how far everything was written before."""
        rows = await self.connection.fetch("SELECT topic, partition, end_offset FROM runtime_relayed")
        self.ends = {Spot(row["topic"], row["partition"]): row["end_offset"] for row in rows}

    async def turn(self) -> bool:
        """Send one chunk and cut one delivery; false if there was nothing to do."""
        sent = await self.send_chunk()
        await self._measure()
        return bool(await self._cut()) or sent > 0

    async def send_chunk(self) -> int:
        """Send the oldest rows. Raises :class:`SendFailed`; then none is deleted and all are sent again."""
        rows = [Queued(*row) for row in await self.connection.fetch(_READ, CHUNK_ROWS, CHUNK_BYTES)]
        for fence, run in groupby(rows, key=lambda row: row.fence):
            if fence:
                for row in run:
                    filled = row._replace(payload=fill_fence(row.payload, self.ends))
                    await self._send((filled,))
            else:
                await self._send(tuple(run))
        if rows:
            self.probe("after_send")
            await self._forget(rows)
        return len(rows)

    async def _send(self, rows: Sequence[Queued]) -> None:
        try:
            futures = [
                await self.producer.send(row.topic, row.payload, key=row.key, partition=row.partition) for row in rows
            ]
            results = await asyncio.gather(*futures, return_exceptions=True)
        except KafkaError as error:
            raise SendFailed(type(error).__name__) from error
        for result in results:
            if isinstance(result, BaseException):
                raise SendFailed(type(result).__name__) from result
            spot = Spot(result.topic, result.partition)
            self.ends[spot] = max(self.ends.get(spot, 0), result.offset + 1)

    async def _forget(self, rows: Sequence[Queued]) -> None:
        touched = {Spot(row.topic, row.partition) for row in rows}
        async with self.connection.transaction():
            await self.connection.execute(
                "DELETE FROM runtime_outbox WHERE id = ANY($1::bigint[])", [row.id for row in rows]
            )
            await _record_ends(self.connection, {spot: self.ends[spot] for spot in touched})
        telemetry.EVENTS_SENT.labels(self.definition.name).inc(len(rows))

    async def _measure(self) -> None:
        if monotonic() - self.measured < _MEASURE_SECONDS:
            return
        self.measured = monotonic()
        telemetry.OUTBOX_DEPTH.labels(self.definition.name).set((await read_outbox(self.connection)).depth)

    async def _cut(self) -> bool:
        if not self.definition.waits_for:
            return False
        try:
            cut = await cut_next(self.connection, self.definition, self.seal)
        except Exception as error:
            if is_transient(error, self.connection):
                raise
            raise CutFailed(f"{type(error).__name__} at {location_of(error)}") from error
        if cut is None:
            return False
        telemetry.CUT_SEQUENCE.labels(self.definition.name).set(cut.sequence)
        log("cut", service=self.definition.name, sequence=cut.sequence, delivery=cut.delivery_id)
        return True


async def _record_ends(connection: Connection, ends: Mapping[Spot, int]) -> None:
    spots = list(ends)
    await connection.execute(
        _RECORD_ENDS, [spot.topic for spot in spots], [spot.partition for spot in spots], [ends[spot] for spot in spots]
    )


async def run_relay(
    definition: ServiceDefinition, settings: Settings, stop: asyncio.Event, *, probe: Probe = no_probe
) -> None:
    """Relay until told to stop. Survives the loss of the database and of the broker.

    Raises :class:`services.runtime.exits.RuntimeFailure` where going on makes no sense.
    """
    seal = Seal(*settings.payload_keys())
    schema = settings.schema_name or definition.schema
    stopping = asyncio.create_task(stop.wait())
    serving = asyncio.create_task(_serve(definition, settings, schema, seal, probe))
    try:
        await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
    finally:
        for task in (serving, stopping):
            task.cancel()
        await asyncio.gather(serving, stopping, return_exceptions=True)


async def _serve(definition: ServiceDefinition, settings: Settings, schema: str, seal: Seal, probe: Probe) -> None:
    backoff = Backoff()
    first = True
    while True:
        try:
            async with _leading(definition, settings, schema, migrate=first) as connection:
                first = False
                make = partial(Relay, definition, connection, seal=seal, probe=probe)
                await _relay(settings, make, backoff)
        except RuntimeFailure:
            raise
        except Exception as error:
            if not (isinstance(error, SendFailed | KafkaError) or is_transient(error) or _lost(error)):
                raise
            telemetry.RETRIES.labels(definition.name, "relay").inc()
            log("relay_interrupted", level="warning", service=definition.name, error=type(error).__name__)
        await backoff.wait()


def _lost(error: BaseException) -> bool:
    # The connection is closed by now, so only the kind of the error tells.
    return type(error).__module__.startswith("asyncpg") and type(error).__name__ in {
        "InterfaceError",
        "ConnectionDoesNotExistError",
        "InternalClientError",
    }


@contextlib.asynccontextmanager
async def _leading(
    definition: ServiceDefinition, settings: Settings, schema: str, *, migrate: bool
) -> AsyncIterator[Connection]:
    """A connection that holds the service's lock: whoever loses it can change nothing any more."""
    # A leader never rests for so long: it asks the outbox many times a second.
    patience = Patience(settings.idle_transaction_seconds, settings.idle_transaction_seconds)
    # Only at the start is a database that is not there a mistake of the installation.
    seconds = settings.start_timeout_seconds if migrate else None
    connection = await connect_patiently(settings.database_url, schema, seconds, patience)
    try:
        if migrate:
            await apply_migrations(connection, schema, definition.migrations)
        waiting = False
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1, 1)", lock_number(f"relay of {schema}")):
            if not waiting:
                log("relay_waits", service=definition.name)
            waiting = True
            await asyncio.sleep(_IDLE_SECONDS * 5)
        log("relay_leads", service=definition.name)
        yield connection
    finally:
        await close(connection)


async def _relay(settings: Settings, make: Callable[[AIOKafkaProducer], Relay], backoff: Backoff) -> None:
    producer = await start_producer(settings)
    try:
        relay = make(producer)
        await relay.load_ends()
        while True:
            if not await relay.turn():
                await asyncio.sleep(_IDLE_SECONDS)
            backoff.reset()
    finally:
        with contextlib.suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(2):
                await producer.stop()
