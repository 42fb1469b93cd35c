"""Two processes in one place of the group: the second waits, and says so when it gives up."""

import signal
from pathlib import Path

import pytest
from runtime_tally import ended, facts, running_world, send_events, until

from services.runtime.exits import ExitCode

pytestmark = [pytest.mark.broker, pytest.mark.faults]


async def test_a_slot_is_taken_until_its_worker_ends(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, sent := facts(100))
        first = world.start("worker", "--slot", "same")
        await until(lambda: world.has_totals(sent))
        second = world.start("worker", "--slot", "same", "--start-timeout", "1")
        assert await ended(second) == ExitCode.SLOT_TAKEN
        assert first.poll() is None
        first.send_signal(signal.SIGKILL)
        third = world.start("worker", "--slot", "same")
        await send_events(kafka_address, more := facts(100, sequence=2))
        await until(lambda: world.has_totals([*sent, *more]))
        assert third.poll() is None
