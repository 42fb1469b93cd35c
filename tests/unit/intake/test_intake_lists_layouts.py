"""Layouts are data: which one a header has, what is refused, and what the second layouts say."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from intake_files import MBI, OTHER_MBI, defects, records
from list_files import (
    ALIGNMENT,
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
    kind_of,
    outcome,
    second_layout,
    second_report,
    text_file,
    workbook,
)

from contracts.alignment import AlignmentReportedData, DesignationRecordedData, ProviderAlignmentReportedData
from contracts.delivery import DeliveryKind
from services.intake.readers.column_maps import (
    ColumnMapError,
    Layout,
    fitting,
    layouts_of,
    normal_label,
    read_layouts,
    tellable,
)
from services.intake.reading import Defect, Demographics, EntityRecord, PersonReference, RefusedDelivery

LISTS = (
    DeliveryKind.ALIGNMENT_REPORT,
    DeliveryKind.PROVIDER_ALIGNMENT_REPORT,
    DeliveryKind.VOLUNTARY_ALIGNMENT_RESPONSE,
    DeliveryKind.PROVIDER_ROSTER,
)
ONE = """
[[layouts]]
version = "1"
valid_from = 2022-01-01
source = "a test"
status = "unconfirmed"
identified_by = ["NUMBER"]
unknown_columns = "refuse"
day_format = "YYYYMMDD"
columns = [
    { field = "mbi", label = "NUMBER", form = "mbi", required = true },
    { field = "npi", label = "PROVIDER", form = "npi", may_be_absent = true },
]
"""


@pytest.mark.parametrize("kind", LISTS)
def test_every_layout_can_be_told_from_the_others(kind: DeliveryKind) -> None:
    for layout in layouts_of(kind):
        labels = [column.label for column in layout.columns]
        assert fitting(layouts_of(kind), labels) is layout
        assert layout.unknown(labels) == []
        assert layout.status == "unconfirmed"
        assert layout.source
        assert all(layout.expected()[label] for label in labels)


@pytest.mark.parametrize("kind", LISTS)
def test_no_list_passes_for_another(kind: DeliveryKind) -> None:
    for other in set(LISTS) - {kind}:
        for layout in layouts_of(other):
            assert fitting(layouts_of(kind), [column.label for column in layout.columns]) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('status = "unconfirmed"', 'status = "certain"'),
        ('unknown_columns = "refuse"', 'unknown_columns = "guess"'),
        ('identified_by = ["NUMBER"]', "identified_by = []"),
        ('identified_by = ["NUMBER"]', 'identified_by = ["PROVIDER"]'),
        ('identified_by = ["NUMBER"]', 'identified_by = ["NAME"]'),
        ('day_format = "YYYYMMDD"', 'day_format = "DD.MM.YYYY"'),
        ('form = "npi"', 'form = "float"'),
        ('field = "npi"', 'field = "mbi"'),
        ('label = "PROVIDER"', 'label = "Provider"'),
        ("columns = [", 'codes = { sex = { M = "1" } }\ncolumns = ['),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    assert len(read_layouts(ONE)) == 1
    with pytest.raises(ColumnMapError, match="contradicts itself"):
        read_layouts(ONE.replace(old, new, 1))


def test_two_layouts_that_one_header_could_have_are_refused() -> None:
    with pytest.raises(ColumnMapError, match="cannot be told apart"):
        read_layouts(ONE + ONE.replace('version = "1"', 'version = "2"'))


def test_a_header_with_the_columns_of_two_layouts_is_refused(tmp_path: Path) -> None:
    header = "ALGNMT_EFCTV_DT,ALGNMT_TERM_DT,BENEFICIARY STATUS,ALIGNMENT START DATE"
    assert outcome(csv_list(tmp_path, ALIGNMENT, [], header=header)) == "ambiguous_layout"


def _layout(**changes: Any) -> Layout:
    return replace(read_layouts(ONE)[0], **changes)


@pytest.mark.parametrize(
    ("layout", "labels", "dated", "reason"),
    [
        (_layout(), ["NUMBER"], date(2022, 1, 1), None),
        (_layout(), ["NUMBER", "PROVIDER"], date(2030, 1, 1), None),
        (_layout(), ["NUMBER", "", ""], date(2022, 1, 1), None),
        (_layout(), ["NUMBER"], date(2021, 12, 31), "layout_not_in_force"),
        (_layout(valid_to=date(2022, 6, 30)), ["NUMBER"], date(2022, 6, 30), None),
        (_layout(valid_to=date(2022, 6, 30)), ["NUMBER"], date(2022, 7, 1), "layout_not_in_force"),
        (_layout(), ["PROVIDER"], date(2022, 1, 1), "missing_column"),
        (_layout(), ["NUMBER", "NUMBER"], date(2022, 1, 1), "duplicate_column"),
        (_layout(), ["NUMBER", "COLOUR"], date(2022, 1, 1), "unknown_column"),
        (_layout(unknown_columns="ignore"), ["NUMBER", "COLOUR"], date(2022, 1, 1), None),
    ],
)
def test_a_header_must_be_whole(layout: Layout, labels: list[str], dated: date, reason: str | None) -> None:
    if reason is None:
        layout.require(labels, dated)
        return
    with pytest.raises(RefusedDelivery) as refused:
        layout.require(labels, dated)
    assert refused.value.reason_code == reason


def test_unknown_columns_are_listed_where_the_layout_refuses_them(tmp_path: Path) -> None:
    path = second_report(tmp_path, header=(*SECOND, "RISK SCORE", MBI))
    with pytest.raises(RefusedDelivery) as refused:
        delivered(path)
    assert refused.value.reason_code == "unknown_column"
    assert refused.value.detail == "layout 2 has no such columns: RISK SCORE, (not a label)"


def test_unknown_columns_are_listed_where_the_layout_ignores_them(tmp_path: Path) -> None:
    header = "DCE_ID,NPI,SPCLTY_CD,CNTY_FIPS_CD,EFCTV_DT,TERM_DT,FAX NUMBER"
    readings = delivered(csv_list(tmp_path, ROSTER, [ROWS[ROSTER] + ",123"], header=header))
    assert defects(readings) == [(1, "FAX NUMBER", "unknown_column")]
    assert len([reading for reading in readings if isinstance(reading, EntityRecord)]) == 1


@pytest.mark.parametrize(
    ("label", "told"),
    [("RISK SCORE", "RISK SCORE"), (MBI, "(not a label)"), ("1", "(not a label)"), ("X" * 41, "(not a label)")],
)
def test_a_label_is_told_only_where_it_looks_like_one(label: str, told: str) -> None:
    assert tellable(label) == told


def test_labels_are_compared_without_case_and_spaces(tmp_path: Path) -> None:
    assert normal_label("  Last\n name ") == "LAST NAME"
    path = second_report(tmp_path, second_layout(), header=[label.title() + "  " for label in SECOND])
    assert len(records(delivered(path))) == 1


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    plain = delivered(second_report(tmp_path, second_layout()))
    turned = ",".join(reversed(second_layout().split(",")))
    assert delivered(second_report(tmp_path, turned, header=tuple(SECOND)[::-1])) == plain


def test_the_second_layout_tells_all_that_the_agreement_lists(tmp_path: Path) -> None:
    who, record = delivered(second_report(tmp_path, second_layout()))
    reference = PersonReference("mbi", MBI)
    assert who == Demographics(reference, "O'Neil", "Ada", date(1945, 6, 12), "2")
    (only,) = records([record])
    stated = only.payload
    assert isinstance(stated, AlignmentReportedData)
    assert (only.references, only.state, stated.state) == ((reference,), "OH", "OH")
    assert (stated.entity_id, stated.report_month, stated.basis) == ("D9001", "2022-02", "claims")
    assert (stated.alignment_year, stated.performance_year, stated.part_d_covered) == (2022, 2022, True)
    assert (stated.data_sharing_opt_out, stated.administrative_opt_out) == (True, False)
    assert stated.high_needs_criteria == ("A", "B")
    assert [(span.first_month, span.last_month) for span in stated.spans] == [("2022-01", None)]


@pytest.mark.parametrize(
    ("start", "removal", "months"),
    [
        # The removal day is the first one that is not aligned.
        ("01/01/2022", "02/01/2022", ("2022-01", "2022-01")),
        ("01/01/2022", "02/15/2022", ("2022-01", "2022-02")),
        # From its first day on: the span is taken back whole.
        ("01/01/2022", "01/01/2022", ("2022-01", "2021-12")),
    ],
)
def test_a_removal_row(tmp_path: Path, start: str, removal: str, months: tuple[str, str]) -> None:
    row = second_layout(
        BENEFICIARY_STATUS="REMOVED", ALIGNMENT_START_DATE=start, REMOVAL_DATE=removal, REMOVAL_REASON="MA"
    )
    (record,) = records(delivered(second_report(tmp_path, row)))
    assert isinstance(record.payload, AlignmentReportedData)
    (span,) = record.payload.spans
    assert ((span.first_month, span.last_month), span.removal_reason) == (months, "ENROLLED_MA")


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"BENEFICIARY_STATUS": "REMOVED"}, "REMOVAL DATE", "missing"),
        ({"REMOVAL_DATE": "02/01/2022"}, "REMOVAL DATE", "contradicts_status"),
        ({"BENEFICIARY_STATUS": "REMOVED", "REMOVAL_DATE": "12/31/2021"}, "REMOVAL DATE", "ends_before_it_begins"),
        ({"BENEFICIARY_STATUS": "REMOVED", "REMOVAL_DATE": "02/01/2022", "REMOVAL_REASON": "TIRED"},
         "REMOVAL REASON", "not_in_code_list"),
        ({"BENEFICIARY_STATUS": "MAYBE"}, "BENEFICIARY STATUS", "not_in_code_list"),
        ({"ALIGNMENT_START_DATE": "31/01/2022"}, "ALIGNMENT START DATE", "not_a_date"),
        ({"ALIGNMENT_START_DATE": "20220101"}, "ALIGNMENT START DATE", "not_a_date"),
        ({"DATE_OF_BIRTH": "02/11/2022"}, "DATE OF BIRTH", "after_the_file"),
        ({"SEX": "X"}, "SEX", "not_in_code_list"),
        ({"STATE": "ZZ"}, "STATE", "not_a_state"),
        ({"PART_D": "1"}, "PART D", "not_in_code_list"),
        ({"HIGH_NEEDS_CRITERIA": "A;B C"}, "HIGH NEEDS CRITERIA", "not_a_code"),
        ({"HIGH_NEEDS_CRITERIA": ";".join(f"C{number}" for number in range(21))}, "HIGH NEEDS CRITERIA", "invalid"),
        ({"ALIGNMENT_YEAR": "1999"}, "ALIGNMENT YEAR", "invalid"),
        ({"MBI": OTHER_MBI[:-1]}, "MBI", "not_an_mbi"),
    ],
)  # fmt: skip
def test_a_bad_row_of_the_second_layout(tmp_path: Path, values: dict[str, str], field: str, reason: str) -> None:
    readings = delivered(second_report(tmp_path, second_layout(**values), second_layout()))
    assert defects(readings) == [(2, field, reason)]
    assert len(records(readings)) == 1


def test_columns_that_may_be_absent(tmp_path: Path) -> None:
    spare = ("STATE", "HIGH NEEDS CRITERIA")
    header = [label for label in SECOND if label not in spare]
    row = ",".join(value for label, value in SECOND.items() if label not in spare)
    (record,) = records(delivered(second_report(tmp_path, row, header=header)))
    assert isinstance(record.payload, AlignmentReportedData)
    assert (record.state, record.payload.state, record.payload.high_needs_criteria) == (None, "OH", None)


def test_a_person_without_a_name_gives_no_demographics(tmp_path: Path) -> None:
    nobody = second_layout(LAST_NAME="", FIRST_NAME="", DATE_OF_BIRTH="", SEX="")
    assert len(delivered(second_report(tmp_path, nobody))) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_names_in_either_encoding(tmp_path: Path, encoding: str) -> None:
    lines = [",".join(SECOND), second_layout(LAST_NAME="Nuñez"), "TRL,1"]
    who, _ = delivered(text_file(tmp_path, ALIGNMENT, lines, encoding=encoding))
    assert isinstance(who, Demographics)
    assert who.family_name == "Nuñez"


def test_a_provider_alignment_row(tmp_path: Path) -> None:
    (record,) = records(delivered(csv_list(tmp_path, PROVIDERS, [ROWS[PROVIDERS]])))
    stated = record.payload
    assert isinstance(stated, ProviderAlignmentReportedData)
    assert (stated.period, stated.basis, stated.npis) == ("2022-Q1", "claims", (NPI,))
    assert (stated.entity_id, stated.stated_on) == ("D9001", date(2022, 2, 10))


def test_a_whole_years_provider_alignment_with_every_participant_in_a_row(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Period", "Entity ID", "MBI", "Aligned to NPIs"],
        [2022, "D9001", MBI, f"{NPI}; {OTHER_NPI};{NPI}"],
    ]
    path = workbook(tmp_path, PROVIDERS_BOOK.replace("2022Q1", "2022"), rows)
    (record,) = records(delivered(path))
    assert isinstance(record.payload, ProviderAlignmentReportedData)
    assert (record.payload.period, record.payload.npis) == ("2022", (NPI, OTHER_NPI))


@pytest.mark.parametrize(
    ("row", "response", "why"),
    [
        (ROWS[RESPONSES], "rejected", "NOT_ON_LIST"),
        (ROWS[RESPONSES].replace("REJECTED,NOT_ON_LIST", "REJECTED,"), "rejected", None),
        (ROWS[RESPONSES].replace("REJECTED,NOT_ON_LIST", "accepted,"), "accepted", None),
    ],
)
def test_an_answered_form(tmp_path: Path, row: str, response: str, why: str | None) -> None:
    (record,) = records(delivered(csv_list(tmp_path, RESPONSES, [row])))
    stated = record.payload
    assert isinstance(stated, DesignationRecordedData)
    assert (stated.channel, stated.signed_on, stated.clinician_npi) == ("signed_form", date(2022, 3, 1), NPI)
    assert (stated.response, stated.rejection_reason, stated.withdrawn) == (response, why, False)


def test_a_roster_in_its_second_layout(tmp_path: Path) -> None:
    header = "ENTITY ID,PROVIDER NPI,COUNTY FIPS,PARTICIPATION START,PARTICIPATION END,PROVIDER NAME"
    rows = [f"D9001,{NPI},39049,1/1/2022,,Dr. A", f"D9001,{NPI},39041,01/01/2022,04/30/2022,Dr. A"]
    readings = delivered(csv_list(tmp_path, ROSTER, rows, header=header))
    assert defects(readings) == [(1, "PROVIDER NAME", "unknown_column")]
    (page,) = [reading.payload for reading in readings if isinstance(reading, EntityRecord)]
    assert [(provider.county_fips, provider.last_month) for provider in page.providers] == [
        ("39049", None),
        ("39041", "2022-04"),
    ]
    assert page.service_area_counties == ("39041", "39049")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ALIGNMENT_REPORT.D9001.202202.D220210.csv", DeliveryKind.ALIGNMENT_REPORT),
        ("PROVIDER_ALIGNMENT_REPORT.D9001.2022.D220210.csv", DeliveryKind.PROVIDER_ALIGNMENT_REPORT),
        ("PROVIDER_ALIGNMENT_REPORT.D9001.2022Q4.D221210.xlsx", DeliveryKind.PROVIDER_ALIGNMENT_REPORT),
        ("VOLUNTARY_ALIGNMENT_RESPONSE.D9001.2022Q1.D220410.csv", DeliveryKind.VOLUNTARY_ALIGNMENT_RESPONSE),
        ("PROVIDER_ROSTER.D9001.OH.D220105.xlsx", DeliveryKind.PROVIDER_ROSTER),
        ("P#EFT.ON.ACO.NGD1800.DPRF.D220318.T1000001", DeliveryKind.SHARING_PREFERENCES),
        ("T#EFT.ON.ACO.NGD1800.DPRF.D220318.T1000001", DeliveryKind.SHARING_PREFERENCES),
    ],
)
def test_lists_are_told_by_their_names(tmp_path: Path, name: str, kind: DeliveryKind) -> None:
    (tmp_path / name).write_text("x")
    assert kind_of(tmp_path / name) is kind


def test_a_defect_says_what_was_found_and_never_what_it_is(tmp_path: Path) -> None:
    bad = OTHER_MBI.lower() + "x"
    (defect,) = delivered(csv_list(tmp_path, ALIGNMENT, [ROWS[ALIGNMENT].replace(MBI, bad)]))
    assert isinstance(defect, Defect)
    assert defect.found == "12 characters: 6 digits, 6 letters"
    assert defect.expected == "a Medicare Beneficiary Identifier"
    assert bad.encode() in defect.raw
