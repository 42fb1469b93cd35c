"""Nobody comes into a protected gateway without a token that holds, nothing goes out unrecorded, and the record shows tampering."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import access_world as access
import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, Depends, Query
from joserfc.jwk import ECKey

from services.runtime.access import audit, clients
from services.runtime.access.audit import Head, Read
from services.runtime.access.clients import ClientError
from services.runtime.access.guard import needs
from services.runtime.access.principal import NoPrincipalError
from services.runtime.database import apply_migrations, connect
from services.runtime.gateway import ReadConnection
from services.runtime.problems import MEDIA_TYPE

pytestmark = pytest.mark.broker
SCHEMA = "cost_shift"


def routes() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/figures/{name}", dependencies=[Depends(needs("measures.read"))])
    async def figures(name: str, connection: ReadConnection, month: Annotated[str, Query()] = "") -> dict[str, Any]:
        del name, month
        return {"tenant": await connection.fetchval("SELECT current_setting('tandem.state', true)")}

    @router.get("/operations", dependencies=[Depends(needs("operations.read"))])
    async def operations() -> None: ...

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    return router


@pytest_asyncio.fixture
async def owner(database_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    await access.reading_url(database_url)
    connection = await connect(database_url, SCHEMA)
    await apply_migrations(connection, SCHEMA, tmp_path)
    await access.register(connection, "ohio", "OH")
    await access.register(connection, "kentucky-plan", "KY/D9001", {"measures.read"})
    await access.register(connection, "nightly", None, {"operations.read"})
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def visitor(owner: Any, database_url: str, tmp_path: Path) -> AsyncIterator[access.Visitor]:
    del owner
    settings = access.settings_of(await access.reading_url(database_url), SCHEMA)
    async with access.visiting(access.definition(SCHEMA, tmp_path), routes(), settings) as opened:
        yield opened


def is_problem(answer: httpx.Response, status: int) -> bool:
    return (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)


async def test_a_client_gets_a_token_and_reads_as_its_tenant(visitor: access.Visitor, owner: Any) -> None:
    assert (await visitor.get("ohio", "/v1/figures/a", month="2022-01")).json() == {"tenant": "OH"}
    assert (await visitor.get("kentucky-plan", "/v1/figures/b")).json() == {"tenant": "KY"}
    assert await access.reads(owner) == [
        ("ohio", "", "POST /oauth/token", "", 200),
        ("ohio", "OH", "GET /v1/figures/{name}", "month", 200),
        ("kentucky-plan", "", "POST /oauth/token", "", 200),
        ("kentucky-plan", "KY/D9001", "GET /v1/figures/{name}", "", 200),
    ]


BAD_HEADERS: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "empty": [("Authorization", "")],
    "basic": [("Authorization", "Basic b2g6aW8=")],
    "no token": [("Authorization", "Bearer ")],
    "not a token": [("Authorization", "Bearer a.b.c")],
    "two": [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    "an assertion": [("Authorization", f"Bearer {access.assertion('ohio')}")],
}


@pytest.mark.parametrize("headers", BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
@pytest.mark.parametrize("path", ["/v1/figures/a", "/v1/nothing", "/docs", "/metrics", "/v1/figures/%27%20OR%201=1"])
async def test_without_a_token_everything_is_401_whether_it_exists_or_not(
    visitor: access.Visitor, owner: Any, headers: list[tuple[str, str]], path: str
) -> None:
    answer = await visitor.http.get(path, headers=headers)
    assert is_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="tandem"')
    assert await access.reads(owner) == [("-", "", "GET unknown", "", 401)]


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/openapi.json", "/oauth/keys", "/.well-known/oauth-authorization-server"]
)
async def test_what_machines_need_to_begin_is_open(visitor: access.Visitor, path: str) -> None:
    assert (await visitor.http.get(path)).status_code == 200
    assert (await visitor.http.post(path)).status_code == 401


async def test_a_scope_that_is_missing_is_403(visitor: access.Visitor, owner: Any) -> None:
    answer = await visitor.get("ohio", "/v1/operations")
    assert is_problem(answer, 403)
    assert 'scope="operations.read"' in answer.headers["www-authenticate"]
    assert (await visitor.get("nightly", "/v1/operations")).status_code == 200
    assert [row[-1] for row in await access.reads(owner)] == [200, 403, 200, 200]


async def test_an_expired_token_is_401(visitor: access.Visitor) -> None:
    assert (await visitor.get("ohio", "/v1/figures/a")).status_code == 200
    visitor.clock.time += 306
    answer = await visitor.get("ohio", "/v1/figures/a")
    assert is_problem(answer, 401)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_whoever_is_shut_out_is_out_with_the_token_still_good(visitor: access.Visitor, owner: Any) -> None:
    assert (await visitor.get("ohio", "/v1/figures/a")).status_code == 200
    await clients.revoke(owner, "ohio", "somebody")
    visitor.app.state.door.revoked._looked_at = float("-inf")  # a second later
    assert is_problem(await visitor.get("ohio", "/v1/figures/a"), 401)
    refused = await visitor.http.post("/oauth/token", data=access.form("ohio"))
    assert refused.json()["error"] == "invalid_client"


REFUSED_FORMS: dict[str, tuple[dict[str, Any], int, str]] = {
    "a password": ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    "no assertion": ({"client_assertion": ""}, 400, "invalid_request"),
    "a secret": ({"client_assertion_type": "client_secret"}, 400, "invalid_request"),
    "of another": ({"client_id": "kentucky-plan"}, 401, "invalid_client"),
    "a scope of others": ({"scope": "operations.read"}, 400, "invalid_scope"),
    "expired": ({"client_assertion": access.assertion("ohio", exp=int(access.NOW) - 60)}, 401, "invalid_client"),
    "for an hour": ({"client_assertion": access.assertion("ohio", exp=int(access.NOW) + 3600)}, 401, "invalid_client"),
    "for elsewhere": ({"client_assertion": access.assertion("ohio", aud="https://elsewhere")}, 401, "invalid_client"),
    "nobody": ({"client_assertion": access.assertion("nobody-here")}, 401, "invalid_client"),
    "another key": ({"client_assertion": access.assertion("ohio", ECKey.generate_key("P-384"))}, 401, "invalid_client"),
    "injected": ({"client_assertion": access.assertion("x'; DROP TABLE runtime_client; --")}, 401, "invalid_client"),
}


@pytest.mark.parametrize(("changed", "status", "code"), REFUSED_FORMS.values(), ids=REFUSED_FORMS.keys())
async def test_who_gets_no_token(
    visitor: access.Visitor, owner: Any, changed: dict[str, Any], status: int, code: str
) -> None:
    answer = await visitor.http.post("/oauth/token", data={**access.form("ohio"), **changed})
    assert is_problem(answer, status)
    assert answer.json()["error"] == code
    assert await access.reads(owner) == [("-", "", "POST /oauth/token", "", status)]


async def test_nobody_learns_which_clients_there_are(visitor: access.Visitor) -> None:
    told = set()
    for text in (access.assertion("nobody-here"), access.assertion("ohio", ECKey.generate_key("P-384"))):
        answer = (await visitor.http.post("/oauth/token", data=access.form("ohio", client_assertion=text))).json()
        told.add((answer["detail"], answer["error"], answer["title"]))
    assert len(told) == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{}", "application/json"), (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
     (b"\xff", "application/x-www-form-urlencoded"), (b"x" * 40_000, "application/x-www-form-urlencoded")],
)  # fmt: skip
async def test_bodies_that_are_no_form(visitor: access.Visitor, content: bytes, kind: str) -> None:
    answer = await visitor.http.post("/oauth/token", content=content, headers={"Content-Type": kind})
    assert is_problem(answer, 413 if len(content) > 32_768 else 400)


async def test_an_assertion_is_used_once_whoever_comes_first(visitor: access.Visitor) -> None:
    data = access.form("ohio")
    answers = await asyncio.gather(*(visitor.http.post("/oauth/token", data=data) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_a_new_key_and_the_old_one_until_its_end(visitor: access.Visitor, owner: Any) -> None:
    new = ECKey.generate_key("P-384")
    moment = datetime.fromtimestamp(access.NOW, UTC)
    await clients.rotate(owner, "ohio", new.as_pem(private=False).decode(), moment + timedelta(hours=1), "somebody")
    for key in (new, access.CLIENT_KEY):
        text = access.assertion("ohio", key)
        assert (
            await visitor.http.post("/oauth/token", data=access.form("ohio", client_assertion=text))
        ).status_code == 200
    another = ECKey.generate_key("P-384").as_pem(private=False).decode()
    await clients.rotate(owner, "ohio", another, moment, "somebody")
    for key in (new, access.CLIENT_KEY):
        text = access.assertion("ohio", key)
        assert (
            await visitor.http.post("/oauth/token", data=access.form("ohio", client_assertion=text))
        ).status_code == 401


async def test_clients_that_cannot_be(owner: Any) -> None:
    for name, tenant, scopes in (("ohio", "OH", {"measures.read"}), ("No Name", "OH", {"measures.read"}),
                                 ("nobody", "OH", set()), ("nobody", "OH", {"root"})):  # fmt: skip
        with pytest.raises(ClientError):
            await access.register(owner, name, tenant, scopes)
    for tenant, scopes in ((None, {"measures.read"}), ("OH", {"operations.read"}), ("Ohio", {"measures.read"})):
        with pytest.raises(NoPrincipalError):
            await access.register(owner, "nobody", tenant, scopes)
    with pytest.raises(ClientError):
        await clients.revoke(owner, "nobody", "somebody")
    assert [client.client_id for client in await clients.clients(owner)] == ["kentucky-plan", "nightly", "ohio"]


async def test_too_often_is_429_with_how_long_to_wait(owner: Any, database_url: str, tmp_path: Path) -> None:
    settings = access.settings_of(
        await access.reading_url(database_url), SCHEMA, requests_at_once=2, requests_per_minute=1
    )
    async with access.visiting(access.definition(SCHEMA, tmp_path), routes(), settings) as visitor:
        answers = [await visitor.get("ohio", "/v1/figures/a") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert is_problem(answers[2], 429)
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        assert (await visitor.get("kentucky-plan", "/v1/figures/a")).status_code == 200
        assert [row[-1] for row in await access.reads(owner) if row[0] == "ohio"] == [200, 200, 200, 429]
        before = len(await access.reads(owner))
        nobody = [(await visitor.http.get("/v1/figures/a")).status_code for _ in range(4)]
        assert nobody == [401, 401, 429, 429]
        assert len(await access.reads(owner)) == before + 2


async def test_an_error_is_in_the_record_too(visitor: access.Visitor, owner: Any) -> None:
    assert is_problem(await visitor.get("ohio", "/v1/broken"), 500)
    assert (await access.reads(owner))[-1] == ("ohio", "OH", "GET /v1/broken", "", 500)


async def test_without_a_record_there_is_no_answer(visitor: access.Visitor, owner: Any) -> None:
    await visitor.get("ohio", "/v1/figures/a")
    await owner.execute("ALTER FUNCTION runtime_audit_append RENAME TO elsewhere")
    answer = await visitor.get("ohio", "/v1/figures/a")
    assert is_problem(answer, 500)
    assert "tenant" not in answer.text


async def test_values_never_come_into_the_record(visitor: access.Visitor, owner: Any) -> None:
    await visitor.http.request("WONDER", "/v1/figures/1EG4TE5MK73?1EG4TE5MK73=1&month=1EG4TE5MK73",
                               headers={"Authorization": f"Bearer {await visitor.token('ohio')}"})  # fmt: skip
    await visitor.get("ohio", "/v1/figures/1EG4TE5MK73", **{"month": "1EG4TE5MK73", "name": "a", "Robert'); DROP": "b"})
    rows = await access.reads(owner)
    assert "1EG4TE5MK73" not in str(rows)
    assert [row[2:] for row in rows if row[2] != "POST /oauth/token"] == [
        ("OTHER /v1/figures/{name}", "? month", 405),
        ("GET /v1/figures/{name}", "? month name", 200),
    ]


async def _forty(visitor: access.Visitor) -> None:
    await visitor.get("ohio", "/v1/figures/a")
    await asyncio.gather(*(visitor.get("ohio", "/v1/figures/a", month=str(number)) for number in range(38)))


async def test_the_chain_is_what_it_says_and_shows_every_change(visitor: access.Visitor, owner: Any) -> None:
    await _forty(visitor)
    head, finding = await audit.verify(owner)
    assert (head.number, finding) == (40, None)
    assert head == await audit.head_of(owner)
    for statement, number in (
        ("UPDATE runtime_audit SET status = 403 WHERE number = 20", 20),
        ("UPDATE runtime_audit SET client_id = 'kentucky-plan' WHERE number = 1", 1),
        ("DELETE FROM runtime_audit WHERE number = 30", 30),
        ("DELETE FROM runtime_audit WHERE number > 35", 36),
        ("UPDATE runtime_audit SET read_at = read_at + interval '1 microsecond' WHERE number = 7", 7),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement)
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute("ALTER TABLE runtime_audit DISABLE TRIGGER runtime_audit_only_grows")
        await owner.execute(statement)
        await owner.execute("SAVEPOINT changed")
        found = await _verify_inside(owner)
        await transaction.rollback()
        assert found is not None, statement
        assert found.number == number, statement


async def _verify_inside(connection: Any) -> audit.Finding | None:
    """As :func:`audit.verify`, in the open transaction that changed something."""

    class Opened:
        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def transaction(self, **_: Any) -> Any:
            return connection.transaction()

    return (await audit.verify(Opened()))[1]  # type: ignore[arg-type]


async def test_a_chain_computed_anew_does_not_fit_what_was_noted(visitor: access.Visitor, owner: Any) -> None:
    await _forty(visitor)
    noted = await audit.head_of(owner)
    rows = await owner.fetch("SELECT * FROM runtime_audit ORDER BY number")
    await owner.execute("ALTER TABLE runtime_audit DISABLE TRIGGER runtime_audit_only_grows")
    await owner.execute("TRUNCATE runtime_audit")
    await owner.execute("UPDATE runtime_audit_head SET number = 0, digest = $1", audit.FIRST)
    kept = [Read(*tuple(row)[1:8]) for row in rows if row["number"] != 20]
    await owner.fetchval(audit._APPEND, *[list(column) for column in zip(*kept, strict=True)])
    assert (await audit.verify(owner))[1] is None
    finding = (await audit.verify(owner, [noted]))[1]
    assert finding is not None
    assert finding.number == 40
    bent = (await audit.verify(owner, [Head(10, b"x" * 32)]))[1]
    assert bent is not None
    assert bent.number == 10


async def test_the_reading_role_can_add_reads_and_change_nothing(owner: Any, database_url: str) -> None:
    del owner
    connection = await asyncpg.connect(await access.reading_url(database_url))
    await connection.execute(f"SET search_path TO {SCHEMA}")
    for statement in (
        "SELECT * FROM runtime_audit",
        "INSERT INTO runtime_audit SELECT * FROM runtime_audit",
        "UPDATE runtime_audit_head SET number = 0",
        "DELETE FROM runtime_audit",
        "TRUNCATE runtime_audit",
        "INSERT INTO runtime_client VALUES ('me', NULL, NULL, '{}')",
        "UPDATE runtime_client SET state = 'KY'",
        "SELECT payload FROM runtime_outbox",
        "SELECT * FROM runtime_dead_letter",
        "CREATE TABLE mine (a int)",
        "ALTER TABLE runtime_audit DISABLE TRIGGER ALL",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()
