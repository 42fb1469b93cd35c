"""Medicaid health home: coordination for people with chronic conditions, beside whatever pays for their care.

Source: section 2703 of the Affordable Care Act; ICRC, State Pathways to Integrated Care (2019): states may not leave dual
eligibles out. Proof is T-MSIS plan type 70. It is no Medicare health plan: members stay alignable to an entity. Which
conditions count, each state plan says and no file tells.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.known_month import unknown


def _at_enrolment(_month: MonthKnown, _pack: Pack) -> Conditions:
    return {"CHRONIC_CONDITIONS": unknown("CONDITIONS_NOT_STATED")}


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living),))


RULE = ArrangementRule(by_plan, _at_enrolment, _monthly, foreseeable=False)
