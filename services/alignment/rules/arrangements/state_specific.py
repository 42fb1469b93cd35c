"""State-specific models: whatever a state has negotiated, known by the number under which it lists the model.

Source: ICRC, State Pathways to Integrated Care (2019). Who is eligible, the state alone says.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.benefit_level import benefits
from services.alignment.rules.arrangements.fee_for_service import fee_for_service
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.known_month import unknown


def _at_enrolment(_month: MonthKnown, _pack: Pack) -> Conditions:
    return {"LISTED_BY_STATE": unknown("ELIGIBILITY_NOT_STATED")}


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living), ("BENEFIT_LEVEL", benefits), ("IN_FEE_FOR_SERVICE", fee_for_service)))


RULE = ArrangementRule(by_plan, _at_enrolment, _monthly, foreseeable=False)
