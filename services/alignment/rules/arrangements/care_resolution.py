"""Which of the state's statements speaks of care in a month, value by value.

As with enrolment: within one source the span stated last wins, then the one delivered last; a value that it leaves out
is taken from the next, down to the newest "not enrolled". Between sources each value is taken from the first that gives
it. Plans are told by different sources for different sorts of care: an 834 names the plan that it is sent to, T-MSIS all
of them with their types. So the first source that speaks gives the plans, and the first that tells types adds those of
other sorts than comprehensive care, and the types of plans that are there. Whom the first source calls not enrolled is in
no plan.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from services.alignment.care_told import NOTHING_TOLD, CareTold
from services.alignment.rules.arrangements.month_known import Care, Plan
from services.alignment.rules.known_month import Stated
from services.alignment.statements import EnrolmentSpan, Fact

# T-MSIS plan types of which a person has one: comprehensive care, health insuring organisation, medical PIHP and PAHP.
COMPREHENSIVE_TYPES = frozenset({"01", "04", "05", "06"})
# A span of more months is not written down month by month.
_FAR = 120
_Ranking = tuple[tuple[int, tuple[str, ...]], ...]
_Standing = tuple[int, int, bool, int]


class _Row(NamedTuple):
    """One span and how it stands: stated on, sequence, enrolled before not enrolled, first in the file first."""

    standing: _Standing
    span: EnrolmentSpan
    source: str

    @property
    def care(self) -> CareTold:
        return self.span.care or NOTHING_TOLD

    def covers(self, month: int) -> bool:
        return self.span.first <= month and (self.span.last is None or month <= self.span.last)

    def stated(self, value: Any) -> Stated[Any]:  # noqa: ANN401 - of any of the values
        return Stated(value, self.source, self.standing[0])

    def repeats(self, other: "_Row") -> bool:
        """Whether it says of a month what an older one says, which is then never seen again."""
        return self.standing[:2] > other.standing[:2] and self.span[2:] == other.span[2:]


class _OfOneSource:
    """One source's rows by month, newest first; an open one, or one that reaches far, is looked through for every month."""

    def __init__(self) -> None:
        self._by_month: dict[int, list[_Row]] = {}
        self._far: list[_Row] = []

    def copy(self) -> "_OfOneSource":
        more = _OfOneSource()
        more._by_month, more._far = dict(self._by_month), list(self._far)
        return more

    def add(self, row: _Row) -> None:
        first, last = row.span[:2]
        if last is None or last - first > _FAR:
            self._far = sorted(
                [*(one for one in self._far if not _replaces(row, one)), row], key=_standing, reverse=True
            )
            return
        for month in range(first, last + 1):
            kept = [one for one in self._by_month.get(month, ()) if not row.repeats(one)]
            # A new list: a copy may hold the old one.
            self._by_month[month] = sorted([*kept, row], key=_standing, reverse=True) if kept else [row]

    def rows(self, month: int) -> list[_Row]:
        near, far = self._by_month.get(month, []), [row for row in self._far if row.covers(month)]
        return sorted([*near, *far], key=_standing, reverse=True) if far else near


def _replaces(new: _Row, old: _Row) -> bool:
    within = new.span.first <= old.span.first and (
        new.span.last is None or (old.span.last is not None and old.span.last <= new.span.last)
    )
    return within and new.repeats(old)


class CareStatements:
    """All that sources state of one person's care; grows as deliveries are replayed in order."""

    def __init__(self, ranking: _Ranking) -> None:
        self._ranking = ranking
        self._of: dict[str, _OfOneSource] = {}
        self._found: dict[int, Care] = {}

    def add(self, fact: Fact) -> None:
        """Take a statement in."""
        if not fact.enrolment:
            return
        source = self._of.setdefault(fact.source, _OfOneSource())
        rows = _rows_of(fact)
        for row in rows:
            source.add(row)
        for month in [month for month in self._found if any(row.covers(month) for row in rows)]:
            del self._found[month]

    def reach_of(self, fact: Fact, first: int, last: int) -> set[int]:
        """Months of ``first`` to ``last`` in which a statement not yet added changes a value."""
        if not fact.enrolment:
            return set()
        more = CareStatements(self._ranking)
        more._of = {name: source.copy() if name == fact.source else source for name, source in self._of.items()}
        more.add(fact)
        covered = {
            month
            for span in fact.enrolment
            for month in range(max(span.first, first), (last if span.last is None else min(span.last, last)) + 1)
        }
        return {month for month in covered if _values(more.resolve(month)) != _values(self.resolve(month))}

    def resolve(self, month: int) -> Care:
        """Give what holds for a month, looked up once until it may have changed."""
        found = self._found.get(month)
        if found is None:
            found = self._found[month] = self._resolved(month)
        return found

    def _resolved(self, month: int) -> Care:
        seen = list(self._seen(month))
        if not seen:
            return Care()
        plans = _plans(seen)
        if not seen[0][1]:
            return Care(plans=plans)
        rows = [row for _, visible in seen for row in visible]
        return Care(
            plans,
            _contract(rows),
            _first(rows, "level_of_care"),
            _first(rows, "safe_in_community"),
            _first(rows, "enrolment_basis"),
            _first(rows, "demonstration"),
            _waivers(rows),
        )

    def ending(self, month: int) -> tuple[int, Stated[str | None]] | None:
        """The last month of the enrolment that holds in a month, and its dual status; ``None`` where it goes on, or is none.

        It goes on where the same statement, or a newer one of its source, says that the person is enrolled after it.
        """
        newest, visible = next(self._seen(month), (None, []))
        if newest is None or not visible or visible[0].span.last is None:
            return None
        row, last = visible[0], visible[0].span.last
        later = self._of[row.source].rows(last + 1)
        if any(one.span.enrolled and one.standing[:2] >= row.standing[:2] for one in later):
            return None
        return last, row.stated(row.span.dual_status_code)

    def _seen(self, month: int) -> Iterator[tuple[_Row, list[_Row]]]:
        """Of each source that speaks of the month, in order: its newest row, and the rows that nothing takes back."""
        for name in self._sources(month):
            rows = self._of[name].rows(month) if name in self._of else []
            if rows:
                void = next((place for place, row in enumerate(rows) if not row.span.enrolled), len(rows))
                yield rows[0], rows[:void]

    def _sources(self, month: int) -> tuple[str, ...]:
        return next((sources for first, sources in reversed(self._ranking) if first <= month), self._ranking[0][1])


def _rows_of(fact: Fact) -> list[_Row]:
    return [
        _Row((fact.stated_on, fact.sequence, span.enrolled, -place), span, fact.source)
        for place, span in enumerate(fact.enrolment)
    ]


def _values(care: Care) -> list[object]:
    return [stated and stated.value for stated in care]


def _standing(row: _Row) -> _Standing:
    return row.standing


def _first(rows: Sequence[_Row], name: str) -> Stated[Any] | None:
    field = CareTold._fields.index(name)
    return next((row.stated(row.care[field]) for row in rows if row.care[field] is not None), None)


def _waivers(rows: Sequence[_Row]) -> Stated[tuple[str, ...]] | None:
    return next((row.stated(row.care.waiver_type_codes) for row in rows if row.care.waiver_type_codes), None)


def _contract(rows: Sequence[_Row]) -> Stated[str] | None:
    speaking = next((row for row in rows if row.span.health_plan is not None), None)
    return None if speaking is None or speaking.care.contract is None else speaking.stated(speaking.care.contract)


def _plans(seen: Sequence[tuple[_Row, list[_Row]]]) -> Stated[tuple[Plan, ...]]:
    newest, visible = seen[0]
    if not visible:
        return newest.stated(())
    own = set(_newest(visible))
    names = {plan.plan_id for plan in own}
    told = {plan for plan in _typed(seen) if plan.plan_id in names or plan.plan_type_code not in COMPREHENSIVE_TYPES}
    typed = {plan.plan_id for plan in told}
    kept = {plan for plan in own if plan.plan_type_code is not None or plan.plan_id not in typed}
    return newest.stated(tuple(sorted(kept | told, key=_by_name)))


def _typed(seen: Sequence[tuple[_Row, list[_Row]]]) -> list[Plan]:
    """The plans of the first source that tells types."""
    of_sources = ([plan for plan in _newest(rows) if plan.plan_type_code is not None] for _, rows in seen if rows)
    return next((plans for plans in of_sources if plans), [])


def _newest(rows: Sequence[_Row]) -> list[Plan]:
    newest = rows[0].standing[:2]
    return [Plan(row.span.plan_id or "", row.care.plan_type_code) for row in rows if row.standing[:2] == newest]


def _by_name(plan: Plan) -> tuple[str, str]:
    return plan.plan_id, plan.plan_type_code or ""
