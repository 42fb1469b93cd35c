"""Truth and knowledge: what is known when, and what reports and enrolment files say of it."""

from datetime import date

import pytest
from people_of_simulation import IN_OUR_PLAN, PERIOD, drawn, life, person

from infra.simulator import enrolment, reports
from infra.simulator.alignment import draw_alignment
from infra.simulator.life import AlignedSpan, Change, Enrolment, alive, part_a_and_b
from infra.simulator.period import Period

LEAVES_LATE_KNOWN = Change("plan", "MCO9002", 3, PERIOD.last_delivery, 6)
LEAVES_IN_TIME = Change("plan", "MCO9002", 3, PERIOD.last_delivery, 3)
JOINS_HEALTH_PLAN = Change("health_plan", "H9001", 4, 8, 6)


@pytest.mark.parametrize(
    ("month", "delivery", "plan"),
    [(2, 14, "MCO9001"), (3, 3, "MCO9001"), (3, 5, "MCO9001"), (3, 6, "MCO9002"), (9, 9, "MCO9002")],
)
def test_a_change_is_stated_once_it_is_known(month: int, delivery: int, plan: str) -> None:
    assert life([LEAVES_LATE_KNOWN]).as_known(month, delivery).plan == plan


def test_a_change_that_ends_gives_way_to_what_was_before() -> None:
    course = life([JOINS_HEALTH_PLAN])
    assert [month for month in range(PERIOD.months) if course.final[month].health_plan] == [4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("changes", "delivery", "months"),
    [
        ([LEAVES_LATE_KNOWN], 6, [3, 4, 5]),
        ([LEAVES_LATE_KNOWN], 5, []),
        ([LEAVES_LATE_KNOWN], 7, []),
        ([LEAVES_IN_TIME], 3, []),
        ([JOINS_HEALTH_PLAN], 6, [4, 5]),
        ([LEAVES_LATE_KNOWN, JOINS_HEALTH_PLAN], 6, [3, 4, 5]),
    ],
)
def test_corrections_are_the_earlier_months_that_differ(
    changes: list[Change], delivery: int, months: list[int]
) -> None:
    course = life(changes)
    found = course.corrections(delivery)
    assert [month for month, _, _ in found] == months
    assert all(now == course.final[month] != before for month, before, now in found)


def _loops(text: str) -> list[tuple[str, str, str]]:
    segments = [segment.split("*") for segment in text.replace("\n", "").split("~")]
    heads = [segment[1] for segment in segments if segment[0] == "HD"]
    begins = [segment[3] for segment in segments if segment[:2] == ["DTP", "348"]]
    ends = [segment[3] for segment in segments if segment[:2] == ["DTP", "349"]]
    return list(zip(heads, begins, ends, strict=True))


def test_a_member_is_stated_for_the_month() -> None:
    (member,) = enrolment.members(person(), 4)
    assert (member.plan, member.kind) == ("MCO9001", "roster")
    assert _loops(member.text) == [("001", "20220501", "20220531")]
    assert member.segments == member.text.count("~")
    assert "REF*F5*02~" in member.text
    assert "REF*DX" not in member.text


def test_a_retroactive_change_is_voided_here_and_stated_there() -> None:
    members = {(member.plan, member.kind): member for member in enrolment.members(person(life([LEAVES_LATE_KNOWN])), 6)}
    assert set(members) == {("MCO9001", "changes"), ("MCO9002", "roster")}
    assert _loops(members["MCO9001", "changes"].text) == [
        ("001", "20220401", "20220331"),
        ("001", "20220501", "20220430"),
        ("001", "20220601", "20220531"),
    ]
    assert _loops(members["MCO9002", "roster"].text) == [
        ("001", "20220401", "20220430"),
        ("001", "20220501", "20220531"),
        ("001", "20220601", "20220630"),
        ("001", "20220701", "20220731"),
    ]


def test_a_change_known_in_time_ends_the_month_before() -> None:
    changes, roster = enrolment.members(person(life([LEAVES_IN_TIME])), 3)
    assert (changes.plan, changes.kind, roster.plan) == ("MCO9001", "changes", "MCO9002")
    assert _loops(changes.text) == [("024", "20220301", "20220331")]
    assert changes.text.startswith("INS*Y*18*024*")


def test_a_health_plan_is_stated_with_its_begin() -> None:
    course = life([JOINS_HEALTH_PLAN])
    (member,) = enrolment.members(person(course), 8)
    assert "REF*DX*H9001;001;20220501~" in member.text
    (after,) = enrolment.members(person(course), 9)
    assert "REF*DX" not in after.text


def test_months_without_medicaid_are_left_out_and_not_terminated() -> None:
    gap = [Change("dual", None, 5, 6, 5), Change("plan", None, 5, 6, 5)]
    course = person(life(gap))
    assert [len(list(enrolment.members(course, month))) for month in (4, 5, 6, 7)] == [1, 0, 0, 1]


def test_a_death_closes_enrolment_when_it_is_known() -> None:
    course = life(death=date(2022, 5, 17), last_stated=6)
    (member,) = enrolment.members(person(course), 6)
    assert _loops(member.text) == [("024", "20220501", "20220517")]
    assert "DTP*435*D8*20220517~" in member.text
    (before,) = enrolment.members(person(course), 5)
    assert _loops(before.text) == [("001", "20220601", "20220630")]


def test_the_834_uses_a_new_identifier_a_month_after_the_cclf() -> None:
    course = person(life(mbi_changes=(5,)))
    used = [next(iter(enrolment.members(course, month))).text.split("REF*6P*")[1][:11] for month in (4, 5, 6)]
    assert used == ["1S000000007", "1S000000007", "1S010000007"]


SPANS = (AlignedSpan(0, 1, 3, 6, "LEFT_MCO"), AlignedSpan(8, 8, None, None))


@pytest.mark.parametrize(
    ("report", "spans"),
    [
        (0, []),
        (1, [("20220101", "", "")]),
        (5, [("20220101", "", "")]),
        (6, [("20220101", "20220430", "LEFT_MCO")]),
        (8, [("20220101", "20220430", "LEFT_MCO"), ("20220901", "", "")]),
    ],
)
def test_a_report_lists_what_is_known_of_each_span(report: int, spans: list[tuple[str, str, str]]) -> None:
    rows = [row.rstrip("\n").split(",") for row in reports.alignment_rows(person(spans=SPANS), report)]
    assert [(row[3], row[4], row[5]) for row in rows] == spans


@pytest.mark.parametrize(("month", "inside"), [(0, False), (1, True), (5, True), (6, False), (8, True)])
def test_the_entity_gets_claims_of_those_whom_the_report_aligns(month: int, *, inside: bool) -> None:
    assert person(spans=SPANS).life.in_entity_feed(month) is inside


@pytest.mark.parametrize(("month", "holds"), [(3, True), (4, True), (5, False)])
def test_a_person_is_alive_in_the_month_of_death(month: int, *, holds: bool) -> None:
    assert alive(life(death=date(2022, 5, 1), last_stated=6), month, PERIOD) is holds


def _spans(people: int = 400) -> list[tuple[AlignedSpan, str]]:
    return [(span, made.life.final[span.first].plan or "") for made in drawn(people) for span in made.life.spans]


def test_alignment_begins_in_a_month_of_eligibility_and_is_reported_later_or_then() -> None:
    for span, plan in _spans():
        assert plan == "MCO9001"
        assert span.first <= span.known_first <= PERIOD.last_delivery
        assert (span.last is None) == (span.known_last is None)


def test_alignment_ends_for_every_reason_but_a_lost_part_b_often() -> None:
    reasons = {span.reason for span, _ in _spans(2000)}
    assert reasons >= {"", "DEATH", "ENROLLED_MA", "NOT_FULL_DUAL", "LEFT_MCO", "OUT_OF_AREA"}


def test_a_move_ends_alignment_at_the_end_of_the_year() -> None:
    period = Period("2022-07", 12, 3)
    counties = ["39001"] * 2 + ["39087"] * 13
    made = next(iter(drawn(1)))
    course = life(counties=counties)
    spans = [span for _ in range(30) for span in draw_alignment(made.random, course, period)]
    assert {(span.first, span.reason) for span in spans} == {(0, "OUT_OF_AREA")}
    assert {span.last for span in spans} <= {5, 6}


def test_lives_are_within_the_period() -> None:
    for made in drawn(500):
        course = made.life
        assert 0 <= course.entry <= PERIOD.last_service
        assert course.last_stated <= PERIOD.last_delivery
        assert course.death is None or 1 <= course.last_stated - PERIOD.number(course.death) <= 2
        assert all(course.entry <= change.known <= course.last_stated for change in course.changes)


def test_nobody_with_a_gap_has_another_change_of_plan() -> None:
    for made in drawn(1500):
        plans = [change for change in made.life.changes if change.name == "plan"]
        assert len(plans) <= 1


@pytest.mark.parametrize(("code", "both"), [("C", True), ("3", True), ("1", False)])
def test_both_parts_by_buy_in_code(code: str, *, both: bool) -> None:
    assert part_a_and_b(life(buy_ins=[code] * 15), 3) is both


@pytest.mark.parametrize(("dual", "full"), [("02", True), ("04", True), ("08", True), ("01", False), (None, False)])
def test_full_benefits_by_dual_code(dual: str | None, *, full: bool) -> None:
    assert IN_OUR_PLAN._replace(dual=dual).full is full
    assert Enrolment(dual, None, None).full is full
