"""Arrangements, differences with CMS and work items of one person, as a pure function of all facts: what each delivery changed.

As with decisions, the order in which facts arrived is never seen. A month is kept where it differs from what was known
before in anything but evidence. Only months that a fact may have changed are looked at, before it is taken in and after.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from contracts.arrangements import ArrangementStanding
from contracts.reconciliation import Outcome
from services.alignment.known_person import Forecast, KnownPerson, Policies, known_at, take_in
from services.alignment.replay import in_order, marked, moves
from services.alignment.rules.reconciliation.outcome import hanging_on, outcome
from services.alignment.rules.reconciliation.two_sides import Sides, two_sides
from services.alignment.rules.work_items.dual_lapse import dual_lapse
from services.alignment.rules.work_items.part_a_buy_in import part_a_buy_in
from services.alignment.rules.work_items.work_item import Kind, WorkItem
from services.alignment.statements import Fact

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
class _Before:
    """What was known of months that a delivery may have changed. ``None``: nothing was."""

    arranged: dict[int, Arranged | None] = field(default_factory=dict)
    differing: dict[int, Differing | None] = field(default_factory=dict)

    def look_at(self, person: KnownPerson, months: Iterable[int]) -> None:
        """Keep what is known of these months and of those that hang on them, unless it is kept already."""
        touched = set(months)
        for month in touched | set(_running_on(person, touched)):
            if month not in self.arranged:
                self.arranged[month] = arranged(person, month) if month in person.months else None
        for month in touched:
            for hanging in hanging_on(month, person.sides, person.policies.review):
                if hanging not in self.differing:
                    self.differing[hanging] = differing(person, hanging)


def _running_on(person: KnownPerson, months: Iterable[int]) -> Iterator[int]:
    """Months after these whose memberships may hang on what held in them."""
    for month in months:
        following = month + 1
        while following in person.months and person.runs_on(following):
            yield following
            following += 1


def changes(facts: Iterable[Fact], policies: Policies, since: int = 0) -> Iterator[Changes]:
    """What each delivery from ``since`` on changed. Deliveries before it are replayed without judging any month."""
    ordered = in_order(facts)
    moved = moves(ordered)
    person = KnownPerson(policies)
    items: dict[Kind, WorkItem] | None = None
    for sequence, group in groupby(marked(ordered), key=itemgetter(0)):
        arrived = [fact for _, fact in group if fact is not None]
        before = _Before()
        if sequence >= since and items is None:
            items = _items(person)
        if sequence in moved:
            person, earlier = known_at(ordered, sequence, policies), person
            if sequence >= since:
                before.look_at(earlier, {*earlier.months, *person.months})
        elif sequence < since:
            take_in(person, arrived)
        else:
            _take_in(person, arrived, before)
        if items is not None:
            then, items = items, _items(person)
            if person.state:
                yield _compared(sequence, person, before, _items_changed(then, items))


def _take_in(person: KnownPerson, together: Sequence[Fact], before: _Before) -> None:
    """Take in what one delivery states, looking first at what it may change."""
    # A report is the first to speak of the months since the one before it.
    newest = max((fact.report_month or 0 for fact in together), default=0)
    before.look_at(person, range(max(person.reported + 1, person.months.start), min(newest + 1, person.months.stop)))
    person.remember_forecasts(together)
    for fact in together:
        touched = person.touched_by(fact)
        before.look_at(person, touched)
        person.add(fact, touched)


def _compared(sequence: int, person: KnownPerson, before: _Before, items: dict[Kind, WorkItem | None]) -> Changes:
    """What is otherwise than it was."""
    now = {month: arranged(person, month) for month in sorted(before.arranged)}
    return Changes(
        sequence,
        person.state,
        {month: one for month, one in now.items() if one != before.arranged[month]},
        _differences(person, before.differing),
        items,
    )


def arranged(person: KnownPerson, month: int) -> Arranged:
    """How the person stands to every arrangement in a month."""
    found, county = person.standings(month), person.month(month).known.county_fips
    return Arranged(county and county.value, found.standings, found.open_reasons)


def differing(person: KnownPerson, month: int) -> Differing | None:
    """A month that differs; ``None`` where it does not, or where no report speaks of it."""
    found = outcome(month, person.sides, person.policies.review)
    if found is None or found == "agreed":
        return None
    return _stated(person, month, found)


def _stated(person: KnownPerson, month: int, found: Outcome) -> Differing | None:
    sides = person.sides(month)
    if sides is None:
        return None
    return Differing(
        sides.entity_id, found, sides.theirs, sides.reason, sides.ours, sides.failing, person.forecast(month)
    )


def _differences(
    person: KnownPerson, before: Mapping[int, Differing | None]
) -> dict[int, tuple[Differing, Sides | None]]:
    changed: dict[int, tuple[Differing, Sides | None]] = {}
    for month, then in sorted(before.items()):
        now = differing(person, month)
        if now == then:
            continue
        if now is None and then is not None:
            now = _stated(person, month, "agreed") or _no_longer(then)
        if now is not None:
            known = person.afresh(month)
            changed[month] = now, two_sides(known.known.verdict, known.found)
    return changed


def _no_longer(then: Differing) -> Differing:
    """No report speaks of the month any more, so nothing differs."""
    return then._replace(outcome="agreed", theirs=False, ours=False, failing=())


def _items(person: KnownPerson) -> dict[Kind, WorkItem]:
    """What there is to do about a person: as of the newest month that anybody has spoken of, but never of a later one."""
    if not person.months:
        return {}
    now, review = person.newest_statement, person.policies.review
    newest = person.afresh(min(now, person.months.stop - 1)).known
    dead = newest.dead is not None and newest.dead.value
    lapse = None if dead else dual_lapse(person.care.ending(now), now, review)
    both = (part_a_buy_in(newest, review), lapse)
    return {item.kind: item for item in both if item is not None}


def _items_changed(before: Mapping[Kind, WorkItem], now: Mapping[Kind, WorkItem]) -> dict[Kind, WorkItem | None]:
    """Those that are otherwise in anything but evidence."""
    return {kind: now.get(kind) for kind in KINDS if _worth(now.get(kind)) != _worth(before.get(kind))}


def _worth(item: WorkItem | None) -> tuple[object, ...] | None:
    return None if item is None else item[:3]
