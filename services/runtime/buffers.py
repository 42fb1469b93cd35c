"""Between the collector and the transactions: a bounded buffer for each topic-partition."""

import asyncio
from collections import deque

from services.runtime.ledger import Message, Spot


class Buffers:
    """Collecting goes on while a transaction runs, up to a bound; then the collector waits.

    The next partition served is the one that has waited longest, so that none starves.
    """

    def __init__(self, most_per_partition: int) -> None:
        self._most = most_per_partition
        self._waiting: dict[Spot, deque[Message]] = {}
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()

    async def put(self, message: Message) -> None:
        """Add a message; waits while its partition's buffer is full."""
        while len(self._waiting.get(message.spot, ())) >= self._most:
            self._drained.clear()
            await self._drained.wait()
        self._waiting.setdefault(message.spot, deque()).append(message)
        self._filled.set()

    async def take(self, most: int) -> list[Message]:
        """Up to so many messages of one partition, in order; waits while there are none."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        # A dict keeps insertion order: the first has waited longest, and what is left goes to the end.
        spot = next(iter(self._waiting))
        queue = self._waiting.pop(spot)
        taken = [queue.popleft() for _ in range(min(most, len(queue)))]
        if queue:
            self._waiting[spot] = queue
        self._drained.set()
        return taken

    def clear(self, spot: Spot | None = None) -> None:
        """Forget what was collected from a partition, or from all: it will be read again."""
        if spot is None:
            self._waiting.clear()
        else:
            self._waiting.pop(spot, None)
        self._drained.set()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))
