"""Whom screening for cancer is not proposed to, because its harm would come sooner than its good.

Source: HEDIS, breast cancer screening (BCS) and colorectal cancer screening (COL), exclusions: hospice or palliative care in the year;
from 66 on (completed by the end of the year) living in a nursing facility, or frailty on two days of the year together with
advanced illness on two days of two years. Medicines for dementia, which HEDIS takes for such an illness as well, are left out: no feed
tells ingredients.
"""

from datetime import date, timedelta
from typing import Any, Literal

from services.risk.care_facts import CareFacts, Days
from services.risk.care_policy import CarePolicy

Exclusion = Literal["hospice", "palliative_care", "nursing_facility", "advanced_illness"]


def age_on(birth: date, day: date) -> int:
    """Completed years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _on_days(name: str, facts: CareFacts, since: date, today: date) -> int:
    return len({one.day for one in facts.between(name, since, today)})


def screening_exclusion(facts: CareFacts, days: Days, policy: CarePolicy) -> Exclusion | None:
    """The first exclusion that holds; ``None`` where screening may be proposed."""
    asked: dict[str, Any] = dict(policy.screening_exclusions)
    since = days.raised_on - timedelta(days=policy.look_back_days)
    if facts.between("hospice", since, days.today):
        return "hospice"
    if facts.between("palliative_care", since, days.today):
        return "palliative_care"
    if facts.birth_date is None or age_on(facts.birth_date, date(days.raised_on.year, 12, 31)) < asked["least_age"]:
        return None
    if facts.facility_days >= asked["nursing_facility_days"]:
        return "nursing_facility"
    long_since = days.raised_on - timedelta(days=asked["illness_look_back_days"])
    is_ill = _on_days("advanced_illness", facts, long_since, days.today) >= asked["illness_days"]
    is_frail = _on_days("frailty", facts, since, days.today) >= asked["frailty_days"]
    return "advanced_illness" if is_ill and is_frail else None
