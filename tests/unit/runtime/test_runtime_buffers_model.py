"""Any order of collecting, taking and forgetting, against lists that have no bounds, no events and no clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.runtime.buffers import Buffers
from services.runtime.ledger import Message, Spot

MEBIBYTE = 1024 * 1024
MOST_MESSAGES, MOST_BYTES, BATCH_BYTES, PATIENCE = 2, 8 * MEBIBYTE, 4 * MEBIBYTE, 0.25
SPOTS = [Spot("t", number) for number in range(3)]
# Named, because whoever tells of a failure writes arguments out.
VALUES = {"none": None, "empty": b"", "small": b"v", "large": bytes(MEBIBYTE), "largest": bytes(3 * MEBIBYTE)}


def size(messages: list[Message]) -> int:
    return sum(len(message.value or b"") for message in messages)


class BuffersAndLists(RuleBasedStateMachine):
    """One collector, which may be waiting, and one who takes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.buffers = Buffers(MOST_MESSAGES, lambda: self.now, MOST_BYTES)
        self.lists: dict[Spot, list[Message]] = {}
        self.since: dict[Spot, float] = {}
        self.waiting: tuple[asyncio.Task[None], list[Message]] | None = None
        self.offset = 0

    def teardown(self) -> None:
        if self.waiting:
            self.waiting[0].cancel()
            self.settle()
        self.loop.close()

    def begun(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self.settle()
        return task

    def settle(self) -> None:
        """Let everybody go on who can, without any time passing."""
        for _ in range(6):
            self.loop.run_until_complete(asyncio.sleep(0))

    def has_room(self, spot: Spot) -> bool:
        held = sum(map(size, self.lists.values()))
        return len(self.lists.get(spot, [])) < MOST_MESSAGES and held < MOST_BYTES

    def collected(self, messages: list[Message]) -> None:
        spot = messages[0].spot
        self.since.setdefault(spot, self.now)
        self.lists.setdefault(spot, []).extend(messages)

    def freed(self) -> None:
        self.settle()
        if self.waiting is not None and self.has_room(self.waiting[1][0].spot):
            task, messages = self.waiting
            assert task.done(), "the collector waits although there is room"
            self.waiting = None
            self.collected(messages)

    @precondition(lambda self: self.waiting is None)
    @rule(spot=st.sampled_from(SPOTS), values=st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3))
    def collect(self, spot: Spot, values: list[str]) -> None:
        messages = [Message(spot, self.offset + at, b"k", VALUES[value], None) for at, value in enumerate(values)]
        self.offset += len(values)
        task = self.begun(self.buffers.put(messages))
        assert task.done() is self.has_room(spot)
        if task.done():
            self.collected(messages)
        else:
            self.waiting = (task, messages)

    def enough_for(self, most: int) -> bool:
        held = [message for messages in self.lists.values() for message in messages]
        return len(held) >= most or size(held) >= BATCH_BYTES

    @precondition(lambda self: self.lists and self.enough_for(1))
    @rule(most=st.integers(1, 8))
    def take(self, most: int) -> None:
        most = most if self.enough_for(most) else sum(map(len, self.lists.values()))
        task = self.begun(self.buffers.take(most))
        assert task.done(), "there is a batch, and it is waited for more"
        self.taken(task.result(), most)
        self.freed()

    def taken(self, batch: list[Message], most: int) -> None:
        spot = batch[0].spot
        held = self.lists[spot]
        assert batch == held[: len(batch)]
        assert len(batch) == most or len(batch) == len(held) or size(batch) >= BATCH_BYTES
        assert len(batch) <= most
        assert size(batch[:-1]) < BATCH_BYTES
        self.is_fair(spot)
        del self.lists[spot], self.since[spot]
        if held[len(batch) :]:
            self.lists[spot], self.since[spot] = held[len(batch) :], self.now

    def is_fair(self, chosen: Spot) -> None:
        oldest = min(self.since.values())
        if self.now - oldest > PATIENCE:
            assert self.since[chosen] == oldest
        else:
            assert len(self.lists[chosen]) == max(map(len, self.lists.values()))

    @rule(spot=st.sampled_from([None, *SPOTS]))
    def forget(self, spot: Spot | None) -> None:
        self.buffers.clear(spot)
        for forgotten in [spot] if spot else list(self.lists):
            self.lists.pop(forgotten, None)
            self.since.pop(forgotten, None)
        self.freed()

    @rule(seconds=st.sampled_from([0.1, 0.2, 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def counts_what_it_holds(self) -> None:
        assert len(self.buffers) == sum(map(len, self.lists.values()))

    @invariant()
    def waits_only_where_there_is_no_room(self) -> None:
        assert self.waiting is None or not self.has_room(self.waiting[1][0].spot)


TestBuffersAndLists = BuffersAndLists.TestCase
TestBuffersAndLists.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("values", [[bytes(BATCH_BYTES)], [bytes(MEBIBYTE)] * 4])
async def test_a_batch_by_bytes_is_not_waited_for_until_it_is_one_by_number(values: list[bytes]) -> None:
    buffers = Buffers(500)
    await buffers.put([Message(SPOTS[0], offset, b"k", value, None) for offset, value in enumerate(values)])
    with pytest.raises(StopIteration) as given:
        buffers.take(500).send(None)
    assert len(given.value.value) == len(values)


async def test_bytes_that_come_while_a_batch_is_waited_for_end_the_wait() -> None:
    buffers = Buffers(500)
    await buffers.put([Message(SPOTS[0], 0, b"k", b"v", None)])
    taking = asyncio.create_task(buffers.take(500))
    await asyncio.sleep(0)
    await buffers.put([Message(SPOTS[0], 1, b"k", bytes(BATCH_BYTES), None)])
    for _ in range(4):
        await asyncio.sleep(0)
    assert taking.done()
    assert [message.offset for message in taking.result()] == [0, 1]
