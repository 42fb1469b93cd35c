"""The model for end-stage renal disease: published factors, every segment, and the library's silent zeros."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.hcc_library import calculate_raf
from services.risk.hcc_tables import LIBRARY_MODEL, hcc_tables
from services.risk.rules.esrd_score import EsrdPerson, Kidneys, esrd_score, esrd_segment, kidneys_of

TABLES = hcc_tables(2026)
NAME = LIBRARY_MODEL["ESRD_V24"]
WOMAN = EsrdPerson(72, "2", "2", "F", institutional=False, new_enrollee=False)
DIALYSIS = Kidneys("dialysis")


def graft(month: int) -> Kidneys:
    return kidneys_of("transplant" if month <= 3 else "functioning_graft", month)


SEGMENTS: list[tuple[Kidneys, dict[str, Any], str]] = [
    (DIALYSIS, {}, "DI"),
    (DIALYSIS, {"institutional": True}, "DI"),
    (DIALYSIS, {"new_enrollee": True}, "DNE"),
    (graft(1), {"institutional": True}, "TRANSPLANT"),
    (graft(3), {}, "TRANSPLANT"),
    (graft(4), {}, "GFA"),
    (graft(4), {"age": 64}, "GFN"),
    (graft(9), {"benefit": "P"}, "GNPA"),
    (graft(9), {"benefit": "N", "age": 40}, "GNPN"),
    (graft(10), {"new_enrollee": True}, "GNE"),
    (graft(10), {"new_enrollee": True, "institutional": True}, "GI"),
]


@pytest.mark.parametrize(("kidneys", "change", "segment"), SEGMENTS)
def test_segments(kidneys: Kidneys, change: dict[str, Any], segment: str) -> None:
    assert esrd_segment(kidneys, replace(WOMAN, **change)) == segment


# Domain reference, section 5.5: published factors of the model.
FACTORS: list[tuple[Kidneys, dict[str, Any], frozenset[str], str]] = [
    (graft(1), {}, frozenset(), "5.985"),
    (graft(2), {}, frozenset({"I509"}), "0.941"),
    (graft(3), {"age": 30, "benefit": "N"}, frozenset(), "0.941"),
    # 0.624 by age and sex, 0.060 full dual, -0.024 entered by renal disease.
    (DIALYSIS, {}, frozenset(), "0.660"),
    # 0.464 by age and sex, 2.605 in months 4 to 9, 1.279 from month 10 on.
    (graft(4), {}, frozenset(), "3.069"),
    (graft(9), {}, frozenset(), "3.069"),
    (graft(10), {}, frozenset(), "1.743"),
    # 1.202 by age and sex, 0.955 institutional at 65 and older.
    (graft(5), {"institutional": True}, frozenset(), "4.762"),
]


@pytest.mark.parametrize(("kidneys", "change", "codes", "expected"), FACTORS)
def test_published_factors(kidneys: Kidneys, change: dict[str, Any], codes: frozenset[str], expected: str) -> None:
    assert esrd_score(TABLES, kidneys, replace(WOMAN, **change), codes).raw_score == Decimal(expected)


@pytest.mark.parametrize("age", [85, 89, 90, 96, 110])
def test_old_new_enrollees_on_dialysis_are_no_hidden_zero(age: int) -> None:
    library = calculate_raf([], NAME, age, "F", "02", "2", new_enrollee=True)
    assert library.risk_score == 0, "the library's own answer has changed: look again at what stands in for it"
    person = replace(WOMAN, age=age, new_enrollee=True)
    assert esrd_score(TABLES, DIALYSIS, person, frozenset()).raw_score == Decimal("1.154")


def test_a_new_enrollee_with_a_graft_has_a_demographic_factor() -> None:
    library = calculate_raf([], NAME, 66, "F", "02", "2", new_enrollee=True, graft_months=5)
    assert library.risk_score == pytest.approx(2.605)
    score = esrd_score(TABLES, graft(5), replace(WOMAN, age=66, new_enrollee=True), frozenset())
    assert score.raw_score == Decimal("0.982") + Decimal("2.605")


def test_the_factor_of_an_institution_for_grafts_is_not_added_on_dialysis() -> None:
    library = calculate_raf([], NAME, 72, "F", "02", "2", lti=True)
    assert library.risk_score == pytest.approx(0.660 + 0.020 + 0.955)
    score = esrd_score(TABLES, DIALYSIS, replace(WOMAN, institutional=True), frozenset())
    assert score.raw_score == Decimal("0.680")


def test_somebody_without_the_disease_is_never_scored_by_its_model() -> None:
    assert calculate_raf(["I509"], NAME, 72, "F", "02", "0").risk_score == 0


@pytest.mark.parametrize(
    ("status", "month"),
    [("dialysis", 3), ("transplant", None), ("transplant", 4), ("functioning_graft", 3), ("functioning_graft", None)],
)
def test_months_that_contradict_a_status_are_refused(status: Any, month: int | None) -> None:
    with pytest.raises(ValueError, match="does not go with"):
        kidneys_of(status, month)


AGES = st.integers(0, 110)
SEXES: st.SearchStrategy[Literal["1", "2"]] = st.sampled_from(("1", "2"))
CODES = st.frozensets(st.sampled_from(("I509", "E119", "J449", "N186", "Z940", "A419", "F200", "F1020")), max_size=5)
PEOPLE = st.builds(
    EsrdPerson,
    AGES,
    SEXES,
    st.sampled_from(("0", "1", "2", "3")),
    st.sampled_from(("F", "P", "N")),
    institutional=st.booleans(),
    new_enrollee=st.booleans(),
)
KIDNEYS = st.one_of(st.just(DIALYSIS), st.builds(graft, st.integers(1, 60)))


@settings(deadline=None)
@given(KIDNEYS, PEOPLE, CODES)
def test_nobody_with_the_disease_has_a_score_of_nothing(
    kidneys: Kidneys, person: EsrdPerson, codes: frozenset[str]
) -> None:
    score = esrd_score(TABLES, kidneys, person, codes)
    assert score.demographic_score is not None
    assert score.raw_score >= score.demographic_score > 0
    assert score.model == "ESRD_V24"


# What the library is asked where it is right: not in the first three months, no new enrollees with a graft.
RIGHT = st.one_of(st.just(DIALYSIS), st.builds(graft, st.integers(4, 60)))


@settings(deadline=None)
@given(RIGHT, PEOPLE, CODES)
def test_it_is_the_librarys_score_where_the_library_has_one(
    kidneys: Kidneys, person: EsrdPerson, codes: frozenset[str]
) -> None:
    if person.new_enrollee and (kidneys.status != "dialysis" or person.age >= 85):
        person = replace(person, new_enrollee=False)
    if person.institutional and kidneys.status == "dialysis":
        person = replace(person, institutional=False)
    if person.original_entitlement_code not in {"2", "3"}:
        person = replace(person, original_entitlement_code="2")
    dual = {"F": "02", "P": "01", "N": "NA"}[person.benefit]
    library = calculate_raf(
        sorted(codes), NAME, person.age, person.sex_code, dual, person.original_entitlement_code,
        new_enrollee=person.new_enrollee, lti=person.institutional, graft_months=kidneys.graft_month,
    )  # fmt: skip
    assert float(esrd_score(TABLES, kidneys, person, codes).raw_score) == pytest.approx(library.risk_score, abs=5e-4)
