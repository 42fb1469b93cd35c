"""Which of the state's statements speaks for a month, value by value.

Source: ASC X12N 005010X220A1 as states use it: every file states spans again, and a later one corrects an earlier.
The span stated last wins, then the one delivered last; a value that it leaves out is taken from the next, down to
the newest "not enrolled", which takes back everything stated before it. That holds within one source; where several
sources speak of a month, each value is taken from the first of them that gives it, in the order that the policy ranks
them. A month of which no source says anything stays unknown: a feed that ends early takes nothing away.
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.alignment.rules.known_month import Reach, Stated
from services.alignment.statements import EnrolmentSpan, Fact

_Ranking = tuple[tuple[int, tuple[str, ...]], ...]
_ALONE: _Ranking = ((0, ("834",)),)
_UNNAMED = ("",)


class _Row(NamedTuple):
    """One span and how it stands: stated on, sequence, enrolled before not enrolled, first in the file first."""

    standing: tuple[int, int, bool, int]
    span: EnrolmentSpan
    source: str

    def covers(self, month: int) -> bool:
        return self.span.first <= month and (self.span.last is None or month <= self.span.last)

    def hides(self, other: "_Row") -> bool:
        """Nothing of ``other`` can be seen in any month any more."""
        mine, its = self.span, other.span
        wider = mine.first <= its.first and (mine.last is None or (its.last is not None and its.last <= mine.last))
        newer = self.standing[:2] > other.standing[:2]
        return newer and wider and (not mine.enrolled or _says_all(mine) or (its.enrolled and _says_more(mine, its)))


def _says_all(span: EnrolmentSpan) -> bool:
    return None not in {span[field] for field in _FIELDS}


def _says_more(mine: EnrolmentSpan, its: EnrolmentSpan) -> bool:
    return all(mine[field] is not None or its[field] is None for field in _FIELDS)


_FIELDS = tuple(
    EnrolmentSpan._fields.index(name) for name in ("dual_status_code", "health_plan", "county_fips", "programme")
)


class Enrolment(NamedTuple):
    """What the state says about a month. No plans: not enrolled; a plan of ``""``: enrolled, plan not named."""

    plans: Stated[tuple[str, ...]] | None = None
    dual_status_code: Stated[str] | None = None
    health_plan: Stated[str] | None = None
    county_fips: Stated[str] | None = None
    programme: Stated[str] | None = None


class _OfOneSource:
    """All of one source's statements about one person that can still be seen, newest first."""

    def __init__(self, rows: list[_Row]) -> None:
        self._rows = rows

    def with_one_more(self, fact: Fact) -> "_OfOneSource":
        """With a statement, and without what it hides."""
        new = [
            _Row((fact.stated_on, fact.sequence, span.enrolled, -place), span, fact.source)
            for place, span in enumerate(fact.enrolment)
        ]
        kept = [row for row in self._rows if not any(one.hides(row) for one in new)]
        return _OfOneSource(sorted(kept + new, key=_standing, reverse=True))

    def resolve(self, month: int) -> Enrolment:
        """Give what the source says of a month."""
        rows = [row for row in self._rows if row.covers(month)]
        if not rows:
            return Enrolment()
        seen = _until_void(rows)
        if not seen:
            return Enrolment(plans=_stated((), rows[0]))
        return Enrolment(_plans(seen), *(_first(seen, field) for field in _FIELDS))


class EnrolmentStatements:
    """All statements about one person's Medicaid enrolment, from every source."""

    def __init__(self, ranking: _Ranking = _ALONE) -> None:
        self._ranking = ranking
        self._of: dict[str, _OfOneSource] = {}
        # What was asked about last, and what its source says with it: it is mostly added next.
        self._ahead: tuple[Fact, _OfOneSource] | None = None

    def add(self, fact: Fact) -> None:
        """Take a statement in and let go of what it hides."""
        self._of[fact.source] = self._with(fact)
        self._ahead = None

    def _with(self, fact: Fact) -> _OfOneSource:
        if self._ahead is not None and self._ahead[0] is fact:
            return self._ahead[1]
        return self._of.get(fact.source, _OfOneSource([])).with_one_more(fact)

    def reach_of(self, fact: Fact, first: int, last: int) -> set[int]:
        """Months of ``first`` to ``last`` in which a statement not yet added changes a value."""
        more = EnrolmentStatements(self._ranking)
        self._ahead = (fact, self._with(fact))
        more._of = self._of | {fact.source: self._ahead[1]}
        covered = {
            month
            for span in fact.enrolment
            for month in range(max(span.first, first), (last if span.last is None else min(span.last, last)) + 1)
        }
        return {month for month in covered if _values(more.resolve(month)) != _values(self.resolve(month))}

    def resolve(self, month: int) -> Enrolment:
        """Give what holds for a month."""
        said = [enrolment for enrolment in self._in_order(month) if enrolment.plans is not None]
        if len(said) <= 1:
            return said[0] if said else Enrolment()
        values = [next((value for value in values if value is not None), None) for values in zip(*said, strict=True)]
        return Enrolment(*values)._replace(plans=_plans_of_several(said))

    def _in_order(self, month: int) -> Iterator[Enrolment]:
        for source in self._sources(month):
            if source in self._of:
                yield self._of[source].resolve(month)

    def _sources(self, month: int) -> tuple[str, ...]:
        return next((sources for first, sources in reversed(self._ranking) if first <= month), self._ranking[0][1])


def _plans_of_several(said: list[Enrolment]) -> Stated[tuple[str, ...]] | None:
    """Of the first source; where that one names no plan, of the first that does."""
    first = said[0].plans
    if first is None or first.value != _UNNAMED:
        return first
    named = (one.plans for one in said if one.plans is not None and one.plans.value not in {(), _UNNAMED})
    return next(named, first)


def _values(enrolment: Enrolment) -> tuple[object, ...]:
    return tuple([stated and (stated.value, stated.reach) for stated in enrolment])


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
            said = {other.span[field] for other in rows if other.standing[:2] == row.standing[:2]} - {None}
            reach = Reach.EXACT if len(said) == 1 else Reach.CONTRADICTED
            return Stated(str(value), row.source, row.standing[0], reach)
    return None


def _stated(plans: tuple[str, ...], row: _Row) -> Stated[tuple[str, ...]]:
    return Stated(plans, row.source, row.standing[0])
