"""A gateway over a real database: snapshots that cannot write, health from positions, start and stop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from services.runtime.database import apply_migrations, connected
from services.runtime.exits import DatabaseUnreachable, SettingsInvalid
from services.runtime.gateway import ReadConnection, advances, gateway_of, has_schema, run_gateway
from services.runtime.service import Batch, ServiceDefinition, Transaction
from services.runtime.settings import Settings
from services.runtime.telemetry import Liveness

pytestmark = pytest.mark.broker

SCHEMA = "bench"


async def handle(_: Batch, __: Transaction) -> None:
    raise AssertionError("a gateway handles nothing")


def definition(migrations: Path) -> ServiceDefinition:
    return ServiceDefinition("risk", SCHEMA, (), handle, migrations)


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/settings")
    async def read(connection: ReadConnection) -> dict[str, str]:
        names = ("search_path", "transaction_read_only", "transaction_isolation")
        return {name: await connection.fetchval(f"SHOW {name}") for name in names}

    @router.get("/write")
    async def write(connection: ReadConnection) -> None:
        await connection.execute("DELETE FROM runtime_position")

    @router.get("/gone")
    async def gone(connection: ReadConnection) -> None:
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    return router


@pytest.fixture
async def settings(database_url: str, tmp_path: Path) -> Settings:
    async with connected(database_url, SCHEMA) as connection:
        await apply_migrations(connection, SCHEMA, tmp_path)
    return Settings(database_url=database_url, brokers="127.0.0.1:1", gateway_port=0)


@asynccontextmanager
async def calling(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield client


async def test_routes_read_one_snapshot_in_their_own_schema(settings: Settings, tmp_path: Path) -> None:
    async with calling(gateway_of(definition(tmp_path), routes(), settings)) as client:
        assert (await client.get("/settings")).json() == {
            "search_path": SCHEMA,
            "transaction_read_only": "on",
            "transaction_isolation": "repeatable read",
        }


async def test_routes_cannot_write(settings: Settings, tmp_path: Path) -> None:
    async with calling(gateway_of(definition(tmp_path), routes(), settings)) as client:
        assert (await client.get("/write")).status_code in {500, 503}


async def test_a_killed_backend_is_an_outage_and_the_next_request_is_answered(
    settings: Settings, tmp_path: Path
) -> None:
    async with calling(gateway_of(definition(tmp_path), routes(), settings)) as client:
        assert (await client.get("/gone")).status_code == 503
        assert (await client.get("/settings")).status_code == 200


async def test_ready_only_with_the_schema(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"schema_name": "nothing_here"})
    async with calling(gateway_of(definition(tmp_path), routes(), empty)) as client:
        assert (await client.get("/ready")).status_code == 503
        assert (await client.get("/health")).status_code == 503
    async with calling(gateway_of(definition(tmp_path), routes(), settings)) as client:
        assert (await client.get("/ready")).json() == {"checks": {"database": True}}
        assert (await client.get("/health")).status_code == 200


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    async with asyncpg.create_pool(
        settings.database_url, min_size=1, max_size=2, server_settings={"search_path": SCHEMA}
    ) as opened:
        yield opened


def _impatient() -> Liveness:
    return Liveness(patience_seconds=0.0)


async def _announced(pool: "asyncpg.Pool[asyncpg.Record]", end: int) -> None:
    await pool.execute(
        "INSERT INTO runtime_vector VALUES (1, 'intake', 'd1', now(), false, $1::text::jsonb)",
        f'{{"tandem.coverage.v1": {{"0": {end}}}, "tandem.unread.v1": {{"0": 99}}}}',
    )


async def test_lag_without_advance_is_stalled(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    await pool.execute(
        "INSERT INTO runtime_position (topic, partition, next_offset) VALUES ('tandem.coverage.v1', 0, 5)"
    )
    await _announced(pool, 9)
    liveness = _impatient()
    assert await advances(pool, liveness), "the first look cannot know"
    assert not await advances(pool, liveness)
    await pool.execute("UPDATE runtime_position SET next_offset = 6")
    assert await advances(pool, liveness), "lag with advance is fine"
    await pool.execute("UPDATE runtime_position SET next_offset = 9")
    assert [await advances(pool, liveness) for _ in range(3)] == [True, True, True], "nothing waits"


async def test_an_outbox_that_nobody_sends_is_stalled(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    liveness = _impatient()
    await pool.execute("INSERT INTO runtime_outbox (topic, partition, key, payload) VALUES ('t', 0, '', '')")
    assert [await advances(pool, liveness) for _ in range(2)] == [True, False]
    await pool.execute("INSERT INTO runtime_relayed VALUES ('t', 0, 1)")
    assert await advances(pool, liveness)


async def test_schema_is_found(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    assert await has_schema(pool)
    await pool.execute("DROP TABLE runtime_migration")
    assert not await has_schema(pool)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_answers_until_told_to_stop(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"gateway_port": _free_port()})
    stop = asyncio.Event()
    running = asyncio.create_task(run_gateway(definition(tmp_path), routes(), settings, stop))
    address = f"http://127.0.0.1:{settings.gateway_port}"
    async with asyncio.timeout(20), httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8)) as client:
        assert (await client.get(f"{address}/ready")).status_code == 200
        stop.set()
        await running
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient().get(f"{address}/ready")


async def test_a_port_in_use_is_said(settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = settings.model_copy(update={"gateway_port": server.getsockname()[1]})
        with pytest.raises(SettingsInvalid, match="TANDEM_GATEWAY_PORT"):
            await run_gateway(definition(tmp_path), routes(), taken, asyncio.Event())


async def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"postgresql://nobody@127.0.0.1:{_free_port()}/none", brokers="x:1", start_timeout_seconds=0.3
    )
    with pytest.raises(DatabaseUnreachable):
        await run_gateway(definition(tmp_path), routes(), settings, asyncio.Event())
