"""``tandem clients`` and ``tandem audit``, as an operator types them, over a real database."""

import asyncio
import json
from pathlib import Path
from typing import Any

import access_world as access
import asyncpg
import pytest
import states_world as world
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey

from infra.command import audit, clients
from infra.command.main import main
from infra.local.installation import Installation
from services.runtime.access.audit import Read

pytestmark = pytest.mark.broker


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    async def prepare() -> None:
        await (await world.prepare_as(database_url)).close()

    asyncio.run(prepare())
    for module in (clients, audit):
        monkeypatch.setattr(module, "require_ready", lambda _: None)
    monkeypatch.setattr(Installation, "database_url", lambda *_: database_url)
    return database_url


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def said(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    file = tmp_path / "ohio.pub.pem"
    file.write_bytes(ECKey.generate_key("P-384").as_pem(private=False))
    return file


def test_from_registering_to_shutting_out(url: str, public: Path, tmp_path: Path) -> None:
    del url
    made = said("clients", "add", "ohio-medicaid", "--state", "OH", "--key", str(public))
    assert made["scopes"] == ["effects.read", "measures.read"]
    said(
        "clients",
        "add",
        "ohio-plan",
        "--state",
        "OH",
        "--entity",
        "D9001",
        "--scope",
        "measures.read",
        "--key",
        str(public),
    )
    said("clients", "add", "nightly-job", "--new-key", str(tmp_path / "job.pem"))
    assert (tmp_path / "job.pem").stat().st_mode & 0o777 == 0o600
    rotated = said("clients", "rotate", "ohio-medicaid", "--keep-hours", "0", "--new-key", str(tmp_path / "new.pem"))
    assert run("clients", "revoke", "ohio-plan").exit_code == 0
    found = {one["client_id"]: one for one in said("clients", "list")}
    assert found["ohio-medicaid"]["key_ids"] == [rotated["key_id"]]
    assert (found["ohio-plan"]["tenant"], found["ohio-plan"]["revoked"]) == ("OH/D9001", True)
    assert (found["nightly-job"]["tenant"], found["nightly-job"]["scopes"]) == (None, ["operations.read"])
    assert "shut out" in run("clients", "list").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "ohio-medicaid", "--state", "OH"), "One of --key and --new-key"),
        (("add", "Ohio", "--state", "OH", "--key", "PUBLIC"), "small letters"),
        (("add", "ohio-medicaid", "--state", "Ohio", "--key", "PUBLIC"), "a state is two capitals"),
        (("add", "ohio-medicaid", "--entity", "D9001", "--key", "PUBLIC"), "give --state as well"),
        (
            ("add", "ohio-medicaid", "--state", "OH", "--scope", "operations.read", "--key", "PUBLIC"),
            "without a tenant",
        ),
        (("add", "ohio-medicaid", "--state", "OH", "--new-key", "PUBLIC"), "is there already"),
        (("rotate", "nobody-here", "--key", "PUBLIC"), "no such client"),
        (("revoke", "nobody-here"), "no such client"),
    ],
)
def test_what_an_operator_gets_wrong_is_said(url: str, public: Path, words: tuple[str, ...], told: str) -> None:
    del url
    done = run("clients", *(str(public) if word == "PUBLIC" else word for word in words))
    assert done.exit_code == 1
    assert told in " ".join(done.output.split())


def test_a_private_key_is_not_taken(url: str, tmp_path: Path) -> None:
    del url
    private = tmp_path / "key.pem"
    private.write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    assert "keep it" in run("clients", "add", "ohio-medicaid", "--state", "OH", "--key", str(private)).output


async def _read(url: str, count: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": world.SCHEMA})
    moment = world.datetime.fromtimestamp(access.NOW, world.UTC)
    rows = [Read(moment, "ohio", "OH", "GET /v1/measures", "", 200, str(number)) for number in range(count)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.fetchval("SELECT runtime_audit_append($1,$2,$3,$4,$5,$6,$7)", *columns)
    await connection.close()


async def _tamper(url: str) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": world.SCHEMA})
    await connection.execute("ALTER TABLE runtime_audit DISABLE TRIGGER ALL")
    await connection.execute("UPDATE runtime_audit SET client_id = 'kentucky' WHERE number = 3")
    await connection.close()


def test_the_record_is_verified_and_tampering_is_found(url: str) -> None:
    asyncio.run(_read(url, 5))
    head = run("audit", "head").output.strip()
    assert head.startswith("5:")
    assert said("audit", "verify", "--noted", head) == {"reads": 5, "digest": head.split(":")[1], "finding": None}
    assert "5 reads, each as it was written" in run("audit", "verify").output
    bent = run("audit", "verify", "--noted", f"4:{head.split(':')[1]}")
    assert (bent.exit_code, "Read 4" in bent.output) == (1, True)
    assert run("audit", "verify", "--noted", "x").exit_code == 2
    asyncio.run(_tamper(url))
    found = run("audit", "verify")
    assert (found.exit_code, "Read 3" in found.output) == (1, True)
