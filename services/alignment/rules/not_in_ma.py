"""NOT_IN_MA: in Medicare fee-for-service, not in Medicare Advantage, a cost plan or PACE.

Source: GPDC participation agreement, Appendix B. Special needs plans and Medicare-Medicaid plans are Medicare
health plans too.
"""

from contracts.codes import HealthPlan
from services.alignment.rules.known_month import Answer, KnownMonth, fails, passes, unknown

_REASON = {
    HealthPlan.MEDICARE_ADVANTAGE: "ENROLLED_MA",
    HealthPlan.COST: "ENROLLED_COST",
    HealthPlan.PACE: "ENROLLED_PACE",
}


def not_in_ma(known: KnownMonth) -> Answer:
    """Judge by the health plan that the state, else Medicare, states for the month."""
    stated = known.health_plan
    if stated is None:
        return unknown("NO_HEALTH_PLAN_STATED")
    plan = HealthPlan(stated.value)
    return passes(stated) if plan is HealthPlan.NONE else fails(_REASON[plan], stated)
