"""A protected gateway over a real database, in the reading role, with clients that have keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from infra.local.ports import free_port
from services.runtime.access import clients
from services.runtime.access.assertions import ASSERTION_TYPE
from services.runtime.access.clients import Grant
from services.runtime.access.principal import Tenant
from services.runtime.access.signed import key_id
from services.runtime.gateway import gateway_of
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings

ISSUER = "http://gateway"
SIGNING = ECKey.generate_key("P-384")
CLIENT_KEY = ECKey.generate_key("P-384")
NOW = 1_790_000_000.0
STATE_SCOPES = frozenset({"measures.read", "effects.read"})


@dataclass
class Clock:
    time: float = NOW

    def __call__(self) -> float:
        return self.time


async def reading_url(url: str) -> str:
    """The same database in a role that owns nothing. To be made before the schema is migrated, which grants to it."""
    owner = urlsplit(url).username
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", f"{owner}_reader"):
            await connection.execute(f"CREATE ROLE {owner}_reader LOGIN PASSWORD 'reads' NOSUPERUSER NOBYPASSRLS")
    finally:
        await connection.close()
    return f"postgresql://{owner}_reader:reads@{url.split('@', 1)[1]}"


def settings_of(url: str, schema: str, **changed: Any) -> Settings:
    given = {
        "database_url": url, "brokers": "127.0.0.1:1", "schema_name": schema, "access": "token", "issuer": ISSUER,
        "signing_key": SIGNING.as_pem(private=True).decode(), "requests_at_once": 10_000, "requests_per_minute": 60_000,
        **changed,
    }  # fmt: skip
    return Settings(**given)


def assertion(client_id: str, key: ECKey = CLIENT_KEY, now: float = NOW, **changed: Any) -> str:
    claims = {
        "iss": client_id, "sub": client_id, "aud": f"{ISSUER}/oauth/token", "jti": str(uuid4()), "iat": int(now),
        "exp": int(now) + 300, **changed,
    }  # fmt: skip
    return jwt.encode({"alg": "ES384", "kid": key_id(key)}, claims, key, algorithms=["ES384"])


def form(client_id: str, **changed: Any) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(client_id),
        **changed,
    }


async def register(connection: Any, client_id: str, tenant: str | None, scopes: Iterable[str] = STATE_SCOPES) -> None:
    state, _, entity = (tenant or "").partition("/")
    grant = Grant(Tenant(state, entity or None) if state else None, frozenset(scopes))
    await clients.add(connection, client_id, grant, json.dumps(CLIENT_KEY.as_dict(private=False)), "somebody")


@dataclass
class Visitor:
    """A client of the gateway in memory, with its token."""

    http: httpx.AsyncClient
    app: FastAPI
    clock: Clock
    tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, client_id: str) -> str:
        answer = await self.http.post(
            "/oauth/token", data=form(client_id, client_assertion=assertion(client_id, now=self.clock.time))
        )
        assert answer.status_code == 200, answer.text
        text: str = answer.json()["access_token"]
        return text

    async def get(
        self, client_id: str, path: str, headers: Mapping[str, str] | None = None, **parameters: Any
    ) -> httpx.Response:
        if client_id not in self.tokens:
            self.tokens[client_id] = await self.token(client_id)
        marked = {"Authorization": f"Bearer {self.tokens[client_id]}", **(headers or {})}
        return await self.http.get(path, params=parameters or None, headers=marked)


def definition(schema: str, migrations: Path) -> ServiceDefinition:
    async def handle(*_: Any) -> None:
        raise AssertionError("a gateway handles nothing")

    return ServiceDefinition("cost-shift", schema, (), handle, migrations)


@asynccontextmanager
async def visiting(
    service: ServiceDefinition, router: APIRouter, settings: Settings, scope: str | None = None
) -> AsyncIterator[Visitor]:
    """The gateway while it runs. Its time is a clock that stands still."""
    app = gateway_of(service, router, settings, scope)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=ISSUER) as http,
    ):
        clock = Clock()
        door = app.state.door
        door.clock = door.tokens.clock = clock
        yield Visitor(http, app, clock)


@asynccontextmanager
async def serving(service: ServiceDefinition, router: APIRouter, settings: Settings) -> AsyncIterator[str]:
    """The gateway on a port, in real time; its issuer is its own address, as it is in an installation."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = gateway_of(service, router, settings.model_copy(update={"issuer": url}), None)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0.01)
    yield url
    server.should_exit = True
    await running


async def reads(connection: Any) -> list[tuple[Any, ...]]:
    """The record of reads without times, request ids and digests."""
    rows = await connection.fetch(
        "SELECT client_id, tenant, route, parameters, status FROM runtime_audit ORDER BY number"
    )
    return [tuple(row) for row in rows]
