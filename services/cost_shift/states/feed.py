"""The changes that a tenant may follow: pages with a cursor, or a stream, in the one order in which all see them."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import ConfigDict

from services.cost_shift import cursors
from services.cost_shift.changes_feed import cursor_secret, place_of
from services.cost_shift.changes_gateway import ChangeQuery, PageQuery
from services.cost_shift.cursors import CursorError, Place
from services.cost_shift.freshness import Latest, LatestRevision
from services.cost_shift.states.answers import SUPPRESSED, Change, ChangesAnswer, shown
from services.cost_shift.states.questions import TheTenant, own_alone
from services.runtime.access.guard import needs
from services.runtime.access.principal import Tenant
from services.runtime.access.tenancy import principal_of_request
from services.runtime.gateway import snapshot
from services.runtime.problems import Problem

router = APIRouter(dependencies=[Depends(needs("measures.read")), Depends(own_alone)])

_STREAM_PAGE = 500
_HEARTBEAT_SECONDS = 15.0
_KEY = "state, entity, cohort, payer, category, month"

_CHANGES = f"""
    SELECT {_KEY}, moved.revision, cents, claims, group_name IS NOT NULL AS grouped, previous_revision, previous_cents, causes,
        known_at,
        (SELECT person_months FROM released_person_months AS counted
            WHERE (counted.state, counted.entity, counted.cohort, counted.month)
                = (moved.state, moved.entity, moved.cohort, moved.month) AND counted.revision <= moved.revision
            ORDER BY counted.revision DESC LIMIT 1) AS person_months
    FROM released_measure AS moved JOIN revision ON revision.sequence = moved.revision
    WHERE (moved.revision, {_KEY}) > ($1, $2, $3, $4, $5, $6, $7) AND moved.revision >= $1
        AND ($8::text IS NULL OR state = $8) AND ($9::text IS NULL OR entity = $9)
        AND ($10::text IS NULL OR cohort = $10) AND ($11::text IS NULL OR payer = $11)
        AND ($12::text IS NULL OR category = $12)
    ORDER BY moved.revision, {_KEY} LIMIT $13
"""  # noqa: S608 - constants


class FeedQuery(ChangeQuery):
    """Which figures to follow. A cursor goes on under the filters, and for the tenant, with which it was made."""

    model_config = ConfigDict(extra="forbid")


class FeedPageQuery(PageQuery):
    """One page."""

    model_config = ConfigDict(extra="forbid")


class _Feed:
    """One reader's way through the changes. Takes a connection only while it reads."""

    def __init__(
        self, request: Request, latest: LatestRevision, query: ChangeQuery, tenant: Tenant, secret: bytes
    ) -> None:
        self._request = request
        self.latest = latest
        self._filters = query.filters()
        # A cursor of one tenant is none of another's, and those of operators are of neither.
        self._signed = (str(tenant), *self._filters)
        self._secret = secret

    @classmethod
    async def opened(cls, request: Request, latest: LatestRevision, query: ChangeQuery, tenant: Tenant) -> "_Feed":
        async with snapshot(request) as connection:
            return cls(request, latest, query, tenant, await cursor_secret(connection))

    async def place(self, cursor: str | None, start: Literal["first", "latest"]) -> Place:
        """Where to begin. Raises :class:`Problem`."""
        if cursor is not None:
            try:
                return cursors.read(cursor, self._signed, self._secret)
            except CursorError as error:
                raise Problem(HTTPStatus.BAD_REQUEST, f"{error}.", title="Not a usable cursor") from None
        return Place(0 if start == "first" else await self.latest.known() + 1)

    async def page(self, place: Place, limit: int) -> list[asyncpg.Record]:
        async with snapshot(self._request) as connection:
            return await connection.fetch(_CHANGES, place.revision, *place.key, *self._filters, limit)

    async def page_or_wait(self, place: Place, limit: int, seconds: float) -> list[asyncpg.Record]:
        """The page as soon as it is not empty, or the empty page at the end of the wait."""
        seen = await self.latest.known()
        found = await self.page(place, limit)
        # Another revision may change nothing that is followed: that is an empty page, from which to ask again.
        if not found and seconds and await self.latest.after(seen, seconds):
            found = await self.page(place, limit)
        return found

    def cursor(self, place: Place) -> str:
        return cursors.write(place, self._signed, self._secret)


def _change(row: asyncpg.Record) -> Change:
    values = {name: value for name, value in row.items() if name not in {"grouped", "entity"}}
    previous = row["previous_cents"]
    return Change(
        **values
        | {
            "entity_id": row["entity"] or None,
            "cents": shown(row["cents"], hidden=row["grouped"]),
            "claims": shown(row["claims"], hidden=row["grouped"]),
            "previous_cents": None if previous is None else shown(previous, hidden=row["grouped"]),
            "person_months": SUPPRESSED if row["person_months"] is None else row["person_months"],
        }
    )


@router.get("/changes", summary="What was restated, from a place on")
async def list_changes(
    request: Request, latest: Latest, tenant: TheTenant, query: Annotated[FeedPageQuery, Query()]
) -> ChangesAnswer:
    """Every change of a figure that may be told, once, in one order; a reader that stops goes on with its cursor."""
    feed = await _Feed.opened(request, latest, query, tenant)
    place = await feed.place(query.cursor, query.start)
    found = await feed.page_or_wait(place, query.limit + 1, query.wait)
    told = found[: query.limit]
    return ChangesAnswer(
        revision=await latest.known(),
        changes=[_change(row) for row in told],
        next_cursor=feed.cursor(place_of(told[-1]) if told else place),
        more=len(found) > query.limit,
    )


async def _stream_from(
    request: Request,
    latest: Latest,
    tenant: TheTenant,
    query: Annotated[FeedQuery, Query()],
    last_event_id: Annotated[str | None, Header(max_length=1024, description="cursor of the last event seen")] = None,
) -> tuple[_Feed, Place]:
    """Before the stream begins: a cursor that is none must be a problem, not a stream that breaks."""
    feed = await _Feed.opened(request, latest, query, tenant)
    return feed, await feed.place(last_event_id, query.start)


@router.get("/changes/stream", summary="What is restated, as it happens", response_class=EventSourceResponse)
async def stream_changes(
    request: Request, opened: Annotated[tuple[_Feed, Place], Depends(_stream_from)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events ``change``; the id of each is the cursor behind it. Ends with the token: come back with another."""
    feed, place = opened
    principal = principal_of_request(request)
    door = request.app.state.door
    while principal is not None and door.clock() < principal.expires:
        found = await feed.page(place, _STREAM_PAGE)
        for row in found:
            place = place_of(row)
            yield ServerSentEvent(event="change", id=feed.cursor(place), data=_change(row))
        if not found:
            yield ServerSentEvent(comment="nothing new")
            left = principal.expires - door.clock()
            await feed.latest.after(await feed.latest.known(), max(0.0, min(_HEARTBEAT_SECONDS, left)))
