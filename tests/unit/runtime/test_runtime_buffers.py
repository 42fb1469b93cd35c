import asyncio

from services.runtime.buffers import Buffers
from services.runtime.ledger import Message, Spot

ONE, TWO = Spot("t", 1), Spot("t", 2)


def message(spot: Spot, offset: int) -> Message:
    return Message(spot, offset, b"k", b"v", None)


async def _fill(buffers: Buffers, spot: Spot, count: int) -> None:
    for offset in range(count):
        await buffers.put(message(spot, offset))


async def _offsets(buffers: Buffers, most: int) -> tuple[int, list[int]]:
    taken = await buffers.take(most)
    return taken[0].spot.partition, [item.offset for item in taken]


async def test_one_partition_at_a_time_in_order_and_none_starves() -> None:
    buffers = Buffers(10)
    await _fill(buffers, ONE, 5)
    await _fill(buffers, TWO, 2)
    assert await _offsets(buffers, 3) == (1, [0, 1, 2])
    assert await _offsets(buffers, 3) == (2, [0, 1])
    assert await _offsets(buffers, 3) == (1, [3, 4])
    assert len(buffers) == 0


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
    await buffers.put(message(TWO, 7))
    assert [item.offset for item in await taking] == [7]


async def test_forgetting_lets_a_waiting_collector_go_on() -> None:
    buffers = Buffers(1)
    await buffers.put(message(ONE, 0))
    await buffers.put(message(TWO, 0))
    waiting = asyncio.create_task(buffers.put(message(ONE, 1)))
    await asyncio.sleep(0)
    buffers.clear(ONE)
    await waiting
    assert await _offsets(buffers, 9) == (2, [0])
    buffers.clear()
    assert len(buffers) == 0
