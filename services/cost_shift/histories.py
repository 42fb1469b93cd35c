"""The histories by which figures are completed, kept by revision: what was known then is the same for ever.

A figure of one state is completed by what came in of that state, one of several by what came in of all. Pollers ask for the same revision
again and again, so a process reads a history once.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import asyncpg
from fastapi import Depends, Request

from services.cost_shift.completion import Completion, Source, completion_of, months_known, receipts
from services.runtime.access.tenancy import principal_of_request
from services.runtime.database import Connection

# The latest revision, and some that are asked for as of earlier ones.
KEPT: Final = 4
EVERY_STATE: Final = None
StateHistories = Mapping[str | None, Completion]
Key = tuple[str, Source, int]  # tenant, source, revision


def histories_of(known: dict[str, list[str]], rows: list[asyncpg.Record]) -> StateHistories:
    """By state, and of all states together."""
    by_state: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        by_state[row["state"]].append(row)
    found: dict[str | None, Completion] = {state: completion_of(known, some) for state, some in by_state.items()}
    whole = next(iter(found.values())) if len(found) == 1 else completion_of(known, rows)
    return defaultdict(Completion, {**found, EVERY_STATE: whole})


@dataclass(slots=True)
class Histories:
    """Of one process; the longest unasked goes first."""

    _kept: OrderedDict[Key, StateHistories] = field(default_factory=OrderedDict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, connection: Connection, tenant: str, source: Source, revision: int) -> StateHistories:
        """As of a revision, of the rows that the connection sees; ``tenant`` says whose those are."""
        key = (tenant, source, revision)
        async with self._lock:
            if key not in self._kept:
                known = await months_known(connection, revision)
                rows = await receipts(connection, revision, None, source)
                self._kept[key] = await asyncio.to_thread(histories_of, known, rows)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


@dataclass(frozen=True, slots=True)
class TenantHistories:
    """Those that whoever asks may see."""

    histories: Histories
    tenant: str

    async def of(self, connection: Connection, source: Source, revision: int) -> StateHistories:
        """As of a revision."""
        return await self.histories.of(connection, self.tenant, source, revision)


def histories_of_request(request: Request) -> TenantHistories:
    """The ones of this process."""
    state, principal = request.app.state, principal_of_request(request)
    if not hasattr(state, "histories"):
        state.histories = Histories()
    tenant = "" if principal is None or principal.tenant is None else str(principal.tenant)
    return TenantHistories(state.histories, tenant)


KnownHistories = Annotated[TenantHistories, Depends(histories_of_request)]
