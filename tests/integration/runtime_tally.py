"""A tiny service without healthcare, to try the runtime with: it adds amounts up and echoes each.

Run as a script it is a process of its own, which can kill itself at a named point.
"""

import argparse
import asyncio
import base64
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts import topics as registry
from contracts.decoding import decode
from contracts.delivery import (
    DeliveryCompleted,
    DeliveryCompletedData,
    DeliveryKind,
    DeliveryProcessed,
    DeliveryQuarantined,
    DeliveryReceived,
)
from contracts.envelope import Event
from contracts.model import ContractModel
from contracts.topics import AnyEvent, Topic
from services.runtime.ledger import Spot
from services.runtime.log import reading
from services.runtime.outbox import nested, outgoing
from services.runtime.processes import run_process
from services.runtime.provisioning import provision_topics
from services.runtime.relay import run_relay
from services.runtime.service import Batch, Cut, ServiceDefinition, Transaction
from services.runtime.settings import Settings
from services.runtime.telemetry import configure_logging
from services.runtime.transactions import Probe, no_probe
from services.runtime.worker import run_worker

TIME = datetime(2026, 1, 1, tzinfo=UTC)
DATED = date(2025, 12, 31)
# The handler raises at this amount.
UNLUCKY = 13
PAYLOAD_KEY = base64.b64encode(bytes(range(32))).decode()
ROOT = Path(__file__).parents[2]

MIGRATION = """
CREATE TABLE tally_fact (key text, version text, amount bigint NOT NULL, sequence bigint NOT NULL, PRIMARY KEY (key, version));
CREATE TABLE tally_total (partition integer PRIMARY KEY, total bigint NOT NULL, facts bigint NOT NULL);
CREATE TABLE tally_revision (sequence bigint PRIMARY KEY, total bigint NOT NULL);
"""


class TallyData(ContractModel):
    """An amount."""

    amount: int
    version: str


class TallyStated(Event[TallyData]):
    """In."""

    TYPE: ClassVar[str] = "tandem.tally.stated.v1"


class TallyEchoed(Event[TallyData]):
    """Out."""

    TYPE: ClassVar[str] = "tandem.tally.echoed.v1"


class BadAmountError(Exception):
    """What the handler raises, with a text that must not be kept."""


async def handle(batch: Batch, transaction: Transaction) -> None:
    facts = [received.event for received in batch.received]
    for fact in facts:
        if fact.data.amount == UNLUCKY:
            raise BadAmountError(f"secret {fact.subject}")
    for received in batch.received:
        if received.event.data.amount == -1:
            transaction.reject(received, "negative", "amount")
    new = await transaction.connection.fetch(
        "INSERT INTO tally_fact SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) "
        "ON CONFLICT DO NOTHING RETURNING key, version, amount",
        [fact.subject for fact in facts],
        [fact.data.version for fact in facts],
        [fact.data.amount for fact in facts],
        [fact.deliveryseq for fact in facts],
    )
    await transaction.connection.execute(
        "INSERT INTO tally_total AS t VALUES ($1, $2, $3) ON CONFLICT (partition) "
        "DO UPDATE SET total = t.total + EXCLUDED.total, facts = t.facts + EXCLUDED.facts",
        batch.partition,
        sum(row["amount"] for row in new),
        len(new),
    )
    fresh = {(row["key"], row["version"]) for row in new}
    for fact in facts:
        if (fact.subject, fact.data.version) in fresh:
            transaction.publish(echo_of(fact))


async def at_cut(cut: Cut, transaction: Transaction) -> None:
    await transaction.connection.execute(
        "INSERT INTO tally_revision SELECT $1, coalesce(sum(amount), 0) FROM tally_fact WHERE sequence <= $1",
        cut.sequence,
    )


def delivery_id(sequence: int) -> str:
    return f"d{sequence:032x}"


def stated(key: str, version: str, amount: int, sequence: int = 1) -> TallyStated:
    return TallyStated.of(
        service="intake",
        key=key,
        version=version,
        time=TIME,
        delivery_id=delivery_id(sequence),
        sequence=sequence,
        data=TallyData(amount=amount, version=version),
    )


def echo_of(fact: AnyEvent) -> TallyEchoed:
    return TallyEchoed.of(
        service="risk",
        key=fact.subject,
        version=fact.data.version,
        time=fact.time,
        delivery_id=fact.deliveryid,
        sequence=fact.deliveryseq,
        data=fact.data,
    )


def completed(sequence: int, ends: dict[str, dict[str, int]]) -> DeliveryCompleted:
    return DeliveryCompleted.of(
        service="intake",
        key=delivery_id(sequence),
        version="completed",
        time=TIME,
        delivery_id=delivery_id(sequence),
        sequence=sequence,
        data=DeliveryCompletedData(
            kind=DeliveryKind.CCLF, dated=DATED, records=1, quarantined=0, claims=0, end_offsets=ends
        ),
    )


def facts(count: int, *, keys: int = 50, sequence: int = 1) -> list[TallyStated]:
    return [stated(f"k{number % keys}", f"{sequence}-{number}", 100 + number, sequence) for number in range(count)]


class Topics:
    """The test's own topics, taken into the registry of this process."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.tallies = Topic(f"{prefix}.tallies", (TallyStated,), "entity", ("intake",))
        self.echoes = Topic(f"{prefix}.echoes", (TallyEchoed,), "entity", ("risk",))
        self.deliveries = replace(registry.DELIVERIES, name=f"{prefix}.deliveries")
        self.all = (self.tallies, self.echoes, self.deliveries)

    def register(self) -> None:
        by_type = {
            TallyStated: self.tallies,
            TallyEchoed: self.echoes,
            DeliveryReceived: self.deliveries,
            DeliveryCompleted: self.deliveries,
            DeliveryQuarantined: self.deliveries,
            DeliveryProcessed: self.deliveries,
        }
        for event, topic in by_type.items():
            registry.TOPIC_BY_NAME[topic.name] = topic
            registry.TOPIC_BY_TYPE[event.TYPE] = topic
            registry.EVENT_BY_TYPE[event.TYPE] = event

    def definition(self, migrations: Path) -> ServiceDefinition:
        return ServiceDefinition(
            name="risk",
            schema="tally",
            topics=(self.tallies,),
            handle=handle,
            migrations=migrations,
            waits_for=("intake",),
            at_cut=at_cut,
        )


def unique_prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


def write_migrations(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "0001_tally.sql").write_text(MIGRATION)
    return folder


def settings(database_url: str, brokers: str, **given: object) -> Settings:
    values: dict[str, object] = {
        "database_url": database_url,
        "brokers": brokers,
        "payload_key": PAYLOAD_KEY,
        "session_timeout_seconds": 6,
        "start_timeout_seconds": 20,
        "idempotent_producer": "auto",
    }
    return Settings(**(values | given))  # type: ignore[arg-type]


async def send(brokers: str, messages: Iterable[tuple[str, int, bytes | None, bytes | None]]) -> None:
    """Write raw messages: topic, partition, key, value."""
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=5, max_request_size=4_000_000)
    await producer.start()
    try:
        futures = [
            await producer.send(topic, value, key=key, partition=partition) for topic, partition, key, value in messages
        ]
        await asyncio.gather(*futures)
    finally:
        await producer.stop()


async def send_events(brokers: str, events: Sequence[AnyEvent]) -> None:
    await send(brokers, [(item.topic, item.partition, item.key, item.payload) for item in map(outgoing, events)])


async def read_all(brokers: str, topic: Topic) -> list[tuple[bytes | None, bytes | None]]:
    """Every message of a topic, partition after partition."""
    spots = [Spot(topic.name, number) for number in range(topic.partitions)]
    async with reading([brokers], 10) as reader:
        ends = await reader.ends(spots)
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(*spot) for spot in spots]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        read: list[tuple[bytes | None, bytes | None]] = []
        while any([await consumer.position(TopicPartition(*spot)) < end for spot, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=1000)
            read += [(record.key, record.value) for records in batches.values() for record in records]
        return read
    finally:
        await consumer.stop()


def expected(events: Iterable[TallyStated]) -> tuple[int, int]:
    distinct = {event.id: event.data.amount for event in events}
    return sum(distinct.values()), len(distinct)


def killer(point: str, count: int) -> Probe:
    """A probe that ends its process, as kill -9 does, at the n-th time that a point is reached."""
    left = count

    def probe(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return probe


@dataclass
class World:
    """The tiny service on a broker and a database, with processes of its own."""

    topics: Topics
    database_url: str
    brokers: str
    migrations: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def definition(self) -> ServiceDefinition:
        return self.topics.definition(self.migrations)

    def settings(self, **given: object) -> Settings:
        return settings(self.database_url, self.brokers, group=self.topics.prefix, **given)

    def start(self, role: str, *more: str) -> "subprocess.Popen[bytes]":
        """Start a worker or a relay."""
        place = [role, self.topics.prefix, self.database_url, self.brokers, str(self.migrations)]
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), *place, *more], env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End every process, however it is."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(20)

    async def query(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Ask the service's schema; nothing while there is no such table."""
        connection = await asyncpg.connect(self.database_url, server_settings={"search_path": "tally"})
        try:
            return list(await connection.fetch(statement, *values))
        except asyncpg.UndefinedTableError:
            return []
        finally:
            await connection.close()

    async def totals(self) -> tuple[int, int]:
        """Sum and number of facts in the read model."""
        rows = await self.query("SELECT coalesce(sum(total), 0), coalesce(sum(facts), 0) FROM tally_total")
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    async def has_totals(self, events: Iterable[TallyStated]) -> bool:
        return await self.totals() == expected(events)

    async def vector(self) -> dict[str, dict[str, int]]:
        """Where the topic of facts ends now."""
        spots = [Spot(self.topics.tallies.name, number) for number in range(self.topics.tallies.partitions)]
        async with reading([self.brokers], 10) as reader:
            return nested(await reader.ends(spots))

    async def echoes(self) -> list[tuple[str, str]]:
        """Key and version of every echo on the log."""
        found = await read_all(self.brokers, self.topics.echoes)
        events = [TallyEchoed.model_validate_json(value or b"") for _, value in found]
        return [(event.subject, event.data.version) for event in events]

    async def processed(self) -> list[DeliveryProcessed]:
        """Every ``delivery.processed`` on the log."""
        found = await read_all(self.brokers, self.topics.deliveries)
        events = [decode(self.topics.deliveries.name, value) for _, value in found]
        return [event for event in events if isinstance(event, DeliveryProcessed)]


@asynccontextmanager
async def running_world(database_url: str, brokers: str, folder: Path) -> AsyncIterator[World]:
    """Topics of its own in the registry and on the broker; everything it started is ended and put back."""
    registries = (registry.TOPIC_BY_NAME, registry.TOPIC_BY_TYPE, registry.EVENT_BY_TYPE)
    kept = [dict(known) for known in registries]
    topics = Topics(unique_prefix())
    topics.register()
    world = World(topics, database_url, brokers, write_migrations(folder / "migrations"))
    try:
        await provision_topics(world.settings(), topics.all)
        yield world
    finally:
        world.stop()
        for known, before in zip(registries, kept, strict=True):
            known.clear()
            known.update(before)  # type: ignore[arg-type]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Ask again and again until it is so; fails after the time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process fulfils it
            await asyncio.sleep(0.05)


async def ended(process: "subprocess.Popen[bytes]", seconds: float = 30) -> int:
    """Exit code of a process that ends by itself."""
    return await asyncio.to_thread(process.wait, seconds)


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("role", "prefix", "database_url", "brokers", "migrations"):
        parser.add_argument(name)
    parser.add_argument("--slot", default="1")
    parser.add_argument("--die-at", default="")
    parser.add_argument("--die-count", type=int, default=1)
    parser.add_argument("--batch-limit", type=int, default=50)
    parser.add_argument("--session-timeout", type=float, default=2)
    parser.add_argument("--idle-transaction", type=float, default=60)
    parser.add_argument("--start-timeout", type=float, default=20)
    parser.add_argument("--parked-run-limit", type=int, default=100)
    arguments = parser.parse_args()
    configure_logging("info")
    topics = Topics(arguments.prefix)
    topics.register()
    definition = topics.definition(Path(arguments.migrations))
    options = settings(
        arguments.database_url,
        arguments.brokers,
        slot=arguments.slot,
        group=arguments.prefix,
        batch_limit=arguments.batch_limit,
        session_timeout_seconds=arguments.session_timeout,
        idle_transaction_seconds=arguments.idle_transaction,
        start_timeout_seconds=arguments.start_timeout,
        parked_run_limit=arguments.parked_run_limit,
    )
    probe = killer(arguments.die_at, arguments.die_count) if arguments.die_at else no_probe
    run = run_worker if arguments.role == "worker" else run_relay
    return run_process(lambda stop: run(definition, options, stop, probe=probe))


if __name__ == "__main__":
    sys.exit(main())
