"""Cells of a study, and what signals make of planted shifts and of people who change instead."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.alignment import DecisionChange, MonthDecision, Outcome, PredicateResult
from contracts.codes import Cohort
from contracts.months import add_months
from contracts.risk import RiskScored, RiskScoredData
from infra.bench.signal_recovery import found_in, row_of, signal_of, true_effect
from infra.bench.study_worlds import PAIR, SERIES, StudyWorld
from services.cost_shift.changes import Traits
from services.cost_shift.chart_policy import chart_policy
from services.cost_shift.risk_scores import score_rows
from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.signalling import Estimated, estimated, joint_p_values
from services.cost_shift.study_cells import StudyCells, UnitMonth, group_starts, known_share, trait
from services.cost_shift.study_charts import charted
from services.cost_shift.studying import earlier_months, pair_estimates, smaller, until, usable
from services.cost_shift.worker import traits_of

PLANTED = StudyWorld(5, counties=10, people=40, months=24)
STUDY = PLANTED.study()


@pytest.fixture(scope="module")
def told() -> Estimated:
    return estimated(STUDY)


@pytest.mark.parametrize(
    ("entered", "start"),
    [
        ("2019-05", "2021-01"),
        ("2020-01", "2021-01"),
        ("2020-12", "2021-01"),
        ("2021-01", "2021-01"),
        ("2021-03", "2021-01"),
        ("2021-04", "2021-04"),
        ("2021-12", "2021-10"),
    ],
)
def test_people_count_from_the_quarter_of_their_entry(entered: str, start: str) -> None:
    months = [add_months("2020-01", number) for number in range(24)]
    assert group_starts(months, "2020-12", 3)[entered] == start


def _cells() -> StudyCells:
    cells = StudyCells()
    for key, count in {
        UnitMonth("39001", "2021-01", "2020-12"): 4, UnitMonth("39001", "2021-01", "2021-01"): 5,
        UnitMonth("39003", "2021-01", "2021-01"): 6, UnitMonth("39001", "", "2021-01"): 7,
    }.items():  # fmt: skip
        cells.people[key] = count
        cells.traits[key] = {"scored": count - 1, "thousandths": 1000.0 * (count - 1), "moved": 1}
        cells.cents[key][SERIES[0]] = 100 * count
    return cells


def test_people_without_an_earlier_month_compare_to_nothing_and_are_left_out() -> None:
    kept = _cells().of_months(["2020-12", "2021-01"])
    assert set(kept.people) == {key for key in _cells().people if key.county != "39003"}
    assert set(_cells().of_months(["2021-01"]).people) == {UnitMonth("39001", "", "2021-01")}


def test_a_trait_of_whom_it_is_unknown_is_taken_to_be_the_average() -> None:
    cells = _cells()
    assert trait(cells, "thousandths", "scored", 1e-3) == pytest.approx(np.ones(4))
    assert trait(cells, "moved") == pytest.approx([1 / cells.people[key] for key in cells.ordered()])
    assert known_share(cells, "scored") == pytest.approx(18 / 22)
    assert known_share(StudyCells(), "scored") == 0


@given(st.permutations(list(_cells().people)))
def test_the_digest_is_of_the_numbers_and_not_of_their_order(order: list[UnitMonth]) -> None:
    cells = _cells()
    shuffled = StudyCells({key: cells.people[key] for key in order}, cells.traits, _cells().cents)
    assert shuffled.digest() == cells.digest()
    cells.cents[order[0]][SERIES[0]] += 1
    assert cells.digest() != shuffled.digest()


def test_a_planted_shift_is_notified_and_nothing_planted_is_not() -> None:
    told = signal_of(STUDY)
    assert (told.level, told.lacking, told.channel) == ("notify", [], PAIR.channel)
    still = signal_of(replace(PLANTED, effects=(0.0, 0.0)).study())
    assert still.level in {"none", "watch"}
    assert "chance_not_excluded" in still.lacking


@pytest.mark.parametrize(("change", "seen"), [("heavy_leave", True), ("young_leave", True), ("light_join", False)])
def test_other_people_are_no_shift(change: Any, seen: bool) -> None:  # noqa: FBT001 - one value of the table
    """Who leaves is seen; who joins is not followed, and so changes nothing."""
    told = signal_of(replace(PLANTED, counties=14, people=60, effects=(0.0, 0.0), change=change).study())
    assert told.level != "notify"
    assert ("people_changed" in told.lacking) is seen


def test_what_held_a_quarter_earlier_is_asked_of_the_months_known_then(told: Estimated) -> None:
    assert earlier_months(STUDY) == add_months(STUDY.months[-1], -3)
    before = until(STUDY, earlier_months(STUDY))
    assert max(key.month for key in before.cells.people) == earlier_months(STUDY)
    assert told.earlier[f"{PAIR.channel} medicare_to_medicaid"]
    # Two months behind the baseline the effect had not begun a quarter before: nothing can have held then.
    young = signal_of(until(STUDY, "2021-02"))
    assert "not_persistent" in young.lacking
    assert young.evidence is not None
    assert not young.evidence.held_a_quarter_earlier


def test_what_people_cost_before_makes_a_smaller_effect_detectable_where_they_come_and_go() -> None:
    """Cells follow groups, so most of what people differ in is taken out already: what is left to gain is what comings and goings add."""
    ratios = []
    for seed in range(1, 4):
        study = StudyWorld(seed, counties=12, people=40, months=24).study()
        adjusted, plain = pair_estimates(study)[0], pair_estimates(replace(study, covariates=False))[0]
        ratios.append(smaller(adjusted.medicare, plain.medicare))
        assert adjusted.medicare.effect != plain.medicare.effect
    assert np.mean([ratio for ratio in ratios if ratio is not None]) < 1


def test_of_many_channels_the_larger_p_value_of_each_counts(told: Estimated) -> None:
    single = [max(one.medicare.p_value, one.medicaid.p_value) for one in told.found]
    assert joint_p_values(told.found) == told.adjusted_p_values >= single


def test_too_few_counties_are_said() -> None:
    with pytest.raises(NotIdentifiedError, match="4 counties"):
        pair_estimates(StudyWorld(1, counties=4, people=10, months=20).study())


def test_channels_without_a_cost_are_left_out() -> None:
    assert [pair.channel for pair in usable([PAIR], [SERIES[0]])] == ["all_services"]
    assert [pair.channel for pair in usable([PAIR], SERIES)] == ["all_services", PAIR.channel]


def test_charts_follow_the_same_people_from_their_own_baselines() -> None:
    study = replace(PLANTED, staggered=False).study()
    told = charted(study, chart_policy())
    for series, effect in zip(SERIES, PLANTED.effects, strict=True):
        points = told.charts[series].points
        assert [point.month for point in points] == list(study.months[12:])
        assert np.mean([point.cents for point in points]) == pytest.approx(effect, abs=2500)
        assert told.charts[series].baseline.mean == pytest.approx(0, abs=20)
        moved = np.mean([point.cents for point in points]) - told.charts[series].baseline.mean
        assert told.changes[series].cents == pytest.approx(moved)
    assert told.changes[SERIES[0]].movement == "down"
    assert told.changes[SERIES[1]].movement == "up"
    expected = sum(study.cells.cents[key][SERIES[0]] for key in study.cells.people if key.start and not key.treated)
    months = sum(count for key, count in study.cells.people.items() if key.start and not key.treated)
    assert told.baseline_cents[SERIES[0]] == pytest.approx(expected / months)


def test_where_the_aligned_live_changes_no_chart() -> None:
    """Twice the people of one county on one side: every county is set against itself."""
    study = replace(PLANTED, counties=6).study()
    before = charted(study, chart_policy()).charts[SERIES[0]].points
    heavier = study.cells
    for key in [key for key in heavier.people if key.county == "39000" and key.start == ""]:
        heavier.people[key] *= 2
        heavier.cents[key] = {series: 2 * cents for series, cents in heavier.cents[key].items()}
    after = charted(replace(study, cells=heavier), chart_policy()).charts[SERIES[0]].points
    assert [point.cents for point in after] == pytest.approx([point.cents for point in before])


def test_without_a_long_baseline_there_is_no_chart() -> None:
    told = charted(replace(PLANTED.study(), baseline_last="2020-06"), chart_policy())
    assert (told.charts, told.changes) == ({}, {})


def test_recovery_counts_what_it_finds() -> None:
    world = replace(PLANTED, counties=6, grows=0.1)
    one = found_in(world, delays=False)
    truth = true_effect(world, world.study())
    assert abs(truth[0]) > abs(world.effects[0])
    row = row_of(world, [one, one])
    assert (row.seeds, row.bias[0]) == (2, one.medicare)


def _scored(segment: str, score: str, *, year: int = 2022, sequence: int = 3, model: str = "V24") -> RiskScored:
    data = RiskScoredData(
        person_id="p" + "0" * 32, state="OH", model=model, payment_year=year, diagnosis_year=year - 1,  # type: ignore[arg-type]
        segment=segment, raw_score=Decimal(score),  # type: ignore[arg-type]
    )  # fmt: skip
    return RiskScored.of(
        service="risk", key=data.person_id, version=f"{segment}{score}{model}", time=datetime(2022, 1, 1, tzinfo=UTC),
        delivery_id="d" + "0" * 32, sequence=sequence, data=data,
    )  # fmt: skip


def test_scores_are_kept_by_year_and_delivery_the_last_standing() -> None:
    events = [
        _scored("CFA", "1.234"),
        _scored("CFD", "1.5"),
        _scored("INS", "2", year=2023),
        _scored("CFA", "9", model="V28"),
    ]
    rows = score_rows(events)
    assert [row[1:] for row in rows] == [(2022, 3, 1500, True, False), (2023, 3, 2000, None, True)]


@pytest.mark.parametrize(
    ("outcome", "expected"), [(Outcome.PASS, False), (Outcome.FAIL, True), (Outcome.UNKNOWN, None), (None, None)]
)
def test_what_a_decision_says_of_the_person(
    outcome: Outcome | None,
    expected: bool | None,  # noqa: FBT001 - one value of the table
) -> None:
    predicates = () if outcome is None else (PredicateResult(name="NOT_IN_MA", outcome=outcome),)
    decided = MonthDecision(
        month="2022-01", aligned=False, basis="none", change=DecisionChange.REMOVED, cohort=Cohort.EXCLUDED,
        dual_status_code="02", predicates=predicates,
    )  # fmt: skip
    assert traits_of(decided) == Traits("02", expected)
    assert traits_of(decided.model_copy(update={"dual_status_code": None})).dual_status == ""
