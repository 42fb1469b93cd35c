"""The offset ratio's interval, adjusted p-values and the detectable effect, against formulas written by others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from infra.bench.county_worlds import CountyWorld
from services.cost_shift.rules.clustered_regression import Regression, regression
from services.cost_shift.rules.detectable_effect import minimum_detectable_effect
from services.cost_shift.rules.false_discovery import adjusted_p_values
from services.cost_shift.rules.offset_interval import offset_interval
from services.cost_shift.rules.wild_cluster_bootstrap import WildBootstrap, bootstrap_weights


def found_in(world: CountyWorld) -> Regression:
    panel = world.panel()
    after = np.array([month >= world.windows.post_from for month in panel.months], dtype=np.float64)
    return regression(panel, panel.aligned * after[panel.month])


def bounded(found: Regression, counties: int, count: int, seed: int) -> tuple[float, float] | None:
    draws = WildBootstrap(found, bootstrap_weights(counties, count, seed))
    return offset_interval(draws, draws.series(0), draws.series(1), 0.95)


def fieller(found: Regression, critical: float) -> tuple[float, float]:
    """Fieller's closed form for -d1/d0, with the clustered covariance."""
    d0, d1 = found.coefficients()
    (v00, v01), (_, v11) = found.covariance()
    a, b, c = d0**2 - critical**2 * v00, d0 * d1 - critical**2 * v01, d1**2 - critical**2 * v11
    root = np.sqrt(b**2 - a * c)
    return (-b - root) / a, (-b + root) / a


@pytest.mark.parametrize("seed", range(2))
def test_with_many_counties_the_interval_is_that_of_fieller(seed: int) -> None:
    found = found_in(CountyWorld(seed, counties=60))
    limits = bounded(found, 60, 1999, seed)
    assert limits is not None
    assert limits == pytest.approx(fieller(found, stats.t.ppf(0.975, 59)), abs=0.08)


def test_the_worked_example_comes_out() -> None:
    """-60.00 and +45.00 dollars: 0.75 of the saving reappears."""
    found = found_in(CountyWorld(3, counties=30, spread=300.0, county_spread=100.0))
    medicare, medicaid = found.coefficients()
    limits = bounded(found, 30, 999, 3)
    assert limits is not None
    assert -medicaid / medicare == pytest.approx(0.75, abs=0.02)
    assert limits[0] < 0.75 < limits[1]
    assert limits[1] - limits[0] < 0.05


def test_a_saving_that_may_be_nothing_bounds_no_ratio() -> None:
    found = found_in(CountyWorld(3, counties=8, effects=(0.0, 4500.0)))
    assert bounded(found, 8, 399, 1) is None


@given(st.lists(st.floats(0.0001, 1.0), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="fdr_bh")[1]
    assert adjusted_p_values(p_values) == pytest.approx(list(expected))


def test_of_nothing_nothing_is_adjusted() -> None:
    assert adjusted_p_values([]) == []


@pytest.mark.parametrize(
    ("error", "critical", "power", "effect"),
    [
        (1.0, 1.959964, 0.8, 2.801585),
        (100.0, 1.959964, 0.8, 280.1585),
        (1.0, 2.570582, 0.5, 2.570582),
        (0.0, 2, 0.8, 0),
    ],
)
def test_detectable_effect(error: float, critical: float, power: float, effect: float) -> None:
    assert minimum_detectable_effect(error, critical, power) == pytest.approx(effect, abs=1e-3)
