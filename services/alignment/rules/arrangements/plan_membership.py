"""Membership by Medicaid plan: the state lists the person under the programme's number, or under its plan type.

Source: T-MSIS managed-care plan types (T-MSIS Analytic File Generation, taf/DE/DE.py); a state's own roster names plans.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Stated


def by_plan(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    """Who says that the person is in a plan of the pack, and its number, or its type where no number is told."""
    plans = month.care.plans
    if plans is None:
        return None
    for plan in plans.value:
        if (plan.plan_id and plan.plan_id in pack.plan_ids) or plan.plan_type_code in pack.plan_type_codes:
            return Stated(plan.plan_id or f"type {plan.plan_type_code}", plans.source, plans.stated_on)
    return None
