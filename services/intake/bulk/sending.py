"""Requests, repeated where trouble may pass: the network, a server that says that it has trouble (5xx), too many (429).

Redirects are not followed: a token must not go where nobody sent it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import httpx

from services.intake.bulk.answers import MOST_BYTES, Answer
from services.intake.bulk.failures import AnswerInvalid, Unreachable
from services.intake.bulk.patience import Patience
from services.intake.bulk.waiting import RETRY_PAUSES, retry_after

TOO_MANY: Final = 429
SERVER_TROUBLE: Final = 500
# Where a server that is asked too often does not say when to come back.
USUAL_PAUSE_SECONDS: Final = 60.0
_TIMEOUT = httpx.Timeout(connect=30.0, read=120.0, write=30.0, pool=30.0)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request."""

    method: str
    url: str
    headers: dict[str, str]
    form: dict[str, str] | None = None


def open_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Connections that check certificates and follow no redirect."""
    return httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, follow_redirects=False)


@dataclass(slots=True)
class Sender:
    """Sends, and waits within the patience."""

    http: httpx.AsyncClient
    patience: Patience
    pauses: tuple[float, ...] = field(default=RETRY_PAUSES)

    def now(self) -> datetime:
        """The time."""
        return self.patience.clock.now()

    def pause_asked_for(self, headers: httpx.Headers) -> float | None:
        """What Retry-After says, in seconds."""
        return retry_after(headers.get("retry-after"), self.now())

    @asynccontextmanager
    async def opened(self, request: Outgoing) -> AsyncIterator[httpx.Response]:
        """One try, body unread. Raises :class:`httpx.TransportError`."""
        built = self.http.build_request(request.method, request.url, headers=request.headers, data=request.form)
        response = await self.http.send(built, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def sent(self, request: Outgoing) -> Answer:
        """The answer; after trouble again and again, then the last answer whatever it is.

        Raises :class:`Unreachable` where there is none at all.
        """
        for pause in self.pauses:
            try:
                answer = await self._once(request)
            except httpx.TransportError:
                await self.patience.wait(pause)
                continue
            if answer.status < SERVER_TROUBLE:
                return answer
            await self.patience.wait(self.pause_asked_for(answer.headers) or pause)
        try:
            return await self._once(request)
        except httpx.TransportError as trouble:
            raise unreachable(request.url, trouble) from None

    async def patiently(self, request: Outgoing) -> Answer:
        """The same, and a server that is asked too often is asked again when it wants to be."""
        while (answer := await self.sent(request)).status == TOO_MANY:
            await self.patience.wait(self.pause_asked_for(answer.headers) or USUAL_PAUSE_SECONDS)
        return answer

    async def _once(self, request: Outgoing) -> Answer:
        async with self.opened(request) as response:
            try:
                body = await _body(response)
            except httpx.DecodingError:
                raise AnswerInvalid("The server's answer is compressed and cannot be unpacked.") from None
            return Answer(response.status_code, response.headers, body)


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for block in response.aiter_bytes():
        body += block
        if len(body) > MOST_BYTES:
            raise AnswerInvalid("The server's answer is far too long.")
    return bytes(body)


def unreachable(url: str, trouble: httpx.TransportError) -> Unreachable:
    """What to tell of a server that does not answer."""
    host = httpx.URL(url).host
    return Unreachable(
        f"{host} cannot be reached ({type(trouble).__name__}). Check the network, and with CMS that this "
        "machine's address is on the list of allowed ones. What is done so far is kept: the same command goes on."
    )
