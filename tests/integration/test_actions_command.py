"""``tandem actions`` against a database of the risk service with two people in need."""

import asyncio
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import risk_world as world
from click.testing import CliRunner, Result
from test_care_gateway import populated

from infra.command import actions as module
from infra.command.main import main
from infra.local.installation import Installation

pytestmark = pytest.mark.broker
Tandem = Callable[..., Result]


async def _fill(url: str) -> None:
    async with world.prepared(url) as connection:
        await populated(connection)


@pytest.fixture
def tandem(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tandem:
    asyncio.run(_fill(database_url))
    monkeypatch.setattr(module, "require_ready", lambda _: None)
    monkeypatch.setattr(Installation, "database_url", lambda *_: database_url)
    return lambda *words: CliRunner(env={"COLUMNS": "300"}).invoke(main, ["actions", *words, "--folder", str(tmp_path)])


def test_a_worklist_is_listed_worked_off_and_exported(tandem: Tandem, tmp_path: Path) -> None:
    listed = json.loads(tandem("list", "--json", "--owner", "aide").stdout)
    assert {one["kind"] for one in listed} == {"flu_vaccine", "wellness_visit", "nutrition_meals"}
    table = tandem("list", "--kind", "flu_vaccine").stdout
    assert "Flu season 2022-2023 is open and no vaccination is on file" in table
    first, second = (one["action_id"] for one in listed if one["kind"] == "flu_vaccine")
    done = tandem("complete", first, "--on", "2022-10-20", "--by", "aide.7")
    assert (done.exit_code, "Recorded: done." in done.output) == (0, True)
    assert tandem("dismiss", second, "--reason", "declined", "--by", "aide.7").exit_code == 0
    twice = tandem("dismiss", first, "--reason", "declined", "--by", "aide.7")
    assert (twice.exit_code, "reopen it first" in twice.output) == (1, True)
    assert tandem("reopen", first, "--by", "aide.7").exit_code == 0
    assert "a user's name" in tandem("reopen", second, "--by", "Mary Smith").output
    assert "There is no such action" in tandem("reopen", "a" + "0" * 32, "--by", "aide.7").output
    target = tmp_path / "work.csv"
    assert "actions are in" in tandem("export", str(target), "--status", "any").output
    rows = {row["action_id"]: row["status"] for row in csv.DictReader(target.read_text().splitlines())}
    assert (rows[first], rows[second]) == ("open", "dismissed")
    assert len(rows) == len(json.loads(tandem("list", "--json", "--status", "any", "--limit", "1000").stdout))
    assert "there already" in tandem("export", str(target)).output
    bundle = tmp_path / "work.json"
    tandem("export", str(bundle), "--format", "fhir", "--kind", "flu_vaccine", "--status", "any")
    statuses = {one["resource"]["id"]: one["resource"]["status"] for one in json.loads(bundle.read_text())["entry"]}
    assert statuses == {first: "requested", second: "rejected"}


def test_outcomes_and_facilities_are_told(tandem: Tandem) -> None:
    groups = json.loads(tandem("outcomes", "--from", "2022-01-01", "--through", "2022-12-31", "--json").stdout)
    assert {one["group"]: one["raised"] for one in groups}["flu_vaccine"] == 2
    assert "flu_vaccine" in tandem("outcomes", "--from", "2022-01-01", "--through", "2022-12-31").stdout
    assert "No action was raised" in tandem("outcomes", "--from", "2020-01-01", "--through", "2020-12-31").stdout
    assert "No facility has been rated yet." in tandem("facilities").stdout
