"""What many ask for at the same time is found once, and kept while it is asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Found = TypeVar("Found")


class AskedOnce(Generic[Found]):
    """Answers by key: ``most`` of them, those asked for last. Of an answer that failed everybody who waits is told, and none is kept.

    A key must hold everything on which its answer depends, whose rows they are included. ``worth_keeping`` tells which answers are
    kept when nobody waits for them any more; the others are shared by those alone who ask meanwhile.
    """

    def __init__(self, most: int, worth_keeping: Callable[[Found], bool]) -> None:
        self._most = most
        self._worth_keeping = worth_keeping
        self._answers: OrderedDict[Hashable, asyncio.Task[Found]] = OrderedDict()

    async def get(self, key: Hashable, find: Callable[[], Awaitable[Found]]) -> Found:
        """The answer, by ``find`` where nobody asked before. Whoever stops waiting stops nobody else's."""
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = asyncio.create_task(_await(find))
            answer.add_done_callback(lambda done: self._forget(key, done))
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        else:
            self._answers.move_to_end(key)
        return await asyncio.shield(answer)

    def _forget(self, key: Hashable, done: "asyncio.Task[Found]") -> None:
        failed = done.cancelled() or done.exception() is not None
        if (failed or not self._worth_keeping(done.result())) and self._answers.get(key) is done:
            del self._answers[key]


async def _await(find: Callable[[], Awaitable[Found]]) -> Found:
    return await find()
