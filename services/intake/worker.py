"""The process that takes deliveries: one at a time leads, watches the inbox, and brings each delivery to its end.

Its way out is the runtime's: events lie in the outbox, and intake's relay sends them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from contracts.identifiers import holds_an_mbi
from services.intake.deliveries import Delivery, next_waiting, register
from services.intake.inbox import Inbox
from services.intake.pipeline import Pipeline
from services.intake.reading import RefusedDelivery
from services.intake.sealing import IdentityKeys
from services.runtime.applying import location_of
from services.runtime.database import (
    Connection,
    apply_migrations,
    close,
    connect_patiently,
    is_transient,
    lock_number,
)
from services.runtime.exits import SettingsInvalid, TooManyParked
from services.runtime.retrying import Backoff
from services.runtime.service import Batch, ServiceDefinition, Transaction
from services.runtime.settings import Settings
from services.runtime.telemetry import log
from services.runtime.transactions import Probe, no_probe

Clock = Callable[[], datetime]

_POLL_SECONDS = 0.25
# A delivery that breaks its reader is refused and the next one tried; this many in a row are a broken reader.
MOST_BROKEN_IN_A_ROW = 5


async def handle(_batch: Batch, _transaction: Transaction) -> None:
    """Intake reads files, not topics: nothing ever comes here."""
    raise AssertionError("intake consumes no topics")


SERVICE = ServiceDefinition(
    name="intake",
    schema="intake",
    topics=(),
    handle=handle,
    migrations=Path(__file__).parent / "migrations",
    waits_for=(),
)


def utc_now() -> datetime:
    """The one clock of intake: it tells when a delivery was received."""
    return datetime.now(UTC)


async def run_intake(
    settings: Settings, stop: asyncio.Event, *, clock: Clock = utc_now, probe: Probe = no_probe
) -> None:
    """Take deliveries until told to stop. Survives the loss of the database.

    Raises :class:`services.runtime.exits.RuntimeFailure` where going on makes no sense.
    """
    keys = IdentityKeys(settings.pseudonym_key_bytes(), *settings.payload_keys())
    if settings.inbox is None:
        raise SettingsInvalid("TANDEM_INBOX is not set: the folder from which deliveries are taken")
    schema = await _prepared_schema(settings)
    intake = Intake(settings, schema, keys, Inbox(settings.inbox, settings.inbox_settle_seconds), clock, probe)
    working = asyncio.create_task(intake.work_on())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _prepared_schema(settings: Settings) -> str:
    schema = settings.schema_name or SERVICE.schema
    connection = await connect_patiently(settings.database_url, schema, settings.start_timeout_seconds)
    try:
        await apply_migrations(connection, schema, SERVICE.migrations)
    finally:
        await close(connection)
    return schema


@dataclass(slots=True)
class Intake:
    """The loop and what it needs."""

    settings: Settings
    schema: str
    keys: IdentityKeys
    inbox: Inbox
    clock: Clock
    probe: Probe
    _broken: int = field(default=0)

    async def work_on(self) -> None:
        """Lead whenever possible; a database that goes away is waited for."""
        backoff = Backoff()
        while True:
            try:
                async with self._leading() as pipeline:
                    while True:
                        await self.turn(pipeline)
                        backoff.reset()
                        await asyncio.sleep(_POLL_SECONDS)
            except Exception as error:
                if not _is_outage(error):
                    raise
                log("intake_interrupted", level="warning", service="intake", error=type(error).__name__)
                await backoff.wait()

    @contextlib.asynccontextmanager
    async def _leading(self) -> AsyncIterator[Pipeline]:
        """Two connections, the first of which holds the lock: whoever loses it can change nothing any more."""
        async with contextlib.AsyncExitStack() as stack:
            writing = await self._connection(stack)
            name = lock_number(f"intake of {self.schema}")
            # Another process holds it: there is no event to wait for.
            while not await writing.fetchval("SELECT pg_try_advisory_lock($1, 2)", name):  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)
            reading = await self._connection(stack)
            log("intake_leads", service="intake")
            yield Pipeline(
                writing, reading, self.keys, self.settings.state, self.settings.synthetic_identifiers, self.probe
            )

    async def _connection(self, stack: contextlib.AsyncExitStack) -> Connection:
        seconds = self.settings.start_timeout_seconds
        connection = await connect_patiently(self.settings.database_url, self.schema, seconds)
        stack.push_async_callback(close, connection)
        return connection

    async def turn(self, pipeline: Pipeline) -> None:
        """Register what is new in the inbox, then bring every waiting delivery to its end, in order."""
        await self._register_new(pipeline.writing)
        while delivery := await next_waiting(pipeline.writing):
            await self._process(pipeline, delivery)
            await self._register_new(pipeline.writing)

    async def _register_new(self, connection: Connection) -> None:
        for path in self.inbox.new_files():
            try:
                registration = await register(connection, path, self.clock())
            except FileNotFoundError:
                # Taken out of the inbox between the look and the reading: it was never delivered.
                continue
            except PermissionError:
                # Told once, and looked at again when the file changes: the others must not wait for it.
                self.inbox.remember(path)
                name = "withheld" if holds_an_mbi(path.name) else path.name
                log("delivery_unreadable", level="error", file=name)
                continue
            self.inbox.remember(path)
            log(
                "delivery_known" if registration.known else "delivery_taken",
                delivery=registration.delivery_id,
                delivery_sequence=registration.sequence,
                status=registration.status,
            )

    async def _process(self, pipeline: Pipeline, delivery: Delivery) -> None:
        try:
            await pipeline.process(delivery)
        except Exception as error:
            if _is_outage(error):
                raise
            await self._park(pipeline, delivery, error)
        else:
            self._broken = 0
        log("delivery_done", delivery=delivery.delivery_id, delivery_sequence=delivery.sequence)

    async def _park(self, pipeline: Pipeline, delivery: Delivery, error: Exception) -> None:
        """A bug met in one delivery is kept to it."""
        self._broken += 1
        fault = f"{type(error).__name__} at {location_of(error)}"
        log("delivery_broke_its_reader", level="error", delivery=delivery.delivery_id, reason=fault)
        await pipeline.refuse(delivery.delivery_id, RefusedDelivery("reader_error", fault))
        if self._broken >= MOST_BROKEN_IN_A_ROW:
            raise TooManyParked(f"{self._broken} deliveries in a row broke their readers")


def _is_outage(error: Exception) -> bool:
    # A connection that broke under a statement shows as an interface error, whichever of the two it was.
    return is_transient(error) or (
        type(error).__module__.startswith("asyncpg")
        and type(error).__name__ in {"InterfaceError", "ConnectionDoesNotExistError", "InternalClientError"}
    )
