"""Faust's delivery holes, pinned one by one on Apache Kafka.

Tandem keeps its positions in PostgreSQL because of these. Each test fails if the behaviour changes, for the worse or
for the better: either way somebody must read Faust again before the tested version is raised.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import faust
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.exceptions import ValueDecodeError

pytestmark = [pytest.mark.broker, pytest.mark.faults]

Agent = Callable[[Any], Awaitable[None]]


class Trial:
    """A topic of one partition with numbered messages, and a Faust application that reads it."""

    def __init__(self, address: str, values: list[bytes], **topic_options: Any) -> None:
        self.address = address
        self.name = f"faust-{uuid4().hex}"
        self.values = values
        self.topic_options = {"value_type": bytes, "value_serializer": "raw"} | topic_options
        self.seen: list[Any] = []
        self.acknowledged: list[int] = []
        self.news = asyncio.Condition()

    async def see(self, what: Any) -> None:
        async with self.news:
            self.seen.append(what)
            self.news.notify_all()

    async def acknowledge(self, offset: int) -> None:
        async with self.news:
            self.acknowledged.append(offset)
            self.news.notify_all()

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds), self.news:
            await self.news.wait_for(condition)

    async def prepare(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.name, 1, 1)])
        finally:
            await admin.close()
        await self.send(*self.values)

    async def send(self, *values: bytes) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.address) as producer:
            for value in values:
                await producer.send_and_wait(self.name, value, partition=0)

    async def taken(self, app: faust.App, offset: int) -> None:
        """Wait until Faust's stream holds a message, handed over or not."""
        async with asyncio.timeout(20):
            while all(message.offset != offset for message in app.consumer.unacked):  # noqa: ASYNC110 - Faust tells nobody
                await asyncio.sleep(0.01)

    async def settled(self, app: faust.App) -> None:
        """Wait until Faust holds nothing."""
        async with asyncio.timeout(20):
            while app.consumer.unacked:  # noqa: ASYNC110 - Faust tells nobody
                await asyncio.sleep(0.01)

    async def stopped_at(self, app: faust.App) -> int | None:
        """Let Faust commit what it would, and ask Kafka."""
        await app.consumer.commit()
        return await self.committed()

    async def committed(self) -> int | None:
        """What Kafka holds for the group."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.name)
        finally:
            await admin.close()
        entry = offsets.get(TopicPartition(self.name, 0))
        return None if entry is None or entry.offset < 0 else entry.offset

    @asynccontextmanager
    async def running(self, agent: Agent) -> AsyncIterator[faust.App]:
        app = faust.App(
            self.name,
            broker=f"kafka://{self.address}",
            consumer_auto_offset_reset="earliest",
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            broker_commit_interval=600.0,
            stream_wait_empty=False,
        )
        app.agent(app.topic(self.name, **self.topic_options), name="agent")(agent)
        app.finalize()
        await app.start()
        try:
            yield app
        finally:
            await app.stop()


@asynccontextmanager
async def trial(address: str, count: int = 5, **options: Any) -> AsyncIterator[Trial]:
    made = Trial(address, options.pop("values", [str(number).encode() for number in range(count)]), **options)
    await made.prepare()
    yield made


async def test_f1_commits_past_a_message_in_flight(kafka_address: str) -> None:
    """A gap at the head is not seen: offset 0 is unfinished, and the group is told to go on at 2."""
    async with trial(kafka_address) as made:

        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                if event.message.offset == 1:
                    event.ack()
                await made.see(event.message.offset)

        async with made.running(agent) as app:
            await made.until(lambda: len(made.seen) == 5)
            assert await made.stopped_at(app) == 2


async def test_a_wider_gap_behind_a_commit_stops_commits_for_good(kafka_address: str) -> None:
    """The other side of F1: two that are missing are waited for, even where they never come."""
    async with trial(kafka_address) as made:

        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                if event.message.offset not in {2, 3}:
                    event.ack()
                await made.see(event.message.offset)

        async with made.running(agent) as app:
            await made.until(lambda: len(made.seen) == 5)
            assert await made.stopped_at(app) == 2
            assert await made.stopped_at(app) == 2


async def test_f2_an_agent_that_raises_has_acknowledged(kafka_address: str) -> None:
    async with trial(kafka_address) as made:

        async def agent(stream: Any) -> None:
            async for event in stream.events():
                await made.see(event.message.offset)
                if event.message.offset == 2:
                    raise RuntimeError

        async with made.running(agent) as app:
            await made.until(lambda: 4 in made.seen)
            await made.settled(app)
            assert made.seen == [0, 1, 2, 3, 4], "the one that failed does not come again"
            assert await made.stopped_at(app) == 5


def _failing_batch(made: Trial, take: Callable[[Any], Any], apps: list[faust.App]) -> Agent:
    """An agent whose first batch fails while the next message is already taken."""

    async def agent(stream: Any) -> None:
        # Held by no name: a generator that the traceback keeps alive would block the restarted agent.
        async for batch in take(stream):
            await made.see([int(value) for value in batch])
            if len(made.seen) == 1:
                await made.send(b"3", b"4", b"5")
                await made.taken(apps[0], 3)
                raise RuntimeError

    return agent


def _handed_over(made: Trial) -> list[int]:
    return [number for batch in made.seen for number in batch]


async def test_f3_a_failed_take_acknowledges_its_batch_and_loses_the_next_message(kafka_address: str) -> None:
    async with trial(kafka_address, 3) as made:
        apps: list[faust.App] = []
        agent = _failing_batch(made, lambda stream: stream.take(10, within=0.5), apps)
        async with made.running(agent) as app:
            apps.append(app)
            await made.until(lambda: 5 in _handed_over(made))
            assert _handed_over(made) == [0, 1, 2, 4, 5], "3 was taken and is not handed over"
            assert await made.stopped_at(app) == 3, "the batch that failed counts as done"


async def test_f4_a_failed_noack_take_is_forgotten_with_the_message_after_it(kafka_address: str) -> None:
    async with trial(kafka_address, 3) as made:
        apps: list[faust.App] = []

        def take(stream: Any) -> Any:
            return _acknowledging(stream.noack_take(10, within=0.5), made)

        agent = _failing_batch(made, take, apps)
        async with made.running(agent) as app:
            apps.append(app)
            await made.until(lambda: 5 in _handed_over(made))
            assert _handed_over(made) == [0, 1, 2, 4, 5], "3 was taken and is not handed over"
            await made.until(lambda: made.acknowledged == [4, 5])
            assert await made.stopped_at(app) == 6, "0 to 2 failed, 3 was never seen, and all count as done"


async def _acknowledging(batches: Any, made: Trial) -> AsyncIterator[list[bytes]]:
    """Hand each batch over and acknowledge it when it has been handled."""
    async for events in batches:
        yield [event.value for event in events]
        for event in events:
            event.ack()
            await made.acknowledge(event.message.offset)


@pytest.mark.parametrize(("noack", "position"), [(False, 1), (True, None)], ids=["events", "noack"])
async def test_f5_stopping_acknowledges_unfinished_work_unless_noack(
    kafka_address: str,
    noack: bool,  # noqa: FBT001 - a parameter of the test
    position: int | None,
) -> None:
    async with trial(kafka_address) as made:

        async def agent(stream: Any) -> None:
            async for event in (stream.noack() if noack else stream).events():
                await made.see(event.message.offset)
                await asyncio.Event().wait()

        async with made.running(agent):
            await made.until(lambda: made.seen == [0])
        assert await made.committed() == position


async def test_f6_what_cannot_be_decoded_is_acknowledged_and_stops_the_agent(kafka_address: str) -> None:
    first = json.dumps({"number": 0}).encode()
    async with trial(kafka_address, values=[first], value_type=None, value_serializer="json") as made:

        async def agent(stream: Any) -> None:
            try:
                async for event in stream.events():
                    await made.see(event.value)
            except ValueDecodeError:
                await made.see("stopped")
                raise

        async with made.running(agent) as app:
            await made.until(lambda: len(made.seen) == 1)
            await made.send(b'{"number":')
            await made.until(lambda: len(made.seen) == 2)
            assert made.seen == [{"number": 0}, "stopped"]
            assert await made.stopped_at(app) == 2, "it is gone"
