"""The charts alarm as seldom, and find a change as soon, as the textbooks say."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.run_lengths import KINDS, Kind, run_lengths, told_at_the_end
from services.cost_shift.rules.control_chart import baseline, cusum_above, cusum_below, ewma, ewma_limit, whitened

FOUND_AFTER = {
    ("cusum", 4.0): 8.3,
    ("cusum", 5.0): 10.4,
    ("ewma", 2.962): 10.6,
    ("ewma", 2.814): 10.2,
    ("ewma", 2.86): 9.7,
}
IDS = [f"{kind.name} {kind.first:g} {kind.second:g}" for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_values_between_false_alarms(kind: Kind) -> None:
    """4,000 runs: a standard error of about 1.6 %, and the textbooks' own rounding."""
    assert run_lengths(kind, 4_000, 0.0, 11).mean() == pytest.approx(kind.published, rel=0.06)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name != "shewhart"], ids=IDS[1:])
def test_values_until_a_change_of_one_deviation_is_found(kind: Kind) -> None:
    expected = FOUND_AFTER[kind.name, kind.second]
    assert run_lengths(kind, 4_000, 1.0, 12).mean() == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(
    ("values", "above", "below"),
    [
        ([0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
        ([1.0, 1.0, -3.0], [0.5, 1.0, 0.0], [0.0, 0.0, 2.5]),
        ([-2.0, -2.0, 5.0], [0.0, 0.0, 4.5], [1.5, 3.0, 0.0]),
        ([0.5, 0.5], [0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_cusum_step_by_step(values: list[float], above: list[float], below: list[float]) -> None:
    high, low = 0.0, 0.0
    for value, expected_high, expected_low in zip(values, above, below, strict=True):
        high, low = cusum_above(high, value, 0.5), cusum_below(low, value, 0.5)
        assert (float(high), float(low)) == (expected_high, expected_low)


def test_ewma_step_by_step() -> None:
    level = 0.0
    for value, expected in ((1.0, 0.2), (1.0, 0.36), (-1.0, 0.088)):
        level = ewma(level, value, 0.2)
        assert level == pytest.approx(expected)
    assert ewma_limit(0.2, 3.0) == pytest.approx(1.0)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40))
def test_a_chart_of_mirrored_values_is_the_mirrored_chart(values: list[float]) -> None:
    high, low = 0.0, 0.0
    for value in values:
        high, low = float(cusum_above(high, value, 0.5)), float(cusum_below(low, value, 0.5))
    mirrored_high, mirrored_low = 0.0, 0.0
    for value in values:
        mirrored_high = float(cusum_above(mirrored_high, -value, 0.5))
        mirrored_low = float(cusum_below(mirrored_low, -value, 0.5))
    assert (high, low) == pytest.approx((mirrored_low, mirrored_high))


def test_the_baseline_of_normal_values_is_their_mean_and_deviation() -> None:
    values = np.random.default_rng(1).normal(50.0, 7.0, 20_000)
    found = baseline(list(values))
    assert found.mean == pytest.approx(50.0, abs=0.2)
    assert found.deviation == pytest.approx(7.0, rel=0.02)
    assert abs(found.autocorrelation) < 0.02


@pytest.mark.parametrize(
    ("values", "deviation"),
    [
        ([3.0, 3.0, 3.0, 3.0], 0.0),
        # Squares of 4, a quarter more for the mean, over 4 - 3.
        ([-1.0, 1.0, -1.0, 1.0], sqrt(5)),
        # Sample deviation 3 / sqrt(8) over nine values: 9 x (10 / 9) / 6.
        ([0.0, 0.0, 0.0, 3.0, 1.5, -1.5, 1.5, -1.5, 0.0], sqrt(((9 + 4 * 2.25) - 9 * (1 / 3) ** 2) * (10 / 9) / 6)),
    ],
)
def test_small_baselines(values: list[float], deviation: float) -> None:
    assert baseline(values).deviation == pytest.approx(deviation)


def test_fewer_than_four_values_tell_no_spread() -> None:
    with pytest.raises(ValueError, match="at least 4 are needed"):
        baseline([1.0, 2.0, 3.0])


@pytest.mark.parametrize("months", [6, 12, 24])
def test_a_month_behind_a_short_baseline_has_the_deviation_that_is_told(months: int) -> None:
    """Standardised, the next value has variance 1, however few months there were."""
    chance = np.random.default_rng(4)
    found = []
    for _ in range(20_000):
        *before, after = chance.normal(50.0, 7.0, months + 1)
        base = baseline(before)
        found.append((after - base.mean) / base.deviation)
    assert np.std(found) == pytest.approx(1, rel=0.03)


def test_with_few_months_charts_are_wrong_about_as_often_as_with_known_level_and_spread() -> None:
    """Of 2,000 charts of 18 months; the textbooks' limits alone, against twelve months, are wrong in more than one of ten."""
    shares = {months: told_at_the_end(months, 18, 2_000, 0.0, 5) for months in (12, 24, 240)}
    assert shares[12] < 0.09
    assert shares[24] < 0.07
    assert shares[240] < 0.06


def _correlated(correlation: float, count: int) -> list[float]:
    chance = np.random.default_rng(3)
    values = [chance.normal()]
    for _ in range(count - 1):
        values.append(correlation * values[-1] + sqrt(1 - correlation**2) * chance.normal())
    return values


def test_whitened_values_say_nothing_of_each_other() -> None:
    values = _correlated(0.6, 5_000)
    found = baseline(values)
    assert found.autocorrelation == pytest.approx(0.6, abs=0.05)
    freed = whitened(values, found.autocorrelation)
    assert baseline(freed).autocorrelation == 0
    assert np.std(freed) == pytest.approx(1, abs=0.05)
    assert whitened([1.0, 2.0, 3.0], 0.0) == [1.0, 2.0, 3.0]


def test_of_few_values_chance_is_no_correlation() -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=12)
        correlation = baseline(list(values)).autocorrelation
        assert correlation == 0 or abs(correlation) > 2 / sqrt(12)
