"""Histories of decisions: cases told as files arrive, and invariants over random facts in random order."""

from datetime import date
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.months import month_index
from services.alignment.history import boundaries, decision_history, decisions_as_known
from services.alignment.programme import programme
from services.alignment.rules.knowledge import Knowledge
from services.alignment.statements import AlignedSpan, CoverageSpan, EnrolmentSpan, Fact

PROGRAMME = programme()
numbers = count()
# Facts are small already, and shrinking them takes minutes.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def snapshot(sequence: int, month: str, **said: Any) -> Fact:
    values = {"code": "C", "dual": "02", "plan": "none", "county": "39049", "death": None, "began": "2015-01-01"} | said
    span = CoverageSpan(
        month_index(month), month_index(month), values["code"], values["dual"], values["plan"], None,
        values["county"], True,
    )  # fmt: skip
    began = day(values["began"])
    death = day(values["death"]) if values["death"] else None
    return Fact(
        f"c{next(numbers):04d}", sequence, "coverage", "OH", "cclf8", day(f"{month}-20"),
        death=death, part_a_began=began, part_b_began=began, coverage=(span,),
    )  # fmt: skip


def enrolment(sequence: int, stated: str, *spans: tuple[Any, ...]) -> Fact:
    read = [
        EnrolmentSpan(month_index(first), month_index(last) if last else None, enrolled, plan, dual, health_plan, None)
        for first, last, enrolled, plan, dual, health_plan in spans
    ]
    return Fact(
        f"e{next(numbers):04d}", sequence, "enrolment", "OH", "834", day(stated), enrolment=tuple(read)
    )  # fmt: skip


def report(sequence: int, month: str, *spans: tuple[str, str | None, str | None], entity: str = "D9001") -> Fact:
    read = [AlignedSpan(month_index(first), month_index(last) if last else None, why) for first, last, why in spans]
    return Fact(
        f"r{next(numbers):04d}", sequence, "report", "OH", "alignment report", day(f"{month}-25"),
        entity_id=entity, report_month=month_index(month), aligned=tuple(read),
    )  # fmt: skip


OURS = (True, "MCO9001", "02", "none")


def told(*facts: Fact) -> list[tuple[str, int, str, str, str]]:
    return [
        (month, sequence, decision.basis, decision.change.value, decision.cohort.value)
        for (month, sequence), decision in sorted(decision_history(facts, PROGRAMME).items())
    ]


def test_an_alignment_is_forecast_until_the_report_says_it() -> None:
    assert told(
        snapshot(1, "2022-01"),
        enrolment(2, "2022-01-21", ("2022-01", None, *OURS)),
        report(3, "2022-01", ("2022-01", None, None)),
        snapshot(4, "2022-02"),
        report(5, "2022-02", ("2022-01", None, None)),
    ) == [
        ("2022-01", 1, "none", "eligibility_changed", "comparison"),
        # The state's file adds IN_OUR_MCO and nothing else.
        ("2022-01", 2, "none", "eligibility_changed", "comparison"),
        ("2022-01", 3, "reported", "aligned", "aligned"),
        ("2022-02", 4, "forecast", "forecast", "aligned"),
        ("2022-02", 5, "reported", "aligned", "aligned"),
    ]


def test_a_removal_found_out_late_takes_back_months_and_a_return_reinstates() -> None:
    history = [
        snapshot(1, "2022-01"),
        report(2, "2022-01", ("2022-01", None, None)),
        report(3, "2022-02", ("2022-01", None, None)),
        report(4, "2022-03", ("2022-01", "2022-01", "ENROLLED_MA")),
        report(5, "2022-04", ("2022-01", "2022-01", "ENROLLED_MA"), ("2022-03", None, None)),
    ]
    assert [line for line in told(*history) if line[1] > 2] == [
        ("2022-02", 3, "reported", "aligned", "aligned"),
        ("2022-02", 4, "none", "removed", "comparison"),
        ("2022-03", 4, "none", "eligibility_changed", "comparison"),
        ("2022-03", 5, "reported", "reinstated", "aligned"),
        ("2022-04", 5, "reported", "aligned", "aligned"),
    ]
    assert decision_history(history, PROGRAMME)["2022-02", 4].reasons[0] == "REMOVED_ENROLLED_MA"


@pytest.mark.parametrize(
    ("case", "news", "reason"),
    [
        ("a health plan", snapshot(4, "2022-02", plan="medicare_advantage"), "ENROLLED_MA"),
        ("Part B lost", snapshot(4, "2022-02", code="1"), "LOST_PART_B"),
        ("partial benefits", snapshot(4, "2022-02", dual="01"), "DUAL_PARTIAL"),
        ("a death", snapshot(4, "2022-02", death="2022-01-31"), "DECEASED"),
        (
            "another plan",
            enrolment(4, "2022-02-03", ("2022-02", None, True, "MCO9002", "02", "none")),
            "MCO_DISENROLLED",
        ),
    ],
)
def test_what_ends_a_forecast(case: str, news: Fact, reason: str) -> None:
    facts = [
        snapshot(1, "2022-01"),
        enrolment(2, "2022-01-21", ("2022-01", "2022-01", *OURS)),
        report(3, "2022-01", ("2022-01", None, None)),
        news,
    ]
    decision = decision_history(facts, PROGRAMME)["2022-02", 4]
    assert (decision.aligned, decision.reasons) == (False, ("FORECAST_ENDED", reason)), case


def test_cms_decides_and_a_predicate_that_disagrees_is_shown() -> None:
    facts = [snapshot(1, "2022-01", plan="pace"), report(2, "2022-01", ("2022-01", None, None))]
    decision = decision_history(facts, PROGRAMME)["2022-01", 2]
    assert (decision.aligned, decision.basis, decision.reasons) == (True, "reported", ("ENROLLED_PACE",))


def test_a_retroactive_dual_status_is_a_new_decision_and_the_old_one_stays() -> None:
    facts = [
        snapshot(1, "2022-01", dual=None),
        snapshot(2, "2022-02", dual=None),
        enrolment(3, "2022-02-21", ("2022-01", None, True, "MCO9002", "01", None)),
        enrolment(4, "2022-03-21", ("2022-01", None, True, "MCO9002", "02", None)),
    ]
    january = [(sequence, d.dual_status_code, d.cohort.value) for (m, sequence), d in
               decision_history(facts, PROGRAMME).items() if m == "2022-01"]  # fmt: skip
    assert january == [(1, None, "excluded"), (3, "01", "excluded"), (4, "02", "comparison")]


def test_the_same_file_again_changes_nothing() -> None:
    first = enrolment(1, "2022-01-21", ("2022-01", "2022-01", *OURS))
    again = enrolment(2, "2022-02-21", ("2022-01", "2022-01", *OURS))
    assert [sequence for _, sequence, *_ in told(first, again)] == [1]


def test_months_begin_with_the_programme_and_end_where_someone_has_spoken() -> None:
    facts = [
        enrolment(1, "2022-03-21", ("1999-05", None, *OURS)),
        enrolment(2, "2022-03-22", ("2022-03", "2078-12", *OURS)),
    ]
    months = [[month for month, sequence in decision_history(facts[:n], PROGRAMME)] for n in (1, 2)]
    assert [(min(known), max(known)) for known in months] == [("2017-01", "2022-03"), ("2017-01", "2023-03")]


def test_decisions_as_known_name_what_held_though_nothing_changed() -> None:
    facts = [snapshot(1, "2022-01"), snapshot(2, "2022-02", plan="cost")]
    found = list(decisions_as_known(facts, {("2022-02", 2), ("2022-01", 2), ("2022-01", 1)}, PROGRAMME))
    assert [(sequence, state, d.month, d.cohort.value, d.change.value) for sequence, state, d in found] == [
        (1, "OH", "2022-01", "comparison", "eligibility_changed"),
        (2, "OH", "2022-01", "comparison", "eligibility_changed"),
        (2, "OH", "2022-02", "excluded", "eligibility_changed"),
    ]


months = st.integers(month_index("2021-10"), month_index("2022-06"))
sequences = st.integers(1, 8)
days = st.integers(day("2021-10-01"), day("2022-06-30"))
open_or_later = st.none() | st.integers(0, 5)


def ends(first: int, length: int | None) -> int | None:
    return None if length is None else first + length


coverage_spans = st.builds(
    lambda first, length, *values: CoverageSpan(first, ends(first, length), *values),
    months,
    st.sampled_from([0, 0, 0, 2, None]),
    st.sampled_from(["C", "3", "1", None]),
    st.sampled_from(["02", "01", None]),
    st.sampled_from(["none", "medicare_advantage", None]),
    st.sampled_from([True, None]),
    st.sampled_from(["39049", "39001", None]),
    st.sampled_from([True, None]),
)
enrolment_spans = st.builds(
    lambda first, length, *values: EnrolmentSpan(first, ends(first, length), *values),
    months,
    open_or_later,
    st.booleans(),
    st.sampled_from(["MCO9001", "MCO9002", None]),
    st.sampled_from(["02", "08", "01", None]),
    st.sampled_from(["none", "medicare_advantage", None]),
    st.sampled_from(["39049", None]),
)
aligned_spans = st.builds(
    lambda first, length: AlignedSpan(first, ends(first, length), None if length is None else "X"),
    months,
    open_or_later,
)
dates = st.none() | st.sampled_from([day("2015-01-01"), day("2022-01-15"), day("2022-03-01")])
ids = st.uuids().map(str)
facts_of_coverage = st.builds(
    lambda *parts: Fact(*parts[:2], "coverage", "OH", *parts[2:4], death=parts[4], part_a_began=parts[5],
                        part_b_began=parts[6], coverage=tuple(parts[7])),
    ids, sequences, st.sampled_from(["cclf8", "fhir"]), days, st.none() | dates, dates, dates,
    st.lists(coverage_spans, max_size=2),
)  # fmt: skip
facts_of_enrolment = st.builds(
    lambda *parts: Fact(*parts[:2], "enrolment", parts[2], "834", parts[3], death=parts[4], enrolment=tuple(parts[5])),
    ids, sequences, st.sampled_from(["OH", "OH", "OH", "CA"]), days, st.none() | dates,
    st.lists(enrolment_spans, max_size=3),
)  # fmt: skip
facts_of_report = st.builds(
    lambda *parts: Fact(*parts[:2], "report", "OH", "alignment report", parts[2], entity_id=parts[3],
                        report_month=parts[4], aligned=tuple(sorted(parts[5], key=str))),
    ids, sequences, days, st.sampled_from(["D9001", "D9002"]), months, st.lists(aligned_spans, min_size=1, max_size=2),
)  # fmt: skip
some_facts = st.lists(
    facts_of_coverage | facts_of_enrolment | facts_of_report, max_size=9, unique_by=lambda fact: fact.event_id
)


@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(some_facts.flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))))
def test_the_order_of_arrival_never_matters(orders: tuple[list[Fact], list[Fact]]) -> None:
    facts, shuffled = orders
    assert decision_history(shuffled, PROGRAMME) == decision_history(facts, PROGRAMME)


@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(some_facts)
def test_looking_only_at_months_that_a_fact_may_touch_misses_nothing(facts: list[Fact]) -> None:
    def everything(knowledge: Knowledge, fact: Fact) -> set[int]:
        first, last = knowledge.range_with(fact)
        return set() if first is None else set(range(first, last + 1))

    with patch.object(Knowledge, "touched_by", everything):
        expected = decision_history(facts, PROGRAMME)
    assert decision_history(facts, PROGRAMME) == expected


@settings(max_examples=40, deadline=None, phases=NO_SHRINKING)
@given(some_facts, sequences)
def test_deciding_from_a_delivery_on_gives_the_end_of_the_whole_history(facts: list[Fact], since: int) -> None:
    whole = [boundary for boundary in boundaries(facts, PROGRAMME) if boundary.sequence >= since]
    assert list(boundaries(facts, PROGRAMME, since)) == whole


@settings(max_examples=40, deadline=None, phases=NO_SHRINKING)
@given(some_facts, sequences)
def test_what_was_known_then_is_not_changed_by_what_came_after(facts: list[Fact], as_of: int) -> None:
    then = {key: d for key, d in decision_history(facts, PROGRAMME).items() if key[1] <= as_of}
    assert decision_history([fact for fact in facts if fact.sequence <= as_of], PROGRAMME) == then


@settings(max_examples=40, deadline=None, phases=NO_SHRINKING)
@given(some_facts)
def test_every_kept_decision_differs_from_the_one_before(facts: list[Fact]) -> None:
    last: dict[str, tuple[object, ...]] = {}
    for (month, _), d in sorted(decision_history(facts, PROGRAMME).items(), key=lambda item: item[0][1]):
        outcomes = tuple((p.name, p.outcome, p.reason) for p in d.predicates)
        said = (d.aligned, d.basis, d.cohort, d.entity_id, d.county_fips, d.dual_status_code, d.reasons, outcomes)
        assert last.get(month) != said
        last[month] = said


@settings(max_examples=40, deadline=None, phases=NO_SHRINKING)
@given(some_facts)
def test_months_follow_each_other_without_a_gap(facts: list[Fact]) -> None:
    known = sorted({month_index(month) for month, _ in decision_history(facts, PROGRAMME)})
    assert known == list(range(known[0], known[-1] + 1)) if known else not known
