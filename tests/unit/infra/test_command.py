import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from infra.command import main as main_module
from infra.command.main import main
from infra.local.ports import StartError
from services.runtime.exits import ExitCode

Tandem = Callable[..., Result]


@pytest.fixture
def tandem() -> Tandem:
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def _commands() -> list[str]:
    return [name for name in main_module._COMMANDS if name not in main_module._HIDDEN]


def test_the_help_lists_every_command_but_those_for_supervisors(tandem: Tandem) -> None:
    listed = tandem("--help").output
    assert all(f"  {name} " in listed for name in _commands())
    assert "\n  run " not in listed


@pytest.mark.parametrize("name", [*main_module._COMMANDS])
def test_every_command_explains_itself(tandem: Tandem, name: str) -> None:
    result = tandem(name, "--help")
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 5


def test_an_unknown_command_is_refused(tandem: Tandem) -> None:
    assert tandem("demolish").exit_code == 2


def test_a_server_that_does_not_start_is_a_message_not_a_traceback(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StartError("install Java")

    monkeypatch.setattr("infra.command.up.command", click.Command("up", callback=fail))
    result = tandem("up")
    assert result.exit_code == 1
    assert result.stderr == "Error: install Java\n"


PEOPLE = "age,sex,orec,medicaid,segment,icd10\n72,F,0,1,CFA,E119|I509\n40,M,1,1,CFD,\n"


@pytest.fixture
def people_file(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    return file


def test_score_gives_the_same_rows_with_score_and_categories(tandem: Tandem, people_file: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(tandem("score", people_file, "--model", "V28").stdout)))
    given = list(csv.DictReader(io.StringIO(PEOPLE)))
    assert [{name: row[name] for name in given[0]} for row in rows] == given
    assert rows[0]["hccs"] == "38|226"
    assert rows[1]["hccs"] == ""
    assert float(rows[0]["raw_score"]) > float(rows[1]["raw_score"]) > 0


def test_score_as_json_says_the_same(tandem: Tandem, people_file: Path) -> None:
    table = list(csv.DictReader(io.StringIO(tandem("score", people_file, "--model", "V24").stdout)))
    objects = json.loads(tandem("score", people_file, "--model", "V24", "--json").stdout)
    assert [(one["raw_score"], one["hccs"]) for one in objects] == [
        (float(row["raw_score"]), [int(hcc) for hcc in row["hccs"].split("|") if hcc]) for row in table
    ]


def test_scoring_nobody_is_an_empty_array(tandem: Tandem, tmp_path: Path) -> None:
    file = tmp_path / "nobody.csv"
    file.write_text(PEOPLE.splitlines()[0] + "\n")
    assert json.loads(tandem("score", file, "--model", "V28", "--json").stdout) == []


def test_score_names_the_row_and_never_the_value(tandem: Tandem, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE.replace("40,M", "forty,M"))
    result = tandem("score", file, "--model", "V28")
    assert result.exit_code == 2
    assert "row 2" in result.stderr
    assert "age" in result.stderr
    assert "forty" not in result.stderr


def test_simulate_tells_what_it_made(tandem: Tandem, tmp_path: Path) -> None:
    result = tandem("simulate", tmp_path / "made", "--people", 20, "--months", 2, "--seed", 1, "--json")
    told = json.loads(result.stdout.splitlines()[-1])
    truth = json.loads((tmp_path / "made" / "truth.json").read_text())
    assert told["people"] == 20
    assert told["deliveries"] == len(truth["deliveries"])
    assert told["claims"] == truth["totals"]["claims"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--shift", "medicare-to-medicaid", "--shift-month", "2050-01"), "within the service months"),
        (("--shift", "medicare-to-medicaid", "--shift-medicare-pbpm", "0.001"), "dollars and cents"),
        (("--shift", "medicare-to-medicaid", "--shift-medicare-pbpm", "-5"), "dollars and cents"),
        (("--shift", "sideways"), "Invalid value"),
    ],
)
def test_simulate_refuses_what_makes_no_sense(
    tandem: Tandem, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    result = tandem("simulate", tmp_path / "made", "--people", 5, "--months", 2, "--seed", 1, *words)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_simulate_does_not_write_into_a_folder_that_holds_something(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    result = tandem("simulate", tmp_path, "--people", 5, "--months", 2, "--seed", 1)
    assert result.exit_code == 2
    assert "not empty" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("deliver", "{file}"),
        ("status",),
        ("tail", "deliveries"),
        ("dead-letters",),
        ("rebuild", "cost-shift", "--compare"),
    ],
)
def test_what_needs_a_running_installation_says_how_to_start_one(
    tandem: Tandem, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "some.ndjson"
    file.write_text("{}")
    result = tandem(*(word.format(file=file) for word in words), "--folder", tmp_path / "none")
    assert result.exit_code == 1
    assert "tandem up" in result.stderr


def test_a_process_without_settings_ends_with_its_own_code_and_names_the_variables(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TANDEM_BROKERS", raising=False)
    monkeypatch.delenv("TANDEM_DATABASE_URL", raising=False)
    result = tandem("run", "worker", "cost-shift")
    assert result.exit_code == ExitCode.SETTINGS_INVALID
    assert "TANDEM_BROKERS" in result.stderr
    assert "TANDEM_DATABASE_URL" in result.stderr


def test_a_topic_is_known_by_its_short_name_or_not_at_all(tandem: Tandem, tmp_path: Path) -> None:
    result = tandem("tail", "gossip", "--folder", tmp_path)
    assert result.exit_code == 1
    assert "claims-medicare" in result.stderr
