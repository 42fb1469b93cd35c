"""How often a client may ask: a bucket that fills at a steady rate (token bucket). And how much it may hold open."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Final

_MOST_BUCKETS: Final = 10_000


@dataclass(slots=True)
class Bucket:
    """``level`` requests may be made at once at time ``at``; it fills by ``rate`` a second up to ``size``."""

    size: float
    rate: float
    level: float
    at: float

    def take(self, now: float) -> float:
        """Take one request; seconds to wait where there is none, which takes nothing."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return (1 - self.level) / self.rate
        self.level -= 1
        return 0.0


@dataclass(slots=True)
class Limits:
    """A bucket for everybody who asks. A process has its own: with several gateways the limits add up."""

    per_minute: int
    burst: int
    clock: Callable[[], float]
    _buckets: "OrderedDict[str, Bucket]" = field(default_factory=OrderedDict)

    def retry_after(self, who: str) -> int | None:
        """None: go on. Else the whole seconds after which to ask again, at least one."""
        now = self.clock()
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = Bucket(self.burst, self.per_minute / 60, self.burst, now)
            # Whoever asked longest ago has a full bucket again, or nearly.
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(who)
        wait = bucket.take(now)
        return max(1, ceil(wait)) if wait else None


class TooManyOpenError(Exception):
    """Whoever asks holds as much open as is allowed."""


@dataclass(slots=True)
class OpenRequests:
    """What everybody holds open: long polls and streams. A process counts its own, as with :class:`Limits`."""

    most: int
    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def held(self, who: str) -> Iterator[None]:
        """Count one more for the time of a block. Raises :class:`TooManyOpenError`."""
        if self._open[who] >= self.most:
            raise TooManyOpenError
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]
