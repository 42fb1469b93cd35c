"""The changes that a tenant may follow: pages with a cursor, or a stream, in the one order in which all see them."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import ConfigDict

from services.cost_shift.changes_gateway import ChangeQuery, PageQuery
from services.cost_shift.cursors import CursorError, Place
from services.cost_shift.freshness import Latest, LatestRevision
from services.cost_shift.states.answers import ChangesAnswer
from services.cost_shift.states.questions import TheTenant, own_alone
from services.cost_shift.states.shared_pages import Page, Reader, SharedPages, shared_pages_of
from services.runtime.access.guard import needs
from services.runtime.access.principal import Tenant
from services.runtime.access.tenancy import principal_of_request
from services.runtime.problems import Problem


async def held_open(request: Request) -> AsyncIterator[None]:
    """Count a request among those that its client holds open, until it is answered. Raises :class:`Problem` beyond the limit."""
    principal = principal_of_request(request)
    with request.app.state.door.held_open(principal.client_id if principal else ""):
        yield


router = APIRouter(dependencies=[Depends(needs("measures.read")), Depends(own_alone), Depends(held_open)])

_STREAM_PAGE = 500
_HEARTBEAT_SECONDS = 15.0


class FeedQuery(ChangeQuery):
    """Which figures to follow. A cursor goes on under the filters, and for the tenant, with which it was made."""

    model_config = ConfigDict(extra="forbid")


class FeedPageQuery(PageQuery):
    """One page."""

    model_config = ConfigDict(extra="forbid")


class _Feed:
    """One reader's way through the changes. Takes a connection only while it reads."""

    def __init__(self, request: Request, pages: SharedPages, reader: Reader) -> None:
        self._request = request
        self._pages = pages
        self._reader = reader

    @classmethod
    async def opened(cls, request: Request, latest: LatestRevision, query: ChangeQuery, tenant: Tenant) -> "_Feed":
        pages = shared_pages_of(request, latest)
        return cls(request, pages, await pages.reader(tenant, query.filters()))

    @property
    def latest(self) -> LatestRevision:
        return self._pages.latest

    async def place(self, cursor: str | None, start: Literal["first", "latest"]) -> Place:
        """Where to begin. Raises :class:`Problem`."""
        if cursor is not None:
            try:
                return self._reader.place(cursor)
            except CursorError as error:
                raise Problem(HTTPStatus.BAD_REQUEST, f"{error}.", title="Not a usable cursor") from None
        return Place(0 if start == "first" else await self.latest.known() + 1)

    async def page(self, place: Place, limit: int) -> Page:
        return await self._pages.page(self._request, self._reader, place, limit)

    async def page_or_wait(self, place: Place, limit: int, seconds: float) -> Page:
        """The page as soon as it is not empty, or the empty page at the end of the wait."""
        seen = await self.latest.known()
        found = await self.page(place, limit)
        # Another revision may change nothing that is followed: that is an empty page, from which to ask again.
        if not found.told and seconds and await self.latest.after(seen, seconds):
            found = await self.page(place, limit)
        return found

    def cursor(self, place: Place) -> str:
        return self._reader.cursor(place)


@router.get("/changes", summary="What was restated, from a place on", response_model=ChangesAnswer)
async def list_changes(
    request: Request, latest: Latest, tenant: TheTenant, query: Annotated[FeedPageQuery, Query()]
) -> Response:
    """Every change of a figure that may be told, once, in one order; a reader that stops goes on with its cursor."""
    feed = await _Feed.opened(request, latest, query, tenant)
    place = await feed.place(query.cursor, query.start)
    found = await feed.page_or_wait(place, query.limit, query.wait)
    answer = {
        "revision": await latest.known(),
        "changes": [msgspec.Raw(told.text) for told in found.told],
        "next_cursor": found.told[-1].cursor if found.told else feed.cursor(place),
        "more": found.more,
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")


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
        for place, cursor, text in found.told:  # noqa: B007 - the last place is where to go on
            yield ServerSentEvent(event="change", id=cursor, raw_data=text)
        if not found.told:
            yield ServerSentEvent(comment="nothing new")
            left = principal.expires - door.clock()
            await feed.latest.after(await feed.latest.known(), max(0.0, min(_HEARTBEAT_SECONDS, left)))
