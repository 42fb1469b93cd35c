"""Membership by Medicare contract: the state names the contract, and perhaps the package, of the health plan.

A pack may list a whole contract or single packages of it; special-needs plans of one contract are told apart by package
only. Source: 834 REF*DX (contract;package;begin); CMS's plan files list contracts and packages.
"""

from contracts.codes import HealthPlan
from services.alignment.arrangement_policy import Contract, Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Stated

_LONGEST_CONTRACT = 5


def in_health_plan(month: MonthKnown) -> bool:
    """Whether the month's Medicare is said to be a health plan's."""
    plan = month.known.health_plan
    return plan is not None and plan.value != HealthPlan.NONE.value


def listed(month: MonthKnown, pack: Pack) -> Contract | None:
    """The pack's entry for the month's contract: that of the package before that of the contract."""
    stated = month.care.contract
    if stated is None or not in_health_plan(month):
        return None
    entries = {entry.contract: entry for entry in pack.contracts}
    return entries.get(stated.value) or entries.get(stated.value[:_LONGEST_CONTRACT])


def by_contract(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    """Who says that the person is in a contract of the pack."""
    return month.care.contract if listed(month, pack) is not None else None
