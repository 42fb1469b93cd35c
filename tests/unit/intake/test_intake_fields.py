"""What the texts of a record mean, and that no reason repeats them."""

from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.readers.fields import (
    Unreadable,
    cents,
    compact_day,
    diagnosis_code,
    iso_day,
    medicaid_cents,
    npi,
    one_of,
    procedure_code,
    required,
    text,
    upper,
    whole_number,
)
from services.intake.readers.records import Column, FieldError, RecordParser, layout, record_length

CONVERTERS: tuple[Callable[[str], object], ...] = (
    text,
    upper,
    iso_day,
    compact_day,
    cents,
    medicaid_cents,
    npi,
    procedure_code,
    diagnosis_code,
    whole_number,
    one_of(_0=False, Y=True),
)


@pytest.mark.parametrize("convert", CONVERTERS)
@pytest.mark.parametrize("blank", ["", "   ", "~", " ~ "])
def test_blank_is_not_given(convert: Callable[[str], object], blank: str) -> None:
    assert convert(blank) is None
    with pytest.raises(Unreadable, match="missing"):
        required(convert)(blank)


REASONS = {
    "",
    "not_a_date",
    "date_out_of_range",
    "not_an_amount",
    "not_an_npi",
    "not_a_procedure_code",
    "not_a_whole_number",
    "not_in_code_list",
    "nul_character",
}


def reason_of(convert: Callable[[str], object], field: str) -> str:
    try:
        convert(field)
    except Unreadable as unreadable:
        return unreadable.reason
    return ""


@given(st.text(max_size=20), st.sampled_from(CONVERTERS))
def test_any_text_is_a_value_or_a_reason_that_does_not_repeat_it(field: str, convert: Callable[[str], object]) -> None:
    assert reason_of(convert, field) in REASONS


@pytest.mark.parametrize(
    ("convert", "field", "value"),
    [
        (iso_day, "2022-02-28", date(2022, 2, 28)),
        (iso_day, "1000-01-01", None),
        (iso_day, "9999-12-31", None),
        (compact_day, "20240229", date(2024, 2, 29)),
        (compact_day, "00000000", None),
        (cents, " 0000000011876.42", 1_187_642),
        (cents, "-1.05", -105),
        (cents, "7", 700),
        (medicaid_cents, "888888888.88", None),
        (medicaid_cents, "8888888.88", None),
        (npi, "1999900016", "1999900016"),
        (procedure_code, "j1885", "J1885"),
        (diagnosis_code, "f10.20", "F1020"),
        (whole_number, "0000000042", 42),
        (one_of(_0=False, Y=True), "y", True),
        (one_of(_0=False, Y=True), "0", False),
    ],
)
def test_values(convert: Callable[[str], object], field: str, value: object) -> None:
    assert convert(field) == value


@pytest.mark.parametrize(
    ("convert", "field", "reason"),
    [
        (iso_day, "20220228", "not_a_date"),
        (iso_day, "2022-02-30", "not_a_date"),
        (iso_day, "1600-01-01", "date_out_of_range"),
        (compact_day, "2022-228", "not_a_date"),
        (compact_day, "21000101", "date_out_of_range"),
        (cents, "1.005", "not_an_amount"),
        (cents, "1e5", "not_an_amount"),
        (cents, "9" * 17, "not_an_amount"),
        (npi, "199990001", "not_an_npi"),
        (procedure_code, "9921", "not_a_procedure_code"),
        (whole_number, "-1", "not_a_whole_number"),
        (one_of(_0=False), "1", "not_in_code_list"),
    ],
)
def test_reasons(convert: Callable[[str], object], field: str, reason: str) -> None:
    assert reason_of(convert, field) == reason


# CCLF Information Packet v36.0, record layouts.
@pytest.mark.parametrize(
    ("file", "length"),
    [("CCLF1", 437), ("CCLF5", 388), ("CCLF6", 247), ("CCLF8", 549), ("CCLF9", 55)],
)
def test_layouts_are_contiguous_and_of_the_published_length(file: str, length: int) -> None:
    elements = layout(file)
    assert elements[0].start == 1
    assert all(one.end + 1 == other.start for one, other in pairwise(elements))
    assert record_length(file) == length


COLUMNS = (Column("number", "N", required(whole_number)), Column("name", "T", text))


def test_a_parser_names_the_column_that_fails() -> None:
    parser = RecordParser.delimited(["T", "X", "N"], COLUMNS)
    assert parser(["a", "", "7"]) == {"number": 7, "name": "a"}
    with pytest.raises(FieldError) as error:
        parser(["a", "", "seven"])
    assert (error.value.element, error.value.reason) == ("N", "not_a_whole_number")


def test_a_parser_needs_all_of_its_columns() -> None:
    with pytest.raises(FieldError) as error:
        RecordParser.delimited(["N"], COLUMNS)
    assert (error.value.element, error.value.reason) == ("T", "missing_column")
