"""ALIGNED_ENROLMENT: the special-needs plan and the person's Medicaid plan are of one organisation.

Source: ICRC, State Pathways to Integrated Care (2019), "aligned enrolment": the proof is the match of the Medicare
health plan with the Medicaid roster of the same month. Where enrolment is exclusively aligned, nobody else may be a
member, so somebody who is contradicts the contract.
"""

from typing import Literal, NamedTuple

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.contract_membership import listed
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, fails, passes, unknown

Enrolment = Literal["not_aligned", "aligned", "exclusively_aligned"]


class Aligned(NamedTuple):
    """How enrolment stands, none where it cannot be told, and the answer."""

    enrolment: Enrolment | None
    answer: Answer


def aligned_enrolment(month: MonthKnown, pack: Pack) -> Aligned | None:
    """Match the two rosters; ``None`` where the contract has no affiliated Medicaid plan."""
    contract = listed(month, pack)
    if contract is None or not contract.affiliated_plans:
        return None
    plans = month.care.plans
    if plans is None:
        return Aligned(None, unknown("NO_ENROLMENT_STATED"))
    if contract.affiliated_plans.intersection(plan.plan_id for plan in plans.value):
        return Aligned("exclusively_aligned" if contract.exclusively_aligned else "aligned", passes(plans))
    if contract.exclusively_aligned:
        return Aligned("not_aligned", fails("NOT_IN_AFFILIATED_PLAN", plans))
    return Aligned("not_aligned", passes(plans))


def alignment_answer(month: MonthKnown, pack: Pack) -> Answer | None:
    """The answer alone."""
    found = aligned_enrolment(month, pack)
    return None if found is None else found.answer
