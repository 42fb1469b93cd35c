"""Primary care case management: the state pays a primary care case manager a fee.

Source: ICRC, State Pathways to Integrated Care (2019). Proof is T-MSIS plan type 02 (traditional) or 03 (enhanced). Whom the
state assigns, no file tells.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.known_month import unknown


def _at_enrolment(_month: MonthKnown, _pack: Pack) -> Conditions:
    return {"ASSIGNED_BY_STATE": unknown("ASSIGNMENT_NOT_STATED")}


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living),))


RULE = ArrangementRule(by_plan, _at_enrolment, _monthly, foreseeable=False)
