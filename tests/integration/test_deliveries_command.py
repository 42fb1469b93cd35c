"""``tandem deliveries`` against a database of intake with a refused delivery, one with a bad line, and a held one."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from intake_installation import installed, report

from infra.command import deliveries as module
from infra.command.main import main
from infra.local.installation import Installation
from services.runtime.database import connected

pytestmark = pytest.mark.broker

Tandem = Callable[..., Result]


async def _fill(url: str, folder: Path) -> tuple[str, str]:
    (folder / "changed").mkdir()
    changed = report(folder / "changed", "1S00E00AA01,20220101,")
    bad_line = report(folder, "1S00E00AA01,20220101,", "NOBODY,20220101,")
    async with installed(url) as intake:
        refused = await intake.take(changed)
        changed.write_text("not what was registered\n")
        read = await intake.delivered(bad_line)
    return refused.delivery_id, read.delivery_id


@pytest.fixture
def deliveries(database_url: str, tmp_path: Path) -> tuple[str, str]:
    """The refused one, and the one with a bad line."""
    return asyncio.run(_fill(database_url, tmp_path))


@pytest.fixture
def tandem(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tandem:
    monkeypatch.setattr(module, "require_ready", lambda _: None)
    monkeypatch.setattr(Installation, "database_url", lambda *_: database_url)
    return lambda *words: CliRunner(env={"COLUMNS": "250"}).invoke(
        main, ["deliveries", *words, "--folder", str(tmp_path)]
    )


async def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    async with connected(url, "intake") as connection:
        return [tuple(row) for row in await connection.fetch(statement)]


def test_the_list_shows_refused_deliveries_and_faults_of_lines(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    told = json.loads(tandem("quarantine", "--json").stdout)
    (refused,) = told["deliveries"]
    assert (refused["delivery_id"], refused["sequence"]) == (deliveries[0], 1)
    assert refused["reason_code"] == "content_changed"
    (count,) = told["lines"]
    assert (count["delivery_id"], count["reason"], count["lines"]) == (deliveries[1], "not_an_mbi", 1)
    words = tandem("quarantine").stdout
    assert "refused" in words
    assert "not_an_mbi" in words


def test_the_lines_of_a_delivery_are_shown_without_their_content(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    (line,) = json.loads(tandem("quarantine", deliveries[1], "--json").stdout)
    assert (line["line"], line["field"], line["reason"]) == (3, "BENE_MBI_ID", "not_an_mbi")
    words = tandem("quarantine", deliveries[1]).stdout
    assert "BENE_MBI_ID" in words
    assert "NOBODY" not in words
    assert "No line" in tandem("quarantine", deliveries[0]).stdout


def test_a_delivery_that_is_not_there_is_a_message(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    assert deliveries
    nowhere = tandem("quarantine", "d" + "0" * 32)
    assert (nowhere.exit_code, "There is no delivery" in nowhere.stderr) == (1, True)


def test_a_retry_numbers_the_delivery_anew_and_is_recorded(
    tandem: Tandem, deliveries: tuple[str, str], database_url: str
) -> None:
    done = tandem("retry", deliveries[0], "--actor", "Ada")
    assert done.exit_code == 0, done.stderr
    assert "delivery 3" in done.stderr
    state = f"SELECT sequence, status, reason_code FROM delivery WHERE delivery_id = '{deliveries[0]}'"
    assert asyncio.run(_rows(database_url, state)) == [(3, "registered", None)]
    retries = "SELECT delivery_id, refused_sequence, sequence, reason_code, actor FROM delivery_retry"
    assert asyncio.run(_rows(database_url, retries)) == [(deliveries[0], 1, 3, "content_changed", "Ada")]


@pytest.mark.parametrize("which", [1, None])
def test_only_a_refused_delivery_can_be_taken_again(
    tandem: Tandem, deliveries: tuple[str, str], database_url: str, which: int | None
) -> None:
    done = tandem("retry", "d" + "0" * 32 if which is None else deliveries[which])
    assert (
        done.exit_code,
        "There is no delivery" in done.stderr if which is None else "is not a refused one" in done.stderr,
    ) == (1, True)
    assert asyncio.run(_rows(database_url, "SELECT * FROM delivery_retry")) == []


async def _hold(url: str, folder: Path) -> None:
    async with installed(url) as intake:
        held = await intake.delivered(report(folder, "1S00E00AA02,20220101,", month="202201"))
        assert held.status == "held"


def test_the_list_shows_deliveries_with_what_they_changed(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    told = json.loads(tandem("list", "--json").stdout)
    assert [one["sequence"] for one in told] == [2, 1]
    assert [one["status"] for one in told] == ["completed", "refused"]
    assert [one["delivery_id"] for one in json.loads(tandem("list", "--status", "refused", "--json").stdout)] == [
        deliveries[0]
    ]
    shown = tandem("list").stdout
    assert "content_changed" in shown
    assert "ALIGNMENT_REPORT.D9001.202202.D220210.csv" in shown
    assert "no such delivery" in tandem("list", "--status", "held").stderr


@pytest.mark.parametrize("name", ["2", None])
def test_one_delivery_is_shown_by_its_number_and_by_its_id(
    tandem: Tandem, deliveries: tuple[str, str], name: str | None
) -> None:
    detail = json.loads(tandem("show", name or deliveries[1], "--json").stdout)
    assert (detail["delivery_id"], detail["contents"]) == (deliveries[1], {"alignment_report": 1})
    shown = tandem("show", name or deliveries[1]).stdout
    for told in (
        "held alignment report",
        "not_an_mbi",
        "BENE_MBI_ID",
        "first of its kind",
        "not known whether withheld",
    ):
        assert told in shown
    assert "NOBODY" not in shown


def test_a_held_delivery_is_released_with_who_and_why(
    tandem: Tandem, deliveries: tuple[str, str], database_url: str, tmp_path: Path
) -> None:
    assert deliveries
    asyncio.run(_hold(database_url, tmp_path))
    shown = tandem("show", "3").stdout
    assert "held older_than_the_last" in shown
    assert "1 added, 1 gone, 0 changed" in shown
    assert tandem("release", "3", "--actor", "Ada").exit_code == 2
    done = tandem("release", "3", "--actor", "Ada", "--reason", "late by mail")
    assert (done.exit_code, "delivery 4" in done.stderr) == (0, True)
    assert "by Ada: late by mail, then delivery 4" in tandem("show", "4").stdout
    again = tandem("release", "4", "--actor", "Ada", "--reason", "late by mail")
    assert (again.exit_code, "is not held" in again.stderr) == (1, True)


def test_a_held_delivery_is_rejected_and_shows_who_did_it(
    tandem: Tandem, deliveries: tuple[str, str], database_url: str, tmp_path: Path
) -> None:
    assert deliveries
    asyncio.run(_hold(database_url, tmp_path))
    assert tandem("reject", "3", "--actor", "Ada", "--reason", "a test file").exit_code == 0
    shown = tandem("show", "3").stdout
    assert "refused rejected" in shown
    assert "by Ada: a test file" in shown
    assert tandem("reject", "3", "--actor", "Ada", "--reason", "again").exit_code == 1
    assert tandem("retry", "3", "--actor", "Ada").exit_code == 0


def test_people_are_listed_on_request_only(
    tandem: Tandem, deliveries: tuple[str, str], database_url: str, tmp_path: Path
) -> None:
    assert deliveries

    async def replaced() -> None:
        async with installed(database_url) as intake:
            await intake.delivered(report(tmp_path, "1S00E00AA02,20220101,", month="202203"))

    asyncio.run(replaced())
    detail = tandem("show", "3", "--json").stdout
    (added,) = json.loads(tandem("show", "3", "--people", "added", "--json").stdout)
    (gone,) = tandem("show", "3", "--people", "gone").stdout.splitlines()
    assert added != gone
    assert added[0] == gone[0] == "p"
    assert added not in detail
    assert gone not in detail
    assert tandem("show", "3", "--people", "changed").stdout == ""


def test_an_empty_quarantine_is_said_to_be_empty(tandem: Tandem, database_url: str) -> None:
    async def install() -> None:
        async with installed(database_url):
            pass

    asyncio.run(install())
    assert "Nothing is in quarantine" in tandem("quarantine").stderr
