"""Training and judging on simulated people: measures by hand, the same again from the seed, and the command's words."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.command.main import main
from infra.command.output import Failure
from infra.command.risk_training.history import History
from infra.command.risk_training.judging import by_group, c_statistic, flagged, judge, tenths
from infra.command.risk_training.simulated_history import simulated_histories
from infra.command.risk_training.training import train, train_alone
from services.risk.prediction_pack import pack_from
from services.risk.rules.person_use import PersonUse
from services.risk.rules.predictors import PREDICTORS, Candidate, predictors_of

CASES: list[tuple[list[float], list[bool], float]] = [
    ([0.1, 0.2, 0.3, 0.4], [False, False, True, True], 1.0),
    ([0.4, 0.3, 0.2, 0.1], [False, False, True, True], 0.0),
    ([0.1, 0.1, 0.1, 0.1], [False, True, False, True], 0.5),
    ([0.1, 0.2, 0.2, 0.4], [False, False, True, True], 0.875),
    ([0.1, 0.2], [True, True], 0.5),
]


@pytest.mark.parametrize(("predicted", "observed", "expected"), CASES)
def test_discrimination(predicted: list[float], observed: list[bool], expected: float) -> None:
    assert c_statistic(predicted, observed) == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_discrimination_is_the_share_of_pairs(people: list[tuple[int, bool]]) -> None:
    predicted, observed = [float(one) for one, _ in people], [had for _, had in people]
    pairs = [(a, b) for a, had in people if had for b, other in people if not other]
    expected = sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs) if pairs else 0.5
    assert c_statistic(predicted, observed) == pytest.approx(expected)


def test_calibration_and_capture() -> None:
    predicted = [0.9, 0.1, 0.1, 0.1, 0.3]
    judged = judge(predicted, [True, False, False, False, True])
    assert (judged.events, judged.captured) == (2, 0.5)
    assert judged.observed_to_expected == pytest.approx(2 / 1.5)
    assert judged.brier == pytest.approx((0.01 + 0.03 + 0.49) / 5)
    assert flagged(predicted) == [True, False, False, False, False]
    told = tenths([place / 20 for place in range(20)], [place >= 10 for place in range(20)])
    assert [(one.people, one.observed) for one in told] == [(2, 0.0)] * 5 + [(2, 1.0)] * 5


def history(use: PersonUse, *, avoidable: bool, residence: str = "community") -> History:
    return History(Candidate(70, 1.0, frozenset(), use), avoidable, {"residence": residence})


def test_groups_are_judged_with_the_fifth_that_is_flagged_of_everybody() -> None:
    histories = [history(PersonUse(), avoidable=place == 0, residence="ab"[place % 2]) for place in range(10)]
    found = {one.name: one for one in by_group(histories, [1 - place / 10 for place in range(10)])}
    assert (found["a"].judged.people, found["a"].judged.events, found["a"].flagged) == (5, 1, 0.2)
    assert (found["a"].flagged_of_events, found["b"].flagged_of_events) == (1.0, 0.0)
    assert found["unknown"].judged.people == 10, "characteristics that nobody states are one group"


def test_nothing_can_be_learnt_from_nobody() -> None:
    with pytest.raises(Failure, match="Nothing can be learnt"):
        train([history(PersonUse(), avoidable=False)] * 3, "2026-01-01", "nobody")


def test_a_predictor_that_decides_gets_the_weight_and_one_that_never_differs_gets_none() -> None:
    ill = [history(PersonUse(admissions_year=2), avoidable=place % 4 > 0) for place in range(80)]
    well = [history(PersonUse(), avoidable=place % 10 == 0) for place in range(80)]
    pack = train([*ill, *well], "2026-01-01", "made up")
    weights = dict(zip(PREDICTORS, pack.coefficients, strict=True))
    assert weights["admissions_year"] > 0.5
    assert weights["dialysis"] == 0.0
    alone = train_alone([*ill, *well], lambda one: one.candidate.use.admissions_year)
    assert alone.predict(2) == pytest.approx(0.75, abs=0.01)
    assert alone.predict(0) == pytest.approx(0.10, abs=0.01)


def test_simulated_people_have_a_year_behind_them_and_half_a_year_before_them() -> None:
    found = list(simulated_histories(3, 150))
    assert 100 < len(found) < 150
    assert found == list(simulated_histories(3, 150)), "the same seed gives the same people"
    assert 0 < sum(one.avoidable for one in found) < len(found) / 2
    assert any(one.candidate.use.avoidable_year for one in found)
    assert {name for one in found for name in one.groups} == {"age", "sex", "race", "dual status", "residence"}
    assert all(len(predictors_of(one.candidate)) == len(PREDICTORS) for one in found)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, dict[str, Any]]:
    path = tmp_path_factory.mktemp("train") / "pack.toml"
    asked = ["train-risk", "--people", "400", "--seed", "5", "--dated", "2026-01-02"]
    report = CliRunner().invoke(main, [*asked, "--json", "--output", str(path)])
    assert report.exit_code == 0, report.output
    return report.output, json.loads(report.output), tomllib.loads(path.read_text())


def test_the_command_gives_the_same_numbers_from_a_seed(
    trained: tuple[str, Any, dict[str, Any]], tmp_path: Path
) -> None:
    _, report, pack = trained
    assert pack["coefficients"] == report["coefficients"]
    assert pack_from(pack).dated == "2026-01-02"
    assert pack["measures"]["people_judged"] == report["judged_on_people"]
    ceilings, models = (
        {"true risk", "true risk as of the day"},
        {"all predictors", "HCC score alone", "prior cost alone"},
    )
    assert set(report["models"]) == ceilings | models
    assert sum(one["people"] for one in report["tenths"]) == report["judged_on_people"]
    assert {one["characteristic"] for one in report["groups"]} == {"age", "sex", "race", "dual status", "residence"}
    refused = CliRunner().invoke(
        main, ["train-risk", "--people", "200", "--seed", "5", "--output", str(tmp_path / "nowhere" / "pack.toml")]
    )
    assert refused.exit_code == 1
    assert "No such file" in refused.output
