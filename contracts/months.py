"""Service months: ``YYYY-MM`` texts, which sort as they should, and arithmetic on them."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

Month = Annotated[
    str,
    Field(pattern=r"^(19|20)[0-9][0-9]-(0[1-9]|1[0-2])$", description="calendar month, YYYY-MM", examples=["2022-01"]),
]

# The days of those months, so that a day always lies in one; CCLF writes 1000-01-01 and 9999-12-31 for no date.
Day = Annotated[
    date,
    Field(
        ge=date(1900, 1, 1),
        le=date(2099, 12, 31),
        description="calendar day",
        json_schema_extra={"pattern": r"^(19|20)[0-9][0-9]-[0-9][0-9]-[0-9][0-9]$"},
    ),
]


def month_of(day: date) -> str:
    """Name the month that a day lies in."""
    return f"{day.year:04d}-{day.month:02d}"


def month_index(month: str) -> int:
    """Count months since year 0, so that differences are whole months."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def month_at(index: int) -> str:
    """Return the inverse of :func:`month_index`."""
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def add_months(month: str, count: int) -> str:
    """Return the month ``count`` months later (earlier when negative)."""
    return month_at(month_index(month) + count)


def first_day(month: str) -> date:
    """Return the first day of a month."""
    return date(int(month[:4]), int(month[5:7]), 1)


def last_day(month: str) -> date:
    """Return the last day of a month."""
    return first_day(add_months(month, 1)) - timedelta(days=1)


def months_between(first: str, last: str) -> Iterator[str]:
    """List every month from ``first`` to ``last``, both included; none when ``last`` is earlier."""
    return (month_at(index) for index in range(month_index(first), month_index(last) + 1))
