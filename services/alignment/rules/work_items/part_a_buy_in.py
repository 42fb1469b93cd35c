"""PART_A_BUY_IN: somebody with Part B only whom the state could enrol in Part A at any time.

Source: ICRC, State Pathways to Integrated Care (2019), citing SSA POMS: in states with a Part A buy-in agreement a
qualified Medicare beneficiary can be enrolled in Part A at any time. With Part A the person becomes alignable.
"""

from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.known_month import KnownMonth
from services.alignment.rules.work_items.work_item import WorkItem

_PART_B_ONLY = frozenset({"2", "B"})


def part_a_buy_in(known: KnownMonth, policy: ReviewPolicy) -> WorkItem | None:
    """Judge the newest month of a person. Whoever is dead needs no Part A."""
    buy_in, dual, dead = known.entitlement_buy_in_code, known.dual_status_code, known.dead
    if buy_in is None or dual is None or (dead is not None and dead.value):
        return None
    if buy_in.value not in _PART_B_ONLY or dual.value not in policy.qualified_dual_status:
        return None
    if known.state not in policy.part_a_buy_in_states:
        return None
    return WorkItem("part_a_buy_in", known.month, ("PART_B_ONLY", "QMB"), (buy_in.evidence(), dual.evidence()))
