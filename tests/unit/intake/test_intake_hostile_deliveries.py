"""Damage and nonsense are verdicts about a delivery or a line, never an error of the program."""

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_files import (
    ARCHIVE,
    HEADER_ROW,
    LINE,
    LINE_ROW,
    MEDICAID_ARCHIVE,
    cclf,
    control,
    defects,
    listed,
    medicaid,
    member_name,
    part_a,
    records,
    source,
    zipped,
)

from contracts.delivery import DeliveryKind
from services.intake.readers import alignment_report, explanation_of_benefit, medicaid_claims
from services.intake.readers.cclf import read as read_cclf
from services.intake.readers.column_maps import layouts_of
from services.intake.reading import Reader, RefusedDelivery
from services.intake.registry import reader_of, recognise

TODAY = date(2022, 3, 1)
REPORT = "ALIGNMENT_REPORT.D9001.202202.D220210.csv"
REPORT_HEADER = ",".join(column.label for column in layouts_of(DeliveryKind.ALIGNMENT_REPORT)[0].columns)
EMPTY = {"CCLF1": 0, "CCLF5": 0, "CCLF8": 0, "CCLF9": 0}


def refusal(read: Reader, kind: DeliveryKind, path: Path) -> str:
    with pytest.raises(RefusedDelivery) as refused:
        list(read(source(kind, path)))
    return refused.value.reason_code


@pytest.mark.parametrize("first", [b"\xff" * 10, b"\x00" * 10])
def test_a_damaged_stream_inside_a_gzip_file_refuses_it(tmp_path: Path, first: bytes) -> None:
    content = bytearray(gzip.compress(b'{"resourceType": "ExplanationOfBenefit"}\n' * 9))
    content[10:20] = first
    path = tmp_path / "claims.ndjson.gz"
    path.write_bytes(content)
    with pytest.raises(RefusedDelivery) as refused:
        recognise(path, TODAY)
    assert refused.value.reason_code == "corrupted_archive"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3))
def test_no_changed_byte_of_an_archive_breaks_the_reader(tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    path = cclf(tmp_path, {"CCLF1": [part_a()]})
    content = bytearray(path.read_bytes())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    path.write_bytes(content)
    try:
        readings = list(read_cclf(source(DeliveryKind.CCLF, path)))
    except RefusedDelivery:
        return
    assert len(records(readings)) == 1


def test_a_directory_that_points_before_its_file_refuses_the_archive(tmp_path: Path) -> None:
    path = cclf(tmp_path, {"CCLF1": [part_a()]})
    content = bytearray(path.read_bytes())
    offset = content.rindex(b"PK\x05\x06") + 16
    content[offset : offset + 4] = (len(content) * 2).to_bytes(4, "little")
    path.write_bytes(content)
    assert refusal(read_cclf, DeliveryKind.CCLF, path) == "corrupted_archive"


def test_an_error_of_the_machine_is_no_verdict_about_the_archive(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_cclf(source(DeliveryKind.CCLF, tmp_path / ARCHIVE)))


def controlled(folder: Path, extra: str) -> Path:
    members = {member_name(file): "" for file in EMPTY} | {member_name("CCLF0"): control(EMPTY) + extra}
    return zipped(folder, ARCHIVE, members)


def control_row(file: str, count: int, length: int) -> str:
    return control({"CCLF1": count}, {"CCLF1": length}).splitlines()[1].replace("CCLF1", file) + "\n"


def test_a_control_file_may_name_itself_and_absent_files_without_records(tmp_path: Path) -> None:
    path = controlled(tmp_path, control_row("CCLF0", 4, 66) + control_row("CCLF7", 0, 195))
    assert list(read_cclf(source(DeliveryKind.CCLF, path))) == []


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(control_row("CCLF1", 0, 437), id="a file twice"),
        pytest.param(control_row("CCLF7", 0, 195).replace("195", "19x"), id="length no number"),
        pytest.param(control_row("CCLF7", 0, 195).replace("          0|", "           |"), id="count missing"),
        pytest.param("CCLF7  |short\n", id="a short row"),
    ],
)
def test_a_control_file_that_cannot_be_trusted_refuses_the_delivery(tmp_path: Path, extra: str) -> None:
    assert refusal(read_cclf, DeliveryKind.CCLF, controlled(tmp_path, extra)) == "unreadable_control_file"


@pytest.mark.parametrize("field", ["CUR_CLM_UNIQ_ID", "CLM_CNTL_NUM", "PRVDR_OSCAR_NUM", "DGNS_DRG_CD"])
def test_a_nul_character_is_a_defect_of_its_line(tmp_path: Path, field: str) -> None:
    readings = list(
        read_cclf(source(DeliveryKind.CCLF, cclf(tmp_path, {"CCLF1": [part_a(**{field: "1\x002"}), part_a()]})))
    )
    assert defects(readings) == [(1, field, "unexpected_character")]
    assert len(records(readings)) == 1


def claims_of(folder: Path, **changes: object) -> list[object]:
    resource = {
        "resourceType": "ExplanationOfBenefit",
        "id": "carrier-1",
        "type": {
            "coding": [{"system": "https://bluebutton.cms.gov/resources/variables/nch_clm_type_cd", "code": "71"}]
        },
        "patient": {"reference": "Patient/-7"},
        "billablePeriod": {"start": "2021-03-01", "end": "2021-03-02"},
        "payment": {"amount": {"value": 1}},
    }
    path = folder / "claims.ndjson"
    path.write_text(json.dumps(resource | changes) + "\n")
    readings = list(explanation_of_benefit.read(source(DeliveryKind.EXPLANATION_OF_BENEFIT, path)))
    return [(reason, field) for _, field, reason in defects(readings)] or [len(records(readings))]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, 1),
        ({"patient": {"reference": "Patient/\ud800"}}, ("not_json", None)),
        ({"patient": {"reference": "Patient/"}}, ("patient_missing", "patient.reference")),
        ({"id": "a\x00b"}, ("claim_id_malformed", "id")),
        ({"id": "\ud800"}, ("not_json", None)),
        ({"id": "\udc00\ud800"}, ("not_json", None)),
        ({"id": "\U0001f600"}, ("claim_id_malformed", "id")),
        ({"meta": {"lastUpdated": "0001-01-01T00:00:00+14:00"}}, 1),
        ({"item": [{"sequence": 1}, {"sequence": 10**30}]}, ("outside_of_contract", "lines")),
        ({"payment": {"amount": {"value": None}}}, ("payment_missing", "payment.amount")),
        ({"billablePeriod": {"start": ["2021-03-01"], "end": {}}}, ("wrong_type", "billablePeriod.start")),
    ],
)
def test_what_json_can_write_and_no_claim_can_hold(tmp_path: Path, changes: dict[str, object], outcome: object) -> None:
    assert claims_of(tmp_path, **changes) == [outcome]


@pytest.mark.parametrize(
    ("header", "trailer", "reason"),
    [
        ("x" * 140_000, "TRL,0", "truncated_file"),
        ('"REPORT_MONTH"x,', "TRL,0", "truncated_file"),
        (REPORT_HEADER, "TRL," + "9" * 5_000, "wrong_record_count"),
        (REPORT_HEADER, "TRL,-0", "wrong_record_count"),
        (REPORT_HEADER, "TRL,\xb2", "wrong_record_count"),
        (REPORT_HEADER, "TRL,0\nTRL,0", "truncated_file"),
        (REPORT_HEADER, 'TRL,"0', "truncated_file"),
        ("", "", "unknown_layout"),
    ],
)
def test_a_report_whose_frame_is_broken_is_refused(tmp_path: Path, header: str, trailer: str, reason: str) -> None:
    path = listed(tmp_path, REPORT, header, [], trailer)
    assert refusal(alignment_report.read, DeliveryKind.ALIGNMENT_REPORT, path) == reason


CONTROL_HEAD = "FILE_NAME,RECORD_COUNT\n"
OT_LINES = {"TMSIS_OT_LINE.csv": f"{LINE}\n{LINE_ROW}\n"}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "missing_member"),
        (OT_LINES, "missing_member"),
        ({"TMSIS_CONTROL.csv": f"{CONTROL_HEAD}TMSIS_OT_LINE.csv,1\n", **OT_LINES}, "missing_member"),
        ({"TMSIS_CONTROL.csv": f"{CONTROL_HEAD}TMSIS_OT_HEADER.csv,1\n", **OT_LINES}, "missing_member"),
        ({"TMSIS_CONTROL.csv": CONTROL_HEAD, **OT_LINES}, "missing_member"),
        ({"TMSIS_CONTROL.csv": f"{CONTROL_HEAD}TMSIS_XX_LINE.csv,1\n"}, "unexpected_member"),
        ({"TMSIS_CONTROL.csv": CONTROL_HEAD, "notes.txt": "x"}, "unexpected_member"),
        ({"TMSIS_CONTROL.csv": f"{CONTROL_HEAD}TMSIS_OT_LINE.csv,1\nTMSIS_OT_LINE.csv,2\n", **OT_LINES},
         "unreadable_control_file"),
        ({"TMSIS_CONTROL.csv": f"{CONTROL_HEAD}TMSIS_OT_LINE.csv,one\n", **OT_LINES}, "unreadable_control_file"),
        ({"TMSIS_CONTROL.csv": f"{CONTROL_HEAD}TMSIS_OT_LINE.csv\n", **OT_LINES}, "unreadable_control_file"),
        ({"TMSIS_CONTROL.csv": "", **OT_LINES}, "unreadable_control_file"),
        ({"TMSIS_CONTROL.csv": f'{CONTROL_HEAD}"TMSIS_OT_LINE.csv,1\n', **OT_LINES}, "truncated_file"),
    ],
)  # fmt: skip
def test_a_medicaid_archive_that_its_control_file_does_not_vouch_for(
    tmp_path: Path, members: dict[str, str], reason: str
) -> None:
    path = zipped(tmp_path, MEDICAID_ARCHIVE, members)
    assert refusal(medicaid_claims.read, DeliveryKind.MEDICAID_CLAIMS, path) == reason


def test_what_the_model_refuses_is_blamed_on_the_header_that_was_read(tmp_path: Path) -> None:
    unreadable = HEADER_ROW.replace("20220120", "2022")
    bad_code = HEADER_ROW.replace("I10", "?")
    path = medicaid(tmp_path, [unreadable, bad_code], [LINE_ROW])
    readings = list(medicaid_claims.read(source(DeliveryKind.MEDICAID_CLAIMS, path)))
    assert [(line, reason) for line, _, reason in defects(readings)] == [(2, "not_a_date"), (3, "invalid")]
    assert records(readings) == []


@pytest.mark.parametrize(
    ("raw", "reason"), [(b"\xed\xa0\x80", "not_utf8"), (b"\xed\xbf\xbf", "not_utf8"), (b"a\x00", "not_json")]
)
def test_what_no_event_can_hold_is_refused_unescaped_too(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = tmp_path / "claims.ndjson"
    path.write_bytes(b'{"resourceType": "ExplanationOfBenefit", "id": "' + raw + b'"}\n')
    readings = explanation_of_benefit.read(source(DeliveryKind.EXPLANATION_OF_BENEFIT, path))
    assert defects(readings) == [(1, None, reason)]


@pytest.mark.parametrize("line", ["7", '"text"', "[]", "null", "true"])
@pytest.mark.parametrize("name", ["Patient", "Coverage", "ExplanationOfBenefit"])
def test_a_line_that_is_json_and_no_resource_is_a_defect(tmp_path: Path, name: str, line: str) -> None:
    path = tmp_path / f"{name}.ndjson"
    path.write_text(f'{{"resourceType": "{name}"}}\n{line}\n', encoding="utf-8")
    found = recognise(path, TODAY)
    told = [(number, reason) for number, _, reason in defects(list(reader_of(found.kind)(source(found.kind, path))))]
    assert (2, "not_a_resource") in told
