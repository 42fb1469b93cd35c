"""A state's own eligibility files: the lessons that agencies learnt, and what every row is held to."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from state_files import (
    COUNTY_LIKE,
    GENERIC,
    NAME,
    county,
    county_row,
    faults,
    generic,
    read_all,
    row,
    short,
    statements,
    text_of,
    told,
)

from contracts.medicaid import EnrolmentSource
from services.intake.reading import Defect, Demographics, PersonRecord, PersonReference, RefusedDelivery
from services.intake.registry import recognise

TODAY = date(2022, 7, 20)


# A feed that ends early must not turn a dual into a non-dual.


def test_a_feed_that_ends_early_states_nothing_behind_its_end(tmp_path: Path) -> None:
    """Everybody's row is closed in March, because the file was cut there; one row runs on by mistake."""
    rows = [county_row(MEDICAID_RECIPIENT_ID=f"W{number}", RAC_TO_DATE="2022-03-31") for number in range(9)]
    rows.append(county_row(MEDICAID_RECIPIENT_ID="W9", RAC_TO_DATE="2022-06-30"))
    readings = read_all(county(tmp_path, rows))
    assert told(readings)["known through 2022-03"] == 1
    for statement in statements(readings):
        assert statement.known_through == "2022-03"
        assert list(short(statement.spans)) == [("2022-01", "2022-03", True, "qmb_plus", "02")]


def test_an_end_that_the_file_knows_of_is_stated(tmp_path: Path) -> None:
    rows = [row(END_DATE="20220331"), row(MEDICAID_ID="M2", MEDICARE_ID="6U50TE7GG18")]
    first, second = statements(read_all(generic(tmp_path, rows)))
    assert list(short(first.spans)) == [
        ("2022-01", "2022-03", True, "qmb_plus", "02"),
        ("2022-04", "2022-06", False, None, None),
    ]
    assert list(short(second.spans)) == [("2022-01", "2022-06", True, "qmb_plus", "02")]


def test_a_person_of_whom_one_row_cannot_be_read_does_not_lose_the_months_of_that_row(tmp_path: Path) -> None:
    rows = [
        row(END_DATE="20220331"),
        row(BEGIN_DATE="20220401", PROGRAMME="QMBPLUS"),
        row(MEDICAID_ID="M2", MEDICARE_ID=""),
    ]
    readings = read_all(generic(tmp_path, rows))
    assert [statement.spans[0].programme for statement in statements(readings)] == ["qmb_plus"]
    assert faults(readings) == [(2, None, "withheld_with_the_person"), (3, "PROGRAMME", "not_in_code_list")]


# Renamed and misspelt codes are refused, not guessed.


@pytest.mark.parametrize("code", ["qmb_plus", "QMB PLUS", "QMB_PLUSS", "QMBPLUS", "Q", "02", "QMB_PLUS?"])
def test_a_misspelt_code_is_refused(tmp_path: Path, code: str) -> None:
    readings = read_all(generic(tmp_path, [row(PROGRAMME=code)]))
    assert not statements(readings)
    assert faults(readings) == [(2, "PROGRAMME", "not_in_code_list")]
    (about_codes,) = [what for what in told(readings) if what.startswith("unknown code")]
    assert about_codes.startswith(f"unknown code in PROGRAMME: {len(code)} character")
    assert len(code) < 3 or code not in about_codes


def test_a_code_that_was_renamed_is_refused_until_the_mapping_knows_it(tmp_path: Path) -> None:
    readings = read_all(county(tmp_path, [county_row(RAC_CODE="1104A")]))
    assert faults(readings) == [(2, "RAC_CODE", "not_in_code_list")]


def test_a_column_that_was_renamed_refuses_the_file(tmp_path: Path) -> None:
    header = [label if label != "RAC_CODE" else "RPRTBL_RAC_CODE" for label in COUNTY_LIKE]
    path = county(tmp_path, [county_row()], header)
    with pytest.raises(RefusedDelivery) as refused:
        recognise(path, TODAY)
    assert refused.value.reason_code == "missing_column"
    assert "RAC_CODE" in refused.value.detail


# Which programme covered this person in this month has one answer, with its source.


def test_the_programme_ranked_first_covers_the_month_and_says_why(tmp_path: Path) -> None:
    rows = [row(PROGRAMME="MEDICAID"), row(PROGRAMME="SLMB_PLUS", BEGIN_DATE="20220301", END_DATE="20220430")]
    (statement,) = statements(read_all(generic(tmp_path, rows)))
    assert list(short(statement.spans)) == [
        ("2022-01", "2022-02", True, "medicaid_without_medicare", "00"),
        ("2022-03", "2022-04", True, "slmb_plus", "04"),
        ("2022-05", "2022-06", True, "medicaid_without_medicare", "00"),
    ]
    assert statement.spans[1].programme_basis == "row 3 says SLMB_PLUS, ranked before row 2: MEDICAID"
    assert statement.spans[0].programme_basis == "row 2 says MEDICAID"


def test_two_programmes_of_one_rank_in_one_month_are_told_and_nothing_is_stated(tmp_path: Path) -> None:
    rows = [row(), row(PROGRAMME="SLMB_PLUS", BEGIN_DATE="20220601"), row(BEGIN_DATE="20210101", END_DATE="20211231")]
    readings = read_all(generic(tmp_path, rows))
    assert not statements(readings)
    assert faults(readings) == [
        (2, "PROGRAMME", "contradicting_programmes"),
        (3, "PROGRAMME", "contradicting_programmes"),
        (4, None, "withheld_with_the_person"),
    ]


def test_a_dual_status_that_contradicts_the_programme_is_not_guessed(tmp_path: Path) -> None:
    readings = read_all(generic(tmp_path, [row(DUAL_STATUS="01")]))
    assert faults(readings) == [(2, "DUAL_STATUS", "contradicts_the_programme")]


def test_a_benefit_level_that_contradicts_the_programme_is_not_guessed(tmp_path: Path) -> None:
    readings = read_all(county(tmp_path, [county_row(DUALELIGIBLE_INDICATOR="Partial Dual")]))
    assert faults(readings) == [(2, "DUALELIGIBLE_INDICATOR", "contradicts_the_code")]


def test_two_dual_status_codes_of_one_programme_contradict_each_other(tmp_path: Path) -> None:
    rows = [row(PROGRAMME="CHIP", DUAL_STATUS="10"), row(PROGRAMME="CHIP", DUAL_STATUS="00")]
    assert faults(read_all(generic(tmp_path, rows))) == [
        (2, "PROGRAMME", "contradicting_dual_status"),
        (3, "PROGRAMME", "contradicting_dual_status"),
    ]


# Rows and people.


def test_a_person_with_all_that_the_file_says(tmp_path: Path) -> None:
    readings = read_all(generic(tmp_path, [row(PLAN_ID="MCO1", PLAN_TYPE="01", AID_CODE="17", DEATH_DATE="20220610")]))
    (record,) = [reading for reading in readings if isinstance(reading, PersonRecord)]
    (statement,) = statements(readings)
    assert record.references == (PersonReference("mbi", "1EG4TE5MK73"), PersonReference("medicaid", "OH:M1"))
    assert (record.state, statement.state, statement.source) == ("OH", "OH", EnrolmentSource.STATE_FILE)
    assert (statement.stated_on, statement.known_through) == (date(2022, 7, 15), "2022-06")
    assert (statement.birth_date, statement.sex_code, statement.death_date) == (
        date(1945, 6, 12),
        "2",
        date(2022, 6, 10),
    )
    (span,) = statement.spans
    assert (span.plan_id, span.plan_type_code, span.aid_code, span.county_fips) == ("MCO1", "01", "17", "39049")
    assert Demographics(record.references[0], "DOE", "JO", date(1945, 6, 12), "2") in readings


def test_a_county_of_three_digits_lies_in_the_state_of_the_row(tmp_path: Path) -> None:
    (statement,) = statements(read_all(county(tmp_path, [county_row()])))
    assert (statement.state, statement.spans[0].county_fips, statement.spans[0].plan_id) == ("WA", "53033", "P9")


def test_the_same_row_twice_is_one(tmp_path: Path) -> None:
    (once,) = statements(read_all(generic(tmp_path, [row()])))
    (twice,) = statements(read_all(generic(tmp_path, [row(), row()])))
    assert once == twice


def test_two_plans_in_a_month_are_two_spans(tmp_path: Path) -> None:
    rows = [row(PLAN_ID="A"), row(PLAN_ID="B", BEGIN_DATE="20220501")]
    (statement,) = statements(read_all(generic(tmp_path, rows)))
    assert [(span.first_month, span.last_month, span.plan_id) for span in statement.spans] == [
        ("2022-01", "2022-04", "A"),
        ("2022-05", "2022-06", "A"),
        ("2022-05", "2022-06", "B"),
    ]


def test_who_begins_behind_the_horizon_is_named_and_not_stated(tmp_path: Path) -> None:
    readings = read_all(generic(tmp_path, [row(BEGIN_DATE="20220701")]))
    assert not statements(readings)
    assert told(readings)["people whose rows begin after what the file knows"] == 1
    assert any(isinstance(reading, Demographics) for reading in readings)


# What is wrong with a row: the value, the field that is told, the reason.

BAD_ROWS = [
    ("no identifier", {"MEDICAID_ID": ""}, "MEDICAID_ID", "missing"),
    ("formula", {"LAST_NAME": "=HYPERLINK(1)"}, "LAST_NAME", "formula"),
    ("formula in a plan", {"PLAN_ID": "@SUM(A1)"}, "PLAN_ID", "formula"),
    ("bad date", {"BEGIN_DATE": "20220231"}, "BEGIN_DATE", "not_a_date"),
    ("date of another form", {"BEGIN_DATE": "2022-01-01"}, "BEGIN_DATE", "not_a_date"),
    ("short date", {"BIRTH_DATE": "1945612"}, "BIRTH_DATE", "not_a_date"),
    ("date long ago", {"BIRTH_DATE": "18450612"}, "BIRTH_DATE", "date_out_of_range"),
    ("no beginning", {"BEGIN_DATE": ""}, "BEGIN_DATE", "missing"),
    ("ends before it begins", {"END_DATE": "20211231"}, "END_DATE", "ends_before_it_begins"),
    ("died before birth", {"DEATH_DATE": "19450101"}, "DEATH_DATE", "died_before_birth"),
    ("no MBI", {"MEDICARE_ID": "1EG4TE5MK7"}, "MEDICARE_ID", "not_an_mbi"),
    ("synthetic MBI", {"MEDICARE_ID": "1S00A00AA00"}, "MEDICARE_ID", "not_an_mbi"),
    ("MBI in a plan", {"PLAN_ID": "1EG4TE5MK73"}, "PLAN_ID", "identifier"),
    ("long plan", {"PLAN_ID": "P" * 21}, "PLAN_ID", "too_long"),
    ("unknown sex", {"SEX": "X"}, "SEX", "not_in_code_list"),
    ("expired dual status", {"PROGRAMME": "CHIP", "DUAL_STATUS": "07"}, "DUAL_STATUS", "not_in_code_list"),
    ("county of letters", {"COUNTY_FIPS": "COOK"}, "COUNTY_FIPS", "not_a_code"),
    ("plan type of letters", {"PLAN_TYPE": "MC"}, "PLAN_TYPE", "not_a_code"),
    ("NUL", {"LAST_NAME": "D\x01E", "AID_CODE": "123456789"}, "AID_CODE", "too_long"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "values", "field", "reason"), BAD_ROWS, ids=[case for case, *_ in BAD_ROWS])
def test_a_bad_row_is_a_defect_that_says_where_and_why_and_never_what(
    tmp_path: Path, case: str, values: dict[str, str], field: str, reason: str
) -> None:
    good = row(MEDICAID_ID="M2", MEDICARE_ID="6U50TE7GG18")
    readings = read_all(generic(tmp_path, [row(**values), good]))
    (defect,) = [reading for reading in readings if isinstance(reading, Defect)]
    assert (defect.file, defect.line, defect.field, defect.reason) == (NAME, 2, field, reason), case
    assert len(statements(readings)) == 1
    assert defect.raw.decode().count(",") == len(GENERIC) - 1
    for value in filter(None, values.values()):
        assert value not in f"{defect.found} {defect.expected} {defect.reason}"


def test_people_who_are_told_of_otherwise_in_another_row(tmp_path: Path) -> None:
    rows = [row(END_DATE="20220331"), row(BEGIN_DATE="20220401", BIRTH_DATE="19450613")]
    assert faults(read_all(generic(tmp_path, rows))) == [
        (2, "BIRTH_DATE", "contradicting_rows"),
        (3, "BIRTH_DATE", "contradicting_rows"),
    ]


def test_a_row_of_another_width_is_nobodys(tmp_path: Path) -> None:
    path = generic(tmp_path, [row(), row(MEDICAID_ID="M2", MEDICARE_ID="")])
    path.write_text(path.read_text(encoding="utf-8").replace("M2,", "M2,,", 1), encoding="utf-8")
    readings = read_all(path)
    assert faults(readings) == [(3, None, "wrong_number_of_columns")]
    assert len(statements(readings)) == 1


# What is wrong with a file: how it is made, and the reason it is refused for.

WHOLE = text_of([row()], GENERIC, "TRL,1")
BAD_FILES = [
    ("wrong count", WHOLE.replace("TRL,1", "TRL,2").encode(), "wrong_record_count"),
    ("count of letters", WHOLE.replace("TRL,1", "TRL,one").encode(), "wrong_record_count"),
    ("no trailer", WHOLE.replace("TRL,1\n", "").encode(), "truncated_file"),
    ("rows after the trailer", (WHOLE + "x,y\n").encode(), "truncated_file"),
    ("missing column", WHOLE.replace(",AID_CODE", "").encode(), "missing_column"),
    ("renamed column", WHOLE.replace("END_DATE", "STOP_DATE").encode(), "missing_column"),
    ("another column", WHOLE.replace("END_DATE", "END_DATE,EXTRA").encode(), "unknown_column"),
    ("doubled column", WHOLE.replace("AID_CODE", "PLAN_ID").encode(), "duplicate_column"),
    ("UTF-16", WHOLE.encode("utf-16"), "wrong_encoding"),
    ("Latin-1 where UTF-8 is due", WHOLE.replace("DOE", "DÖE").encode("latin-1"), "wrong_encoding"),
    ("another delimiter", WHOLE.replace(",", ";").encode(), "wrong_delimiter"),
    ("broken quotes", WHOLE.replace("DOE", '"DOE').encode(), "truncated_file"),
    ("no rows", text_of([], GENERIC, "TRL,0").encode(), "empty_file"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "content", "reason"), BAD_FILES, ids=[case for case, *_ in BAD_FILES])
def test_a_bad_file_is_refused(tmp_path: Path, case: str, content: bytes, reason: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    assert refused.value.reason_code == reason, case
    assert "M1" not in str(refused.value)


def test_a_byte_order_mark_is_of_no_matter(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert len(statements(read_all(path))) == 1
    assert recognise(path, TODAY).source == "OH:generic"


def test_a_file_that_knows_of_the_future_is_refused(tmp_path: Path) -> None:
    path = generic(tmp_path, [row()], name=NAME.replace("202206", "202208"))
    with pytest.raises(RefusedDelivery) as refused:
        read_all(path)
    assert refused.value.reason_code == "wrong_period"


# Whatever the bytes, there are readings, defects or a refusal; and no identifier in what is told.


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 12), st.binary(max_size=8)), min_size=1, max_size=4
    )
)
def test_damage_gives_readings_or_reasons(tmp_path: Path, cuts: list[tuple[int, int, bytes]]) -> None:
    content = bytearray(text_of([row(), row(MEDICAID_ID="M2", MEDICARE_ID="")], GENERIC, "TRL,2").encode())
    for place, length, put in cuts:
        content[place : place + length] = put
    path = tmp_path / NAME
    path.write_bytes(bytes(content))
    said: list[str | None] = []
    try:
        readings = read_all(path)
        for reading in readings:
            if isinstance(reading, Defect):
                said += [reading.field, reading.reason, reading.found, reading.expected]
        said += list(told(readings))
    except RefusedDelivery as refusal:
        said.append(str(refusal))
    assert not any("1EG4TE5MK73" in text for text in said if text)
