"""A client of Tandem's API for states: figures, what changed of them, and why. Needs httpx and cryptography alone.

::

    with Client("https://states.example", "ohio-medicaid", private_key=Path("key.pem")) as tandem:
        for figure in tandem.measures(payer="medicaid", group_by=["category", "month"]):
            ...
        for change in tandem.changes(Bookmark(Path("bookmark"))):
            ...

:class:`AsyncClient` has the same, with ``await`` and ``async for``.
"""

from tandem_states.bookmarks import Bookmark
from tandem_states.clients import AsyncClient, Client
from tandem_states.failures import CursorRefused, Problem, TandemError, Unreachable
from tandem_states.figures import (
    SUPPRESSED,
    Change,
    Completed,
    Delivery,
    Entity,
    Measure,
    Page,
    PersonMonths,
    Rate,
    Restatement,
    Shown,
)
from tandem_states.signing import Signer

__all__ = [
    "SUPPRESSED",
    "AsyncClient",
    "Bookmark",
    "Change",
    "Client",
    "Completed",
    "CursorRefused",
    "Delivery",
    "Entity",
    "Measure",
    "Page",
    "PersonMonths",
    "Problem",
    "Rate",
    "Restatement",
    "Shown",
    "Signer",
    "TandemError",
    "Unreachable",
]
