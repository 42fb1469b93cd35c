"""Worker and relay inside one process, as a command may run them, and what their metrics say."""

import asyncio
from pathlib import Path

import pytest
from runtime_tally import World, facts, running_world, send_events, until

from services.runtime import telemetry, worker
from services.runtime.relay import run_relay
from services.runtime.worker import run_worker

pytestmark = pytest.mark.broker


def _metric(name: str, **labels: str) -> float:
    return telemetry.REGISTRY.get_sample_value(name, {"service": "risk"} | labels) or 0.0


async def test_worker_and_relay_side_by_side(
    database_url: str, kafka_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WATCH_SECONDS", 0.2)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        topic = world.topics.tallies.name
        sent_before = _metric("tandem_events_sent_total")
        await send_events(kafka_address, events := facts(120))
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as running:
            running.create_task(run_worker(world.definition, world.settings(), stop))
            running.create_task(run_relay(world.definition, world.settings(), stop))
            await until(lambda: world.has_totals(events))
            await until(lambda: _all_sent(world, sent_before + 120))
            await until(lambda: _seen_without_lag(topic))
            stop.set()
        assert _metric("tandem_messages_applied_total", topic=topic) == 120
        assert _metric("tandem_lag_seconds", topic=topic) == 0
        assert _metric("tandem_stalled") == 0
        # Batches form: far fewer transactions than messages.
        assert _metric("tandem_batch_seconds_count") < 60


async def _all_sent(world: World, count: float) -> bool:
    return _metric("tandem_events_sent_total") == count and not await world.query("SELECT 1 FROM runtime_outbox")


async def _seen_without_lag(topic: str) -> bool:
    labels = [{"service": "risk", "topic": topic, "partition": str(number)} for number in range(4)]
    return [telemetry.REGISTRY.get_sample_value("tandem_lag_messages", label) for label in labels] == [0.0] * 4
