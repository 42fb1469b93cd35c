"""What many ask for at once is found once; what fails, or is too much to keep, is found again."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.asked_once import AskedOnce


@dataclass
class Source:
    """Answers when it is told to, and counts how often it was asked for what."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    fault: Exception | None = None

    async def find(self, key: str) -> str:
        self.asked.append(key)
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        return key.upper()


def once(most: int = 8, longest: int = 8) -> AskedOnce[str]:
    return AskedOnce(most, lambda text: len(text) <= longest)


async def test_many_at_once_share_one_look() -> None:
    source, shared = Source(), once()
    waiting = [asyncio.create_task(shared.get("a", lambda: source.find("a"))) for _ in range(50)]
    await asyncio.sleep(0)
    source.open.set()
    assert set(await asyncio.gather(*waiting)) == {"A"}
    assert await shared.get("a", lambda: source.find("a")) == "A"
    assert source.asked == ["a"]


async def test_each_key_has_its_own_answer() -> None:
    source, shared = Source(), once()
    source.open.set()
    assert [await shared.get(key, lambda key=key: source.find(key)) for key in "abab"] == ["A", "B", "A", "B"]
    assert source.asked == ["a", "b"]


async def test_whoever_stops_waiting_stops_nobody_else() -> None:
    source, shared = Source(), once()
    first, second = (asyncio.create_task(shared.get("a", lambda: source.find("a"))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.open.set()
    assert await second == "A"
    assert first.cancelled()
    assert source.asked == ["a"]


async def test_all_who_wait_are_told_of_a_fault_and_it_is_not_kept() -> None:
    source, shared = Source(fault=ConnectionError("away")), once()
    waiting = [asyncio.create_task(shared.get("a", lambda: source.find("a"))) for _ in range(3)]
    await asyncio.sleep(0)
    source.open.set()
    assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [ConnectionError] * 3
    source.fault = None
    assert await shared.get("a", lambda: source.find("a")) == "A"
    assert source.asked == ["a", "a"]


async def test_too_much_is_shared_and_not_kept() -> None:
    source, shared = Source(), once(longest=3)
    waiting = [asyncio.create_task(shared.get("long", lambda: source.find("long"))) for _ in range(3)]
    await asyncio.sleep(0)
    source.open.set()
    assert set(await asyncio.gather(*waiting)) == {"LONG"}
    assert source.asked == ["long"]
    await shared.get("long", lambda: source.find("long"))
    assert source.asked == ["long", "long"]


@given(st.lists(st.sampled_from("abcdef"), max_size=40), st.integers(1, 4))
def test_it_keeps_the_last_asked_for_and_no_more(keys: list[str], most: int) -> None:
    async def run() -> list[str]:
        source, shared = Source(), once(most)
        source.open.set()
        for key in keys:
            assert await shared.get(key, lambda key=key: source.find(key)) == key.upper()
        return source.asked

    kept: list[str] = []
    expected = []
    for key in keys:
        if key in kept:
            kept.remove(key)
        else:
            expected.append(key)
        kept = [*kept, key][-most:]
    assert asyncio.run(run()) == expected


async def test_a_fault_that_nobody_waits_for_is_nobody_s(caplog: pytest.LogCaptureFixture) -> None:
    source, shared = Source(fault=ConnectionError("away")), once()
    only = asyncio.create_task(shared.get("a", lambda: source.find("a")))
    await asyncio.sleep(0)
    only.cancel()
    source.open.set()
    await asyncio.gather(only, return_exceptions=True)
    await asyncio.sleep(0)
    assert not shared._answers
    assert not caplog.records
