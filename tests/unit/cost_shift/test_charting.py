"""Charts of differences, what they tell at their end, and what a pair of them deserves."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from contracts.months import add_months
from services.cost_shift.chart_policy import chart_policy
from services.cost_shift.charting import Chart, NoChartError, chart
from services.cost_shift.cohort_months import CohortMonths, differences
from services.cost_shift.completion import Completion
from services.cost_shift.rules.attention_level import Change, Level, Thresholds, attention_level, shifted
from services.cost_shift.rules.control_chart import baseline

POLICY = chart_policy()
MONTHS = [add_months("2020-01", number) for number in range(36)]
START = MONTHS[24]


def charted(step: float, seed: int = 1) -> Chart:
    noise = np.random.default_rng(seed).normal(0, 100, len(MONTHS))
    values = {month: noise[place] + (step if month >= START else 0) for place, month in enumerate(MONTHS)}
    return chart(values, MONTHS, START, POLICY)


@pytest.mark.parametrize(("step", "movement"), [(250.0, "up"), (-250.0, "down")])
def test_a_lasting_change_is_told_with_its_direction_and_size(step: float, movement: str) -> None:
    change = charted(step).change()
    assert change.movement == movement
    assert change.cents == pytest.approx(step, abs=80)


def test_most_quiet_series_tell_nothing() -> None:
    told = [charted(0.0, seed).change().movement for seed in range(40)]
    assert told.count(None) >= 36


def test_points_begin_behind_the_baseline_and_a_single_month_is_no_lasting_change() -> None:
    values = dict.fromkeys(MONTHS, 0.0)
    values |= {month: (-1.0) ** place for place, month in enumerate(MONTHS[:24])}
    values[START] = 30.0
    found = chart(values, MONTHS[:25], START, replace(POLICY, cusum_limit=100.0, ewma_width=100.0))
    assert [point.month for point in found.points] == [START]
    assert found.points[0].signals == ("limit_up",)
    assert found.change().movement is None


def test_charts_that_contradict_each_other_tell_nothing() -> None:
    base = baseline([1.0, 2.0, 1.0, 2.0])
    point = charted(250.0).points[-1]
    torn = Chart(base, (replace(point, signals=("cusum_up", "ewma_down")),))
    assert torn.change().movement is None


def test_a_flat_baseline_charts_nothing() -> None:
    found = chart(dict.fromkeys(MONTHS, 7.0), MONTHS, START, POLICY)
    assert found.points == ()
    assert found.change() == Change(None, 0.0)


def test_too_short_a_baseline_is_said() -> None:
    with pytest.raises(NoChartError, match="11 usable months, and 12"):
        chart(dict.fromkeys(MONTHS, 1.0), MONTHS, MONTHS[11], POLICY)


QUIET, UP, DOWN = Change(None, 0.0), Change("up", 900.0), Change("down", -1200.0)
LIMITS = Thresholds(least_cents=500, least_share=0.01)


@pytest.mark.parametrize(
    ("medicare", "medicaid", "baseline_cents", "level"),
    [
        (QUIET, QUIET, 50_000, "none"),
        (Change(None, -1200.0), Change(None, 900.0), 50_000, "none"),
        (DOWN, QUIET, 50_000, "watch"),
        (QUIET, UP, 50_000, "watch"),
        (DOWN, DOWN, 50_000, "watch"),
        (DOWN, UP, 50_000, "review"),
        (UP, DOWN, 50_000, "review"),
        (DOWN, UP, 90_000, "review"),
        (DOWN, UP, 90_001, "watch"),
        (DOWN, Change("up", 500.0), 50_000, "review"),
        (DOWN, Change("up", 499.9), 0, "watch"),
        # The charts moved apart, the means did not.
        (DOWN, Change("up", -3.0), 50_000, "watch"),
    ],
)
def test_attention(medicare: Change, medicaid: Change, baseline_cents: float, level: Level) -> None:
    assert attention_level(medicare, medicaid, baseline_cents, LIMITS) == level


@pytest.mark.parametrize(
    ("one", "other", "amount"), [(-60.0, 45.0, 45.0), (45.0, -60.0, 45.0), (-1.0, -2.0, 0.0), (0.0, 5.0, 0.0)]
)
def test_shifted(one: float, other: float, amount: float) -> None:
    assert shifted(Change("down", one), Change("up", other)) == amount


def test_only_months_with_both_cohorts_are_compared_and_costs_are_per_person_month() -> None:
    inpatient, drugs = ("medicare", "inpatient"), ("medicaid", "drugs")
    cohorts = CohortMonths(people={(True, "2022-01"): 10, (False, "2022-01"): 20, (True, "2022-02"): 5})
    cohorts.cents[True, "2022-01"] = {inpatient: 1000, drugs: 50}
    cohorts.cents[False, "2022-01"] = {inpatient: 500}
    assert cohorts.months() == ["2022-01"]
    assert cohorts.series() == [("medicaid", ""), drugs, ("medicare", ""), inpatient]
    means = cohorts.per_person_month(Completion(), "D9001")
    assert differences(means, inpatient, cohorts.months()) == {"2022-01": 75.0}
    assert differences(means, ("medicaid", ""), cohorts.months()) == {"2022-01": 5.0}
    assert differences(means, ("medicaid", "other"), cohorts.months()) == {"2022-01": 0.0}


def _values(seed: int = 1) -> dict[str, float]:
    noise = np.random.default_rng(seed).normal(0, 100, len(MONTHS))
    return {month: float(noise[place]) for place, month in enumerate(MONTHS)}


@pytest.mark.parametrize("restated", range(24, 36))
def test_only_months_from_the_restated_one_on_are_run_again(restated: int) -> None:
    """Month by month, then a correction: the same chart as from scratch, and no month before the corrected one is run."""
    values = _values()
    found, run = None, []
    for end in range(25, len(MONTHS) + 1):
        found = chart(values, MONTHS[:end], START, POLICY, found)
        run.append(found.run)
    assert run == [1] * 12
    assert found is not None
    values[MONTHS[restated]] += 500.0
    again = chart(values, MONTHS, START, POLICY, found)
    assert again.run == len(MONTHS) - restated
    assert replace(again, run=0) == replace(chart(values, MONTHS, START, POLICY), run=0)


def test_a_restated_baseline_runs_everything_again() -> None:
    values = _values()
    found = chart(values, MONTHS, START, POLICY)
    assert chart(values, MONTHS, START, POLICY, found).run == 0
    values[MONTHS[3]] += 500.0
    assert chart(values, MONTHS, START, POLICY, found).run == 12


def test_a_chart_goes_on_from_what_was_written_down() -> None:
    found = chart(_values(), MONTHS[:30], START, POLICY)
    read = TypeAdapter(Chart).validate_json(TypeAdapter(Chart).dump_json(found))
    assert read == found
    assert chart(_values(), MONTHS, START, POLICY, read).run == 6
