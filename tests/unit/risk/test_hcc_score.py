"""Scores against CMS's own software and published vectors, exact to three decimals."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.risk import Segment
from services.risk.hcc_library import calculate_raf
from services.risk.hcc_tables import (
    LIBRARY_MODEL,
    Model,
    eligible_procedures,
    hcc_tables,
    is_known,
    tables_of,
    tables_year,
)
from services.risk.risk_policy import risk_policy
from services.risk.rules.hcc_score import Demographics, HccScore, hcc_score
from services.risk.rules.segment import has_medicaid, segment_of

DATA = Path(__file__).parents[4] / "shared" / "data"
GOLDENS = DATA / "goldens" / "cms_v28_py2026_segments.csv"
OFFICIAL = DATA / "tuva" / "official_cms_2026_v28"
needs_data = pytest.mark.skipif(not GOLDENS.exists(), reason="public scores are not there")
TABLES = hcc_tables(2026)

SEGMENT_OF_COLUMN: dict[str, Segment] = {
    "score_fba": "CFA",
    "score_fbd": "CFD",
    "score_na": "CNA",
    "score_nd": "CND",
    "score_pba": "CPA",
    "score_pbd": "CPD",
    "score_ins": "INS",
    "score_ne": "NE",
    "score_ne_snp": "SNPNE",
}


def _sex(code: str) -> Literal["1", "2"]:
    return "1" if code == "1" else "2"


def _entitlement(code: str) -> Literal["0", "1"]:
    return "1" if code == "1" else "0"


def _goldens() -> list[tuple[dict[str, str], str]]:
    if not GOLDENS.exists():
        return []
    with GOLDENS.open(newline="") as file:
        return [(row, column) for row in csv.DictReader(file) for column in SEGMENT_OF_COLUMN]


@needs_data
def test_there_are_144_official_scores() -> None:
    assert len(_goldens()) == 144


@needs_data
@pytest.mark.parametrize(("row", "column"), _goldens(), ids=lambda one: one if isinstance(one, str) else one["case"])
def test_official_score(row: dict[str, str], column: str) -> None:
    segment = SEGMENT_OF_COLUMN[column]
    medicaid = row["nemcaid"] if segment in ("NE", "SNPNE") else row["ltimcaid"]
    person = Demographics(
        int(row["age_feb1_2026"]), _sex(row["sex"]), _entitlement(row["orec"]), medicaid=medicaid == "1"
    )
    codes = frozenset(row["icd10"].split("|")) - {""}
    assert hcc_score(TABLES, "V28", segment, person, codes).raw_score == Decimal(row[column])


@needs_data
def test_two_people_scored_by_the_official_software() -> None:
    with (OFFICIAL / "official_cms_2026_v28_diagnoses.csv").open(newline="") as file:
        codes: dict[str, set[str]] = {}
        for row in csv.DictReader(file):
            codes.setdefault(row["ID"], set()).add(row["ICD10"])
    first = hcc_score(TABLES, "V28", "CNA", Demographics(76, "2", "0", medicaid=False), frozenset(codes["P_CE"]))
    assert (first.raw_score, [one.number for one in first.categories]) == (Decimal("2.491"), [37, 226, 280, 326])
    assert first.interactions == ("DIABETES_HF_V28", "HF_CHR_LUNG_V28", "HF_KIDNEY_V28")
    second = Demographics(51, "1", "1", medicaid=False)
    assert hcc_score(TABLES, "V28", "NE", second, frozenset(codes["P_NE"])).raw_score == Decimal("0.906")
    assert hcc_score(TABLES, "V28", "CND", second, frozenset(codes["P_NE"])).raw_score >= Decimal("1.000")


Vector = tuple[Model, int, Literal["1", "2"], str, Literal["0", "1"], str, str, tuple[int, ...], str]
VECTORS: list[Vector] = [
    ("V24", 72, "2", "02", "0", "", "", (), "0.519"),
    ("V24", 72, "2", "02", "0", "", "E119 I509 N184", (19, 85, 137), "1.636"),
    ("V24", 72, "2", "NA", "0", "", "E119 I509 N184", (19, 85, 137), "1.388"),
    ("V24", 72, "2", "03", "0", "", "E119 I509 N184", (19, 85, 137), "1.408"),
    ("V24", 45, "1", "08", "1", "", "F200 F1020 J449", (55, 57, 111), "1.566"),
    ("V24", 84, "2", "02", "0", "lti", "G309 L89154 I509 J449", (52, 85, 111, 157), "2.502"),
    ("V24", 67, "1", "04", "1", "", "E119", (19,), "0.783"),
    ("V24", 65, "2", "02", "0", "new", "", (), "0.993"),
    ("V24", 50, "1", "08", "1", "new", "", (), "1.353"),
    ("V28", 72, "2", "02", "0", "", "E119 I509 N184", (38, 226, 327), "2.040"),
    ("V28", 72, "2", "NA", "0", "", "E119 I509 N184", (38, 226, 327), "1.723"),
    ("V28", 72, "2", "03", "0", "", "E119 I509 N184", (38, 226, 327), "1.688"),
    ("V28", 45, "1", "08", "1", "", "F200 F1020 J449", (139, 151, 280), "1.390"),
    ("V28", 84, "2", "02", "0", "lti", "G309 L89154 I509 J449", (127, 226, 280, 379), "3.086"),
    ("V28", 67, "1", "04", "1", "", "E119", (38,), "0.875"),
    ("V28", 65, "2", "02", "0", "new", "", (), "0.986"),
    ("V28", 70, "1", "00", "0", "", "", (), "0.396"),
]


def scored(  # noqa: PLR0917 - in the order of the published vectors
    model: Model, age: int, sex: Literal["1", "2"], dual: str, orec: Literal["0", "1"], flag: str, codes: str
) -> HccScore:
    segment = segment_of(age, dual, institutional=flag == "lti", new_enrollee=flag == "new")
    person = Demographics(age, sex, orec, medicaid=has_medicaid(dual))
    return hcc_score(TABLES, model, segment, person, frozenset(codes.split()))


@pytest.mark.parametrize("vector", VECTORS)
def test_score_vectors(vector: Vector) -> None:
    model, age, sex, dual, orec, flag, codes, categories, expected = vector
    score = scored(model, age, sex, dual, orec, flag, codes)
    assert score.raw_score == Decimal(expected)
    assert tuple(category.number for category in score.categories) == categories


def test_the_parts_of_a_score_are_named() -> None:
    score = scored("V24", 72, "2", "02", "0", "", "E119 I509 N184")
    assert score.demographic_score == Decimal("0.519")
    assert score.interactions == ("DIABETES_CHF", "HCC85_gRenal_V24")
    assert [category.diagnosis_codes for category in score.categories] == [("E119",), ("I509",), ("N184",)]


@pytest.mark.parametrize("dual", ["09", "10", "99", "NA", "00"])
def test_codes_without_medicaid_benefits_never_pass_for_medicaid(dual: str) -> None:
    assert scored("V28", 72, "2", dual, "0", "", "I509") == scored("V28", 72, "2", "NA", "0", "", "I509")
    with_flag = scored("V28", 84, "2", dual, "0", "lti", "")
    assert with_flag.raw_score == scored("V28", 84, "2", "NA", "0", "lti", "").raw_score
    assert with_flag.raw_score < scored("V28", 84, "2", "02", "0", "lti", "").raw_score


def test_without_demographics_only_diseases_are_scored() -> None:
    score = hcc_score(TABLES, "V28", "CNA", None, frozenset({"I509", "E119"}))
    assert score.demographic_score is None
    assert score.raw_score == Decimal("0.360") + Decimal("0.166") + Decimal("0.112")
    assert hcc_score(TABLES, "V28", "CNA", None, frozenset()).raw_score == 0


def test_a_sex_edit_moves_a_diagnosis_to_another_category() -> None:
    women = scored("V28", 70, "2", "NA", "0", "", "D66")
    men = scored("V28", 70, "1", "NA", "0", "", "D66")
    assert [one.number for one in women.categories] == [112]
    assert [one.number for one in men.categories] != [112]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for vector in VECTORS:
        scored(*vector[:7])
    eligible_procedures(2024, risk_policy())
    assert capfd.readouterr() == ("", "")


def test_tables_of_the_working_directory_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ra_coefficients_2026.csv").write_text("coefficient,value,model_domain,model_version\n")
    monkeypatch.chdir(tmp_path)
    hcc_tables.cache_clear()
    assert len(hcc_tables(2026).coefficients) == len(TABLES.coefficients)


@pytest.mark.parametrize(
    ("payment_year", "tables"), [(2018, 2025), (2024, 2025), (2025, 2025), (2026, 2026), (2027, 2026), (2030, 2026)]
)
def test_tables_by_payment_year(payment_year: int, tables: int) -> None:
    assert tables_year(payment_year, risk_policy()) == tables
    assert tables_of(payment_year, risk_policy()).year == tables


def test_a_retired_code_counts_in_its_own_year_alone() -> None:
    # Parkinson's disease: G20 was divided on 1 October 2023.
    assert is_known("G20", risk_policy())
    assert is_known("G20A1", risk_policy())
    assert tables_of(2025, risk_policy()).is_mapped("G20")
    assert not tables_of(2026, risk_policy()).is_mapped("G20")


def test_every_hierarchy_of_one_year_is_in_the_tables_of_the_other() -> None:
    before, now = hcc_tables(2025).hierarchies, hcc_tables(2026).hierarchies
    assert before == now
    assert now["221", LIBRARY_MODEL["V28"]] >= {"222", "223", "224", "225", "226"}


@pytest.mark.parametrize("age", [65, 66, 67, 68, 69])
@pytest.mark.parametrize("entitlement", ["2", "3"])
def test_a_new_enrollee_who_entered_by_renal_disease_is_no_hidden_zero(age: int, entitlement: Any) -> None:
    library = calculate_raf([], LIBRARY_MODEL["V28"], age, "F", "02", entitlement, new_enrollee=True)
    assert library.risk_score == 0, "the library's own answer has changed: look again at what stands in for it"
    person = Demographics(age, "2", entitlement, medicaid=True)
    by_age = Demographics(age, "2", "0", medicaid=True)
    assert hcc_score(TABLES, "V28", "NE", person, frozenset()).raw_score > 0
    assert hcc_score(TABLES, "V28", "NE", person, frozenset()) == hcc_score(TABLES, "V28", "NE", by_age, frozenset())


@pytest.mark.parametrize("dual", ["09", "10", "99"])
def test_the_library_takes_unclear_dual_status_for_none_and_says_nothing(dual: str) -> None:
    unclear = calculate_raf(["I509"], LIBRARY_MODEL["V28"], 72, "F", dual, "0")
    assert unclear.risk_score == calculate_raf(["I509"], LIBRARY_MODEL["V28"], 72, "F", "NA", "0").risk_score


def test_what_edits_take_away_is_named() -> None:
    child = hcc_score(TABLES, "V28", "CND", Demographics(10, "1", "1", medicaid=False), frozenset({"J410", "I509"}))
    assert child.edited == ("J410",)
    assert [one.number for one in child.categories] == [226]


MAPPED = sorted(TABLES.categories["V28"])
CODES = st.frozensets(st.sampled_from(MAPPED), max_size=12)
SEGMENTS = st.sampled_from(sorted(SEGMENT_OF_COLUMN.values()))
PEOPLE = st.builds(
    Demographics,
    st.integers(0, 110),
    st.sampled_from(("1", "2")),
    st.sampled_from(("0", "1", "2", "3")),
    medicaid=st.booleans(),
)


@given(CODES, SEGMENTS, PEOPLE)
def test_a_score_is_at_least_its_demographic_part_and_repeats(
    codes: frozenset[str], segment: Segment, person: Demographics
) -> None:
    score = hcc_score(TABLES, "V28", segment, person, codes)
    assert score.demographic_score is not None
    assert score.raw_score >= score.demographic_score >= 0
    assert score == hcc_score(TABLES, "V28", segment, person, frozenset(sorted(codes)))


@given(CODES, st.text("XYZ", min_size=3, max_size=5), SEGMENTS, PEOPLE)
def test_an_unmapped_code_changes_nothing(
    codes: frozenset[str], unknown: str, segment: Segment, person: Demographics
) -> None:
    assert not TABLES.is_mapped(unknown)
    both = (hcc_score(TABLES, "V24", segment, person, one) for one in (codes, codes | {unknown}))
    assert len(set(both)) == 1
