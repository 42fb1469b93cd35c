"""The frame of every gateway: a FastAPI application that reads, and that a machine can run.

A service gives routes over its read model. They get :data:`ReadConnection`, one read-only snapshot a request, and
raise :class:`services.runtime.problems.Problem`. The frame adds health, readiness, metrics, request ids, access
logs by route template (a path could hold anything) and problems for all errors.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Final, TypeAlias, cast

import asyncpg
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from services.runtime.access.guard import Guard, needs
from services.runtime.access.principal import OPERATIONS
from services.runtime.access.protection import Protection, document_access, protection_of
from services.runtime.access.tenancy import enter_tenant, principal_of_request
from services.runtime.access.token_endpoint import token_routes
from services.runtime.conditional import handle_not_modified
from services.runtime.database import Connection, close, connect_patiently, open_pool
from services.runtime.exits import SettingsInvalid
from services.runtime.frame import Frame, is_outage
from services.runtime.problems import (
    Problem,
    document_problems,
    handle_problems,
)
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings
from services.runtime.telemetry import Liveness, Progress, log

# A text: asyncpg knows the parameter in its types only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
OpenPool = Callable[[], Awaitable[Pool]]
# Whether something is as it should be. May raise what is transient: that is no.
Check = Callable[[Pool], Awaitable[bool]]


_DOOR_CONNECTIONS: Final = 2
_STOP_SECONDS: Final = 5


class Health(BaseModel):
    """``advancing``: what is known to wait is being worked off, or nothing waits."""

    status: str = "advancing"


class Readiness(BaseModel):
    """Every condition for answering requests."""

    checks: dict[str, bool]


async def read_connection(request: Request) -> AsyncIterator[Connection]:
    """Open one read-only snapshot for a request: all its queries see the same state, and none can write.

    Of a client with a tenant they see that tenant's rows alone, wherever row-level security is.
    """
    async with snapshot(request) as connection:
        yield connection


@contextlib.asynccontextmanager
async def snapshot(request: Request) -> AsyncIterator[Connection]:
    """The same for a part of a request, for routes that wait between two looks."""
    pool: Pool = request.app.state.pool
    principal = principal_of_request(request)
    async with pool.acquire() as pooled, pooled.transaction(isolation="repeatable_read", readonly=True):
        connection = cast("Connection", pooled)
        if principal is not None and principal.tenant is not None:
            await enter_tenant(connection, principal.tenant)
        yield connection


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


@dataclass(frozen=True, slots=True)
class Protected:
    """A gateway that lets nobody in without a token. ``scope``: what every route needs; none where routes say it.

    ``open_pool`` opens a pool beside that of the routes: who comes in must not wait for what others compute.
    """

    protection: Protection
    open_pool: OpenPool
    scope: str | None = OPERATIONS


def create_gateway(  # noqa: PLR0913 - what a gateway is made of
    service: str,
    routers: Sequence[APIRouter],
    *,
    open_pool: OpenPool,
    advancing: Check,
    checks: Mapping[str, Check],
    protected: Protected | None = None,
) -> FastAPI:
    """Make the application of a service. ``checks`` decide readiness; ``advancing`` decides health."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await open_pool()
        try:
            async with _door_of(app, service, protected):
                yield
        finally:
            await _close(app.state.pool)

    # No documentation pages: they load scripts from elsewhere.
    app = FastAPI(title=f"Tandem {service}", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    handle_problems(app)
    handle_not_modified(app)
    if protected is not None:
        app.add_middleware(Guard)
    app.add_middleware(Frame, service=service)
    _include(app, [*routers, _operations(advancing, checks, with_metrics=protected is None)], protected)
    _document(app, protected)
    return app


def _include(app: FastAPI, routers: Sequence[APIRouter], protected: Protected | None) -> None:
    *of_service, operations = routers
    dependencies = [] if protected is None or protected.scope is None else [Depends(needs(protected.scope))]
    for router in of_service:
        app.include_router(router, dependencies=dependencies)
    app.include_router(operations)
    if protected is not None and protected.protection.issuer is not None:
        app.include_router(token_routes(protected.protection.issuer))


@contextlib.asynccontextmanager
async def _door_of(app: FastAPI, service: str, protected: Protected | None) -> AsyncIterator[None]:
    if protected is None:
        yield
        return
    pool = await protected.open_pool()
    protected.protection.open_door(app, service, pool)
    try:
        yield
    finally:
        await _close(pool)


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await pool.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()


def _document(app: FastAPI, protected: Protected | None) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = document_problems(get_openapi(title=app.title, version=app.version, routes=app.routes))
            issuer = None if protected is None else protected.protection.settings.issuer
            app.openapi_schema = schema if issuer is None else document_access(schema, issuer)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


def _operations(advancing: Check, checks: Mapping[str, Check], *, with_metrics: bool) -> APIRouter:
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

    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    if with_metrics:  # else they have a port of their own: how much is asked for is nobody else's business
        router.get("/metrics", include_in_schema=False)(metrics)
    return router


async def _holds(check: Check, pool: Pool) -> bool:
    try:
        return await check(pool)
    except Exception as error:
        if not is_outage(error):
            raise
        return False


def gateway_of(
    definition: ServiceDefinition, router: APIRouter, settings: Settings, scope: str | None = OPERATIONS
) -> FastAPI:
    """Make the gateway of a service over its own schema. ``scope``: as in :class:`Protected`.

    Raises:
        SettingsInvalid: it is not told whether, or by what, the gateway is protected.
    """
    schema, liveness, protection = settings.schema_name or definition.schema, Liveness(), protection_of(settings)
    small = partial(open_pool, settings.database_url, schema, size=_DOOR_CONNECTIONS)
    app = create_gateway(
        definition.name,
        [router],
        open_pool=lambda: open_pool(settings.database_url, schema),
        advancing=lambda pool: advances(pool, liveness),
        checks={"database": has_schema},
        protected=None if protection is None else Protected(protection, small, scope),
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
    definition: ServiceDefinition,
    router: APIRouter,
    settings: Settings,
    stop: asyncio.Event,
    *,
    scope: str | None = OPERATIONS,
) -> None:
    """Answer requests until told to stop. Raises :class:`DatabaseUnreachable`, :class:`SettingsInvalid`."""
    schema = settings.schema_name or definition.schema
    app = gateway_of(definition, router, settings, scope)
    await close(await connect_patiently(settings.database_url, schema, settings.start_timeout_seconds))
    config = uvicorn.Config(
        app,
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
