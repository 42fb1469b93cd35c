"""What amounts come to, against the errors that Mack published, and by their own laws."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_chain_ladder import TAYLOR_ASHE, triangle

from services.cost_shift.rules.chain_ladder import Completeness, completeness, developments
from services.cost_shift.rules.completed_amount import completed_amount, relative_error

# Mack (1993), table 2: what is still to come of each year of origin but the first, and its standard error.
PUBLISHED = [
    (94_634, 75_535), (469_511, 121_699), (709_638, 133_549), (984_889, 261_406), (1_419_459, 411_010),
    (2_177_641, 558_317), (3_920_301, 875_328), (4_278_972, 971_258), (4_625_811, 1_363_155),
]  # fmt: skip


@pytest.mark.parametrize(("number", "published"), list(enumerate(PUBLISHED, 1)))
def test_the_published_errors_come_out(number: int, published: tuple[int, int]) -> None:
    row = TAYLOR_ASHE[number]
    come_in = completeness(developments(triangle(TAYLOR_ASHE)), len(row) - 1)
    assert come_in is not None
    found = completed_amount(row[-1], come_in, 0.95)
    assert found.cents - row[-1] == pytest.approx(published[0], abs=1)
    assert found.cents * relative_error(row[-1], come_in) == pytest.approx(published[1], rel=0.001)


def test_limits_are_those_of_a_lognormal_distribution() -> None:
    # Twice as much to come, a tenth of error: ln(1.01) is 0.00995, and 1.96 of its root is 0.1955.
    found = completed_amount(100_000, Completeness(0.5, 0.1), 0.95)
    assert found.cents == 200_000
    assert found.limits == (pytest.approx(163_666, abs=20), pytest.approx(241_979, abs=20))


@pytest.mark.parametrize(
    ("cents", "come_in", "expected", "limits"),
    [
        (700, Completeness(1.0, 0.0), 700, (700, 700)),
        (-700, Completeness(1.0, 0.0), -700, (-700, -700)),
        (0, Completeness(0.5, 0.1), 0, None),
        (-100, Completeness(0.5, 0.1), -200, None),
        (100, Completeness(0.8, 0.0), 125, (125, 125)),
        (100, Completeness(1.25, 0.0), 80, (80, 80)),
    ],
    ids=["all in", "all in, taken back", "nothing", "taken back", "certain", "more than will stand"],
)
def test_amounts(cents: int, come_in: Completeness, expected: int, limits: tuple[int, int] | None) -> None:
    found = completed_amount(cents, come_in, 0.95)
    assert (found.cents, found.limits) == (expected, limits)


COME_IN = st.builds(Completeness, st.floats(0.05, 1.2), st.floats(0.001, 2), st.floats(0, 1e6))


@given(st.integers(1, 10**12), COME_IN)
def test_limits_lie_around_the_amount_and_none_is_below_zero(cents: int, come_in: Completeness) -> None:
    narrow, wide = (completed_amount(cents, come_in, confidence) for confidence in (0.8, 0.95))
    assert narrow.limits is not None
    assert wide.limits is not None
    assert 0 <= wide.limits[0] <= narrow.limits[0] <= narrow.limits[1] <= wide.limits[1]
    assert wide.limits[0] <= wide.cents


@given(st.integers(1, 10**9), st.integers(2, 100), COME_IN)
def test_the_more_has_come_in_the_smaller_the_share_of_error(cents: int, times: int, come_in: Completeness) -> None:
    assert relative_error(cents * times, come_in) <= relative_error(cents, come_in)
    assert relative_error(cents, come_in) >= come_in.relative_error


def test_the_error_of_single_months_is_that_of_each_lag_ahead() -> None:
    found = developments(triangle(TAYLOR_ASHE))
    come_in = completeness(found, 7)
    assert come_in is not None
    cents, before = TAYLOR_ASHE[2][-1], 1.0
    expected = come_in.relative_error**2
    for one in found[7:]:
        expected += one.spread / one.factor**2 / (cents * before)
        before *= one.factor
    assert relative_error(cents, come_in) == pytest.approx(sqrt(expected))
