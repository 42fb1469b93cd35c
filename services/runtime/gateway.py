"""The frame of every gateway: a FastAPI application that reads, and that a machine can run.

A service gives routes over its read model. They get :data:`ReadConnection`, one read-only snapshot a request, and
raise :class:`services.runtime.problems.Problem`. The frame adds health, readiness, metrics, request ids, access
logs by route template (a path could hold anything) and problems for all errors.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from time import monotonic, perf_counter
from typing import Annotated, Any, Final, TypeAlias, cast
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.applying import location_of
from services.runtime.conditional import handle_not_modified
from services.runtime.database import Connection, close, connect_patiently, is_transient, open_pool
from services.runtime.exits import SettingsInvalid
from services.runtime.problems import (
    Problem,
    ProblemDocument,
    document_problems,
    handle_problems,
    instance_of,
    problem_response,
)
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings
from services.runtime.telemetry import Liveness, Progress, log

# A text: asyncpg knows the parameter in its types only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
OpenPool = Callable[[], Awaitable[Pool]]
# Whether something is as it should be. May raise what is transient: that is no.
Check = Callable[[Pool], Awaitable[bool]]

# A 5xx share above the usual: the database or a route is broken.
REQUESTS: Final = Counter("tandem_http_requests_total", "Requests answered", ["service", "route", "status"])
# Growing 99th percentile: a query lost its index, or the database is busy.
REQUEST_SECONDS: Final = Histogram("tandem_http_request_seconds", "Time of one request", ["service", "route"])

_RETRY_AFTER_SECONDS: Final = "5"
_STOP_SECONDS: Final = 5


class Health(BaseModel):
    """``advancing``: what is known to wait is being worked off, or nothing waits."""

    status: str = "advancing"


class Readiness(BaseModel):
    """Every condition for answering requests."""

    checks: dict[str, bool]


async def read_connection(request: Request) -> AsyncIterator[Connection]:
    """Open one read-only snapshot for a request: all its queries see the same state, and none can write."""
    pool: Pool = request.app.state.pool
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield cast("Connection", connection)


ReadConnection = Annotated[Connection, Depends(read_connection)]


async def advances(pool: Pool, liveness: Liveness) -> bool:
    """Look whether the service advances while messages or outgoing events wait.

    What waits is what the announced deliveries say lies on the log; positions say what of it was applied.
    """
    row = await pool.fetchrow(_PROGRESS)
    assert row is not None  # noqa: S101 - a query without FROM always has a row
    return not liveness.observe(Progress(monotonic(), row["lag"], row["position"]))


_PROGRESS: Final = """
    WITH known AS (
        SELECT topics.key AS topic, ends.key::integer AS partition, max(ends.value::bigint) AS end_offset
        FROM runtime_vector, jsonb_each(end_offsets) AS topics, jsonb_each_text(topics.value) AS ends
        GROUP BY 1, 2
    )
    SELECT
        (SELECT coalesce(sum(greatest(known.end_offset - position.next_offset, 0)), 0)
         FROM runtime_position AS position JOIN known USING (topic, partition))::bigint
        + (EXISTS (SELECT FROM runtime_outbox))::integer AS lag,
        (SELECT coalesce(sum(next_offset), 0) FROM runtime_position)::bigint
        + (SELECT coalesce(sum(end_offset), 0) FROM runtime_relayed)::bigint AS position
"""


async def has_schema(pool: Pool) -> bool:
    """Look whether the service's tables are there."""
    return bool(await pool.fetchval("SELECT to_regclass('runtime_migration') IS NOT NULL"))


def create_gateway(
    service: str,
    routers: Sequence[APIRouter],
    *,
    open_pool: OpenPool,
    advancing: Check,
    checks: Mapping[str, Check],
) -> FastAPI:
    """Make the application of a service. ``checks`` decide readiness; ``advancing`` decides health."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await open_pool()
        try:
            yield
        finally:
            await _close(app.state.pool)

    # No documentation pages: they load scripts from elsewhere.
    app = FastAPI(title=f"Tandem {service}", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    handle_problems(app)
    handle_not_modified(app)
    app.add_middleware(_Frame, service=service)
    for router in (*routers, _operations(advancing, checks)):
        app.include_router(router)
    _document(app)
    return app


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await pool.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()


def _document(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document_problems(get_openapi(title=app.title, version=app.version, routes=app.routes))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


def _operations(advancing: Check, checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health", summary="Does it advance?")
    async def health(request: Request) -> Health:
        """Whether the service advances while there is something to do. Lag alone is no fault."""
        if not await _holds(advancing, request.app.state.pool):
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Work waits and nothing advances.", title="Stalled")
        return Health()

    @router.get("/ready", summary="Can it answer?")
    async def ready(request: Request) -> Readiness:
        """Whether requests can be answered."""
        held = {name: await _holds(check, request.app.state.pool) for name, check in checks.items()}
        failing = sorted(name for name, holds in held.items() if not holds)
        if failing:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"Failing: {', '.join(failing)}", title="Not ready")
        return Readiness(checks=held)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _holds(check: Check, pool: Pool) -> bool:
    try:
        return await check(pool)
    except Exception as error:
        if not _is_outage(error):
            raise
        return False


def _is_outage(error: Exception) -> bool:
    # A connection of the pool that broke under a query shows as an interface error.
    return is_transient(error) or isinstance(error, asyncpg.InterfaceError | asyncpg.UndefinedTableError)


class _Frame:
    """Around every request: its id, its line in the log, its metrics, and a problem for what nobody caught."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        route = f"{scope['method']} {getattr(scope.get('route'), 'path', 'unknown')}"
        REQUESTS.labels(self._service, route, str(status)).inc()
        REQUEST_SECONDS.labels(self._service, route).observe(seconds)
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
    outage = _is_outage(error)
    status = HTTPStatus.SERVICE_UNAVAILABLE if outage else HTTPStatus.INTERNAL_SERVER_ERROR
    document = ProblemDocument(title=status.phrase, status=status, instance=instance_of(request_id))
    return problem_response(document, {"Retry-After": _RETRY_AFTER_SECONDS} if outage else None)


def gateway_of(definition: ServiceDefinition, router: APIRouter, settings: Settings) -> FastAPI:
    """Make the gateway of a service over its own schema."""
    schema, liveness = settings.schema_name or definition.schema, Liveness()
    app = create_gateway(
        definition.name,
        [router],
        open_pool=lambda: open_pool(settings.database_url, schema),
        advancing=lambda pool: advances(pool, liveness),
        checks={"database": has_schema},
    )
    app.state.settings = settings
    return app


class _Server(uvicorn.Server):
    """Leaves signals to the process that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsInvalid(
            f"TANDEM_GATEWAY_HOST, TANDEM_GATEWAY_PORT: {host}:{port} cannot be listened on: {error.strerror}"
        ) from None


async def run_gateway(
    definition: ServiceDefinition, router: APIRouter, settings: Settings, stop: asyncio.Event
) -> None:
    """Answer requests until told to stop. Raises :class:`DatabaseUnreachable`, :class:`SettingsInvalid`."""
    schema = settings.schema_name or definition.schema
    await close(await connect_patiently(settings.database_url, schema, settings.start_timeout_seconds))
    config = uvicorn.Config(
        gateway_of(definition, router, settings),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = _Server(config)
    listening = _listening(settings.gateway_host, settings.gateway_port)
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.create_task(stop.wait())
    log("gateway_started", service=definition.name, port=listening.getsockname()[1])
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
