"""How a person stands to every arrangement in one month: member, eligible, opted out, excluded, or not to be told.

Payers say who is in what; a condition that disagrees is shown as a reason and not obeyed. Conditions decide who else
could be in it. What excludes what is policy: of a group's arrangements a person is in one at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from contracts.alignment import Outcome
from contracts.arrangements import ArrangementStanding
from services.alignment.arrangement_policy import ArrangementPolicy, ExclusiveGroup, Pack
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
from services.alignment.rules.arrangements.aligned_enrolment import aligned_enrolment
from services.alignment.rules.arrangements.arrangement_rule import ArrangementRule, Conditions
from services.alignment.rules.arrangements.contract_membership import in_health_plan
from services.alignment.rules.arrangements.enrolment_way import Way, enrolment_way, opted_out
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer

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
    """Membership without a break: since when, by which way, what was asked when it began, and the plan of the month."""

    began: int
    way: Way | None
    at_enrolment: Conditions
    plan: str


class Finding(NamedTuple):
    """One programme and one month. Without a run nobody says that the person is in it."""

    pack: Pack
    run: Run | None
    conditions: Conditions
    evidence: str | None = None


class MonthStandings(NamedTuple):
    """A month's answer, and the memberships that the next month may go on with."""

    standings: tuple[ArrangementStanding, ...] = ()
    open_reasons: tuple[str, ...] = ()
    runs: Mapping[str, Run] = {}


def findings(month: MonthKnown, policy: ArrangementPolicy, before: Mapping[str, Run]) -> list[Finding]:
    """Ask every programme in force. ``before``: the memberships of the month before, by pack."""
    packs = policy.in_force(month.known.state, month.month)
    return [_finding(month, pack, before.get(pack.name)) for pack in packs]


def _finding(month: MonthKnown, pack: Pack, before: Run | None) -> Finding:
    rule = RULES[pack.arrangement]
    claim = rule.claim(month, pack)
    monthly = rule.monthly(month, pack)
    if claim is None:
        return Finding(pack, None, {**rule.at_enrolment(month, pack), **monthly})
    run = _begun(month, pack, rule, claim.value) if before is None else before._replace(plan=claim.value)
    switched = before is not None and before.plan != claim.value and not pack.monthly_switching
    conditions = {**run.at_enrolment, **monthly, **({"MONTHLY_SWITCHING": _NO_SWITCHING} if switched else {})}
    return Finding(pack, run, conditions, claim.evidence())


def _begun(month: MonthKnown, pack: Pack, rule: ArrangementRule, plan: str) -> Run:
    came = enrolment_way(month, pack)
    conditions = dict(rule.at_enrolment(month, pack))
    if came.answer is not None:
        conditions["ENROLMENT_WAY"] = came.answer
    return Run(month.month, came.way, conditions, plan)


def month_standings(month: MonthKnown, policy: ArrangementPolicy, before: Mapping[str, Run]) -> MonthStandings:
    """Judge a month. Whoever is dead stands to nothing."""
    alive = month.found.get("ALIVE")
    if alive is not None and alive.outcome is Outcome.FAIL:
        return MonthStandings((), ("DECEASED",))
    found = findings(month, policy, before)
    claimed = {one.pack.arrangement for one in found if one.run is not None}
    standings = [one for finding in found if (one := _standing(month, finding, claimed, policy.groups)) is not None]
    runs = {finding.pack.name: finding.run for finding in found if finding.run is not None}
    return MonthStandings(tuple(standings), tuple(_open_reasons(month, found)), runs)


def _standing(
    month: MonthKnown, finding: Finding, claimed: set[str], groups: Sequence[ExclusiveGroup]
) -> ArrangementStanding | None:
    pack, run = finding.pack, finding.run
    others = claimed - {pack.arrangement}
    if run is None:
        how = _outside(month, finding, others, groups)
        return how and ArrangementStanding(arrangement=pack.arrangement, standing=how, pack=pack.name)
    how_inside, conflict = _inside(pack.arrangement, others, groups)
    failing = (answer.reason for answer in finding.conditions.values() if answer.outcome is Outcome.FAIL)
    aligned = aligned_enrolment(month, pack)
    return ArrangementStanding(
        arrangement=pack.arrangement,
        standing=how_inside,
        pack=pack.name,
        way=run.way,
        enrolment=aligned.enrolment if aligned else None,
        plan=run.plan or None,
        reasons=(*conflict, *(reason for reason in failing if reason)),
    )


def _inside(
    arrangement: str, others: set[str], groups: Sequence[ExclusiveGroup]
) -> tuple[Literal["member", "excluded", "unknown"], tuple[str, ...]]:
    ranked = [(mine, other) for group in groups for mine, other in _pairs(group, arrangement, others)]
    earlier = sorted(other for (mine, tier), other in ranked if tier < mine)
    if earlier:
        return "excluded", tuple(f"EXCLUDED_BY_{other.upper()}"[:_LONGEST_REASON] for other in dict.fromkeys(earlier))
    if any(tier == mine for (mine, tier), _ in ranked):
        return "unknown", ("OVERLAPPING_PLANS",)
    return "member", ()


def _pairs(group: ExclusiveGroup, arrangement: str, others: set[str]) -> Iterator[tuple[tuple[int, int], str]]:
    """The tiers of an arrangement and of each other one that the group holds too."""
    mine = group.tier_of(arrangement)
    if mine is not None:
        tiers = ((group.tier_of(other), other) for other in others)
        yield from (((mine, tier), other) for tier, other in tiers if tier is not None)


def _outside(
    month: MonthKnown, finding: Finding, others: set[str], groups: Sequence[ExclusiveGroup]
) -> Literal["eligible", "opted_out"] | None:
    outcomes = {answer.outcome for answer in finding.conditions.values()}
    if Outcome.FAIL in outcomes or not finding.conditions:
        return None
    if opted_out(month, finding.pack) is not None:
        return "opted_out"
    blocked = any(
        group.closed or tier <= mine
        for group in groups
        for (mine, tier), _ in _pairs(group, finding.pack.arrangement, others)
    )
    return None if blocked or Outcome.UNKNOWN in outcomes else "eligible"


def _open_reasons(month: MonthKnown, found: Sequence[Finding]) -> Iterator[str]:
    if month.care.plans is None:
        yield "NO_ENROLMENT_STATED"
    if month.known.health_plan is None:
        yield "NO_HEALTH_PLAN_STATED"
    elif _in_unlisted_plan(month, found):
        yield "CONTRACT_NOT_STATED" if month.care.contract is None else "CONTRACT_NOT_LISTED"


def _in_unlisted_plan(month: MonthKnown, found: Sequence[Finding]) -> bool:
    """In a Medicare health plan that no pack claims."""
    return in_health_plan(month) and not any(
        finding.run is not None and finding.pack.arrangement in _HEALTH_PLANS for finding in found
    )
