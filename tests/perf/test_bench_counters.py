"""The worker's cost in counters of a real run: round trips, transactions, rows. Seconds are not judged here."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.bench.contestants import Outcome
from infra.bench.running import ORDER, Results, Servers, prepare, run_one
from infra.bench.workload import CLAIMS_A_MESSAGE, Scale
from infra.kafka.apache_kafka import running_apache_kafka

pytestmark = [pytest.mark.broker, pytest.mark.perf]

SCALE = Scale(messages=1_500, single_messages=300, rounds=1)


@pytest.fixture(scope="module")
def filled_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of its own, because the topics are those of the product, filled once."""
    with running_apache_kafka(tmp_path_factory.mktemp("bench-kafka")) as broker:
        asyncio.run(prepare(Servers(broker.address, "postgresql:///unused"), SCALE))
        yield broker.address


@pytest.fixture
def servers(filled_kafka: str, database_url: str) -> Servers:
    return Servers(filled_kafka, database_url)


async def _written(url: str) -> tuple[int, int, int, int]:
    connection = await asyncpg.connect(url, server_settings={"search_path": "bench"})
    try:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM claim), (SELECT sum(claims) FROM person_total),"
            " (SELECT count(*) FROM runtime_dead_letter), (SELECT sum(next_offset) FROM runtime_position)"
        )
    finally:
        await connection.close()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def test_the_worker_needs_few_round_trips_and_writes_every_claim_once(servers: Servers) -> None:
    outcome = run_one("worker", SCALE.messages, servers.environment())
    assert asyncio.run(_written(servers.database_url)) == (SCALE.claims, SCALE.claims, 0, SCALE.messages)
    # One message a transaction would be 50 a thousand claims; begin, lock, write, move and commit make five each.
    assert outcome.transactions * 1000 <= 5 * SCALE.claims
    assert outcome.round_trips <= 6 * outcome.transactions
    assert outcome.peak_megabytes < 300


def test_the_plain_loop_does_the_same_work(servers: Servers) -> None:
    run_one("plain", SCALE.messages, servers.environment())
    assert asyncio.run(_written(servers.database_url)) == (SCALE.claims, SCALE.claims, 0, SCALE.messages)


@pytest.mark.parametrize("name", ["faust", "consume"])
def test_the_others_read_everything(servers: Servers, name: str) -> None:
    messages = SCALE.single_messages if name == "faust" else SCALE.messages
    outcome = run_one(name, messages, servers.environment())
    assert outcome.claims == messages * (1 if name == "faust" else CLAIMS_A_MESSAGE)
    assert outcome.seconds > 0
    assert outcome.cpu_seconds > 0


def test_a_contestant_that_fails_is_not_a_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="worker ended with 1"):
        run_one("worker", 1, {"TANDEM_BROKERS": "127.0.0.1:1", "TANDEM_DATABASE_URL": f"postgresql:///{tmp_path.name}"})


def test_ratios_are_of_one_round() -> None:
    """A round in which the machine was slow for everybody does not move them."""
    quick = {name: Outcome(1000, 1.0 if name != "faust" else 20.0, 0.5) for name in ORDER}
    slow = {name: Outcome(1000, outcome.seconds * 7, 0.6) for name, outcome in quick.items()}
    results = Results([quick, slow, quick])
    assert results.ratio("worker", "faust") == 20
    assert results.rate("worker") == 1000
    assert results.cpu("worker") == 500
    assert results.cpu_ratio("worker", "plain") == 1
