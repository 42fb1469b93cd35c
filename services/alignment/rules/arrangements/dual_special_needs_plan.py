"""Special-needs plans for dual eligibles: coordination only, highly integrated (HIDE), fully integrated (FIDE).

Source: 42 CFR 422.2. All three are Medicare Advantage with a contract with the state; which of them a plan is, is an
attribute of contract and package, so each has a pack of its own and one rule. Aligned enrolment is matched every month.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.aligned_enrolment import alignment_answer
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions, asked, none_asked
from services.alignment.rules.arrangements.benefit_level import benefits
from services.alignment.rules.arrangements.contract_membership import by_contract
from services.alignment.rules.arrangements.living import living
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.programme_area import programme_area


def _monthly(month: MonthKnown, pack: Pack) -> Conditions:
    return asked(
        month,
        pack,
        (
            ("ALIVE", living),
            ("BENEFIT_LEVEL", benefits),
            ("IN_PROGRAMME_AREA", programme_area),
            ("ALIGNED_ENROLMENT", alignment_answer),
        ),
    )


RULE = ArrangementRule(by_contract, none_asked, _monthly)
