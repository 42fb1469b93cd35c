"""Reading at volume equals reading record by record: byte for byte, fault for fault."""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from cclf_row_by_row import read_row_by_row
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from intake_files import MBI, NEW_MBI, OTHER_MBI, cclf, fixed, part_a, part_b, source

from contracts.claims import MedicareClaim, PartDEvent
from contracts.delivery import DeliveryKind
from infra.simulator.simulation import simulate
from services.intake.readers import cclf_engine
from services.intake.readers.cclf import read
from services.intake.readers.cclf_columns import CLAIM_FILES
from services.intake.readers.records import layout
from services.intake.reading import Defect, EncodedClaims

People = dict[tuple[str, type], list[bytes]]


def at_volume(path: Path, *, synthetic: bool = False) -> tuple[People, list[tuple[str, int, str | None, str]]]:
    claims: People = defaultdict(list)
    faults = []
    for reading in read(source(DeliveryKind.CCLF, path, synthetic=synthetic)):
        if isinstance(reading, EncodedClaims):
            claims[reading.reference.value, reading.payload] += reading.claims
        elif isinstance(reading, Defect) and "ZC8" not in reading.file and "ZC9" not in reading.file:
            file = reading.file.split(".")[3]
            faults.append((f"CCLF{file[2]}", reading.line, reading.field, reading.reason))
    return dict(claims), sorted(faults, key=str)


def assert_equal(path: Path, *, synthetic: bool = False) -> None:
    expected = read_row_by_row(path, synthetic=synthetic)
    claims, faults = at_volume(path, synthetic=synthetic)
    first = {(file, line): (file, line, *why) for file, line, *why in sorted(expected.faults, key=str, reverse=True)}
    assert faults == sorted(first.values(), key=str)
    assert claims == dict(expected.claims)
    for (_, payload), encoded in claims.items():
        for claim in encoded:
            payload.model_validate_json(claim)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_deliveries_of_the_simulator(tmp_path: Path, seed: int) -> None:
    simulate(tmp_path, people=40, months=3, seed=seed)
    paths = [path for path in sorted((tmp_path / "deliveries").rglob("P.D*")) if path.is_file()]
    assert len(paths) >= 3
    for path in paths:
        assert_equal(path, synthetic=True)


def detail(file: str, number: str = "1000000000001", mbi: str = MBI, **values: str) -> str:
    given = {
        "CCLF2": {"CLM_LINE_NUM": "1", "CLM_LINE_PROD_REV_CTR_CD": "0450", "CLM_LINE_CVRD_PD_AMT": "11876.42"},
        "CCLF3": {"CLM_VAL_SQNC_NUM": "1", "CLM_PRCDR_CD": "0DTJ4ZZ", "CLM_PRCDR_PRFRM_DT": "2022-01-04"},
        "CCLF4": {"CLM_VAL_SQNC_NUM": "1", "CLM_DGNS_CD": "N179"},
        "CCLF7": {
            "CLM_TYPE_CD": "01",
            "CLM_LINE_FROM_DT": "2022-01-15",
            "CLM_LINE_NDC_CD": "00003089421",
            "CLM_LINE_SRVC_UNIT_QTY": "000000000000000030.0000",
            "CLM_LINE_DAYS_SUPLY_QTY": "000000030",
            "PRVDR_PRSBNG_ID_QLFYR_CD": "01",
            "CLM_PRSBNG_PRVDR_GNRC_ID_NUM": "1999900156",
            "PRVDR_SRVC_ID_QLFYR_CD": "07",
            "CLM_SRVC_PRVDR_GNRC_ID_NUM": "1999900149",
            "CLM_LINE_BENE_PMT_AMT": " 000000047.00",
            "CLM_ADJSMT_TYPE_CD": "0",
            "CLM_EFCTV_DT": "1000-01-01",
            "CLM_IDR_LD_DT": "2022-01-18",
            "CLM_LINE_RX_FILL_NUM": "000000000",
        },
        "CCLFA": {"CLM_PBP_INCLSN_AMT": "12000.00", "CLM_PBP_RDCTN_AMT": "123.58"},
        "CCLFB": {"CLM_LINE_NUM": "1", "CLM_PBP_INCLSN_AMT": "100.21", "CLM_PBP_RDCTN_AMT": " 2.00"},
    }[file]
    return fixed(file, {"CUR_CLM_UNIQ_ID": number, "BENE_MBI_ID": mbi} | given | values)


def equipment(**values: str) -> str:
    shared = {
        "CUR_CLM_UNIQ_ID": "6000000000001",
        "CLM_LINE_NUM": "1",
        "BENE_MBI_ID": MBI,
        "CLM_TYPE_CD": "82",
        "CLM_ADJSMT_TYPE_CD": "0",
        "CLM_LINE_CVRD_PD_AMT": "12.00",
        "CLM_LINE_ALOWD_CHRG_AMT": "-0000000000013.50",
    }
    days = dict.fromkeys(("CLM_FROM_DT", "CLM_THRU_DT", "CLM_LINE_FROM_DT", "CLM_LINE_THRU_DT"), "2022-01-05")
    return fixed("CCLF6", shared | days | values)


def delivered() -> dict[str, list[str]]:
    """A delivery with something in every file, of three people."""
    return {
        "CCLF1": [
            part_a(DGNS_DRG_CD="0291", FAC_PRVDR_NPI_NUM="1999900016"),
            part_a(CUR_CLM_UNIQ_ID="1000000000002", BENE_MBI_ID=OTHER_MBI, CLM_TYPE_CD="40", CLM_PMT_AMT="80.00"),
            part_a(CUR_CLM_UNIQ_ID="1000000000003", DGNS_PRCDR_ICD_IND="9", PRNCPL_DGNS_CD="4280"),
        ],
        "CCLF2": [
            detail("CCLF2"),
            detail("CCLF2", "1000000000002", OTHER_MBI, CLM_LINE_CVRD_PD_AMT="30.00", CLM_LINE_HCPCS_CD="99283"),
            detail("CCLF2", "1000000000002", OTHER_MBI, CLM_LINE_NUM="2", CLM_LINE_CVRD_PD_AMT="49.00"),
            detail("CCLF2", "1000000000003", CLM_LINE_FROM_DT="2022-01-06", CLM_LINE_THRU_DT="2022-01-06"),
        ],
        "CCLF3": [
            detail("CCLF3", CLM_VAL_SQNC_NUM="2"),
            detail("CCLF3", CLM_PRCDR_CD="0.9A"),
            detail("CCLF3"),
            detail("CCLF3", "1000000000002", OTHER_MBI, CLM_PRCDR_CD="HZ2ZZZZ"),
        ],
        "CCLF4": [
            detail("CCLF4", CLM_VAL_SQNC_NUM="3", CLM_DGNS_CD="F1020"),
            detail("CCLF4", CLM_VAL_SQNC_NUM="2"),
            detail("CCLF4", CLM_DGNS_CD="I50.23"),
            detail("CCLF4", CLM_DGNS_CD="4281", DGNS_PRCDR_ICD_IND="9"),
        ],
        "CCLF5": [
            part_b(CLM_LINE_NUM="2", CLM_LINE_DGNS_CD="F10.20"),
            part_b(CUR_CLM_UNIQ_ID="5000000000002", BENE_MBI_ID=NEW_MBI, CLM_DGNS_3_CD="I10", CLM_DGNS_4_CD="~"),
            part_b(CLM_LINE_NUM="1", CLM_PRCSG_IND_CD="N", CLM_LINE_CVRD_PD_AMT=""),
        ],
        "CCLF6": [equipment(), equipment(CLM_LINE_NUM="2", CLM_CARR_PMT_DNL_CD="0")],
        "CCLF7": [detail("CCLF7"), detail("CCLF7", "7000000000002", OTHER_MBI, CLM_LINE_SRVC_UNIT_QTY="-2.5")],
        "CCLFA": [detail("CCLFA")],
        "CCLFB": [
            detail("CCLFB", "5000000000001"),
            detail("CCLFB", "6000000000001", CLM_LINE_NUM="2", CLM_PBP_INCLSN_AMT=""),
        ],
    }


def test_every_file_of_a_delivery(tmp_path: Path) -> None:
    path = cclf(tmp_path, delivered())
    assert_equal(path)
    claims, faults = at_volume(path)
    assert faults == []
    assert len(claims[MBI, MedicareClaim]) == 4
    assert len(claims[MBI, PartDEvent]) == 1


FIELDS = [(file, column.element) for file, columns in CLAIM_FILES.items() for column in columns]
ODD = (
    "", "~", "?", "0", "9", "1000-01-01", "9999-12-31", "2022-02-29", "2024-02-29", "2100-01-01", "2022-13-01",
    "1849-12-31", "20220105", " 2022-01-5", "infinity", "1e5", "1E3.00", "-5", "+5.00", "-.05", ".5", "5.", "5.000", "5.001",
    "1_0", "1,0", "--1", "NaN", "99999999999999", "1000000000000.01", "0000000000", "00000000000", "1EG4TE5MK73",
    "1eg4te5mk73", "1S00A00AA00", "x-1EG4TE5MK73", "a.b", "i50.23", "E11.9", "99214", "9921", "G04A9", "g04a9", "A", "R", "d",
    "\x00", "\xe9", "\t1", '"', "\\", "\x7f", "\x1f", "1.0e2", "2022-01-05 (BC)", "1.00.00", "\xb2", "-0.00", "30.0000", "100",
    "0.1000", "-",
)  # fmt: skip


def with_text(file: str, element: str, line: str, text: str) -> str:
    """The line with another text in an element."""
    place = next(one for one in layout(file) if one.label == element)
    width = place.end - place.start + 1
    return line[: place.start - 1] + text[:width].ljust(width) + line[place.end :]


@pytest.mark.parametrize("file", CLAIM_FILES)
def test_odd_texts_in_every_field(tmp_path: Path, file: str) -> None:
    good = delivered()
    lines = good[file] + [
        with_text(file, element, good[file][number % len(good[file])], odd)
        for name, element in FIELDS
        for number, odd in enumerate(ODD)
        if name == file
    ]
    assert_equal(cclf(tmp_path, good | {file: lines}))


RECORDS = st.fixed_dictionaries(
    {file: st.lists(st.sampled_from(lines), max_size=9) for file, lines in delivered().items()}
)
MUTATIONS = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(FIELDS), st.text(st.characters(max_codepoint=255), max_size=12)),
    max_size=12,
)


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(records=RECORDS, mutations=MUTATIONS, share_bytes=st.sampled_from([300, 2_000, 1 << 20]))
def test_anything_in_any_order(
    tmp_path: Path, records: dict[str, list[str]], mutations: list[tuple[int, tuple[str, str], str]], share_bytes: int
) -> None:
    for number, (file, element), text in mutations:
        lines = records[file]
        if lines:
            line = lines[number % len(lines)]
            lines[number % len(lines)] = with_text(file, element, line, text.replace("\n", ""))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cclf_engine, "SHARE_BYTES", share_bytes)
        patched.setattr(cclf_engine, "_LARGEST_SHARE", 1 << 20)
        assert_equal(cclf(tmp_path, records))


def test_shares_and_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [f"{1 + number % 9}EG4TE5MK{number:02d}" for number in range(60)]
    dice = random.Random(7)
    lines = [
        part_b(
            CUR_CLM_UNIQ_ID=str(10**12 + number // 3), CLM_LINE_NUM=str(number % 3 + 1), BENE_MBI_ID=people[number // 9]
        )
        for number in range(540)
    ]
    headers = [part_a(CUR_CLM_UNIQ_ID=str(2 * 10**12 + number), BENE_MBI_ID=mbi) for number, mbi in enumerate(people)]
    diagnoses = [
        detail("CCLF4", str(2 * 10**12 + number % 60), people[number % 60], CLM_VAL_SQNC_NUM=str(number // 60 + 1))
        for number in range(240)
    ]
    for rows in (lines, headers, diagnoses):
        dice.shuffle(rows)
    path = cclf(tmp_path, {"CCLF1": headers, "CCLF4": diagnoses, "CCLF5": lines})
    whole = at_volume(path)
    monkeypatch.setattr(cclf_engine, "SHARE_BYTES", 20_000)
    monkeypatch.setattr("services.intake.readers.cclf_cutting.BLOCK_BYTES", 5_000)
    monkeypatch.setattr("services.intake.readers.cclf_cutting._FLUSH_BYTES", 700)
    assert at_volume(path) == whole
    assert_equal(path)


def test_a_person_with_more_claims_than_memory_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cclf_engine, "SHARE_BYTES", 1_000)
    lines: Sequence[str] = [part_b(CUR_CLM_UNIQ_ID=str(10**12 + number)) for number in range(100)]
    path = cclf(tmp_path, {"CCLF5": lines})
    with pytest.raises(cclf_engine.RefusedDelivery) as refused:
        at_volume(path)
    assert refused.value.reason_code == "too_many_claims"


@pytest.mark.parametrize(
    ("count", "codes", "reason"),
    [(1000, 1, None), (1001, 1, "too_many_lines"), (61, 61, "too_many_diagnoses"), (60, 57, None)],
)
def test_bounds_of_a_claim(tmp_path: Path, count: int, codes: int, reason: str | None) -> None:
    lines = [
        part_b(CLM_LINE_NUM=str(number + 1), CLM_LINE_DGNS_CD=f"Z{100 + number % codes}") for number in range(count)
    ]
    path = cclf(tmp_path, {"CCLF5": lines})
    assert_equal(path)
    assert {fault[3] for fault in at_volume(path)[1]} == ({reason} if reason else set())
