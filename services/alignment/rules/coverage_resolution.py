"""Which Medicare statement speaks for a month, value by value.

CCLF8 is a snapshot: it speaks for the month of its file (CCLF Information Packet v36.0, CCLF8). A month without one
takes the latest before it; where there is none before, the earliest after it. Among statements of the same month the
one stated last wins, then the one delivered last; a value that a statement leaves out is taken from the next. Where one
statement says two things of a month, neither counts and the value stays open.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, NamedTuple

from services.alignment.rules.known_month import Reach, Stated
from services.alignment.statements import CoverageSpan, Fact, month_number

_FIRST_VALUE = CoverageSpan._fields.index("entitlement_buy_in_code")
VALUES = CoverageSpan._fields[_FIRST_VALUE:]

Found = list[Stated[Any] | None]
_NONE: frozenset[int] = frozenset()


class _Row(NamedTuple):
    """One span of a statement, and how it stands against others of the same month."""

    standing: tuple[int, int, int]
    source: str
    span: CoverageSpan


def _standing(row: _Row) -> tuple[int, int, int]:
    return row.standing


def _values_given(span: CoverageSpan) -> frozenset[int]:
    return frozenset([index for index, value in enumerate(span[_FIRST_VALUE:]) if value is not None])


def _fill(found: Found, missing: set[int], row: _Row, reach: Reach, contradicted: frozenset[int]) -> set[int]:
    """Put in what is missing and the row has; give back what was put in."""
    filled = set()
    for index in missing:
        value = row.span[_FIRST_VALUE + index]
        if value is not None:
            how = Reach.CONTRADICTED if index in contradicted else reach
            found[index] = Stated(value, row.source.upper(), row.standing[0], how)
            filled.add(index)
    return filled


def _differing(one: CoverageSpan, other: CoverageSpan) -> Iterator[int]:
    for index, (value, its) in enumerate(zip(one[_FIRST_VALUE:], other[_FIRST_VALUE:], strict=True)):
        if value is not None and its is not None and value != its:
            yield index


class CoverageStatements:
    """All Medicare statements about one person, by month; grows as deliveries are replayed in order."""

    def __init__(self, earliest: int) -> None:
        self._earliest = earliest
        self._rows: dict[int, list[_Row]] = {}
        self._months: list[int] = []
        self._given: set[int] = set()
        # By month and statement: the values of which it says two things.
        self._contradicted: dict[tuple[int, tuple[int, int]], frozenset[int]] = {}

    def add(self, fact: Fact) -> None:
        """Take a statement in. An open span speaks up to the month in which it was stated, then is carried."""
        for place, span in enumerate(fact.coverage):
            self._given.update(_values_given(span))
            for month in self.months_of(span, fact):
                self._insert(month, _Row((fact.stated_on, fact.sequence, place), fact.source, span))

    def months_of(self, span: CoverageSpan, fact: Fact) -> range:
        """The months that a span speaks of exactly."""
        last = span.last if span.last is not None else max(span.first, month_number(fact.stated_on))
        return range(max(span.first, self._earliest), last + 1)

    def _insert(self, month: int, row: _Row) -> None:
        rows = self._rows.get(month)
        if rows is None:
            self._rows[month] = [row]
            insort(self._months, month)
        else:
            self._compare(month, rows, row)
            rows.append(row)
            rows.sort(reverse=True, key=_standing)

    def _compare(self, month: int, rows: list[_Row], row: _Row) -> None:
        for other in rows:
            if other.standing[:2] == row.standing[:2] and other.source == row.source and other.span != row.span:
                key = (month, row.standing[:2])
                differing = frozenset(_differing(row.span, other.span))
                self._contradicted[key] = self._contradicted.get(key, frozenset()) | differing

    def resolve(self, month: int) -> Found:
        """Give the value of each of :data:`VALUES` for a month."""
        found: Found = [None] * len(VALUES)
        missing = set(self._given)
        for reach, of, rows in self._candidates(month):
            for row in rows:
                contradicted = self._contradicted.get((of, row.standing[:2]), _NONE) if self._contradicted else _NONE
                missing -= _fill(found, missing, row, reach, contradicted)
            if not missing:
                break
        return found

    def _candidates(self, month: int) -> Iterator[tuple[Reach, int, list[_Row]]]:
        here = bisect_left(self._months, month)
        if month in self._rows:
            yield Reach.EXACT, month, self._rows[month]
        for earlier in reversed(self._months[:here]):
            yield Reach.CARRIED_FORWARD, earlier, self._rows[earlier]
        for later in self._months[here:]:
            if later != month:
                yield Reach.FROM_LATER, later, self._rows[later]

    def reach_of(self, fact: Fact, first: int, last: int) -> set[int]:
        """Months of ``first`` to ``last`` that a statement not yet added may change; never too few."""
        touched: set[int] = set()
        for span in fact.coverage:
            exact = self.months_of(span, fact)
            values = _values_given(span)
            touched.update(exact)
            touched.update(self._until_covered(range(exact.stop, last + 1), values))
            if exact and not any(values <= given for given in self._given_before(exact.start)):
                touched.update(range(first, exact.start))
        return touched

    def _until_covered(self, months: range, values: frozenset[int]) -> Iterator[int]:
        for month in months:
            if any(values <= _values_given(row.span) for row in self._rows.get(month, ())):
                return
            yield month

    def _given_before(self, month: int) -> Iterator[frozenset[int]]:
        # Only the first month that has a statement can stand before every month in question.
        if self._months and self._months[0] < month:
            yield from (_values_given(row.span) for row in self._rows[self._months[0]])
