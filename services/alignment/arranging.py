"""Arrangements, differences with CMS and work items of one person, as a pure function of all facts: what each delivery changed.

As with decisions, the order in which facts arrived is never seen. A month is kept where it differs from what was known
before in anything but evidence.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from contracts.arrangements import ArrangementStanding
from contracts.codes import DUAL_BENEFIT_LEVEL, BenefitLevel
from contracts.reconciliation import Outcome
from services.alignment.known_person import Forecast, KnownPerson, Policies, known_at
from services.alignment.replay import in_order, marked, moves
from services.alignment.rules.arrangements.standings import MonthStandings, month_standings
from services.alignment.rules.reconciliation.outcome import outcomes
from services.alignment.rules.reconciliation.two_sides import Sides, two_sides
from services.alignment.rules.work_items.dual_lapse import dual_lapse
from services.alignment.rules.work_items.part_a_buy_in import part_a_buy_in
from services.alignment.rules.work_items.work_item import Kind, WorkItem
from services.alignment.statements import Fact

_FULL = frozenset(code for code, level in DUAL_BENEFIT_LEVEL.items() if level is BenefitLevel.FULL)
KINDS: tuple[Kind, ...] = ("part_a_buy_in", "dual_lapse")


class Arranged(NamedTuple):
    """A month's standings, where the person lived, and what keeps the answer open."""

    county_fips: str | None
    standings: tuple[ArrangementStanding, ...]
    open_reasons: tuple[str, ...]


class Differing(NamedTuple):
    """A month of which CMS's report and our predicates both speak."""

    entity_id: str
    outcome: Outcome
    theirs: bool
    reason: str | None
    ours: bool
    failing: tuple[str, ...]
    forecast: Forecast


class Changes(NamedTuple):
    """What one delivery changed. A work item of ``None`` is done with. Evidence is as of that delivery."""

    sequence: int
    state: str
    arranged: dict[int, Arranged]
    differing: dict[int, tuple[Differing, Sides | None]]
    items: dict[Kind, WorkItem | None]


@dataclass(slots=True)
class _Judged:
    """What was found at the delivery before."""

    standings: dict[int, MonthStandings] = field(default_factory=dict)
    arranged: dict[int, Arranged] = field(default_factory=dict)
    differing: dict[int, Differing] = field(default_factory=dict)
    items: dict[Kind, WorkItem | None] = field(default_factory=dict)


def changes(facts: Iterable[Fact], policies: Policies, since: int = 0) -> Iterator[Changes]:
    """What each delivery from ``since`` on changed. Deliveries before it are replayed without judging every month."""
    ordered = in_order(facts)
    moved = moves(ordered)
    person, judged = KnownPerson(policies), None
    for sequence, group in groupby(marked(ordered), key=itemgetter(0)):
        arrived = [fact for _, fact in group if fact is not None]
        if sequence >= since and judged is None:
            judged = _Judged()
            _judge(person, set(person.months), judged)
        if sequence in moved:
            before, person = person.months, known_at(ordered, sequence, policies)
            touched = {*before, *person.months}
        else:
            touched = person.add(arrived)
        if judged is not None:
            found = _judge(person, touched, judged)
            if person.state:
                yield found._replace(sequence=sequence)


def _judge(person: KnownPerson, touched: set[int], judged: _Judged) -> Changes:
    """Judge again what may have changed, and put it in the place of what was found before."""
    return Changes(
        0, person.state, _arranged(person, touched, judged), _differing(person, judged), _items(person, judged)
    )


def _arranged(person: KnownPerson, touched: set[int], judged: _Judged) -> dict[int, Arranged]:
    pending, changed = set(touched), {}
    for month in range(min(pending, default=0), max(max(pending, default=-1), person.months.stop - 1) + 1):
        if month not in pending:
            continue
        known, before = person.month(month), judged.standings.get(month - 1, _NOTHING)
        found = month_standings(known, person.policies.arrangements, before.runs)
        if found != judged.standings.get(month):
            judged.standings[month] = found
            if month + 1 in judged.standings or month + 1 in person.months:
                pending.add(month + 1)
        county = known.known.county_fips
        arranged = Arranged(county and county.value, found.standings, found.open_reasons)
        if arranged != judged.arranged.get(month):
            judged.arranged[month] = changed[month] = arranged
    return changed


_NOTHING = MonthStandings()


def _differing(person: KnownPerson, judged: _Judged) -> dict[int, tuple[Differing, Sides | None]]:
    found = _compared(person)
    changed: dict[int, tuple[Differing, Sides | None]] = {}
    for month in sorted({*found, *judged.differing}):
        before = judged.differing.get(month)
        now = found.get(month) or (before and before._replace(outcome="agreed", theirs=False, ours=False, failing=()))
        if now is None or now == before or (now.outcome == "agreed" and before is None):
            continue
        if now.outcome == "agreed":
            del judged.differing[month]
        else:
            judged.differing[month] = now
        known = person.afresh(month)
        changed[month] = now, two_sides(known.known.verdict, known.found)
    return changed


def _compared(person: KnownPerson) -> dict[int, Differing]:
    if not person.reported:
        return {}
    known = ((month, person.month(month)) for month in person.months if month <= person.reported)
    sides = {month: both for month, one in known if (both := two_sides(one.known.verdict, one.found)) is not None}
    return {
        month: _stated(sides[month], outcome, person.forecast(month))
        for month, outcome in outcomes(sides, person.policies.review).items()
    }


def _stated(sides: Sides, outcome: Outcome, forecast: Forecast) -> Differing:
    return Differing(sides.entity_id, outcome, sides.theirs, sides.reason, sides.ours, sides.failing, forecast)


def _items(person: KnownPerson, judged: _Judged) -> dict[Kind, WorkItem | None]:
    found = work_items(person)
    changed: dict[Kind, WorkItem | None] = {}
    for kind in KINDS:
        now, before = found.get(kind), judged.items.get(kind)
        if (now and now[:3]) != (before and before[:3]):
            judged.items[kind] = changed[kind] = now
    return changed


def work_items(person: KnownPerson) -> Mapping[Kind, WorkItem]:
    """What there is to do about a person: as of the newest month that anybody has spoken of, but never of a later one."""
    if not person.months:
        return {}
    now, review = person.newest_statement, person.policies.review
    newest = person.afresh(min(now, person.months.stop - 1)).known
    dead = newest.dead is not None and newest.dead.value
    lapse = None if dead else dual_lapse(person.care.ends_of(_FULL), person.care.enrolled_through(), now, review)
    both = (part_a_buy_in(newest, review), lapse)
    return {item.kind: item for item in both if item is not None}
