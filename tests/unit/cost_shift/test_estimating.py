"""Estimates put together: pairs, drift before, quarters, and the policy that they are made with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infra.bench.county_worlds import MEDICAID, MEDICARE, CountyWorld
from services.cost_shift import estimate_policy as policies
from services.cost_shift import policy_files
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.estimate_policy import EstimatePolicy, estimate_policy
from services.cost_shift.estimating import Estimate, Estimator, PairEstimate, Windows
from services.cost_shift.policy_files import PolicyError

POLICY = replace(estimate_policy(), bootstrap_draws=99)
ALL = CategoryPair("all_services", "", "")
PAYERS = ("medicare", "medicaid")


def estimator(world: CountyWorld, policy: EstimatePolicy = POLICY) -> Estimator:
    return Estimator(world.panel(), world.windows, policy)


def pair_of(world: CountyWorld) -> PairEstimate:
    [pair] = estimator(world).effects().pairs([ALL], PAYERS)
    return pair


@pytest.mark.parametrize(
    ("effects", "direction", "ratio", "shifted"),
    [
        ((-6000.0, 4500.0), "medicare_to_medicaid", 0.75, 4500),
        ((4500.0, -6000.0), "medicaid_to_medicare", 0.75, 4500),
        ((-6000.0, -3000.0), "both_down", -0.5, 0),
        ((3000.0, 6000.0), "both_up", None, 0),
    ],
)
def test_a_planted_pair_is_told(
    effects: tuple[float, float], direction: str, ratio: float | None, shifted: float
) -> None:
    pair = pair_of(CountyWorld(5, counties=30, effects=effects, spread=500.0, county_spread=300.0))
    assert pair.direction == direction
    assert pair.offset_ratio == (None if ratio is None else pytest.approx(ratio, abs=0.05))
    assert pair.shifted == pytest.approx(shifted, abs=200)
    assert pair.net.effect == pytest.approx(sum(effects), abs=300)
    assert pair.net.effect == pytest.approx(pair.medicare.effect + pair.medicaid.effect)
    assert pair.medicare.excludes_zero
    assert pair.medicaid.excludes_zero
    assert pair.opposite_signs == (1.0 if shifted else 0.0)


def test_where_nothing_was_planted_signs_are_chance() -> None:
    shares = [pair_of(CountyWorld(seed, counties=12, effects=(0.0, 0.0))).opposite_signs for seed in range(8)]
    assert max(shares) < 1
    assert min(shares) < 0.9


def test_a_pair_one_series_of_which_has_no_cost_is_left_out() -> None:
    linked = [ALL, CategoryPair("home_health", "home_health", "home_health")]
    assert [pair.pair for pair in estimator(CountyWorld(1)).effects().pairs(linked, PAYERS)] == [ALL]


def test_every_series_is_told_in_the_order_of_the_panel_and_no_p_value_shrinks() -> None:
    found = estimator(CountyWorld(1)).effects().each()
    assert [one.series for one in found] == [MEDICARE, MEDICAID]
    assert all(one.adjusted_p_value >= one.estimate.p_value for one in found)


def test_the_detectable_effect_shrinks_as_counties_are_added() -> None:
    few, many = (
        np.mean([pair_of(CountyWorld(seed, counties=counties)).medicare.detectable for seed in range(3)])
        for counties in (6, 30)
    )
    assert many < few / 2


def test_a_drift_before_is_seen_and_an_effect_is_no_drift() -> None:
    quiet = {"counties": 30, "spread": 1000.0, "county_spread": 300.0}
    still = estimator(CountyWorld(2, **quiet)).earlier_trend().estimate(MEDICARE)
    drifting = estimator(CountyWorld(2, drift=400.0, **quiet)).earlier_trend().estimate(MEDICARE)
    assert abs(still.effect) < 100
    assert drifting.effect == pytest.approx(400, abs=100)
    assert drifting.excludes_zero


def test_quarters_show_when_it_began() -> None:
    world = CountyWorld(3, counties=30, spread=500.0, county_spread=300.0)
    quarters = {number: found.estimate(MEDICARE) for number, found in estimator(world).by_quarter().items()}
    assert sorted(quarters) == [-4, -3, -2, 0, 1, 2, 3]
    for number, one in quarters.items():
        assert one.effect == pytest.approx(-6000 if number >= 0 else 0, abs=500)


def test_quarters_need_a_month_before() -> None:
    world = CountyWorld(3)
    late = Windows("2018-01", "2018-12", "2019-01", "2022-12")
    with pytest.raises(ValueError, match="before the later window"):
        Estimator(world.panel(), late, POLICY).by_quarter()


def test_the_same_figures_give_the_same_answer() -> None:
    assert pair_of(CountyWorld(8)) == pair_of(CountyWorld(8))


@pytest.mark.parametrize(
    ("limits", "excludes"), [((1.0, 2.0), True), ((-2.0, -1.0), True), ((-1.0, 1.0), False), (None, False)]
)
def test_an_interval_without_end_excludes_nothing(limits: tuple[float, float] | None, excludes: bool) -> None:  # noqa: FBT001 - a table's column
    assert Estimate(1.5, 0.2, limits, 0.01, 3.0).excludes_zero is excludes


def test_windows_hold_their_months_and_none_between() -> None:
    windows = Windows("2021-01", "2021-06", "2022-01", "2022-06")
    held = [
        month for month in ("2020-12", "2021-01", "2021-06", "2021-07", "2022-01", "2022-07") if windows.hold(month)
    ]
    assert held == ["2021-01", "2021-06", "2022-01"]


def test_every_value_of_the_policy_has_its_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "estimates.toml").write_text("[power]\nvalue = 0.8\nstatus = 'confirmed'\n", encoding="utf-8")
    monkeypatch.setattr(policy_files, "POLICY_FOLDER", folder)
    with pytest.raises(PolicyError, match="power"):
        policies.estimate_policy.__wrapped__()
