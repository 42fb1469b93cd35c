"""A worker: Faust collects, one task applies batch after batch, another watches the lag.

What stops it: being told to, or a :class:`services.runtime.exits.RuntimeFailure`. Everything transient is retried
in place: a database or broker that is gone may come back.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError

from contracts.topics import Topic
from services.runtime import telemetry
from services.runtime.applying import Applier, Candidate, examine_all
from services.runtime.buffers import Buffers
from services.runtime.collecting import spare_collector
from services.runtime.cuts import consumed_topics
from services.runtime.database import (
    Connection,
    Patience,
    apply_migrations,
    close,
    connect,
    connect_patiently,
    connected,
    is_transient,
)
from services.runtime.dead_letters import Seal
from services.runtime.exits import RunnerCrashed, RuntimeFailure
from services.runtime.faust_runner import RunnerApp, make_app, require_tested_libraries
from services.runtime.ledger import (
    Gap,
    PositionMoved,
    Spot,
    UnverifiedGap,
    create_positions,
    read_fingerprints,
    read_positions,
)
from services.runtime.log import (
    LogReader,
    LogUnavailable,
    check_bounds,
    check_fingerprints,
    reading,
    require_topics,
)
from services.runtime.retrying import Backoff
from services.runtime.seat import Seat
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings
from services.runtime.status import oldest_age_seconds
from services.runtime.telemetry import Liveness, Progress, log
from services.runtime.transactions import Probe, no_probe

# Two batches a partition: one being applied, one being collected.
_BATCHES_BUFFERED: Final = 2
_WATCH_SECONDS: Final = 5.0
# Faust ends in about one second; what it has not finished by then is read again anyway.
_STOP_SECONDS: Final = 8.0


async def prepare_database(definition: ServiceDefinition, settings: Settings) -> str:
    """Wait for PostgreSQL and bring the schema up to date. Returns the schema."""
    schema = settings.schema_name or definition.schema
    connection = await connect_patiently(settings.database_url, schema, settings.start_timeout_seconds)
    try:
        await apply_migrations(connection, schema, definition.migrations)
    finally:
        await close(connection)
    return schema


async def prepare_positions(
    url: str, schema: str, reader: LogReader, spots: Sequence[Spot], topics: Iterable[Topic]
) -> None:
    """Give new partitions a position, and make sure that the log is the one that was read before."""
    beginnings, ends = await reader.beginnings(spots), await reader.ends(spots)
    async with connected(url, schema) as connection:
        await create_positions(connection, beginnings)
        positions = await read_positions(connection)
        fingerprints = {spot: seen for spot, seen in (await read_fingerprints(connection)).items() if spot in ends}
    check_bounds(positions, beginnings, ends)
    compacted = frozenset(topic.name for topic in topics if topic.compacted)
    await check_fingerprints(reader, positions, fingerprints, compacted)


async def run_worker(
    definition: ServiceDefinition, settings: Settings, stop: asyncio.Event, *, probe: Probe = no_probe
) -> None:
    """Work until told to stop. Raises :class:`services.runtime.exits.RuntimeFailure`."""
    require_tested_libraries()
    seal = Seal(*settings.payload_keys())
    topics = consumed_topics(definition)
    schema = await prepare_database(definition, settings)
    async with reading(settings.bootstrap_servers(), settings.start_timeout_seconds) as reader:
        spots = await require_topics(reader, topics, settings.start_timeout_seconds)
        await prepare_positions(settings.database_url, schema, reader, spots, topics)
        applier = Applier(definition, schema, seal, settings.parked_run_limit, probe)
        seat = Seat(settings, schema)
        try:
            await seat.take()
            buffers = Buffers(_BATCHES_BUFFERED * settings.batch_limit)
            await Worker(applier, settings, reader, tuple(spots), buffers, seat).run(stop)
        finally:
            await seat.leave()


@dataclass(slots=True)
class Worker:
    """The tasks of one worker and what they share."""

    applier: Applier
    settings: Settings
    reader: LogReader
    spots: tuple[Spot, ...]
    buffers: Buffers
    seat: Seat
    holes: set[Gap] = field(default_factory=set)
    app: RunnerApp = field(init=False)

    def __post_init__(self) -> None:
        self.app = make_app(
            group=self.settings.group or f"tandem-{self.applier.definition.name}",
            topics=sorted({spot.topic for spot in self.spots}),
            settings=self.settings,
            buffers=self.buffers,
            read_positions=self._positions_of,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop, or until a task fails."""
        tasks = [asyncio.create_task(work) for work in (stop.wait(), self._run_app(), self._apply(), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop(tasks)
        for task in done:
            task.result()

    async def _stop(self, tasks: Sequence["asyncio.Task[object]"]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self.app.stop()

    async def _run_app(self) -> None:
        await self.app.start()
        spare_collector()
        log("worker_started", service=self.applier.definition.name, slot=self.settings.slot)
        await self.app.wait_until_stopped()
        reason = self.app.crash_reason
        if isinstance(reason, RuntimeFailure):
            raise reason
        raise RunnerCrashed(f"Faust stopped: {type(reason).__name__}")

    async def _positions_of(self, spots: Iterable[Spot]) -> dict[Spot, int]:
        connection = await connect_patiently(
            self.settings.database_url, self.applier.schema, self.settings.start_timeout_seconds
        )
        try:
            positions = await read_positions(connection)
        finally:
            await close(connection)
        return {spot: positions[spot] for spot in spots}

    async def _apply(self) -> None:
        """Apply batch after batch; the next is decoded while the database works."""
        async with _Reconnecting(self.settings, self.applier.schema).held() as connections:
            upcoming = asyncio.create_task(self._next_batch())
            try:
                while True:
                    batch = await upcoming
                    upcoming = asyncio.create_task(self._next_batch())
                    await self._apply_surely(connections, batch)
            finally:
                upcoming.cancel()

    async def _next_batch(self) -> list[Candidate]:
        return await examine_all(await self.buffers.take(self.settings.batch_limit))

    async def _apply_surely(self, connections: "_Reconnecting", batch: Sequence[Candidate]) -> None:
        """Apply a batch, however long the database is gone; or find that it must be read again."""
        backoff, spot = Backoff(), batch[0].message.spot
        while True:
            try:
                applied = await self.applier.apply(await connections.get(), batch, self.holes)
            except PositionMoved:
                continue
            except UnverifiedGap as finding:
                if not await self._is_hole(spot, finding.gap):
                    return
            except Exception as error:
                if isinstance(error, RuntimeFailure) or not connections.is_transient(error):
                    raise
                await connections.renew()
                self._tell_retry(spot, error)
                await backoff.wait()
            else:
                self.holes.clear()
                self.app.applied[spot] = applied.next_offset
                self.applier.probe("after_acknowledge")
                return

    def _tell_retry(self, spot: Spot, error: BaseException) -> None:
        service = self.applier.definition.name
        telemetry.RETRIES.labels(service, "batch").inc()
        log("batch_retried", level="warning", service=service, topic=spot.topic, error=type(error).__name__)

    async def _is_hole(self, spot: Spot, gap: Gap) -> bool:
        """Ask the log whether anything lies in a gap; if so, read the partition again from there."""
        backoff = Backoff()
        while True:
            try:
                first = await self.reader.first_from(spot, gap.start)
                break
            except (KafkaError, LogUnavailable) as error:
                self._tell_retry(spot, error)
                await backoff.wait()
        if first is not None and first.offset >= gap.end:
            self.holes.add(gap)
            return True
        telemetry.SEEKS_BACK.labels(self.applier.definition.name, spot.topic).inc()
        log("seek_back", level="warning", topic=spot.topic, partition=spot.partition, offset=gap.start)
        self.buffers.clear(spot)
        await self.app.seeking_consumer.seek_back(spot, gap.start)
        return False

    async def _watch(self) -> None:
        """Look at the lag from time to time: metrics, liveness, and a log that ends before what was read."""
        liveness = Liveness()
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                await self._look(liveness)
            except RuntimeFailure:
                raise
            except Exception as error:
                if not (isinstance(error, KafkaError | LogUnavailable | asyncpg.InterfaceError) or is_transient(error)):
                    raise
                log("lag_unknown", level="warning", error=type(error).__name__)

    async def _look(self, liveness: Liveness) -> None:
        positions = await read_positions(await self.seat.connection())
        ends = await self.reader.ends(self.spots)
        # Ends are read after positions, so an end can only be ahead of what was applied.
        check_bounds(positions, {}, ends)
        service, lags = self.applier.definition.name, {spot: ends[spot] - positions[spot] for spot in self.spots}
        for spot, lag in lags.items():
            telemetry.LAG_MESSAGES.labels(service, spot.topic, str(spot.partition)).set(lag)
        for topic in {spot.topic for spot in self.spots}:
            waiting = {spot: positions[spot] for spot, lag in lags.items() if spot.topic == topic and lag > 0}
            age = await oldest_age_seconds(self.reader, waiting, datetime.now(UTC))
            telemetry.LAG_SECONDS.labels(service, topic).set(age)
        own = [spot for spot in self.spots if spot in self.app.applied]
        now = Progress(monotonic(), sum(lags[spot] for spot in own), sum(positions[spot] for spot in own))
        telemetry.STALLED.labels(service).set(liveness.observe(now))


class _Reconnecting:
    """One connection for the transactions, replaced when it breaks."""

    def __init__(self, settings: Settings, schema: str) -> None:
        self._settings = settings
        self._schema = schema
        self._connection: Connection | None = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator["_Reconnecting"]:
        """For the time of a block."""
        try:
            yield self
        finally:
            await self.renew()

    async def get(self) -> Connection:
        """The connection, opened where there is none. Raises what is transient."""
        if self._connection is None:
            patience = Patience(in_transaction=self._settings.idle_transaction_seconds)
            self._connection = await connect(self._settings.database_url, self._schema, patience)
        return self._connection

    def is_transient(self, error: BaseException) -> bool:
        """Whether trying again can help."""
        return is_transient(error, self._connection)

    async def renew(self) -> None:
        """Give the connection up; the next :meth:`get` opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await close(connection)
