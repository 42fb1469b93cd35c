"""T-MSIS claims as CMS's analytic tables write them, as CSV and as Parquet, and everything that can be wrong with them."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_files import HEADER, HEADER_ROW, LINE_ROW, defects, medicaid, records, source
from tmsis_files import Form, Rows, csv_of, delivery, parquet_of, told

from contracts.claims import MedicaidClaim
from contracts.delivery import DeliveryKind
from services.intake.readers.medicaid_claims import read
from services.intake.readers.medicaid_elements import missing_amounts
from services.intake.reading import Defect, Reading, RefusedDelivery, Source
from services.intake.registry import recognise
from services.intake.rules.denial import denial_policy, medicaid_claim_is_denied, medicaid_line_is_denied
from services.intake.rules.medicaid_claim_traits import claim_codes, traits_of, untold

NAME = "TMSIS.OH.D220215.T120000.zip"
FORMS: tuple[Form, ...] = ("csv", "parquet")
KEYS = {"OT": "OT_LINK_KEY", "IP": "IP_LINK_KEY", "LT": "LT_LINK_KEY", "RX": "RX_LINK_KEY"}


def read_all(path: Path, dated: date = date(2022, 2, 15)) -> list[Reading]:
    return list(read(Source(DeliveryKind.MEDICAID_CLAIMS, path.name, (path,), dated, False, "OH")))


def claims_of(readings: list[Reading]) -> list[MedicaidClaim]:
    found = [record.payload for record in records(readings)]
    return [payload for payload in found if isinstance(payload, MedicaidClaim)]


def header(kind: str, **values: str) -> dict[str, str]:
    """A header of CMS's analytic table of the kind."""
    row = {
        KEYS[kind]: "K1", "MSIS_IDENT_NUM": "M1", "SUBMTG_STATE_CD": "39", "ORGNL_CLM_NUM": "C1", "ADJSTMT_CLM_NUM": "",
        "ADJSTMT_IND": "0", "ADJDCTN_DT": "2022-01-20", "CLM_TYPE_CD": "1", "MC_PLAN_ID": "", "XOVR_IND": "0",
        "BLG_PRVDR_NPI_NUM": "1999999999", "TOT_MDCD_PD_AMT": "120.00", "TOT_MDCR_DDCTBL_AMT": "",
        "TOT_MDCR_COINSRNC_AMT": "",
    }  # fmt: skip
    days = {"RX": ("RX_FILL_DT",), "IP": ("ADMSN_DT", "DSCHRG_DT")}.get(kind, ("SRVC_BGNNG_DT", "SRVC_ENDG_DT"))
    row |= dict.fromkeys(days, "2022-01-03")
    if kind in {"IP", "LT"}:
        row["MDCR_PD_AMT"] = ""
    if kind != "RX":
        row |= {"DGNS_1_CD": "I10", "DGNS_2_CD": "E11.9"}
    return row | values


def line(kind: str, **values: str) -> dict[str, str]:
    """A line of CMS's analytic table of the kind."""
    row = {
        KEYS[kind]: "K1", "MSIS_IDENT_NUM": "M1", "SUBMTG_STATE_CD": "39", "ORGNL_CLM_NUM": "C1", "ADJSTMT_CLM_NUM": "",
        "LINE_NUM": "1", "TOS_CD": "012", "CLL_STUS_CD": "", "MDCD_PD_AMT": "120.00",
    }  # fmt: skip
    if kind != "RX":
        row |= {"SRVC_BGNNG_DT": "2022-01-03", "SRVC_ENDG_DT": "2022-01-04", "REV_CD": "0450"}
    if kind == "OT":
        row |= {"PRCDR_CD": "99213", "HCBS_SRVC_CD": "", "MDCR_PD_AMT": ""}
    return row | values


def taf(folder: Path, kind: str, headers: Rows, lines: Rows, form: Form = "csv", **more: Any) -> Path:
    tables: dict[str, Rows | bytes] = {f"TAF_{kind}H": headers, f"TAF_{kind}L": lines}
    return delivery(folder, tables, form=form, name=NAME, **more)


# The analytic tables.


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["IP", "LT", "OT", "RX"])
def test_every_kind_of_table(tmp_path: Path, kind: str, form: Form) -> None:
    second = line(kind, LINE_NUM="2", MDCD_PD_AMT="0.00")
    path = taf(tmp_path, kind, [header(kind)], [line(kind), second], form)
    assert recognise(path, date(2022, 2, 20)).kind is DeliveryKind.MEDICAID_CLAIMS
    readings = read_all(path)
    (claim,) = claims_of(readings)
    assert not defects(readings)
    assert (claim.record_id, claim.file_type, claim.version, claim.paid_cents) == ("OH:C1", kind, 202201200, 12_000)
    assert [one.paid_cents for one in claim.lines] == [12_000, 0]
    assert claim.service_from == date(2022, 1, 3)
    assert claim.lines[0].service_through == date(2022, 1, 3 if kind == "RX" else 4)
    assert claim.diagnosis_codes == (() if kind == "RX" else ("I10", "E119"))
    assert claim.lines[0].procedure_code == ("99213" if kind == "OT" else None)
    assert claim.lines[0].revenue_code == (None if kind == "RX" else "0450")


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_and_both_sets_of_labels_give_the_same_claim(tmp_path: Path, form: Form) -> None:
    ours = medicaid(tmp_path, [HEADER_ROW.replace(",I10,E119", ",I10,E119")], [LINE_ROW])
    (expected,) = claims_of(read_all(ours))
    row = line("OT", SRVC_ENDG_DT="2022-01-07", REV_CD="")
    theirs = taf(tmp_path, "OT", [header("OT", SRVC_ENDG_DT="2022-01-07")], [row], form)
    (found,) = claims_of(read_all(theirs))
    assert found == expected


def test_labels_in_small_letters_and_a_derived_end(tmp_path: Path) -> None:
    headers = [
        {label.lower(): cell for label, cell in header("OT", SRVC_ENDG_DT="", SRVC_ENDG_DT_DRVD="2022-01-09").items()}
    ]
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", headers, [line("OT")])))
    assert claim.service_through == date(2022, 1, 9)


def test_the_link_key_goes_before_the_claim_numbers(tmp_path: Path) -> None:
    headers = [header("OT"), header("OT", OT_LINK_KEY="K2", ADJSTMT_IND="4", TOT_MDCD_PD_AMT="90.00")]
    lines = [line("OT", OT_LINK_KEY="K2", MDCD_PD_AMT="90.00"), line("OT")]
    found = claims_of(read_all(taf(tmp_path, "OT", headers, lines)))
    assert [(claim.version, claim.lines[0].paid_cents) for claim in found] == [(202201200, 12_000), (202201201, 9_000)]


def test_medicares_payment_is_that_of_the_lines_where_the_header_has_none(tmp_path: Path) -> None:
    lines = [line("OT", MDCR_PD_AMT="80.00"), line("OT", LINE_NUM="2", MDCR_PD_AMT="888888888.88", MDCD_PD_AMT="0.00")]
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT", XOVR_IND="1")], lines)))
    assert (claim.crossover, claim.medicare_paid_cents) == (True, 8_000)


@pytest.mark.parametrize(("code", "waiver"), [("4", True), ("1", False), ("", False)])
def test_a_service_under_a_community_waiver(tmp_path: Path, code: str, *, waiver: bool) -> None:
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT")], [line("OT", HCBS_SRVC_CD=code)])))
    assert claim.lines[0].waiver_benefit is waiver


@pytest.mark.parametrize("code", ["0000", "888", "9999999", "#"])
def test_a_diagnosis_that_is_filled_up_is_none(tmp_path: Path, code: str) -> None:
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT", DGNS_2_CD=code)], [line("OT")])))
    assert claim.diagnosis_codes == ("I10",)


# Amounts that are none.


@pytest.mark.parametrize(
    ("label", "amount"), [(label, cents) for label, amounts in missing_amounts().items() for cents in sorted(amounts)]
)
def test_an_amount_that_fills_its_element_is_none(tmp_path: Path, label: str, amount: int) -> None:
    text = f"{amount // 100}.{amount % 100:02d}0"
    headers = [header("IP", **({label: text} if label != "MDCD_PD_AMT" else {}))]
    lines = [line("IP", **({label: text} if label == "MDCD_PD_AMT" else {}))]
    (claim,) = claims_of(read_all(taf(tmp_path, "IP", headers, lines)))
    match label:
        case "TOT_MDCD_PD_AMT":
            assert claim.paid_cents == 12_000
        case "MDCD_PD_AMT":
            assert claim.lines[0].paid_cents == 0
        case _:
            assert (claim.medicare_paid_cents, claim.medicare_deductible_cents, claim.medicare_coinsurance_cents) == (
                None, None, None,
            )  # fmt: skip


@pytest.mark.parametrize("amount", ["999999.99", "8888888.87", "888888.88"])
def test_an_amount_that_only_looks_like_a_filler_is_one(tmp_path: Path, amount: str) -> None:
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT", TOT_MDCD_PD_AMT=amount)], [line("OT")])))
    assert claim.paid_cents == int(amount.replace(".", ""))


# Denials.


@pytest.mark.parametrize(
    ("values", "denied"),
    [
        ({}, False),
        ({"CLM_DND_IND": "0"}, True),
        ({"CLM_DND_IND": "1"}, False),
        ({"CLM_TYPE_CD": "Z"}, True),
        ({"CLM_STUS_CD": "026"}, True),
        ({"CLM_STUS_CD": "654"}, True),
        ({"CLM_STUS_CD": "1"}, False),
        ({"CLM_STUS_CTGRY_CD": "F2"}, True),
        ({"CLM_STUS_CTGRY_CD": "F1"}, False),
    ],
)
def test_any_of_the_ways_to_say_so_denies_a_claim(tmp_path: Path, values: dict[str, str], *, denied: bool) -> None:
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT", **values)], [line("OT")])))
    assert claim.denied is denied


@pytest.mark.parametrize(("status", "denied"), [("542", True), ("0585", True), ("", False), ("1", False)])
def test_a_line_is_denied_by_its_status(tmp_path: Path, status: str, *, denied: bool) -> None:
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT")], [line("OT", CLL_STUS_CD=status)])))
    assert claim.lines[0].denied is denied


def test_the_rule_of_denial_asks_each_code() -> None:
    policy = denial_policy()
    assert not medicaid_claim_is_denied(None, None, None, "1", policy)
    assert medicaid_claim_is_denied(None, "87", None, "1", policy)
    assert not medicaid_line_is_denied(None, None, policy)
    assert medicaid_line_is_denied("0", None, policy)


# Claim types.


@pytest.mark.parametrize("code", [*"12345", *"ABCDE", *"UVWXY"])
def test_every_claim_type_is_kept_as_it_is(tmp_path: Path, code: str) -> None:
    (claim,) = claims_of(read_all(taf(tmp_path, "OT", [header("OT", CLM_TYPE_CD=code)], [line("OT")])))
    assert (claim.claim_type_code, claim.denied) == (code, False)


@pytest.mark.parametrize("code", ["6", "F", "", "12", "I0"])
def test_another_claim_type_is_a_defect(tmp_path: Path, code: str) -> None:
    found = defects(read_all(taf(tmp_path, "OT", [header("OT", CLM_TYPE_CD=code)], [line("OT")])))
    assert found[0] == (2, "CLM_TYPE_CD", "not_in_code_list" if code else "missing")
    assert found[1] == (2, "ICN_ORIG", "line_without_header")


# What is told of a delivery.


def test_a_delivery_tells_how_complete_it_is(tmp_path: Path) -> None:
    headers = [
        header("OT", OT_LINK_KEY=key, ORGNL_CLM_NUM=key, CLM_TYPE_CD=kind, TOT_MDCD_PD_AMT=paid, XOVR_IND=crossover)
        for key, kind, paid, crossover in (
            ("A", "3", "0.00", "0"), ("B", "C", "10.00", "0"), ("C", "2", "500.00", ""), ("D", "1", "7.00", "0"),
            ("E", "2", "1.00", "0"), ("F", "1", "2.00", "1"),
        )
    ]  # fmt: skip
    lines = [
        line("OT", OT_LINK_KEY=key, ORGNL_CLM_NUM=key, MDCD_PD_AMT=paid, TOS_CD=service)
        for key, paid, service in (
            ("A", "0.00", "012"), ("B", "9.00", "012"), ("C", "500.00", "119"), ("D", "7.00", "139"),
            ("E", "1.00", "012"),
        )
    ]  # fmt: skip
    found = told(read_all(taf(tmp_path, "OT", headers, lines)))
    assert {what: count for what, count in found.items() if "tables" not in what} == {
        "OT encounters": 2,
        "OT encounters without a paid amount": 1,
        "OT claims that do not tell whether Medicare paid first": 1,
        "OT claims whose lines do not add up to the header": 1,
        "OT claims whose type and type of service disagree about capitation": 1,
        "OT payments of premiums or health homes": 1,
        "OT headers without lines": 1,
    }


def test_what_an_extract_does_not_tell_at_all_is_told(tmp_path: Path) -> None:
    found = told(read_all(taf(tmp_path, "RX", [header("RX")], [line("RX")])))
    assert found == {
        "RX tables without a column that tells denied claims": 1,
        "RX tables without a column that tells what Medicare paid": 1,
    }


@pytest.mark.parametrize(
    ("kind", "of_header", "of_line", "says"),
    [
        ("OT", set(), set(), ()),
        ("OT", {"denial_code", "status_code"}, set(), ()),
        ("OT", {"denial_code", "status_code", "status_category"}, set(), ("denied claims",)),
        ("OT", set(), {"denial_code"}, ()),
        ("OT", set(), {"denial_code", "status_code"}, ("denied lines",)),
        ("OT", {"medicare_paid_cents"}, set(), ()),
        ("OT", {"medicare_paid_cents"}, {"medicare_paid_cents"}, ("what Medicare paid",)),
        ("OT", set(), {"waiver_benefit", "community_service"}, ("services of a waiver",)),
        ("IP", set(), {"waiver_benefit", "community_service", "procedure_code"}, ()),
        ("OT", set(), {"procedure_code"}, ("procedures",)),
        ("LT", set(), {"service_through"}, ("days of lines",)),
        ("RX", set(), {"service_from", "service_through"}, ()),
    ],
)
def test_what_no_column_tells(kind: str, of_header: set[str], of_line: set[str], says: tuple[str, ...]) -> None:
    found = untold(kind, frozenset(of_header), frozenset(of_line))
    assert len(found) == len(says)
    assert all(what.endswith(said) for what, said in zip(found, says, strict=True))


@pytest.mark.parametrize(("paid", "amounts", "says"), [
    (None, [1], False), (0, [], False), (3, [1, 2], False), (3, [1, 1], True), (3, [1, None], False), (0, [0], False),
])  # fmt: skip
def test_lines_that_do_not_add_up(paid: int | None, amounts: list[int | None], *, says: bool) -> None:
    lines = [{"paid_cents": cents, "type_of_service_code": "012"} for cents in amounts]
    traits = traits_of({"paid_cents": paid, "claim_type_code": "1", "crossover": False}, lines, claim_codes())
    assert ("claims whose lines do not add up to the header" in traits) is says


# Bad input, by what is wrong.

BAD_HEADERS = [
    ("wrong state", {"SUBMTG_STATE_CD": "18"}, "SUBMTG_STATE_CD", "wrong_state"),
    ("adjudicated after the delivery", {"ADJDCTN_DT": "20220216"}, "ADJDCTN_DT", "after_the_delivery"),
    ("bad date", {"ADJDCTN_DT": "2022-13-01"}, "ADJDCTN_DT", "not_a_date"),
    ("bad amount", {"TOT_MDCD_PD_AMT": "1,2"}, "TOT_MDCD_PD_AMT", "not_an_amount"),
    ("fraction of a cent", {"TOT_MDCD_PD_AMT": "1.005"}, "TOT_MDCD_PD_AMT", "not_an_amount"),
    ("formula", {"ORGNL_CLM_NUM": "=1+2"}, "ORGNL_CLM_NUM", "formula"),
    ("identifier", {"ORGNL_CLM_NUM": "1EG4TE5MK73"}, "ORGNL_CLM_NUM", "identifier"),
    ("formula in a plan", {"MC_PLAN_ID": "+cmd"}, "MC_PLAN_ID", "formula"),
    ("adjustment", {"ADJSTMT_IND": "5"}, "ADJSTMT_IND", "not_in_code_list"),
    ("crossover", {"XOVR_IND": "2"}, "XOVR_IND", "not_in_code_list"),
    ("ends before it begins", {"SRVC_ENDG_DT": "20220102"}, "SRVC_ENDG_DT", "ends_before_it_begins"),
    ("slipped identifier", {"ORGNL_CLM_NUM": "M1"}, "MSIS_IDENT_NUM", "identifier"),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("case", "values", "field", "reason"), BAD_HEADERS, ids=[case for case, *_ in BAD_HEADERS])
def test_a_bad_header_is_a_defect(
    tmp_path: Path, case: str, values: dict[str, str], field: str, reason: str, *, form: Form
) -> None:
    good = header("OT", OT_LINK_KEY="K2", ORGNL_CLM_NUM="C2")
    readings = read_all(taf(tmp_path, "OT", [header("OT", **values), good], [line("OT", OT_LINK_KEY="K2")], form))
    assert defects(readings) == [(1 if form == "parquet" else 2, field, reason)], case
    assert len(claims_of(readings)) == 1
    (defect,) = [reading for reading in readings if isinstance(reading, Defect)]
    assert defect.file == f"TAF_OTH.{form}"
    assert defect.found is not None
    assert defect.expected is not None
    assert not any(value in f"{defect.found} {defect.expected}" for value in values.values() if len(value) > 2)


def _typed(label: str, kind: str) -> Any:
    return lambda folder: parquet_of([header("OT")], folder, {label: kind})


@pytest.mark.parametrize(
    ("case", "made", "reason"),
    [
        ("dollars as fractions", _typed("TOT_MDCD_PD_AMT", "DOUBLE"), "wrong_column_type"),
        ("claim numbers as numbers", _typed("MC_PLAN_ID", "BIGINT"), "wrong_column_type"),
        ("a flag as a truth", _typed("XOVR_IND", "BOOLEAN"), "wrong_column_type"),
        ("a day with a time", _typed("ADJDCTN_DT", "TIMESTAMP"), "wrong_column_type"),
        ("no file at all", lambda _: b"", "corrupted_parquet"),
    ],
)
def test_parquet_of_wrong_types_is_refused(tmp_path: Path, case: str, made: Any, reason: str) -> None:
    tables: dict[str, Rows | bytes] = {"TAF_OTH": made(tmp_path), "TAF_OTL": parquet_of([line("OT")], tmp_path)}
    with pytest.raises(RefusedDelivery) as refused:
        read_all(delivery(tmp_path, tables, form="parquet", name=NAME))
    assert refused.value.reason_code == reason, case


def test_parquet_of_exact_types_is_read(tmp_path: Path) -> None:
    headers = parquet_of(
        [header("OT")], tmp_path, {"TOT_MDCD_PD_AMT": "DECIMAL(13,2)", "ADJDCTN_DT": "DATE", "SRVC_BGNNG_DT": "DATE"}
    )
    lines = parquet_of([line("OT")], tmp_path, {"LINE_NUM": "INTEGER", "MDCD_PD_AMT": "DECIMAL(18,4)"})
    path = delivery(tmp_path, {"TAF_OTH": headers, "TAF_OTL": lines}, form="parquet", name=NAME)
    (claim,) = claims_of(read_all(path))
    assert (claim.paid_cents, claim.lines[0].paid_cents, claim.lines[0].line_number) == (12_000, 12_000, 1)


@pytest.mark.parametrize(
    ("case", "old", "new", "reason"),
    [
        ("UTF-16", "", "", "wrong_encoding"),
        ("another delimiter", ",", ";", "wrong_delimiter"),
        ("renamed column", "XOVR_IND", "CROSSOVER", "missing_column"),
        ("missing link", "ORGNL_CLM_NUM", "CLAIM", "missing_column"),
        ("doubled column", "XOVR_IND", "MC_PLAN_ID", "duplicate_column"),
        ("broken quotes", "M1", '"M1', "truncated_file"),
    ],
)
def test_a_bad_table_refuses_the_delivery(tmp_path: Path, case: str, old: str, new: str, reason: str) -> None:
    text = csv_of([header("OT")]).decode()
    content = text.encode("utf-16") if case == "UTF-16" else text.replace(old, new).encode()
    tables: dict[str, Rows | bytes] = {"TAF_OTH": content, "TAF_OTL": [line("OT")]}
    with pytest.raises(RefusedDelivery) as refused:
        read_all(delivery(tmp_path, tables, name=NAME))
    assert refused.value.reason_code == reason, case


def test_a_byte_order_mark_is_of_no_matter(tmp_path: Path) -> None:
    tables: dict[str, Rows | bytes] = {"TAF_OTH": b"\xef\xbb\xbf" + csv_of([header("OT")]), "TAF_OTL": [line("OT")]}
    assert len(claims_of(read_all(delivery(tmp_path, tables, name=NAME)))) == 1


def test_a_header_table_without_its_lines(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        read_all(delivery(tmp_path, {"TAF_OTH": [header("OT")]}, name=NAME))
    assert refused.value.reason_code == "missing_member"


def test_the_files_may_lie_in_a_folder(tmp_path: Path) -> None:
    assert len(claims_of(read_all(taf(tmp_path, "OT", [header("OT")], [line("OT")], inside="TMSIS/")))) == 1


def test_more_rows_than_fit_into_memory_are_dealt_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.intake.readers.partitions.LARGEST_IN_MEMORY", 1)
    monkeypatch.setattr("services.intake.readers.partitions.grouped.__defaults__", (2_000,))
    keys = [f"K{number}" for number in range(60)]
    headers = [header("OT", OT_LINK_KEY=key, ORGNL_CLM_NUM=key) for key in keys]
    lines = [line("OT", OT_LINK_KEY=key, ORGNL_CLM_NUM=key) for key in reversed(keys)]
    for form in FORMS:
        found = claims_of(read_all(taf(tmp_path, "OT", headers, lines, form)))
        assert Counter(claim.record_id for claim in found) == Counter(f"OH:{key}" for key in keys)
        assert all(len(claim.lines) == 1 for claim in found)


# Whatever the bytes, there are readings, defects or a refusal; and no identifier in what is told.

CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=6)), min_size=1, max_size=3)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cuts=CUTS, form=st.sampled_from(FORMS), of_header=st.booleans())
def test_damage_gives_readings_or_reasons(
    tmp_path: Path, cuts: list[tuple[float, int, bytes]], form: Form, *, of_header: bool
) -> None:
    rows = [header("OT", MSIS_IDENT_NUM="1EG4TE5MK73")], [line("OT", MSIS_IDENT_NUM="1EG4TE5MK73")]
    contents = [bytearray(csv_of(one) if form == "csv" else parquet_of(one, tmp_path)) for one in rows]
    content = contents[0 if of_header else 1]
    for share, length, put in cuts:
        place = int(share * len(content))
        content[place : place + length] = put
    tables: dict[str, Rows | bytes] = {"TAF_OTH": bytes(contents[0]), "TAF_OTL": bytes(contents[1])}
    try:
        readings = read_all(delivery(tmp_path, tables, form=form, name=NAME))
        found = [one for one in readings if isinstance(one, Defect)]
        said = str([(one.field, one.reason, one.found, one.expected) for one in found]) + str(told(readings))
    except RefusedDelivery as refusal:
        said = str(refusal)
    assert "1EG4TE5MK73" not in said


def test_the_old_layout_is_read_as_before(tmp_path: Path) -> None:
    readings = list(
        read(source(DeliveryKind.MEDICAID_CLAIMS, medicaid(tmp_path, [HEADER_ROW], [LINE_ROW], header=HEADER)))
    )
    assert len(claims_of(readings)) == 1
