from dataclasses import replace
from typing import Any

import pytest

from infra.command.comparison import Measure, Stated, all_months, compare, truth_of

MONTHS = frozenset({"2022-01", "2022-02"})
INPATIENT = Measure("medicare", "inpatient", "2022-01", "aligned", 1000, 2, 0, 0)
DRUGS = Measure("medicaid", "drugs", "2022-02", "comparison", -50, 1, -50, 1)
TRUE = Stated(
    (INPATIENT, DRUGS),
    {("aligned", "2022-01"): 10, ("comparison", "2022-02"): 5},
    {"p1": frozenset({"2022-01"}), "p2": frozenset()},
)


def test_the_same_on_both_sides_is_no_difference() -> None:
    differences = compare(TRUE, TRUE, MONTHS)
    assert differences.none
    assert differences.examples == ()


@pytest.mark.parametrize(
    ("said", "field", "expected", "example"),
    [
        (replace(TRUE, measures=(INPATIENT,)), "cents", 50, "cents medicaid drugs 2022-02 comparison: +50"),
        (
            replace(TRUE, measures=(INPATIENT._replace(cents=999), DRUGS)),
            "cents",
            1,
            "cents medicare inpatient 2022-01 aligned: -1",
        ),
        (
            replace(TRUE, measures=(INPATIENT._replace(cohort="comparison"), DRUGS)),
            "cents",
            2000,
            "cents medicare inpatient 2022-01 aligned: -1000",
        ),
        (
            replace(TRUE, measures=(INPATIENT._replace(claims=3), DRUGS)),
            "claims",
            1,
            "claims medicare inpatient 2022-01 aligned: +1",
        ),
        (
            replace(TRUE, measures=(INPATIENT, DRUGS._replace(crossover_cents=0, crossover_claims=0))),
            "crossover",
            51,
            "crossover_cents medicaid drugs 2022-02 comparison: +50",
        ),
        (
            replace(TRUE, person_months={("aligned", "2022-01"): 10}),
            "person_months",
            5,
            "person-months comparison 2022-02: -5",
        ),
        (
            replace(TRUE, aligned_months={"p1": frozenset({"2022-02"}), "p2": frozenset()}),
            "alignment_months",
            2,
            "aligned months of p1: +2",
        ),
        (
            replace(TRUE, aligned_months=dict(TRUE.aligned_months) | {"p3": frozenset({"2022-01"})}),
            "alignment_months",
            1,
            "aligned months of p3: +1",
        ),
    ],
)
def test_every_kind_of_difference_is_counted_and_located(said: Stated, field: str, expected: int, example: str) -> None:
    differences = compare(TRUE, said, MONTHS)
    assert getattr(differences, field) == expected
    assert not differences.none
    assert example in differences.examples
    others = {"cents", "claims", "crossover", "person_months", "alignment_months"} - {field}
    if field != "cents":
        assert all(getattr(differences, other) == 0 for other in others)


def test_errors_of_opposite_sign_do_not_cancel() -> None:
    said = replace(TRUE, measures=(INPATIENT._replace(cents=1100), DRUGS._replace(cents=-150)))
    assert compare(TRUE, said, MONTHS).cents == 200


def test_figures_are_summed_over_counties_and_entities() -> None:
    halves = (INPATIENT._replace(cents=400, claims=1), INPATIENT._replace(cents=600, claims=1))
    assert compare(TRUE, replace(TRUE, measures=(*halves, DRUGS)), MONTHS).none


def test_months_after_the_truth_are_forecast_and_not_compared() -> None:
    later = INPATIENT._replace(month="2022-03")
    said = Stated(
        (INPATIENT, DRUGS, later),
        dict(TRUE.person_months) | {("aligned", "2022-03"): 10},
        {"p1": frozenset({"2022-01", "2022-03"}), "p2": frozenset()},
    )
    assert compare(TRUE, said, MONTHS).none


def _document() -> dict[str, Any]:
    measure = {**INPATIENT._asdict(), "basis": "services", "outlay_cents": 7}
    return {
        "parameters": {"first_month": "2022-11", "last_month": "2023-02"},
        "measures": [measure],
        "person_months": [{"cohort": "aligned", "month": "2022-01", "count": 10}],
        "alignment": [
            {"mbis": ["A", "B"], "aligned_months": ["2022-01"]},
            {"mbis": ["C"], "aligned_months": []},
            {"mbis": ["D", "E"], "aligned_months": ["2022-02"]},
        ],
    }


def test_the_truth_is_read_with_people_by_their_pseudonyms() -> None:
    true = truth_of(_document(), {"A": "p1", "B": "p1", "C": "p2", "D": "p3", "E": "p3"})
    assert true.measures == (INPATIENT,)
    assert true.person_months == {("aligned", "2022-01"): 10}
    assert true.aligned_months == {"p1": {"2022-01"}, "p2": frozenset(), "p3": {"2022-02"}}


@pytest.mark.parametrize(("person_of", "found"), [({}, 0), ({"D": "p3", "E": "p4"}, 2)])
def test_a_person_under_no_or_two_pseudonyms_is_a_difference(person_of: dict[str, str], found: int) -> None:
    true = truth_of(_document(), {"A": "p1", "C": "p2"} | person_of)
    assert f"person 3 of the truth, found {found} times" in true.aligned_months
    said = replace(true, aligned_months={"p1": frozenset({"2022-01"}), "p3": frozenset({"2022-02"})})
    assert not compare(true, said, MONTHS).none


def test_two_people_under_one_pseudonym_are_a_difference() -> None:
    apart = truth_of(_document(), {"A": "p1", "B": "p1", "C": "p2", "D": "p3", "E": "p3"})
    merged = truth_of(_document(), {"A": "p1", "B": "p1", "C": "p2", "D": "p1", "E": "p1"})
    assert len(merged.aligned_months) == 3
    for said in ({"2022-01"}, {"2022-02"}, {"2022-01", "2022-02"}):
        seen = replace(apart, aligned_months={"p1": frozenset(said)})
        assert compare(merged, seen, MONTHS).alignment_months > 0


def test_the_months_of_a_simulation_run_over_the_year() -> None:
    assert all_months(_document()) == {"2022-11", "2022-12", "2023-01", "2023-02"}
