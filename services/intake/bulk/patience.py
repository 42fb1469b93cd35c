"""Waiting within a limit: one allowance for all that a fetch waits for."""

from dataclasses import dataclass, field
from typing import Final

from services.intake.bulk.clock import Clock
from services.intake.bulk.failures import WaitedTooLong

# A job of a large entity runs for hours; one that has not ended after a day never will.
MOST_SECONDS: Final = 24 * 3600.0


@dataclass(slots=True)
class Patience:
    """``wait`` raises :class:`WaitedTooLong` once more was asked for in all than is allowed."""

    clock: Clock
    most_seconds: float = MOST_SECONDS
    _waited: float = field(default=0.0)

    async def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        if self._waited + seconds > self.most_seconds:
            raise WaitedTooLong(
                "The server asks to wait for longer than allowed. What is done so far is kept: "
                "the same command goes on with it later (--wait allows more)."
            )
        self._waited += seconds
        await self.clock.sleep(seconds)
