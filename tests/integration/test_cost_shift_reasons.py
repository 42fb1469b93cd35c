"""Why figures stay: causes of one revision that cancel out in a figure are kept, because in a sum of figures they do not."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import cost_shift_world as world_of
import pytest
import pytest_asyncio
from cost_shift_world import DecisionFact, Fact, World

from contracts.claims import Adjustment, MedicareClaim
from services.cost_shift.worker import SERVICE

pytestmark = pytest.mark.broker

SOMEBODY, MONTH = world_of.PEOPLE[0], world_of.MONTHS[0]
HERE, THERE = ("OH", "39049", "", "comparison"), ("OH", "39049", "", "excluded")


@pytest_asyncio.fixture
async def connection(database_url: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(database_url)
    await world_of.migrate(opened)
    yield opened
    await opened.close()


def _claim(sequence: int, cents: int, kind: Adjustment) -> Fact:
    day = world_of._day(MONTH)
    claim = MedicareClaim(
        record_id=f"m{sequence}", version=1, claim_type_code="60", adjustment=kind, service_from=day, service_through=day,
        paid_cents=abs(cents),
    )  # fmt: skip
    count = 1 if cents > 0 else -1
    return Fact(sequence, SOMEBODY, "OH", "medicare", f"m{sequence}", 1, "inpatient", MONTH, cents, count, False, claim)


async def _told(connection: Any, withdrawn: int) -> None:
    """A claim of 700; then one delivery moves the month to another cohort and takes so much of the claim back."""
    facts = (_claim(1, 700, Adjustment.ORIGINAL), _claim(2, -withdrawn, Adjustment.CANCELLATION))
    decisions = tuple(DecisionFact(number, SOMEBODY, MONTH, number, place) for number, place in ((1, HERE), (2, THERE)))
    for (topic, partition), events in world_of.log_of(World(facts, decisions)).items():
        await world_of.apply(connection, topic, partition, events)
    for sequence in (1, 2):
        await world_of.publish(connection, sequence)


async def _reasons(connection: Any) -> list[tuple[Any, ...]]:
    rows = await connection.fetch(
        "SELECT cohort, cause, cents, claims FROM restatement WHERE revision = 2 ORDER BY cohort, cause"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("withdrawn", [700, 300])
async def test_both_reasons_are_kept_whether_or_not_the_figure_moved(connection: Any, withdrawn: int) -> None:
    await _told(connection, withdrawn)
    assert await _reasons(connection) == [
        ("comparison", "alignment", -700, -1),
        ("excluded", "alignment", 700, 1),
        ("excluded", "cancellations", -withdrawn, -1),
    ]
    published = await connection.fetch("SELECT cents FROM published_measure WHERE revision = 2 AND cohort = 'excluded'")
    assert [row["cents"] for row in published] == ([] if withdrawn == 700 else [400])


async def test_a_figure_that_stays_waits_for_nobody(connection: Any) -> None:
    """Of what may be shown to others nothing changes: a figure that was nothing and is nothing is no row."""
    await _told(connection, 700)
    rows = await connection.fetch("SELECT cohort, cents, claims, causes FROM waiting_measure")
    assert [tuple(row) for row in rows] == [("comparison", 0, 0, ["alignment", "claims"])]


async def test_what_was_published_before_reasons_were_kept_gets_them(connection: Any) -> None:
    await _told(connection, 700)
    kept = await world_of.tables(connection, "restatement")
    await connection.execute("DELETE FROM restatement WHERE revision = 2 AND cohort = 'excluded'")
    (migration,) = SERVICE.migrations.glob("0012_*.sql")
    await connection.execute(migration.read_text(encoding="utf-8"))
    assert await world_of.tables(connection, "restatement") == kept


@pytest.mark.parametrize("seed", range(2))
async def test_the_migration_adds_nothing_to_what_is_kept(connection: Any, seed: int) -> None:
    await world_of.run_interleaved(connection, world_of.log_of(world_of.make_world(seed)), seed, most_a_batch=20)
    kept = await world_of.tables(connection, "restatement")
    (migration,) = SERVICE.migrations.glob("0012_*.sql")
    await connection.execute("DELETE FROM restatement")
    await connection.execute(migration.read_text(encoding="utf-8"))
    assert await world_of.tables(connection, "restatement") == kept
