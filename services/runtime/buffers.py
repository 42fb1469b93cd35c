"""Between the collector and the transactions: a bounded buffer for each topic-partition."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from services.runtime.ledger import Message, Spot

# A transaction costs the same for one message as for a hundred: worth this little wait while few are there.
_LINGER_SECONDS: Final = 0.05
# The fullest partition goes first, unless another has waited for so long.
_PATIENCE_SECONDS: Final = 0.25


@dataclass(slots=True)
class _Queue:
    since: float
    messages: deque[Message] = field(default_factory=deque)


class Buffers:
    """Collecting goes on while a transaction runs, up to a bound; then the collector waits.

    Made so that batches are large under load, and no partition starves.
    """

    def __init__(self, most_per_partition: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = most_per_partition
        self._clock = clock
        self._waiting: dict[Spot, _Queue] = {}
        self._count = 0
        self._wanted = 1
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()

    async def put(self, message: Message) -> None:
        """Add a message; waits while its partition's buffer is full."""
        queue = self._waiting.get(message.spot)
        while queue is not None and len(queue.messages) >= self._most:
            self._drained.clear()
            await self._drained.wait()
            queue = self._waiting.get(message.spot)
        if queue is None:
            queue = self._waiting[message.spot] = _Queue(self._clock())
        queue.messages.append(message)
        self._count += 1
        if self._count >= self._wanted:
            self._filled.set()

    async def take(self, most: int) -> list[Message]:
        """Up to so many messages of one partition, in order; waits while there are none."""
        while not self._waiting:
            await self._until(1)
        if self._count < most:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_SECONDS):
                    await self._until(most)
            if not self._waiting:  # forgotten meanwhile
                return await self.take(most)
        return self._pop(self._next(), most)

    async def _until(self, count: int) -> None:
        self._wanted = count
        self._filled.clear()
        await self._filled.wait()

    def _next(self) -> Spot:
        oldest = min(self._waiting, key=lambda spot: self._waiting[spot].since)
        if self._clock() - self._waiting[oldest].since > _PATIENCE_SECONDS:
            return oldest
        return max(self._waiting, key=lambda spot: len(self._waiting[spot].messages))

    def _pop(self, spot: Spot, most: int) -> list[Message]:
        queue = self._waiting.pop(spot)
        messages = queue.messages
        taken = [messages.popleft() for _ in range(min(most, len(messages)))]
        if messages:
            self._waiting[spot] = _Queue(self._clock(), messages)
        self._count -= len(taken)
        self._drained.set()
        return taken

    def clear(self, spot: Spot | None = None) -> None:
        """Forget what was collected from a partition, or from all: it will be read again."""
        for forgotten in [spot] if spot else list(self._waiting):
            queue = self._waiting.pop(forgotten, None)
            self._count -= len(queue.messages) if queue else 0
        self._drained.set()

    def __len__(self) -> int:
        return self._count
