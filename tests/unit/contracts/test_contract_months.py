"""Months sort as texts and count as numbers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.months import (
    Day,
    Month,
    add_months,
    first_day,
    last_day,
    month_at,
    month_index,
    month_of,
    months_between,
)

DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
MONTHS = DAYS.map(month_of)


@pytest.mark.parametrize(
    ("month", "count", "result"),
    [
        ("2022-01", 0, "2022-01"),
        ("2022-01", -1, "2021-12"),
        ("2021-12", 1, "2022-01"),
        ("2022-06", 30, "2024-12"),
        ("2022-06", -6, "2021-12"),
    ],
)
def test_adds(month: str, count: int, result: str) -> None:
    assert add_months(month, count) == result


@pytest.mark.parametrize(
    ("month", "last"),
    [("2022-02", date(2022, 2, 28)), ("2024-02", date(2024, 2, 29)), ("2021-12", date(2021, 12, 31))],
)
def test_last_day(month: str, last: date) -> None:
    assert last_day(month) == last
    assert first_day(month) == last.replace(day=1)


@given(DAYS)
def test_every_day_lies_in_its_month(day: date) -> None:
    month = month_of(day)
    assert first_day(month) <= day <= last_day(month)
    assert TypeAdapter(Month).validate_python(month) == month


@given(MONTHS, MONTHS)
def test_texts_sort_as_months_do(one: str, other: str) -> None:
    assert (one < other) == (month_index(one) < month_index(other))
    assert month_at(month_index(one)) == one


@given(MONTHS, st.integers(0, 30))
def test_between_counts_both_ends(month: str, count: int) -> None:
    listed = list(months_between(month, add_months(month, count)))
    assert (listed[0], listed[-1], len(listed)) == (month, add_months(month, count), count + 1)


def test_between_is_empty_when_the_end_comes_first() -> None:
    assert list(months_between("2022-02", "2022-01")) == []


@pytest.mark.parametrize("text", ["2022-13", "2022-00", "1899-12", "2100-01", "2022-1", "202201", "20٢٢-01"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Month).validate_python(text)


@pytest.mark.parametrize("day", [date(1000, 1, 1), date(1899, 12, 31), date(2100, 1, 1), date(9999, 12, 31)])
def test_days_outside_every_month(day: date) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(day)
