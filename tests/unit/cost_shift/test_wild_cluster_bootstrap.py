"""The bootstrap on sums is the bootstrap on cells, and its intervals hold what was planted."""

from dataclasses import replace

import numpy as np
import pytest

from infra.bench.county_worlds import CountyWorld
from services.cost_shift.rules.clustered_regression import Regression, regression
from services.cost_shift.rules.county_panel import Numbers, Panel
from services.cost_shift.rules.wild_cluster_bootstrap import WildBootstrap, bootstrap_weights

LEVEL = 0.95


def of(world: CountyWorld) -> tuple[Panel, Numbers, Regression]:
    panel = world.panel()
    after = np.array([month >= world.windows.post_from for month in panel.months], dtype=np.float64)
    regressor = panel.aligned * after[panel.month]
    return panel, regressor, regression(panel, regressor)


def brute_force(panel: Panel, regressor: Numbers, factor: float, null: float, weights: Numbers) -> list[float]:
    """Every draw as a data set of its own, regressed from scratch."""
    root = np.sqrt(panel.weight)
    units = panel.unit[:, None] == np.arange(panel.unit.max() + 1)
    months = panel.month[:, None] == np.arange(1, len(panel.months))
    effects = root[:, None] * np.hstack([units, months]).astype(float)

    def freed(values: Numbers) -> Numbers:
        return values - effects @ np.linalg.lstsq(effects, values, rcond=None)[0]

    own = freed(root * regressor)
    under_null = freed(root * panel.outcomes[:, 0]) - null * own
    found = []
    for draw in weights.T:
        outcome = freed(under_null * draw[panel.cluster])
        estimate = own @ outcome / (own @ own)
        left = own * (outcome - estimate * own)
        scores = np.array([left[panel.cluster == cluster].sum() for cluster in range(len(panel.counties))])
        found.append(estimate * (own @ own) / np.sqrt(factor * (scores @ scores)))
    return found


@pytest.mark.parametrize("null", [0.0, -5000.0])
def test_a_draw_on_sums_is_the_regression_of_a_drawn_data_set(null: float) -> None:
    panel, regressor, found = of(CountyWorld(4, counties=9))
    weights = bootstrap_weights(9, 40, 3)
    draws = WildBootstrap(found, weights)
    fast = draws.line(draws.series(0), draws.regressor).drawn(-null)
    assert fast == pytest.approx(brute_force(panel, regressor, found.factor, null, weights), abs=1e-9)


@pytest.mark.parametrize("at", [-3.0, 0.0, 0.75, 40.0])
def test_a_sum_of_two_series_is_drawn_as_the_sum_of_their_draws(at: float) -> None:
    """The sum regressed by itself, and with the sum of the draws: the same estimate, error, draws, p-value and interval."""
    panel, regressor, found = of(CountyWorld(11, counties=14))
    weights = bootstrap_weights(14, 199, 5)
    added = replace(panel, outcomes=panel.outcomes @ np.array([[at], [1.0]]), series=(("both", ""),))
    draws, whole = WildBootstrap(found, weights), WildBootstrap(regression(added, regressor), weights)
    summed, alone = draws.series(1).plus(draws.series(0), at), whole.series(0)
    assert draws.estimate(summed) == pytest.approx(whole.estimate(alone))
    assert draws.estimate(draws.series(0))[1] == pytest.approx(np.sqrt(found.covariance()[0, 0]))
    assert draws.interval(summed, LEVEL) == pytest.approx(whole.interval(alone, LEVEL))
    line = draws.line(draws.series(1), draws.series(0))
    assert line.p_value(at) == draws.p_value(summed) == whole.p_value(alone)
    assert line.drawn(at) == pytest.approx(whole.line(alone, whole.regressor).drawn(0.0))


def test_draws_that_are_the_sample_itself_count_as_equal() -> None:
    """All signs alike, or all turned: rounding must not make what is equal smaller."""
    *_, found = of(CountyWorld(12, counties=14))
    same = np.hstack([np.ones((14, 3)), -np.ones((14, 2))])
    draws = WildBootstrap(found, same)
    for null in (-7_000.0, 0.0, 1e6):
        assert draws.p_value(draws.series(0), null) == 1
    line = draws.line(draws.series(1), draws.series(0))
    assert [line.p_value(at) for at in (-50.0, 0.0, 0.75)] == [1, 1, 1]


def test_the_same_seed_draws_the_same_and_weights_have_the_moments_they_need() -> None:
    assert np.array_equal(bootstrap_weights(8, 50, 1), bootstrap_weights(8, 50, 1))
    assert not np.array_equal(bootstrap_weights(8, 50, 1), bootstrap_weights(8, 50, 2))
    for clusters, values in ((8, 6), (30, 2)):
        weights = bootstrap_weights(clusters, 20_000, 5)
        assert len(np.unique(weights)) == values
        assert weights.mean() == pytest.approx(0, abs=0.01)
        assert (weights**2).mean() == pytest.approx(1, abs=0.01)


def test_an_interval_ends_where_the_test_begins_to_reject() -> None:
    *_, found = of(CountyWorld(6, counties=20))
    draws = WildBootstrap(found, bootstrap_weights(20, 399, 1))
    limits = draws.interval(draws.series(0), LEVEL)
    assert limits is not None
    lower, upper = limits
    assert lower < found.coefficients()[0] < upper
    for edge, outwards in ((lower, -1), (upper, 1)):
        assert draws.p_value(draws.series(0), edge + outwards * 5) <= 1 - LEVEL
        assert draws.p_value(draws.series(0), edge - outwards * 5) > 1 - LEVEL


def test_the_estimate_itself_is_never_rejected_and_a_p_value_is_never_zero() -> None:
    *_, found = of(CountyWorld(6, counties=20, effects=(-60_000.0, 0.0)))
    draws = WildBootstrap(found, bootstrap_weights(20, 399, 1))
    one = draws.series(0)
    assert draws.p_value(one, float(found.coefficients()[0])) == 1
    assert draws.p_value(one) == pytest.approx(1 / 400)


def test_joint_draws_have_the_covariance_of_the_estimates() -> None:
    *_, found = of(CountyWorld(7, counties=30))
    draws = WildBootstrap(found, bootstrap_weights(30, 20_000, 2)).joint_draws()
    assert draws.mean(axis=0) == pytest.approx(found.coefficients(), rel=0.02)
    assert np.cov(draws.T) == pytest.approx(found.covariance(), rel=0.05)


def test_intervals_hold_what_was_planted_about_as_often_as_they_say() -> None:
    """Binomial: of 80 intervals at 95 %, fewer than 69 would be met once in a thousand times."""
    held = 0
    for seed in range(40):
        *_, found = of(CountyWorld(seed, counties=10))
        draws = WildBootstrap(found, bootstrap_weights(10, 99, seed))
        for place, planted in enumerate(CountyWorld(0).effects):
            limits = draws.interval(draws.series(place), LEVEL)
            held += limits is None or limits[0] <= planted <= limits[1]
    assert held >= 69


def test_a_test_without_an_effect_rejects_about_as_often_as_it_says() -> None:
    """Binomial: of 120 tests at 5 %, more than 16 would be met less than once in a thousand times."""
    rejected = 0
    for seed in range(60):
        *_, found = of(CountyWorld(500 + seed, counties=10, effects=(0.0, 0.0)))
        draws = WildBootstrap(found, bootstrap_weights(10, 199, seed))
        rejected += sum(draws.p_value(draws.series(place)) <= 1 - LEVEL for place in (0, 1))
    assert rejected <= 16
