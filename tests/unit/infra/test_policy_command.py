"""``tandem policy`` over the files as they are, and over broken ones."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.command import policy
from infra.command.main import main

Tandem = Callable[..., Result]


@pytest.fixture
def tandem() -> Tandem:
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(main, ["policy", *words])


def test_every_policy_file_of_every_service_is_well_formed(tandem: Tandem) -> None:
    checked = tandem("check", "--json")
    assert checked.exit_code == 0, checked.output
    told = json.loads(checked.stdout)
    assert told["problems"] == {}
    assert told["files"] == len(list(policy.files())) > 15
    assert {service for service, _ in policy.files()} == {"alignment", "cost-shift", "intake", "risk"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('[parameters.surprise]\nvalue = 1\nsource = "here"\nstatus = "confirmed"\n', "unknown: surprise"),
        ('[parameters.surprise]\nvalue = 1\nstatus = "confirmed"\n', "surprise has no source"),
        (
            '[[parameters.minimum_aligned]]\nfrom = "2024-01"\nvalue = 1\nsource = "here"\nstatus = "confirmed"\n',
            "minimum_aligned holds twice from 2024-01",
        ),
    ],
)
def test_a_file_with_something_wrong_is_refused_with_what(
    tandem: Tandem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, told: str
) -> None:
    folder = tmp_path / "alignment" / "policy"
    folder.mkdir(parents=True)
    broken = folder / policy.PATHS_POLICY.name
    broken.write_text(policy.PATHS_POLICY.read_text(encoding="utf-8") + "\n" + wrong, encoding="utf-8")
    monkeypatch.setattr(policy, "_OWN_CHECKS", {broken: policy._OWN_CHECKS[policy.PATHS_POLICY]})
    monkeypatch.setattr(policy, "ROOT", tmp_path)
    checked = tandem("check")
    assert checked.exit_code == 1
    assert told in checked.stdout
    assert "1 files, 1 with something wrong" in checked.stdout


def test_what_differs_between_two_performance_years(tandem: Tandem) -> None:
    told = json.loads(tandem("diff", "PY2021", "PY2022", "--json").stdout)
    changed = {
        (one["before"] or one["after"])["name"]: [one[side] and one[side]["value"] for side in ("before", "after")]
        for one in told
    }
    assert changed["alignment_years"] == [
        [["2018-07-01", "2019-06-30"], ["2019-07-01", "2020-06-30"]],
        [["2019-07-01", "2020-06-30"], ["2020-07-01", "2021-06-30"]],
    ]
    assert changed["qualified_services.principal_care_management"][1] == {"codes": ["99424", "99425", "99426", "99427"]}
    assert "primary_care_specialties" not in changed
    assert "Nothing differs." in tandem("diff", "2022-02", "2022-03").stdout


def test_what_is_shown_holds_in_the_month_and_says_its_source(tandem: Tandem) -> None:
    (one,) = json.loads(tandem("show", "alignment_years", "--at", "PY2023", "--json").stdout)
    assert (one["first_month"], one["status"], one["service"]) == ("2023-01", "confirmed", "alignment")
    assert "table B.2.1" in one["source"]
    unconfirmed = json.loads(tandem("show", "--unconfirmed", "--json").stdout)
    assert {entry["status"] for entry in unconfirmed} == {"unconfirmed"}
    assert "GPDC" in tandem("show", "--service", "alignment").stdout


@pytest.mark.parametrize(("words", "code"), [(("show", "--at", "tomorrow"), 2), (("show", "nothing_like_it"), 1)])
def test_what_cannot_be_shown_says_why(tandem: Tandem, words: tuple[str, ...], code: int) -> None:
    shown = tandem(*words)
    assert shown.exit_code == code
    assert shown.stderr.startswith("Error: ")
