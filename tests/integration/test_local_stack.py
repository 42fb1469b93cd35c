"""The embedded servers and Apache Kafka: they answer, keep what they should, and leave nothing behind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from infra.kafka.apache_kafka import ApacheKafka
from infra.local.postgresql import PostgreSQL

pytestmark = pytest.mark.broker


async def _create_topic(address: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def _send(address: str, topic: str, values: list[bytes], *, idempotent: bool = False) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=idempotent) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def _read(address: str, topic: str, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return [(await consumer.getone()).value for _ in range(count)]


async def test_a_fresh_database_is_postgresql_18_and_empty(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert (await connection.fetchval("SHOW server_version")).startswith("18.")
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert await connection.fetchval(tables) == 0
    finally:
        await connection.close()


async def test_the_server_lets_nobody_in_without_the_password(postgres_url: str) -> None:
    scheme, rest = postgres_url.split("://")
    wrong = f"{scheme}://postgres:wrong@{rest.split('@')[1]}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


@pytest.mark.parametrize("end", [PostgreSQL.stop, PostgreSQL.kill])
async def test_committed_rows_outlive_a_restart_on_the_same_address(
    postgresql: PostgreSQL, end: Callable[[PostgreSQL], None]
) -> None:
    url = postgresql.url
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)")
    await connection.close()
    end(postgresql)
    postgresql.start()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT n FROM kept") == 42
    await connection.close()


async def test_the_embedded_broker_carries_messages(embedded_broker_address: str) -> None:
    await _create_topic(embedded_broker_address, "carried")
    await _send(embedded_broker_address, "carried", [b"one", b"two"])
    assert await _read(embedded_broker_address, "carried", 2) == [b"one", b"two"]


async def test_apache_kafka_has_an_idempotent_producer(kafka_address: str) -> None:
    await _create_topic(kafka_address, "idempotent")
    await _send(kafka_address, "idempotent", [b"one"], idempotent=True)
    assert await _read(kafka_address, "idempotent", 1) == [b"one"]


@pytest.mark.faults
async def test_acknowledged_messages_outlive_a_killed_kafka(apache_kafka: ApacheKafka) -> None:
    address = apache_kafka.address
    await _create_topic(address, "kept")
    await _send(address, "kept", [b"one", b"two"])
    apache_kafka.kill()
    apache_kafka.start()
    assert apache_kafka.address == address
    assert await _read(address, "kept", 2) == [b"one", b"two"]


_OWNER = """
import sys
from collections.abc import Callable
from pathlib import Path
from infra.local.postgresql import PostgreSQL
server = PostgreSQL(Path(sys.argv[1]), durable=False)
server.start()
print(server.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.faults
def test_a_server_does_not_outlive_its_killed_owner(private_folder: Path) -> None:
    command = [sys.executable, "-c", _OWNER, str(private_folder / "postgresql")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        server = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
        gone, alive = psutil.wait_procs([server], timeout=30)
    assert (gone, alive) == ([server], [])
