"""Waiting between attempts: longer each time, never spinning, and giving up when told to."""

import asyncio
import time

_FIRST_SECONDS = 0.1
# Long enough not to hammer a server that starts, short enough not to be noticed when it is back.
_LONGEST_SECONDS = 5.0


class Backoff:
    """Doubles its wait from a tenth of a second to five seconds. ``give_up_after`` none: never gives up."""

    def __init__(self, *, give_up_after: float | None = None) -> None:
        self._next = _FIRST_SECONDS
        self._deadline = None if give_up_after is None else time.monotonic() + give_up_after

    def reset(self) -> None:
        """Begin again, after a success."""
        self._next = _FIRST_SECONDS

    async def wait(self) -> bool:
        """Wait; false when the time is used up."""
        if self._deadline is not None and time.monotonic() + self._next > self._deadline:
            return False
        await asyncio.sleep(self._next)
        self._next = min(self._next * 2, _LONGEST_SECONDS)
        return True
