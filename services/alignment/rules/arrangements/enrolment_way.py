"""ENROLMENT_WAY: how somebody came into a programme: by their own choice, or passively in one of its waves.

Source: CMS fact sheet, Massachusetts demonstration (2012): voluntary enrolment first, then passive waves, with the right
to opt out or to change plans. What no source says is not guessed: it is told only where one way alone was open.
"""

from typing import Literal, NamedTuple

from contracts.alignment import Outcome
from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, Stated, fails, passes, unknown

Way = Literal["voluntary", "passive", "reported"]


class Came(NamedTuple):
    """The way, none where it cannot be told, and whether it was open then."""

    way: Way | None
    answer: Answer | None


def enrolment_way(month: MonthKnown, pack: Pack) -> Came:
    """Judge the month in which membership begins."""
    if not pack.ways:
        return Came(None, None)
    stated = month.care.enrolment_basis
    if "reported" in pack.ways:
        return Came("reported" if month.alignment.basis == "reported" else None, None)
    if stated is None:
        return _not_stated(month, pack)
    return _stated(month, pack, stated)


def _not_stated(month: MonthKnown, pack: Pack) -> Came:
    if "passive" not in pack.ways or (pack.passive_waves and month.month < min(pack.passive_waves)):
        return Came("voluntary", Answer(Outcome.PASS, None, "the only way that was open"))
    return Came(None, unknown("WAY_NOT_STATED"))


def _stated(month: MonthKnown, pack: Pack, stated: Stated[str]) -> Came:
    if stated.value == "opted_out":
        return Came(None, fails("OPTED_OUT", stated))
    if stated.value == "passive":
        if "passive" not in pack.ways or (pack.passive_waves and month.month not in pack.passive_waves):
            return Came("passive", fails("NOT_A_PASSIVE_WAVE", stated))
        return Came("passive", passes(stated))
    return Came("voluntary", passes(stated))


def opted_out(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    """Who says that the person has chosen to stay out of a programme that enrols passively."""
    stated = month.care.enrolment_basis
    return stated if stated is not None and stated.value == "opted_out" and "passive" in pack.ways else None
