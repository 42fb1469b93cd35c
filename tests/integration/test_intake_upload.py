"""Deliveries over HTTP: streamed to disk whole or not at all, known by their content, followed to their end."""

import asyncio
import errno
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from intake_installation import KEYS, RECEIVED_AT, installed, report

from services.intake import uploading
from services.intake.gateway import router
from services.intake.inbox import Inbox, deliverable_files
from services.intake.worker import SERVICE, Intake
from services.runtime.gateway import gateway_of, run_gateway
from services.runtime.settings import Settings, load_settings
from services.runtime.transactions import no_probe

pytestmark = pytest.mark.broker

FIRST, SECOND = "1EG4TE5MK73", "6U50TE7GG18"
NAME = "ALIGNMENT_REPORT.D9001.202202.D220210.csv"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return report(tmp_path, f"{FIRST},20220101,").read_bytes()


def settings_for(database_url: str, inbox: Path | None, **given: Any) -> Settings:
    return load_settings(
        database_url=database_url, brokers="127.0.0.1:1", inbox=inbox, start_timeout_seconds=5, **given
    )


@asynccontextmanager
async def client_of(database_url: str, inbox: Path | None, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = gateway_of(SERVICE, router, settings_for(database_url, inbox, **given))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client,
    ):
        yield client


def named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def uploaded(client: httpx.AsyncClient, content: bytes, name: str = NAME) -> httpx.Response:
    return await client.post("/v1/deliveries", content=content, headers=named(name))


def everything(inbox: Path) -> list[str]:
    return sorted(str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file())


def under_way(inbox: Path) -> list[Path]:
    return list(inbox.glob(".uploads/*/*"))


async def test_an_upload_is_pending_until_intake_has_taken_it(database_url: str, inbox: Path, content: bytes) -> None:
    async with installed(database_url) as installation, client_of(database_url, inbox) as client:
        taken = await uploaded(client, content)
        assert taken.status_code == 202, taken.text
        told = taken.json()
        assert (told["status"], told["sequence"], told["kind"]) == ("pending", None, "alignment_report")
        assert (told["source"], told["dated"], told["name"]) == ("D9001", "2022-02-10", NAME)
        address = taken.headers["location"]
        assert address == f"/v1/deliveries/{told['delivery_id']}"
        assert (await client.get(address)).json()["status"] == "pending"
        (lying,) = deliverable_files(inbox)
        assert lying.read_bytes() == content
        assert everything(inbox) == [f"uploads/{told['delivery_id']}/{NAME}"]
        worker = Intake(settings_for(database_url, inbox), "intake", KEYS, Inbox(inbox), lambda: RECEIVED_AT, no_probe)
        await worker.turn(installation.pipeline())
        done = (await client.get(address)).json()
        assert (done["status"], done["sequence"], done["records"]) == ("completed", 1, 1)
        again = await uploaded(client, content, NAME.replace("D220210", "D220211"))
        assert (again.status_code, again.json()["status"], again.headers["location"]) == (200, "completed", address)
        assert everything(inbox) == [f"uploads/{told['delivery_id']}/{NAME}"]


async def test_content_that_was_delivered_another_way_is_known(
    database_url: str, inbox: Path, tmp_path: Path, content: bytes
) -> None:
    async with installed(database_url) as installation, client_of(database_url, inbox) as client:
        delivery = await installation.delivered(tmp_path / NAME)
        known = await uploaded(client, content)
        assert (known.status_code, known.json()["delivery_id"]) == (200, delivery.delivery_id)
        assert everything(inbox) == []


async def test_many_at_once_of_the_same_content_are_one(database_url: str, inbox: Path, content: bytes) -> None:
    async with installed(database_url), client_of(database_url, inbox) as client:
        answers = await asyncio.gather(*(uploaded(client, content) for _ in range(8)))
        assert sorted(one.status_code for one in answers) == [200] * 7 + [202]
        assert len({one.headers["location"] for one in answers}) == 1
        assert len(everything(inbox)) == 1


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("../../etc/passwd", 422, "name_not_allowed"),
        ("..", 422, "name_not_allowed"),
        ("/etc/cron.d/x", 422, "name_not_allowed"),
        ("a/b.csv", 422, "name_not_allowed"),
        (r"..\\x.csv", 422, "name_not_allowed"),
        (".hidden.csv", 422, "name_not_allowed"),
        ("half.csv.part", 422, "name_not_allowed"),
        ("half.tmp", 422, "name_not_allowed"),
        ("x" * 201, 422, "name_not_allowed"),
        ("a\tb.csv", 422, "name_not_allowed"),
        ("", 422, "name_not_allowed"),
        (f"{FIRST}.csv", 422, "identifier_in_name"),
        ("letter.pdf", 415, "unrecognised_name"),
        ("P.D9001.ACO.ZCY22.D220310.T1000000", 422, "corrupted_archive"),
    ],
)
async def test_what_is_refused_leaves_nothing_and_its_name_is_not_repeated(
    database_url: str, inbox: Path, name: str, status: int, reason: str
) -> None:
    async with installed(database_url), client_of(database_url, inbox) as client:
        refused = await uploaded(client, b"REPORT_MONTH,DCE_ID", name)
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
        assert refused.json()["detail"].startswith(f"{reason}: ")
        assert FIRST not in refused.text
        assert everything(inbox) == []
        assert under_way(inbox) == []


async def test_an_empty_file_and_one_without_a_name_are_refused(database_url: str, inbox: Path, content: bytes) -> None:
    async with installed(database_url), client_of(database_url, inbox) as client:
        empty = await uploaded(client, b"")
        assert (empty.status_code, empty.json()["detail"][:10]) == (422, "empty_file")
        unnamed = await client.post("/v1/deliveries", content=content)
        assert (unnamed.status_code, unnamed.json()["detail"][:12]) == (400, "name_missing")
        encoded = {"Content-Disposition": "attachment; filename*=UTF-8''..%2Fx.csv"}
        assert (await client.post("/v1/deliveries", content=content, headers=encoded)).status_code == 422
        assert everything(inbox) == []


async def test_without_an_inbox_nothing_is_taken(database_url: str, content: bytes) -> None:
    async with installed(database_url), client_of(database_url, None) as client:
        assert (await uploaded(client, content)).status_code == 501
        assert (await client.get("/v1/deliveries/d" + "0" * 32)).status_code == 404


async def in_pieces(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_the_limit_holds_whether_the_size_is_stated_or_not(
    database_url: str, inbox: Path, content: bytes
) -> None:
    async with (
        installed(database_url),
        client_of(database_url, inbox, upload_limit_bytes=len(content) - 1) as client,
    ):
        assert (await uploaded(client, content)).status_code == 413
        streamed = await client.post("/v1/deliveries", content=in_pieces(content), headers=named(NAME))
        assert (streamed.status_code, streamed.json()["detail"][:9]) == (413, "too_large")
        assert everything(inbox) == []
    async with installed(database_url), client_of(database_url, inbox, upload_limit_bytes=len(content)) as client:
        streamed = await client.post("/v1/deliveries", content=in_pieces(content), headers=named(NAME))
        assert streamed.status_code == 202
        assert deliverable_files(inbox)[0].read_bytes() == content


async def test_a_full_disk_is_said_and_nothing_stays(
    database_url: str, inbox: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with installed(database_url), client_of(database_url, inbox) as client:
        with monkeypatch.context() as patched:
            patched.setattr(uploading, "_write_all", full)
            assert (await uploaded(client, content)).status_code == 507
        usage = shutil.disk_usage(inbox)._replace(free=len(content) - 1)
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda _: usage)
            assert (await uploaded(client, content)).status_code == 507
        assert everything(inbox) == []
        assert (await uploaded(client, content)).status_code == 202


async def test_a_sender_who_falls_silent_is_sent_away(
    database_url: str, inbox: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading.Door.__init__, "__defaults__", (0.05,))

    async def silent() -> AsyncIterator[bytes]:
        yield content[:10]
        await asyncio.Event().wait()

    async with installed(database_url), client_of(database_url, inbox) as client:
        refused = await client.post("/v1/deliveries", content=silent(), headers=named(NAME))
        assert (refused.status_code, refused.json()["detail"][:11]) == (408, "upload_idle")
        assert everything(inbox) == []


async def test_what_a_killed_process_left_behind_is_cleared_and_what_is_under_way_is_not(
    database_url: str, inbox: Path, content: bytes
) -> None:
    for name, age in (("stale", 90_000), ("fresh", 60)):
        folder = inbox / ".uploads" / name
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(b"half")
        os.utime(folder, times=(folder.stat().st_atime, folder.stat().st_mtime - age))
    async with installed(database_url), client_of(database_url, inbox) as client:
        await uploaded(client, content)
        assert sorted(path.name for path in (inbox / ".uploads").iterdir()) == ["fresh"]
        assert [path.name for path in deliverable_files(inbox)] == [NAME]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


async def until_under_way(inbox: Path, files: int) -> None:
    while len(under_way(inbox)) != files:  # noqa: ASYNC110 - another task makes and removes it, and tells nobody
        await asyncio.sleep(0.01)


async def test_a_broken_connection_leaves_nothing(database_url: str, inbox: Path, content: bytes) -> None:
    port, stop = free_port(), asyncio.Event()
    async with installed(database_url):
        settings = settings_for(database_url, inbox, gateway_port=port)
        serving = asyncio.create_task(run_gateway(SERVICE, router, settings, stop))
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=20)) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/ready")).status_code == 200
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f'POST /v1/deliveries HTTP/1.1\r\nHost: x\r\nContent-Disposition: attachment; filename="{NAME}"\r\n'
        writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[:-5])
        await writer.drain()
        async with asyncio.timeout(20):
            await until_under_way(inbox, 1)
            writer.transport.abort()
            await until_under_way(inbox, 0)
        assert everything(inbox) == []
        async with httpx.AsyncClient() as client:
            whole = await client.post(f"http://127.0.0.1:{port}/v1/deliveries", content=content, headers=named(NAME))
            assert whole.status_code == 202
        stop.set()
        await asyncio.wait_for(serving, 20)


async def test_whom_a_delivery_adds_and_no_longer_names_is_listed_on_request(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as installation, client_of(database_url, tmp_path) as client:
        await installation.delivered(report(tmp_path, f"{FIRST},20220101,"))
        second = await installation.delivered(report(tmp_path, f"{SECOND},20220101,", month="202203"))
        address = f"/v1/deliveries/{second.delivery_id}"
        detail = (await client.get(address)).json()
        assert [detail[f"people_{change}"] for change in ("added", "gone", "changed")] == [1, 1, 0]
        people = {}
        for change in ("added", "gone", "changed"):
            people[change] = (await client.get(f"{address}/people", params={"change": change})).json()
        assert [len(found) for found in people.values()] == [1, 1, 0]
        after = {"change": "gone", "after": people["gone"][0]}
        assert (await client.get(f"{address}/people", params=after)).json() == []
        assert (await client.get(f"{address}/people", params={"change": "renamed"})).status_code == 422
        nowhere = await client.get(f"/v1/deliveries/d{'0' * 32}/people", params={"change": "gone"})
        assert nowhere.status_code == 404
