"""Financial Alignment, managed fee-for-service: the state coordinates care and gets a share of Medicare's savings.

Source: CMS Financial Alignment Initiative page; ICRC, State Pathways to Integrated Care (2019). Proof is the state's roster
together with the federal marker of the demonstration. Who is at high risk, each state defines and no file tells.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.benefit_level import benefits
from services.alignment.rules.arrangements.fee_for_service import fee_for_service
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.known_month import Stated, unknown


def _claim(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    marked = month.care.demonstration
    if pack.demonstration and (marked is None or not marked.value):
        return None
    return by_plan(month, pack)


def _at_enrolment(_month: MonthKnown, _pack: Pack) -> Conditions:
    return {"HIGH_RISK": unknown("RISK_NOT_STATED")}


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living), ("BENEFIT_LEVEL", benefits), ("IN_FEE_FOR_SERVICE", fee_for_service)))


RULE = ArrangementRule(_claim, _at_enrolment, _monthly, foreseeable=False)
