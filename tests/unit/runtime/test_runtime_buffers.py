import asyncio

from services.runtime.buffers import Buffers
from services.runtime.ledger import Message, Spot

ONE, TWO = Spot("t", 1), Spot("t", 2)


def message(spot: Spot, offset: int) -> Message:
    return Message(spot, offset, b"k", b"v", None)


async def _fill(buffers: Buffers, spot: Spot, count: int) -> None:
    for offset in range(count):
        await buffers.put([message(spot, offset)])


async def _offsets(buffers: Buffers, most: int) -> tuple[int, list[int]]:
    taken = await buffers.take(most)
    return taken[0].spot.partition, [item.offset for item in taken]


class SettableClock:
    """Time as the test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_fullest_partition_goes_first_and_in_order() -> None:
    buffers = Buffers(10, SettableClock())
    await _fill(buffers, TWO, 2)
    await _fill(buffers, ONE, 6)
    assert await _offsets(buffers, 3) == (1, [0, 1, 2])
    assert await _offsets(buffers, 3) == (1, [3, 4, 5])
    assert await _offsets(buffers, 3) == (2, [0, 1])
    assert len(buffers) == 0


async def test_what_has_waited_long_goes_first_and_then_waits_anew() -> None:
    clock = SettableClock()
    buffers = Buffers(10, clock)
    await _fill(buffers, TWO, 4)
    clock.now = 0.2
    await _fill(buffers, ONE, 8)
    clock.now = 0.3
    assert await _offsets(buffers, 3) == (2, [0, 1, 2])
    assert await _offsets(buffers, 3) == (1, [0, 1, 2])


async def test_few_messages_are_waited_for_a_moment_so_that_batches_form() -> None:
    buffers = Buffers(10)
    await buffers.put([message(ONE, 0)])
    taking = asyncio.create_task(buffers.take(2))
    await asyncio.sleep(0)
    assert not taking.done()
    await buffers.put([message(ONE, 1)])
    assert [item.offset for item in await taking] == [0, 1]


async def test_forgotten_while_waited_for_is_not_taken() -> None:
    buffers = Buffers(10)
    await buffers.put([message(ONE, 0)])
    taking = asyncio.create_task(buffers.take(2))
    await asyncio.sleep(0)
    buffers.clear()
    await buffers.put([message(TWO, 5)])
    await buffers.put([message(TWO, 6)])
    assert [item.offset for item in await taking] == [5, 6]


async def test_the_collector_waits_at_the_bound() -> None:
    buffers = Buffers(2)
    filling = asyncio.create_task(_fill(buffers, ONE, 3))
    while len(buffers) < 2:  # noqa: ASYNC110 - the task has no event to wait for
        await asyncio.sleep(0)
    assert not filling.done()
    assert await _offsets(buffers, 1) == (1, [0])
    await filling
    assert await _offsets(buffers, 9) == (1, [1, 2])


async def test_taking_waits_for_something() -> None:
    buffers = Buffers(2)
    taking = asyncio.create_task(buffers.take(5))
    await asyncio.sleep(0)
    assert not taking.done()
    await buffers.put([message(TWO, 7)])
    assert [item.offset for item in await taking] == [7]


async def test_forgetting_lets_a_waiting_collector_go_on() -> None:
    buffers = Buffers(1)
    await buffers.put([message(ONE, 0)])
    await buffers.put([message(TWO, 0)])
    waiting = asyncio.create_task(buffers.put([message(ONE, 1)]))
    await asyncio.sleep(0)
    buffers.clear(ONE)
    await waiting
    assert await _offsets(buffers, 9) == (2, [0])
    buffers.clear()
    assert len(buffers) == 0


async def test_the_collector_waits_while_all_partitions_together_hold_too_many_bytes() -> None:
    buffers = Buffers(10, most_bytes=2)
    await buffers.put([message(ONE, 0), message(ONE, 1)])
    waiting = asyncio.create_task(buffers.put([message(TWO, 0)]))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await _offsets(buffers, 1) == (1, [0])
    await waiting
    assert len(buffers) == 2


async def test_what_was_fetched_together_is_taken_in_batches() -> None:
    buffers = Buffers(2)
    await buffers.put([message(ONE, offset) for offset in range(5)])
    assert [await _offsets(buffers, 2) for _ in range(3)] == [(1, [0, 1]), (1, [2, 3]), (1, [4])]


async def test_forgetting_frees_the_bytes() -> None:
    buffers = Buffers(10, most_bytes=2)
    await buffers.put([message(ONE, 0), message(ONE, 1)])
    buffers.clear(ONE)
    await asyncio.wait_for(buffers.put([message(TWO, 0)]), 1)
    assert len(buffers) == 1


async def test_large_messages_make_small_batches() -> None:
    buffers = Buffers(10)
    await buffers.put([Message(ONE, offset, b"k", bytes(3 * 1024 * 1024), None) for offset in range(3)])
    assert [await _offsets(buffers, 10) for _ in range(2)] == [(1, [0, 1]), (1, [2])]
