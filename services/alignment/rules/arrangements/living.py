"""ALIVE: not dead before the first day of the month, as alignment judges it."""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer


def living(month: MonthKnown, _pack: Pack) -> Answer | None:
    """The answer of alignment's own predicate."""
    return month.found.get("ALIVE")
