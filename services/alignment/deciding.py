"""What new facts change: rows to write, rows to take back, and decisions to publish. Pure."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from contracts.alignment import MonthDecision
from services.alignment.history import boundaries, decisions_as_known
from services.alignment.programme import Programme
from services.alignment.statements import Fact
from services.alignment.store import Row, row_of


class Restated(NamedTuple):
    """Decisions of one person to publish because of one delivery."""

    sequence: int
    state: str
    decisions: tuple[MonthDecision, ...]


class Outcome(NamedTuple):
    """All that new facts about one person come to."""

    gone: list[tuple[str, str, int]]
    vanished: list[tuple[str, str, int]]
    rows: list[Row]
    restated: list[Restated]


class Known(NamedTuple):
    """What is stored about one person's decisions from a delivery on: the rows, and changes that are none any more."""

    rows: Mapping[tuple[str, int], Row] = MappingProxyType({})
    restated: Collection[tuple[str, int]] = ()


def first_new(facts: Collection[Fact], new: Collection[str]) -> int:
    """The earliest delivery among the facts whose event ids are ``new``."""
    return min(fact.known_from for fact in facts if fact.event_id in new)


def arrived_late(facts: Collection[Fact], new: Collection[str], since: int) -> bool:
    """Whether something else was already known at the earliest new delivery or after it."""
    return any(max(fact.known_from, fact.until or 0) >= since for fact in facts if fact.event_id not in new)


def outcome(person_id: str, facts: Sequence[Fact], since: int, stored: Known, programme: Programme) -> Outcome:
    """Decide again from ``since`` on and compare with what is stored from there on."""
    decided = [
        (boundary.sequence, boundary.state, decision)
        for boundary in boundaries(facts, programme, since)
        for decision in boundary.decisions
    ]
    rows = {(decision.month, sequence): row_of(person_id, sequence, decision) for sequence, _, decision in decided}
    changed = {key for key, row in rows.items() if stored.rows.get(key) != row}
    vanished = stored.rows.keys() - rows.keys()
    told = [item for item in decided if (item[2].month, item[0]) in changed]
    # A change that no longer happened then was published all the same: say what held instead.
    told += decisions_as_known(facts, (vanished | set(stored.restated)) - rows.keys(), programme)
    return Outcome(
        gone=sorted((person_id, *key) for key in vanished | (changed & stored.rows.keys())),
        vanished=sorted((person_id, *key) for key in vanished),
        rows=[rows[key] for key in sorted(changed)],
        restated=_by_delivery(told),
    )


def _by_delivery(told: Sequence[tuple[int, str, MonthDecision]]) -> list[Restated]:
    sequences = sorted({sequence for sequence, _, _ in told})
    return [_one_delivery(sequence, [item for item in told if item[0] == sequence]) for sequence in sequences]


def _one_delivery(sequence: int, told: Sequence[tuple[int, str, MonthDecision]]) -> Restated:
    decisions = sorted((decision for _, _, decision in told), key=lambda decision: decision.month)
    return Restated(sequence, told[0][1], tuple(decisions))
