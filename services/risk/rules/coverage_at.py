"""What is known about a person for a month: demographics, dual status, level of long-term care.

Source: CCLF Information Packet v36.0, CCLF8 (a snapshot of the file's month); X12 834 (dated spans of the state);
CMS State Phasedown (MMA) file, which makes the state the authority on dual status. Later statements win field by
field; a missing value is no information.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from contracts.months import month_of
from services.risk.facts import Statement

Value = TypeVar("Value")


def _when(statement: Statement) -> tuple[date, int]:
    return statement.stated_on, statement.sequence


def latest(statements: Iterable[Statement], field: Callable[[Statement], Value | None]) -> Value | None:
    """Read a field of the person: Medicare's newest word, else the state's."""
    found = [one for one in statements if field(one) is not None]
    return field(max(found, key=lambda one: (one.payer == "medicare", *_when(one)))) if found else None


def _covers(statement: Statement, month: str) -> bool:
    first, last = statement.first_month, statement.last_month
    return first is not None and first <= month and (last is None or month <= last)


def _nearest(statements: list[Statement], month: str) -> Statement | None:
    """Find the snapshot before the month, else the first after it."""
    before = [one for one in statements if (one.first_month or "") <= month]
    if before:
        return max(before, key=lambda one: (one.first_month or "", *_when(one)))
    first = min((one.first_month or "" for one in statements), default=None)
    return max((one for one in statements if one.first_month == first), key=_when, default=None)


def dual_status_in(statements: Iterable[Statement], month: str) -> str | None:
    """Read the dual status of a month: the state's span if it carries a code, else Medicare's snapshot."""
    coded = [one for one in statements if one.dual_status_code is not None and one.first_month is not None]
    for payer in ("medicaid", "medicare"):
        covering = [one for one in coded if one.payer == payer and _covers(one, month)]
        if covering:
            return max(covering, key=_when).dual_status_code
    nearest = _nearest([one for one in coded if one.payer == "medicare"], month)
    return None if nearest is None else nearest.dual_status_code


def is_institutional_level(statements: Iterable[Statement], month: str) -> bool:
    """Say whether the state's newest word on the month is an institutional level of care."""
    levels = [one for one in statements if one.long_term_care_level is not None and _covers(one, month)]
    return bool(levels) and max(levels, key=_when).long_term_care_level == "institutional"


def last_known_month(statements: Iterable[Statement], year: int) -> str:
    """Find the last month, up to the end of the year, that a statement speaks of; else January."""
    end = f"{year:04d}-12"
    ends = [
        min(one.last_month or max(month_of(one.stated_on), one.first_month), end)
        for one in statements
        if one.first_month is not None and one.first_month <= end
    ]
    return max(ends, default=f"{year:04d}-01")
