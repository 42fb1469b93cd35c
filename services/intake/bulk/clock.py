"""Time from outside: what waits for a server can be tested without waiting."""

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime:
        """The time, with its zone."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""


class SystemClock:
    """The machine's."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
