"""Program of All-Inclusive Care for the Elderly: one organisation at full risk for everything.

Source: ICRC, State Pathways to Integrated Care (2019): 55 or older, certified for a nursing facility's level of care, in
the service area, able to live safely in the community when enrolling. Proof is T-MSIS plan type 17, Medicare's own
word, or the contract. Nursing-facility care that becomes necessary later is covered and does not end it, so what was asked when enrolling
is not asked again.
"""

from contracts.codes import HealthPlan
from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.age import age
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.contract_membership import by_contract
from services.alignment.rules.arrangements.level_of_care import level_of_care
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.plan_membership import by_plan
from services.alignment.rules.arrangements.programme_area import programme_area
from services.alignment.rules.arrangements.safe_in_community import safe_in_community
from services.alignment.rules.known_month import Stated


def _claim(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    stated = month.known.health_plan
    if stated is not None and stated.value == HealthPlan.PACE.value:
        return by_plan(month, pack) or stated
    return by_plan(month, pack) or by_contract(month, pack)


def _at_enrolment(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(
        month, pack, (("AGE", age), ("LEVEL_OF_CARE", level_of_care), ("SAFE_IN_COMMUNITY", safe_in_community))
    )


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living), ("IN_PROGRAMME_AREA", programme_area)))


RULE = ArrangementRule(_claim, _at_enrolment, _monthly)
