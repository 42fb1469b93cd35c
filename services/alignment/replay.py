"""The order in which facts about one person are replayed, and the deliveries at which something begins or ends to count."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

from services.alignment.statements import DECIDING, Fact


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Those that decide, oldest delivery first: what is only evidence can change nothing here."""
    return sorted([fact for fact in facts if fact.kind in DECIDING], key=lambda fact: (fact.sequence, fact.event_id))


def marked(ordered: Sequence[Fact]) -> list[tuple[int, Fact | None]]:
    """Every delivery at which facts begin or end to count, with those that begin."""
    begin: list[tuple[int, Fact | None]] = [(fact.known_from, fact) for fact in ordered]
    return sorted(begin + [(fact.until, None) for fact in ordered if fact.until is not None], key=itemgetter(0))


def moves(facts: Iterable[Fact]) -> set[int]:
    """Deliveries because of which facts became another's, or another's became this person's."""
    marks = ((fact.until, None if fact.since == fact.sequence else fact.since) for fact in facts)
    return {mark for both in marks for mark in both if mark is not None}
