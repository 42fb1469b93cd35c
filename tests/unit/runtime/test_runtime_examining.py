"""Batches are decoded ahead of their turn without keeping the loop to themselves; the collector is left alone."""

import asyncio
import gc
from datetime import UTC, datetime

from infra.bench.workload import event
from services.runtime.applying import examine_all
from services.runtime.collecting import spare_collector
from services.runtime.ledger import Message, Spot

CLAIMS = Spot("tandem.claims-medicare.v1", 0)


def _messages(count: int) -> list[Message]:
    made = event(7)
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return [Message(CLAIMS, offset, made.subject.encode(), made.encode(), time) for offset in range(count)]


async def test_every_message_is_examined_in_order() -> None:
    broken = Message(CLAIMS, 20, b"k", b"{", None)
    examined = await examine_all([*_messages(20), broken])
    assert [candidate.message.offset for candidate in examined] == list(range(21))
    assert [candidate.refusal is None for candidate in examined] == [True] * 20 + [False]
    assert examined[20].event is None
    assert await examine_all([]) == []


async def test_others_get_their_turn_in_between() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await examine_all(_messages(40))
    counting.cancel()
    assert turns >= 4


def test_what_start_up_made_is_no_work_for_the_garbage_collector() -> None:
    before = gc.get_threshold()
    try:
        spare_collector()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
