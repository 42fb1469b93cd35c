"""The small rules, as tables."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.alignment import AlignmentReportedData, ReportedSpan
from services.intake.reading import UNRESOLVED_PERSON
from services.intake.rules.claim_version import MedicaidAdjustment, medicaid_version, medicare_version
from services.intake.rules.denial import (
    denial_policy,
    medicaid_claim_is_denied,
    medicaid_line_is_denied,
    part_a_is_denied,
    part_b_claim_is_denied,
    part_b_line_is_denied,
)
from services.intake.rules.event_parts import in_parts
from services.intake.rules.one_report import one_report
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy
from services.intake.states import usps_state


@pytest.mark.parametrize(
    ("codes", "marked"),
    [
        (("F1020",), True),
        (("I10", "F1910"), True),
        (("F1120", "I10"), True),
        (("F17210",), False),  # nicotine
        (("F200",), False),  # schizophrenia
        (("F550",), True),
        (("Z7141",), True),
        (("Z7142",), False),  # counselling of an alcoholic's family
        (("R780",), True),
        ((), False),
    ],
)
def test_substance_use(codes: tuple[str, ...], marked: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_about_substance_use(codes, substance_use_policy()) is marked


@pytest.mark.parametrize(
    ("codes", "marked"),
    [((), False), (("HZ2ZZZZ",), True), (("0DT70ZZ", "HZ30ZZZ"), True), (("GZB0ZZZ",), False), (("0HZ0000",), False)],
)
def test_substance_use_by_procedure(codes: tuple[str, ...], marked: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_about_substance_use(["I10"], substance_use_policy(), codes) is marked


def test_substance_use_is_what_the_public_lists_say(shared_data: Path) -> None:
    """Every code of both lists is marked."""
    for name, place in (("diagnosis", 0), ("procedure", 1)):
        with (shared_data / "bfd" / "samhsa" / f"codes-icd-10-{name}.csv").open(encoding="utf-8", newline="") as file:
            codes = [row[0].strip().replace(".", "") for row in list(csv.reader(file))[1:]]
        assert len(codes) > 50
        for code in codes:
            asked: tuple[list[str], list[str]] = ([], [])
            asked[place].append(code)
            assert is_about_substance_use(asked[0], substance_use_policy(), asked[1]), code


@pytest.mark.parametrize(
    ("code", "claim_denied", "line_denied"),
    [(None, False, False), ("1", False, True), ("0", True, True), ("A", False, False), ("D", True, True)],
)
def test_part_b_denials(code: str | None, claim_denied: bool, line_denied: bool) -> None:  # noqa: FBT001 - as above
    assert part_b_claim_is_denied(code, denial_policy()) is claim_denied
    assert part_b_line_is_denied(code, denial_policy()) is line_denied


@pytest.mark.parametrize(("code", "denied"), [(None, False), ("0", True), ("1", False)])
def test_medicaid_says_denied_with_a_zero(code: str | None, denied: bool) -> None:  # noqa: FBT001 - as above
    assert medicaid_claim_is_denied(code, None, None, "1", denial_policy()) is denied
    assert medicaid_line_is_denied(code, None, denial_policy()) is denied


def test_any_non_payment_reason_denies_part_a() -> None:
    assert part_a_is_denied("N")
    assert not part_a_is_denied(None)


def test_versions_grow_with_the_day_of_processing_and_then_of_loading() -> None:
    days = [
        (None, None),
        (None, date(2022, 3, 1)),
        (date(2022, 1, 20), None),
        (date(2022, 1, 20), date(2022, 1, 22)),
        (date(2022, 1, 21), date(2022, 1, 21)),
    ]
    versions = [medicare_version(*pair) for pair in days]
    assert versions == sorted(set(versions))
    assert versions[-1] < 2**53


@given(st.dates(date(1990, 1, 1)), st.dates(date(1990, 1, 1)))
def test_the_newest_adjudication_stands_and_on_one_day_a_void(first: date, second: date) -> None:
    ranked: tuple[MedicaidAdjustment, ...] = ("original", "replacement", "void")
    assert [medicaid_version(first, kind) for kind in ranked] == sorted(medicaid_version(first, k) for k in ranked)
    if first < second:
        assert medicaid_version(first, "void") < medicaid_version(second, "original")


@given(
    st.lists(st.binary(min_size=1, max_size=30), max_size=60),
    st.integers(1, 7),
    st.integers(1, 100),
)
def test_parts_hold_everything_once_within_both_bounds(claims: list[bytes], most: int, size: int) -> None:
    parts = list(in_parts(claims, most, size))
    assert [claim for part in parts for claim in part] == claims
    assert all(len(part) <= most for part in parts)
    assert all(len(part) == 1 or sum(len(claim) + 1 for claim in part) <= size for part in parts)


def row(
    first: str, last: str | None = None, *, opt_out: bool | None = None, reason: str | None = None
) -> AlignmentReportedData:
    return AlignmentReportedData(
        person_id=UNRESOLVED_PERSON,
        state="OH",
        entity_id="D9001",
        report_month="2022-02",
        stated_on=date(2022, 2, 10),
        data_sharing_opt_out=opt_out,
        spans=(ReportedSpan(first_month=first, last_month=last, removal_reason=reason),),
    )


def test_one_report_has_every_span_once_in_order() -> None:
    rows = [row("2022-02"), row("2021-01", "2021-06", reason="MOVED"), row("2022-02")]
    assert [(span.first_month, span.last_month) for span in one_report(rows).spans] == [
        ("2021-01", "2021-06"),
        ("2022-02", None),
    ]


@pytest.mark.parametrize(
    ("answers", "together"),
    [((None, None), None), ((False, None), False), ((True, False), True), ((None, True), True)],
)
def test_opting_out_under_one_number_is_opting_out(
    answers: tuple[bool | None, ...],
    together: bool | None,  # noqa: FBT001 - a column of the table
) -> None:
    rows = [row(f"2022-0{number}", opt_out=answer) for number, answer in enumerate(answers, start=1)]
    assert one_report(rows).data_sharing_opt_out is together


@pytest.mark.parametrize(
    ("text", "state"),
    [("39", "OH"), ("OH", "OH"), ("oh", "OH"), ("6", "CA"), ("72", "PR"), ("99", None), ("XX", None), ("", None)],
)
def test_states_as_numbers_and_letters(text: str, state: str | None) -> None:
    assert usps_state(text) == state
