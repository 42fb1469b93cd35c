"""From facts through the outbox to cuts, on Apache Kafka and on the embedded broker alike."""

from pathlib import Path

import pytest
from runtime_tally import (
    World,
    completed,
    delivery_id,
    expected,
    facts,
    read_all,
    running_world,
    send_events,
    until,
)

from contracts.delivery import DeliveryKind, DeliveryQuarantined, DeliveryQuarantinedData
from services.runtime.database import connected
from services.runtime.log import reading
from services.runtime.rebuild import compare_schemas, replay_from_start
from services.runtime.status import read_status

pytestmark = pytest.mark.broker


@pytest.fixture(params=["kafka_address", "embedded_broker_address"])
def brokers(request: pytest.FixtureRequest) -> str:
    """Both, with one hand-written expectation."""
    address: str = request.getfixturevalue(request.param)
    return address


def quarantined(sequence: int) -> DeliveryQuarantined:
    return DeliveryQuarantined.of(
        service="intake",
        key=delivery_id(sequence),
        version="quarantined",
        time=facts(1)[0].time,
        delivery_id=delivery_id(sequence),
        sequence=sequence,
        data=DeliveryQuarantinedData(kind=DeliveryKind.CCLF, reason_code="truncated"),
    )


async def _deliver(world: World, sequence: int, count: int) -> list:
    events = facts(count, sequence=sequence)
    await send_events(world.brokers, events)
    await send_events(world.brokers, [completed(sequence, await world.vector())])
    return events


async def _cut_up_to(world: World, sequence: int) -> bool:
    rows = await world.query("SELECT max(sequence) FROM runtime_cut")
    return bool(rows) and rows[0][0] == sequence


async def test_deliveries_are_cut_in_order_and_announced_behind_their_events(
    database_url: str, brokers: str, tmp_path: Path
) -> None:
    async with running_world(database_url, brokers, tmp_path) as world:
        world.start("worker")
        world.start("relay")
        first = await _deliver(world, 1, 100)
        await send_events(brokers, [quarantined(2)])
        third = await _deliver(world, 3, 50)
        await until(lambda: _announced(world, 2), 40)
        assert [event.deliveryseq for event in await world.processed()] == [1, 3]
        revisions = await world.query("SELECT sequence, total FROM tally_revision ORDER BY sequence")
        assert [tuple(row) for row in revisions] == [(1, expected(first)[0]), (3, expected([*first, *third])[0])]
        assert await _cut_up_to(world, 3)
        # What lies before the vector of delivery 1 holds every echo of it; the last vector holds everything.
        ends = [event.data.end_offsets[world.topics.echoes.name] for event in await world.processed()]
        assert sum(ends[1].values()) == len(await read_all(brokers, world.topics.echoes)) == 150
        assert 100 <= sum(ends[0].values()) <= 150


async def _announced(world: World, count: int) -> bool:
    return len(await world.processed()) == count


async def test_a_cut_waits_for_the_positions(database_url: str, kafka_address: str, tmp_path: Path) -> None:
    async with running_world(database_url, kafka_address, tmp_path) as world:
        events = facts(40)
        beyond = {world.topics.tallies.name: {str(number): 1_000 for number in range(4)}}
        await send_events(kafka_address, [*events, completed(1, beyond)])
        world.start("worker")
        relay = world.start("relay")
        await until(lambda: world.has_totals(events))
        await until(lambda: _nothing_queued(world))
        assert not await world.query("SELECT 1 FROM runtime_cut")
        assert relay.poll() is None


async def _nothing_queued(world: World) -> bool:
    return bool(await world.query("SELECT 1 FROM runtime_relayed")) and not await world.query(
        "SELECT 1 FROM runtime_outbox"
    )


async def test_rebuild_equals_the_live_tables_and_status_tells(database_url: str, brokers: str, tmp_path: Path) -> None:
    async with running_world(database_url, brokers, tmp_path) as world:
        world.start("worker")
        relay = world.start("relay")
        await _deliver(world, 1, 120)
        await _deliver(world, 2, 80)
        await until(lambda: _announced(world, 2), 40)
        relay.terminate()
        seen: list[tuple[int, int]] = []
        applied = await replay_from_start(
            world.definition, world.settings(), "tally_rebuilt", progress=lambda *done: seen.append(done)
        )
        # Facts, two completions, and what this service itself announced.
        assert applied == 200 + 4
        assert seen[-1] == (204, 204)
        async with connected(database_url, "tally") as connection, reading([brokers], 10) as reader:
            assert await compare_schemas(connection, "tally", "tally_rebuilt") == []
            await connection.execute("UPDATE tally_rebuilt.tally_fact SET amount = amount + 1 WHERE version = '1-7'")
            await connection.execute("DELETE FROM tally_rebuilt.tally_revision WHERE sequence = 2")
            fact, revision = await compare_schemas(connection, "tally", "tally_rebuilt")
            assert (fact.table, fact.only_in_first, fact.only_in_second) == ("tally_fact", 1, 1)
            assert fact.examples == ("key=k7, version=1-7",)
            assert (revision.table, revision.only_in_first, revision.only_in_second) == ("tally_revision", 1, 0)
            await until(lambda: _caught_up(world, connection, reader))
            status = await read_status(connection, reader, world.definition)
            assert (status.last_cut, status.last_delivery) == (2, 2)
            assert (status.outbox.depth, status.dead_letters, status.lag_seconds) == (0, {}, None)
            assert sum(partition.next_offset for partition in status.partitions) == 204


async def _caught_up(world: World, connection, reader) -> bool:  # noqa: ANN001 - as above
    return (await read_status(connection, reader, world.definition)).lag == 0


async def test_lag_is_told_in_messages_and_in_the_age_of_the_oldest(
    database_url: str, kafka_address: str, tmp_path: Path
) -> None:
    async with running_world(database_url, kafka_address, tmp_path) as world:
        worker = world.start("worker")
        await send_events(kafka_address, events := facts(10))
        await until(lambda: world.has_totals(events))
        worker.terminate()
        worker.wait(20)
        await send_events(kafka_address, facts(30, sequence=2))
        async with connected(database_url, "tally") as connection, reading([kafka_address], 10) as reader:
            status = await read_status(connection, reader, world.definition)
        assert status.lag == 30
        assert status.lag_seconds is not None
        assert 0 <= status.lag_seconds < 60
