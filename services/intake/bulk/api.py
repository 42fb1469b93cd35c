"""One bulk API, request by request: start an export, look at it, cancel it, open a file. Keeps nothing on disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import httpx

from services.intake.bulk.answers import Answer
from services.intake.bulk.failures import (
    AnswerInvalid,
    CredentialsRefused,
    JobFailed,
    JobGone,
    NotAuthorised,
    RequestRefused,
    Unreachable,
)
from services.intake.bulk.job_list import running_jobs
from services.intake.bulk.manifest import Manifest, manifest_from, same_server
from services.intake.bulk.progress import percent_done
from services.intake.bulk.request import ExportRequest
from services.intake.bulk.sending import SERVER_TROUBLE, TOO_MANY, Outgoing, Sender
from services.intake.bulk.tokens import Tokens

OK: Final = 200
ACCEPTED: Final = 202
UNAUTHORISED: Final = 401
FORBIDDEN: Final = 403
GONE: Final = (404, 410)
_RESOURCES = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip"}
_EXPORT = {**_RESOURCES, "Prefer": "respond-async"}
_DATA = {"Accept": "application/fhir+ndjson", "Accept-Encoding": "gzip"}
_NOBODY = "attribution"


@dataclass(frozen=True, slots=True)
class Busy:
    """The same export runs already, or too much was asked for. ``pause``: seconds until the server wants to be asked."""

    pause: float | None


@dataclass(frozen=True, slots=True)
class Running:
    """A job that has not ended."""

    percent: int | None
    pause: float | None


@dataclass(slots=True)
class Api:
    """The API of one source, signed in."""

    sender: Sender
    tokens: Tokens
    base_url: str

    async def start(self, request: ExportRequest) -> str | Busy:
        """Ask for an export: the address of its job. Raises a :class:`BulkFailure` that says why not."""
        answer = await self._signed(Outgoing("GET", request.url, _EXPORT), patiently=False)
        if answer.status == TOO_MANY:
            return Busy(self.sender.pause_asked_for(answer.headers))
        if answer.status != ACCEPTED:
            raise _refusal(answer)
        return self._place(answer.headers.get("content-location"))

    def _place(self, location: str | None) -> str:
        if not location:
            raise AnswerInvalid("The server took the request and does not say where the job is (Content-Location).")
        return same_server(location, self.base_url)

    async def look(self, job_url: str) -> Running | Manifest:
        """How far a job is. Raises :class:`JobGone` and :class:`JobFailed`."""
        answer = await self._signed(Outgoing("GET", same_server(job_url, self.base_url), _RESOURCES))
        if answer.status == ACCEPTED:
            percent = percent_done(answer.headers.get("x-progress"))
            return Running(percent, self.sender.pause_asked_for(answer.headers))
        if answer.status == OK:
            return manifest_from(answer, self.base_url)
        if answer.status in GONE:
            raise JobGone("The export job is gone: expired after 24 hours, or cancelled elsewhere.")
        if answer.status >= SERVER_TROUBLE and (said := answer.outcome()) is not None:
            raise JobFailed(f"The server gave the export up: {said}. Ask again; if it happens again, tell CMS.")
        raise _refusal(answer)

    async def cancel(self, job_url: str) -> bool:
        """Cancel a job; false where there is nothing to cancel any more."""
        answer = await self._signed(Outgoing("DELETE", same_server(job_url, self.base_url), _RESOURCES))
        if answer.status in GONE:
            return False
        if answer.status not in (OK, ACCEPTED, 204):
            raise _refusal(answer)
        return True

    async def running_job(self, request: ExportRequest) -> str | None:
        """The address of a job of ours that runs already for the same request, where the server lists jobs."""
        if request.jobs_url is None:
            return None
        answer = await self._signed(Outgoing("GET", request.jobs_url, _RESOURCES))
        if answer.status != OK:
            return None
        numbers = running_jobs(answer.document(), request.url)
        return f"{request.jobs_url.partition('?')[0]}/{numbers[0]}" if numbers else None

    @asynccontextmanager
    async def file(self, url: str) -> AsyncIterator[httpx.Response]:
        """One try to open a file, body unread; signed in anew where the token has expired meanwhile.

        Raises :class:`httpx.TransportError` and :class:`CredentialsRefused`.
        """
        plain = Outgoing("GET", same_server(url, self.base_url), _DATA)
        async with self.sender.opened(await self._with_token(plain)) as response:
            if response.status_code != UNAUTHORISED:
                yield response
                return
        self.tokens.forget()
        async with self.sender.opened(await self._with_token(plain)) as response:
            if response.status_code == UNAUTHORISED:
                raise _fresh_token_refused()
            yield response

    async def _with_token(self, request: Outgoing) -> Outgoing:
        return replace(request, headers={**request.headers, "Authorization": await self.tokens.bearer()})

    async def _signed(self, request: Outgoing, *, patiently: bool = True) -> Answer:
        """Send with a token; a refused one is renewed once."""
        send = self.sender.patiently if patiently else self.sender.sent
        answer = await send(await self._with_token(request))
        if answer.status == UNAUTHORISED:
            self.tokens.forget()
            answer = await send(await self._with_token(request))
        if answer.status == UNAUTHORISED:
            raise _fresh_token_refused()
        return answer


def _fresh_token_refused() -> CredentialsRefused:
    return CredentialsRefused("The server gives a token and then refuses it: the credentials are not for this API.")


def _refusal(answer: Answer) -> Exception:
    said = answer.outcome()
    because = f": {said}" if said else "."
    if answer.status == FORBIDDEN:
        return NotAuthorised(
            f"Not authorised (403){because} Check with CMS that the organisation may use this version and group, and "
            "that this machine's address is on the list of allowed ones."
        )
    if said is not None and _NOBODY in said:
        return RequestRefused(f"Nobody is attributed yet, as the server says{because} Ask again later.")
    if answer.status >= SERVER_TROUBLE:
        return Unreachable(f"The server has trouble ({answer.status}){because} What is done so far is kept.")
    return RequestRefused(f"The server refuses the request ({answer.status}){because} Check version, group and types.")
