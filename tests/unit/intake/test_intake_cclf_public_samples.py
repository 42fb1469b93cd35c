"""The packet's worked examples and the public rows, through the reader, to dollars and to claims that stand."""

import csv
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cclf_row_by_row import read_row_by_row
from cclf_samples import rows_of, sample_deliveries, synthetic
from intake_files import cclf, part_a, part_b, records, source

from contracts.claims import Adjustment, MedicareClaim, PartDEvent
from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from services.cost_shift.category_policy import category_policy
from services.cost_shift.rules.claim_contribution import medicare_contributions
from services.intake.readers.cclf import read
from services.intake.reading import Defect, EncodedClaims, MbiChange, PersonRecord, Reading
from services.risk.fact_rows import claim_key
from services.risk.facts import ClaimRecord
from services.risk.rules.standing_claims import standing_claims


@pytest.fixture(scope="module")
def samples(shared_data: Path) -> Path:
    return shared_data / "cclf"


def claims_of(path: Path) -> list[MedicareClaim]:
    readings = list(read(source(DeliveryKind.CCLF, path, synthetic=True)))
    assert not [reading for reading in readings if isinstance(reading, Defect)]
    return [record.payload for record in records(readings) if isinstance(record.payload, MedicareClaim)]


def dollars(claims: list[MedicareClaim]) -> float:
    policy = category_policy()
    return sum(part.cents for claim in claims for part in medicare_contributions(claim, policy)) / 100


def standing(claims: list[MedicareClaim]) -> set[str]:
    """The claims of one person that stand, for use."""
    found = [
        ClaimRecord(
            1, "OH", claim.record_id, claim.version, claim_key(claim), claim.adjustment is Adjustment.CANCELLATION,
            claim.service_from, claim.service_through,
        )
        for claim in claims
    ]  # fmt: skip
    return {claim.record_id.lstrip("0") for claim in standing_claims(found)}


def test_the_worked_example_of_dollars(samples: Path, tmp_path: Path) -> None:
    headers = [
        part_a(
            CUR_CLM_UNIQ_ID=row["CUR_CLM_UNIQ_ID"],
            BENE_MBI_ID=row["MR_MBI"],
            PRVDR_OSCAR_NUM=row["CLM_BLG_PRVDR_OSCAR_NUM"],
            CLM_PMT_AMT=f" {int(row['CLM_PMT_AMT']):013d}.00",
            **{name: row[name] for name in ("CLM_FROM_DT", "CLM_THRU_DT", "CLM_ADJSMT_TYPE_CD", "CLM_EFCTV_DT")},
        )
        for row in rows_of(samples / "worked_example_part_a.csv")
    ]
    lines = [
        part_b(
            CUR_CLM_UNIQ_ID=f"9{row['CUR_CLM_UNIQ_ID']}",
            BENE_MBI_ID=row["MR_MBI"],
            CLM_LINE_CVRD_PD_AMT=f" {int(row['CLM_LINE_CVRD_PD_AMT']):011d}.00",
            **{name: row[name] for name in ("CLM_LINE_NUM", "CLM_CNTL_NUM", "CLM_ADJSMT_TYPE_CD", "CLM_EFCTV_DT")},
        )
        for row in rows_of(samples / "worked_example_part_b.csv")
    ]
    claims = claims_of(cclf(tmp_path, {"CCLF1": headers, "CCLF5": lines}))
    part_a_claims = [claim for claim in claims if claim.claim_type_code == "60"]
    part_b_claims = [claim for claim in claims if claim.claim_type_code == "71"]
    assert (dollars(part_a_claims), dollars(part_b_claims), dollars(claims)) == (260, 707, 967)
    # Use is another question: claim 6 cancels 2 or 5, the packet does not say which; both were paid nothing.
    assert standing(part_a_claims) == {"2", "4", "7"}
    assert standing(part_b_claims) == {"92"}


def test_the_worked_example_of_final_action(samples: Path, tmp_path: Path) -> None:
    rows = rows_of(samples / "worked_example_final_action.csv")
    headers = [
        part_a(
            CUR_CLM_UNIQ_ID=row["CUR_CLM_UNIQ_ID"],
            BENE_MBI_ID=row["BENE_MBI_ID"],
            PRVDR_OSCAR_NUM=row["CLM_BLG_PRVDR_OSCAR_NUM"],
            **{name: row[name] for name in ("CLM_FROM_DT", "CLM_THRU_DT", "CLM_ADJSMT_TYPE_CD", "CLM_EFCTV_DT")},
        )
        for row in rows
    ]
    # The example's records name one person by two numbers; the vault makes them one.
    expected = {row["CUR_CLM_UNIQ_ID"] for row in rows if row["EXPECTED_FINAL_ACTION"] == "Y"}
    assert standing(claims_of(cclf(tmp_path, {"CCLF1": headers}))) == expected == {"3333333333333"}


# By scenario of the sample: its claims, which of them stand, and what they cost in all. Numbers without their zeros.
SCENARIOS = {
    "S01 plain claims of every kind": ("1001-1006", {1001, 1002, 1003, 1004, 1005, 1006}, 21_666.40),
    "S02 original, cancellation, adjustment": ("1008-1010", {1010}, 325.50),
    "S03 the adjustment stands before its cancellation": ("1011-1013", {1012}, 190.00),
    "S04 the packet's own example": ("1014-1020", {1015, 1017, 1020}, 260.00),
    "S05 two stays that share their key": ("1021-1022", {1021, 1022}, 11_065.50),
    "S06 one of two that share their key is cancelled": ("1023-1025", {1024}, 95.00),
    "S07 cancelled in a later delivery, nothing instead": ("1026-1027", set(), 0.00),
    "S08 cancellation and adjustment of what was never delivered": ("1028-1029", {1029}, 250.00),
    "S08 a cancellation of what was never delivered": ("1030-1030", set(), -76.25),
    "S09 an adjustment alone": ("1031-1031", {1031}, 2_210.75),
    "S10 the adjustment corrects the last day, and so the key": ("1032-1034", {1034}, 7_480.00),
    "S11 adjusted twice, the last one later": ("1035-1039", {1039}, 505.00),
    "S13 denied institutional claim": ("1043-1043", {1043}, 0.00),
    "S13 denied claims and lines": ("1044-1046", {1044, 1045, 1046}, 0.00),
    "S14 cancelled and adjusted under a new MBI, institutional": ("1047-1049", {1049}, 260.00),
    "S14 the same, professional": ("1050-1052", {1052}, 101.40),
    "S23 professional, replaced as the packet describes": ("1065-1067", {1066}, 707.00),
    "S24 professional, adjusted": ("1068-1070", {1070}, 149.34),
    "S25 professional, cancelled": ("1071-1072", set(), 0.00),
    "S26 equipment, adjusted": ("1073-1075", {1075}, 89.70),
    "S26 equipment, cancelled": ("1076-1077", set(), 0.00),
}


@pytest.fixture(scope="module")
def months(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return sample_deliveries(samples / "samples", tmp_path_factory.mktemp("samples"))


def everything(path: Path) -> list[Reading]:
    day = datetime.strptime(path.name.split(".")[4], "D%y%m%d").replace(tzinfo=UTC).date()
    return list(read(replace(source(DeliveryKind.CCLF, path, synthetic=True), dated=day)))


@pytest.fixture(scope="module")
def delivered(months: list[Path]) -> dict[int, MedicareClaim]:
    """Every claim of the four months by its number; what comes again is the same."""
    found: dict[int, MedicareClaim] = {}
    for path in months:
        for claim in claims_of(path):
            assert found.setdefault(int(claim.record_id), claim) == claim
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_stands_and_what_it_cost(delivered: dict[int, MedicareClaim], scenario: str) -> None:
    numbers, stand, cost = SCENARIOS[scenario]
    first, last = map(int, numbers.split("-"))
    claims = [claim for number, claim in sorted(delivered.items()) if first <= number <= last]
    assert len(claims) == last - first + 1
    assert standing(claims) == {str(number) for number in stand}
    assert round(dollars(claims), 2) == cost


def test_the_samples_are_read_whole_and_as_record_by_record(samples: Path, months: list[Path]) -> None:
    assert len(months) == 4
    records_delivered = {
        (file, row["CUR_CLM_UNIQ_ID"], row["FILE_DATE"])
        for file in ("cclf1", "cclf5", "cclf6")
        for row in rows_of(samples / "samples" / f"{file}.csv")
    }
    counts: dict[str, int] = defaultdict(int)
    for path in months:
        for reading in everything(path):
            name = reading.payload.__name__ if isinstance(reading, EncodedClaims) else type(reading).__name__
            counts[name] += len(reading.claims) if isinstance(reading, EncodedClaims) else 1
        expected = read_row_by_row(path, synthetic=True)
        assert expected.faults == []
    assert counts["MedicareClaim"] == len(records_delivered) == 78
    assert counts["PartDEvent"] == 10
    assert counts["PersonRecord"] == counts["Demographics"] == 120
    assert counts["MbiChange"] == 29
    assert counts["Defect"] == 0


def test_part_d_events(months: list[Path]) -> None:
    events = [
        record.payload
        for path in months
        for record in records(everything(path))
        if isinstance(record.payload, PartDEvent)
    ]
    first = next(event for event in events if event.record_id.endswith("1007"))
    assert (first.national_drug_code, first.quantity, first.days_supply) == ("00003089421", "30", 30)
    assert (first.prescriber_npi, first.pharmacy_npi, first.patient_paid_cents) == ("1999900156", "1999900149", 4700)
    assert (first.filled_on, first.version) == (date(2025, 1, 15), 20250118)


def test_all_diagnoses_of_an_institutional_claim(delivered: dict[int, MedicareClaim]) -> None:
    assert delivered[1001].diagnosis_codes[:3] == ("I5023", "N179", "E1122")


def test_changes_of_mbi_and_the_chain_they_make(months: list[Path]) -> None:
    changes = {
        (change.previous, change.current)
        for path in months
        for change in everything(path)
        if isinstance(change, MbiChange)
    }
    chain = [synthetic(f"9TT0FK0XX{number}") for number in (81, 82, 15)]
    assert {(chain[0], chain[1]), (chain[1], chain[2])} <= changes


def test_dual_status_over_the_deliveries(samples: Path, months: list[Path]) -> None:
    """Of each month the newest delivery up to it whose code is not blank; before the first, the first."""
    known: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in months:
        for reading in everything(path):
            if isinstance(reading, PersonRecord) and isinstance(reading.payload, MedicareCoverageStatedData):
                span = reading.payload.spans[0]
                if span.dual_status_code is not None:
                    known[reading.references[0].value].append((span.first_month, span.dual_status_code))
    with (samples / "samples" / "expected_dual_status.csv").open(encoding="utf-8", newline="") as lines:
        expected = list(csv.DictReader(lines))
    assert len(expected) == 5
    for row in expected:
        stated = known[synthetic(row["BENE_MBI_ID"])]
        for month in (row["first_month"], row["last_month"]):
            before = [code for since, code in stated if since <= month]
            assert (before[-1] if before else stated[0][1]) == row["expected_dual"], row["scenario"]
