"""Counts against the minimum, and the month in which an entity falls below it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.paths_policy import Minimum, paths_policy
from services.alignment.rules.minimum_count import FURTHEST_MONTHS, Projection, projection

ALWAYS = dict.fromkeys(range(100, 200), Minimum(1000, 10))


def counted(*people: int) -> dict[int, int]:
    return {100 + number: count for number, count in enumerate(people)}


@pytest.mark.parametrize(
    ("counts", "lost", "expected"),
    [
        ({}, {}, Projection(0, 0, None, None)),
        (counted(1010), {}, Projection(0, 0, None, None)),
        (counted(999), {}, Projection(0, 0, 100, None)),
        (counted(899), {}, Projection(0, 0, 100, 100)),
        (counted(1100, 1090, 1080), {}, Projection(-20, 2, 111, 121)),
        # A fraction of a person less is a person less.
        (counted(1003, 1002, 1002), {}, Projection(-1, 2, 107, None)),
        (counted(1010, 1020), {}, Projection(10, 1, None, None)),
        (counted(1100, 1100), {105: 101}, Projection(0, 1, 105, None)),
        (counted(1100, 1100), {105: 101, 110: 100}, Projection(0, 1, 105, 110)),
        # Whom the last month counts no more is not taken off again.
        (counted(1100, 1100), {101: 500}, Projection(0, 1, None, None)),
    ],
)
def test_the_trend_is_carried_forward(counts: dict[int, int], lost: dict[int, int], expected: Projection) -> None:
    assert projection(counts, lost, ALWAYS, 6) == expected


def test_only_the_last_months_make_the_trend() -> None:
    counts = counted(5000, 1200, 1190, 1180)
    assert projection(counts, {}, ALWAYS, 2)[:2] == (-20, 2)
    assert projection(counts, {}, ALWAYS, 6)[:2] == (-3820, 3)


def test_a_month_without_a_minimum_cannot_be_fallen_below() -> None:
    assert projection(counted(1), {}, {105: Minimum(2, 0)}, 6)[2:] == (105, 105)
    assert projection(counted(1), {}, {}, 6)[2:] == (None, None)


def test_the_shortfall_that_is_tolerated() -> None:
    assert [Minimum(5000, 10).floor, Minimum(5000, 0).floor, Minimum(1001, 10).floor] == [4500, 5000, 901]
    policy = paths_policy()
    assert [policy.minimum(month) for month in ("2020-12", "2022-01", "2024-06")] == [
        None, Minimum(5000, 0), Minimum(5000, 10),
    ]  # fmt: skip


@given(
    st.dictionaries(st.integers(90, 120), st.integers(0, 5000), min_size=1),
    st.dictionaries(st.integers(90, 150), st.integers(0, 500)),
)
def test_the_floor_is_never_missed_before_the_minimum(counts: dict[int, int], lost: dict[int, int]) -> None:
    found = projection(counts, lost, dict.fromkeys(range(80, 200), Minimum(1000, 10)), 6)
    if found.below_floor is not None:
        assert found.below_minimum is not None
        assert max(counts) <= found.below_minimum <= found.below_floor <= max(counts) + FURTHEST_MONTHS
