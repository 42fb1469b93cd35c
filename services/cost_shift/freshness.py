"""Which revision is the latest, cheaply: pollers ask far more often than anything changes."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request, Response

from services.cost_shift import reading
from services.runtime.conditional import NotModified, entity_tag, has_tag
from services.runtime.gateway import Pool, ReadConnection

# So long may a poller be told that nothing is new after something is.
STALE_AFTER_SECONDS = 0.25
# While anybody waits for the next revision, one look in this time serves all who do.
_WATCH_SECONDS = 0.05
_LOOKS_OF_A_WATCH = 20


@dataclass(slots=True)
class LatestRevision:
    """The latest published revision, looked up at most every :data:`STALE_AFTER_SECONDS` whoever asks."""

    pool: Pool
    _revision: int = 0
    _looked_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _watch: "asyncio.Task[None] | None" = None

    async def known(self) -> int:
        """A revision that was the latest a moment ago."""
        if monotonic() - self._looked_at > STALE_AFTER_SECONDS:
            async with self._lock:
                if monotonic() - self._looked_at > STALE_AFTER_SECONDS:
                    await self._look()
        return self._revision

    async def _look(self) -> None:
        async with self.pool.acquire() as connection:
            found = await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM revision")
        self._revision, self._looked_at = int(found), monotonic()

    async def after(self, revision: int, seconds: float) -> bool:
        """Wait for a later revision, so many seconds at most; whether there is one. All who wait share one watch."""
        until = monotonic() + seconds
        while await self.known() <= revision:
            left = until - monotonic()
            if left <= 0:
                return False
            watch = self._watching()
            await asyncio.wait({watch}, timeout=left)
            if watch.done():
                watch.result()
        return True

    def _watching(self) -> "asyncio.Task[None]":
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._until_it_changes(self._revision))
            self._watch.add_done_callback(_take_fault)
        return self._watch

    async def _until_it_changes(self, revision: int) -> None:
        """Or for a while: then whoever still waits watches on, and nobody looks for nobody."""
        for _ in range(_LOOKS_OF_A_WATCH):
            await asyncio.sleep(_WATCH_SECONDS)
            async with self._lock:
                await self._look()
            if self._revision != revision:
                return


def _take_fault(watch: "asyncio.Task[None]") -> None:
    """Those who waited are told; where all are gone, nobody is left to tell."""
    if not watch.cancelled():
        watch.exception()


def latest_revision_of(request: Request) -> LatestRevision:
    """The one of this process."""
    state = request.app.state
    if not hasattr(state, "latest_revision"):
        state.latest_revision = LatestRevision(state.pool)
    found: LatestRevision = state.latest_revision
    return found


Latest = Annotated[LatestRevision, Depends(latest_revision_of)]


def _stands_on(request: Request, latest: int) -> str:
    """The revision that an answer stands on: with ``as_of`` it stays the same for ever."""
    asked = request.query_params.get("as_of", "")
    return asked if asked.isdecimal() and int(asked) <= latest else str(latest)


async def unless_unchanged(request: Request, latest: Latest) -> None:
    """Answer 304 where the caller has the answer, before any figure is read."""
    if "if-none-match" in request.headers:
        revision = await latest.known()
        tag = entity_tag(request, _stands_on(request, revision))
        if has_tag(request, tag):
            raise NotModified(tag, revision, latest.known)


async def tagged(request: Request, response: Response, connection: ReadConnection) -> None:
    """Mark the answer with the revision of the very snapshot that it is read from."""
    latest = await reading.latest_revision(connection)
    response.headers["ETag"] = entity_tag(request, _stands_on(request, latest))


# In this order: the first needs no snapshot.
CONDITIONAL = (Depends(unless_unchanged), Depends(tagged))
