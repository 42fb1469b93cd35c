"""Financial Alignment, capitated: a Medicare-Medicaid plan under a three-way contract.

Source: CMS Financial Alignment Initiative page; fact sheet on Massachusetts' demonstration (2012). Proof is the contract,
or T-MSIS plan type 80. It is a Medicare health plan, so its members are never alignable to an entity.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.age import age
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.benefit_level import benefits
from services.alignment.rules.arrangements.contract_membership import by_contract
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.arrangements.programme_area import programme_area
from services.alignment.rules.known_month import Stated


def _claim(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    return by_contract(month, pack) or by_plan(month, pack)


def _at_enrolment(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("AGE", age),))


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living), ("BENEFIT_LEVEL", benefits), ("IN_PROGRAMME_AREA", programme_area)))


RULE = ArrangementRule(_claim, _at_enrolment, _monthly)
