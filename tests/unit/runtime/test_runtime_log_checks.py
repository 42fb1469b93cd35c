"""What the log itself says: where it stands, what lies in a gap, whether it is the one that was read."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from hypothesis import given
from hypothesis import strategies as st

from contracts.topics import COVERAGE, DELIVERIES
from services.runtime import log as module
from services.runtime.exits import LogRecreated, TopicsUnusable
from services.runtime.ledger import Gap, Message, Spot, digest, unread
from services.runtime.log import LogReader, LogUnavailable, check_fingerprints, message_of, require_topics
from services.runtime.rebuild import _holes, replay_from_start
from services.runtime.status import OutboxStatus, PartitionStatus, ServiceStatus, _partitions, oldest_age_seconds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A0, A1, B0 = Spot("a", 0), Spot("a", 1), Spot("b", 0)


def message(spot: Spot, offset: int, *, age: float | None = 0, value: bytes = b"v") -> Message:
    return Message(spot, offset, b"k", value, None if age is None else NOON - timedelta(seconds=age))


@dataclass
class Log:
    """A reader of a log that is a list."""

    messages: list[Message] = field(default_factory=list)
    end: dict[Spot, int] = field(default_factory=dict)
    topics: list[dict[str, int]] = field(default_factory=list)
    asked: list[Spot] = field(default_factory=list)

    async def first_from(self, spot: Spot, offset: int) -> Message | None:
        self.asked.append(spot)
        return next((found for found in self.messages if found.spot == spot and found.offset >= offset), None)

    async def ends(self, spots: Iterable[Spot]) -> dict[Spot, int]:
        return {spot: self.end[spot] for spot in spots}

    async def partitions(self, _: Iterable[str]) -> dict[str, int]:
        return self.topics.pop(0) if len(self.topics) > 1 else self.topics[0]


APPLIED = message(A0, 4)


@pytest.mark.parametrize(
    ("lying", "compacted", "recreated"),
    [
        ([APPLIED], False, False),
        ([message(A0, 3), APPLIED, message(A0, 5)], False, False),
        ([message(A0, 4, value=b"other")], False, True),
        ([message(A0, 4, age=1)], False, True),
        # Deleted by retention, or never there: only a compacted log may have dropped it.
        ([message(A0, 5)], False, True),
        ([], False, True),
        ([message(A0, 5)], True, False),
        ([], True, False),
        ([message(A0, 4, value=b"other")], True, True),
        # The same message, in another partition, is no witness.
        ([APPLIED._replace(spot=A1)], False, True),
    ],
)
async def test_the_last_message_applied_must_still_stand_there(
    lying: list[Message],
    compacted: bool,  # noqa: FBT001 - a table's column
    recreated: bool,  # noqa: FBT001 - a table's column
) -> None:
    checked = check_fingerprints(
        Log(lying),
        {A0: 5, A1: 9},
        {A0: digest(APPLIED)},
        frozenset("a" if compacted else "b"),  # type: ignore[arg-type]
    )
    if recreated:
        with pytest.raises(LogRecreated, match=r"^a 0 holds another message at 4 "):
            await checked
    else:
        await checked


async def test_topics_may_appear_while_they_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.retrying._FIRST_SECONDS", 0.0)
    log = Log(topics=[{COVERAGE.name: 0, DELIVERIES.name: 0}, {COVERAGE.name: 4, DELIVERIES.name: 1}])
    spots = await require_topics(log, (COVERAGE, DELIVERIES), 60)  # type: ignore[arg-type]
    assert spots == [*(Spot(COVERAGE.name, number) for number in range(4)), Spot(DELIVERIES.name, 0)]


async def test_topics_that_never_appear_are_named() -> None:
    log = Log(topics=[{COVERAGE.name: 3, DELIVERIES.name: 1}])
    with pytest.raises(TopicsUnusable, match=r"coverage.* has 3 partitions and needs 4: topics are created"):
        await require_topics(log, (COVERAGE, DELIVERIES), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("milliseconds", "time"),
    [(1_767_225_600_123, datetime(2026, 1, 1, 0, 0, 0, 123_000, UTC)), (None, None), (0, None), (-1, None)],
)
def test_a_record_without_a_time_has_none(milliseconds: int | None, time: datetime | None) -> None:
    record = SimpleNamespace(topic="a", partition=1, offset=7, key=None, value=b"v")
    assert message_of(record, milliseconds) == Message(A1, 7, None, b"v", time)


@dataclass
class Consumer:
    """Of one partition: what each fetch brings, and where it then stands."""

    fetches: list[Any]
    end: int | None = None
    begins: int = 0
    stands: int = 0

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.begins)

    def assign(self, _: object) -> None:
        pass

    def seek(self, _: object, offset: int) -> None:
        self.stands = offset

    async def getmany(self, place: TopicPartition, **_: object) -> dict[TopicPartition, list[Any]]:
        found = self.fetches.pop(0) if self.fetches else None
        if isinstance(found, Exception):
            raise found
        if isinstance(found, tuple):
            self.end, self.stands = found
            return {}
        record = SimpleNamespace(
            topic=place.topic, partition=place.partition, offset=found, key=b"", value=b"", timestamp=1
        )
        return {place: [record]} if found is not None else {}

    def highwater(self, _: object) -> int | None:
        return self.end

    async def position(self, _: object) -> int:
        return self.stands


@pytest.mark.parametrize(
    ("fetches", "found"),
    [
        ([7], 7),
        ([9], 9),
        ([None, None, 8], 8),
        # (end of the log, position): at the end, and behind markers that are never given out.
        ([(7, 7)], None),
        ([(9, 7), (9, 9)], None),
        ([(9, 7), 8], 8),
        ([OffsetOutOfRangeError()], None),
    ],
)
async def test_the_first_message_from_an_offset(fetches: list[Any], found: int | None) -> None:
    consumer = Consumer(fetches)
    first = await LogReader(consumer).first_from(A0, 7)  # type: ignore[arg-type]
    assert (first and first.offset) == found
    assert not consumer.fetches


async def test_what_was_deleted_is_not_asked_for() -> None:
    consumer = Consumer([30], begins=30)
    assert await LogReader(consumer).first_from(A0, 7) is not None  # type: ignore[arg-type]
    assert consumer.stands == 30


async def test_a_log_that_does_not_answer_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_SECONDS", 0.0)

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Consumer, "getmany", never)
    with pytest.raises(LogUnavailable):
        await LogReader(Consumer([])).first_from(A0, 7)  # type: ignore[arg-type]


@given(st.sets(st.integers(0, 40), min_size=1).map(sorted), st.integers(0, 3))
def test_what_a_rebuild_reads_on_is_never_taken_for_a_gap(offsets: list[int], behind: int) -> None:
    position = max(offsets[0] - behind, 0)
    messages = [message(A0, offset) for offset in offsets]
    assert unread(position, messages, _holes(position, messages)) == messages
    gaps = _holes(position, messages)
    missing = {offset for gap in gaps for offset in range(gap.start, gap.end)}
    assert missing == set(range(position, offsets[-1] + 1)) - set(offsets)


def test_holes_of_a_log() -> None:
    assert _holes(2, [message(A0, offset) for offset in (4, 5, 9)]) == (Gap(2, 4), Gap(6, 9))
    assert _holes(4, [message(A0, offset) for offset in (4, 5)]) == ()


async def test_a_rebuild_never_drops_the_live_schema() -> None:
    definition = SimpleNamespace(schema="risk")
    with pytest.raises(ValueError, match="beside the live one"):
        await replay_from_start(definition, None, "risk")  # type: ignore[arg-type]


async def test_lag_is_what_lies_between_position_and_end() -> None:
    log = Log([message(A0, 3, age=1), message(A0, 5, age=40), message(A1, 2, age=90)], {A0: 8, A1: 6, B0: 4})
    found = await _partitions(log, {A0: 4, A1: 6}, (A0, A1, B0), NOON)  # type: ignore[arg-type]
    assert found == (
        PartitionStatus("a", 0, 4, 8, 4, 40.0),
        PartitionStatus("a", 1, 6, 6, 0, None),
        # Nothing but holes up to the end: nothing waits.
        PartitionStatus("b", 0, 0, 4, 0, None),
    )
    # A log that is read to its end is not asked what lies behind it.
    assert log.asked == [A0, B0]


async def test_no_partitions_no_question() -> None:
    assert await _partitions(None, {}, (), NOON) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ages", "lag", "oldest"),
    [((), 0, None), ((None,), 2, None), ((5.0, None, 7.5), 6, 7.5), ((0.0, None), 4, 0.0)],
)
def test_a_service_is_as_far_behind_as_all_and_as_late_as_its_latest(
    ages: tuple[float | None, ...], lag: int, oldest: float | None
) -> None:
    partitions = tuple(PartitionStatus("a", number, 0, 2, 2, age) for number, age in enumerate(ages))
    status = ServiceStatus("risk", partitions, OutboxStatus(0, None), {}, 0, 0)
    assert (status.lag, status.lag_seconds) == (lag, oldest)


@pytest.mark.parametrize(
    ("positions", "age"),
    [({}, 0.0), ({A0: 9}, 0.0), ({A0: 3}, 10.0), ({A0: 4}, 30.0), ({A0: 3, A1: 0}, 70.0), ({B0: 0}, 0.0)],
)
async def test_age_of_the_oldest_that_waits(positions: dict[Spot, int], age: float) -> None:
    log = Log([message(A0, 3, age=10), message(A0, 4, age=30), message(A1, 2, age=70), message(B0, 0, age=None)])
    assert await oldest_age_seconds(log, positions, NOON) == age  # type: ignore[arg-type]
