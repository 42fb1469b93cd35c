"""The decisions about one person as a pure function of all facts: every month, as known at every delivery.

A decision is kept only where it differs from the one before it in anything but its evidence, so the evidence is that
of the statement which first made it so. The order in which facts arrived is never seen: they are sorted here.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, cast

from contracts.alignment import MonthDecision, Outcome, PredicateResult
from contracts.codes import DecidedCohort, DualStatusCode
from contracts.months import month_at, month_index
from services.alignment.programme import Programme
from services.alignment.replay import in_order, marked, moves
from services.alignment.rules.aligned import Alignment, alignment
from services.alignment.rules.change import change
from services.alignment.rules.cohort import cohort
from services.alignment.rules.knowledge import Knowledge
from services.alignment.rules.known_month import Answer, KnownMonth, Reach, Stated, told
from services.alignment.rules.predicates import answers
from services.alignment.statements import Fact

History = dict[tuple[str, int], MonthDecision]


class _Decided(NamedTuple):
    """A decision before it is written down."""

    alignment: Alignment
    cohort: DecidedCohort
    entity_id: str | None
    county_fips: str | None
    dual_status_code: str | None
    found: dict[str, Answer]

    def same_as(self, other: "_Decided") -> bool:
        """Equal in everything but evidence."""
        return self[:5] == other[:5] and all(answer[:2] == other.found[name][:2] for name, answer in self.found.items())


class Boundary(NamedTuple):
    """What one delivery changed: its sequence, the person's state as then known, and the decisions."""

    sequence: int
    state: str
    decisions: tuple[MonthDecision, ...]


def decision_history(facts: Iterable[Fact], programme: Programme) -> History:
    """Every decision that there ever was: ``(month, sequence)`` to the decision made then."""
    return {
        (decision.month, boundary.sequence): decision
        for boundary in boundaries(facts, programme)
        for decision in boundary.decisions
    }


def boundaries(facts: Iterable[Fact], programme: Programme, since: int = 0) -> Iterator[Boundary]:
    """What each delivery from ``since`` on changed. Deliveries before it are replayed without deciding anything."""
    ordered = in_order(facts)
    moved = moves(ordered)
    knowledge = Knowledge(programme)
    for sequence, group in groupby(marked(ordered), key=itemgetter(0)):
        arrived = [fact for _, fact in group if fact is not None]
        if sequence in moved:
            before, knowledge = knowledge, _knowledge(ordered, sequence, programme)
            if sequence >= since and knowledge.state:
                yield Boundary(sequence, knowledge.state, tuple(_differences(before, knowledge, programme)))
        elif sequence < since:
            for fact in arrived:
                knowledge.add(fact)
        else:
            yield Boundary(sequence, arrived[-1].state, tuple(_changes(knowledge, arrived, programme)))


def _knowledge(ordered: Iterable[Fact], sequence: int, programme: Programme) -> Knowledge:
    """All that counts at a delivery, taken in as if it had never been another's."""
    knowledge = Knowledge(programme)
    for fact in ordered:
        if fact.counts_at(sequence):
            knowledge.add(fact)
    return knowledge


def _differences(before: Knowledge, now: Knowledge, programme: Programme) -> Iterator[MonthDecision]:
    """What another set of facts decides otherwise."""
    for month in sorted({*before.months, *now.months}):
        last = before.about(month) if month in before.months else None
        decision = _changed(last, now.about(month), programme)
        if decision is not None:
            yield decision


def _changes(knowledge: Knowledge, together: Sequence[Fact], programme: Programme) -> Iterator[MonthDecision]:
    """Add the facts of one delivery, and decide each month that they may have touched."""
    before: dict[int, KnownMonth | None] = {}
    for fact in together:
        for month in knowledge.touched_by(fact):
            if month not in before:
                before[month] = knowledge.about(month) if month in knowledge.months else None
        knowledge.add(fact)
    for month in sorted(before):
        decision = _changed(before[month], knowledge.about(month), programme)
        if decision is not None:
            yield decision


def _changed(before: KnownMonth | None, now: KnownMonth, programme: Programme) -> MonthDecision | None:
    if before is not None and _values(before) == _values(now):
        return None
    decided = _decided(now, programme)
    if before is None:
        return _written(decided, now, None)
    last = _decided(before, programme)
    return None if decided.same_as(last) else _written(decided, now, last.alignment)


def _values(known: KnownMonth) -> tuple[object, ...]:
    """All that a decision can depend on, without who stated it when."""
    verdict = known.verdict
    return (
        known.state,
        *[stated and (stated.value, stated.reach is Reach.CONTRADICTED) for stated in _stated_of(known)],
        known.entitlement_buy_in_code and known.entitlement_buy_in_code.reach,
        known.begun,
        verdict[:6],
    )


def _stated_of(known: KnownMonth) -> tuple[Stated[Any] | None, ...]:
    return (
        known.entitlement_buy_in_code,
        known.health_plan,
        known.medicare_is_primary,
        known.county_fips,
        known.in_united_states,
        known.dual_status_code,
        known.enrolled_plans,
        known.dead,
    )


def _decided(known: KnownMonth, programme: Programme) -> _Decided:
    found = answers(known, programme)
    decided = alignment(known.verdict, found, programme)
    return _Decided(
        decided,
        cohort(found, aligned=decided.aligned),
        known.verdict.entity_id if decided.aligned else None,
        told(known.county_fips),
        told(known.dual_status_code),
        found,
    )


def _written(decided: _Decided, known: KnownMonth, before: Alignment | None) -> MonthDecision:
    failed = (answer.reason for answer in decided.found.values() if answer.outcome is Outcome.FAIL and answer.reason)
    own = (decided.alignment.reason,) if decided.alignment.reason else ()
    return MonthDecision(
        month=month_at(known.month),
        aligned=decided.alignment.aligned,
        basis=decided.alignment.basis,
        change=change(decided.alignment, known.verdict, before),
        cohort=decided.cohort,
        entity_id=decided.entity_id,
        county_fips=decided.county_fips,
        dual_status_code=cast("DualStatusCode | None", decided.dual_status_code),
        reasons=(*own, *failed),
        predicates=tuple([_result(name, answer) for name, answer in decided.found.items()]),
    )


@lru_cache(maxsize=8192)
def _result(name: str, answer: Answer) -> PredicateResult:
    return PredicateResult(name=name, outcome=answer.outcome, reason=answer.reason, evidence=answer.evidence)


def decisions_as_known(
    facts: Iterable[Fact], keys: Collection[tuple[str, int]], programme: Programme
) -> Iterator[tuple[int, str, MonthDecision]]:
    """What held for each month at each delivery of ``keys``, whether or not it changed then.

    Gives the delivery, the person's state as then known, and the decision, ordered by delivery and month.
    """
    ordered = in_order(facts)
    for sequence, months in groupby(sorted((sequence, month) for month, sequence in keys), key=itemgetter(0)):
        knowledge = _knowledge(ordered, sequence, programme)
        # Nobody is told about somebody who turned out to be somebody else.
        for _, month in months if knowledge.state else ():
            known = knowledge.about(month_index(month))
            decided = _decided(known, programme)
            yield sequence, known.state, _written(decided, known, decided.alignment)
