"""The chain ladder against the triangle with which Mack published it, and by its own laws."""

from math import prod, sqrt
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.months import add_months
from services.cost_shift.completion import Completion, completion_of, cumulated
from services.cost_shift.rules.chain_ladder import Completeness, completeness, developments, unbegun

# Taylor and Ashe (1983), as used in Mack (1993), table 1; a year of theirs is a month here.
TAYLOR_ASHE = [
    [357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463],
    [352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085],
    [290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315],
    [310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268],
    [443160, 1136350, 2128333, 2897821, 3402672, 3873311],
    [396132, 1333217, 2180715, 2985752, 3691712],
    [440832, 1288463, 2419861, 3483130],
    [359480, 1421128, 2864498],
    [376686, 1363294],
    [344014],
]
PUBLISHED_FACTORS = [3.4906, 1.7473, 1.4574, 1.1739, 1.1038, 1.0863, 1.0539, 1.0766, 1.0177]
PUBLISHED_SIGMA_SQUARED = [160280, 37737, 41965, 15183, 13731, 8186, 447, 1147, 447]
PUBLISHED_RESERVE = 18_680_856

Triangle = dict[str, dict[str, int]]


def triangle(rows: list[list[int]], first: str = "2021-01") -> Triangle:
    return {
        add_months(first, number): {add_months(first, number + lag): cents for lag, cents in enumerate(row)}
        for number, row in enumerate(rows)
    }


def test_the_published_factors_come_out() -> None:
    found = developments(triangle(TAYLOR_ASHE))
    assert [round(one.factor, 4) for one in found] == PUBLISHED_FACTORS
    assert [one.months for one in found] == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_the_published_spreads_come_out() -> None:
    found = developments(triangle(TAYLOR_ASHE))
    volumes = [sum(row[lag] for row in TAYLOR_ASHE if len(row) > lag + 1) for lag in range(9)]
    spreads = [one.variance * volume for one, volume in zip(found, volumes, strict=True)]
    assert spreads == pytest.approx(PUBLISHED_SIGMA_SQUARED, rel=0.002)


def test_the_published_reserve_comes_out() -> None:
    found = developments(triangle(TAYLOR_ASHE))
    reserve = 0.0
    for row in TAYLOR_ASHE:
        come_in = completeness(found, len(row) - 1)
        reserve += row[-1] / (come_in.share if come_in else 1.0) - row[-1]
    assert reserve == pytest.approx(PUBLISHED_RESERVE, abs=1)


def test_the_relative_error_is_that_of_the_factors_ahead() -> None:
    found = developments(triangle(TAYLOR_ASHE))
    come_in = completeness(found, 7)
    assert come_in is not None
    assert come_in.share == pytest.approx(1 / (found[7].factor * found[8].factor))
    expected = sqrt(sum(one.variance / one.factor**2 for one in found[7:]))
    assert come_in.relative_error == pytest.approx(expected)


SHARES = st.lists(st.integers(1, 50), min_size=2, max_size=6)


@given(SHARES, st.lists(st.integers(10, 10_000), min_size=7, max_size=9))
def test_where_every_month_fills_up_alike_the_shares_come_out(parts: list[int], volumes: list[int]) -> None:
    cumulative = [sum(parts[: lag + 1]) for lag in range(len(parts))]
    rows = [[volume * cents for cents in cumulative] for volume in volumes]
    found = developments(triangle(rows))
    for lag, cents in enumerate(cumulative):
        come_in = completeness(found, lag)
        assert come_in is not None
        assert come_in.share == pytest.approx(cents / cumulative[-1])
        assert come_in.relative_error == pytest.approx(0, abs=1e-6)


def test_behind_the_longest_lag_nothing_more_is_expected() -> None:
    assert completeness(developments(triangle([[50, 100], [40]])), 7) == Completeness(1.0, 0.0)


@pytest.mark.parametrize(
    ("rows", "lag"),
    [
        ([[100]], 0),
        ([], 0),
        ([[0, 50], [0, 20]], 0),
        ([[50, 100], [40]], -1),
        ([[50, -100], [40]], 0),
    ],
    ids=["one look", "nothing", "nothing to grow from", "a month to come", "taken back"],
)
def test_what_nobody_can_tell_is_none(rows: list[list[int]], lag: int) -> None:
    assert completeness(developments(triangle(rows)), lag) is None


def test_a_lag_that_was_never_observed_hides_what_is_before_it() -> None:
    gap = {
        "2021-01": {"2021-03": 80, "2021-04": 100},
        "2021-04": {"2021-04": 50, "2021-05": 70},
    }
    found = developments(gap)
    assert [one.lag for one in found] == [0, 2]
    assert completeness(found, 0) is None
    assert completeness(found, 1) is None
    assert completeness(found, 2) == Completeness(pytest.approx(0.8), 0.0)


def test_one_month_alone_has_the_spread_that_the_lags_before_suggest() -> None:
    rows = [[100, 150, 170, 180], [100, 170, 190], [100, 160]]
    found = developments(triangle(rows))
    volumes = [300, 320, 170]
    spreads = [one.variance * volume for one, volume in zip(found, volumes, strict=True)]
    assert spreads[2] == pytest.approx(min(spreads[1] ** 2 / spreads[0], spreads[1], spreads[0]))


def test_amounts_are_cumulated_from_the_month_itself() -> None:
    increments = {"2022-02": {"2022-01": 5, "2022-02": 10, "2022-04": 30}}
    assert cumulated(increments, ["2022-04", "2022-01", "2022-02", "2022-03"]) == {
        "2022-02": {"2022-02": 15, "2022-03": 15, "2022-04": 45}
    }


INPATIENT, WHOLE = ("medicare", "inpatient"), ("medicare", "")


def history(**known: list[str]) -> Completion:
    rows = triangle([[50, 100], [50, 100], [50]])
    return Completion(known, {WHOLE: developments(rows), INPATIENT: developments(triangle([[25, 100], [25]]))})


def test_a_series_has_its_own_completeness_and_one_without_history_its_payers() -> None:
    found = history(medicare=["2021-01", "2021-02", "2021-03"])
    shares = [found.of(series, "2021-03") for series in (INPATIENT, ("medicare", "hospice"), WHOLE)]
    assert [one and one.share for one in shares] == [0.25, 0.5, 0.5]
    assert found.of(INPATIENT, "2021-02") == Completeness(1.0, 0.0)
    assert found.of(("medicaid", "drugs"), "2021-02") is None


def test_months_of_too_little_and_months_that_nobody_can_tell() -> None:
    alone = history(medicare=["2021-03"])
    assert alone.incomplete(["2021-02", "2021-03", "2021-04"], 0.9) == (["2021-03"], ["2021-02", "2021-04"])
    both = history(medicare=["2021-03"], medicaid=["2021-03"])
    both.found["medicaid", ""] = both.found[WHOLE]
    assert both.incomplete(["2021-02", "2021-03"], 0.9) == (["2021-03"], [])
    assert both.incomplete(["2021-02", "2021-03"], 0.5) == ([], [])


@pytest.mark.parametrize(
    ("rows", "lags"),
    [
        ([[0, 40, 90, 100], [0, 50, 95], [0, 45], [0]], {0}),
        ([[0, 0, 90, 100], [0, 0, 95], [0, 0]], {0, 1}),
        # Somebody's did come in at once: little, but a share.
        ([[0, 40, 90, 100], [1, 50, 95], [0, 45], [0]], set()),
        # A payment and its return were there, though they came to nothing.
        ([[5, 40, 90], [-5, 50, 95], [0, 45]], set()),
        # Nothing ever came: nobody knows when it will.
        ([[0, 0, 0], [0, 0], [0]], set()),
        ([[70, 80, 90], [60, 70]], set()),
        ([[0]], set()),
        ([], set()),
    ],
)
def test_lags_at_which_nothing_has_ever_come_in_yet(rows: list[list[int]], lags: set[int]) -> None:
    assert unbegun(triangle(rows)) == lags


def test_a_month_of_which_nothing_can_have_come_in_is_kept_out_of_estimates() -> None:
    """Claims come a month later at the earliest: the latest month is empty, and not cheap."""
    months = [add_months("2021-01", number) for number in range(6)]
    came_in = [
        {"state": "OH", "entity": "", "payer": payer, "category": "inpatient", "month": month, "known": add_months(month, 1),
         "cents": 1000, "received": 1000}
        for payer in ("medicare", "medicaid") for month in months[:-1]
    ]  # fmt: skip
    found = completion_of({"medicare": months, "medicaid": months}, cast("Any", came_in))
    assert not found.has_begun("medicare", months[-1])
    assert found.has_begun("medicare", months[-2])
    assert found.of(("medicare", ""), months[-1]) is None
    assert found.incomplete(months, 0.9) == ([months[-1]], [])
    alone = completion_of({"medicare": months}, cast("Any", came_in[:5]))
    assert alone.incomplete(months, 0.9) == ([months[-1]], months[:-1])


def test_factors_multiply() -> None:
    found = developments(triangle(TAYLOR_ASHE))
    for lag in range(9):
        come_in = completeness(found, lag)
        assert come_in is not None
        assert come_in.share == pytest.approx(1 / prod(one.factor for one in found[lag:]))


def test_a_ladder_is_climbed_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    climbed = 0

    def counted(*asked: Any) -> Any:
        nonlocal climbed
        climbed += 1
        return completeness(*asked)

    monkeypatch.setattr("services.cost_shift.completion.completeness", counted)
    asked = history(medicare=["2021-03"])
    first = {month: asked.of(WHOLE, month) for month in ("2021-01", "2021-02", "2021-03")}
    assert len({None if one is None else one.share for one in first.values()}) > 1
    before = climbed
    for _ in range(50):
        assert {month: asked.of(WHOLE, month) for month in first} == first
    assert climbed == before
    assert asked == history(medicare=["2021-03"])  # what was asked is no part of what is known
