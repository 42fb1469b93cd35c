"""The routes by which a state's own systems follow what is restated: pages with a cursor, or a stream."""

from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

import asyncpg
from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import StateCode
from contracts.money import per_month
from services.cost_shift import cursors
from services.cost_shift.answers import CentsPerMonth
from services.cost_shift.changes_feed import ChangeFilters, changes_after, cursor_secret, place_of
from services.cost_shift.cursors import CursorError, Place
from services.cost_shift.freshness import Latest, LatestRevision
from services.cost_shift.questions import NO_ENTITY, EntityFilter
from services.runtime.database import Connection
from services.runtime.problems import Problem

router = APIRouter()

LONGEST_WAIT_SECONDS = 30
_STREAM_PAGE = 500
_HEARTBEAT_SECONDS = 15.0


class ChangeQuery(BaseModel):
    """Which figures to follow. A cursor goes on under the filters with which it was made."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[StateCode | None, Field(description="only this state, USPS code")] = None
    entity: Annotated[EntityFilter | None, Field(description="only this entity; none: people of no entity")] = None
    cohort: Annotated[Cohort | None, Field(description="only this cohort")] = None
    payer: Annotated[Payer | None, Field(description="only what this programme paid")] = None
    category: Annotated[ServiceCategory | None, Field(description="only this category of service")] = None
    start: Annotated[
        Literal["first", "latest"], Field(description="without a cursor: from the first change, or from now on")
    ] = "first"

    def filters(self) -> ChangeFilters:
        """As they are read and signed."""
        entity = "" if self.entity == NO_ENTITY else self.entity
        return ChangeFilters(self.state, entity, self.cohort, self.payer, self.category)


class PageQuery(ChangeQuery):
    """One page."""

    cursor: Annotated[str | None, Field(max_length=1024, description="next_cursor of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=10_000, description="changes of one page")] = 1_000
    wait: Annotated[
        float, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="seconds to wait where nothing has changed yet")
    ] = 0


class Change(BaseModel):
    """A figure as of one revision, and what it was before. Capitation is of the outlay basis, all else of services."""

    revision: int
    known_at: datetime
    state: str
    entity_id: str | None
    cohort: Cohort
    payer: Payer
    category: ServiceCategory
    month: str
    cents: int
    claims: int
    crossover_cents: int
    crossover_claims: int
    person_months: int
    pbpm: CentsPerMonth | None
    previous_revision: int | None
    previous_cents: int | None
    causes: list[str]


class ChangesAnswer(BaseModel):
    """Changes in their one order. ``next_cursor`` goes on behind the last of them, now or any time later."""

    changes: list[Change]
    next_cursor: str
    more: Annotated[bool, Field(description="whether there are more at this moment")]


class _Feed:
    """One reader's way through the changes. Takes a connection only while it reads."""

    def __init__(self, latest: LatestRevision, filters: ChangeFilters, secret: bytes) -> None:
        self._latest = latest
        self._filters = filters
        self._secret = secret

    @classmethod
    async def opened(cls, latest: LatestRevision, filters: ChangeFilters) -> "_Feed":
        async with latest.pool.acquire() as connection:
            return cls(latest, filters, await cursor_secret(cast("Connection", connection)))

    async def place(self, cursor: str | None, start: Literal["first", "latest"]) -> Place:
        """Where to begin. Raises :class:`Problem`."""
        if cursor is not None:
            try:
                return cursors.read(cursor, self._filters, self._secret)
            except CursorError as error:
                raise Problem(HTTPStatus.BAD_REQUEST, f"{error}.", title="Not a usable cursor") from None
        return Place(0 if start == "first" else await self._latest.known() + 1)

    async def page(self, place: Place, limit: int) -> list[asyncpg.Record]:
        async with self._latest.pool.acquire() as connection:
            return await changes_after(cast("Connection", connection), place, self._filters, limit)

    async def page_or_wait(self, place: Place, limit: int, seconds: float) -> list[asyncpg.Record]:
        """The page as soon as it is not empty, or the empty page at the end of the wait."""
        seen = await self._latest.known()
        found = await self.page(place, limit)
        # Another revision may change nothing that is followed: that is an empty page, from which to ask again.
        if not found and seconds and await self._latest.after(seen, seconds):
            found = await self.page(place, limit)
        return found

    async def wait(self, seconds: float) -> None:
        await self._latest.after(await self._latest.known(), seconds)

    def cursor(self, place: Place) -> str:
        return cursors.write(place, self._filters, self._secret)


def _change(row: asyncpg.Record) -> Change:
    values: dict[str, Any] = dict(row)
    entity = values.pop("entity") or None
    pbpm = CentsPerMonth.of(per_month(row["cents"], row["person_months"]))
    return Change(entity_id=entity, pbpm=pbpm, **values)


@router.get("/changes", summary="What was restated, from a place on")
async def list_changes(latest: Latest, query: Annotated[PageQuery, Query()]) -> ChangesAnswer:
    """Every change of a published figure once, in one order; a reader that stops goes on with its cursor."""
    feed = await _Feed.opened(latest, query.filters())
    place = await feed.place(query.cursor, query.start)
    found = await feed.page_or_wait(place, query.limit + 1, query.wait)
    shown = found[: query.limit]
    return ChangesAnswer(
        changes=[_change(row) for row in shown],
        next_cursor=feed.cursor(place_of(shown[-1]) if shown else place),
        more=len(found) > query.limit,
    )


async def _stream_from(
    latest: Latest,
    query: Annotated[ChangeQuery, Query()],
    last_event_id: Annotated[str | None, Header(max_length=1024, description="cursor of the last event seen")] = None,
) -> tuple[_Feed, Place]:
    """Before the stream begins: a cursor that is none must be a problem, not a stream that breaks."""
    feed = await _Feed.opened(latest, query.filters())
    return feed, await feed.place(last_event_id, query.start)


@router.get("/changes/stream", summary="What is restated, as it happens", response_class=EventSourceResponse)
async def stream_changes(
    opened: Annotated[tuple[_Feed, Place], Depends(_stream_from)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events ``change``; the id of each is the cursor behind it."""
    feed, place = opened
    while True:
        found = await feed.page(place, _STREAM_PAGE)
        for row in found:
            place = place_of(row)
            yield ServerSentEvent(event="change", id=feed.cursor(place), data=_change(row))
        if not found:
            yield ServerSentEvent(comment="nothing new")
            await feed.wait(_HEARTBEAT_SECONDS)
