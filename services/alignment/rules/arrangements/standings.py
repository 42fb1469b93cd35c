"""How a person stands to every arrangement in one month: member, eligible, opted out, excluded, or not to be told.

Payers say who is in what; a condition that disagrees is shown as a reason and not obeyed. Conditions decide who else
could be in it. What excludes what is policy: of a group's arrangements a person is in one at most.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from contracts.alignment import Outcome
from contracts.arrangements import ArrangementStanding
from services.alignment.arrangement_policy import ArrangementPolicy, Pack
from services.alignment.rules.arrangements import (
    dual_special_needs_plan,
    health_home,
    managed_fee_for_service,
    managed_long_term_services,
    mco_based_dce,
    medicare_medicaid_plan,
    minnesota_senior_health_options,
    pace,
    primary_care_case_management,
    state_specific,
)
from services.alignment.rules.arrangements.aligned_enrolment import Enrolment, aligned_enrolment
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions
from services.alignment.rules.arrangements.contract_membership import in_health_plan
from services.alignment.rules.arrangements.enrolment_way import Way, enrolment_way, opted_out
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, Stated

RULES: Mapping[str, ArrangementRule] = {
    "mco_based_dce": mco_based_dce.RULE,
    "medicare_medicaid_plan": medicare_medicaid_plan.RULE,
    "managed_fee_for_service": managed_fee_for_service.RULE,
    "minnesota_senior_health_options": minnesota_senior_health_options.RULE,
    "health_home": health_home.RULE,
    "primary_care_case_management": primary_care_case_management.RULE,
    "managed_long_term_services": managed_long_term_services.RULE,
    "dsnp_coordination_only": dual_special_needs_plan.RULE,
    "dsnp_hide": dual_special_needs_plan.RULE,
    "dsnp_fide": dual_special_needs_plan.RULE,
    "pace": pace.RULE,
    "state_specific": state_specific.RULE,
}
# Arrangements that are a Medicare health plan themselves.
_HEALTH_PLANS = frozenset(
    {
        "medicare_medicaid_plan",
        "minnesota_senior_health_options",
        "dsnp_coordination_only",
        "dsnp_hide",
        "dsnp_fide",
        "pace",
    }
)
_NO_SWITCHING = Answer(Outcome.FAIL, "NO_MONTHLY_SWITCHING")
_LONGEST_REASON = 40


class Run(NamedTuple):
    """Membership without a break: since when, by which way, what failed when it began, and the plans of two months."""

    began: int
    way: Way | None
    failed: tuple[str, ...]
    plan: str
    plan_before: str | None = None


class MonthStandings(NamedTuple):
    """A month's answer."""

    standings: tuple[ArrangementStanding, ...] = ()
    open_reasons: tuple[str, ...] = ()


RunOf = Callable[[Pack], Run | None]


def claim_of(month: MonthKnown, pack: Pack) -> Stated[str] | None:
    """Who says that the person is in a programme."""
    return RULES[pack.arrangement].claim(month, pack)


def run_of(month: MonthKnown, pack: Pack, before: Run | None) -> Run | None:
    """The membership of a month. ``before``: that of the month before."""
    claim = claim_of(month, pack)
    if claim is None:
        return None
    if before is not None:
        return before._replace(plan=claim.value, plan_before=before.plan)
    failed = (answer.reason for answer in when_enrolling(month, pack).values() if answer.outcome is Outcome.FAIL)
    way = enrolment_way(month, pack).way
    return Run(month.month, way, tuple(reason for reason in failed if reason), claim.value)


def when_enrolling(month: MonthKnown, pack: Pack) -> Conditions:
    """What is asked of the month in which membership begins."""
    conditions = RULES[pack.arrangement].at_enrolment(month, pack)
    came = enrolment_way(month, pack)
    return conditions if came.answer is None else {**conditions, "ENROLMENT_WAY": came.answer}


def every_month(month: MonthKnown, pack: Pack, run: Run | None) -> Conditions:
    """What is asked of every month."""
    conditions = RULES[pack.arrangement].monthly(month, pack)
    switched = run is not None and run.plan_before not in {None, run.plan}
    return {**conditions, "MONTHLY_SWITCHING": _NO_SWITCHING} if switched and not pack.monthly_switching else conditions


def month_standings(month: MonthKnown, policy: ArrangementPolicy, run: RunOf) -> MonthStandings:
    """Judge a month. Whoever is dead stands to nothing. ``run``: the membership of the month in a programme."""
    alive = month.found.get("ALIVE")
    if alive is not None and alive.outcome is Outcome.FAIL:
        return MonthStandings((), ("DECEASED",))
    packs = [(pack, run(pack)) for pack in policy.in_force(month.known.state, month.month)]
    claimed = {pack.arrangement for pack, one in packs if one is not None}
    found = (
        _outside(month, pack, claimed, policy) if one is None else _inside(month, pack, one, claimed, policy)
        for pack, one in packs
    )
    return MonthStandings(tuple([one for one in found if one is not None]), tuple(_open_reasons(month, claimed)))


def _inside(
    month: MonthKnown, pack: Pack, run: Run, claimed: set[str], policy: ArrangementPolicy
) -> ArrangementStanding:
    standing, conflict = _against(pack.arrangement, claimed, policy)
    monthly = every_month(month, pack, run).values()
    failing = [answer.reason for answer in monthly if answer.outcome is Outcome.FAIL and answer.reason]
    aligned = aligned_enrolment(month, pack) if pack.contracts else None
    enrolment = aligned.enrolment if aligned else None
    reasons = (*conflict, *run.failed, *failing)
    return _written(pack.arrangement, standing, pack.name, run.way, enrolment, run.plan or None, reasons)


@lru_cache(maxsize=8192)
def _written(  # noqa: PLR0913, PLR0917 - the fields of a standing
    arrangement: str,
    standing: Literal["member", "eligible", "opted_out", "excluded", "unknown"],
    pack: str,
    way: Way | None = None,
    enrolment: Enrolment | None = None,
    plan: str | None = None,
    reasons: tuple[str, ...] = (),
) -> ArrangementStanding:
    return ArrangementStanding(
        arrangement=arrangement, standing=standing, pack=pack, way=way, enrolment=enrolment, plan=plan, reasons=reasons
    )


def _against(
    arrangement: str, claimed: set[str], policy: ArrangementPolicy
) -> tuple[Literal["member", "excluded", "unknown"], tuple[str, ...]]:
    """What the other arrangements that claim the person make of this one."""
    if len(claimed) == 1:
        return "member", ()
    rivals = {other: policy.rivalries(arrangement, other) for other in sorted(claimed - {arrangement})}
    earlier = [other for other, both in rivals.items() if any(one.excluded for one in both)]
    if earlier:
        return "excluded", tuple(f"EXCLUDED_BY_{other.upper()}"[:_LONGEST_REASON] for other in earlier)
    if any(one.same_rank for both in rivals.values() for one in both):
        return "unknown", ("OVERLAPPING_PLANS",)
    return "member", ()


def _outside(month: MonthKnown, pack: Pack, claimed: set[str], policy: ArrangementPolicy) -> ArrangementStanding | None:
    rule = RULES[pack.arrangement]
    if not rule.foreseeable:
        return None
    outcomes = {answer.outcome for answer in rule.monthly(month, pack).values()}
    if Outcome.FAIL not in outcomes:
        outcomes |= {answer.outcome for answer in rule.at_enrolment(month, pack).values()}
    if Outcome.FAIL in outcomes or not outcomes:
        return None
    if opted_out(month, pack) is not None:
        return _written(pack.arrangement, "opted_out", pack.name)
    barred = any(one.bars for other in claimed for one in policy.rivalries(pack.arrangement, other))
    return None if barred or Outcome.UNKNOWN in outcomes else _written(pack.arrangement, "eligible", pack.name)


def _open_reasons(month: MonthKnown, claimed: set[str]) -> Iterator[str]:
    if month.care.plans is None:
        yield "NO_ENROLMENT_STATED"
    if month.known.health_plan is None:
        yield "NO_HEALTH_PLAN_STATED"
    elif in_health_plan(month) and not claimed & _HEALTH_PLANS:
        yield "CONTRACT_NOT_STATED" if month.care.contract is None else "CONTRACT_NOT_LISTED"
