"""A step and a change of slope against statsmodels, and how often intervals hold what was planted."""

import numpy as np
import pytest
import statsmodels.api as sm

from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.interrupted_series import design, interruption, lag_length


def _series(
    seed: int, *, step: float = -4000.0, slope: float = 100.0, correlation: float = 0.3, count: int = 48
) -> list[float]:
    chance = np.random.default_rng(seed)
    noise, before = [], 0.0
    for _ in range(count):
        before = correlation * before + chance.normal(0, 1500)
        noise.append(before)
    month = np.arange(count)
    seasons = 2000 * np.sin(2 * np.pi * month / 12)
    after = month >= 30
    values = 100_000 + 50 * month + seasons + after * (step + slope * (month - 30)) + np.array(noise)
    return [float(value) for value in values]


@pytest.mark.parametrize("seed", range(4))
def test_estimates_and_errors_are_those_of_statsmodels(seed: int) -> None:
    values = _series(seed)
    found = interruption(values, 30, 3)
    oracle = sm.OLS(values, design(48, 30, 3)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag_length(48), "use_correction": True}
    )
    for coefficient, place in ((found.step, 2), (found.slope, 3)):
        assert coefficient.value == pytest.approx(oracle.params[place], rel=1e-8)
        assert coefficient.standard_error == pytest.approx(oracle.bse[place], rel=1e-8)
    test = oracle.t_test(np.eye(15)[2] + 8.5 * np.eye(15)[3])
    assert found.mean.value == pytest.approx(float(test.effect[0]), rel=1e-8)
    assert found.mean.standard_error == pytest.approx(float(test.sd[0, 0]), rel=1e-8)
    low, high = found.step.limits(0.95)
    assert (low, high) == pytest.approx(tuple(oracle.conf_int()[2]), rel=1e-6)


def test_without_noise_what_was_planted_comes_out() -> None:
    values = [100_000 + 50 * month + (month >= 30) * (-4000 + 100 * (month - 30)) for month in range(48)]
    found = interruption([float(value) for value in values], 30, 0)
    assert (found.step.value, found.slope.value) == pytest.approx((-4000, 100))
    assert found.mean.value == pytest.approx(-4000 + 100 * 8.5)


def test_intervals_are_too_sure_of_themselves_and_by_how_much() -> None:
    """With 48 correlated months and 15 coefficients, 95 % intervals hold the truth in some 85 % of series."""
    held = []
    for seed in range(300):
        low, high = interruption(_series(seed), 30, 0).step.limits(0.95)
        held.append(low <= -4000 <= high)
    assert 0.78 <= np.mean(held) <= 0.95


@pytest.mark.parametrize(
    ("count", "start", "said"), [(48, 23, "23 months before"), (35, 30, "5 after"), (10, 20, "-10 after")]
)
def test_too_few_months_are_said(count: int, start: int, said: str) -> None:
    with pytest.raises(NotIdentifiedError, match=said):
        interruption([1.0] * count, start, 0)


@pytest.mark.parametrize(("count", "lags"), [(30, 3), (48, 3), (100, 4), (200, 4)])
def test_how_far_back_months_resemble(count: int, lags: int) -> None:
    assert lag_length(count) == lags
