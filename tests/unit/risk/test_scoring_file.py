"""``tandem score``: a CSV in, the same rows with score and categories out; every bad row named."""

import csv
import random
from pathlib import Path

import pytest

from services.risk.hcc_library import calculate_raf
from services.risk.hcc_tables import LIBRARY_MODEL, MODELS, Model, hcc_tables
from services.risk.scoring_file import ScoringFileError, score_file, score_rows

HEAD = "age,sex,orec,medicaid,segment,icd10\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "people.csv"
    path.write_text(text)
    return path


def test_rows_come_back_with_score_and_categories(tmp_path: Path) -> None:
    path = _file(tmp_path, HEAD + "72,F,0,1,CFA,E11.9|i509|N184\n70,1,0,0,CND,\n")
    first, second = score_file(path, "V24")
    assert first == {
        "age": "72", "sex": "F", "orec": "0", "medicaid": "1", "segment": "CFA", "icd10": "E11.9|i509|N184",
        "raw_score": "1.636", "hccs": "19|85|137", "notes": "",
    }  # fmt: skip
    assert (second["raw_score"], second["hccs"], second["notes"]) == ("0.000", "", "no_demographic_factor")


def test_what_adds_nothing_says_why(tmp_path: Path) -> None:
    path = _file(tmp_path, HEAD + "10,1,1,0,CND,J410|G20|Z000|XYZ|I509\n")
    (row,) = score_file(path, "V28")
    assert row["hccs"] == "226"
    assert row["notes"].split("|") == [
        "G20:not_in_tables_of_year", "J410:age_or_sex_edit", "XYZ:no_category", "Z000:no_category",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,sex\n70,1\n", "column missing: orec, medicaid, segment, icd10"),
        (HEAD + "70,1,0,0,CNA,\n-1,1,0,0,CNA,\n", "row 2: column age"),
        (HEAD + "131,1,0,0,CNA,\n", "row 1: column age"),
        (HEAD + "70,3,0,0,CNA,\n", "row 1: column sex"),
        (HEAD + "70,1,4,0,CNA,\n", "row 1: column orec"),
        (HEAD + "70,1,0,yes,CNA,\n", "row 1: column medicaid"),
        (HEAD + "70,1,0,0,XXX,\n", "row 1: column segment"),
        (HEAD + "70,1,0,0,CNA\n", "row 1: not as many"),
        (HEAD + "70,1,0,0,CNA,,extra\n", "row 1: not as many"),
    ],
)
def test_bad_files_name_row_and_column_but_no_value(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScoringFileError, match=message):
        list(score_file(_file(tmp_path, text), "V28"))


def test_a_byte_order_mark_and_lower_case_segments_are_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(HEAD + "70,m,0,0,cna,\n", encoding="utf-8-sig")
    assert [row["raw_score"] for row in score_file(path, "V28")] == ["0.396"]


@pytest.mark.parametrize("model", ["V24", "V28"])
def test_every_segment_can_be_asked_for(model: Model) -> None:
    segments = ("CNA", "CND", "CPA", "CPD", "CFA", "CFD", "INS", "NE", "SNPNE")
    row = {"age": "66", "sex": "2", "orec": "1", "medicaid": "1", "icd10": "I509"}
    scores = [one["raw_score"] for one in score_rows([row | {"segment": segment} for segment in segments], model)]
    assert len(scores) == 9
    assert all(float(score) > 0 for score in scores)


def test_official_scores_through_the_file(tmp_path: Path) -> None:
    goldens = Path(__file__).parents[4] / "shared" / "data" / "goldens" / "cms_v28_py2026_segments.csv"
    if not goldens.exists():
        pytest.skip("public scores are not there")
    columns = {"score_fba": "CFA", "score_na": "CNA", "score_ins": "INS"}
    with goldens.open(newline="") as file:
        wanted = [(row, column) for row in csv.DictReader(file) for column in columns]
    lines = [
        ",".join((row["age_feb1_2026"], row["sex"], row["orec"], row["ltimcaid"], columns[column], row["icd10"]))
        for row, column in wanted
    ]
    path = _file(tmp_path, HEAD + "\n".join(lines) + "\n")
    found = [float(row["raw_score"]) for row in score_file(path, "V28")]
    assert found == [float(row[column]) for row, column in wanted]


def _random_row(chance: random.Random, codes: list[str]) -> dict[str, str]:
    return {
        "age": str(chance.randrange(20, 101)),
        "sex": chance.choice("12"),
        "orec": chance.choice("0001123"),
        "medicaid": chance.choice("01"),
        "segment": chance.choice(("CNA", "CND", "CPA", "CPD", "CFA", "CFD", "INS", "NE", "SNPNE")),
        "icd10": "|".join(chance.sample(codes, chance.randrange(7))),
    }


def _by_library(row: dict[str, str], model: Model) -> float:
    """The library's own way, told to take the segment that is asked for."""
    segment = row["segment"]
    result = calculate_raf(
        [code for code in row["icd10"].split("|") if code],
        LIBRARY_MODEL[model],
        int(row["age"]),
        row["sex"],
        "02" if row["medicaid"] == "1" else "NA",
        row["orec"],
        new_enrollee=segment in {"NE", "SNPNE"},
        snp=segment == "SNPNE",
        lti=segment == "INS",
        prefix_override=f"{segment}_",
    )
    return result.risk_score


def _library_is_wrong(row: dict[str, str]) -> bool:
    """New enrollees of 65 to 69 who entered by renal disease: the library knows no factor and says 0.0."""
    return row["segment"] in {"NE", "SNPNE"} and row["orec"] in {"2", "3"} and 65 <= int(row["age"]) <= 69


@pytest.mark.parametrize("model", MODELS)
def test_a_large_random_file_is_scored_as_the_library_does_where_the_library_is_right(
    model: Model, tmp_path: Path
) -> None:
    chance = random.Random(7)
    codes = sorted(hcc_tables(2026).mapped)
    rows = [_random_row(chance, codes) for _ in range(4_000)]
    path = tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    wrong = 0
    for row, scored in zip(rows, score_file(path, model), strict=True):
        library = _by_library(row, model)
        if _library_is_wrong(row):
            wrong += 1
            # The documented answer: that of somebody who entered by age.
            (by_age,) = score_rows([row | {"orec": "0"}], model)
            assert (library, scored["raw_score"]) == (0.0, by_age["raw_score"])
            assert float(scored["raw_score"]) > 0
        else:
            assert float(scored["raw_score"]) == pytest.approx(library, abs=5.1e-4), row
    assert 5 < wrong < 200
