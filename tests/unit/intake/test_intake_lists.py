"""Alignment reports and provider rosters."""

from pathlib import Path

import pytest
from intake_files import MBI, defects, listed, records, source

from contracts.alignment import AlignmentReportedData
from contracts.delivery import DeliveryKind
from services.intake.readers import alignment_report, provider_roster
from services.intake.reading import EntityRecord, Reading, RefusedDelivery

REPORT = "ALIGNMENT_REPORT.D9001.202202.D220210.csv"
REPORT_HEADER = (
    "REPORT_MONTH,DCE_ID,BENE_MBI_ID,ALGNMT_EFCTV_DT,ALGNMT_TERM_DT,RMVL_RSN_CD,ALGNMT_TYPE_CD,PRFRMNC_YR,"
    "DATA_SHRNG_OPT_OUT_IND"
)
REPORT_ROW = f"202202,D9001,{MBI},20210101,20211231,MOVED,CLAIMS,2022,Y"
ROSTER = "PROVIDER_ROSTER.D9001.OH.D220105.csv"
ROSTER_HEADER = "DCE_ID,NPI,SPCLTY_CD,CNTY_FIPS_CD,EFCTV_DT,TERM_DT"
ROSTER_ROW = "D9001,1999900016,11,39049,20220101,"


def report_readings(folder: Path, rows: list[str], trailer: str | None = None) -> list[Reading]:
    path = listed(folder, REPORT, REPORT_HEADER, rows, trailer)
    return list(alignment_report.read(source(DeliveryKind.ALIGNMENT_REPORT, path)))


def roster_readings(folder: Path, rows: list[str]) -> list[Reading]:
    path = listed(folder, ROSTER, ROSTER_HEADER, rows)
    return list(provider_roster.read(source(DeliveryKind.PROVIDER_ROSTER, path)))


def test_a_report_row_is_read_whole(tmp_path: Path) -> None:
    (record,) = records(report_readings(tmp_path, [REPORT_ROW]))
    stated = record.payload
    assert isinstance(stated, AlignmentReportedData)
    assert (stated.entity_id, stated.report_month, stated.basis) == ("D9001", "2022-02", "claims")
    assert (stated.performance_year, stated.data_sharing_opt_out) == (2022, True)
    assert (stated.spans[0].first_month, stated.spans[0].last_month) == ("2021-01", "2021-12")
    assert stated.spans[0].removal_reason == "MOVED"


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        (MBI, "123", "BENE_MBI_ID", "not_an_mbi"),
        ("20210101", "20210230", "ALGNMT_EFCTV_DT", "not_a_date"),
        ("20210101", "", "ALGNMT_EFCTV_DT", "missing"),
        ("20211231", "20201231", "ALGNMT_TERM_DT", "ends_before_it_begins"),
        ("CLAIMS", "GUESS", "ALGNMT_TYPE_CD", "not_in_code_list"),
        (",2022,", ",1999,", "PRFRMNC_YR", "invalid"),
        (",Y", ",Y,Z", None, "wrong_number_of_columns"),
    ],
)
def test_a_bad_report_row_is_a_defect(tmp_path: Path, old: str, new: str, field: str | None, reason: str) -> None:
    readings = report_readings(tmp_path, [REPORT_ROW, REPORT_ROW.replace(old, new)])
    assert defects(readings) == [(3, field, reason)]
    assert len(records(readings)) == 1


@pytest.mark.parametrize(
    ("trailer", "reason"),
    [("", "truncated_file"), ("TRL,5", "wrong_record_count"), ("TRL,x", "wrong_record_count")],
)
def test_a_trailer_that_does_not_hold_refuses_the_report(tmp_path: Path, trailer: str, reason: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        report_readings(tmp_path, [REPORT_ROW], trailer)
    assert refused.value.reason_code == reason


@pytest.mark.parametrize(("old", "new"), [("202202,", "202203,"), ("D9001", "D9002")])
def test_rows_of_another_report_refuse_it(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        report_readings(tmp_path, [REPORT_ROW.replace(old, new)])
    assert refused.value.reason_code == "mislabelled_file"


def test_a_missing_column_refuses_the_report(tmp_path: Path) -> None:
    path = listed(tmp_path, REPORT, REPORT_HEADER.replace("BENE_MBI_ID", "MBI"), [REPORT_ROW])
    with pytest.raises(RefusedDelivery) as refused:
        list(alignment_report.read(source(DeliveryKind.ALIGNMENT_REPORT, path)))
    assert refused.value.reason_code == "missing_column"


def test_a_roster_is_pages_that_name_the_whole_service_area(tmp_path: Path) -> None:
    rows = [f"D9001,{1_000_000_000 + number},11,{39001 + 2 * (number % 3)},20220101," for number in range(501)]
    pages = [reading.payload for reading in roster_readings(tmp_path, rows) if isinstance(reading, EntityRecord)]
    assert [(page.page, page.pages, len(page.providers)) for page in pages] == [(1, 2, 500), (2, 2, 1)]
    assert {page.service_area_counties for page in pages} == {("39001", "39003", "39005")}


def test_an_empty_roster_is_a_statement_too(tmp_path: Path) -> None:
    (page,) = roster_readings(tmp_path, [])
    assert isinstance(page, EntityRecord)
    assert page.payload.providers == ()


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [("1999900016", "12", "NPI", "not_an_npi"), ("39049", "49", "CNTY_FIPS_CD", "not_a_county")],
)
def test_a_bad_roster_row_is_a_defect(tmp_path: Path, old: str, new: str, field: str, reason: str) -> None:
    assert defects(roster_readings(tmp_path, [ROSTER_ROW.replace(old, new)])) == [(2, field, reason)]
