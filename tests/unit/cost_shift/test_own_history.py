"""Whose history completes a month: an entity's own where there is enough of it."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.months import add_months
from services.cost_shift.completion import TOTAL, Completion, completion_of
from services.cost_shift.rules.chain_ladder import Development, completeness, developments, developments_among
from services.cost_shift.rules.own_history import Enough, own_history, stands_alone

ENOUGH = Enough(months=6, error=0.06)


@pytest.mark.parametrize(
    ("found", "alone"),
    [
        (Development(0, 1.5, 6, 0.0), True),
        (Development(0, 1.5, 5, 0.0), False),
        (Development(0, 1.5, 6, (1.5 * 0.06) ** 2), True),
        (Development(0, 1.5, 60, (1.5 * 0.061) ** 2), False),
        (Development(0, 0.0, 6, 0.0), False),
        (Development(0, -0.5, 6, 0.0), False),
    ],
    ids=["enough", "too few months", "just certain enough", "too uncertain", "all taken back", "more taken back"],
)
def test_what_stands_alone(found: Development, *, alone: bool) -> None:
    assert stands_alone(found, ENOUGH) is alone


def test_growth_that_was_seen_too_seldom_is_everybodys() -> None:
    own = (Development(0, 3.0, 8, 0.001), Development(1, 1.5, 7, 0.001), Development(2, 1.2, 2, 0.0))
    everybody = tuple(Development(lag, factor, 20, 0.0) for lag, factor in enumerate((2.0, 1.1, 1.05, 1.01)))
    assert own_history(own, everybody, ENOUGH) == ((*own[:2], *everybody[2:]), frozenset({0, 1}))


def test_behind_what_everybody_has_seen_nothing_is_an_entitys_own() -> None:
    own = (Development(5, 3.0, 8, 0.0),)
    assert own_history(own, (), ENOUGH) == ((), frozenset())


def test_whoever_comes_is_no_growth_and_what_comes_in_for_them_is() -> None:
    # 100 and then people with 900 join; 50 and then 300 come in.
    standing = {"2022-01": {"2022-01": 100, "2022-02": 1_050, "2022-03": 1_350}}
    received = {"2022-01": {"2022-01": 100, "2022-02": 50, "2022-03": 300}}
    found = developments_among(standing, received)
    assert [one.factor for one in found] == [1.5, pytest.approx(1_350 / 1_050)]


@given(st.lists(st.lists(st.integers(0, 1_000), min_size=2, max_size=5), min_size=1, max_size=6))
def test_where_nobody_comes_or_goes_it_is_the_chain_ladder(rows: list[list[int]]) -> None:
    standing, received = {}, {}
    for number, row in enumerate(rows):
        service = add_months("2022-01", number)
        known = [add_months(service, lag) for lag in range(len(row))]
        received[service] = dict(zip(known, row, strict=True))
        standing[service] = {month: sum(row[: lag + 1]) for lag, month in enumerate(known)}
    assert developments_among(standing, received) == developments(standing)


MONTHS = [add_months("2021-01", number) for number in range(18)]
KNOWN = {"medicare": MONTHS, "medicaid": MONTHS}
QUICK, SLOW = (800, 200), (200, 800)


def rows_of(pace: dict[str, tuple[int, ...]], months: int = 18) -> list[dict[str, Any]]:
    """Every entity's months come in at a pace of its own."""
    return [
        row("medicaid", "drugs", entity, service, add_months(service, lag), cents)
        for entity, shares in pace.items()
        for service in MONTHS[-months:]
        for lag, cents in enumerate(shares)
        if add_months(service, lag) <= MONTHS[-1]
    ]


def row(  # noqa: PLR0917 - as the database has them
    payer: str, category: str, entity: str, month: str, known: str, cents: int, received: int | None = None
) -> dict[str, Any]:
    return {
        "payer": payer, "category": category, "entity": entity, "month": month, "known": known, "cents": cents,
        "received": cents if received is None else received,
    }  # fmt: skip


def history(rows: Any) -> Completion:
    return completion_of(KNOWN, rows)


DRUGS = ("medicaid", "drugs")


@pytest.mark.parametrize(
    ("entity", "share", "level"),
    [("D9001", 0.2, "entity"), ("", 0.8, "entity"), (None, 0.5, "pooled"), ("D9009", 0.5, "pooled")],
    ids=["its own", "people of no entity", "everybody", "no history"],
)
def test_an_entity_that_is_slower_than_others_is_completed_by_its_own_history(
    entity: str | None, share: float, level: str
) -> None:
    told = history(rows_of({"D9001": SLOW, "": QUICK})).told(DRUGS, MONTHS[-1], entity)
    assert told is not None
    assert told.in_so_far.share == pytest.approx(share)
    assert told.level == level


def test_a_category_without_history_is_completed_by_its_payers_whole_whoever_asks() -> None:
    found = history(rows_of({"D9001": SLOW, "": QUICK}))
    for entity in ("D9001", None):
        told = found.told(("medicaid", "hospice"), MONTHS[-1], entity)
        assert told is not None
        assert (told.level, told.in_so_far.share) == ("payer", pytest.approx(0.5))
    assert found.told(("medicare", "hospice"), MONTHS[-1], "D9001") is None


def test_an_entity_of_a_few_months_is_pooled() -> None:
    young = rows_of({"D9001": SLOW}, 5)
    told = history([*young, *rows_of({"": QUICK})]).told(DRUGS, MONTHS[-1], "D9001")
    assert told is not None
    assert told.level == "pooled"
    assert 0.5 < told.in_so_far.share < 0.8


def test_people_who_are_moved_to_an_entity_make_its_months_no_less_complete() -> None:
    # All cost comes in for people of no entity, and every person is moved in the month after.
    rows = []
    for service in MONTHS:
        later = add_months(service, 1)
        rows.append(row("medicaid", "drugs", "", service, service, 1_000))
        if later <= MONTHS[-1]:
            rows += [
                row("medicaid", "drugs", "", service, later, -1_000, 0),
                row("medicaid", "drugs", "D9001", service, later, 1_100, 100),
            ]
    found = history(rows)
    assert found.of(DRUGS, MONTHS[-2], "D9001") == completeness(found.found[DRUGS], 1)
    one = history([*rows, *rows_of({"D9001": QUICK})])
    assert one.found[DRUGS][0].factor == pytest.approx((1_000 + 800 + 100 + 200) / 1_800)


def test_a_move_in_a_month_without_a_delivery_of_the_payer_is_not_lost() -> None:
    known = {"medicaid": ["2021-01", "2021-03", "2021-04"]}
    rows = [
        row("medicaid", "drugs", "D9001", "2021-01", "2021-01", 100),
        row("medicaid", "drugs", "D9001", "2021-01", "2021-02", 900, 0),
        row("medicaid", "drugs", "D9001", "2021-01", "2021-04", 500),
        row("medicaid", "drugs", "", "2021-01", "2021-02", -900, 0),
    ]
    assert [one.lag for one in completion_of(known, rows).found[DRUGS]] == [2]
    assert completion_of(known, rows).found[DRUGS][0].factor == pytest.approx(600 / 100)


def test_a_month_is_left_out_where_anybodys_cost_of_it_has_not_come_in() -> None:
    rows = rows_of({"D9001": SLOW, "": (950, 50)})
    both = [*rows, *(one | {"payer": "medicare"} for one in rows)]
    found = history(both)
    last = MONTHS[-1:]
    assert found.incomplete(last, 0.9, ["D9001", ""]) == (last, [])
    assert found.incomplete(last, 0.9, [""]) == ([], [])
    assert found.incomplete(last, 0.9) == (last, [])


PARTS = st.lists(st.integers(1, 50), min_size=1, max_size=4)


@given(st.dictionaries(st.sampled_from(["D9001", "D9002", ""]), PARTS, min_size=1))
def test_where_every_month_fills_up_alike_an_entitys_share_is_its_own(paces: dict[str, list[int]]) -> None:
    found = history(rows_of({entity: tuple(parts) for entity, parts in paces.items()}))
    for entity, parts in paces.items():
        for lag in range(min(len(parts), 12)):
            told = found.told(DRUGS, MONTHS[-1 - lag], entity)
            assert told is not None
            assert told.level == "entity"
            assert told.in_so_far.share == pytest.approx(sum(parts[: lag + 1]) / sum(parts))


def test_rows_of_one_payer_and_month_add_up_whatever_the_state() -> None:
    sums: dict[str, int] = defaultdict(int)
    twice = [*rows_of({"": QUICK}), *rows_of({"": SLOW})]
    for one in twice:
        sums[one["known"]] += one["cents"]
    found = history(twice)
    assert found.found["medicaid", TOTAL] == found.found[DRUGS]
    assert found.of(DRUGS, MONTHS[-1]) == completeness(found.found[DRUGS], 0)
