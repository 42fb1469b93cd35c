"""Who lived in which nursing facility for how many days, and from where they were hospitalised.

Source: Medicaid long-term-care claims (T-MSIS file LT) and Medicare inpatient claims. An admission counts at the facility whose stay
covers its day, or ended the day before: people are discharged to hospital. Days that two claims of one facility cover count once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

_DAY: Final = timedelta(days=1)
# Upper ends of age bands.
_AGES: Final = (65, 75, 85)


class Stay(NamedTuple):
    """One stay as a claim states it, both days included."""

    facility: str
    first: date
    last: date


class Residence(NamedTuple):
    """One person's time in one facility."""

    facility: str
    days: int
    admissions: int


def residences(stays: Iterable[Stay], admitted: Iterable[date], first: date, last: date) -> list[Residence]:
    """A person's days and admissions within a window, by facility."""
    days: dict[str, set[date]] = defaultdict(set)
    for stay in stays:
        begin, end = max(stay.first, first), min(stay.last, last)
        days[stay.facility].update(begin + number * _DAY for number in range((end - begin).days + 1))
    within = sorted({day for day in admitted if first <= day <= last})
    return [
        Residence(facility, len(lived), sum(day in lived or day - _DAY in lived for day in within))
        for facility, lived in sorted(days.items())
        if lived
    ]


def age_band(birth: date | None, on: date) -> str:
    """``under 65``, ``65-74`` and so on; ``age unknown``."""
    if birth is None:
        return "age unknown"
    age = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    lower = 0
    for upper in _AGES:
        if age < upper:
            return f"{lower}-{upper - 1}"
        lower = upper
    return f"{lower} and over"


def score_bands(scores: Mapping[str, int | None]) -> dict[str, str]:
    """Each person's third by score, the lowest first; people with one score are in one third."""
    known = sorted(score for score in scores.values() if score is not None)
    cuts = (known[len(known) // 3], known[2 * len(known) // 3]) if known else (0, 0)
    return {
        person: "score unknown" if score is None else f"third {1 + (score >= cuts[0]) + (score >= cuts[1])}"
        for person, score in scores.items()
    }
