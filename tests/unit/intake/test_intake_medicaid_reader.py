"""T-MSIS deliveries."""

from datetime import date
from pathlib import Path

import pytest
from intake_files import HEADER, HEADER_ROW, LINE_ROW, defects, medicaid, records, source

from contracts.claims import MedicaidClaim
from contracts.delivery import DeliveryKind
from services.intake.readers.medicaid_claims import read
from services.intake.reading import PersonReference, Reading, RefusedDelivery


def read_all(path: Path) -> list[Reading]:
    return list(read(source(DeliveryKind.MEDICAID_CLAIMS, path)))


def only_claim(path: Path) -> MedicaidClaim:
    (record,) = records(read_all(path))
    assert isinstance(record.payload, MedicaidClaim)
    return record.payload


def test_a_claim_is_its_header_and_its_lines(tmp_path: Path) -> None:
    second = LINE_ROW.replace(",1,2022", ",2,2022", 1).replace("120.00", "0.00")
    (record,) = records(read_all(medicaid(tmp_path, [HEADER_ROW], [LINE_ROW, second])))
    claim = record.payload
    assert isinstance(claim, MedicaidClaim)
    assert record.references == (PersonReference("medicaid", "OH:M1"),)
    assert (record.state, claim.record_id, claim.file_type, claim.claim_type_code) == ("OH", "OH:C1", "OT", "1")
    assert claim.version == 202201200
    assert (claim.paid_cents, [line.paid_cents for line in claim.lines]) == (12_000, [12_000, 0])
    assert claim.type_of_service_code == "012"
    assert claim.diagnosis_codes == ("I10", "E119")
    assert (claim.service_from, claim.lines[0].service_through) == (date(2022, 1, 3), date(2022, 1, 7))
    assert not any((claim.denied, claim.voided, claim.crossover, claim.lines[0].denied))


@pytest.mark.parametrize(
    ("adjustment", "voided", "version"), [("0", False, 202201200), ("4", False, 202201201), ("1", True, 202201202)]
)
def test_adjustments(tmp_path: Path, adjustment: str, voided: bool, version: int) -> None:  # noqa: FBT001 - a column
    row = HEADER_ROW.replace("C1,,0,", f"C1,A2,{adjustment},")
    claim = only_claim(medicaid(tmp_path, [row], [LINE_ROW.replace("C1,,", "C1,A2,")]))
    assert (claim.voided, claim.version, len(claim.lines)) == (voided, version, 1)


def test_each_adjudication_keeps_its_own_lines(tmp_path: Path) -> None:
    replaced = HEADER_ROW.replace("C1,,0,", "C1,A2,4,").replace("120.00", "90.00")
    line = LINE_ROW.replace("C1,,", "C1,A2,").replace("120.00", "90.00")
    found = records(read_all(medicaid(tmp_path, [HEADER_ROW, replaced], [line, LINE_ROW])))
    amounts = [(claim.payload.paid_cents, claim.payload.lines[0].paid_cents) for claim in found]  # type: ignore[union-attr]
    assert amounts == [(12_000, 12_000), (9_000, 9_000)]


@pytest.mark.parametrize(("amount", "cents"), [("", 12_000), ("888888888.88", 12_000), ("0.00", 0), ("-5.10", -510)])
def test_a_missing_total_is_the_sum_of_the_lines(tmp_path: Path, amount: str, cents: int) -> None:
    row = HEADER_ROW.replace("120.00", amount)
    assert only_claim(medicaid(tmp_path, [row], [LINE_ROW])).paid_cents == cents


def test_medicares_side_of_a_crossover_claim(tmp_path: Path) -> None:
    row = HEADER_ROW.replace(",0,120.00,,,,", ",1,120.00,800.00,100.00,8888888.88,")
    claim = only_claim(medicaid(tmp_path, [row], [LINE_ROW]))
    assert claim.crossover
    assert (claim.medicare_paid_cents, claim.medicare_deductible_cents) == (80_000, 10_000)
    assert claim.medicare_coinsurance_cents is None


def test_a_denied_claim_says_zero(tmp_path: Path) -> None:
    row = HEADER_ROW.replace(",1,I10", ",0,I10")
    claim = only_claim(medicaid(tmp_path, [row], [LINE_ROW[:-1] + "0"]))
    assert claim.denied
    assert claim.lines[0].denied


def test_drug_files_have_no_diagnoses(tmp_path: Path) -> None:
    header = HEADER.split(",DGNS_1")[0]
    path = medicaid(tmp_path, [HEADER_ROW.split(",I10")[0]], [LINE_ROW], file_type="RX", header=header)
    assert only_claim(path).diagnosis_codes == ()


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("39,", "77,", "SUBMTG_STATE_CD", "not_a_state"),
        (",M1,", ",,", "MSIS_IDENT_NUM", "missing"),
        ("20220120", "2022012", "ADJDCTN_DT", "not_a_date"),
        ("20220107", "20220101", "SRVC_ENDG_DT", "ends_before_it_begins"),
        ("120.00", "12O.00", "TOT_MDCD_PD_AMT", "not_an_amount"),
        (",,0,1,", ",,9,1,", "ADJSTMT_IND", "not_in_code_list"),
        ("1999999999", "199", "BLG_PRVDR_NPI_NUM", "not_an_npi"),
    ],
)
def test_a_bad_header_is_a_defect_and_the_rest_goes_on(
    tmp_path: Path, old: str, new: str, field: str, reason: str
) -> None:
    good = HEADER_ROW.replace("C1", "C2")
    readings = read_all(medicaid(tmp_path, [HEADER_ROW.replace(old, new, 1), good], []))
    assert defects(readings) == [(2, field, reason)]
    assert len(records(readings)) == 1


def test_lines_without_header_and_second_headers_are_defects(tmp_path: Path) -> None:
    readings = read_all(medicaid(tmp_path, [HEADER_ROW, HEADER_ROW], [LINE_ROW.replace("C1", "C9")]))
    assert defects(readings) == [(3, "ICN_ORIG", "more_than_one_header"), (2, "ICN_ORIG", "line_without_header")]
    assert len(records(readings)) == 1


def test_a_row_with_another_number_of_columns_is_a_defect(tmp_path: Path) -> None:
    readings = read_all(medicaid(tmp_path, [HEADER_ROW, HEADER_ROW + ",x"], [LINE_ROW]))
    assert defects(readings) == [(3, None, "wrong_number_of_columns")]


@pytest.mark.parametrize(
    ("counts", "header", "reason"),
    [((2, 1), HEADER, "wrong_record_count"), (None, HEADER.replace("ICN_ADJ", "X"), "missing_column")],
)
def test_refused(tmp_path: Path, counts: tuple[int, int] | None, header: str, reason: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        read_all(medicaid(tmp_path, [HEADER_ROW], [LINE_ROW], counts=counts, header=header))
    assert refused.value.reason_code == reason
