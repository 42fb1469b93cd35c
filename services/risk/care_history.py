"""What becomes of a person's care actions at a cut, as a pure function of what is known by then.

Of each kind at most one action is open, and of each occasion there is at most one ever: inputs that repeat raise nothing. An
open action is looked at as on the day it was raised, with everything that is known since: a claim that came late closes it
even if its day lies before. What people report bears on none of this: it is kept beside it, and stands first where an action is
shown, so that this table is the same whenever a report arrives.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import uuid5

from contracts.envelope import EVENT_NAMESPACE
from services.risk.care_facts import CareFacts, Days, Evidence, Met, Need
from services.risk.care_policy import CarePolicy
from services.risk.care_rules import CARE_RULES

Outcome = Literal["done", "lapsed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class OpenAction:
    """An action that no cut has closed."""

    action_id: str
    kind: str
    raised_on: date
    lapses_on: date


@dataclass(frozen=True, slots=True)
class Standing:
    """What earlier cuts left behind: open actions, and every occasion (kind, occasion) that was ever raised."""

    open: tuple[OpenAction, ...] = ()
    occasions: AbstractSet[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Raised:
    """A new action."""

    action_id: str
    kind: str
    need: Need
    raised_on: date
    due_on: date
    lapses_on: date


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of an action."""

    action: OpenAction
    outcome: Outcome
    reason: str
    done_on: date | None = None
    evidence: tuple[Evidence, ...] = ()


def action_id(person_id: str, kind: str, occasion: str) -> str:
    """The same person, kind and occasion always give the same."""
    return "a" + uuid5(EVENT_NAMESPACE, f"{person_id}\x1f{kind}\x1f{occasion}").hex


def _closing(action: OpenAction, facts: CareFacts, today: date, policy: CarePolicy) -> Closed | None:
    if facts.barrier is not None:
        return Closed(action, "withdrawn", facts.barrier)
    finding = CARE_RULES[action.kind].rule(facts, Days(action.raised_on, today), policy)
    if isinstance(finding, Met):
        return Closed(
            action, "done", f"Shown by a claim: {finding.evidence.what}", finding.done_on, (finding.evidence,)
        )
    if finding is None:
        return Closed(action, "withdrawn", "What it rested on no longer holds")
    return Closed(action, "lapsed", "Nothing showed it done in time") if today > action.lapses_on else None


def closings(facts: CareFacts, standing: Standing, today: date, policy: CarePolicy) -> tuple[Closed, ...]:
    """Which open actions end."""
    ends = (_closing(action, facts, today, policy) for action in standing.open)
    return tuple(closed for closed in ends if closed is not None)


def _raised(facts: CareFacts, kind: str, need: Need, today: date, policy: CarePolicy) -> Raised:
    return Raised(
        action_id(facts.person_id, kind, need.occasion),
        kind,
        need,
        today,
        today + timedelta(days=policy.due_days[kind]),
        today + timedelta(days=policy.lapse_days[kind]),
    )


def needs(facts: CareFacts, today: date, policy: CarePolicy) -> Iterator[tuple[str, Need]]:
    """Everything that is to be done for a person on a day, whatever was raised before; nothing behind a barrier."""
    if facts.barrier is None:
        for kind, entry in CARE_RULES.items():
            finding = entry.rule(facts, Days(today, today), policy)
            if isinstance(finding, Need):
                yield kind, finding


def revise_actions(
    facts: CareFacts, standing: Standing, today: date, policy: CarePolicy
) -> tuple[tuple[Raised, ...], tuple[Closed, ...]]:
    """Say which actions begin and which end. A kind that ends today can begin again today only on another occasion."""
    closed = closings(facts, standing, today, policy)
    still_open = {action.kind for action in standing.open} - {one.action.kind for one in closed}
    raised = tuple(
        _raised(facts, kind, need, today, policy)
        for kind, need in needs(facts, today, policy)
        if kind not in still_open and (kind, need.occasion) not in standing.occasions
    )
    return raised, closed
