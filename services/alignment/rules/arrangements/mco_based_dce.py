"""Alignment to an MCO-based Direct Contracting Entity: CMS's report, and after its month the forecast, say who is aligned.

Source: CMS press release of December 2020 and fact sheet. The conditions are alignment's own predicates. Whether Medicare
pays first, and whether another model holds the person, is seldom stated: not knowing it makes nobody ineligible.
"""

from contracts.alignment import Outcome
from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, none_asked
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Stated

_SELDOM_STATED = frozenset({"MEDICARE_PRIMARY", "NO_OVERLAP"})


def _claim(month: MonthKnown, _pack: Pack) -> Stated[str] | None:
    verdict = month.known.verdict
    if not month.alignment.aligned or verdict.stated is None:
        return None
    return verdict.stated._replace(value=verdict.entity_id or "")


def _conditions(month: MonthKnown, _pack: Pack) -> Conditions:
    return {
        name: answer
        for name, answer in month.found.items()
        if not (name in _SELDOM_STATED and answer.outcome is Outcome.UNKNOWN)
    }


RULE = ArrangementRule(_claim, none_asked, _conditions)
