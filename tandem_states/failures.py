"""What can go wrong, as one tree.

::

    TandemError
    ├── Unreachable      no answer, after every retry
    └── Problem          an answer that says what is wrong (RFC 9457)
        └── CursorRefused    a bookmark that the feed does not take: begin again
"""

from typing import Any


class TandemError(Exception):
    """Every error of this package."""


class Unreachable(TandemError):  # noqa: N818 - it names what is the case
    """No answer came, or none but that the other side is busy, however often it was asked."""


class Problem(TandemError):  # noqa: N818 - named as RFC 9457 names it
    """The other side says what is wrong. ``instance`` is what to tell its operators: they find it in their record."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        self.status = status
        self.title = str(document.get("title", ""))
        self.detail = document.get("detail")
        self.instance = document.get("instance")
        self.errors = document.get("errors", [])
        super().__init__(f"{status} {self.title}" + (f": {self.detail}" if self.detail else ""))


class CursorRefused(Problem):
    """The cursor was made for other filters, another client or another installation."""
