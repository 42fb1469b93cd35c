"""Between the collector and the transactions: a bounded buffer for each topic-partition."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from services.runtime.ledger import Message, Spot

# A transaction costs the same for one message as for a hundred: worth this little wait while few are there.
_LINGER_SECONDS: Final = 0.05
# The fullest partition goes first, unless another has waited for so long.
_PATIENCE_SECONDS: Final = 0.25
# Of all partitions together: memory stays small however large the messages are.
_MOST_BYTES: Final = 16 * 1024 * 1024
# Of one batch: decoded, an event takes about eight times its size on the log.
_BATCH_BYTES: Final = 4 * 1024 * 1024


@dataclass(slots=True)
class _Queue:
    since: float
    messages: deque[Message] = field(default_factory=deque)


class Buffers:
    """Collecting goes on while a transaction runs, up to a bound; then the collector waits.

    Made so that batches are large under load, and no partition starves.
    """

    def __init__(
        self, most_per_partition: int, clock: Callable[[], float] = monotonic, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._most = most_per_partition
        self._most_bytes = most_bytes
        self._clock = clock
        self._waiting: dict[Spot, _Queue] = {}
        self._count = 0
        self._bytes = 0
        self._wanted = 1
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()

    async def put(self, messages: Sequence[Message]) -> None:
        """Add messages of one partition, in order; waits while there is no room."""
        spot = messages[0].spot
        while self._is_full(spot):
            self._drained.clear()
            await self._drained.wait()
        queue = self._waiting.get(spot)
        if queue is None:
            queue = self._waiting[spot] = _Queue(self._clock())
        queue.messages.extend(messages)
        self._count += len(messages)
        self._bytes += _size(messages)
        if self._has(self._wanted):
            self._filled.set()

    def _is_full(self, spot: Spot) -> bool:
        queue = self._waiting.get(spot)
        return (queue is not None and len(queue.messages) >= self._most) or self._bytes >= self._most_bytes

    async def take(self, most: int) -> list[Message]:
        """Up to so many messages of one partition, in order; waits while there are none."""
        while not self._waiting:
            await self._until(1)
        if not self._has(most):
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_SECONDS):
                    await self._until(most)
            if not self._waiting:  # forgotten meanwhile
                return await self.take(most)
        return self._pop(self._next(), most)

    def _has(self, count: int) -> bool:
        # So many bytes make a batch of any number of messages: waiting for more would only hold it up.
        return self._count >= count or self._bytes >= _BATCH_BYTES

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
        taken = _first(messages, most)
        if messages:
            self._waiting[spot] = _Queue(self._clock(), messages)
        self._forget(taken)
        return taken

    def clear(self, spot: Spot | None = None) -> None:
        """Forget what was collected from a partition, or from all: it will be read again."""
        for forgotten in [spot] if spot else list(self._waiting):
            queue = self._waiting.pop(forgotten, None)
            self._forget(queue.messages if queue else ())

    def _forget(self, messages: Collection[Message]) -> None:
        self._count -= len(messages)
        self._bytes -= _size(messages)
        self._drained.set()

    def __len__(self) -> int:
        return self._count


def _first(messages: deque[Message], most: int) -> list[Message]:
    """Take out so many, or fewer where they are large; at least one."""
    taken: list[Message] = []
    size = 0
    while messages and len(taken) < most and size < _BATCH_BYTES:
        taken.append(messages.popleft())
        size += len(taken[-1].value or b"")
    return taken


def _size(messages: Collection[Message]) -> int:
    return sum(len(message.value or b"") for message in messages)
