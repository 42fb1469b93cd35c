"""Diabetes management: an eye examination, a foot examination or an A1c test is missing.

Source: programme announcement, "diabetes management"; HEDIS, eye exam and glycemic status for patients with diabetes: diabetes is
taken as known when two days within two years show it. One action for each of the three, so that each closes by itself.
"""

from datetime import timedelta

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Rule
from services.risk.care_policy import CarePolicy
from services.risk.rules.overdue_service import overdue_service

_DAYS_THAT_SHOW_IT = 2
_YEARS = 2


def diabetes_of(facts: CareFacts, days: Days, policy: CarePolicy) -> tuple[Evidence, ...]:
    """The last two days that show diabetes; none where it is not known well enough."""
    since = days.raised_on - timedelta(days=_YEARS * policy.look_back_days)
    by_day = {one.day: one for one in facts.between("diabetes", since, days.raised_on)}
    if len(by_day) < _DAYS_THAT_SHOW_IT:
        return ()
    shown = sorted(by_day.values())[-_DAYS_THAT_SHOW_IT:]
    return tuple(Evidence(f"diabetes, {one.detail}", one.day, one.record_id) for one in shown)


def _missing(signal: str, named: str) -> Rule:
    def rule(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
        diabetes = diabetes_of(facts, days, policy)
        return overdue_service(facts, days, policy, signal, named, diabetes) if diabetes else None

    return rule


diabetes_eye_exam = _missing("eye_exam", "eye examination for diabetes")
diabetes_foot_exam = _missing("foot_exam", "foot examination for diabetes")
diabetes_blood_test = _missing("a1c", "A1c test for diabetes")
