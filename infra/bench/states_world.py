"""The states' gateway for benchmarks: a database with years of figures, a client, servers in processes of their own."""

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from joserfc.jwk import ECKey

from infra.bench.cost_shift_claims import flow
from infra.local.ports import free_port
from services.cost_shift.states.gateway import router
from services.cost_shift.worker import SERVICE
from services.runtime.access.principal import Tenant
from services.runtime.access.protection import protection_of
from services.runtime.database import apply_migrations, connect
from services.runtime.gateway import gateway_of
from services.runtime.settings import Settings
from services.runtime.telemetry import configure_logging

MONTHS = 48
REVISIONS = 60
FLOWING_PEOPLE = 20_000
_ENOUGH = 10**9  # requests: what is measured is not the limit
_START_SECONDS = 60
_READER = "postgres_reader"
SCOPES = frozenset({"measures.read", "effects.read"})

# One state, 5 entities, 13 categories, 2 payers: each figure shown first and then three times again, as revisions come.
_FILL = f"""
INSERT INTO revision SELECT n, 'd' || n, '2024-01-01'::timestamptz + n * interval '1 day', '2024-01-01'::date + n
FROM generate_series(1, {REVISIONS}) AS n;
INSERT INTO released_revision SELECT sequence FROM revision;
INSERT INTO released_person_months
SELECT 'OH', entity, cohort, to_char('2020-01-01'::date + month * interval '1 month', 'YYYY-MM'), 1, 2000 + month
FROM (VALUES ('D9001', 'aligned'), ('D9002', 'aligned'), ('D9003', 'aligned'), ('', 'comparison'), ('', 'excluded'))
    AS people (entity, cohort), generate_series(0, {MONTHS - 1}) AS month;
INSERT INTO released_measure
SELECT 'OH', entity, cohort, payer, category, month, 1 + showing * 15 + (hashtext(category || month) & 7),
    1000000 + showing * 20000, 900 + showing * 20, 0, 0, NULL, false, '{{claims}}',
    CASE WHEN showing > 0 THEN 1 + (showing - 1) * 15 + (hashtext(category || month) & 7) END, 1000000,
    CASE WHEN showing < 3 THEN 1 + (showing + 1) * 15 + (hashtext(category || month) & 7) END
FROM released_person_months,
    (VALUES ('medicare'), ('medicaid')) AS payers (payer),
    unnest(ARRAY['inpatient', 'outpatient', 'skilled_nursing_facility', 'nursing_facility', 'home_health', 'hospice',
        'physician', 'durable_medical_equipment', 'home_and_community', 'behavioural_health', 'drugs', 'other', 'capitation'])
        AS categories (category),
    generate_series(0, 3) AS showing;
ANALYZE released_measure; ANALYZE released_person_months;
"""  # noqa: S608 - constants


async def prepare(url: str) -> str:
    """Migrate and fill a database; its address in the reading role."""
    connection = await connect(url, SERVICE.schema)
    await connection.execute(f"CREATE ROLE {_READER} LOGIN PASSWORD 'reads' NOSUPERUSER NOBYPASSRLS")
    await apply_migrations(connection, SERVICE.schema, SERVICE.migrations)
    await connection.execute(_FILL)
    await connection.close()
    return f"postgresql://{_READER}:reads@{url.split('@', 1)[1]}"


async def publish(connection: "asyncpg.Connection[asyncpg.Record]", revision: int) -> None:
    """Publish one more revision that changes 100 figures."""
    async with connection.transaction():
        await connection.execute("INSERT INTO revision VALUES ($1, 'd', now(), current_date)", revision)
        await connection.execute(
            """INSERT INTO released_measure SELECT state, entity, cohort, payer, category, month, $1, cents + 5, claims + 11, 0, 0,
            NULL, false, causes, revision, cents FROM released_measure WHERE revision = 1 AND state = 'OH' LIMIT 100""",
            revision,
        )


def settings_of(reading_url: str, pem: str, port: int) -> Settings:
    """Of the protected gateway."""
    return Settings(
        database_url=reading_url,
        brokers="127.0.0.1:1",
        access="token",
        issuer=f"http://127.0.0.1:{port}",
        signing_key=pem,
        requests_per_minute=_ENOUGH,
        requests_at_once=_ENOUGH,
        requests_open=_ENOUGH,
        log_level="warning",
    )


def token_of(settings: Settings, clock: float) -> str:
    """A token of a state's client, made by the gateway's own key."""
    protection = protection_of(settings)
    if protection is None or protection.issuer is None:
        raise AssertionError("the benchmark's gateway makes its own tokens")
    return protection.issuer.token("bench", Tenant("OH"), SCOPES, "n", int(clock))


def _serve(app: FastAPI, port: int) -> None:
    configure_logging("warning")
    asyncio.run(uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False)).serve())


def _states(settings: Settings, port: int) -> None:
    _serve(gateway_of(SERVICE, router, settings, None), port)


def _bare(port: int) -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def nothing() -> Response:
        return Response(status_code=304, headers={"ETag": '"x"'})

    _serve(app, port)


@contextmanager
def _running(target: Any, *arguments: Any) -> Iterator[int]:  # noqa: ANN401 - a function and what it wants
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    try:
        _wait_until_it_listens(arguments[-1])
        assert process.pid is not None  # noqa: S101 - it was started
        yield process.pid
    finally:
        process.terminate()
        process.join(10)


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("the server of the benchmark did not start")
        time.sleep(0.05)


@contextmanager
def states_server(reading_url: str) -> Iterator[tuple[int, Settings, int]]:
    """The protected gateway, while it runs: its port, its settings and its process."""
    port, pem = free_port(), ECKey.generate_key("P-384").as_pem(private=True).decode()
    settings = settings_of(reading_url, pem, port)
    with _running(_states, settings, port) as process:
        yield port, settings, process


@contextmanager
def bare_server() -> Iterator[tuple[int, int]]:
    """One route of FastAPI that does nothing, while it runs: its port and its process."""
    port = free_port()
    with _running(_bare, port) as process:
        yield port, process


def _flow(url: str) -> None:
    asyncio.run(flow(url, FLOWING_PEOPLE))


@contextmanager
def flowing_claims(url: str) -> Iterator[None]:
    """A worker that applies claims without a pause, in a process of its own, while the block runs."""
    process = multiprocessing.get_context("spawn").Process(target=_flow, args=(url,), daemon=True)
    process.start()
    try:
        yield
        if not process.is_alive():
            raise AssertionError("claims ceased to flow: what was measured was idle")
    finally:
        process.terminate()
        process.join(10)
