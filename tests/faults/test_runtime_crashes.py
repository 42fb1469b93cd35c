"""Kill -9 at every point of a batch and of the relay: nothing is lost, nothing counts twice."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
from runtime_tally import World, ended, expected, facts, running_world, send_events, until

pytestmark = [pytest.mark.broker, pytest.mark.faults]


@pytest.mark.parametrize(
    "point", ["before_transaction", "after_state", "after_outbox", "after_commit", "after_acknowledge"]
)
async def test_worker_killed_at_a_point_of_its_third_batch(
    point: str, database_url: str, kafka_address: str, tmp_path: Path
) -> None:
    events = facts(400)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, events)
        assert await ended(world.start("worker", "--die-at", point, "--die-count", "3")) == -signal.SIGKILL
        assert (await world.totals())[1] < len(events)
        world.start("worker")
        world.start("relay")
        await until(lambda: world.has_totals(events))
        await until(lambda: _echoed(world, len(events)))
        # The relay did not die, so each echo stands on the log once.
        assert sorted(await world.echoes()) == sorted((event.subject, event.data.version) for event in events)


async def _echoed(world: World, count: int) -> bool:
    return len(await world.echoes()) >= count


async def test_relay_killed_between_sending_and_forgetting(
    database_url: str, kafka_address: str, tmp_path: Path
) -> None:
    events = facts(400)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, events)
        world.start("worker")
        assert await ended(world.start("relay", "--die-at", "after_send")) == -signal.SIGKILL
        world.start("relay")
        await until(lambda: world.has_totals(events))
        await until(lambda: _nothing_queued(world))
        echoes = await world.echoes()
        # Sent again, in order: repeats, but all of them and none after a later one of its key for the first time.
        assert len(echoes) > len(events)
        assert _first_seen(echoes) == _by_key([(event.subject, event.data.version) for event in events])


async def _nothing_queued(world: World) -> bool:
    return not await world.query("SELECT 1 FROM runtime_outbox LIMIT 1")


def _by_key(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for key, version in pairs:
        versions.setdefault(key, []).append(version)
    return versions


def _first_seen(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    return _by_key(list(dict.fromkeys(pairs)))


# It may be frozen inside a transaction, which PostgreSQL then ends.
_SHORT = ("--session-timeout", "1.5", "--idle-transaction", "3")


async def test_worker_paused_for_twice_its_session(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    first, second, third = facts(300), facts(300, sequence=2), facts(300, sequence=3)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, first)
        paused = world.start("worker", "--slot", "1", *_SHORT, "--batch-limit", "20")
        await until(lambda: _begun(world))
        paused.send_signal(signal.SIGSTOP)
        other = world.start("worker", "--slot", "2", *_SHORT)
        await send_events(kafka_address, second)
        # Only when the broker has given the paused worker up can the other finish: that is longer than its session.
        await until(lambda: world.has_totals([*first, *second]), 40)
        await asyncio.to_thread(_wait_out, 1.5)
        paused.send_signal(signal.SIGCONT)
        await send_events(kafka_address, third)
        everything = [*first, *second, *third]
        await until(lambda: world.has_totals(everything))
        other.send_signal(signal.SIGTERM)
        assert await ended(other) == 0
        await send_events(kafka_address, more := facts(100, sequence=4))
        await until(lambda: world.has_totals([*everything, *more]))
        assert paused.poll() is None


def _wait_out(seconds: float) -> None:
    """The pause itself is the fault that is tested, so it has to last."""
    time.sleep(seconds)


async def _begun(world: World) -> bool:
    return (await world.totals())[1] > 0


async def test_rebalance_storm(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    async with running_world(database_url, kafka_address, tmp_path) as world:
        world.start("worker", "--slot", "1", "--batch-limit", "10")
        sent = []
        for turn in range(1, 5):
            sent += (part := facts(300, sequence=turn))
            await send_events(kafka_address, part)
            other = world.start("worker", "--slot", f"storm-{turn}", "--batch-limit", "10")
            share = len(sent) - 250
            await until(lambda least=share: _has_at_least(world, least))
            other.send_signal(signal.SIGKILL if turn % 2 else signal.SIGTERM)
            await ended(other)
        await until(lambda: world.has_totals(sent), 60)
        assert (await world.totals()) == expected(sent)


async def _has_at_least(world: World, least: int) -> bool:
    return (await world.totals())[1] >= least
