"""Each predicate as a table: what is known about the month, and the answer with its reason and evidence."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.alignment import DecisionChange, Outcome
from contracts.codes import Cohort
from services.alignment.programme import programme
from services.alignment.rules.a_and_b import a_and_b
from services.alignment.rules.aligned import Alignment, alignment
from services.alignment.rules.alive import alive
from services.alignment.rules.change import change
from services.alignment.rules.cohort import COMPARISON_NEEDS, cohort
from services.alignment.rules.full_dual import full_dual
from services.alignment.rules.in_our_mco import in_our_mco
from services.alignment.rules.in_service_area import in_service_area
from services.alignment.rules.known_month import Answer, KnownMonth, Reach, Stated, Verdict
from services.alignment.rules.medicare_primary import medicare_primary
from services.alignment.rules.no_overlap import no_overlap
from services.alignment.rules.not_in_ma import not_in_ma
from services.alignment.rules.predicates import PREDICATES, answers
from services.alignment.rules.us_resident import us_resident

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
DAY = date(2022, 3, 20).toordinal()
NOTHING = KnownMonth(
    month=24266, state="OH", entitlement_buy_in_code=None, begun=(None, None), health_plan=None,
    medicare_is_primary=None, county_fips=None, in_united_states=None, dual_status_code=None, enrolled_plans=None,
    dead=None, verdict=Verdict("unreported"),
)  # fmt: skip


def said(value: Any, reach: Reach = Reach.EXACT) -> Stated[Any]:
    return Stated(value, "CCLF8", DAY, reach)


def known(**fields: Any) -> KnownMonth:
    return NOTHING._replace(**fields)


@pytest.mark.parametrize(
    ("code", "reach", "begun", "outcome", "reason"),
    [
        ("3", Reach.EXACT, (None, None), PASS, None),
        ("C", Reach.EXACT, (None, None), PASS, None),
        ("C", Reach.CARRIED_FORWARD, (None, None), PASS, None),
        ("0", Reach.EXACT, (None, None), FAIL, "NOT_ENTITLED"),
        ("1", Reach.EXACT, (None, None), FAIL, "LOST_PART_B"),
        ("A", Reach.EXACT, (None, None), FAIL, "LOST_PART_B"),
        ("2", Reach.EXACT, (None, None), FAIL, "LOST_PART_A"),
        ("B", Reach.EXACT, (None, None), FAIL, "LOST_PART_A"),
        ("C", Reach.FROM_LATER, (True, True), PASS, None),
        ("C", Reach.FROM_LATER, (False, True), FAIL, "PART_A_NOT_BEGUN"),
        ("C", Reach.FROM_LATER, (True, False), FAIL, "PART_B_NOT_BEGUN"),
        ("C", Reach.FROM_LATER, (None, False), FAIL, "PART_B_NOT_BEGUN"),
        ("C", Reach.FROM_LATER, (True, None), UNKNOWN, "BEGIN_NOT_STATED"),
        (None, Reach.EXACT, (True, True), UNKNOWN, "NO_ENTITLEMENT_STATED"),
    ],
)
def test_a_and_b(
    code: str | None, reach: Reach, begun: tuple[bool | None, bool | None], outcome: Outcome, reason: str | None
) -> None:
    answer = a_and_b(known(entitlement_buy_in_code=said(code, reach) if code else None, begun=begun))
    assert answer[:2] == (outcome, reason)


def test_evidence_names_source_and_date_and_how_far_it_reaches() -> None:
    found = [a_and_b(known(entitlement_buy_in_code=said("C", reach), begun=(True, True))).evidence for reach in Reach]
    assert found == [
        "CCLF8 2022-03-20",
        "CCLF8 2022-03-20, carried forward",
        "CCLF8 2022-03-20, from a later month",
        "CCLF8 2022-03-20, contradicts itself",
    ]


@pytest.mark.parametrize(
    ("plan", "outcome", "reason"),
    [
        ("none", PASS, None),
        ("medicare_advantage", FAIL, "ENROLLED_MA"),
        ("cost", FAIL, "ENROLLED_COST"),
        ("pace", FAIL, "ENROLLED_PACE"),
        (None, UNKNOWN, "NO_HEALTH_PLAN_STATED"),
    ],
)
def test_not_in_ma(plan: str | None, outcome: Outcome, reason: str | None) -> None:
    assert not_in_ma(known(health_plan=said(plan) if plan else None))[:2] == (outcome, reason)


@pytest.mark.parametrize(
    ("primary", "outcome", "reason"),
    [(True, PASS, None), (False, FAIL, "MSP"), (None, UNKNOWN, "PRIMARY_PAYER_NOT_STATED")],
)
def test_medicare_primary(primary: bool | None, outcome: Outcome, reason: str | None) -> None:  # noqa: FBT001
    found = medicare_primary(known(medicare_is_primary=None if primary is None else said(primary)))
    assert found[:2] == (outcome, reason)


@pytest.mark.parametrize(
    ("inside", "county", "outcome", "reason"),
    [
        (True, None, PASS, None),
        (False, "39049", FAIL, "NON_US"),
        (None, "39049", PASS, None),
        (None, "11001", PASS, None),
        (None, "72001", FAIL, "NON_US"),
        (None, None, UNKNOWN, "NO_RESIDENCE_STATED"),
    ],
)
def test_us_resident(inside: bool | None, county: str | None, outcome: Outcome, reason: str | None) -> None:  # noqa: FBT001
    month = known(
        in_united_states=None if inside is None else said(inside), county_fips=said(county) if county else None
    )
    assert us_resident(month, programme().united_states)[:2] == (outcome, reason)


@pytest.mark.parametrize(
    ("county", "counties", "outcome", "reason"),
    [
        ("39049", {"39049", "39001"}, PASS, None),
        ("39003", {"39049"}, FAIL, "MOVED"),
        ("39049", None, UNKNOWN, "NO_ROSTER"),
        (None, {"39049"}, UNKNOWN, "NO_RESIDENCE_STATED"),
    ],
)
def test_in_service_area(county: str | None, counties: set[str] | None, outcome: Outcome, reason: str | None) -> None:
    area = said(frozenset(counties)) if counties is not None else None
    assert in_service_area(county, area)[:2] == (outcome, reason)


@pytest.mark.parametrize(
    ("dead", "outcome", "reason"), [(False, PASS, None), (True, FAIL, "DECEASED"), (None, UNKNOWN, "NO_STATEMENT")]
)
def test_alive(dead: bool | None, outcome: Outcome, reason: str | None) -> None:  # noqa: FBT001
    assert alive(known(dead=None if dead is None else said(dead)))[:2] == (outcome, reason)


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        *((code, PASS, None) for code in ("02", "04", "08")),
        *((code, FAIL, "DUAL_PARTIAL") for code in ("01", "03", "05", "06")),
        *((code, FAIL, "DUAL_LOST") for code in ("NA", "00", "09", "10")),
        ("99", UNKNOWN, "DUAL_STATUS_UNKNOWN"),
        (None, UNKNOWN, "NO_DUAL_STATUS_STATED"),
    ],
)
def test_full_dual(code: str | None, outcome: Outcome, reason: str | None) -> None:
    assert full_dual(known(dual_status_code=said(code) if code else None))[:2] == (outcome, reason)


ENTITY = programme().entities[0]


@pytest.mark.parametrize(
    ("plans", "entity", "outcome", "reason"),
    [
        (("MCO9001",), ENTITY, PASS, None),
        (("DENTAL", "MCO9001"), replace(ENTITY, plans_beside=frozenset({"DENTAL"})), PASS, None),
        (("MCO9001", "MCO9002"), ENTITY, UNKNOWN, "PLANS_OVERLAP"),
        (("MCO9002",), ENTITY, FAIL, "MCO_DISENROLLED"),
        ((), ENTITY, FAIL, "MCO_DISENROLLED"),
        (("",), ENTITY, UNKNOWN, "PLAN_NOT_NAMED"),
        (None, ENTITY, UNKNOWN, "NO_ENROLMENT_STATED"),
        (("MCO9001",), None, UNKNOWN, "NO_ENTITY_IN_STATE"),
        (("MCO9001",), replace(ENTITY, letter_of_support=False), FAIL, "NO_LETTER_OF_SUPPORT"),
    ],
)
def test_in_our_mco(plans: tuple[str, ...] | None, entity: Any, outcome: Outcome, reason: str | None) -> None:
    assert in_our_mco(known(enrolled_plans=None if plans is None else said(plans)), entity)[:2] == (outcome, reason)


REPORTED = Verdict("aligned", "D9001", stated=said(""))
ONGOING = REPORTED._replace(kind="ongoing")


@pytest.mark.parametrize(
    ("verdict", "outcome", "reason"),
    [
        (REPORTED, PASS, None),
        (REPORTED._replace(claimed_by_others=True), FAIL, "OVERLAP_REACH"),
        (ONGOING, UNKNOWN, "OTHER_MODELS_NOT_STATED"),
        (Verdict("unreported"), UNKNOWN, "OTHER_MODELS_NOT_STATED"),
    ],
)
def test_no_overlap(verdict: Verdict, outcome: Outcome, reason: str | None) -> None:
    assert no_overlap(known(verdict=verdict))[:2] == (outcome, reason)


def test_of_a_person_of_whom_nothing_is_known_every_predicate_is_unknown() -> None:
    found = answers(NOTHING, programme())
    assert tuple(found) == PREDICATES
    assert {answer.outcome for answer in found.values()} == {UNKNOWN}


def all_answering(outcome: Outcome, **others: Outcome) -> dict[str, Answer]:
    return {name: Answer(others.get(name, outcome), "WHY") for name in PREDICATES}


@pytest.mark.parametrize(
    ("verdict", "found", "expected"),
    [
        (REPORTED, all_answering(FAIL), Alignment(True, "reported")),
        (ONGOING, all_answering(PASS), Alignment(True, "forecast")),
        (ONGOING, all_answering(UNKNOWN), Alignment(True, "forecast")),
        (ONGOING, all_answering(PASS, ALIVE=FAIL), Alignment(False, "none", "FORECAST_ENDED")),
        (Verdict("removed", "D9001", "DEATH"), all_answering(PASS), Alignment(False, "none", "REMOVED_DEATH")),
        (Verdict("removed", "D9001"), all_answering(PASS), Alignment(False, "none", "REMOVED_BY_REPORT")),
        (Verdict("before", "D9001"), all_answering(PASS), Alignment(False, "none", "NOT_YET_ALIGNED")),
        (Verdict("unreported"), all_answering(PASS), Alignment(False, "none", "NOT_REPORTED")),
    ],
)
def test_alignment(verdict: Verdict, found: dict[str, Answer], expected: Alignment) -> None:
    assert alignment(verdict, found, programme()) == expected


def test_an_unknown_that_policy_does_not_tolerate_ends_a_forecast() -> None:
    strict = replace(programme(), tolerated_unknowns=frozenset(PREDICATES) - {"FULL_DUAL"})
    assert not alignment(ONGOING, all_answering(PASS, FULL_DUAL=UNKNOWN), strict).aligned
    assert alignment(ONGOING, all_answering(PASS, A_AND_B=UNKNOWN), strict).aligned


@pytest.mark.parametrize("outcome", [FAIL, UNKNOWN])
@pytest.mark.parametrize("name", PREDICATES)
def test_the_comparison_needs_five_predicates_to_pass(name: str, outcome: Outcome) -> None:
    found = all_answering(PASS, **{name: outcome})
    expected = Cohort.EXCLUDED if name in COMPARISON_NEEDS else Cohort.COMPARISON
    assert cohort(found, aligned=False) is expected
    assert cohort(found, aligned=True) is Cohort.ALIGNED


YES, FORECAST = Alignment(True, "reported"), Alignment(True, "forecast")
NO, REMOVED = Alignment(False, "none", "NOT_REPORTED"), Alignment(False, "none", "REMOVED_DEATH")


@pytest.mark.parametrize(
    ("now", "verdict", "before", "expected"),
    [
        (YES, REPORTED, None, DecisionChange.ALIGNED),
        (YES, REPORTED, NO, DecisionChange.ALIGNED),
        (YES, REPORTED, FORECAST, DecisionChange.ALIGNED),
        (YES, REPORTED, REMOVED, DecisionChange.REINSTATED),
        (YES, REPORTED._replace(returns=True), None, DecisionChange.REINSTATED),
        (YES, REPORTED, YES, DecisionChange.ELIGIBILITY_CHANGED),
        (FORECAST, ONGOING, None, DecisionChange.FORECAST),
        (FORECAST, ONGOING, NO, DecisionChange.FORECAST),
        (FORECAST, ONGOING, FORECAST, DecisionChange.ELIGIBILITY_CHANGED),
        (REMOVED, Verdict("removed", leaves=True), None, DecisionChange.REMOVED),
        (REMOVED, Verdict("removed"), None, DecisionChange.ELIGIBILITY_CHANGED),
        (REMOVED, Verdict("removed"), YES, DecisionChange.REMOVED),
        (NO, ONGOING, FORECAST, DecisionChange.REMOVED),
        (NO, Verdict("unreported"), NO, DecisionChange.ELIGIBILITY_CHANGED),
    ],
)
def test_change(now: Alignment, verdict: Verdict, before: Alignment | None, expected: DecisionChange) -> None:
    assert change(now, verdict, before) is expected
