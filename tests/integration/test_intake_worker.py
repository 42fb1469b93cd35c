"""Intake's process and gateway on a real database."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from intake_installation import KEYS, RECEIVED_AT, Installation, installed, report

from services.intake import pipeline as pipeline_module
from services.intake.deliveries import listed
from services.intake.gateway import router
from services.intake.inbox import Inbox
from services.intake.reading import Reading, Source
from services.intake.worker import MOST_BROKEN_IN_A_ROW, SERVICE, Intake, run_intake
from services.runtime.exits import DatabaseUnreachable, SettingsInvalid, TooManyParked
from services.runtime.gateway import gateway_of
from services.runtime.settings import Settings, load_settings
from services.runtime.transactions import no_probe

pytestmark = pytest.mark.broker

FIRST, SECOND = "1EG4TE5MK73", "6U50TE7GG18"
KEY = base64.b64encode(b"k" * 32).decode()


def settings_for(database_url: str, inbox: Path | None) -> Settings:
    return load_settings(
        database_url=database_url,
        brokers="127.0.0.1:1",
        pseudonym_key=KEY,
        payload_key=KEY,
        inbox=inbox,
        start_timeout_seconds=5,
    )


def intake_of(database_url: str, inbox: Path) -> Intake:
    return Intake(settings_for(database_url, inbox), "intake", KEYS, Inbox(inbox), lambda: RECEIVED_AT, no_probe)


async def statuses(installation: Installation) -> list[tuple[str, str | None]]:
    return [(found.status, found.reason_code) for found in reversed(await listed(installation.writing, 100))]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


async def test_the_inbox_is_taken_in_the_order_of_its_paths(database_url: str, inbox: Path) -> None:
    for month, folder in (("202203", "002"), ("202202", "001")):
        (inbox / folder).mkdir()
        report(inbox / folder, f"{FIRST},20220101,", month=month)
    (inbox / ".hidden.csv").write_text("x", encoding="utf-8")
    (inbox / "half.csv.part").write_text("x", encoding="utf-8")
    async with installed(database_url) as installation:
        worker = intake_of(database_url, inbox)
        await worker.turn(installation.pipeline())
        found = list(reversed(await listed(installation.writing, 100)))
        assert [delivery.name.split(".")[2] for delivery in found] == ["202202", "202203"]
        assert await statuses(installation) == [("completed", None)] * 2
        before = await installation.payloads()
        await worker.turn(installation.pipeline())
        assert await installation.payloads() == before


async def test_a_bug_in_one_delivery_is_kept_to_it(
    database_url: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(inbox, f"{FIRST},20220101,")
    report(inbox, f"{SECOND},20220101,", month="202203")
    right = pipeline_module.reader_of

    def breaks(source: Source) -> Iterator[Reading]:
        if ".202202." in source.name:
            raise ZeroDivisionError(FIRST)
        yield from right(source.kind)(source)

    monkeypatch.setattr(pipeline_module, "reader_of", lambda _kind: breaks)
    async with installed(database_url) as installation:
        await intake_of(database_url, inbox).turn(installation.pipeline())
        assert await statuses(installation) == [("refused", "reader_error"), ("completed", None)]
        refused = (await listed(installation.writing, 2))[-1]
        assert refused.reason_detail is not None
        assert refused.reason_detail.startswith("ZeroDivisionError")
        assert FIRST not in refused.reason_detail


async def test_a_reader_that_breaks_every_delivery_stops_the_process(
    database_url: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in range(1, MOST_BROKEN_IN_A_ROW + 2):
        report(inbox, f"{FIRST},20220101,", month=f"2022{month:02d}")

    def breaks(_source: Source) -> Iterator[Reading]:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline_module, "reader_of", lambda _kind: breaks)
    async with installed(database_url) as installation:
        with pytest.raises(TooManyParked):
            await intake_of(database_url, inbox).turn(installation.pipeline())
        assert (await statuses(installation))[-1] == ("registered", None)


async def test_the_process_works_through_its_inbox_and_ends_when_told(database_url: str, inbox: Path) -> None:
    report(inbox, f"{FIRST},20220101,")
    stop, done = asyncio.Event(), asyncio.Event()

    def probe(point: str) -> None:
        if point == "completing":
            done.set()

    running = asyncio.create_task(
        run_intake(settings_for(database_url, inbox), stop, clock=lambda: RECEIVED_AT, probe=probe)
    )
    await asyncio.wait({asyncio.create_task(done.wait()), running}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert done.is_set()
    stop.set()
    await asyncio.wait_for(running, 10)
    async with installed(database_url) as installation:
        await installation.work()
        assert await statuses(installation) == [("completed", None)]


async def test_one_process_leads_at_a_time(database_url: str, inbox: Path) -> None:
    async with installed(database_url), intake_of(database_url, inbox)._leading() as leader:
        other = asyncio.create_task(_lead(intake_of(database_url, inbox)))
        await leader.writing.execute("SELECT 1")
        assert not other.done()
        await leader.writing.execute("SELECT pg_advisory_unlock_all()")
        await asyncio.wait_for(other, 30)


async def _lead(intake: Intake) -> None:
    async with intake._leading():
        pass


async def test_settings_that_are_missing_are_named(database_url: str) -> None:
    with pytest.raises(SettingsInvalid, match="TANDEM_INBOX"):
        await run_intake(settings_for(database_url, None), asyncio.Event())


async def test_a_database_that_never_answers_ends_the_process(inbox: Path) -> None:
    settings = settings_for("postgresql://nobody@127.0.0.1:1/none", inbox).model_copy(
        update={"start_timeout_seconds": 0.2}
    )
    with pytest.raises(DatabaseUnreachable):
        await run_intake(settings, asyncio.Event())


@asynccontextmanager
async def client_of(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = gateway_of(SERVICE, router, settings_for(database_url, None))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client,
    ):
        yield client


async def answer(client: httpx.AsyncClient, path: str) -> Any:
    found = await client.get(path)
    assert found.status_code == 200, found.text
    return found.json()


async def test_the_gateway_tells_deliveries_and_quarantine_and_no_identifier(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as installation:
        delivery = await installation.delivered(report(tmp_path, f"{FIRST},20220101,", "NOBODY,20220101,"))
        unknown = tmp_path / "letter.pdf"
        unknown.write_bytes(b"%PDF")
        await installation.take(unknown)
        async with client_of(database_url) as client:
            newest, oldest = await answer(client, "/v1/deliveries")
            assert (newest["status"], newest["reason_code"]) == ("refused", "unrecognised_name")
            assert (oldest["records"], oldest["quarantined"], oldest["sequence"]) == (1, 1, 1)
            assert await answer(client, "/v1/deliveries?before=2") == [oldest]
            detail = await answer(client, f"/v1/deliveries/{delivery.delivery_id}")
            assert {name: detail[name] for name in oldest} == oldest
            assert detail["contents"] == {"alignment_report": 1}
            assert [(fault["reason"], fault["lines"]) for fault in detail["faults"]] == [("not_an_mbi", 1)]
            assert [line["line"] for line in detail["first_lines"]] == [3]
            assert (detail["people"], detail["compared_with"], detail["decisions"]) == (1, None, [])
            (line,) = await answer(client, f"/v1/deliveries/{delivery.delivery_id}/quarantine")
            assert (line["line"], line["field"], line["reason"]) == (3, "BENE_MBI_ID", "not_an_mbi")
            quarantine = await answer(client, "/v1/quarantine")
            assert [found["sequence"] for found in quarantine["deliveries"]] == [2]
            assert [count["lines"] for count in quarantine["lines"]] == [1]
            said = str((newest, oldest, detail, line, quarantine))
            assert FIRST not in said
            assert "NOBODY" not in said


@pytest.mark.parametrize("path", ["/v1/deliveries/d" + "0" * 32, "/v1/deliveries/d" + "0" * 32 + "/quarantine"])
async def test_a_delivery_that_is_not_there_is_a_problem(database_url: str, path: str) -> None:
    async with installed(database_url), client_of(database_url) as client:
        found = await client.get(path)
        assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json")


async def test_losing_the_database_is_no_bug_of_the_delivery(database_url: str, inbox: Path) -> None:
    report(inbox, f"{FIRST},20220101,")

    def lost(point: str) -> None:
        if point == "people resolved":
            raise asyncpg.ConnectionDoesNotExistError("gone")

    async with installed(database_url) as installation:
        worker = intake_of(database_url, inbox)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await worker.turn(installation.pipeline(lost))
        assert await statuses(installation) == [("staged", None)]
        await worker.turn(installation.pipeline())
        assert await statuses(installation) == [("completed", None)]
