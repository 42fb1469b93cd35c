"""Encounters that cannot be read, wholly or in part: what is told of them, and that the others go on."""

from pathlib import Path
from typing import Any

import pytest
from encounter_files import (
    AROUND,
    CLAIM,
    CODES,
    DECIDED,
    GOOD,
    HEAD,
    KIND,
    LINES,
    MBI,
    PLAN,
    claims,
    file_of,
    of,
    parts,
)
from hypothesis import given
from hypothesis import strategies as st
from x12_files import DAMAGES, SAMPLES, defects, read, written

from services.intake.reading import Defect, RefusedDelivery

BAD: list[tuple[str, str, str, str]] = [
    ("charge is no amount", CLAIM.replace("CLM*A1*300", "CLM*A1*x"), "CLM02", "not_an_amount"),
    ("charge missing", CLAIM.replace("CLM*A1*300", "CLM*A1*"), "CLM02", "missing"),
    ("unknown frequency", CLAIM.replace("11:B:1", "11:B:X"), "CLM05", "not_in_code_list"),
    ("no frequency", CLAIM.replace("11:B:1", "11"), "CLM05", "not_in_code_list"),
    ("paid is no amount", CLAIM.replace("AMT*D*120.5", "AMT*D*1,205"), "AMT02", "not_an_amount"),
    ("adjustment is no amount", CLAIM.replace("AMT*D", "CAS*CO*45*x~AMT*D"), "CAS03", "not_an_amount"),
    ("day of decision is none", CLAIM.replace("20220131", "20220231"), "DTP573", "not_a_date"),
    ("decided after the delivery", CLAIM.replace("20220131", "20230131"), "DTP573", "after_the_delivery"),
    ("no such day of service", CLAIM.replace("D8*20220103", "D8*20221303"), "DTP472", "not_a_date"),
    ("another century", CLAIM.replace("D8*20220103", "D8*18990103"), "DTP472", "date_out_of_range"),
    ("service ends before it begins", CLAIM.replace("20220104-20220107", "20220107-20220104"), "DTP472",
     "ends_before_it_begins"),
    ("half a period", CLAIM.replace("20220104-20220107", "20220104"), "DTP472", "not_a_period"),
    ("no day of service", parts(HEAD, CODES, PLAN, DECIDED, "LX*1~SV1*HC:99213*300*UN*1***1"), "DTP434",
     "no_service_date"),
    ("a line without service", parts(HEAD, CODES, PLAN, DECIDED, "LX*1~DTP*472*D8*20220103"), "LX",
     "line_without_service"),
    ("line charge is no amount", CLAIM.replace("*200*UN", "*2OO*UN"), "SV102", "not_an_amount"),
    ("claim number is the member", CLAIM.replace("ICN1", "MCD1"), "REFF8", "identifier"),
    ("claim number is an MBI", CLAIM.replace("ICN1", MBI), "REFF8", "identifier"),
    ("claim number too long", CLAIM.replace("ICN1", "9" * 41), "REFF8", "not_a_number_of_a_claim"),
    ("an escape in the claim number", CLAIM.replace("ICN1", "I\\u0000"), "REFF8", "not_a_number_of_a_claim"),
    ("NUL in the claim number", CLAIM.replace("ICN1", "I\x00N"), "REFF8", "not_a_number_of_a_claim"),
    ("no number of the claim", parts("CLM**300***11:B:1", CODES, PLAN, LINES), "CLM01", "missing"),
    ("empty loop", "CLM*A1*300***11:B:1", "DTP434", "no_service_date"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "bad", "field", "reason"), BAD, ids=[row[0] for row in BAD])
def test_a_claim_that_cannot_be_read_is_a_defect_and_the_others_go_on(
    tmp_path: Path, case: str, bad: str, field: str, reason: str
) -> None:
    readings = of(tmp_path, file_of(bad, CLAIM))
    assert defects(readings) == [(field, reason)], case
    assert [claim.record_id for claim in claims(readings)] == ["OH:ICN1"]


PARTLY: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("plan too long", CLAIM.replace("PI*MCO1", "PI*" + "M" * 21), "NM109", "code_too_long", {"plan_id": None}),
    ("plan with an escape", CLAIM.replace("PI*MCO1", "PI*M\\u0000"), "NM109", "not_a_code", {"plan_id": None}),
    ("plan is the member", CLAIM.replace("PI*MCO1", "PI*MCD1"), "NM109", "identifier", {"plan_id": None}),
    ("no diagnosis", CLAIM.replace("ABK:I5023", "ABK:5023"), "HI01", "not_a_diagnosis_code",
     {"diagnosis_codes": ("E119",)}),
    ("ICD-9", CLAIM.replace("ABK:I5023", "BK:4280"), "HI01", "not_icd_10", {"diagnosis_codes": ("E119",)}),
    ("NUL in a diagnosis", CLAIM.replace("ABF:E119", "ABF:E\x0019"), "HI02", "not_a_diagnosis_code",
     {"diagnosis_codes": ("I5023",)}),
    ("no procedure code", CLAIM.replace("HC:99213", "HC:992"), "SV101", "not_a_procedure_code", {"file_type": "OT"}),
    ("charges", CLAIM.replace("CLM*A1*300", "CLM*A1*301"), "CLM02", "charges_do_not_balance", {"paid_cents": 12_050}),
    ("two plans", CLAIM.replace(LINES, PLAN.replace("120.5", "7") + "~" + LINES), "SBR09", "two_medicaid_payers",
     {"paid_cents": 12_050}),
]  # fmt: skip


@pytest.mark.parametrize(("case", "bad", "field", "reason", "stays"), PARTLY, ids=[row[0] for row in PARTLY])
def test_a_claim_stays_without_what_is_wrong_with_it(
    tmp_path: Path, *, case: str, bad: str, field: str, reason: str, stays: dict[str, Any]
) -> None:
    readings = of(tmp_path, file_of(bad))
    assert defects(readings) == [(field, reason)], case
    (claim,) = claims(readings)
    assert {name: getattr(claim, name) for name in stays} == stays


@pytest.mark.parametrize(
    ("around", "field", "reason"),
    [
        (AROUND.replace("MI*MCD1", "MI*"), "NM109", "no_identifier"),
        (AROUND.replace("MI*MCD1", "34*123456789"), "NM109", "no_identifier"),
        (AROUND.replace("MI*MCD1", "MI*" + "9" * 61), "NM109", "no_identifier"),
        (AROUND.replace("XX*1234567893", "XX*123456789"), "NM109", "not_an_npi"),
        (AROUND.replace("D8*19500203", "D8*195002"), "DMG02", "not_a_date"),
    ],
)
def test_what_stands_around_a_claim_may_be_wrong(tmp_path: Path, around: str, field: str, reason: str) -> None:
    assert defects(of(tmp_path, file_of(CLAIM, around=around))) == [(field, reason)]


def test_defects_tell_place_and_shape(tmp_path: Path) -> None:
    (found,) = (one for one in of(tmp_path, file_of(CLAIM.replace("20220103", "2022-1-3"))) if isinstance(one, Defect))
    assert (found.file, found.field, found.raw) == ("file.x12", "DTP472", b"DTP*472*D8*2022-1-3")
    assert (found.found, found.expected) == ("8 characters: 6 digits, 2 other", "a day as CCYYMMDD")
    text = file_of(CLAIM).split("~")
    assert text[found.line - 1].startswith("DTP*472")


def test_more_lines_than_a_claim_can_have(tmp_path: Path) -> None:
    many = parts(HEAD, CODES, PLAN, DECIDED, *["LX*1~SV1*HC:99213*1*UN*1~DTP*472*D8*20220103"] * 1001)
    many = many.replace("CLM*A1*300", "CLM*A1*1001")
    assert defects(of(tmp_path, file_of(many))) == [("LX", "too_many_lines")]


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damages_of_any_x12_file(tmp_path: Path, damage: object, reason: str | None) -> None:
    path = written(tmp_path, damage(GOOD))  # type: ignore[operator]
    if reason is not None:
        with pytest.raises(RefusedDelivery) as refused:
            read(KIND, path)
        assert refused.value.reason_code == reason
    else:
        assert claims(read(KIND, path)) == claims(of(tmp_path, GOOD))


SECRETS = ("PUBLIC", "JANE", "MCD1", "I5023", "ICN1")


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.characters(max_codepoint=255)), max_size=6))
def test_mutations_give_readings_defects_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
) -> None:
    text = list(GOOD)
    for place, character in changes:
        text[place] = character
    said: list[str] = []
    try:
        for reading in of(tmp_path_factory.mktemp("x12"), "".join(text)):
            if isinstance(reading, Defect):
                said += [reading.reason, reading.field or "", reading.found or "", reading.expected or ""]
    except RefusedDelivery as refused:
        said.append(str(refused))
    assert not [secret for secret in SECRETS if any(secret in text for text in said)]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("~*:^;0A-. \n")), max_size=5),
)
def test_mutations_of_the_samples(
    tmp_path_factory: pytest.TempPathFactory, number: int, changes: list[tuple[float, str]]
) -> None:
    text = list((SAMPLES / "837" / f"sample_837_{number}.txt").read_text())
    for place, character in changes:
        text[int(place * len(text))] = character
    try:
        of(tmp_path_factory.mktemp("x12"), "".join(text))
    except RefusedDelivery as refused:
        assert refused.reason_code  # noqa: PT017 - what matters is that nothing else is raised
