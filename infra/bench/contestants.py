"""The four that are measured. Each reads everything once, from the first message on, in a process of its own.

The clock runs from the first message that the process holds to the moment when everything is done, so that nobody is
charged for joining a group.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter, process_time
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.claims import MedicareClaimsDelivered
from contracts.decoding import check_key, decode
from contracts.topics import CLAIMS_MEDICARE
from infra.bench.memory import peak_megabytes
from infra.bench.workload import CLAIMS_A_MESSAGE, DEFINITION, SCHEMA, SINGLE_TOPIC, write
from services.runtime.buffers import Buffers
from services.runtime.database import Connection, apply_migrations, close, connect, lock_number
from services.runtime.ledger import Message, Spot, advance, create_positions, lock_position
from services.runtime.log import message_of
from services.runtime.service import Batch, ServiceDefinition, Transaction
from services.runtime.settings import Settings
from services.runtime.worker import run_worker

_FETCH_MS: Final = 100


@dataclass(slots=True)
class Outcome:
    """What one run took."""

    claims: int
    seconds: float
    cpu_seconds: float
    round_trips: int = 0
    transactions: int = 0
    peak_megabytes: float = 0.0

    def text(self) -> str:
        """Write it as one line of JSON, for the process that measures."""
        return json.dumps(asdict(replace(self, peak_megabytes=peak_megabytes())))


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, and what the process had worked until then in user and system mode, all threads together."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Moment":
        """Look at both clocks."""
        return cls(perf_counter(), process_time())

    def until(self, end: "Moment", claims: int) -> Outcome:
        """What lies between two moments."""
        return Outcome(claims, end.wall - self.wall, end.cpu - self.cpu)


def _partitions() -> list[TopicPartition]:
    return [TopicPartition(CLAIMS_MEDICARE.name, number) for number in range(CLAIMS_MEDICARE.partitions)]


async def _consumer(settings: Settings) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_MS,
    )
    await consumer.start()
    consumer.assign(_partitions())
    return consumer


async def consume_only(settings: Settings, messages: int) -> Outcome:
    """(d) Read every message and do nothing with it."""
    consumer = await _consumer(settings)
    try:
        taken = sum(map(len, (await consumer.getmany(timeout_ms=10_000)).values()))
        started = Moment.now()
        while taken < messages:
            taken += sum(map(len, (await consumer.getmany(timeout_ms=10_000)).values()))
        return started.until(Moment.now(), taken * CLAIMS_A_MESSAGE)
    finally:
        await consumer.stop()


async def plain_loop(settings: Settings, messages: int) -> Outcome:
    """(a) What somebody would write by hand: poll, decode, one transaction with the position in it, poll again."""
    connection = await connect(settings.database_url, SCHEMA)
    await apply_migrations(connection, SCHEMA, DEFINITION.migrations)
    await create_positions(connection, {Spot(*place): 0 for place in _partitions()})
    consumer = await _consumer(settings)
    try:
        taken, transactions, started = 0, 0, None
        while taken < messages:
            polled = await consumer.getmany(timeout_ms=10_000, max_records=settings.batch_limit)
            started = started or Moment.now()
            for records in polled.values():
                batch = [message_of(record, record.timestamp) for record in records]
                await _apply_plainly(connection, batch)
                taken, transactions = taken + len(batch), transactions + 1
        outcome = (started or Moment.now()).until(Moment.now(), taken * CLAIMS_A_MESSAGE)
        return replace(outcome, transactions=transactions)
    finally:
        await consumer.stop()
        await close(connection)


async def _apply_plainly(connection: Connection, batch: list[Message]) -> None:
    events = []
    for message in batch:
        event = decode(message.spot.topic, message.value)
        check_key(event, message.key)
        assert isinstance(event, MedicareClaimsDelivered)  # noqa: S101 - the topic has no other
        events.append(event)
    async with connection.transaction():
        position = await lock_position(connection, lock_number(f"worker of {SCHEMA}"), batch[0].spot)
        await write(connection, events)
        await advance(connection, position, batch[-1], 0)


class _Watch:
    """Sees our worker's first message, its round trips, and when it is through."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.taken = 0
        self.stop = asyncio.Event()
        self.started: Moment | None = None
        self.outcome: Outcome | None = None
        self.round_trips = self.transactions = 0
        self._counted: set[int] = set()

    def definition(self) -> ServiceDefinition:
        async def handle(batch: Batch, transaction: Transaction) -> None:
            self._count_queries(transaction.connection)
            await DEFINITION.handle(batch, transaction)
            self.taken += len(batch.received)

        return ServiceDefinition(DEFINITION.name, SCHEMA, DEFINITION.topics, handle, DEFINITION.migrations)

    def buffers(self) -> type[Buffers]:
        watch = self

        class Timed(Buffers):
            """Starts the clock."""

            async def put(self, messages: Sequence[Message]) -> None:
                watch.started = watch.started or Moment.now()
                await super().put(messages)

        return Timed

    def probe(self, point: str) -> None:
        if point == "after_commit":
            self.transactions += 1
            if self.taken >= self.messages and self.started and not self.outcome:
                self.outcome = self.started.until(Moment.now(), self.taken * CLAIMS_A_MESSAGE)
                self.outcome.round_trips, self.outcome.transactions = self.round_trips, self.transactions
                self.stop.set()

    def _count_queries(self, connection: Connection) -> None:
        if id(connection) not in self._counted:
            self._counted.add(id(connection))
            connection.add_query_logger(self._count)

    def _count(self, _: object) -> None:
        self.round_trips += 1


async def our_worker(settings: Settings, messages: int) -> Outcome:
    """(b) The runtime as services use it: Faust collects, batches are transactions."""
    from services.runtime import worker  # noqa: PLC0415 - its buffers are replaced by ones that start the clock

    watch = _Watch(messages)
    original, worker.Buffers = worker.Buffers, watch.buffers()  # type: ignore[attr-defined]
    try:
        await run_worker(watch.definition(), settings, watch.stop, probe=watch.probe)
    finally:
        worker.Buffers = original  # type: ignore[attr-defined]
    if watch.outcome is None:
        raise RuntimeError(f"the worker stopped after {watch.taken} of {messages} messages")
    return watch.outcome


class SingleClaim(faust.Record, serializer="json"):
    """A claim as Faust's own documentation would model it."""

    person_id: str
    record_id: str
    paid_cents: int


async def textbook_faust(settings: Settings, messages: int) -> Outcome:
    """(c) An agent, one claim a message, and a table with its changelog topic."""
    app = faust.App(
        settings.group or "bench-faust",
        broker=[f"kafka://{address}" for address in settings.bootstrap_servers()],
        consumer_auto_offset_reset="earliest",
        topic_partitions=CLAIMS_MEDICARE.partitions,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="tandem-bench-"),
    )
    totals = app.Table("totals", default=int, partitions=CLAIMS_MEDICARE.partitions)
    times: list[Moment] = []
    done, seen = asyncio.Event(), 0

    @app.agent(app.topic(SINGLE_TOPIC, value_type=SingleClaim, key_type=bytes, key_serializer="raw"))
    async def total(claims: Any) -> None:  # noqa: ANN401 - Faust is not typed
        nonlocal seen
        async for claim in claims:
            if not seen:
                times.append(Moment.now())
            totals[claim.person_id] += claim.paid_cents
            seen += 1
            if seen == messages:
                times.append(Moment.now())
                done.set()

    app.finalize()
    await app.start()
    await done.wait()
    await app.stop()
    return times[0].until(times[1], messages)


CONTESTANTS: Final[dict[str, Callable[[Settings, int], Coroutine[Any, Any, Outcome]]]] = {
    "plain": plain_loop,
    "worker": our_worker,
    "faust": textbook_faust,
    "consume": consume_only,
}
