"""T-MSIS eligibility, managed care and waivers: annual tables and monthly rows, CSV and Parquet."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_files import defects
from tmsis_files import (
    NAME,
    Form,
    Rows,
    base_row,
    care_row,
    csv_of,
    delivery,
    monthly_row,
    parquet_of,
    read_all,
    statements,
    told,
    waiver_row,
)

from contracts.codes import HealthPlan
from contracts.delivery import DeliveryKind
from contracts.medicaid import EnrolmentSource, MedicaidEnrolmentSpan
from services.intake.reading import Defect, Demographics, PersonRecord, PersonReference, RefusedDelivery
from services.intake.registry import recognise

TODAY = date(2022, 7, 20)
FORMS: tuple[Form, ...] = ("csv", "parquet")
SECOND = {"MSIS_IDENT_NUM": "M2", "MDCR_BENE_ID": ""}


def annual(folder: Path, *rows: dict[str, str], **others: Rows) -> Path:
    return delivery(folder, {"TMSIS_DE_BASE": rows, **{f"TMSIS_{part}": table for part, table in others.items()}})


def months_of(spans: tuple[MedicaidEnrolmentSpan, ...]) -> list[tuple[str, str | None, bool, str | None]]:
    return [(span.first_month, span.last_month, span.enrolled, span.dual_status_code) for span in spans]


# What is stated.


@pytest.mark.parametrize("form", FORMS)
def test_twelve_months_a_row_with_plans_waivers_and_names(tmp_path: Path, form: Form) -> None:
    names = [
        {
            "SUBMTG_STATE_CD": "39",
            "MSIS_IDENT_NUM": "M1",
            "DE_FIL_DT": "2022",
            "ELGBL_1ST_NAME": "JO",
            "ELGBL_LAST_NAME": "DOE",
        }
    ]
    care = care_row({(month, 1): ("MCO1", "01") for month in range(1, 7)} | {(3, 16): ("DENTAL", "14")})
    tables: dict[str, Rows | bytes] = {
        "TAF_ANN_DE_BASE": [base_row({1: "02", 2: "02", 3: "02", 4: None, 6: "08"})],
        "TAF_ANN_DE_MC": [care],
        "TAF_ANN_DE_WVR": [waiver_row({(1, 1): ("OH.0198", "07"), (1, 10): ("OH.1", "20")})],
        "TAF_ANN_DE_CNTCT_DTLS": names,
    }
    path = delivery(tmp_path, tables, form=form)
    assert recognise(path, TODAY).kind is DeliveryKind.MEDICAID_ELIGIBILITY
    readings = read_all(path)
    (record,) = [reading for reading in readings if isinstance(reading, PersonRecord)]
    (statement,) = statements(readings)
    assert record.references == (PersonReference("mbi", "1EG4TE5MK73"), PersonReference("medicaid", "OH:M1"))
    assert (statement.source, statement.state, statement.known_through) == (EnrolmentSource.TMSIS, "OH", "2022-06")
    assert (statement.birth_date, statement.sex_code, statement.stated_on) == (
        date(1945, 6, 12),
        "2",
        date(2022, 7, 15),
    )
    assert months_of(statement.spans) == [
        ("2022-01", "2022-01", True, "02"),
        ("2022-02", "2022-02", True, "02"),
        ("2022-03", "2022-03", True, "02"),
        ("2022-03", "2022-03", True, "02"),
        ("2022-04", "2022-04", True, None),
        ("2022-05", "2022-05", False, None),
        ("2022-06", "2022-06", True, "08"),
    ]
    first = statement.spans[0]
    assert (first.waiver_ids, first.waiver_type_codes) == (("OH.0198", "OH.1"), ("07", "20"))
    assert (first.county_fips, first.eligibility_group_code, first.restricted_benefits_code) == ("39049", "11", "1")
    assert (first.programme, first.programme_basis) == ("medicaid", "T-MSIS: days of Medicaid enrolment")
    assert [(span.plan_id, span.plan_type_code) for span in statement.spans[2:4]] == [("MCO1", "01"), ("DENTAL", "14")]
    assert Demographics(record.references[0], "DOE", "JO", date(1945, 6, 12), "2") in readings
    assert not defects(readings)


@pytest.mark.parametrize("form", FORMS)
def test_months_behind_those_that_the_file_knows_of_are_not_stated(tmp_path: Path, form: Form) -> None:
    """A file made in July holds zeros for the months to come, and for June, which was not compiled yet."""
    rows = [
        base_row(dict.fromkeys(range(1, 6), "02"), MSIS_IDENT_NUM=f"M{number}", MDCR_BENE_ID="") for number in range(9)
    ]
    rows.append(base_row(dict.fromkeys(range(1, 7), "02"), **SECOND | {"MSIS_IDENT_NUM": "M9"}))
    readings = read_all(delivery(tmp_path, {"TMSIS_DE_BASE": rows}, form=form))
    assert told(readings)["known through 2022-05"] == 1
    assert {statement.spans[-1].last_month for statement in statements(readings)} == {"2022-05"}


def test_an_end_within_what_the_file_knows_is_stated(tmp_path: Path) -> None:
    path = annual(tmp_path, base_row({1: "02", 2: "02"}), base_row(**SECOND))
    assert months_of(statements(read_all(path))[0].spans) == [
        ("2022-01", "2022-02", True, "02"),
        ("2022-03", "2022-06", False, None),
    ]


def test_no_dual_is_kept_as_t_msis_writes_it(tmp_path: Path) -> None:
    (statement,) = statements(read_all(annual(tmp_path, base_row({1: "00", 2: "0"}))))
    assert months_of(statement.spans) == [("2022-01", "2022-02", True, "00")]


@pytest.mark.parametrize(("dual", "plan"), [("02", HealthPlan.PACE), ("00", None), (None, None)])
def test_who_has_medicare_and_is_in_pace_is_in_a_medicare_health_plan(
    tmp_path: Path, dual: str | None, plan: HealthPlan | None
) -> None:
    care = care_row({(1, 1): ("P1", "17")})
    (statement,) = statements(read_all(annual(tmp_path, base_row({1: dual}), DE_MC=[care])))
    assert (statement.spans[0].health_plan, statement.spans[0].plan_type_code) == (plan, "17")


def test_integrated_care_for_duals_is_kept_as_a_code(tmp_path: Path) -> None:
    (statement,) = statements(read_all(annual(tmp_path, base_row({1: "02"}), DE_MC=[care_row({(1, 1): ("D1", "80")})])))
    assert (statement.spans[0].health_plan, statement.spans[0].plan_type_code) == (None, "80")


def test_chip_is_told_apart(tmp_path: Path) -> None:
    row = base_row({1: "02"}) | {"MDCD_ENRLMT_DAYS_01": "0", "CHIP_ENRLMT_DAYS_01": "31", "DUAL_ELGBL_CD_01": "10"}
    (statement,) = statements(read_all(annual(tmp_path, row)))
    assert (statement.spans[0].programme, statement.spans[0].dual_status_code) == ("chip", "10")
    monthly = delivery(tmp_path, {"TMSIS_BSF": [monthly_row(CHIP_CD="3")]})
    assert statements(read_all(monthly))[0].spans[0].programme == "chip"


@pytest.mark.parametrize("form", FORMS)
def test_one_month_a_row(tmp_path: Path, form: Form) -> None:
    rows = [
        monthly_row("202204"), monthly_row("202205", DUAL_ELGBL_CD="", MC_PLAN_ID2="D9", MC_PLAN_TYPE_CD2="14"),
        monthly_row("202204", **SECOND), monthly_row("202206", **SECOND),
    ]  # fmt: skip
    readings = read_all(delivery(tmp_path, {"TAF_MON_BSF": rows}, form=form, inside="extract/"))
    first, second = statements(readings)
    assert first.known_through == "2022-06"
    assert [(span.first_month, span.enrolled, span.plan_id) for span in first.spans] == [
        ("2022-04", True, "MCO1"), ("2022-05", True, "MCO1"), ("2022-05", True, "D9"), ("2022-06", False, None),
    ]  # fmt: skip
    assert [(span.first_month, span.enrolled) for span in second.spans] == [
        ("2022-04", True), ("2022-05", False), ("2022-06", True),
    ]  # fmt: skip
    assert any(isinstance(reading, Demographics) and reading.family_name == "DOE" for reading in readings)


@pytest.mark.parametrize(
    ("code", "level"),
    [("003", "nursing_facility"), ("3", "nursing_facility"), ("001", "hospital"), ("005", None), ("", None)],
)
def test_the_level_of_care_that_is_certified_and_the_mark_of_a_demonstration(
    tmp_path: Path, code: str, level: str | None
) -> None:
    rows = [
        monthly_row(CARE_LVL_STUS_CD=code, SECT_1115A_DEMO_IND="1"),
        monthly_row(CARE_LVL_STUS_CD="", SECT_1115A_DEMO_IND="0", **SECOND),
    ]
    first, second = statements(read_all(delivery(tmp_path, {"TMSIS_BSF": rows})))
    assert (first.spans[0].level_of_care, first.spans[0].demonstration) == (level, True)
    assert (second.spans[0].level_of_care, second.spans[0].demonstration) == (None, False)


def test_a_mark_that_is_none_is_a_defect(tmp_path: Path) -> None:
    rows = [monthly_row(SECT_1115A_DEMO_IND="Y"), monthly_row(SECT_1115A_DEMO_IND="", **SECOND)]
    found = [one for one in read_all(delivery(tmp_path, {"TMSIS_BSF": rows})) if isinstance(one, Defect)]
    assert [(one.field, one.reason) for one in found] == [("SECT_1115A_DEMO_IND", "not_in_code_list")]


def test_of_a_month_that_no_row_is_about_nothing_is_stated(tmp_path: Path) -> None:
    rows = [monthly_row("202203"), monthly_row("202206", **SECOND)]
    (first, _) = statements(read_all(delivery(tmp_path, {"TMSIS_BSF": rows})))
    assert [(span.first_month, span.enrolled) for span in first.spans] == [("2022-03", True), ("2022-06", False)]


def test_the_primary_determinant_is_the_one(tmp_path: Path) -> None:
    rows = [monthly_row(PRMRY_ELGBLTY_GRP_IND="0", DUAL_ELGBL_CD="00"), monthly_row()]
    readings = read_all(delivery(tmp_path, {"TMSIS_BSF": rows}))
    assert months_of(statements(readings)[0].spans) == [("2022-06", "2022-06", True, "02")]
    assert told(readings)["rows that are not the primary one"] == 1


def test_a_person_month_without_a_primary_row_withholds_the_person(tmp_path: Path) -> None:
    rows = [monthly_row("202205"), monthly_row("202206", PRMRY_ELGBLTY_GRP_IND="0")]
    assert [reason for *_, reason in defects(read_all(delivery(tmp_path, {"TMSIS_BSF": rows})))] == [
        "no_primary_row"
    ] * 2


def test_names_in_utf_8_come_out_as_they_were_written(tmp_path: Path) -> None:
    readings = read_all(delivery(tmp_path, {"TMSIS_BSF": [monthly_row(ELGBL_LAST_NAME="NUÑEZ")]}))
    assert [one.family_name for one in readings if isinstance(one, Demographics)] == ["NUÑEZ"]


# What is wrong with a row.

BAD_BASE: list[tuple[str, dict[str, str], str | None, str]] = [
    ("no state", {"SUBMTG_STATE_CD": ""}, "SUBMTG_STATE_CD", "missing"),
    ("wrong state", {"SUBMTG_STATE_CD": "18"}, "SUBMTG_STATE_CD", "wrong_state"),
    ("no state at all", {"SUBMTG_STATE_CD": "77"}, "SUBMTG_STATE_CD", "not_a_state"),
    ("no number", {"MSIS_IDENT_NUM": ""}, "MSIS_IDENT_NUM", "missing"),
    ("formula", {"MSIS_IDENT_NUM": "=1+1"}, "MSIS_IDENT_NUM", "formula"),
    ("no MBI", {"MDCR_BENE_ID": "123456789A"}, "MDCR_BENE_ID", "not_an_mbi"),
    ("bad birth", {"BIRTH_DT": "19451361"}, "BIRTH_DT", "not_a_date"),
    ("birth long ago", {"BIRTH_DT": "1850-01-01"}, "BIRTH_DT", "date_out_of_range"),
    ("sex", {"SEX_CD": "1"}, "SEX_CD", "not_in_code_list"),
    ("dual expired", {"DUAL_ELGBL_CD_03": "07"}, "DUAL_ELGBL_CD_03", "not_in_code_list"),
    ("dual misspelt", {"DUAL_ELGBL_CD_03": "QMB"}, "DUAL_ELGBL_CD_03", "not_in_code_list"),
    ("dual without enrolment", {"DUAL_ELGBL_CD_09": "", "MDCD_ENRLMT_DAYS_03": "0"}, "DUAL_ELGBL_CD_03", "contradicts_enrolment"),
    ("days of no month", {"MDCD_ENRLMT_DAYS_02": "29"}, "MDCD_ENRLMT_DAYS_02", "not_a_count_of_days"),
    ("CHIP days of no month", {"CHIP_ENRLMT_DAYS_04": "31"}, "CHIP_ENRLMT_DAYS_04", "not_a_count_of_days"),
    ("too many days", {"MDCD_ENRLMT_DAYS_01": "32"}, "MDCD_ENRLMT_DAYS_01", "not_a_count_of_days"),
    ("days not told", {"MDCD_ENRLMT_DAYS_01": ""}, "MDCD_ENRLMT_DAYS_01", "missing"),
    ("days of letters", {"MDCD_ENRLMT_DAYS_01": "all"}, "MDCD_ENRLMT_DAYS_01", "not_a_whole_number"),
    ("county", {"ELGBL_CNTY_CD": "49"}, "ELGBL_CNTY_CD", "not_a_code"),
    ("group", {"ELGBLTY_GRP_CD_01": "ADULTS"}, "ELGBLTY_GRP_CD_01", "too_long"),
    ("period", {"DE_FIL_DT": "22"}, "DE_FIL_DT", "not_a_code"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "values", "field", "reason"), BAD_BASE, ids=[case for case, *_ in BAD_BASE])
def test_a_bad_row_is_a_defect_and_the_rest_goes_on(
    tmp_path: Path, case: str, values: dict[str, str], field: str, reason: str
) -> None:
    readings = read_all(annual(tmp_path, base_row(**values), base_row(**SECOND)))
    assert defects(readings) == [(2, field, reason)], case
    assert len(statements(readings)) == 1
    for defect in (reading for reading in readings if isinstance(reading, Defect)):
        assert not any(
            value and value in f"{defect.found} {defect.expected}" for value in values.values() if len(value) > 2
        )


def test_a_bad_row_of_one_table_withholds_all_of_the_person(tmp_path: Path) -> None:
    care = care_row({(1, 1): ("1EG4TE5MK73", "01")})
    other = care_row({(1, 1): ("MCO1", "01")}) | SECOND
    other.pop("MDCR_BENE_ID")
    readings = read_all(annual(tmp_path, base_row(), base_row(**SECOND), DE_MC=[care, other]))
    assert sorted(defects(readings), key=str) == [
        (2, "MC_PLAN_ID1_01", "identifier"),
        (2, None, "withheld_with_the_person"),
    ]
    assert len(statements(readings)) == 1


@pytest.mark.parametrize(
    ("case", "tables", "reasons"),
    [
        ("plans of nobody", {"DE_MC": [care_row({}) | {"MSIS_IDENT_NUM": "M9"}]}, ["no_base_row"]),
        ("plans of another year", {"DE_MC": [care_row({}) | {"DE_FIL_DT": "2021"}]}, ["wrong_period"] * 2),
        ("two rows of plans", {"DE_MC": [care_row({}), care_row({(1, 1): ("A", "01")})]},
         ["withheld_with_the_person", "withheld_with_the_person", "more_than_one_row"]),
    ],
)  # fmt: skip
def test_tables_that_do_not_agree(tmp_path: Path, case: str, tables: dict[str, Rows], reasons: list[str]) -> None:
    assert [reason for *_, reason in defects(read_all(annual(tmp_path, base_row(), **tables)))] == reasons, case


def test_the_same_row_twice_is_one_and_another_one_is_a_contradiction(tmp_path: Path) -> None:
    assert len(statements(read_all(annual(tmp_path, base_row(), base_row())))) == 1
    readings = read_all(annual(tmp_path, base_row(), base_row(SEX_CD="M")))
    assert [reason for *_, reason in defects(readings)] == ["withheld_with_the_person", "more_than_one_row"]


def test_a_row_of_another_width_is_nobodys(tmp_path: Path) -> None:
    content = csv_of([base_row(), base_row(**SECOND)]).replace(b"M2,", b"M2,,")
    readings = read_all(delivery(tmp_path, {"TMSIS_DE_BASE": content}, counts={"TMSIS_DE_BASE": 2}))
    assert defects(readings) == [(3, None, "wrong_number_of_columns")]
    assert len(statements(readings)) == 1


# What is wrong with a delivery.


def _encrypted(folder: Path) -> bytes:
    return b"PARE" + parquet_of([base_row()], folder)[4:-4] + b"PARE"


def _damaged_footer(folder: Path) -> bytes:
    whole = parquet_of([base_row()], folder)
    return whole[:-200] + bytes(196) + whole[-4:]


def _cut(folder: Path) -> bytes:
    return parquet_of([base_row()], folder)[:-9]


def _typed(label: str, kind: str) -> Any:
    return lambda folder: parquet_of([base_row()], folder, {label: kind})


@pytest.mark.parametrize(
    ("case", "made", "reason"),
    [
        ("encrypted", _encrypted, "encrypted_file"),
        ("damaged footer", _damaged_footer, "corrupted_parquet"),
        ("cut", _cut, "corrupted_parquet"),
        ("no Parquet", lambda _: b"hello", "corrupted_parquet"),
        ("codes as numbers", _typed("DUAL_ELGBL_CD_01", "INTEGER"), "wrong_column_type"),
        ("days as fractions", _typed("MDCD_ENRLMT_DAYS_01", "DOUBLE"), "wrong_column_type"),
        ("numbers of people as numbers", _typed("ELGBL_CNTY_CD", "BIGINT"), "wrong_column_type"),
    ],
)
def test_bad_parquet_is_refused(tmp_path: Path, case: str, made: Any, reason: str) -> None:
    path = delivery(tmp_path, {"TMSIS_DE_BASE": made(tmp_path)}, form="parquet")
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    assert refused.value.reason_code == reason, case


def test_parquet_with_days_and_counts_of_their_own_types_is_read(tmp_path: Path) -> None:
    rows = [base_row(BIRTH_DT="1945-06-12")]
    content = parquet_of(rows, tmp_path, {"BIRTH_DT": "DATE", "MDCD_ENRLMT_DAYS_01": "INTEGER"})
    (statement,) = statements(read_all(delivery(tmp_path, {"TMSIS_DE_BASE": content}, form="parquet")))
    assert statement.birth_date == date(1945, 6, 12)


BASE = csv_of([base_row()])
BAD_DELIVERIES: list[tuple[str, dict[str, Rows | bytes], str]] = [
    ("neither", {"TMSIS_DE_MC": [care_row({})]}, "missing_member"),
    ("both", {"TMSIS_DE_BASE": BASE, "TMSIS_BSF": [monthly_row()]}, "missing_member"),
    ("monthly with annual parts", {"TMSIS_BSF": [monthly_row()], "TMSIS_DE_MC": [care_row({})]}, "unexpected_member"),
    ("two names for one", {"TMSIS_DE_BASE": BASE, "TAF_ANN_DE_BASE": BASE}, "unexpected_member"),
    ("unknown file", {"TMSIS_DE_BASE": BASE, "NOTES": b"x\n"}, "unexpected_member"),
    ("missing column", {"TMSIS_DE_BASE": BASE.replace(b"SEX_CD,", b"", 1)}, "missing_column"),
    ("renamed column", {"TMSIS_DE_BASE": BASE.replace(b"DUAL_ELGBL_CD_07", b"DUAL_CD_07", 1)}, "missing_column"),
    ("doubled column", {"TMSIS_DE_BASE": BASE.replace(b"SEX_CD", b"BIRTH_DT", 1)}, "duplicate_column"),
    ("UTF-16", {"TMSIS_DE_BASE": BASE.decode().encode("utf-16")}, "wrong_encoding"),
    ("another delimiter", {"TMSIS_DE_BASE": BASE.replace(b",", b"|")}, "wrong_delimiter"),
    ("broken quotes", {"TMSIS_DE_BASE": BASE.replace(b"M1", b'"M1', 1)}, "truncated_file"),
    ("no rows", {"TMSIS_DE_BASE": BASE.partition(b"\n")[0] + b"\n"}, "empty_file"),
    ("a year to come", {"TMSIS_DE_BASE": [base_row(DE_FIL_DT="2023")]}, "wrong_period"),
    ("two years", {"TMSIS_DE_BASE": [base_row(), base_row(DE_FIL_DT="2021")]}, "more_than_one_period"),
    ("nobody enrolled", {"TMSIS_DE_BASE": [base_row({})]}, "horizon_not_stated"),
    ("no period", {"TMSIS_DE_BASE": [base_row(DE_FIL_DT="")]}, "wrong_period"),
    ("a month to come", {"TMSIS_BSF": [monthly_row("202208")]}, "wrong_period"),
    ("a month that is none", {"TMSIS_BSF": [monthly_row("202200")]}, "wrong_period"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "tables", "reason"), BAD_DELIVERIES, ids=[case for case, *_ in BAD_DELIVERIES])
def test_a_bad_delivery_is_refused(tmp_path: Path, case: str, tables: dict[str, Rows | bytes], reason: str) -> None:
    path = delivery(tmp_path, tables, counts={"TMSIS_DE_BASE": 1})
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    assert refused.value.reason_code == reason, case


@pytest.mark.parametrize("form", FORMS)
def test_a_count_that_does_not_hold(tmp_path: Path, form: Form) -> None:
    path = delivery(tmp_path, {"TMSIS_DE_BASE": [base_row()]}, form=form, counts={"TMSIS_DE_BASE": 2})
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    assert refused.value.reason_code == "wrong_record_count"


def _archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"FILE_NAME,RECORD_COUNT\n" if name.endswith("CONTROL.csv") else b"x\n")
    return path


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "missing_member"),
        (("TMSIS_DE_BASE.csv",), "missing_member"),
        (("TMSIS_CONTROL.csv", "TMSIS_DE_BASE.csv"), "missing_member"),
        (("a/TMSIS_CONTROL.csv", "b/TMSIS_DE_BASE.csv"), "unexpected_member"),
        (("../TMSIS_CONTROL.csv",), "unexpected_member"),
        (("/TMSIS_CONTROL.csv",), "unexpected_member"),
        (("a/b/TMSIS_CONTROL.csv",), "unexpected_member"),
        (("a\\TMSIS_CONTROL.csv",), "unexpected_member"),
        (("a/b/",), "unexpected_member"),
    ],
)
def test_what_lies_in_the_archive(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        read_all(_archive(tmp_path / NAME, *names))
    assert refused.value.reason_code == reason


def test_a_name_of_an_archive_on_something_else(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"no zip")
    with pytest.raises(RefusedDelivery) as refused:
        recognise(path, TODAY)
    assert refused.value.reason_code == "corrupted_archive"


# Whatever the bytes, there are readings, defects or a refusal; and no identifier in what is told.


def _told_of(path: Path) -> str:
    try:
        readings = read_all(path)
    except RefusedDelivery as refusal:
        return str(refusal)
    said = [[one.field, one.reason, one.found, one.expected] for one in readings if isinstance(one, Defect)]
    return f"{said} {told(readings)}"


CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=6)), min_size=1, max_size=3)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(CUTS, st.sampled_from(FORMS))
def test_damage_gives_readings_or_reasons(tmp_path: Path, cuts: list[tuple[float, int, bytes]], form: Form) -> None:
    rows = [base_row(), base_row(**SECOND)]
    content = bytearray(csv_of(rows) if form == "csv" else parquet_of(rows, tmp_path))
    for share, length, put in cuts:
        place = int(share * len(content))
        content[place : place + length] = put
    path = delivery(tmp_path, {"TMSIS_DE_BASE": bytes(content)}, form=form, counts={"TMSIS_DE_BASE": 2})
    assert "1EG4TE5MK73" not in _told_of(path)
