"""How long to wait: what a server asks for, within bounds, and longer each time where it asks for nothing.

Source: RFC 9110, 10.2.3 (Retry-After: seconds, or a date).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import accumulate, chain, repeat
from operator import mul
from typing import Final

SHORTEST_SECONDS: Final = 1.0
# A server that asks for more is asked again after this long; it may say the same again.
LONGEST_SECONDS: Final = 3600.0
_MOST_DIGITS: Final = 9

# After trouble that may pass: half a minute in all, then it is told to the operator.
RETRY_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
_FIRST_POLL_SECONDS, _SLOWEST_POLL_SECONDS, _POLL_GROWTH = 5.0, 60.0, 1.5


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds until the server wants to be asked again, within bounds; ``None`` where it does not say so readably."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return _bounded(float(text))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return _bounded(((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


class PollPauses:
    """Pauses between looks at a job of which the server does not say when to look again."""

    def __init__(self) -> None:
        growing = accumulate(chain((_FIRST_POLL_SECONDS,), repeat(_POLL_GROWTH)), mul)
        self._pauses: Iterator[float] = (min(pause, _SLOWEST_POLL_SECONDS) for pause in growing)

    def next(self) -> float:
        """Seconds, more each time, a minute at most."""
        return next(self._pauses)
