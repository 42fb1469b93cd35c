"""Which of the state's statements speaks for a month, value by value.

Source: ASC X12N 005010X220A1 as states use it: every file states spans again, and a later one corrects an earlier.
The span stated last wins, then the one delivered last; a value that it leaves out is taken from the next, down to
the newest "not enrolled", which takes back everything stated before it.
"""

from typing import NamedTuple

from services.alignment.rules.known_month import Stated
from services.alignment.statements import EnrolmentSpan, Fact

_SOURCE = "834"


class _Row(NamedTuple):
    """One span and how it stands: stated on, sequence, enrolled before not enrolled, first in the file first."""

    standing: tuple[int, int, bool, int]
    span: EnrolmentSpan

    def covers(self, month: int) -> bool:
        return self.span.first <= month and (self.span.last is None or month <= self.span.last)

    def hides(self, other: "_Row") -> bool:
        """Nothing of ``other`` can be seen in any month any more."""
        mine, its = self.span, other.span
        wider = mine.first <= its.first and (mine.last is None or (its.last is not None and its.last <= mine.last))
        newer = self.standing[:2] > other.standing[:2]
        return newer and wider and (not mine.enrolled or _says_all(mine) or (its.enrolled and _says_more(mine, its)))


def _says_all(span: EnrolmentSpan) -> bool:
    return None not in (span.dual_status_code, span.health_plan, span.county_fips)


def _says_more(mine: EnrolmentSpan, its: EnrolmentSpan) -> bool:
    return (
        (mine.dual_status_code is not None or its.dual_status_code is None)
        and (mine.health_plan is not None or its.health_plan is None)
        and (mine.county_fips is not None or its.county_fips is None)
    )


class Enrolment(NamedTuple):
    """What the state says about a month. No plans: not enrolled; a plan of ``""``: enrolled, plan not named."""

    plans: Stated[tuple[str, ...]] | None = None
    dual_status_code: Stated[str] | None = None
    health_plan: Stated[str] | None = None
    county_fips: Stated[str] | None = None


class EnrolmentStatements:
    """All of a state's statements about one person that can still be seen, newest first."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []

    def add(self, fact: Fact) -> None:
        """Take a statement in and let go of what it hides."""
        new = [
            _Row((fact.stated_on, fact.sequence, span.enrolled, -place), span)
            for place, span in enumerate(fact.enrolment)
        ]
        kept = [row for row in self._rows if not any(one.hides(row) for one in new)]
        self._rows = sorted(kept + new, key=_standing, reverse=True)

    def reach_of(self, fact: Fact, first: int, last: int) -> set[int]:
        """Months of ``first`` to ``last`` in which a statement not yet added changes a value."""
        more = EnrolmentStatements()
        more._rows = self._rows
        more.add(fact)
        covered = {
            month
            for span in fact.enrolment
            for month in range(max(span.first, first), (last if span.last is None else min(span.last, last)) + 1)
        }
        return {month for month in covered if _values(more.resolve(month)) != _values(self.resolve(month))}

    def resolve(self, month: int) -> Enrolment:
        """Give what holds for a month."""
        rows = [row for row in self._rows if row.covers(month)]
        if not rows:
            return Enrolment()
        seen = _until_void(rows)
        if not seen:
            return Enrolment(plans=_stated((), rows[0]))
        return Enrolment(_plans(seen), *(_first(seen, field) for field in _FIELDS))


_FIELDS = (
    EnrolmentSpan._fields.index("dual_status_code"),
    EnrolmentSpan._fields.index("health_plan"),
    EnrolmentSpan._fields.index("county_fips"),
)


def _values(enrolment: Enrolment) -> tuple[object, ...]:
    return tuple([stated and stated.value for stated in enrolment])


def _standing(row: _Row) -> tuple[int, int, bool, int]:
    return row.standing


def _until_void(rows: list[_Row]) -> list[_Row]:
    void = next((index for index, row in enumerate(rows) if not row.span.enrolled), len(rows))
    return rows[:void]


def _plans(rows: list[_Row]) -> Stated[tuple[str, ...]]:
    newest = rows[0].standing[:2]
    plans = {row.span.plan_id or "" for row in rows if row.standing[:2] == newest}
    return _stated(tuple(sorted(plans)), rows[0])


def _first(rows: list[_Row], field: int) -> Stated[str] | None:
    for row in rows:
        value = row.span[field]
        if value is not None:
            return Stated(str(value), _SOURCE, row.standing[0])
    return None


def _stated(plans: tuple[str, ...], row: _Row) -> Stated[tuple[str, ...]]:
    return Stated(plans, _SOURCE, row.standing[0])
