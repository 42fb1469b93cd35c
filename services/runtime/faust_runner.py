"""Faust as the runner: it subscribes, rebalances and applies back-pressure, and nothing that counts lives in it.

What is overridden, and why:

- ``Consumer.perform_seek``: the stored positions say where every partition starts, on first assignment and after
  each rebalance; the group's committed offset is only a hint for people who look at the group.
- ``Consumer.commit``: writes that hint from what was applied. Faust's own bookkeeping of acknowledgements stops for
  ever at a legal hole in the offsets, and a failed commit would crash the worker.
- ``Consumer._read_offset``: remembers nothing. Faust drops messages below the offset that it read last, which after
  a seek back are the very ones that are wanted; repeats are recognised by position instead.
- ``Consumer.getmany``: what one fetch brought of a partition passes through Faust as one message. Faust's own way
  of a message costs about as much as all else that is done with it.
- ``AIOKafkaConsumerThread._create_worker_consumer``: a shorter fetch wait, because Faust's 1.5 s hold everything up
  whenever the partitions that are asked for are empty: aiokafka has one fetch under way at a time. And assignment by
  range, so that one worker has a partition number of every topic: the same people, whose batches take turns anyway.
"""

import inspect
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final, cast

import faust
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from services.runtime.buffers import Buffers
from services.runtime.exits import UntestedLibraries
from services.runtime.ledger import Spot
from services.runtime.log import message_of
from services.runtime.settings import Settings
from services.runtime.telemetry import log

TESTED_VERSIONS: Final = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}
# Sources of what the overrides replace or rely on. A changed one must be read before its new sum is written here.
TESTED_HOOKS: Final = {
    "Consumer.perform_seek": "0e8c130ff4b0afd8",
    "Consumer.commit": "a354437baaa08bf8",
    "Consumer._drain_messages": "44a2500309e83c63",
    "Consumer.getmany": "4b168d84882a70d6",
    "Consumer._wait_next_records": "6218e1969a636b3f",
    "Consumer._new_consumer_thread": "0870ec53dea75083",
    "AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "AIOKafkaConsumerThread._seek_wait": "9d221e816d940467",
    "App._new_consumer": "bff6ccd646b71ea9",
}

_HOOKS: Final[dict[str, Callable[..., Any]]] = {
    "Consumer.perform_seek": faust_consumer.Consumer.perform_seek,
    "Consumer.commit": faust_consumer.Consumer.commit,
    "Consumer._drain_messages": faust_consumer.Consumer._drain_messages,  # noqa: SLF001 - a hook is private
    "Consumer.getmany": faust_consumer.Consumer.getmany,
    "Consumer._wait_next_records": faust_consumer.Consumer._wait_next_records,  # noqa: SLF001 - a hook is private
    "Consumer._new_consumer_thread": driver.Consumer._new_consumer_thread,  # noqa: SLF001 - a hook is private
    "AIOKafkaConsumerThread._create_worker_consumer": driver.AIOKafkaConsumerThread._create_worker_consumer,  # noqa: SLF001 - a hook is private
    "AIOKafkaConsumerThread._seek_wait": driver.AIOKafkaConsumerThread._seek_wait,  # noqa: SLF001 - a hook is private
    "App._new_consumer": faust.App._new_consumer,  # noqa: SLF001 - a hook is private
}

_FETCH_WAIT_MS: Final = 100

# Stored positions of the given partitions, read on a connection of its own: the handler's may be busy.
ReadPositions = Callable[[Iterable[Spot]], Awaitable[dict[Spot, int]]]


def source_sum(hook: Callable[..., Any]) -> str:
    """Fingerprint of a function's source."""
    return sha256(inspect.getsource(hook).encode()).hexdigest()[:16]


def require_tested_libraries() -> None:
    """Raises :class:`UntestedLibraries` unless the overrides were tested with what is installed."""
    faults = [
        f"{name} is {version(name)}, tested with {tested}"
        for name, tested in TESTED_VERSIONS.items()
        if version(name) != tested
    ]
    faults += [f"{name} was changed" for name, hook in _HOOKS.items() if source_sum(hook) != TESTED_HOOKS[name]]
    if faults:
        raise UntestedLibraries("; ".join(faults))


class _Forgetful(dict[Any, int | None]):
    """Answers every question with ``None``."""

    def __missing__(self, _: object) -> None:
        return None

    def __setitem__(self, _: object, __: int | None) -> None:
        pass


class FetchedTogether(ConsumerMessage):
    """Records of one partition, one after the other, as one message of Faust."""

    __slots__ = ("records",)

    records: Sequence[Any]

    @classmethod
    def of(cls, tp: TP, records: Sequence[Any], generation: int) -> "FetchedTogether":
        """Stand in for the records under the place of the first."""
        first = records[0]
        made = cls(*tp, first.offset, 0.0, first.timestamp_type, None, None, b"", None, tp=tp, generation_id=generation)
        made.records = records
        return made


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """See the module."""

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 - as in Faust
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS  # noqa: SLF001 - read when it starts, as the next
        consumer._partition_assignment_strategy = [RangePartitionAssignor]  # noqa: SLF001
        return consumer


class SeekingConsumer(driver.Consumer):
    """See the module."""

    app: "RunnerApp"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in Faust
        super().__init__(*args, **kwargs)
        self._read_offset = _Forgetful()
        self._hinted: dict[Spot, int] = {}

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, FetchedTogether]]:  # noqa: ASYNC109 - as in Faust
        """Fetch, and give what came of each partition as one message."""
        fetched, active = await self._wait_next_records(timeout)
        if not self.flow_active:  # what was fetched is left out, so it must be fetched again
            await self.perform_seek()
            return
        generation = self.app.consumer_generation_id
        for tp, records in (fetched or {}).items():
            if not self._flows(generation):
                return  # a rebalance seeks every partition anew
            if records and (tp in (active or ()) or tp in self._buffered_partitions):
                yield tp, FetchedTogether.of(TP(*tp), records, generation)

    def _flows(self, generation: int) -> bool:
        return self.flow_active and not self.should_stop and self.app.consumer_generation_id == generation

    async def perform_seek(self) -> None:
        """Start every assigned partition at its stored position."""
        assigned = {Spot(*tp) for tp in self.assignment()}
        positions = await self.app.read_positions(assigned)
        # What was collected under the last assignment is read again.
        self.app.buffers.clear()
        await self._start_at(positions)
        log("partitions_assigned", partitions=len(assigned))

    async def seek_back(self, spot: Spot, offset: int) -> None:
        """Read a partition again from an offset, if it is still ours."""
        if TP(*spot) in self.assignment():
            await self._start_at({spot: offset})

    async def _start_at(self, offsets: Mapping[Spot, int]) -> None:
        try:
            await self.seek_wait({_place(spot): offset for spot, offset in offsets.items()})
        except IllegalStateError:
            # A partition was taken away since we asked whose it is. What follows is an assignment, which seeks anew.
            log("assignment_moved", partitions=len(offsets))

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ANN401, ARG002, FBT001, FBT002 - as in Faust
        """Tell the group how far this worker has come."""
        assigned = {Spot(*tp) for tp in self.assignment()}
        due = {
            spot: offset
            for spot, offset in self.app.applied.items()
            if spot in assigned and self._hinted.get(spot) != offset
        }
        if not due:
            return False
        offsets = {_place(spot): OffsetAndMetadata(offset, "") for spot, offset in due.items()}
        try:
            consumer = self._thread._ensure_consumer()  # noqa: SLF001 - where Faust keeps it
            await self._thread.call_thread(consumer.commit, offsets)
        except KafkaError as error:
            log("hint_not_committed", level="debug", error=type(error).__name__)
            return False
        self._hinted.update(due)
        return True

    def verify_event_path(self, now: float, tp: Any) -> None:  # noqa: ANN401 - as in Faust
        """Faust's own watch looks at its own commits; ours is :class:`services.runtime.telemetry.Liveness`."""


def _place(spot: Spot) -> Any:  # noqa: ANN401 - Faust casts aiokafka's type to its own
    return TopicPartition(*spot)


class RunnerApp(faust.App):
    """A Faust application whose consumer asks the ledger where to start."""

    read_positions: ReadPositions
    buffers: Buffers
    applied: dict[Spot, int]

    @property
    def seeking_consumer(self) -> SeekingConsumer:
        """The consumer, as what it is."""
        return cast(SeekingConsumer, self.consumer)

    def _new_consumer(self) -> Any:  # noqa: ANN401 - as in Faust
        self.transport.Consumer = SeekingConsumer  # type: ignore[misc]  # Faust looks it up there
        return super()._new_consumer()


def make_app(
    *, group: str, topics: Iterable[str], settings: Settings, buffers: Buffers, read_positions: ReadPositions
) -> RunnerApp:
    """The application: one agent that only collects; it acknowledges nothing."""
    app = RunnerApp(
        group,
        broker=[f"kafka://{address}" for address in settings.bootstrap_servers()],
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_rebalance_timeout=30.0,
        broker_max_poll_records=500,
        broker_commit_interval=3.0,
        consumer_group_instance_id=f"{group}-{settings.slot}",
        consumer_auto_offset_reset="earliest",
        # Each may be a megabyte, Faust's limit of a fetch from one partition.
        stream_buffer_maxsize=8,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=tempfile.gettempdir(),
        value_serializer="raw",
        key_serializer="raw",
    )
    app.read_positions = read_positions
    app.buffers = buffers
    app.applied = {}
    source = app.topic(*topics, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw")

    @app.agent(source, name="collect", concurrency=1)
    async def collect(stream: Any) -> None:  # noqa: ANN401 - Faust is not typed
        async for event in stream.noack().events():
            records = cast(FetchedTogether, event.message).records
            await buffers.put([message_of(record, record.timestamp) for record in records])

    app.finalize()
    return app
