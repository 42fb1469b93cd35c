"""Minnesota's administrative alignment: a special-needs plan and a Medicaid plan of one organisation, for seniors.

Source: CMS Financial Alignment Initiative page. Medicare and Medicaid pay apart, administration is one. Proof is the
special-needs plan's contract; that the Medicaid plan is of the same organisation is matched every month.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.age import age
from services.alignment.rules.arrangements.aligned_enrolment import alignment_answer
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked
from services.alignment.rules.arrangements.benefit_level import benefits
from services.alignment.rules.arrangements.contract_membership import by_contract
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown


def _at_enrolment(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("AGE", age),))


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(month, pack, (("ALIVE", living), ("BENEFIT_LEVEL", benefits), ("ALIGNED_ENROLMENT", alignment_answer)))


RULE = ArrangementRule(by_contract, _at_enrolment, _monthly)
