"""People who turn out to be one, or two: their costs and months count with whoever they are, and no total changes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import cost_shift_world as world_of
import pytest
import pytest_asyncio
from cost_shift_world import Log, World

from contracts.identities import PeopleMerged, PeopleMergedData, PeopleSplit, PeopleSplitData
from contracts.topics import IDENTITIES, AnyEvent

pytestmark = pytest.mark.broker

KEPT, RETIRED = world_of.PEOPLE[5], world_of.PEOPLE[8]
MERGED_AT, SPLIT_AT = 3, 5
TABLES = (*world_of.TABLES, "arrival", "person_move", "gone")
# Every other seed stays together to the end.
SEEDS = range(8)


def splits(seed: int) -> bool:
    return seed % 2 == 0


def is_one(seed: int, sequence: int) -> bool:
    return sequence >= MERGED_AT and not (splits(seed) and sequence >= SPLIT_AT)


def true_world(seed: int) -> World:
    """What is said; nobody decides about whoever is known to be somebody else."""
    made = world_of.make_world(300 + seed)
    decisions = tuple(fact for fact in made.decisions if fact.person != RETIRED or not is_one(seed, fact.sequence))
    return World(made.facts, decisions)


def as_known(world: World, seed: int, sequence: int) -> World:
    """The world as somebody sees it who knows at a delivery who is who."""
    if not is_one(seed, sequence):
        return world
    facts = tuple(replace(fact, person=KEPT) if fact.person == RETIRED else fact for fact in world.facts)
    return World(facts, tuple(fact for fact in world.decisions if fact.person != RETIRED))


def _told(world: World, seed: int) -> Log:
    """The log: intake tells of the retired under whom they are known to be, by their own name."""
    log = world_of.log_of(world)
    if not splits(seed):
        assert all(fact.sequence < MERGED_AT for fact in world.decisions if fact.person == RETIRED)
    told: Log = {}
    for sequence in range(1, world_of.DELIVERIES + 1):
        for (topic, _), events in log.items():
            for event in (event for event in events if event.deliveryseq == sequence):
                known = _as_if_kept(event) if event.subject == RETIRED and is_one(seed, sequence) else event
                told.setdefault((topic, world_of.partition_of(known.subject)), []).append(known)
        moves = {MERGED_AT: [_merge()], SPLIT_AT: [_split()] if splits(seed) else []}.get(sequence, [])
        for event in moves:
            told.setdefault((IDENTITIES.name, world_of.partition_of(event.subject)), []).append(event)
    return told


def _as_if_kept(event: AnyEvent) -> AnyEvent:
    data = event.data.model_copy(update={"person_id": KEPT})
    return event.model_copy(update={"data": data, "subject": KEPT, "alias": event.subject})


def _about(sequence: int) -> dict[str, Any]:
    return {
        "service": "intake", "key": KEPT, "version": str(sequence), "time": world_of.TIME,
        "delivery_id": world_of.delivery_id(sequence), "sequence": sequence,
    }  # fmt: skip


def _merge() -> AnyEvent:
    return PeopleMerged.of(**_about(MERGED_AT), data=PeopleMergedData(retired=RETIRED, kept=KEPT))


def _split() -> AnyEvent:
    data = PeopleSplitData(person_id=KEPT, separated=RETIRED, aliases=(RETIRED,))
    return PeopleSplit.of(**_about(SPLIT_AT), data=data)


@pytest_asyncio.fixture
async def connection(database_url: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(database_url)
    await world_of.migrate(opened)
    yield opened
    await opened.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_cut_equals_recomputation_by_whoever_knows_who_is_who(connection: Any, seed: int) -> None:
    world = true_world(seed)
    await world_of.run_interleaved(connection, _told(world, seed), seed, most_a_batch=1 + seed * 3)
    for sequence in range(1, world_of.DELIVERIES + 1):
        known = as_known(world, seed, sequence)
        assert await world_of.published_at(connection, sequence) == world_of.measures_at(known, sequence)
        counted = await world_of.published_person_months_at(connection, sequence)
        assert counted == world_of.person_months_at(known, sequence)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_total_changes_because_people_are_one(connection: Any, seed: int) -> None:
    world = true_world(seed)
    await world_of.run_interleaved(connection, _told(world, seed), seed, most_a_batch=20)
    for sequence in range(1, world_of.DELIVERIES + 1):
        found = await world_of.published_at(connection, sequence)
        apart = world_of.measures_at(world, sequence)
        assert _totals(found) == _totals(apart)
    moved = await connection.fetchval(
        "SELECT count(*) FROM restatement WHERE cause = 'alignment' AND revision = $1 AND cents <> 0", MERGED_AT
    )
    assert moved > 0


def _totals(figures: dict[tuple[str, ...], world_of.Figure]) -> dict[tuple[str, str, str], int]:
    totals: dict[tuple[str, str, str], int] = {}
    for (_, _, _, payer, category, month), (cents, *_) in figures.items():
        totals[payer, category, month] = totals.get((payer, category, month), 0) + cents
    return {key: cents for key, cents in totals.items() if cents}


@pytest.mark.parametrize("seed", range(4))
async def test_interleavings_leave_the_same_rows(connection: Any, seed: int) -> None:
    log = _told(true_world(seed), seed)
    first_events = await world_of.run_interleaved(connection, log, 1, most_a_batch=1)
    first = await world_of.tables(connection, *TABLES)
    for other in (2, 3):
        await world_of.migrate(connection)
        events = await world_of.run_interleaved(connection, log, other, most_a_batch=20)
        assert await world_of.tables(connection, *TABLES) == first
        assert events == first_events
    # So few people that next to nothing is told to others.
    assert all(rows for table, rows in first.items() if not table.startswith("released_"))


async def test_everything_ahead_of_the_first_cut_leaves_the_same_rows(connection: Any) -> None:
    log = _told(true_world(2), 2)
    await world_of.run_interleaved(connection, log, 1, most_a_batch=5)
    in_order = await world_of.tables(connection, *TABLES)
    await world_of.migrate(connection)
    for (topic, partition), events in log.items():
        await world_of.apply(connection, topic, partition, events)
    for sequence in range(1, world_of.DELIVERIES + 1):
        await world_of.publish(connection, sequence)
    assert await world_of.tables(connection, *TABLES) == in_order


async def test_a_claim_that_both_were_said_to_have_counts_once(connection: Any) -> None:
    made = world_of.make_world(1)
    fact = next(fact for fact in made.facts if fact.payer == "medicare" and fact.cents > 0)
    twice = tuple(replace(fact, sequence=1, person=person) for person in (KEPT, RETIRED))
    world = World(twice, ())
    await world_of.run_interleaved(connection, _told(world, 1), 1, most_a_batch=5)
    found = [sum(row[0] for row in (await world_of.published_at(connection, at)).values()) for at in (2, 3)]
    assert found == [2 * fact.cents, fact.cents]


async def test_a_claim_that_comes_behind_the_merge_is_counted_with_the_next_cut(connection: Any) -> None:
    world = true_world(1)
    log = _told(world, 1)
    late: list[tuple[str, int, AnyEvent]] = []
    for (topic, partition), events in log.items():
        for event in [event for event in events if event.subject == RETIRED and topic != IDENTITIES.name]:
            if "claims" in topic:
                events.remove(event)
                late.append((topic, partition, event))
    await world_of.run_interleaved(connection, log, 1, most_a_batch=10)
    for topic, partition, event in late:
        await world_of.apply(connection, topic, partition, [event])
    await world_of.publish(connection, world_of.DELIVERIES + 1)
    complete = world_of.measures_at(as_known(world, 1, world_of.DELIVERIES), world_of.DELIVERIES)
    assert await world_of.published_at(connection, world_of.DELIVERIES + 1) == complete
    assert late


async def test_the_same_moves_again_change_nothing(connection: Any) -> None:
    log = _told(true_world(4), 4)
    await world_of.run_interleaved(connection, log, 4, most_a_batch=10)
    before = await world_of.tables(connection, *world_of.TABLES, "person_move", "gone")
    for (topic, partition), events in log.items():
        if topic == IDENTITIES.name:
            await world_of.apply(connection, topic, partition, events)
    assert await world_of.publish(connection, world_of.DELIVERIES) == []
    assert await world_of.tables(connection, *world_of.TABLES, "person_move", "gone") == before


def test_the_world_has_something_to_move() -> None:
    for seed in SEEDS:
        world = true_world(seed)
        mine = [fact for fact in world.facts if fact.person == RETIRED and fact.sequence < MERGED_AT]
        assert mine
        assert any(one.person == KEPT for one in world.decisions)
