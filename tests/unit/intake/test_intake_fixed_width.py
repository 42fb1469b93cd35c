"""Every element that is read of every fixed-width record: where it stands, and what each kind of it refuses."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_files import (
    MBI,
    NEW_MBI,
    OTHER_MBI,
    beneficiary,
    cclf,
    defects,
    mbi_change,
    part_a,
    part_b,
    records,
    source,
)

from contracts.claims import Adjustment, MedicareClaim
from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from services.intake.readers.cclf import read
from services.intake.readers.cclf_columns import BENEFICIARY, CLAIM_FILES, CROSS_REFERENCE
from services.intake.readers.fields import cents, iso_day, npi, whole_number
from services.intake.readers.records import Column, FieldError, RecordParser, layout, record_length
from services.intake.reading import MbiChange, Reading

RECORDS: dict[str, Sequence[Column]] = {**CLAIM_FILES, "CCLF8": BENEFICIARY, "CCLF9": CROSS_REFERENCE}
COLUMNS = [
    pytest.param(file, column, id=f"{file} {column.element}") for file, columns in RECORDS.items() for column in columns
]
# Required means: without it there is no claim, no line, no person. Adding one would quarantine what is read today.
REQUIRED = {
    "CCLF1": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_TYPE_CD CLM_FROM_DT CLM_THRU_DT CLM_PMT_AMT CLM_ADJSMT_TYPE_CD",
    "CCLF5": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_TYPE_CD CLM_FROM_DT CLM_THRU_DT CLM_ADJSMT_TYPE_CD CLM_LINE_NUM "
    "CLM_LINE_FROM_DT CLM_LINE_THRU_DT",
    "CCLF2": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_LINE_NUM",
    "CCLF3": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_VAL_SQNC_NUM CLM_PRCDR_CD",
    "CCLF4": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_VAL_SQNC_NUM CLM_DGNS_CD",
    "CCLF7": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_TYPE_CD CLM_ADJSMT_TYPE_CD CLM_LINE_FROM_DT",
    "CCLFA": "CUR_CLM_UNIQ_ID BENE_MBI_ID",
    "CCLFB": "CUR_CLM_UNIQ_ID BENE_MBI_ID CLM_LINE_NUM",
    "CCLF8": "BENE_MBI_ID",
    "CCLF9": "HICN_MBI_XREF_IND CRNT_NUM PRVS_NUM",
}
REQUIRED["CCLF6"] = REQUIRED["CCLF5"]


def reason(file: str, column: Column, field: str) -> str | None:
    """What the element, filled to its width, is refused with; another column is only there to make a parser."""
    place = next(element for element in layout(file) if element.label == column.element)
    line = " " * (place.start - 1) + field.ljust(place.end - place.start + 1)
    parser = RecordParser.fixed_width(file, (column, Column("other", layout(file)[0].label, str)))
    try:
        parser(line.ljust(record_length(file)))
    except FieldError as error:
        return error.reason if error.element == column.element else "blamed on another element"
    return None


@pytest.mark.parametrize(("file", "column"), COLUMNS)
def test_blank_is_missing_exactly_where_there_must_be_a_value(file: str, column: Column) -> None:
    expected = "missing" if column.element in REQUIRED[file].split() else None
    assert reason(file, column, "") == expected


DAYS = [param for param in COLUMNS if param.values[1].element.endswith(("_DT", "_DOB"))]  # type: ignore[union-attr]


@pytest.mark.parametrize(("file", "column"), DAYS)
@pytest.mark.parametrize(
    ("field", "refused"),
    [
        ("2022-02-29", "not_a_date"),
        ("2022-00-10", "not_a_date"),
        ("20220210", "not_a_date"),
        ("10/02/2022", "not_a_date"),
        ("1849-12-31", "date_out_of_range"),
        ("2100-01-01", "date_out_of_range"),
        ("0001-01-01", "date_out_of_range"),
        ("1850-01-01", None),
        ("2099-12-31", None),
        ("2024-02-29", None),
    ],
)
def test_a_day_is_one_of_the_calendar_in_every_place(
    file: str, column: Column, field: str, refused: str | None
) -> None:
    assert reason(file, column, field) == refused


@pytest.mark.parametrize(("file", "column"), DAYS)
@pytest.mark.parametrize("field", ["9999-12-31", "1000-01-01"])
def test_the_days_without_a_value_are_blank(file: str, column: Column, field: str) -> None:
    assert reason(file, column, field) == reason(file, column, "")


AMOUNTS = [param for param in COLUMNS if param.values[1].name.endswith("_cents")]  # type: ignore[union-attr]


@pytest.mark.parametrize(("file", "column"), AMOUNTS)
@pytest.mark.parametrize(
    ("field", "refused"),
    [
        ("-0000000000.01", None),
        (" 0000000000.00", None),
        ("1,234.00", "not_an_amount"),
        ("$12.00", "not_an_amount"),
        ("12.345", "not_an_amount"),
        ("1E3", "not_an_amount"),
        ("NaN", "not_an_amount"),
        ("--1.00", "not_an_amount"),
    ],
)
def test_an_amount_is_dollars_and_cents_in_every_place(
    file: str, column: Column, field: str, refused: str | None
) -> None:
    assert reason(file, column, field) == refused


@given(st.integers(-(10**13), 10**13))
def test_an_amount_is_read_to_the_cent_whatever_its_sign_and_filling(amount: int) -> None:
    dollars = f"{'-' if amount < 0 else ' '}{abs(amount) // 100:013d}.{abs(amount) % 100:02d}"
    assert cents(dollars) == amount


@given(st.dates(date(1850, 1, 1), date(2099, 12, 31)))
def test_every_day_between_the_bounds_is_read(day: date) -> None:
    expected = None if day == date(1000, 1, 1) else day
    assert iso_day(f" {day.isoformat()} ") == expected


@pytest.mark.parametrize("field", ["\u0661" * 10, "123456789a", "12345678901", "+123456789"])
def test_a_provider_number_is_ten_digits(field: str) -> None:
    with pytest.raises(ValueError, match="not_an_npi"):
        npi(field)


@pytest.mark.parametrize("field", ["1.0", "+1", "1_000", "9" * 19, "\u0661"])
def test_a_whole_number_is_digits_that_a_database_can_hold(field: str) -> None:
    with pytest.raises(ValueError, match="not_a_whole_number"):
        whole_number(field)


@pytest.mark.parametrize("change", [-1, 1, -400])
@pytest.mark.parametrize("file", ["CCLF1", "CCLF5", "CCLF8", "CCLF9"])
def test_no_record_of_another_length_is_read(tmp_path: Path, file: str, change: int) -> None:
    good = {"CCLF1": part_a(), "CCLF5": part_b(), "CCLF8": beneficiary(), "CCLF9": mbi_change(NEW_MBI, MBI)}[file]
    bad = good[:change] if change < 0 else good + "x" * change
    readings = read_all(tmp_path, **{file: [good, bad, good.replace("5000000000001", "5000000000002")]})
    assert (2, None, "wrong_length") in defects(readings)
    assert len(defects(readings)) == 1


def read_all(folder: Path, **files: Sequence[str]) -> list[Reading]:
    return list(read(source(DeliveryKind.CCLF, cclf(folder, files))))


def claims(readings: list[Reading]) -> dict[str, MedicareClaim]:
    found = [record.payload for record in records(readings)]
    return {claim.record_id: claim for claim in found if isinstance(claim, MedicareClaim)}


def numbered(claim: int, line: int, **changes: str) -> str:
    values = {"CUR_CLM_UNIQ_ID": str(claim), "CLM_LINE_NUM": str(line), "CLM_LINE_CVRD_PD_AMT": f"{line}.00"}
    return part_b(**(values | changes))


def test_interleaved_claims_each_keep_their_lines_in_the_order_of_the_file(tmp_path: Path) -> None:
    order = [(1, 2), (2, 1), (3, 1), (1, 1), (2, 3), (1, 3), (2, 2)]
    found = claims(read_all(tmp_path, CCLF5=[numbered(*pair) for pair in order]))
    assert {name: [line.line_number for line in claim.lines] for name, claim in found.items()} == {
        "1": [2, 1, 3],
        "2": [1, 3, 2],
        "3": [1],
    }
    assert {name: claim.paid_cents for name, claim in found.items()} == {"1": 600, "2": 600, "3": 100}


def test_a_denied_line_stays_in_its_claim_and_denies_only_itself(tmp_path: Path) -> None:
    lines = [numbered(1, 1), numbered(1, 2, CLM_PRCSG_IND_CD="D"), numbered(1, 3, CLM_PRCSG_IND_CD=" ")]
    claim = claims(read_all(tmp_path, CCLF5=lines))["1"]
    assert [(line.denied, line.paid_cents) for line in claim.lines] == [(False, 100), (True, 200), (False, 300)]
    assert not claim.denied


@pytest.mark.parametrize(("first", "second"), [("0", "1"), ("1", "0"), ("2", "1")])
def test_what_all_lines_share_comes_from_the_first_that_can_be_read(tmp_path: Path, first: str, second: str) -> None:
    lines = [
        numbered(1, 1, CLM_ADJSMT_TYPE_CD="9"),
        numbered(1, 2, CLM_ADJSMT_TYPE_CD=first, CLM_EFCTV_DT="2022-01-25"),
        numbered(1, 3, CLM_ADJSMT_TYPE_CD=second),
    ]
    readings = read_all(tmp_path, CCLF5=lines)
    kinds = {"0": Adjustment.ORIGINAL, "1": Adjustment.CANCELLATION, "2": Adjustment.ADJUSTMENT}
    claim = claims(readings)["1"]
    assert defects(readings) == [(1, "CLM_ADJSMT_TYPE_CD", "not_in_code_list")]
    assert (claim.adjustment, claim.version) == (kinds[first], 2022012520220121)
    assert [line.line_number for line in claim.lines] == [2, 3]


def test_lines_that_name_two_people_under_one_number_stay_with_whom_they_name(tmp_path: Path) -> None:
    readings = read_all(tmp_path, CCLF5=[numbered(1, 1), numbered(1, 2, BENE_MBI_ID=OTHER_MBI), numbered(1, 3)])
    found = {record.references[0].value: record.payload for record in records(readings)}
    assert {mbi: [line.line_number for line in claim.lines] for mbi, claim in found.items()} == {  # type: ignore[union-attr]
        MBI: [1, 3],
        OTHER_MBI: [2],
    }


def test_a_line_without_an_amount_adds_nothing(tmp_path: Path) -> None:
    lines = [numbered(1, 1), numbered(1, 2, CLM_LINE_CVRD_PD_AMT="")]
    claim = claims(read_all(tmp_path, CCLF5=lines))["1"]
    assert (claim.paid_cents, [line.paid_cents for line in claim.lines]) == (100, [100, None])


def test_all_twelve_diagnoses_of_a_claim_are_read_in_order_and_once(tmp_path: Path) -> None:
    codes = {f"CLM_DGNS_{place}_CD": f"E11{place:02d}" for place in range(1, 13)} | {"CLM_DGNS_7_CD": "E1101"}
    claim = claims(read_all(tmp_path, CCLF5=[numbered(1, 1, **codes, CLM_LINE_DGNS_CD="E1112")]))["1"]
    assert claim.diagnosis_codes == tuple(f"E11{place:02d}" for place in range(1, 13) if place != 7)


def coverage(folder: Path, **values: str) -> MedicareCoverageStatedData:
    (record,) = records(read_all(folder, CCLF8=[beneficiary(**values)]))
    assert isinstance(record.payload, MedicareCoverageStatedData)
    return record.payload


@pytest.mark.parametrize(
    ("element", "field", "refused"),
    [
        ("BENE_SEX_CD", "3", "not_in_code_list"),
        ("BENE_SEX_CD", "F", "not_in_code_list"),
        ("BENE_MDCR_STUS_CD", "12", "not_in_code_list"),
        ("BENE_DUAL_STUS_CD", "11", "not_in_code_list"),
        ("BENE_DUAL_STUS_CD", "07", "not_in_code_list"),
        ("BENE_ORGNL_ENTLMT_RSN_CD", "5", "not_in_code_list"),
        ("BENE_ENTLMT_BUYIN_IND", "D", "not_in_code_list"),
        ("BENE_FIPS_CNTY_CD", "A49", "not_a_county"),
        ("BENE_DOB", "1945-06-31", "not_a_date"),
        ("BENE_DEATH_DT", "2022-2-01", "not_a_date"),
        ("BENE_PART_A_ENRLMT_BGN_DT", "1066-10-14", "date_out_of_range"),
        ("BENE_PART_B_ENRLMT_BGN_DT", "00000000", "not_a_date"),
    ],
)
def test_a_code_that_is_none_names_its_field_and_line(tmp_path: Path, element: str, field: str, refused: str) -> None:
    readings = read_all(tmp_path, CCLF8=[beneficiary(), beneficiary(**{element: field}), beneficiary()])
    assert defects(readings) == [(2, element, refused)]
    assert len(records(readings)) == 2


@pytest.mark.parametrize(
    ("state", "county", "found"),
    [
        ("39", "049", ("OH", "39049", True)),
        ("6 ", "37", ("CA", "06037", True)),
        (" 6", "  1", ("CA", "06001", True)),
        ("39", "", ("OH", None, True)),
        ("72", "001", ("PR", "72001", True)),
        ("99", "049", ("OH", None, False)),
        ("~", "049", ("OH", None, None)),
        ("", "", ("OH", None, None)),
    ],
)
def test_where_a_person_lives(
    tmp_path: Path, state: str, county: str, found: tuple[str, str | None, bool | None]
) -> None:
    stated = coverage(tmp_path, BENE_FIPS_STATE_CD=state, BENE_FIPS_CNTY_CD=county)
    assert (stated.state, stated.spans[0].county_fips, stated.spans[0].in_united_states) == found


def test_each_day_of_a_beneficiary_is_its_own(tmp_path: Path) -> None:
    days = {
        "BENE_DOB": "1950-01-02",
        "BENE_DEATH_DT": "2022-01-30",
        "BENE_PART_A_ENRLMT_BGN_DT": "2015-01-01",
        "BENE_PART_B_ENRLMT_BGN_DT": "2016-02-01",
    }
    stated = coverage(tmp_path, **days)
    found: list[Any] = [stated.birth_date, stated.death_date, stated.part_a_began, stated.part_b_began]
    assert [day.isoformat() for day in found] == list(days.values())


def test_chains_and_circles_of_changed_mbis_are_told_row_by_row(tmp_path: Path) -> None:
    rows = [(OTHER_MBI, MBI), (NEW_MBI, OTHER_MBI), (MBI, NEW_MBI)]
    readings = read_all(tmp_path, CCLF9=[mbi_change(*row, obsolete_on="") for row in rows])
    assert readings == [MbiChange(current, previous, None) for current, previous in rows]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (mbi_change("1SG4TE5MK73", MBI), ("CRNT_NUM", "not_an_mbi")),
        (mbi_change(MBI, "1SG4TE5MK73"), ("PRVS_NUM", "not_an_mbi")),
        (mbi_change("", MBI), ("CRNT_NUM", "missing")),
        (mbi_change(NEW_MBI, MBI, indicator="X"), ("HICN_MBI_XREF_IND", "legacy_identifier")),
        (mbi_change(NEW_MBI, MBI, indicator=""), ("HICN_MBI_XREF_IND", "missing")),
        (mbi_change(NEW_MBI, MBI, obsolete_on="31-12-2021"), ("PRVS_ID_OBSLT_DT", "not_a_date")),
    ],
)
def test_a_change_of_mbi_that_cannot_be_read(tmp_path: Path, row: str, found: tuple[str, str]) -> None:
    assert defects(read_all(tmp_path, CCLF9=[row])) == [(1, *found)]
