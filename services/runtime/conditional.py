"""Answers that the caller has already: 304 by a strong entity tag (RFC 9110, 8.8.3 and 13.1.2).

Pollers ask the same far more often than anything changes. What was answered with 304 is remembered with the state that it stood
on, so that the same question of the same tenant in the same state needs neither a route nor a snapshot.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.runtime.access.principal import Principal, Tenant
from services.runtime.access.tenancy import principal_of_request
from services.runtime.frame import found_route

_DIGITS = 32
_HEADER = "if-none-match"
_MOST_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 1024  # bytes of a question: what is remembered must not grow with what somebody sends


class NotModified(Exception):  # noqa: N818 - it is an answer, named as HTTP names it
    """Raised by a dependency or a route: the caller's copy is what would be answered.

    ``current`` tells the state of the read model, and ``state`` is the one in which this holds: while both are equal, the same
    question has the same answer.
    """

    def __init__(self, tag: str, state: int | None = None, current: Callable[[], Awaitable[int]] | None = None) -> None:
        super().__init__(HTTPStatus.NOT_MODIFIED.phrase)
        self.tag = tag
        self.state = state
        self.current = current


@cache
def code_digest() -> str:
    """Of all code and policy that an answer may rest on, read once: another version may answer otherwise."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml", ".sql"}):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def entity_tag(request: Request, state: str) -> str:
    """The tag of what a request is answered with in one state of the read model, by this code and policy, for this tenant."""
    principal = principal_of_request(request)
    tenant = principal.tenant if principal is not None else None
    asked = "&".join(sorted(f"{name}={value}" for name, value in request.query_params.multi_items()))
    whole = f"{code_digest()}\x1f{request.url.path}\x1f{asked}\x1f{state}\x1f{tenant}"
    return f'"{hashlib.sha256(whole.encode()).hexdigest()[:_DIGITS]}"'


def has_tag(request: Request, tag: str) -> bool:
    """Whether the caller named the tag among those that it has."""
    return tag in _tags(request.headers.getlist(_HEADER))


def _tags(headers: Iterable[str]) -> Iterable[str]:
    # A cache on the way may have weakened the tag: for reading that is the same.
    return (tag.strip().removeprefix("W/") for header in headers for tag in header.split(","))


class Question(NamedTuple):
    """What was asked, to the letter, and by whom as far as the answer depends on it."""

    path: str
    query: bytes
    tenant: Tenant | None
    scopes: frozenset[str]


def _question(scope: Scope) -> Question:
    principal: Principal | None = scope.get("state", {}).get("principal")
    if principal is None:
        return Question(scope["path"], scope["query_string"], None, frozenset())
    return Question(scope["path"], scope["query_string"], principal.tenant, principal.scopes)


class _Standing(NamedTuple):
    tag: str
    state: int
    current: Callable[[], Awaitable[int]]
    route: object


@dataclass(slots=True)
class Remembered:
    """The questions of a process that were answered with 304, those asked last; let in and judged by their routes before."""

    _known: "OrderedDict[Question, _Standing]" = field(default_factory=OrderedDict)

    def keep(self, scope: Scope, answer: NotModified) -> None:
        """Remember an answer that says how long it holds."""
        if answer.state is None or answer.current is None or len(scope["query_string"]) > _LONGEST_REMEMBERED:
            return
        question = _question(scope)
        self._known[question] = _Standing(answer.tag, answer.state, answer.current, found_route(scope))
        self._known.move_to_end(question)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    async def find(self, scope: Scope) -> _Standing | None:
        """What still holds of the question."""
        question = _question(scope)
        found = self._known.get(question)
        if found is None or await found.current() == found.state:
            return found
        self._known.pop(question, None)
        return None


class Repeated:
    """Inside the guard, outside of the routes: 304 again for whom the same was answered in the same state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on what is not known."""
        if scope["type"] == "http" and scope["method"] == "GET":
            given = [value.decode("latin-1") for name, value in scope["headers"] if name == _HEADER.encode()]
            found = await scope["app"].state.remembered.find(scope) if given else None
            if found is not None and found.tag in _tags(given):
                scope["route"] = found.route
                await _tell_not_modified(found.tag, send)
                return
        await self._app(scope, receive, send)


async def _tell_not_modified(tag: str, send: Send) -> None:
    headers = [(b"etag", tag.encode())]
    await send({"type": "http.response.start", "status": HTTPStatus.NOT_MODIFIED.value, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def handle_not_modified(app: FastAPI) -> None:
    """Answer :class:`NotModified` without a body, and remember it."""
    app.state.remembered = Remembered()
    app.add_middleware(Repeated)
    app.add_exception_handler(NotModified, _not_modified)


async def _not_modified(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotModified)  # noqa: S101 - Starlette looks handlers up by class
    request.app.state.remembered.keep(request.scope, error)
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": error.tag})
