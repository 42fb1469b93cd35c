"""Which of the state's statements speaks of care in a month, value by value.

As with enrolment: within one source the span stated last wins, then the one delivered last; a value that it leaves out
is taken from the next, down to the newest "not enrolled". Between sources each value is taken from the first that gives
it. Plans are told by different sources for different sorts of care: an 834 names the plan that it is sent to, T-MSIS all
of them with their types. So the first source that speaks gives the plans, and the first that tells types adds those of
other sorts than comprehensive care, and the types of plans that are there. Whom the first source calls not enrolled is in
no plan.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from services.alignment.care_told import NOTHING_TOLD, CareTold
from services.alignment.rules.arrangements.month_known import Care, Plan
from services.alignment.rules.known_month import Stated
from services.alignment.statements import EnrolmentSpan, Fact

# T-MSIS plan types of which a person has one: comprehensive care, health insuring organisation, medical PIHP and PAHP.
COMPREHENSIVE_TYPES = frozenset({"01", "04", "05", "06"})
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


class CareStatements:
    """All that sources state of one person's care; grows as deliveries are replayed in order."""

    def __init__(self, ranking: _Ranking) -> None:
        self._ranking = ranking
        self._rows: dict[str, list[_Row]] = {}

    def add(self, fact: Fact) -> None:
        """Take a statement in."""
        new = [
            _Row((fact.stated_on, fact.sequence, span.enrolled, -place), span, fact.source)
            for place, span in enumerate(fact.enrolment)
        ]
        if new:
            rows = [*self._rows.get(fact.source, ()), *new]
            self._rows[fact.source] = sorted(rows, key=_standing, reverse=True)

    def resolve(self, month: int) -> Care:
        """Give what holds for a month."""
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

    def ends_of(self, dual_status_codes: frozenset[str]) -> list[tuple[int, Stated[str]]]:
        """Last months of enrolment with one of these dual statuses, each with who stated it; the last one first."""
        ends = [
            (row.span.last, row.stated(row.span.dual_status_code))
            for row in self._enrolled()
            if row.span.last is not None and row.span.dual_status_code in dual_status_codes
        ]
        return sorted(ends, key=itemgetter(0), reverse=True)

    def enrolled_through(self) -> int | None:
        """The last month in which any source calls the person enrolled; ``None`` where that goes on, or none does."""
        lasts = [row.span.last for row in self._enrolled()]
        ended = [last for last in lasts if last is not None]
        return max(ended) if lasts and len(ended) == len(lasts) else None

    def _enrolled(self) -> Iterator[_Row]:
        return (row for rows in self._rows.values() for row in rows if row.span.enrolled)

    def _seen(self, month: int) -> Iterator[tuple[_Row, list[_Row]]]:
        """Of each source that speaks of the month, in order: its newest row, and the rows that nothing takes back."""
        for source in self._sources(month):
            rows = [row for row in self._rows.get(source, ()) if row.covers(month)]
            if rows:
                void = next((place for place, row in enumerate(rows) if not row.span.enrolled), len(rows))
                yield rows[0], rows[:void]

    def _sources(self, month: int) -> tuple[str, ...]:
        return next((sources for first, sources in reversed(self._ranking) if first <= month), self._ranking[0][1])


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
