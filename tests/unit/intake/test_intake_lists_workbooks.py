"""Workbooks say what the same list says as CSV, however a spreadsheet has stored it, and formulas say nothing."""

import shutil
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_files import MBI, NEW_MBI, OTHER_MBI, defects, records
from list_files import (
    ALIGNMENT,
    ALIGNMENT_BOOK,
    BOOKS,
    HEADERS,
    NPI,
    OTHER_NPI,
    PROVIDERS,
    PROVIDERS_BOOK,
    RESPONSES,
    ROSTER,
    ROWS,
    SECOND,
    csv_list,
    delivered,
    outcome,
    table_of,
    workbook,
)

from contracts.alignment import AlignmentReportedData
from services.intake.readers.listed_fields import day
from services.intake.readers.workbook import EPOCH, EPOCH_1904, sheets_of, text_of
from services.intake.reading import Defect, EntityRecord, Reading


def said(readings: list[Reading]) -> list[Any]:
    return [r.payload for r in readings if not isinstance(r, Defect)]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", [ALIGNMENT, PROVIDERS, RESPONSES, ROSTER])
def test_a_workbook_says_what_the_csv_file_says(tmp_path: Path, name: str) -> None:
    assert delivered(workbook(tmp_path, BOOKS[name], table_of(name))) == delivered(
        csv_list(tmp_path, name, [ROWS[name]])
    )


# The month, the first day, the last day, the year: each in a way in which spreadsheets keep them.
AS_STORED = [
    (202202, 20210101, 20211231, 2022),
    ("202202", "20210101", "20211231", "2022"),
    (datetime(2022, 2, 1), date(2021, 1, 1), date(2021, 12, 31), 2022.0),  # noqa: DTZ001 - cells know no zone
    ("2022-02", 44197, 44561, "2022"),
    ("02/2022", 44197.0, datetime(2021, 12, 31, 12), 2022),  # noqa: DTZ001 - cells know no zone
]


@pytest.mark.parametrize("stored", AS_STORED)
def test_dates_and_numbers_however_they_are_stored(tmp_path: Path, stored: tuple[Any, ...]) -> None:
    month, first, last, year = stored
    row = [month, "D9001", MBI, first, last, "MOVED", "CLAIMS", year, "Y"]
    plain = delivered(csv_list(tmp_path, ALIGNMENT, [ROWS[ALIGNMENT]]))
    assert delivered(workbook(tmp_path, ALIGNMENT_BOOK, [HEADERS[ALIGNMENT].split(","), row])) == plain


def test_npis_as_numbers(tmp_path: Path) -> None:
    rows = table_of(PROVIDERS)
    numbers = workbook(tmp_path, PROVIDERS_BOOK, [rows[0], [*rows[1][:3], int(NPI), "CLAIMS"]])
    assert said(delivered(numbers))[0].npis == (NPI,)


def test_a_county_that_lost_its_zero_is_told_and_not_mended(tmp_path: Path) -> None:
    row = ["D9001", int(NPI), 11, 6037, 20220101, None]
    path = workbook(tmp_path, BOOKS[ROSTER], [HEADERS[ROSTER].split(","), row])
    (defect,) = [reading for reading in delivered(path) if isinstance(reading, Defect)]
    assert (defect.field, defect.reason, defect.found) == ("CNTY_FIPS_CD", "not_a_county", "4 characters: 4 digits")
    assert defect.file == f"{BOOKS[ROSTER]}, sheet 1"


def test_days_count_from_the_workbooks_own_epoch(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - as the library has it
    for row in (HEADERS[ALIGNMENT].split(","), ["202202", "D9001", MBI, 42735, 43099, "MOVED", "CLAIMS", 2022, "Y"]):
        book["Sheet"].append(row)
    book.save(tmp_path / ALIGNMENT_BOOK)
    assert delivered(tmp_path / ALIGNMENT_BOOK) == delivered(csv_list(tmp_path, ALIGNMENT, [ROWS[ALIGNMENT]]))
    with sheets_of(tmp_path / ALIGNMENT_BOOK) as (sheet,):
        assert sheet.epoch == EPOCH_1904


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("=DATE(2021,1,1)", "formula_in_cell"), ("=1+1", "formula_in_cell"), ("#N/A", "error_in_cell")],
)
def test_a_formula_gives_its_row_up_and_no_other(tmp_path: Path, cell: str, reason: str) -> None:
    header, row = table_of(ALIGNMENT)
    bad = [*row[:3], cell, *row[4:]]
    readings = delivered(workbook(tmp_path, ALIGNMENT_BOOK, [header, row, bad, row]))
    assert defects(readings) == [(3, "ALGNMT_EFCTV_DT", reason)]
    assert len(records(readings)) == 2


def test_a_formula_outside_of_the_columns_gives_its_row_up_too(tmp_path: Path) -> None:
    header, row = table_of(ALIGNMENT)
    assert defects(delivered(workbook(tmp_path, ALIGNMENT_BOOK, [header, [*row, "", "=A1"]]))) == [
        (2, None, "formula_in_cell")
    ]


def test_a_title_in_merged_cells_above_the_header(tmp_path: Path) -> None:
    path = workbook(tmp_path, ALIGNMENT_BOOK, [["Alignment report", ""], [], ["As of", date(2022, 2, 10)]])
    book = openpyxl.load_workbook(path)
    sheet = book["Sheet 1"]
    for row in table_of(ALIGNMENT):
        sheet.append(row)
    sheet.merge_cells("A1:I1")
    book.save(path)
    assert len(records(delivered(path))) == 1


def test_a_header_in_merged_cells_names_no_layout(tmp_path: Path) -> None:
    path = workbook(tmp_path, ALIGNMENT_BOOK, table_of(ALIGNMENT))
    book = openpyxl.load_workbook(path)
    book["Sheet 1"].merge_cells("A1:I1")
    book.save(path)
    assert outcome(path) == "unknown_layout"


def test_the_sheet_that_fits_is_read_whatever_stands_before_it(tmp_path: Path) -> None:
    path = workbook(tmp_path, ALIGNMENT_BOOK, [["Legend"], ["Y", "yes"]], table_of(ALIGNMENT), [])
    assert len(records(delivered(path))) == 1


def test_several_sheets_of_one_layout_are_all_read(tmp_path: Path) -> None:
    header, row = table_of(ALIGNMENT)
    other = [*row[:2], OTHER_MBI, *row[3:]]
    path = workbook(tmp_path, ALIGNMENT_BOOK, [header, row], [header, other, ["TRL", 1]])
    assert [record.references[0].value for record in records(delivered(path))] == [MBI, OTHER_MBI]


def test_sheets_of_two_layouts_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, ALIGNMENT_BOOK, table_of(ALIGNMENT), [list(SECOND), list(SECOND.values())])
    assert outcome(path) == "ambiguous_layout"


def test_a_hidden_sheet_is_told_and_not_read(tmp_path: Path) -> None:
    header, row = table_of(ALIGNMENT)
    path = workbook(tmp_path, ALIGNMENT_BOOK, [header, row], [header, [*row[:2], NEW_MBI, *row[3:]]], hidden=[2])
    readings = delivered(path)
    assert defects(readings) == [(1, None, "hidden_sheet")]
    assert [record.references[0].value for record in records(readings)] == [MBI]


def test_a_sheet_that_belittles_itself_hides_no_row(tmp_path: Path) -> None:
    path = workbook(tmp_path, ALIGNMENT_BOOK, [*table_of(ALIGNMENT), *table_of(ALIGNMENT)[1:]])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    assert b'<dimension ref="A1:I3"' in sheet
    members["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:I3"', b'ref="A1:I2"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert len(records(delivered(path))) == 2


def test_empty_rows_and_columns_say_nothing(tmp_path: Path) -> None:
    header, row = table_of(ALIGNMENT)
    path = workbook(tmp_path, ALIGNMENT_BOOK, [[*header, "", None], [], [*row, None, ""], [None], ["TRL", "1"], []])
    assert len(delivered(path)) == 1


def test_a_text_that_begins_with_an_equals_sign_is_a_text(tmp_path: Path) -> None:
    header, row = table_of(ALIGNMENT)
    path = workbook(tmp_path, ALIGNMENT_BOOK, [header, row])
    book = openpyxl.load_workbook(path)
    cell = book["Sheet 1"]["F2"]
    cell.value, cell.data_type = "=MOVED", "s"
    book.save(path)
    (record,) = records(delivered(path))
    assert isinstance(record.payload, AlignmentReportedData)
    assert record.payload.spans[0].removal_reason == "=MOVED"


def test_a_file_with_the_suffix_in_capitals_is_not_guessed_at(tmp_path: Path) -> None:
    path = workbook(tmp_path, ALIGNMENT_BOOK, table_of(ALIGNMENT))
    other = tmp_path / ALIGNMENT_BOOK.replace(".xlsx", ".XLSX")
    shutil.copyfile(path, other)
    assert outcome(other) == "unrecognised_name"


def test_a_large_sheet_is_read_to_its_end(tmp_path: Path) -> None:
    header, row = table_of(PROVIDERS)
    rows = [[*row[:3], number, row[4]] for number in range(1_000_000_000, 1_000_001_207)]
    readings = delivered(workbook(tmp_path, PROVIDERS_BOOK, [header, *rows, ["TRL", len(rows)]]))
    assert len(records(readings)) == 1207


def test_a_roster_as_a_workbook(tmp_path: Path) -> None:
    header, row = table_of(ROSTER)
    readings = delivered(workbook(tmp_path, BOOKS[ROSTER], [header, row, [row[0], OTHER_NPI, *row[2:]]]))
    (page,) = [reading.payload for reading in readings if isinstance(reading, EntityRecord)]
    assert [provider.npi for provider in page.providers] == [NPI, OTHER_NPI]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "TRUE"), (False, "FALSE"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (" a ", "a"),
        (date(2022, 1, 2), "2022-01-02"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_a_cell_as_text(value: object, text: str) -> None:
    assert text_of(value) == text


@given(st.dates(date(1954, 10, 4), date(2099, 12, 31)))
def test_a_serial_number_is_the_day_that_a_spreadsheet_means(there: date) -> None:
    serial = (there - EPOCH).days
    assert day(str(serial), form="YYYYMMDD", epoch=EPOCH) == there
    assert day(there.isoformat(), form="MM/DD/YYYY", epoch=EPOCH) == there
    assert EPOCH + timedelta(days=serial) == there


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(
    st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=12
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.lists(cells, max_size=11), max_size=4))
def test_whatever_stands_in_cells_is_read_or_told(tmp_path: Path, rows: list[list[Any]]) -> None:
    header, row = table_of(ALIGNMENT)
    mixed = [[*row[:3], *cells[:6]] for cells in rows]
    found = outcome(workbook(tmp_path, ALIGNMENT_BOOK, [header, *rows, *mixed]))
    assert isinstance(found, str | list)
    if isinstance(found, list):
        told = len({reading.line for reading in found if isinstance(reading, Defect)}) + len(records(found))
        assert told <= 2 * len(rows)
