"""Flu vaccine: the season is open and no claim of either payer shows one.

Source: programme announcement, "flu vaccine"; CDC recommendations on when to vaccinate. Yearly occasion: the season.
"""

from datetime import date

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need
from services.risk.care_policy import CarePolicy


def _day(year: int, month_and_day: str) -> date:
    return date.fromisoformat(f"{year:04d}-{month_and_day}")


def season_of(day: date, policy: CarePolicy) -> tuple[date, date] | None:
    """First and last day of the season that is open on the day."""
    for year in (day.year, day.year - 1):
        first, last = _day(year, policy.flu_season_opens), _day(year + 1, policy.flu_season_closes)
        if first <= day <= last:
            return first, last
    return None


def flu_vaccine(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """A vaccine counts from the first day of the season to its last."""
    season = season_of(days.raised_on, policy)
    if season is None:
        return None
    first, last = season
    given = facts.between("flu_vaccine", first, min(last, days.today))
    if given:
        return Met(Evidence("flu vaccine", given[0].day, given[0].record_id), given[0].day)
    occasion = f"{first.year}-{last.year}"
    before = facts.services.get("flu_vaccine", ())
    seen = (Evidence("last flu vaccine on file", before[-1].day, before[-1].record_id),) if before else ()
    return Need(occasion, f"Flu season {occasion} is open and no vaccination is on file", seen)
