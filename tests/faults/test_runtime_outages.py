"""Broker and database go away and come back; processes say why they cannot start, and end with a code of their own."""

import signal
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from runtime_tally import (
    Topics,
    World,
    ended,
    facts,
    running_world,
    send_events,
    unique_prefix,
    until,
    write_migrations,
)

from infra.kafka.apache_kafka import ApacheKafka
from infra.local.postgresql import PostgreSQL
from services.runtime.exits import ExitCode
from services.runtime.provisioning import provision_topics

pytestmark = [pytest.mark.broker, pytest.mark.faults]


async def test_broker_killed_and_restarted(database_url: str, apache_kafka: ApacheKafka, tmp_path: Path) -> None:
    before, after = facts(200), facts(200, sequence=2)
    async with running_world(database_url, apache_kafka.address, tmp_path) as world:
        worker, relay = world.start("worker"), world.start("relay")
        await send_events(apache_kafka.address, before)
        await until(lambda: world.has_totals(before))
        apache_kafka.kill()
        apache_kafka.start()
        await send_events(apache_kafka.address, after)
        await until(lambda: world.has_totals([*before, *after]), 60)
        await until(lambda: _all_echoed(world, [*before, *after]), 60)
        assert (worker.poll(), relay.poll()) == (None, None)


async def _all_echoed(world: World, events: list) -> bool:
    return set(await world.echoes()) == {(event.subject, event.data.version) for event in events}


async def test_database_restarted_and_backend_killed(
    postgresql: PostgreSQL, kafka_address: str, tmp_path: Path
) -> None:
    sent = facts(200)
    async with running_world(postgresql.url, kafka_address, tmp_path) as world:
        worker, relay = world.start("worker", "--batch-limit", "10"), world.start("relay")
        await send_events(kafka_address, sent)
        await until(lambda: world.has_totals(sent))
        await _kill_backends(postgresql.url)
        sent += (second := facts(200, sequence=2))
        await send_events(kafka_address, second)
        await until(lambda: world.has_totals(sent))
        postgresql.kill()
        sent += (third := facts(200, sequence=3))
        await send_events(kafka_address, third)
        postgresql.start()
        await until(lambda: world.has_totals(sent), 60)
        await until(lambda: _all_echoed(world, sent), 60)
        assert (worker.poll(), relay.poll()) == (None, None)


async def _kill_backends(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        killed = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tandem tally'"
        )
        assert killed
    finally:
        await connection.close()


async def test_nothing_there_to_start_on(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    topics = Topics(unique_prefix())
    migrations = write_migrations(tmp_path / "migrations")
    nowhere = "127.0.0.1:9"
    quickly = ("--start-timeout", "1")
    world = World(topics, database_url, kafka_address, migrations)
    no_database = World(topics, f"postgresql://nobody@{nowhere}/none", kafka_address, migrations)
    no_broker = World(topics, database_url, nowhere, migrations)
    assert await ended(world.start("worker", *quickly)) == ExitCode.TOPICS_UNUSABLE
    assert await ended(no_database.start("worker", *quickly)) == ExitCode.DATABASE_UNREACHABLE
    assert await ended(no_database.start("relay", *quickly)) == ExitCode.DATABASE_UNREACHABLE
    assert await ended(no_broker.start("worker", *quickly)) == ExitCode.BROKER_UNREACHABLE


async def test_log_recreated(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    """Once with fewer messages than were read, once with as many but others."""
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, events := facts(100))
        running = world.start("worker")
        await until(lambda: world.has_totals(events))
        await _delete(kafka_address, world.topics.tallies.name)
        await provision_topics(world.settings(), world.topics.all)
        assert await ended(running) == ExitCode.LOG_RECREATED
        await send_events(kafka_address, facts(100, sequence=2))
        assert await ended(world.start("worker")) == ExitCode.LOG_RECREATED
        assert await world.has_totals(events)


async def _delete(brokers: str, topic: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await client.start()
    try:
        await client.delete_topics([topic])
    finally:
        await client.close()


async def test_told_to_stop(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, events := facts(100))
        worker, relay = world.start("worker"), world.start("relay")
        await until(lambda: world.has_totals(events))
        for process in (worker, relay):
            process.send_signal(signal.SIGTERM)
        assert [await ended(worker), await ended(relay)] == [ExitCode.STOPPED, ExitCode.STOPPED]
