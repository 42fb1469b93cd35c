"""What every arrangement's rule is made of: who says that somebody is in it, and the conditions for being in it."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, Stated

Conditions = Mapping[str, Answer]
Condition = Callable[[MonthKnown, Pack], Answer | None]
NO_CONDITIONS: Conditions = {}


class ArrangementRule(NamedTuple):
    """``claim``: the plan or contract by which somebody says that the person is in it; none where nobody does.

    ``at_enrolment`` are asked of the month in which membership begins and hold as long as it goes on, ``monthly`` of
    every month. A condition that a pack does not make is left out. Of what is not ``foreseeable`` no file tells who could
    be in it: some condition is always unknown.
    """

    claim: Callable[[MonthKnown, Pack], Stated[str] | None]
    at_enrolment: Callable[[MonthKnown, Pack], Conditions]
    monthly: Callable[[MonthKnown, Pack], Conditions]
    foreseeable: bool = True


def asked(month: MonthKnown, pack: Pack, conditions: Iterable[tuple[str, Condition]]) -> Conditions:
    """The answers to the conditions that the pack makes."""
    answers = ((name, condition(month, pack)) for name, condition in conditions)
    return {name: answer for name, answer in answers if answer is not None}


def none_asked(_month: MonthKnown, _pack: Pack) -> Conditions:
    """For rules without such conditions."""
    return NO_CONDITIONS
