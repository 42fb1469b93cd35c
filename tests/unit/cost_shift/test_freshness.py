"""Which revision is the latest: one look for all who ask, and one watch for all who wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.cost_shift import freshness
from services.cost_shift.freshness import LatestRevision


class Database:
    """Says the latest revision, and counts how often it was asked."""

    def __init__(self) -> None:
        self.revision, self.looks, self.fault = 1, 0, False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Database"]:
        yield self

    async def fetchval(self, _: str) -> int:
        self.looks += 1
        if self.fault:
            raise ConnectionError("away")
        return self.revision


class Time:
    """Passes when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await _one_turn(0)


_one_turn = asyncio.sleep


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    passing = Time()
    monkeypatch.setattr(freshness, "monotonic", passing)
    monkeypatch.setattr(freshness.asyncio, "sleep", passing.sleep)
    return passing


def latest_of(database: Database) -> LatestRevision:
    pool: Any = database
    return LatestRevision(pool)


async def test_many_who_wait_share_a_watch(time: Time) -> None:
    database = Database()
    latest = latest_of(database)
    waiting = [asyncio.create_task(latest.after(1, 30)) for _ in range(200)]
    for _ in range(20):
        await _one_turn(0)
    database.revision = 2
    assert all(await asyncio.gather(*waiting))
    assert time.now < 30
    # One look in each twentieth of a second, and one when they came.
    assert database.looks <= time.now / 0.05 + 2


async def test_whoever_is_behind_waits_for_nothing(time: Time) -> None:
    database = Database()
    assert await latest_of(database).after(0, 30)
    assert (database.looks, time.now) == (1, 0)


@pytest.mark.usefixtures("time")
async def test_a_fault_while_waiting_is_told_to_all() -> None:
    database = Database()
    latest = latest_of(database)
    waiting = [asyncio.create_task(latest.after(1, 30)) for _ in range(3)]
    await _one_turn(0)
    database.fault = True
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in found] == [ConnectionError] * 3
    database.fault, database.revision = False, 2
    assert await latest.after(1, 30)


async def test_whoever_asks_often_looks_seldom(time: Time) -> None:
    database = Database()
    latest = latest_of(database)
    for _ in range(100):
        assert await latest.known() == 1
        time.now += 0.01
    assert database.looks == 4


async def test_whoever_waits_in_vain_waits_as_long_as_told(time: Time) -> None:
    database = Database()
    assert not await latest_of(database).after(1, 3)
    assert 3 <= time.now < 3.2
    looks = database.looks
    await _one_turn(0)
    assert database.looks <= looks + 1  # nobody looks for nobody


@pytest.mark.usefixtures("time")
async def test_nobody_looks_for_whoever_is_gone() -> None:
    database = Database()
    gone = asyncio.create_task(latest_of(database).after(1, 30))
    for _ in range(5):
        await _one_turn(0)
    gone.cancel()
    for _ in range(200):
        await _one_turn(0)
    assert database.looks <= 22  # what was begun: a second
