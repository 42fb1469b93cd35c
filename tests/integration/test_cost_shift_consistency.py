"""Whatever the interleaving, batches and cuts: the same tables, equal to a recomputation from scratch."""

import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import cost_shift_world as world_of
import pytest
import pytest_asyncio

from contracts.cost_shift import MeasureRestated
from services.cost_shift import releasing, store
from services.cost_shift.disclosure_policy import DisclosurePolicy

pytestmark = pytest.mark.broker


@pytest_asyncio.fixture
async def connection(database_url: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(database_url)
    await world_of.migrate(opened)
    yield opened
    await opened.close()


@pytest.mark.parametrize("seed", range(6))
async def test_every_cut_equals_recomputation(connection: Any, seed: int) -> None:
    world = world_of.make_world(seed)
    await world_of.run_interleaved(connection, world_of.log_of(world), seed, most_a_batch=1 + seed * 3)
    for sequence in range(1, world_of.DELIVERIES + 1):
        assert await world_of.published_at(connection, sequence) == world_of.measures_at(world, sequence)
        counted = await world_of.published_person_months_at(connection, sequence)
        assert counted == world_of.person_months_at(world, sequence)


@pytest.mark.parametrize("seed", range(3))
async def test_interleavings_leave_the_same_rows(connection: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A dozen people: with the threshold in force nothing would be shown of them.
    monkeypatch.setattr(releasing, "disclosure_policy", lambda: DisclosurePolicy(2, 0))
    log = world_of.log_of(world_of.make_world(100 + seed))
    first_events = await world_of.run_interleaved(connection, log, 1, most_a_batch=1)
    first = await world_of.tables(connection, *world_of.TABLES, "arrival")
    for other in (2, 3):
        await world_of.migrate(connection)
        events = await world_of.run_interleaved(connection, log, other, most_a_batch=20)
        assert await world_of.tables(connection, *world_of.TABLES, "arrival") == first
        assert events == first_events
    assert all(first.values())


@pytest.mark.parametrize("seed", range(3))
async def test_shuffled_and_repeated_messages_leave_the_same_rows(connection: Any, seed: int) -> None:
    log = world_of.log_of(world_of.make_world(200 + seed))
    await world_of.run_interleaved(connection, log, 1, most_a_batch=20)
    in_order = await world_of.tables(connection)
    await world_of.migrate(connection)
    chance = random.Random(seed)
    for (topic, partition), events in log.items():
        shuffled = chance.sample(events * 2, len(events) * 2)
        for first in range(0, len(shuffled), 5):
            await world_of.apply(connection, topic, partition, shuffled[first : first + 5])
    for sequence in range(1, world_of.DELIVERIES + 1):
        await world_of.publish(connection, sequence)
    assert await world_of.tables(connection) == in_order


Part = tuple[str, ...]  # a cell, and whether of its crossover part


def _amounts(world: Any, revision: int) -> dict[tuple[Part, str], tuple[int, int]]:
    """What each person adds to each part of each figure, from nothing but the facts."""
    alone = {
        person: world_of.World(
            tuple(fact for fact in world.facts if fact.person == person),
            tuple(fact for fact in world.decisions if fact.person == person),
        )
        for person in world_of.PEOPLE
    }
    found = {}
    for person, facts in alone.items():
        for key, (cents, claims, crossed_cents, crossed) in world_of.measures_at(facts, revision).items():
            found[(*key, "crossover"), person] = (crossed_cents, crossed)
            found[(*key, "rest"), person] = (cents - crossed_cents, claims - crossed)
    return {key: amounts for key, amounts in found.items() if any(amounts)}


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_changed_a_figure_that_waits_is_known(
    connection: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than there are: nothing is shown, and everybody is kept.
    monkeypatch.setattr(releasing, "disclosure_policy", lambda: DisclosurePolicy(len(world_of.PEOPLE) + 1, 0))
    world = world_of.make_world(300 + seed)
    await world_of.run_interleaved(connection, world_of.log_of(world), seed, most_a_batch=10)
    expected: set[tuple[Part, str]] = set()
    for revision in range(1, world_of.DELIVERIES + 1):
        before, now = _amounts(world, revision - 1), _amounts(world, revision)
        expected |= {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
    rows = await connection.fetch(
        "SELECT state, entity, cohort, payer, category, month, CASE WHEN crossover THEN 'crossover' ELSE 'rest' END, person_id "
        "FROM waiting_claimant"
    )
    assert {(tuple(row)[:7], row["person_id"]) for row in rows} == {
        (part, person) for part, person in expected if part[2] != "unassigned"
    }
    assert len(rows) > 100


async def test_no_more_people_are_kept_than_it_takes(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "disclosure_policy", lambda: DisclosurePolicy(5, 0))
    await world_of.run_interleaved(connection, world_of.log_of(world_of.make_world(3)), 3, most_a_batch=20)
    counts = await connection.fetch(
        """SELECT count(*) AS people, count(DISTINCT waiting_measure.cents) AS waiting FROM waiting_claimant
        LEFT JOIN waiting_measure USING (state, payer, month, entity, cohort, category)
        GROUP BY state, payer, month, entity, cohort, category, crossover"""
    )
    # With each of five revisions up to five who were not kept yet; of what is shown nobody is kept.
    assert counts
    assert all(row["people"] <= 25 and row["waiting"] == 1 for row in counts)


async def test_restatements_add_up_from_one_revision_to_the_next(connection: Any) -> None:
    log = world_of.log_of(world_of.make_world(7))
    await world_of.run_interleaved(connection, log, 7, most_a_batch=10)
    unequal = await connection.fetchval(
        """SELECT count(*) FROM (
            SELECT measure.cents - coalesce(measure.previous_cents, 0) - sum(reason.cents) AS cents,
                measure.claims - coalesce(before.claims, 0) - sum(reason.claims) AS claims,
                measure.crossover_cents - coalesce(before.crossover_cents, 0) - sum(reason.crossover_cents) AS crossed
            FROM published_measure AS measure
            JOIN restatement AS reason USING (state, entity, cohort, payer, category, month, revision)
            LEFT JOIN published_measure AS before
                ON (before.state, before.entity, before.cohort, before.payer, before.category, before.month,
                    before.revision) = (measure.state, measure.entity, measure.cohort, measure.payer,
                    measure.category, measure.month, measure.previous_revision)
            GROUP BY measure.state, measure.entity, measure.cohort, measure.payer, measure.category, measure.month,
                measure.revision, before.claims, before.crossover_cents
        ) AS difference WHERE cents <> 0 OR claims <> 0 OR crossed <> 0"""
    )
    assert unequal == 0
    causes = {row["cause"] for row in await connection.fetch("SELECT DISTINCT cause FROM restatement")}
    assert causes == {"claims", "cancellations", "alignment"}


async def test_events_say_what_the_tables_say(connection: Any) -> None:
    log = world_of.log_of(world_of.make_world(8))
    events = await world_of.run_interleaved(connection, log, 8, most_a_batch=10)
    rows = await connection.fetch("SELECT * FROM published_measure")
    assert len(events) == len(rows) == len({event.id for event in events})
    by_key = {
        (row["revision"], row["payer"], row["category"], row["month"], row["cohort"], row["entity"]): row
        for row in rows
    }
    for event in events:
        assert isinstance(event, MeasureRestated)
        data, key = event.data, event.data.key
        row = by_key[(data.revision, key.payer, key.category, key.month, key.cohort, key.entity_id or "")]
        assert (data.cents, data.claims, data.previous_cents) == (row["cents"], row["claims"], row["previous_cents"])
        assert data.causes
        assert event.subject == key.text()


async def test_what_arrives_after_its_cut_is_published_with_the_next(connection: Any) -> None:
    world = world_of.make_world(9)
    log = world_of.log_of(world)
    late = {place: events[-9:] for place, events in log.items()}
    for (topic, partition), events in log.items():
        await world_of.apply(connection, topic, partition, events[:-9])
    for sequence in range(1, world_of.DELIVERIES + 1):
        await world_of.publish(connection, sequence)
    before = await world_of.published_at(connection, world_of.DELIVERIES)
    counted = await world_of.published_person_months_at(connection, world_of.DELIVERIES)
    for (topic, partition), events in late.items():
        await world_of.apply(connection, topic, partition, events)
    await world_of.publish(connection, world_of.DELIVERIES + 1)
    assert await world_of.published_at(connection, world_of.DELIVERIES) == before
    assert await world_of.published_person_months_at(connection, world_of.DELIVERIES) == counted
    complete = world_of.measures_at(world, world_of.DELIVERIES)
    assert before != complete
    assert await world_of.published_at(connection, world_of.DELIVERIES + 1) == complete
    counted_late = await world_of.published_person_months_at(connection, world_of.DELIVERIES + 1)
    assert counted_late == world_of.person_months_at(world, world_of.DELIVERIES) != counted


async def test_a_cut_twice_publishes_nothing_new(connection: Any) -> None:
    log = world_of.log_of(world_of.make_world(10))
    await world_of.run_interleaved(connection, log, 10, most_a_batch=10)
    before = await world_of.tables(connection)
    assert await world_of.publish(connection, world_of.DELIVERIES) == []
    assert await world_of.tables(connection) == before


async def test_arrivals_are_counted(connection: Any) -> None:
    log = world_of.log_of(world_of.make_world(11))
    (topic, partition), events = next(iter(log.items()))
    await world_of.apply(connection, topic, partition, events)
    await world_of.apply(connection, topic, partition, events)
    received, repeated = await connection.fetchrow("SELECT sum(received), sum(repeated) FROM arrival")
    assert received == 2 * sum(len(event.data.claims) for event in events)
    assert repeated >= received / 2


async def test_round_trips_do_not_grow_with_the_batch(connection: Any) -> None:
    log = world_of.log_of(world_of.make_world(12))
    counts = []
    for size in (1, 1000):
        statements: list[str] = []

        def note(record: Any, statements: list[str] = statements) -> None:
            statements.append(record.query)

        await world_of.migrate(connection)
        with connection.query_logger(note):
            for (topic, partition), events in log.items():
                await world_of.apply(connection, topic, partition, events[:size])
        counts.append(len([text for text in statements if not text.startswith("DELETE")]))
    assert counts[1] <= counts[0] + 2


@pytest.mark.parametrize("name", ["_CLAIM_HISTORIES", "_ASSIGNMENTS", "_PERSON_MONTH_COSTS"])
async def test_reads_look_up_each_key_instead_of_joining_tables(connection: Any, name: str) -> None:
    log = world_of.log_of(world_of.make_world(13))
    await world_of.run_interleaved(connection, log, 13, most_a_batch=20)
    # The cheapest plan for tables as small as these: without the fence it would be taken.
    await connection.execute("ANALYZE")
    await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE read AS {getattr(store, name)}")
    keys = "'{a}', '{b}'" if name != "_CLAIM_HISTORIES" else "'medicare', '{a}', '{b}'"
    rows = await connection.fetch(f"EXPLAIN EXECUTE read({keys})")
    plan = "\n".join(row[0] for row in rows)
    assert "Nested Loop" in plan
    assert "Hash" not in plan
    assert "Merge" not in plan
