"""Stands before the routes of a protected gateway: nobody comes in without a token, nothing goes out unrecorded."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.access import clients
from services.runtime.access.audit import AuditTrail, Pool, Read
from services.runtime.access.bearer import BearerTokens
from services.runtime.access.limits import Limits, OpenRequests, TooManyOpenError
from services.runtime.access.principal import Principal
from services.runtime.access.signed import TokenRefusedError
from services.runtime.access.tenancy import principal_of_request
from services.runtime.frame import route_template, status_of
from services.runtime.problems import Problem, ProblemDocument, instance_of, problem_response

# Many at once: somebody tries, or a client does not keep to its limit.
REFUSED: Final = Counter("tandem_http_refused_total", "Requests that were not let in", ["service", "why"])

# Who was let in without a token: nobody's rows are behind these.
_PUBLIC: Final = frozenset(
    {"/health", "/ready", "/openapi.json", "/oauth/keys", "/.well-known/oauth-authorization-server"}
)
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - an address
NOBODY: Final = "-"
_REVOKED_GOOD_FOR_SECONDS: Final = 1.0
_OPEN_RETRY_AFTER_SECONDS: Final = "5"
_PLAIN_NAME: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)
_SHORT_QUERY: Final = 512  # bytes; what is longer is not remembered: pollers ask short questions


@dataclass(slots=True)
class Revoked:
    """Who was shut out, looked up at most once a second whoever asks."""

    pool: Pool
    clock: Callable[[], float]
    _known: frozenset[str] = frozenset()
    _looked_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def holds(self, client_id: str) -> bool:
        """Whether a client was shut out a moment ago."""
        async with self._lock:
            if self.clock() - self._looked_at > _REVOKED_GOOD_FOR_SECONDS:
                async with self.pool.acquire() as connection:
                    self._known = await clients.revoked_among(connection)  # type: ignore[arg-type] # a pool's connection
                self._looked_at = self.clock()
        return client_id in self._known


@dataclass(slots=True)
class Door:
    """What decides who comes in, while a gateway runs. ``revoked``: none where somebody else makes the tokens."""

    service: str
    tokens: BearerTokens
    limits: Limits
    open: OpenRequests
    trail: AuditTrail
    clock: Callable[[], float]
    revoked: Revoked | None = None

    async def principal(self, headers: Headers) -> Principal:
        """Who asks.

        Raises:
            Problem: nobody who may.
        """
        given = headers.getlist("authorization")
        if not given:
            raise unauthorised("A token is needed.")
        scheme, _, text = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not text:
            raise unauthorised("One bearer token is needed.")
        try:
            found = await self.tokens.principal(text.strip())
        except TokenRefusedError as error:
            raise unauthorised(f"Not a usable token: {error}.", error="invalid_token") from None
        if self.revoked is not None and await self.revoked.holds(found.client_id):
            raise unauthorised("Not a usable token: the client was shut out.", error="invalid_token")
        return found

    def admit(self, who: str) -> None:
        """Raises :class:`Problem` for whoever asks too often."""
        seconds = self.limits.retry_after(who)
        if seconds is not None:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS, "More requests than are allowed.", headers={"Retry-After": str(seconds)}
            )

    @contextmanager
    def held_open(self, who: str) -> Iterator[None]:
        """For the time of a request that waits. Raises :class:`Problem` for whoever holds too many open."""
        with ExitStack() as held:
            try:
                held.enter_context(self.open.held(who))
            except TooManyOpenError:
                raise Problem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    f"No more than {self.open.most} requests for changes may be open at once.",
                    headers={"Retry-After": _OPEN_RETRY_AFTER_SECONDS},
                ) from None
            yield


def unauthorised(detail: str, *, error: str | None = None) -> Problem:
    """401 as RFC 6750 has it."""
    challenge = 'Bearer realm="tandem"' + (f', error="{error}"' if error else "")
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})


def needs(scope: str) -> Callable[[Request], None]:
    """A dependency: the client must have the scope. In a gateway that lets everybody in, nobody needs one."""

    async def check(request: Request) -> None:
        principal = principal_of_request(request)
        if principal is not None and scope not in principal.scopes:
            challenge = f'Bearer realm="tandem", error="insufficient_scope", scope="{scope}"'
            raise Problem(
                HTTPStatus.FORBIDDEN, f"The scope {scope} is needed.", headers={"WWW-Authenticate": challenge}
            )

    return check  # type: ignore[return-value] # FastAPI takes both kinds of functions


class Guard:
    """Inside the frame of a gateway, outside of everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer that it may not."""
        if scope["type"] != "http" or (scope["path"] in _PUBLIC and scope["method"] in {"GET", "HEAD"}):
            await self._app(scope, receive, send)
            return
        door: Door = scope["app"].state.door
        visit = Visit(door, scope, send)
        try:
            await self._let_in(door, scope)
        except Problem as problem:
            await visit.refuse(problem, receive)
            return
        try:
            await self._app(scope, receive, visit.send)
        except Exception as error:
            await visit.fail(error)
            raise

    async def _let_in(self, door: Door, scope: Scope) -> None:
        host = (scope.get("client") or ("unknown",))[0]
        if scope["path"] == TOKEN_PATH:
            door.admit(f"token {host}")
            return
        try:
            principal = await door.principal(Headers(scope=scope))
        except Problem:
            door.admit(f"nobody {host}")
            raise
        scope["state"]["principal"] = principal
        door.admit(principal.client_id)


@dataclass(slots=True)
class Visit:
    """One request on its way out: its answer begins when the record has it."""

    door: Door
    scope: Scope
    out: Send
    recorded: bool = False

    async def fail(self, error: Exception) -> None:
        """Record what nobody caught; the frame answers it."""
        if not self.recorded:
            await self._record(status_of(error))

    async def send(self, message: Message) -> None:
        """Pass on an answer, recorded first."""
        if message["type"] == "http.response.start":
            await self._record(message["status"])
        await self.out(message)

    async def refuse(self, problem: Problem, receive: Receive) -> None:
        """Answer with a problem. Nobody's requests beyond the limit are counted and not recorded: that would be endless."""
        REFUSED.labels(self.door.service, problem.status.phrase).inc()
        known = "principal" in self.scope["state"]
        endless = problem.status is HTTPStatus.TOO_MANY_REQUESTS and not known
        document = ProblemDocument(
            title=problem.title,
            status=problem.status,
            detail=problem.detail,
            instance=instance_of(self.scope["state"]["request_id"]),
        )
        answer = problem_response(document, problem.headers)
        await answer(self.scope, receive, self.out if endless else self.send)

    async def _record(self, status: int) -> None:
        state = self.scope["state"]
        principal: Principal | None = state.get("principal")
        tenant = principal.tenant if principal else None
        read = Read(
            datetime.fromtimestamp(self.door.clock(), UTC),
            principal.client_id if principal else state.get("authenticated", NOBODY),
            str(tenant) if tenant else "",
            f"{self.scope['method'] if self.scope['method'] in _METHODS else 'OTHER'} {route_template(self.scope)}",
            self._asked(),
            status,
            state["request_id"],
        )
        self.recorded = True
        await self.door.trail.append(read)

    def _asked(self) -> str:
        query: bytes = self.scope["query_string"]
        if not query:
            return ""
        known = parameters_of(self.scope["app"]).get(route_template(self.scope), frozenset())
        return names_asked(query, known) if len(query) <= _SHORT_QUERY else names_asked.__wrapped__(query, known)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@lru_cache(1024)
def names_asked(query: bytes, known: frozenset[str]) -> str:
    """The names of what was asked for, never the values, and of names those alone that the route knows."""
    names = {name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)}
    return " ".join(sorted({name if name in known and _PLAIN_NAME.fullmatch(name) else "?" for name in names}))


def parameters_of(app: FastAPI) -> dict[str, frozenset[str]]:
    """Names of the parameters that each route knows."""
    found: dict[str, frozenset[str]] | None = getattr(app.state, "known_parameters", None)
    if found is None:
        paths: dict[str, dict[str, dict[str, Iterable[dict[str, str]]]]] = app.openapi()["paths"]
        found = app.state.known_parameters = {
            path: frozenset(
                one["name"] for operation in operations.values() for one in operation.get("parameters", ())
            )
            for path, operations in paths.items()
        }  # fmt: skip
    return found
