"""What contradicts itself or cannot be so: an open answer or a dead letter, always with the reason, never a guess."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from test_alignment_history import OURS, PROGRAMME, enrolment, report, snapshot

from contracts.alignment import AlignmentReported, AlignmentReportedData, MonthDecision, ReportedSpan
from contracts.coverage import CoverageSource, MedicareCoverageStated, MedicareCoverageStatedData
from contracts.months import month_index
from services.alignment.history import decision_history, decisions_as_known
from services.alignment.rules.believable import unbelievable
from services.alignment.statements import CoverageSpan, Fact

ENTITIES = {"D9001"}


def predicate(decision: MonthDecision, name: str) -> tuple[str, str | None]:
    return next((one.outcome.value, one.reason) for one in decision.predicates if one.name == name)


def last(month: str, *facts: Fact) -> MonthDecision:
    found = decision_history(facts, PROGRAMME)
    return found[max(key for key in found if key[0] == month)]


def contradicting(sequence: int, month: str, **other: Any) -> Fact:
    """One snapshot that says two things of its month."""
    one, two = snapshot(sequence, month), snapshot(sequence, month, **other)
    return replace(one, coverage=(*one.coverage, *two.coverage))


def test_contradicting_spans_of_one_statement_leave_the_value_open() -> None:
    decided = last("2022-01", contradicting(1, "2022-01", code="1"))
    assert predicate(decided, "A_AND_B") == ("unknown", "CONTRADICTED")
    assert decided.cohort.value == "excluded"
    decided = last("2022-01", contradicting(1, "2022-01", dual="01"))
    assert predicate(decided, "FULL_DUAL") == ("unknown", "CONTRADICTED")
    assert decided.dual_status_code is None
    decided = last("2022-01", contradicting(1, "2022-01", county="39001"))
    assert decided.county_fips is None
    assert predicate(decided, "A_AND_B") == ("pass", None)


def test_spans_that_say_the_same_twice_contradict_nothing() -> None:
    assert predicate(last("2022-01", contradicting(1, "2022-01")), "A_AND_B") == ("pass", None)


def test_a_contradiction_is_carried_on_until_a_statement_is_clear() -> None:
    facts = (contradicting(1, "2022-01", code="1"), snapshot(2, "2022-03"))
    outcomes = {month: predicate(last(month, *facts), "A_AND_B")[0] for month in ("2022-01", "2022-02", "2022-03")}
    assert outcomes == {"2022-01": "unknown", "2022-02": "unknown", "2022-03": "pass"}
    # A later word about the same month settles it.
    settled = replace(snapshot(3, "2022-01"), stated_on=date(2022, 5, 1).toordinal())
    assert predicate(last("2022-01", *facts, settled), "A_AND_B") == ("pass", None)


def test_a_contradiction_is_the_same_whichever_span_comes_first() -> None:
    one = contradicting(1, "2022-01", code="1", dual="01", plan="pace")
    other = replace(one, coverage=one.coverage[::-1])
    shown = [last("2022-01", fact).predicates for fact in (one, other)]
    assert shown[0] == shown[1]


def test_an_834_that_says_two_dual_statuses_of_a_month_leaves_it_open() -> None:
    said = enrolment(1, "2022-01-21", ("2022-01", None, *OURS), ("2022-01", None, True, "MCO9001", "03", "none"))
    assert predicate(last("2022-01", said), "FULL_DUAL") == ("unknown", "CONTRADICTED")
    assert predicate(last("2022-01", said), "IN_OUR_MCO") == ("pass", None)


def test_overlapping_plans_leave_open_which_of_them_is_responsible() -> None:
    said = enrolment(1, "2022-01-21", ("2022-01", None, *OURS), ("2022-01", None, True, "MCO9002", "02", "none"))
    assert predicate(last("2022-01", said), "IN_OUR_MCO") == ("unknown", "PLANS_OVERLAP")


def test_a_contradiction_never_ends_an_alignment_that_cms_reports() -> None:
    facts = (report(1, "2022-01", ("2022-01", None, None)), contradicting(2, "2022-02", dual="01"))
    for order in permutations(facts):
        decided = last("2022-02", *order)
        assert (decided.aligned, decided.basis) == (True, "forecast")
        assert predicate(decided, "FULL_DUAL") == ("unknown", "CONTRADICTED")


def reported(
    month: str = "2022-01", stated: str = "2022-01-10", entity: str = "D9001", **span: Any
) -> AlignmentReported:
    data = AlignmentReportedData(
        person_id=f"p{1:032x}", state="OH", entity_id=entity, report_month=month,
        stated_on=date.fromisoformat(stated), spans=(ReportedSpan(**{"first_month": "2022-01", **span}),),
    )  # fmt: skip
    return AlignmentReported.of(**_about(), data=data)


def covered(birth: str | None, death: str | None) -> MedicareCoverageStated:
    data = MedicareCoverageStatedData(
        person_id=f"p{1:032x}", state="OH", source=CoverageSource.CCLF8, stated_on=date(2022, 1, 1), spans=(),
        birth_date=birth and date.fromisoformat(birth), death_date=death and date.fromisoformat(death),
    )  # fmt: skip
    return MedicareCoverageStated.of(**_about(), data=data)


def _about() -> Any:
    return {
        "service": "intake", "key": f"p{1:032x}", "version": "1", "time": datetime(2022, 1, 1, tzinfo=UTC),
        "delivery_id": f"d{1:032x}", "sequence": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (reported(), None),
        (reported(entity="D9009"), "report_of_another_entity"),
        (reported(month="2022-02"), None),
        (reported(month="2022-03"), "report_of_a_month_to_come"),
        (reported(last_month="2022-01"), None),
        (reported(first_month="2022-02", last_month="2022-01"), "span_ends_before_it_begins"),
        (covered("1950-05-01", "2022-01-01"), None),
        (covered("1950-05-01", "1950-05-01"), None),
        (covered("1950-05-01", "1950-04-30"), "died_before_birth"),
        (covered(None, "1950-04-30"), None),
        (covered("1950-05-01", None), None),
    ],
)
def test_what_cannot_be_so_is_refused_with_its_reason(event: Any, reason: str | None) -> None:
    found = unbelievable(event, ENTITIES)
    assert (None if found is None else found.reason) == reason
    if found is not None:
        assert event.data.person_id not in found.detail


spans = st.builds(
    lambda month, code, dual, county: CoverageSpan(month, month, code, dual, None, None, county, None),
    month=st.integers(month_index("2022-01"), month_index("2022-05")),
    code=st.sampled_from(["C", "1", None]),
    dual=st.sampled_from(["02", "01", None]),
    county=st.sampled_from(["39049", "39001", None]),
)
statements = st.lists(
    st.tuples(st.integers(1, 5), st.lists(spans, min_size=1, max_size=4)), min_size=1, max_size=6
)  # fmt: skip


@given(statements, st.randoms(use_true_random=False))
@settings(max_examples=120, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_whatever_contradicts_what_is_decided_the_same_step_by_step_and_at_once_in_any_order(
    said: list[tuple[int, list[CoverageSpan]]], shuffled: random.Random
) -> None:
    facts = [
        Fact(f"s{number}", sequence, "coverage", "OH", "cclf8", date(2022, 6, 1).toordinal(), coverage=tuple(own))
        for number, (sequence, own) in enumerate(said)
    ]
    found = decision_history(facts, PROGRAMME)
    other = facts[:]
    shuffled.shuffle(other)
    assert decision_history(other, PROGRAMME) == found
    last_sequence = max(fact.sequence for fact in facts)
    newest = {month: one for (month, _), one in sorted(found.items())}
    for _, _, at_once in decisions_as_known(facts, [(month, last_sequence) for month in newest], PROGRAMME):
        step_by_step = newest[at_once.month]
        shown = [
            [one.model_copy(update={"evidence": None}) for one in each.predicates] for each in (at_once, step_by_step)
        ]
        assert shown[0] == shown[1]
        assert (at_once.cohort, at_once.county_fips, at_once.dual_status_code) == (
            step_by_step.cohort, step_by_step.county_fips, step_by_step.dual_status_code,
        )  # fmt: skip
