"""What Faust is made to do differently, without a broker."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaConnectionError
from faust.types import TP

from services.runtime.buffers import Buffers
from services.runtime.faust_runner import FetchedTogether, RunnerApp, SeekingConsumer, make_app
from services.runtime.ledger import Message, Spot
from services.runtime.settings import Settings


@dataclass(frozen=True)
class Record:
    """As aiokafka gives them, as far as it matters."""

    offset: int
    timestamp_type: int = 0


@dataclass(frozen=True)
class Cluster:
    """Topics that all have as many partitions."""

    partitions: int

    def partitions_for_topic(self, _: str) -> set[int]:
        return set(range(self.partitions))


async def _nowhere(spots: Iterable[Spot]) -> dict[Spot, int]:
    return dict.fromkeys(spots, 0)


@pytest.fixture
async def app() -> RunnerApp:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1/none", brokers="127.0.0.1:9", payload_key=None)
    return make_app(group="g", topics=["a", "b"], settings=settings, buffers=Buffers(10), read_positions=_nowhere)


@pytest.fixture
async def consumer(app: RunnerApp) -> AsyncIterator[SeekingConsumer]:
    made = app._new_consumer()
    assert isinstance(made, SeekingConsumer)
    yield made
    made._thread.thread_loop.close()


async def test_the_driver_asks_again_soon_and_assigns_by_range(app: RunnerApp, consumer: SeekingConsumer) -> None:
    made = consumer._thread._create_worker_consumer(app.transport)
    assert made._fetch_max_wait_ms == 100
    assert made._partition_assignment_strategy == [RangePartitionAssignor]
    assert made._group_instance_id == "g-1"
    await made.stop()


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 6])
def test_a_partition_number_is_one_workers_in_every_topic(workers: int) -> None:
    topics = ("alignment", "claims", "coverage")
    members = {f"worker-{number}": RangePartitionAssignor.metadata(topics) for number in range(workers)}
    owners: dict[int, set[str]] = {}
    for member, assigned in RangePartitionAssignor.assign(Cluster(4), members).items():  # type: ignore[arg-type]
        for _, numbers in assigned.assignment:
            for number in numbers:
                owners.setdefault(number, set()).add(member)
    assert sorted(owners) == [0, 1, 2, 3]
    assert all(len(workers_of) == 1 for workers_of in owners.values())


def test_records_travel_under_the_place_of_the_first() -> None:
    records = [Record(7), Record(8), Record(11)]
    message = FetchedTogether.of(TP("a", 3), records, 5)
    assert (message.topic, message.partition, message.offset, message.generation_id) == ("a", 3, 7, 5)
    assert list(message.records) == records


def _fetching(
    consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch, fetched: dict[TP, list[Record]], active: set[TP] | None
) -> AsyncIterator[tuple[TP, FetchedTogether]]:
    async def answer(_: float) -> tuple[Any, Any]:
        return fetched, active

    monkeypatch.setattr(consumer, "_wait_next_records", answer)
    return consumer.getmany(1.0)


A0, A1, B0 = TP("a", 0), TP("a", 1), TP("b", 0)
FETCHED = {A0: [Record(1), Record(2)], A1: [Record(5)], B0: []}


async def test_each_partition_comes_once_with_all_of_its_records(
    consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.flow_active = True
    given = [(tp, [record.offset for record in message.records]) async for tp, message in
             _fetching(consumer, monkeypatch, FETCHED, {A0, A1, B0})]  # fmt: skip
    assert given == [(A0, [1, 2]), (A1, [5])]


async def test_partitions_that_were_taken_away_are_left_out(
    consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.flow_active = True
    assert [tp async for tp, _ in _fetching(consumer, monkeypatch, FETCHED, {A1})] == [A1]


async def test_a_rebalance_on_the_way_ends_it(
    app: RunnerApp, consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.flow_active = True
    given = []
    async for tp, _ in _fetching(consumer, monkeypatch, FETCHED, {A0, A1}):
        given.append(tp)
        app.consumer_generation_id += 1
    assert given == [A0]


async def test_what_was_fetched_while_nothing_may_flow_is_fetched_again(
    consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = []

    async def seek() -> None:
        sought.append(True)

    monkeypatch.setattr(consumer, "perform_seek", seek)
    consumer.flow_active = False
    assert [tp async for tp, _ in _fetching(consumer, monkeypatch, FETCHED, {A0, A1})] == []
    assert sought


class Group:
    """Where offsets are committed; it may be gone."""

    def __init__(self) -> None:
        self.committed: list[dict[Any, int]] = []
        self.error: Exception | None = None

    def _ensure_consumer(self) -> "Group":
        return self

    def commit(self) -> None:
        raise AssertionError("called in the thread of the consumer only")

    async def call_thread(self, method: object, offsets: dict[Any, Any]) -> None:
        assert method == self.commit
        if self.error:
            raise self.error
        self.committed.append({tuple(place): hint.offset for place, hint in offsets.items()})


async def test_the_group_is_told_what_was_applied_of_what_is_ours_and_once(
    app: RunnerApp, consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Group()
    # What closes at the end is the consumer's own thread.
    monkeypatch.setattr(consumer, "_thread", group)
    monkeypatch.setattr(consumer, "assignment", lambda: {A0, B0})
    assert await consumer.commit() is False
    app.applied |= {Spot("a", 0): 5, Spot("a", 1): 9}
    group.error = KafkaConnectionError()
    assert await consumer.commit() is False
    group.error = None
    assert await consumer.commit() is True
    assert await consumer.commit() is False
    app.applied |= {Spot("a", 0): 6, Spot("b", 0): 1}
    assert await consumer.commit() is True
    monkeypatch.undo()
    assert group.committed == [{("a", 0): 5}, {("a", 0): 6, ("b", 0): 1}]


async def test_an_assignment_starts_at_the_stored_positions_and_forgets_what_was_collected(
    app: RunnerApp, consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[dict[Any, int]] = []

    async def seek_wait(offsets: dict[Any, int]) -> None:
        sought.append({tuple(place): offset for place, offset in offsets.items()})

    async def stored(spots: Iterable[Spot]) -> dict[Spot, int]:
        return {spot: 7 for spot in spots if spot.topic == "a"}

    app.read_positions = stored
    monkeypatch.setattr(consumer, "assignment", lambda: {A0, A1})
    monkeypatch.setattr(consumer, "seek_wait", seek_wait)
    await app.buffers.put([Message(Spot("a", 0), 3, None, None, None)])
    await consumer.perform_seek()
    assert len(app.buffers) == 0
    await consumer.seek_back(Spot("a", 1), 4)
    # Somebody else's by now.
    await consumer.seek_back(Spot("b", 0), 4)
    assert sought == [{("a", 0): 7, ("a", 1): 7}, {("a", 1): 4}]


async def test_a_partition_that_goes_while_it_is_sought_stops_nothing(
    consumer: SeekingConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[object] = []

    async def seek_wait(offsets: dict[Any, int]) -> None:
        sought.append(offsets)
        raise IllegalStateError("No current assignment for partition")

    monkeypatch.setattr(consumer, "assignment", lambda: {A0, A1})
    monkeypatch.setattr(consumer, "seek_wait", seek_wait)
    consumer.flow_active = False
    # As in a rebalance that overtakes another: what was fetched is left out, and the place to go back to is gone.
    assert [tp async for tp, _ in _fetching(consumer, monkeypatch, FETCHED, {A0, A1})] == []
    await consumer.seek_back(Spot("a", 0), 4)
    assert len(sought) == 2
