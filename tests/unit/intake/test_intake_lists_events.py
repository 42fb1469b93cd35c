"""Rows of one person about one matter become the statements that a reader of events needs."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.alignment import (
    AlignmentReportedData,
    ProviderAlignmentReported,
    ProviderAlignmentReportedData,
    ReportedSpan,
)
from contracts.topics import ALIGNMENT_REPORTS
from infra.simulator.world import npi
from services.intake.assembling import Assembler, Subject
from services.intake.reading import UNRESOLVED_PERSON
from services.intake.rules.npi_check_digit import npi_check_digit_holds
from services.intake.rules.one_provider_report import MOST_NPIS, one_provider_report
from services.intake.rules.one_report import one_report

PERSON = "p" + "ab" * 16
ASSEMBLER = Assembler("d" + "cd" * 16, 7, datetime(2022, 2, 10, 6, tzinfo=UTC))


def row(*npis: str, basis: str | None = "claims") -> ProviderAlignmentReportedData:
    return ProviderAlignmentReportedData(
        person_id=UNRESOLVED_PERSON, state="OH", entity_id="D9001", period="2022-Q1", stated_on=date(2022, 2, 10),
        basis=basis, npis=npis,  # type: ignore[arg-type]
    )  # fmt: skip


def events(*rows: ProviderAlignmentReportedData) -> list[ProviderAlignmentReported]:
    records = [one.model_dump_json(exclude_none=True).encode() for one in rows]
    made = list(ASSEMBLER.about_person(PERSON, Subject.PROVIDER_ALIGNMENT, "OH", records))
    assert {outgoing.topic for outgoing in made} == {ALIGNMENT_REPORTS.name}
    return [ProviderAlignmentReported.model_validate_json(outgoing.payload) for outgoing in made]


def test_a_person_with_one_participant() -> None:
    (event,) = events(row(npi(1)))
    assert (event.data.person_id, event.data.npis, event.data.basis) == (PERSON, (npi(1),), "claims")


def test_rows_of_one_person_are_one_statement() -> None:
    (event,) = events(row(npi(3)), row(npi(1), npi(2)), row(npi(3), basis=None))
    assert (event.data.npis, event.data.basis) == ((npi(1), npi(2), npi(3)), "claims")


def test_more_participants_than_one_statement_holds() -> None:
    found = events(*(row(npi(number)) for number in range(MOST_NPIS + 1)))
    assert [len(event.data.npis) for event in found] == [MOST_NPIS, 1]
    assert len({event.id for event in found}) == 2


@given(st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=5), min_size=1, max_size=80))
def test_no_participant_is_lost_or_told_twice(numbers: list[list[int]]) -> None:
    made = list(one_provider_report([row(*(npi(number) for number in some)) for some in numbers]))
    told = [number for one in made for number in one.npis]
    assert told == sorted({npi(number) for some in numbers for number in some})


@pytest.mark.parametrize(
    ("number", "holds"),
    [
        ("1234567893", True),  # the example of the standard for NPIs
        ("1234567890", False),
        ("1999900016", True),
        ("1999900061", False),
        ("0000000006", True),
    ],
)
def test_the_check_digit_of_a_provider(number: str, *, holds: bool) -> None:
    assert npi_check_digit_holds(number) is holds


@given(st.integers(0, 9_999_999), st.integers(0, 9), st.integers(0, 9))
def test_one_wrong_digit_is_always_seen(number: int, place: int, digit: int) -> None:
    right = npi(number)
    wrong = right[:place] + str(digit) + right[place + 1 :]
    assert npi_check_digit_holds(right)
    assert npi_check_digit_holds(wrong) is (wrong == right)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [((None, None), None), ((False, None), False), ((True, False), True), ((False, True), True)],
)
def test_who_opted_out_under_one_number_has_opted_out(
    answers: tuple[bool | None, bool | None], *, expected: bool | None
) -> None:
    rows = [
        AlignmentReportedData(
            person_id=UNRESOLVED_PERSON, state="OH", entity_id="D9001", report_month="2022-02",
            stated_on=date(2022, 2, 10), administrative_opt_out=answer, data_sharing_opt_out=answer,
            alignment_year=2021 + number, spans=(ReportedSpan(first_month=f"2022-0{number + 1}"),),
        )
        for number, answer in enumerate(answers)
    ]  # fmt: skip
    merged = one_report(rows)
    assert (merged.administrative_opt_out, merged.data_sharing_opt_out) == (expected, expected)
    assert (merged.alignment_year, len(merged.spans)) == (2022, 2)
