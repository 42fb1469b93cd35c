"""Whatever stands on a log: it ends as a dead letter with a reason, and the rest goes on."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import runtime_tally
from aiokafka import AIOKafkaProducer
from runtime_tally import World, ended, expected, facts, running_world, send, send_events, stated, until

from services.runtime.database import Connection, connected
from services.runtime.dead_letters import Seal, drop, list_dead_letters
from services.runtime.exits import ExitCode
from services.runtime.log import reading
from services.runtime.outbox import outgoing
from services.runtime.replaying import ReplayRefused, replay
from services.runtime.status import read_status

pytestmark = [pytest.mark.broker, pytest.mark.faults]

GOOD = stated("k1", "good", 5).encode()
POISON = {
    "not_utf8": GOOD.replace(b"good", b"\xff\xfe"),
    "not_json": GOOD[:-20],
    "too_deep": b'{"a":' * 300 + b"1" + b"}" * 300,
    "too_large": b'{"pad":"' + b"x" * 1_200_000 + b'"}',
    "not_a_number": GOOD.replace(b'"amount":5', b'"amount":NaN'),
    "duplicate_key": GOOD.replace(b'"amount":5', b'"amount":5,"amount":6'),
    "invalid": GOOD.replace(b'"amount":5', b'"amount":"five"'),
    "unknown_type": GOOD.replace(b"tandem.tally.stated.v1", b"tandem.tally.stated.v9"),
    "empty": None,
    "null_key": GOOD,
    "wrong_key": stated("k2", "good", 5).encode(),
}
ABSURD = {
    "year": GOOD.replace(b"2026-01-01T00:00:00Z", b"+99999-01-01T00:00:00Z"),
    "month": GOOD.replace(b"2026-01-01", b"2026-13-41"),
    "amount": GOOD.replace(b'"amount":5', b'"amount":1e400'),
    "huge": GOOD.replace(b'"amount":5', b'"amount":' + b"9" * 5000),
}


def _poison(topic: str) -> Iterator[tuple[str, int, bytes | None, bytes | None]]:
    for reason, value in POISON.items():
        yield topic, 0, None if reason == "null_key" else b"k1", value
    for value in ABSURD.values():
        yield topic, 0, b"k1", value


async def test_every_kind_of_poison(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    before, after = facts(50), facts(50, sequence=2)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, before)
        await send(kafka_address, _poison(world.topics.tallies.name))
        await send_events(kafka_address, after)
        world.start("worker")
        await until(lambda: world.has_totals([*before, *after]))
        await until(lambda: _parked(world, len(POISON) + len(ABSURD)))
        rows = await world.query("SELECT reason, payload, detail FROM runtime_dead_letter ORDER BY message_offset")
        assert [row["reason"] for row in rows] == [*POISON, *["invalid"] * len(ABSURD)]
        assert not any(b"tally" in row["payload"] for row in rows)


async def _parked(world: World, count: int) -> bool:
    return len(await world.query("SELECT 1 FROM runtime_dead_letter")) == count


async def test_amount_too_large_for_the_database_is_the_handlers_fault(
    database_url: str, kafka_address: str, tmp_path: Path
) -> None:
    events = facts(30)
    huge = stated("k1", "huge", 2**70)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, [*events[:15], huge, *events[15:]])
        world.start("worker")
        await until(lambda: world.has_totals(events))
        await until(lambda: _parked(world, 1))
        rows = await world.query("SELECT reason, detail, event_type, delivery_id FROM runtime_dead_letter")
        assert (rows[0]["reason"], rows[0]["event_type"]) == ("handler_error", huge.type)
        assert str(2**70) not in rows[0]["detail"]


async def test_duplicated_and_shuffled_messages(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    events = facts(300)
    shuffled = events * 3
    random.Random(7).shuffle(shuffled)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, shuffled)
        world.start("worker")
        await until(lambda: world.has_totals(events))
        await until(lambda: _read_up(world, len(shuffled)))
        assert await world.totals() == expected(events)


async def _read_up(world: World, count: int) -> bool:
    rows = await world.query(
        "SELECT sum(next_offset) FROM runtime_position WHERE topic = $1", world.topics.tallies.name
    )
    return bool(rows) and rows[0][0] == count


async def test_holes_of_transactions_are_no_loss(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    """A transaction leaves a marker on the log that no consumer is given."""
    events = facts(60)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        producer = AIOKafkaProducer(bootstrap_servers=kafka_address, transactional_id=world.topics.prefix)
        await producer.start()
        for start in range(0, len(events), 10):
            async with producer.transaction():
                for item in map(outgoing, events[start : start + 10]):
                    await producer.send(item.topic, item.payload, key=item.key, partition=item.partition)
        await producer.stop()
        world.start("worker")
        await until(lambda: world.has_totals(events))
        # The last markers are never given out either: they are no lag.
        async with connected(database_url, "tally") as connection, reading([kafka_address], 10) as reader:
            assert (await read_status(connection, reader, world.definition)).lag == 0


async def test_failing_message_is_parked_replayed_and_dropped(
    database_url: str, kafka_address: str, tmp_path: Path
) -> None:
    events = facts(40)
    bad, worse = stated("k1", "bad", 13), stated("k2", "worse", 13)
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, [*events[:20], bad, *events[20:], worse])
        world.start("worker")
        await until(lambda: world.has_totals(events))
        await until(lambda: _parked(world, 2))
        seal = Seal(world.settings().payload_key_bytes())
        async with connected(database_url, "tally") as connection:
            first, second = await list_dead_letters(connection)
            assert first.reason == second.reason == "handler_error"
            assert first.detail.startswith("BadAmountError at tests/integration/runtime_tally.py:")
            with pytest.raises(ReplayRefused, match="BadAmountError"):
                await replay(connection, world.definition, "tally", first.id, seal, actor="somebody")
            await _put_right(connection, world, first.id, seal)
            await drop(connection, second.id, actor="somebody")
            assert await list_dead_letters(connection) == []
            with pytest.raises(LookupError):
                await drop(connection, second.id, actor="somebody")
        actions = await world.query("SELECT action, outcome FROM runtime_dead_letter_action ORDER BY id")
        assert [row["action"] for row in actions] == ["replay", "replay", "drop"]
        assert actions[1]["outcome"] == "replayed"
        assert (await world.totals())[1] == len(events) + 1


async def _put_right(connection: Connection, world: World, dead_letter_id: int, seal: Seal) -> None:
    kept, runtime_tally.UNLUCKY = runtime_tally.UNLUCKY, 0
    try:
        await replay(connection, world.definition, "tally", dead_letter_id, seal, actor="somebody")
    finally:
        runtime_tally.UNLUCKY = kept


async def test_too_many_failures_in_a_row_stop_the_worker(
    database_url: str, kafka_address: str, tmp_path: Path
) -> None:
    events = facts(10, keys=1)
    bad = [stated("k0", f"bad-{number}", 13) for number in range(10)]
    async with running_world(database_url, kafka_address, tmp_path) as world:
        await send_events(kafka_address, [*events, *bad])
        assert await ended(world.start("worker", "--parked-run-limit", "4")) == ExitCode.TOO_MANY_PARKED
        assert await _read_up(world, len(events) + 4)
        # Starting again does not try its luck with the next four.
        assert await ended(world.start("worker", "--parked-run-limit", "4")) == ExitCode.TOO_MANY_PARKED
        assert await _read_up(world, len(events) + 4)
        assert await world.has_totals(events)
