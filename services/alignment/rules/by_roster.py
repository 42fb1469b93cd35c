"""Alignment by the Medicaid plan's own roster: whoever is its full-benefit dual member in the month.

Source: CMS, MCO-based Direct Contracting Entity fact sheet (2020), read as saying that the type aligns its own enrollees;
unconfirmed, and a value of the pack whether it is a way at all. Works on the answers of the predicates.
"""

from collections.abc import Mapping
from typing import NamedTuple

from contracts.alignment import Outcome
from services.alignment.rules.known_month import Answer

NEEDS = ("IN_OUR_MCO", "FULL_DUAL")


class RosterResult(NamedTuple):
    """Whether the plan's roster aligns the person."""

    outcome: Outcome
    reason: str | None = None
    entity_id: str | None = None


def by_roster(found: Mapping[str, Answer], entity_id: str | None) -> RosterResult:
    """Align to the entity of the person's state if both predicates pass."""
    answers = [found[name] for name in NEEDS if name in found]
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        against = next((answer for answer in answers if answer.outcome is outcome), None)
        if against is not None:
            return RosterResult(outcome, against.reason)
    if len(answers) < len(NEEDS) or entity_id is None:
        return RosterResult(Outcome.UNKNOWN, "NO_ENTITY_IN_STATE")
    return RosterResult(Outcome.PASS, None, entity_id)
