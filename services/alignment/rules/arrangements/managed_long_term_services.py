"""Managed long-term services and supports: a plan of their own, or a comprehensive plan with them carved in.

Source: ICRC, State Pathways to Integrated Care (2019). Proof is T-MSIS plan type 07 or 19, or a comprehensive plan of the
pack together with the need. Medicare is untouched: members stay alignable to an entity.
"""

from contracts.alignment import Outcome
from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.long_term_need import long_term_need
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.known_month import Stated


def _claim(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    return by_plan(month, pack) or _carved_in(month, pack)


def _carved_in(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    plans, need = month.care.plans, long_term_need(month, pack)
    if plans is None or need is None or need.outcome is not Outcome.PASS:
        return None
    named = (plan.plan_id for plan in plans.value if plan.plan_id in pack.long_term_services_plans)
    return next((Stated(name, plans.source, plans.stated_on) for name in named), None)


def _at_enrolment(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("LONG_TERM_NEED", long_term_need),))


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living),))


RULE = ArrangementRule(_claim, _at_enrolment, _monthly)
