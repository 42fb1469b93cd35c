"""The two clients: the same questions, asked with or without ``await``."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from tandem_states.bookmarks import Bookmark
from tandem_states.conversation import Conversation, Heard, Parameters, Pause, Speaker, Step
from tandem_states.figures import Change, Delivery, Entity, Measure, Page, PersonMonths, Restatement
from tandem_states.questions import page_of_changes, page_of_rows
from tandem_states.signing import Signer, load_key

Answer = TypeVar("Answer")
Row = TypeVar("Row")
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
LONGEST_WAIT_SECONDS = 30.0


def _speaker(
    base_url: str, client_id: str, private_key: Path | bytes | str, key_id: str | None, clock: Callable[[], float]
) -> Speaker:
    return Speaker(base_url.rstrip("/"), Signer(client_id, load_key(private_key), clock, key_id), clock)


def _next(conversation: Generator[Step, Heard, Answer], heard: Heard) -> tuple[Step | None, Answer | None]:
    try:
        return conversation.send(heard), None
    except StopIteration as end:
        return None, end.value


class Client:
    """Asks one gateway for one client. To be closed, or used in ``with``.

    Args:
        base_url: where the gateway is.
        client_id: the name under which its operators know this client.
        private_key: in PEM, or the file that holds it.
        key_id: where the operators know the key by another name than its thumbprint.
        transport: in place of the network, for tests.
        clock: seconds of Unix time.
        sleep: how to wait.
    """

    def __init__(  # noqa: PLR0913 - what it needs, and what tests put in its place
        self,
        base_url: str,
        client_id: str,
        private_key: Path | bytes | str,
        *,
        key_id: str | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport)
        self._sleep = sleep
        self._speaker = _speaker(base_url, client_id, private_key, key_id, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _hold(self, conversation: Conversation[Answer]) -> Answer:
        step, answer = _next(conversation, None)
        while step is not None:
            step, answer = _next(conversation, self._do(step))
        return answer  # type: ignore[return-value] # the end of a conversation has one

    def _do(self, step: Step) -> Heard:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        try:
            return self._http.send(step)
        except httpx.TransportError as error:
            return error

    def get(self, path: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON of any route, for example ``get("/v1/effects", entity="D9001", …)``."""
        return self._hold(self._speaker.ask(path, parameters))

    def table(self, path: str, form: str = "parquet", **parameters: Any) -> bytes:  # noqa: ANN401 - parameters of a query
        """The rows of any list as a file, ``parquet`` or ``csv``."""
        return self._hold(self._speaker.fetch(path, {**parameters, "format": form}))

    def measures(self, **filters: Any) -> Iterator[Measure]:  # noqa: ANN401 - parameters of a query
        """Figures, page after page, all of one revision."""
        return self._rows("measures", Measure, filters)

    def person_months(self, **filters: Any) -> Iterator[PersonMonths]:  # noqa: ANN401 - parameters of a query
        """Person-months behind the figures."""
        return self._rows("person-months", PersonMonths, filters)

    def restatements(self, **filters: Any) -> Iterator[Restatement]:  # noqa: ANN401 - parameters of a query
        """By how much figures moved, and why; all up to one revision."""
        return self._rows("restatements", Restatement, filters)

    def entities(self) -> list[Entity]:
        """Entities of which anything may be told."""
        return list(self._rows("entities", Entity, {}))

    def deliveries(self, limit: int = 100) -> list[Delivery]:
        """Published revisions, the latest first."""
        return list(self._rows("deliveries", Delivery, {"limit": limit}))

    def _rows(self, name: str, kind: type[Row], filters: Parameters) -> Iterator[Row]:
        offset: int | None = None
        while True:
            rows, offset, revision = self._hold(page_of_rows(self._speaker, name, kind, filters, offset))
            yield from rows
            if offset is None:
                return
            filters = {**filters, "as_of": revision}

    def pages(self, cursor: str | None = None, *, wait: float = 0, **filters: Any) -> Iterator[Page]:  # noqa: ANN401
        """The feed from a place on, a page at a time, each with the cursor behind it. Where it waits it never ends."""
        while True:
            page = self._hold(page_of_changes(self._speaker, cursor, wait, filters))
            cursor = page.cursor
            yield page
            if not page.more and not wait:
                return

    def changes(self, bookmark: Bookmark, *, wait: float = LONGEST_WAIT_SECONDS, **filters: Any) -> Iterator[Change]:  # noqa: ANN401
        """Follow the feed change by change from where the bookmark is. It is moved when a page has been taken whole."""
        for page in self.pages(bookmark.read(), wait=wait, **filters):
            yield from page.changes
            bookmark.write(page.cursor)


class AsyncClient:
    """As :class:`Client`, for ``async with``."""

    def __init__(  # noqa: PLR0913 - as of Client
        self,
        base_url: str,
        client_id: str,
        private_key: Path | bytes | str,
        *,
        key_id: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, transport=transport)
        self._sleep = sleep
        self._speaker = _speaker(base_url, client_id, private_key, key_id, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def _hold(self, conversation: Conversation[Answer]) -> Answer:
        step, answer = _next(conversation, None)
        while step is not None:
            step, answer = _next(conversation, await self._do(step))
        return answer  # type: ignore[return-value] # the end of a conversation has one

    async def _do(self, step: Step) -> Heard:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        try:
            return await self._http.send(step)
        except httpx.TransportError as error:
            return error

    async def get(self, path: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON of any route."""
        return await self._hold(self._speaker.ask(path, parameters))

    async def table(self, path: str, form: str = "parquet", **parameters: Any) -> bytes:  # noqa: ANN401 - parameters
        """The rows of any list as a file, ``parquet`` or ``csv``."""
        return await self._hold(self._speaker.fetch(path, {**parameters, "format": form}))

    def measures(self, **filters: Any) -> AsyncIterator[Measure]:  # noqa: ANN401 - parameters of a query
        """Figures, page after page, all of one revision."""
        return self._rows("measures", Measure, filters)

    def person_months(self, **filters: Any) -> AsyncIterator[PersonMonths]:  # noqa: ANN401 - parameters of a query
        """Person-months behind the figures."""
        return self._rows("person-months", PersonMonths, filters)

    def restatements(self, **filters: Any) -> AsyncIterator[Restatement]:  # noqa: ANN401 - parameters of a query
        """By how much figures moved, and why; all up to one revision."""
        return self._rows("restatements", Restatement, filters)

    async def entities(self) -> list[Entity]:
        """Entities of which anything may be told."""
        return [one async for one in self._rows("entities", Entity, {})]

    async def deliveries(self, limit: int = 100) -> list[Delivery]:
        """Published revisions, the latest first."""
        return [one async for one in self._rows("deliveries", Delivery, {"limit": limit})]

    async def _rows(self, name: str, kind: type[Row], filters: Parameters) -> AsyncIterator[Row]:
        offset: int | None = None
        while True:
            rows, offset, revision = await self._hold(page_of_rows(self._speaker, name, kind, filters, offset))
            for row in rows:
                yield row
            if offset is None:
                return
            filters = {**filters, "as_of": revision}

    async def pages(self, cursor: str | None = None, *, wait: float = 0, **filters: Any) -> AsyncIterator[Page]:  # noqa: ANN401
        """The feed from a place on, a page at a time; see :meth:`Client.pages`."""
        while True:
            page = await self._hold(page_of_changes(self._speaker, cursor, wait, filters))
            cursor = page.cursor
            yield page
            if not page.more and not wait:
                return

    async def changes(
        self,
        bookmark: Bookmark,
        *,
        wait: float = LONGEST_WAIT_SECONDS,
        **filters: Any,  # noqa: ANN401
    ) -> AsyncIterator[Change]:
        """Follow the feed change by change from where the bookmark is; see :meth:`Client.changes`."""
        async for page in self.pages(bookmark.read(), wait=wait, **filters):
            for change in page.changes:
                yield change
            bookmark.write(page.cursor)
