"""Meals for nutrition-sensitive conditions: diabetes, kidney disease or malnutrition, and nothing shows nutrition support.

Source: programme announcement, "meal preparation for nutrition-sensitive conditions". Shown done by home-delivered meals or medical
nutrition therapy of either payer (42 CFR 410.130) within 12 months. Yearly occasion: the calendar year.
"""

from datetime import timedelta

from services.risk.care_facts import CareFacts, Days, Evidence, Finding
from services.risk.care_policy import CarePolicy
from services.risk.rules.overdue_service import overdue_service


def nutrition_meals(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """Look for the condition in the year before the action."""
    since = days.raised_on - timedelta(days=policy.look_back_days)
    shown = facts.between("nutrition_condition", since, days.raised_on)
    if not shown:
        return None
    newest = shown[-1]
    because = Evidence(f"nutrition-sensitive condition, {newest.detail}", newest.day, newest.record_id)
    return overdue_service(facts, days, policy, "nutrition_support", "meals or nutrition therapy", (because,))
