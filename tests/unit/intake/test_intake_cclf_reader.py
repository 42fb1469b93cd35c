"""CCLF deliveries: what is read, what is quarantined, what is refused whole."""

from datetime import date
from pathlib import Path

import pytest
from intake_files import (
    ARCHIVE,
    MBI,
    NEW_MBI,
    OTHER_MBI,
    beneficiary,
    cclf,
    control,
    defects,
    fixed,
    mbi_change,
    member_name,
    part_a,
    part_b,
    records,
    source,
    zipped,
)

from contracts.claims import Adjustment, MedicareClaim
from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from services.intake.readers.cclf import read
from services.intake.reading import MbiChange, PersonReference, Reading, RefusedDelivery


def read_all(path: Path, *, synthetic: bool = False) -> list[Reading]:
    return list(read(source(DeliveryKind.CCLF, path, synthetic=synthetic)))


def only_claim(path: Path) -> MedicareClaim:
    (record,) = records(read_all(path))
    assert isinstance(record.payload, MedicareClaim)
    return record.payload


def refusal(path: Path) -> str:
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    return refused.value.reason_code


def test_a_part_a_claim_is_read_whole(tmp_path: Path) -> None:
    claim = only_claim(cclf(tmp_path, {"CCLF1": [part_a(FAC_PRVDR_NPI_NUM="1999900016", DGNS_DRG_CD="0291")]}))
    assert claim.record_id == "1000000000001"
    assert claim.paid_cents == 1_187_642
    assert (claim.service_from, claim.service_through) == (date(2022, 1, 3), date(2022, 1, 7))
    assert claim.adjustment is Adjustment.ORIGINAL
    assert claim.version == 2022012020220122
    assert claim.diagnosis_codes == ("I5023", "I509")
    assert (claim.facility_npi, claim.diagnosis_related_group_code) == ("1999900016", "0291")
    assert not claim.denied


def test_amounts_keep_the_sign_they_were_delivered_with(tmp_path: Path) -> None:
    cancelled = part_a(CLM_ADJSMT_TYPE_CD="1")
    negative = part_a(CUR_CLM_UNIQ_ID="1000000000002", CLM_PMT_AMT="-0000000000001.05")
    found = records(read_all(cclf(tmp_path, {"CCLF1": [cancelled, negative]})))
    amounts = [(item.payload.adjustment, item.payload.paid_cents) for item in found]  # type: ignore[union-attr]
    assert amounts == [(Adjustment.CANCELLATION, 1_187_642), (Adjustment.ORIGINAL, -105)]


def test_a_non_payment_reason_denies_a_part_a_claim(tmp_path: Path) -> None:
    assert only_claim(cclf(tmp_path, {"CCLF1": [part_a(CLM_MDCR_NPMT_RSN_CD="N")]})).denied


def test_codes_of_the_ninth_revision_are_no_diagnoses(tmp_path: Path) -> None:
    line = part_a(PRNCPL_DGNS_CD="4280", DGNS_PRCDR_ICD_IND="9")
    assert only_claim(cclf(tmp_path, {"CCLF1": [line]})).diagnosis_codes == ()


def test_lines_of_a_claim_are_gathered_from_anywhere_in_the_file(tmp_path: Path) -> None:
    lines = [
        part_b(CLM_LINE_NUM="0000000002", CLM_LINE_CVRD_PD_AMT=" 00000000013.74", CLM_LINE_HCPCS_CD="93000"),
        part_b(CUR_CLM_UNIQ_ID="5000000000002", BENE_MBI_ID=OTHER_MBI),
        part_b(CLM_LINE_DGNS_CD="F1020"),
    ]
    found = records(read_all(cclf(tmp_path, {"CCLF5": lines})))
    by_id = {item.payload.record_id: item for item in found if isinstance(item.payload, MedicareClaim)}
    first = by_id["5000000000001"].payload
    assert isinstance(first, MedicareClaim)
    assert first.paid_cents == 9821 + 1374
    assert [(line.line_number, line.paid_cents) for line in first.lines] == [(2, 1374), (1, 9821)]
    assert first.diagnosis_codes == ("I10", "E119", "F1020")
    assert first.substance_use
    assert by_id["5000000000002"].references == (PersonReference("mbi", OTHER_MBI),)


def test_a_line_that_was_not_allowed_is_denied_and_a_claim_that_paid_nobody_too(tmp_path: Path) -> None:
    claim = only_claim(cclf(tmp_path, {"CCLF5": [part_b(CLM_PRCSG_IND_CD="N", CLM_CARR_PMT_DNL_CD="0")]}))
    assert claim.denied
    assert claim.lines[0].denied


def test_equipment_claims_are_read_where_they_are_delivered(tmp_path: Path) -> None:
    line = fixed(
        "CCLF6",
        {
            "CUR_CLM_UNIQ_ID": "6000000000001",
            "CLM_LINE_NUM": "1",
            "BENE_MBI_ID": MBI,
            "CLM_TYPE_CD": "82",
            "CLM_FROM_DT": "2022-01-05",
            "CLM_THRU_DT": "2022-01-05",
            "CLM_LINE_FROM_DT": "2022-01-05",
            "CLM_LINE_THRU_DT": "2022-01-05",
            "CLM_LINE_CVRD_PD_AMT": "12.00",
            "CLM_ADJSMT_TYPE_CD": "0",
        },
    )
    claim = only_claim(cclf(tmp_path, {"CCLF6": [line]}))
    assert (claim.claim_type_code, claim.paid_cents, claim.diagnosis_codes) == ("82", 1200, ())


def test_a_beneficiary_is_a_statement_about_exactly_the_month_of_the_file(tmp_path: Path) -> None:
    (record,) = records(read_all(cclf(tmp_path, {"CCLF8": [beneficiary()]})))
    stated = record.payload
    assert isinstance(stated, MedicareCoverageStatedData)
    assert record.state == stated.state == "OH"
    assert (stated.birth_date, stated.death_date, stated.part_a_began) == (date(1945, 6, 12), None, date(2010, 6, 1))
    (span,) = stated.spans
    assert (span.first_month, span.last_month) == ("2022-02", "2022-02")
    assert (span.dual_status_code, span.entitlement_buy_in_code, span.county_fips) == ("02", "C", "39049")
    assert span.in_united_states is True


@pytest.mark.parametrize(
    ("delivered", "code"),
    [("NA", "NA"), ("  ", None), ("~ ", "99"), ("99", "99"), ("8 ", "08"), ("00", "00")],
)
def test_dual_status_as_the_feed_writes_it(tmp_path: Path, delivered: str, code: str | None) -> None:
    (record,) = records(read_all(cclf(tmp_path, {"CCLF8": [beneficiary(BENE_DUAL_STUS_CD=delivered)]})))
    assert isinstance(record.payload, MedicareCoverageStatedData)
    assert record.payload.spans[0].dual_status_code == code


def test_living_abroad_is_known_and_has_no_county(tmp_path: Path) -> None:
    (record,) = records(read_all(cclf(tmp_path, {"CCLF8": [beneficiary(BENE_FIPS_STATE_CD="98")]})))
    assert isinstance(record.payload, MedicareCoverageStatedData)
    span = record.payload.spans[0]
    assert (record.state, span.in_united_states, span.county_fips) == (None, False, None)


def test_changes_of_mbi_come_before_everything_else(tmp_path: Path) -> None:
    path = cclf(tmp_path, {"CCLF1": [part_a()], "CCLF8": [beneficiary()], "CCLF9": [mbi_change(NEW_MBI, MBI)]})
    first, *others = read_all(path)
    assert first == MbiChange(NEW_MBI, MBI, date(2021, 12, 31))
    assert not [other for other in others if isinstance(other, MbiChange)]
    assert len(records(others)) == 2


def test_synthetic_mbis_are_read_in_synthetic_mode_only(tmp_path: Path) -> None:
    path = cclf(tmp_path, {"CCLF1": [part_a(BENE_MBI_ID="1S00A00AA00")]})
    assert defects(read_all(path)) == [(1, "BENE_MBI_ID", "not_an_mbi")]
    assert len(records(read_all(path, synthetic=True))) == 1


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"BENE_MBI_ID": "1SG4TE5MK73"}, "BENE_MBI_ID", "not_an_mbi"),
        ({"BENE_MBI_ID": " " * 11}, "BENE_MBI_ID", "missing"),
        ({"CLM_THRU_DT": "2022-13-07"}, "CLM_THRU_DT", "not_a_date"),
        ({"CLM_THRU_DT": "9999-12-31"}, "CLM_THRU_DT", "missing"),
        ({"CLM_THRU_DT": "2022-01-02"}, "CLM_THRU_DT", "ends_before_it_begins"),
        ({"CLM_FROM_DT": "0022-01-03"}, "CLM_FROM_DT", "date_out_of_range"),
        ({"CLM_PMT_AMT": "       12.345.678"}, "CLM_PMT_AMT", "not_an_amount"),
        ({"CLM_PMT_AMT": " " * 17}, "CLM_PMT_AMT", "missing"),
        ({"CLM_ADJSMT_TYPE_CD": "3"}, "CLM_ADJSMT_TYPE_CD", "not_in_code_list"),
        ({"FAC_PRVDR_NPI_NUM": "12345"}, "FAC_PRVDR_NPI_NUM", "not_an_npi"),
        ({"CLM_TYPE_CD": "X0"}, "CLM_TYPE_CD", "not_a_code"),
        ({"PRNCPL_DGNS_CD": "I5-23"}, "PRNCPL_DGNS_CD", "not_a_diagnosis_code"),
    ],
)
def test_a_bad_line_is_a_defect_and_the_rest_goes_on(
    tmp_path: Path, values: dict[str, str], field: str, reason: str
) -> None:
    good = part_a(CUR_CLM_UNIQ_ID="1000000000009")
    readings = read_all(cclf(tmp_path, {"CCLF1": [good, part_a(**values), good]}))
    assert defects(readings) == [(2, field, reason)]
    assert len(records(readings)) == 2


def test_a_bad_part_b_line_leaves_the_claims_other_lines(tmp_path: Path) -> None:
    bad = part_b(CLM_LINE_NUM="0000000002", CLM_LINE_HCPCS_CD="99?14")
    readings = read_all(cclf(tmp_path, {"CCLF5": [bad, part_b()]}))
    assert defects(readings) == [(1, "CLM_LINE_HCPCS_CD", "not_a_procedure_code")]
    (record,) = records(readings)
    assert isinstance(record.payload, MedicareClaim)
    assert len(record.payload.lines) == 1


def test_a_diagnosis_that_is_none_is_a_defect_of_each_line_that_has_it(tmp_path: Path) -> None:
    lines = [part_b(CLM_DGNS_1_CD="?"), part_b(CLM_LINE_NUM="0000000002", CLM_DGNS_1_CD="?")]
    readings = read_all(cclf(tmp_path, {"CCLF5": lines}))
    assert defects(readings) == [(number, "CLM_DGNS_1_CD", "not_a_diagnosis_code") for number in (1, 2)]


def test_legacy_identifiers_are_told_and_not_used(tmp_path: Path) -> None:
    readings = read_all(cclf(tmp_path, {"CCLF9": [mbi_change("203031401M", "203031401A", indicator="H")]}))
    assert defects(readings) == [(1, "HICN_MBI_XREF_IND", "legacy_identifier")]


def test_a_line_of_another_length_is_a_defect(tmp_path: Path) -> None:
    readings = read_all(cclf(tmp_path, {"CCLF1": [part_a(), part_a()[:-1], part_a()]}))
    assert defects(readings) == [(2, None, "wrong_length")]


def test_a_count_that_does_not_hold_refuses_the_delivery(tmp_path: Path) -> None:
    assert refusal(cclf(tmp_path, {"CCLF1": [part_a()]}, counts={"CCLF1": 2})) == "wrong_record_count"


def test_another_record_length_in_the_control_file_refuses_the_delivery(tmp_path: Path) -> None:
    assert refusal(cclf(tmp_path, {"CCLF1": [part_a()]}, lengths={"CCLF1": 292})) == "wrong_record_length"


def test_a_file_of_another_layout_refuses_the_delivery(tmp_path: Path) -> None:
    assert refusal(cclf(tmp_path, {"CCLF1": [beneficiary(), beneficiary()]})) == "wrong_record_length"


def test_a_file_cut_short_refuses_the_delivery(tmp_path: Path) -> None:
    lines = f"{part_a()}\n{part_a()}\n{part_a()[:100]}"
    members = {member_name(file): "" for file in ("CCLF5", "CCLF8", "CCLF9")} | {member_name("CCLF1"): lines}
    counts = control({"CCLF1": 3, "CCLF5": 0, "CCLF8": 0, "CCLF9": 0})
    assert refusal(zipped(tmp_path, ARCHIVE, members | {member_name("CCLF0"): counts})) == "truncated_file"


def test_a_last_line_without_a_line_end_is_whole(tmp_path: Path) -> None:
    members = {member_name(file): "" for file in ("CCLF5", "CCLF8", "CCLF9")} | {member_name("CCLF1"): part_a()}
    counts = control({"CCLF1": 1, "CCLF5": 0, "CCLF8": 0, "CCLF9": 0})
    path = zipped(tmp_path, ARCHIVE, members | {member_name("CCLF0"): counts})
    assert len(records(read_all(path))) == 1


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "missing_member"),
        ({"notes.txt": "x"}, "unexpected_member"),
        ({"folder/": ""}, "unexpected_member"),
        ({member_name("CCLF1").replace("D9001", "D9002"): ""}, "mislabelled_member"),
        ({member_name("CCLF1").replace("ZC1Y22", "ZC1R22"): ""}, "mislabelled_member"),
    ],
)
def test_archives_with_wrong_members_are_refused(tmp_path: Path, members: dict[str, str], reason: str) -> None:
    assert refusal(zipped(tmp_path, ARCHIVE, members)) == reason


def test_an_announced_file_that_is_missing_refuses_the_delivery(tmp_path: Path) -> None:
    assert refusal(cclf(tmp_path, {}, counts={"CCLF7": 3})) == "missing_member"


def test_a_file_that_nobody_announced_refuses_the_delivery(tmp_path: Path) -> None:
    members = {member_name(file): "" for file in ("CCLF1", "CCLF5", "CCLF8", "CCLF9")}
    counts = control({"CCLF1": 0, "CCLF5": 0, "CCLF8": 0})
    assert refusal(zipped(tmp_path, ARCHIVE, members | {member_name("CCLF0"): counts})) == "unlisted_member"


def test_a_damaged_archive_refuses_the_delivery(tmp_path: Path) -> None:
    path = cclf(tmp_path, {"CCLF1": [part_a(CUR_CLM_UNIQ_ID=f"{number:013d}") for number in range(500)]})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(content)
    assert refusal(path) == "corrupted_archive"
    path.write_bytes(content[:middle])
    assert refusal(path) == "corrupted_archive"


def test_no_reason_ever_tells_an_identifier(tmp_path: Path) -> None:
    path = cclf(tmp_path, {"CCLF1": [part_a()]}, counts={"CCLF1": 5})
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    assert MBI not in str(refused.value)
