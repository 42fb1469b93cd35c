"""Long-term institutional status from nursing-facility claims.

Source: CMS-HCC model documentation, long-term institutional: a stay of more than 90 days. CMS takes it from the
Minimum Data Set, which no feed carries; here days of Medicaid long-term-care claims within a window count.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from services.risk.facts import FacilityStay


def newest_stays(stays: Iterable[FacilityStay]) -> list[FacilityStay]:
    """Keep of each claim its newest version."""
    newest: dict[str, FacilityStay] = {}
    for stay in sorted(stays, key=lambda one: (one.sequence, one.version)):
        known = newest.get(stay.record_id)
        if known is None or stay.version > known.version:
            newest[stay.record_id] = stay
    return list(newest.values())


def facility_days(stays: Iterable[FacilityStay], first: date, last: date) -> int:
    """Count the days from ``first`` to ``last`` that at least one stay covers."""
    days = 0
    reached = first - timedelta(days=1)
    for stay in sorted((one for one in newest_stays(stays) if one.counts), key=lambda one: one.first_day):
        begin, end = max(stay.first_day, reached + timedelta(days=1)), min(stay.last_day, last)
        if begin <= end:
            days += (end - begin).days + 1
            reached = end
    return days


def is_long_stay(stays: Iterable[FacilityStay], until: date, *, window_days: int, least_days: int) -> bool:
    """Say whether the window that ends with ``until`` holds enough days in a facility."""
    return facility_days(stays, until - timedelta(days=window_days - 1), until) >= least_days
