"""Around every request of a gateway: its id, its line in the log, its metrics, and a problem for what nobody caught."""

from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Final
from uuid import UUID, uuid4

import asyncpg
from fastapi.responses import Response
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.applying import location_of
from services.runtime.database import is_transient
from services.runtime.problems import ProblemDocument, instance_of, problem_response
from services.runtime.telemetry import log

# A 5xx share above the usual: the database or a route is broken.
REQUESTS: Final = Counter("tandem_http_requests_total", "Requests answered", ["service", "route", "status"])
# Growing 99th percentile: a query lost its index, or the database is busy.
REQUEST_SECONDS: Final = Histogram("tandem_http_request_seconds", "Time of one request", ["service", "route"])

_RETRY_AFTER_SECONDS: Final = "5"


def is_outage(error: Exception) -> bool:
    """Whether an error will pass by itself, as far as a gateway can tell."""
    # A connection of the pool that broke under a query shows as an interface error.
    return is_transient(error) or isinstance(error, asyncpg.InterfaceError | asyncpg.UndefinedTableError)


def found_route(scope: Scope) -> object:
    """The route that a request found, as FastAPI has it with the prefixes of routers; None where it found none."""
    return scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")


def route_template(scope: Scope) -> str:
    """The whole template of the route that a request found; a path could hold anything."""
    template: str = getattr(found_route(scope), "path", "unknown")
    return template


def status_of(error: Exception) -> HTTPStatus:
    """With what an error that nobody caught is answered."""
    return HTTPStatus.SERVICE_UNAVAILABLE if is_outage(error) else HTTPStatus.INTERNAL_SERVER_ERROR


# Looking up a label costs more than counting: routes are few, so every series is kept in the hand.
@cache
def _count(service: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(service, route, str(status))


@cache
def _timing(service: str, route: str) -> Histogram:
    return REQUEST_SECONDS.labels(service, route)


class Frame:
    """Around every request: its id, its line in the log, its metrics, and a problem for what nobody caught."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever comes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started, status = _request_id(Headers(scope=scope)), perf_counter(), 0
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Answers are about people: nothing between here and the caller may keep them.
                MutableHeaders(scope=message).update({"X-Request-ID": request_id, "Cache-Control": "no-store"})
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            self._tell_error(error, request_id)
            if status:
                # The answer has begun: breaking the connection is the only way left to say that it is not whole.
                raise
            await _uncaught(error, request_id)(scope, receive, send_marked)
        finally:
            self._tell(scope, status, perf_counter() - started, request_id)

    def _tell(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = f"{scope['method']} {route_template(scope)}"
        _count(self._service, route, status).inc()
        _timing(self._service, route).observe(seconds)
        log(
            "request",
            service=self._service,
            path_template=route,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            request_id=request_id,
        )

    def _tell_error(self, error: Exception, request_id: str) -> None:
        log(
            "request_failed",
            level="error",
            service=self._service,
            error=type(error).__name__,
            location=location_of(error),
            request_id=request_id,
        )


def _request_id(headers: Headers) -> str:
    """Take the caller's id only if it is a UUID: anything else could say something about a person."""
    try:
        return str(UUID(headers.get("x-request-id", "")))
    except ValueError:
        return str(uuid4())


def _uncaught(error: Exception, request_id: str) -> Response:
    status = status_of(error)
    document = ProblemDocument(title=status.phrase, status=status, instance=instance_of(request_id))
    outage = status is HTTPStatus.SERVICE_UNAVAILABLE
    return problem_response(document, {"Retry-After": _RETRY_AFTER_SECONDS} if outage else None)
