"""The log itself, read beside Faust and outside of any group: where partitions begin and end, what lies where.

Faust may drop messages on its way to a handler; this is the witness that says whether anything lay in a gap.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from contracts.topics import Topic
from services.runtime.exits import BrokerUnreachable, LogRecreated, TopicsUnusable
from services.runtime.ledger import Message, Spot, digest
from services.runtime.retrying import Backoff
from services.runtime.telemetry import log

# How long a broker waits for new messages before it says that there are none.
_FETCH_WAIT_MS = 100
_READ_SECONDS = 10.0


class LogUnavailable(Exception):  # noqa: N818 - names the finding
    """The log did not answer in time; transient."""


def message_of(record: Any, milliseconds: float | None) -> Message:  # noqa: ANN401 - neither aiokafka nor Faust is typed
    """A record of aiokafka or a message of Faust as ours."""
    time = datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds and milliseconds > 0 else None
    return Message(Spot(record.topic, record.partition), record.offset, record.key, record.value, time)


class LogReader:
    """One consumer without a group. Calls take turns: seeking and reading belong together."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, servers: list[str]) -> Self:
        """Connect. Raises :class:`aiokafka.errors.KafkaError`."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=servers,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return cls(consumer)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each topic has; 0 where there is no such topic."""
        known = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 - the public calls cache what is missing
        return {topic: len(known.partitions_for_topic(topic) or ()) for topic in topics}

    async def beginnings(self, spots: Iterable[Spot]) -> dict[Spot, int]:
        """First offset of each partition."""
        return _by_spot(await self._consumer.beginning_offsets([TopicPartition(*spot) for spot in spots]))

    async def ends(self, spots: Iterable[Spot]) -> dict[Spot, int]:
        """Offset after the last message of each partition. Raises :class:`LogUnavailable`.

        Taken from fetches: the embedded broker lists the first offset of the last batch as the end.
        """
        places = [TopicPartition(*spot) for spot in spots]
        async with self._turn:
            listed = await self._consumer.end_offsets(places)
            self._consumer.assign(places)
            for place in places:
                self._consumer.seek(place, listed[place])
            async with _patience():
                while any(self._consumer.highwater(place) is None for place in places):
                    await self._consumer.getmany(*places, timeout_ms=_FETCH_WAIT_MS, max_records=1)
            return _by_spot({place: max(listed[place], self._consumer.highwater(place)) for place in places})

    async def first_from(self, spot: Spot, offset: int) -> Message | None:
        """The first message at or after an offset; none at the end. Raises :class:`LogUnavailable`."""
        place = TopicPartition(*spot)
        async with self._turn:
            start = max(offset, (await self._consumer.beginning_offsets([place]))[place])
            self._consumer.assign([place])
            self._consumer.seek(place, start)
            async with _patience():
                return await self._first(place, start)

    async def _first(self, place: TopicPartition, offset: int) -> Message | None:
        while True:
            try:
                found = await self._consumer.getmany(place, timeout_ms=_FETCH_WAIT_MS, max_records=1)
            except OffsetOutOfRangeError:
                return None
            if found.get(place):
                record = found[place][0]
                return message_of(record, record.timestamp)
            end = self._consumer.highwater(place)
            # The position passes markers of transactions, which are never given out.
            if end is not None and end <= max(offset, await self._consumer.position(place)):
                return None


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            yield
    except TimeoutError:
        raise LogUnavailable(f"the log did not answer for {_READ_SECONDS:.0f} s") from None


def _by_spot(offsets: Mapping[TopicPartition, int]) -> dict[Spot, int]:
    return {Spot(place.topic, place.partition): offset for place, offset in offsets.items()}


@asynccontextmanager
async def reading(servers: list[str], seconds: float) -> AsyncIterator[LogReader]:
    """A reader, waiting so long for a broker. Raises :class:`BrokerUnreachable`."""
    reader = await _start_patiently(servers, seconds)
    try:
        yield reader
    finally:
        await reader.stop()


async def _start_patiently(servers: list[str], seconds: float) -> LogReader:
    backoff = Backoff(give_up_after=seconds)
    while True:
        try:
            return await LogReader.start(servers)
        except (KafkaError, OSError) as error:
            log("broker_unreachable", level="warning", error=type(error).__name__)
        if not await backoff.wait():
            raise BrokerUnreachable(f"no broker answered for {seconds:.0f} s (TANDEM_BROKERS)")


def topic_faults(topics: Iterable[Topic], found: Mapping[str, int]) -> list[str]:
    """What is wrong with the topics, in words."""
    wrong = (topic for topic in topics if found[topic.name] != topic.partitions)
    return [
        f"{topic.name} has {found[topic.name]} partitions and needs {topic.partitions}"
        if found[topic.name]
        else f"{topic.name} is missing"
        for topic in wrong
    ]


async def require_topics(reader: LogReader, topics: Iterable[Topic], seconds: float) -> list[Spot]:
    """All partitions of the topics, waiting so long for topics to appear. Raises :class:`TopicsUnusable`."""
    wanted = tuple(topics)
    backoff = Backoff(give_up_after=seconds)
    while True:
        faults = topic_faults(wanted, await reader.partitions(topic.name for topic in wanted))
        if not faults:
            return [Spot(topic.name, number) for topic in wanted for number in range(topic.partitions)]
        log("topics_unusable", level="warning", count=len(faults))
        if not await backoff.wait():
            raise TopicsUnusable("; ".join(faults) + ": topics are created from the registry, before workers start")


def check_bounds(positions: Mapping[Spot, int], beginnings: Mapping[Spot, int], ends: Mapping[Spot, int]) -> None:
    """A position must lie between the beginning and the end of its log. Raises :class:`LogRecreated`."""
    for spot, end in ends.items():
        position = positions.get(spot)
        if position is not None and position > end:
            raise LogRecreated(
                f"{spot.topic} {spot.partition} ends at {end}, but was read up to {position}: the log is not the one "
                "that was read; restore it, or rebuild the service from the new one"
            )
        if position is not None and position < beginnings.get(spot, 0):
            raise LogRecreated(
                f"{spot.topic} {spot.partition} begins at {beginnings[spot]}, but was read only up to {position}: "
                "messages were deleted before they were read"
            )


async def check_fingerprints(
    reader: LogReader, positions: Mapping[Spot, int], fingerprints: Mapping[Spot, bytes], compacted: frozenset[str]
) -> None:
    """The last message applied must still stand on the log. Raises :class:`LogRecreated`.

    A compacted log may have dropped it; then nothing can be said.
    """
    for spot, fingerprint in fingerprints.items():
        last = positions[spot] - 1
        found = await reader.first_from(spot, last)
        if found is not None and found.offset == last and digest(found) == fingerprint:
            continue
        if spot.topic in compacted and (found is None or found.offset != last):
            continue
        raise LogRecreated(
            f"{spot.topic} {spot.partition} holds another message at {last} than the one that was applied: the log "
            "was recreated; restore it, or rebuild the service from the new one"
        )
