"""``tandem quarantine`` against a database of intake with a refused delivery and one with a bad line."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from intake_installation import installed, report

from infra.command import quarantine
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
    monkeypatch.setattr(quarantine, "require_ready", lambda _: None)
    monkeypatch.setattr(Installation, "database_url", lambda *_: database_url)
    return lambda *words: CliRunner().invoke(main, ["quarantine", *words, "--folder", str(tmp_path)])


async def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    async with connected(url, "intake") as connection:
        return [tuple(row) for row in await connection.fetch(statement)]


def test_the_list_shows_refused_deliveries_and_faults_of_lines(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    told = json.loads(tandem("list", "--json").stdout)
    (refused,) = told["deliveries"]
    assert (refused["delivery_id"], refused["sequence"]) == (deliveries[0], 1)
    assert refused["reason"].startswith("content_changed: ")
    (count,) = told["lines"]
    assert (count["delivery_id"], count["reason"], count["lines"]) == (deliveries[1], "not_an_mbi", 1)
    words = tandem("list").stdout
    assert "refused" in words
    assert "not_an_mbi" in words


def test_the_lines_of_a_delivery_are_shown_without_their_content(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    (line,) = json.loads(tandem("list", deliveries[1], "--json").stdout)
    assert (line["line"], line["field"], line["reason"]) == (3, "BENE_MBI_ID", "not_an_mbi")
    words = tandem("list", deliveries[1]).stdout
    assert "BENE_MBI_ID" in words
    assert "NOBODY" not in words
    assert "No line" in tandem("list", deliveries[0]).stdout


def test_a_delivery_that_is_not_there_is_a_message(tandem: Tandem, deliveries: tuple[str, str]) -> None:
    assert deliveries
    nowhere = tandem("list", "d" + "0" * 32)
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
    assert (done.exit_code, "no refused delivery" in done.stderr) == (1, True)
    assert asyncio.run(_rows(database_url, "SELECT * FROM delivery_retry")) == []


def test_an_empty_quarantine_is_said_to_be_empty(tandem: Tandem, database_url: str) -> None:
    async def install() -> None:
        async with installed(database_url):
            pass

    asyncio.run(install())
    assert "Nothing is in quarantine" in tandem("list").stderr
