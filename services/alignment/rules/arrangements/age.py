"""AGE: old enough, and not too old, in the month; somebody is of an age from the month of their birthday on.

Source: the age limits of each programme, as its pack names them.
"""

from datetime import date

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, fails, passes, unknown

_MONTHS = 12


def age(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the birth date that was stated last."""
    if pack.minimum_age is None and pack.maximum_age is None:
        return None
    birth = month.birth
    if birth is None:
        return unknown("BIRTH_NOT_STATED")
    years = _years(birth.value, month.month)
    if years < 0:
        return unknown("BORN_LATER", birth)
    if pack.minimum_age is not None and years < pack.minimum_age:
        return fails("TOO_YOUNG", birth)
    if pack.maximum_age is not None and years > pack.maximum_age:
        return fails("TOO_OLD", birth)
    return passes(birth)


def _years(birth: int, month: int) -> int:
    born = date.fromordinal(birth)
    return (month - (born.year * _MONTHS + born.month - 1)) // _MONTHS
