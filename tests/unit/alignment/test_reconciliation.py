"""CMS's report against ours, month by month: cases told as files arrive."""

import pytest
from arrangement_facts import POLICIES, enrolment, found, report, snapshot, span

from contracts.months import month_at
from services.alignment.rules.reconciliation.outcome import outcomes
from services.alignment.rules.reconciliation.two_sides import Sides
from services.alignment.statements import Fact


def differences(*facts: Fact, as_of: int = 99) -> dict[str, tuple[str, bool, bool, str]]:
    """What differed in the end: outcome, theirs, ours, what had been forecast."""
    known: dict[str, tuple[str, bool, bool, str]] = {}
    for one in found(*facts):
        for month, (now, _) in one.differing.items() if one.sequence <= as_of else ():
            known[month_at(month)] = (now.outcome, now.theirs, now.ours, now.forecast)
    return known


def entitled(first: int, *months: str, **said: str) -> list[Fact]:
    return [snapshot(first + place, month, **said) for place, month in enumerate(months)]


OURS = span("2022-01", None)
AGREED = [snapshot(1, "2022-01"), enrolment(2, "2022-01-10", OURS), report(3, "2022-01", ("2022-01", None, None))]


def test_nothing_differs_where_both_say_aligned() -> None:
    assert differences(*AGREED) == {}


def test_only_theirs() -> None:
    partial = snapshot(4, "2022-02", dual="01"), enrolment(5, "2022-02-10", span("2022-02", None, dual="01"))
    facts = [*AGREED, *partial, report(6, "2022-02", ("2022-01", None, None))]
    assert differences(*facts) == {"2022-02": ("only_theirs", True, False, "not_aligned")}


def test_only_ours() -> None:
    facts = [*AGREED, snapshot(4, "2022-02"), report(5, "2022-02", ("2022-01", "2022-01", "LEFT_MCO"))]
    assert differences(*facts) == {"2022-02": ("only_ours", False, True, "aligned")}


def test_agreed_about_a_removal_for_the_same_reason_in_other_words() -> None:
    gone = snapshot(4, "2022-02", death="2022-01-20")
    facts = [*AGREED, gone, report(5, "2022-02", ("2022-01", "2022-01", "DEATH"))]
    assert differences(*facts) == {}


def test_different_reason() -> None:
    facts = [*AGREED, snapshot(4, "2022-02", code="1"), report(5, "2022-02", ("2022-01", "2022-01", "LEFT_MCO"))]
    assert differences(*facts) == {"2022-02": ("different_reason", False, False, "not_aligned")}


LEFT = [
    *AGREED, snapshot(4, "2022-02"), snapshot(5, "2022-03", code="1"), snapshot(6, "2022-04", code="1"),
    snapshot(7, "2022-05", code="1"),
]  # fmt: skip


def test_different_month_where_they_leave_later() -> None:
    facts = [*LEFT, report(8, "2022-05", ("2022-01", "2022-04", "LOST_PART_B"))]
    assert differences(*facts) == dict.fromkeys(("2022-03", "2022-04"), ("different_month", True, False, "not_aligned"))


def test_different_month_where_they_leave_earlier() -> None:
    facts = [*LEFT, report(8, "2022-05", ("2022-01", "2022-01", "LOST_PART_B"))]
    assert differences(*facts) == {"2022-02": ("different_month", False, True, "aligned")}


def test_as_long_as_they_have_not_left_it_is_only_theirs_and_then_another_month() -> None:
    facts = [
        *LEFT,
        report(8, "2022-04", ("2022-01", None, None)),
        report(9, "2022-05", ("2022-01", "2022-04", "LOST_PART_B")),
    ]
    assert {outcome for outcome, *_ in differences(*facts, as_of=8).values()} == {"only_theirs"}
    assert {outcome for outcome, *_ in differences(*facts).values()} == {"different_month"}


def test_news_that_settles_a_difference_is_new_knowledge() -> None:
    facts = [*AGREED, snapshot(4, "2022-02"), report(5, "2022-02", ("2022-01", "2022-01", "ENROLLED_MA"))]
    late = enrolment(6, "2022-03-10", span("2022-02", None, health_plan="medicare_advantage"))
    assert differences(*facts, late, as_of=5) == {"2022-02": ("only_ours", False, True, "aligned")}
    assert differences(*facts, late) == {"2022-02": ("agreed", False, False, "aligned")}


def test_a_report_that_begins_later_takes_its_first_months_out_of_the_comparison() -> None:
    lost = snapshot(4, "2022-02", code="1")
    facts = [
        *AGREED,
        lost,
        report(5, "2022-02", ("2022-01", None, None)),
        report(6, "2022-03", ("2022-03", None, None)),
    ]
    assert differences(*facts, as_of=5)["2022-02"][0] == "only_theirs"
    assert differences(*facts)["2022-02"] == ("agreed", False, False, "not_aligned")


def test_both_sides_bring_their_evidence() -> None:
    facts = [*AGREED, snapshot(4, "2022-02", code="1"), report(5, "2022-02", ("2022-01", None, None))]
    ((_, sides),) = found(*facts)[-1].differing.values()
    assert sides is not None
    assert (sides.their_evidence, sides.our_evidence) == ("alignment report 2022-02-25", ("CCLF8 2022-02-20",))


def sides(theirs: bool, failing: str = "", reason: str | None = None) -> Sides:  # noqa: FBT001
    return Sides("D9001", theirs, None if theirs else reason or "BY_REPORT", (failing,) if failing else (), "", ())


IN, OUT = sides(theirs=True), sides(False, "LOST_PART_B", "LOST_PART_B")
OTHERWISE = sides(False, "MCO_DISENROLLED", "LOST_PART_B")
THEIRS, MINE = sides(True, "LOST_PART_B"), sides(False)
CASES = [
    ("a gap of ours within", [IN, THEIRS, IN], ["agreed", "only_theirs", "agreed"]),
    ("a gap of theirs within", [IN, MINE, IN], ["agreed", "only_ours", "agreed"]),
    ("they begin earlier", [THEIRS, THEIRS, IN], ["different_month", "different_month", "agreed"]),
    ("they end later", [IN, THEIRS, OUT], ["agreed", "different_month", "agreed"]),
    ("they end earlier", [IN, MINE, OUT], ["agreed", "different_month", "agreed"]),
    ("they begin later", [OUT, MINE, IN], ["agreed", "different_month", "agreed"]),
    ("not yet settled", [IN, THEIRS, THEIRS], ["agreed", "only_theirs", "only_theirs"]),
    ("another reason", [IN, OTHERWISE, OTHERWISE], ["agreed", "different_reason", "agreed"]),
    ("out for something else later", [IN, OUT, OTHERWISE], ["agreed", "agreed", "agreed"]),
    ("they end earlier, and say why else", [IN, MINE, OTHERWISE], ["agreed", "only_ours", "different_reason"]),
    ("first the one, then the other", [IN, THEIRS, MINE, IN], ["agreed", "only_theirs", "only_ours", "agreed"]),
]  # fmt: skip


@pytest.mark.parametrize(("months", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_months_in_the_light_of_their_neighbours(months: list[Sides], expected: list[str]) -> None:
    assert list(outcomes(dict(enumerate(months)), POLICIES.review).values()) == expected
