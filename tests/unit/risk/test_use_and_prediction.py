"""Marks of claims, what a person used, predictors, the model's arithmetic, and the score people are ranked by."""

import math
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.claims import Adjustment, InstitutionalProcedure, MedicareClaim, MedicareClaimLine
from services.risk.claim_codes import claim_code_entries, claim_codes, indicator_names
from services.risk.prediction_pack import coefficient_pack, pack_entries, pack_from, written
from services.risk.rules.avoidable_admission import PackError, contributions, pack_of, probability
from services.risk.rules.capacity_tier import Standing, tiers_of
from services.risk.rules.claim_marks import Mark, avoidable_admissions, frailty_of, mark_number, marks_of, paid_cents
from services.risk.rules.person_use import PersonUse, UseRecord, use_of
from services.risk.rules.predictors import PREDICTORS, Candidate, predictors_of
from services.risk.rules.stratification import (
    Outlook,
    overrides_of,
    reasons_of,
    shares_below,
    stratification_score,
)
from services.risk.words import PREDICTORS as PREDICTOR_WORDS

CODES = claim_codes()
DAY = date(2022, 6, 30)


def line(**more: Any) -> MedicareClaimLine:
    return MedicareClaimLine(line_number=1, service_from=DAY, service_through=DAY, **more)


def claim(kind: str = "60", **more: Any) -> MedicareClaim:
    values: dict[str, Any] = {
        "record_id": "r", "version": 1, "claim_type_code": kind, "adjustment": Adjustment.ORIGINAL,
        "service_from": DAY, "service_through": DAY, "paid_cents": 700,
    }  # fmt: skip
    return MedicareClaim(**(values | more))


INDICATORS: list[tuple[dict[str, Any], tuple[int, ...]]] = [
    ({"diagnosis_codes": ("E1010",)}, (1,)),
    ({"diagnosis_codes": ("E11641",)}, (1,)),
    ({"diagnosis_codes": ("E1142",)}, (3,)),
    ({"diagnosis_codes": ("E11649",)}, (14,)),
    ({"diagnosis_codes": ("E1165",)}, (14,)),
    ({"diagnosis_codes": ("E119",)}, ()),
    ({"diagnosis_codes": ("J441",)}, (5,)),
    ({"diagnosis_codes": ("J45901",)}, (5, 15)),
    ({"diagnosis_codes": ("J45901", "E840")}, (5,)),
    ({"diagnosis_codes": ("I10",)}, (7,)),
    ({"diagnosis_codes": ("I5023",)}, (8,)),
    ({"diagnosis_codes": ("I110",)}, (8,)),
    ({"diagnosis_codes": ("J189",)}, (11,)),
    ({"diagnosis_codes": ("J189", "D5700")}, ()),
    ({"diagnosis_codes": ("N390",)}, (12,)),
    # Only the principal diagnosis decides.
    ({"diagnosis_codes": ("A419", "N390")}, ()),
    ({"diagnosis_codes": ("E1152",), "procedures": (InstitutionalProcedure(code="0Y6H0Z1"),)}, (3, 16)),
    ({"diagnosis_codes": ("S88111A", "E119"), "procedures": (InstitutionalProcedure(code="0Y6H0Z1"),)}, ()),
    ({"diagnosis_codes": ("I10",), "denied": True}, ()),
    ({"diagnosis_codes": ()}, ()),
    ({"kind": "40", "diagnosis_codes": ("I10",)}, ()),
]


@pytest.mark.parametrize(("values", "numbers"), INDICATORS)
def test_prevention_quality_indicators(values: dict[str, Any], numbers: tuple[int, ...]) -> None:
    assert avoidable_admissions(claim(**values), CODES) == numbers
    assert (Mark.AVOIDABLE in marks_of(claim(**values), CODES)) == bool(numbers)


def test_all_ten_indicators_are_there_with_names() -> None:
    assert sorted(indicator_names()) == [1, 3, 5, 7, 8, 11, 12, 14, 15, 16]


MARKS: list[tuple[dict[str, Any], Mark]] = [
    ({"kind": "60"}, Mark.ADMISSION),
    ({"kind": "61", "discharge_status_code": "03"}, Mark.ADMISSION | Mark.TO_FACILITY),
    ({"kind": "60", "lines": (line(revenue_center_code="0450"),)}, Mark.ADMISSION | Mark.EMERGENCY),
    ({"kind": "40", "lines": (line(revenue_center_code="0981"),)}, Mark.EMERGENCY),
    ({"kind": "40", "lines": (line(revenue_center_code="450"),)}, Mark.EMERGENCY),
    ({"kind": "40", "lines": (line(revenue_center_code="0510"),)}, Mark(0)),
    ({"kind": "71", "lines": (line(revenue_center_code="0450"),)}, Mark(0)),
    ({"kind": "71", "lines": (line(procedure_code="99213", provider_specialty_code="11"),)}, Mark.PRIMARY_CARE),
    ({"kind": "71", "lines": (line(procedure_code="99213"),)}, Mark.PRIMARY_CARE),
    ({"kind": "71", "lines": (line(procedure_code="99213", provider_specialty_code="06"),)}, Mark(0)),
    ({"kind": "71", "lines": (line(procedure_code="99213", denied=True),)}, Mark(0)),
    ({"kind": "40", "facility_type_code": "7", "classification_code": "2"}, Mark.DIALYSIS),
    ({"kind": "71", "lines": (line(procedure_code="90960"),)}, Mark.DIALYSIS),
    ({"kind": "40", "lines": (line(procedure_code="96413"),)}, Mark.INFUSION),
    ({"kind": "71", "lines": (line(procedure_code="97597"),)}, Mark.WOUND),
    ({"kind": "20"}, Mark.SKILLED_NURSING),
    ({"kind": "10"}, Mark.HOME_HEALTH),
    ({"kind": "50"}, Mark.HOSPICE),
    ({"kind": "71", "diagnosis_codes": ("F331",)}, Mark.BEHAVIOURAL),
    ({"kind": "71", "diagnosis_codes": ("F1020",)}, Mark(0)),
    ({"kind": "60", "diagnosis_codes": ("F331",), "denied": True}, Mark(0)),
]


@pytest.mark.parametrize(("values", "marks"), MARKS)
def test_marks(values: dict[str, Any], marks: Mark) -> None:
    assert marks_of(claim(**values), CODES) == marks
    assert mark_number(claim(**values), CODES) == marks.value


def test_the_numbers_of_marks_never_change() -> None:
    assert {mark.name: mark.value for mark in Mark} == {
        "ADMISSION": 1, "AVOIDABLE": 2, "EMERGENCY": 4, "PRIMARY_CARE": 8, "SKILLED_NURSING": 16, "HOME_HEALTH": 32,
        "HOSPICE": 64, "DIALYSIS": 128, "INFUSION": 256, "WOUND": 512, "BEHAVIOURAL": 1024, "TRANSPLANT": 2048,
        "TO_FACILITY": 4096,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"diagnosis_codes": ("R2689", "R296")}, {"abnormality of gait", "repeated falls"}),
        ({"diagnosis_codes": ("W1830XA",)}, {"repeated falls"}),
        ({"kind": "82", "lines": (line(procedure_code="K0001"),)}, {"wheelchair"}),
        ({"kind": "82", "lines": (line(procedure_code="K0001", denied=True),)}, set()),
        ({"diagnosis_codes": ("R296",), "denied": True}, set()),
        ({"diagnosis_codes": ("I10",)}, set()),
    ],
)
def test_markers_of_frailty(values: dict[str, Any], names: set[str]) -> None:
    bits = frailty_of(claim(**values), CODES)
    assert {marker.name for place, marker in enumerate(CODES.frailty_markers) if bits >> place & 1} == names


@pytest.mark.parametrize(
    ("values", "cents"),
    [
        ({"kind": "60"}, 700),
        ({"kind": "60", "denied": True}, 0),
        ({"kind": "71", "lines": (line(paid_cents=300), line(paid_cents=None))}, 300),
        ({"kind": "82", "lines": (line(paid_cents=300), line(paid_cents=50, denied=True))}, 300),
    ],
)
def test_what_medicare_paid(values: dict[str, Any], cents: int) -> None:
    assert paid_cents(claim(**values)) == cents


def test_every_list_of_codes_says_where_it_comes_from() -> None:
    for name, entry in claim_code_entries().items():
        assert set(entry) == {"value", "source", "status"}, name


NOTHING = Mark(0)


def used(name: str, days_ago: int, marks: Mark = NOTHING, *, cents: int = 100, **more: Any) -> UseRecord:
    day = DAY - timedelta(days=days_ago)
    values: dict[str, Any] = {
        "sequence": 1, "record_id": name, "version": 1, "claim_key": name, "cancellation": False,
        "service_from": day, "service_through": day, "paid_cents": cents, "marks": marks, "frailty": 0,
    }  # fmt: skip
    return UseRecord(**(values | more))


A, D = Mark.ADMISSION, Mark.DIALYSIS
SERIES = [used(f"d{day}", day, D) for day in (40, 60, 80)]
USE: list[tuple[list[UseRecord], dict[str, Any]]] = [
    ([], {}),
    ([used("a", 10), used("b", 100, cents=50), used("c", 365)], {"spend_year_cents": 150, "spend_quarter_cents": 100}),
    # Two records of one day are one admission; a cancelled one is none, and its replacement is one.
    ([used("a", 5, A), used("b", 5, A)], {"admissions_year": 1, "admissions_quarter": 1, "discharged_recently": True,
                                        "spend_year_cents": 200, "spend_quarter_cents": 200}),
    ([used("a", 200, A, claim_key="k"), used("x", 200, claim_key="k", cancellation=True)], {}),
    ([used("a", 200, A, claim_key="k"), used("x", 200, claim_key="k", cancellation=True),
      used("b", 200, A, claim_key="k", cents=70)], {"admissions_year": 1, "spend_year_cents": 70}),
    # The newest version stands, in whatever order they came.
    ([used("a", 200, A, version=2, cents=30), used("a", 200, version=1)], {"admissions_year": 1, "spend_year_cents": 30}),
    (SERIES, {"dialysis": True, "missed_series": 1, "spend_year_cents": 300, "spend_quarter_cents": 300}),
    ([*SERIES, used("d", 10, D)], {"dialysis": True, "spend_year_cents": 400, "spend_quarter_cents": 400}),
    ([used("a", 1, cents=0, frailty=5), used("b", 1, cents=0, frailty=6)], {"frailty": 7}),
    ([used("f", -1)], {}),
]  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), USE)
def test_what_a_person_used(records: list[UseRecord], expected: dict[str, Any]) -> None:
    assert use_of(records, DAY) == PersonUse(**expected)
    assert use_of(list(reversed(records)), DAY) == use_of(records, DAY)


CANDIDATE = Candidate(72, 1.2, frozenset({37, 226}), PersonUse(spend_year_cents=10_000, primary_care_year=1, frailty=7))


def test_predictors_are_numbers_that_can_be_checked() -> None:
    found = dict(zip(PREDICTORS, predictors_of(CANDIDATE), strict=True))
    assert found["spend_year_log_dollars"] == pytest.approx(math.log(101))
    assert (found["frailty_markers"], found["sensitive_conditions"], found["no_primary_care_year"]) == (3, 2, 0)
    assert (found["under_65"], found["over_80"], found["hcc_raw_score"]) == (0, 0, 1.2)
    assert set(found) == set(PREDICTOR_WORDS)


def test_race_and_sex_predict_nothing() -> None:
    assert not [name for name in PREDICTORS if "race" in name or "sex" in name]


USES = st.builds(
    PersonUse,
    spend_year_cents=st.integers(-(10**9), 10**10),
    spend_quarter_cents=st.integers(-(10**9), 10**10),
    admissions_year=st.integers(0, 400),
    avoidable_year=st.integers(0, 400),
    emergency_year=st.integers(0, 400),
    drug_products=st.integers(0, 100),
    frailty=st.integers(0, 2**16),
)


@settings(deadline=None)
@given(USES, st.integers(0, 120), st.floats(0, 100))
def test_a_probability_is_one_whatever_the_history(use: PersonUse, age: int, raw_score: float) -> None:
    found = probability(coefficient_pack(), predictors_of(Candidate(age, raw_score, frozenset(), use)))
    assert 0 < found < 1


def test_the_arithmetic_of_the_model() -> None:
    names = dict.fromkeys(PREDICTORS, 0.0)
    weights = names | {"under_65": 0.5, "admissions_year": 0.25}
    pack = pack_of("2026-01-01", "two people", -1.0, weights, names | {"admissions_year": 0.5})
    predictors = predictors_of(replace(CANDIDATE, age=40, use=PersonUse(admissions_year=2)))
    assert probability(pack, predictors) == pytest.approx(0.5)
    assert list(contributions(pack, predictors).items())[:2] == [("under_65", 0.5), ("admissions_year", 0.375)]


@pytest.mark.parametrize("change", [{"unheard_of": 1.0}, {}])
def test_a_pack_that_does_not_fit_is_refused(change: dict[str, float]) -> None:
    coefficients = dict.fromkeys(list(PREDICTORS)[1:], 0.0) | change
    with pytest.raises(PackError, match="spend_year_log_dollars"):
        pack_of("2026-01-01", "nobody", 0.0, coefficients, dict.fromkeys(PREDICTORS, 0.0))
    with pytest.raises(PackError, match="spend_year_log_dollars"):
        pack_of("2026-01-01", "nobody", 0.0, dict.fromkeys(PREDICTORS, 0.0), coefficients)


def test_a_pack_is_read_as_it_was_written() -> None:
    entries = pack_entries()
    assert pack_from(tomllib.loads(written(entries))) == coefficient_pack()
    odd = entries | {"trained_on": 'a "quoted" \\ name'}
    assert tomllib.loads(written(odd))["trained_on"] == 'a "quoted" \\ name'


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30))
def test_shares_below(values: list[int]) -> None:
    assert shares_below(values) == [sum(other < value for other in values) / len(values) for value in values]


WEIGHTS = {"spend": 40, "probability": 40, "need": 20}


def outlook(use: PersonUse, spend: float = 0.5, chance: float = 0.5) -> Outlook:
    return Outlook(use, 0.123, spend, chance, ("Heart Failure",), "V28 risk score 1.000 for 2022")


VISITED = PersonUse(primary_care_year=1)
SCORES: list[tuple[PersonUse, float, float, float]] = [
    (VISITED, 0.0, 0.0, 0.0),
    (VISITED, 1.0, 0.0, 0.4),
    (VISITED, 0.0, 1.0, 0.4),
    (PersonUse(nursing_facility=True, behavioural=True), 1.0, 1.0, 1.0),
    (PersonUse(), 0.5, 0.5, 0.4 + 0.2 / 3),
]


@pytest.mark.parametrize(("use", "spend", "chance", "score"), SCORES)
def test_the_weights_mean_what_they_say(use: PersonUse, spend: float, chance: float, score: float) -> None:
    assert stratification_score(outlook(use, spend, chance), WEIGHTS) == pytest.approx(score)


def test_reasons_are_plain_words_the_strongest_first() -> None:
    use = PersonUse(spend_year_cents=2_345_600, admissions_quarter=3, nursing_facility=True, primary_care_year=1)
    lifted = overrides_of(use, 2)
    assert lifted == ("3 hospital admissions within 90 days",)
    assert reasons_of(outlook(use, 0.97, 0.9), WEIGHTS, lifted) == (
        "3 hospital admissions within 90 days",
        "$23,456 of Medicare spending within 12 months, more than 97% of people",
        "12.3% chance of an avoidable admission within 6 months by estimate, more than 90% of people",
    )
    assert reasons_of(outlook(VISITED, 0, 0), WEIGHTS, ()) == ("Heart Failure", "V28 risk score 1.000 for 2022")
    assert overrides_of(PersonUse(to_facility_recently=True), 2) == ("discharged to a nursing facility within 30 days",)


CAPACITY = {"4": 5, "3": 20, "2": 50}


def people(count: int, **more: Any) -> list[Standing]:
    return [Standing(f"p{number:03d}", 1 - number / count, 1.0, **more) for number in range(count)]


def test_tiers_hold_as_many_as_there_is_room_for() -> None:
    tiers = tiers_of(people(40), CAPACITY, 0.03)
    assert [list(tiers.values()).count(tier) for tier in (4, 3, 2, 1)] == [2, 6, 12, 20]
    assert tiers["p000"] == 4
    assert tiers["p039"] == 1


def test_whoever_is_lifted_takes_nobodys_place() -> None:
    standings = people(40)
    standings[39] = replace(standings[39], lifted=True)
    tiers = tiers_of(standings, CAPACITY, 0.03)
    assert tiers["p039"] == 4
    assert {name: tier for name, tier in tiers.items() if name != "p039"} == {
        name: tier for name, tier in tiers_of(people(40), CAPACITY, 0.03).items() if name != "p039"
    }


def test_two_people_beside_a_boundary_do_not_change_places_for_little() -> None:
    first = [Standing("a", 0.50, 1.0), Standing("b", 0.49, 1.0)]
    half = {"4": 0, "3": 0, "2": 50}
    assert tiers_of(first, half, 0.03) == {"a": 2, "b": 1}
    little = [Standing("a", 0.50, 1.0, previous=2), Standing("b", 0.52, 1.0, previous=1)]
    assert tiers_of(little, half, 0.03) == {"a": 2, "b": 1}
    much = [Standing("a", 0.50, 1.0, previous=2), Standing("b", 0.54, 1.0, previous=1)]
    assert tiers_of(much, half, 0.03) == {"a": 1, "b": 2}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from((None, 1, 2, 3, 4)), st.booleans()), max_size=60),
    st.sampled_from((0.0, 0.03, 0.5)),
)
def test_capacity_holds_and_what_nothing_changes_stays(
    given_people: list[tuple[int, int | None, bool]], advantage: float
) -> None:
    standings = [
        Standing(f"p{number:03d}", score / 20, 1.0, previous, lifted)
        for number, (score, previous, lifted) in enumerate(given_people)
    ]
    tiers = tiers_of(standings, CAPACITY, advantage)
    assert set(tiers) == {one.person_id for one in standings}
    lifted = sum(one.lifted for one in standings)
    assert sum(tier == 4 for tier in tiers.values()) <= len(standings) * 5 // 100 + lifted
    assert all(tiers[one.person_id] == 4 for one in standings if one.lifted)
    kept = [replace(one, previous=tiers[one.person_id], lifted=False) for one in standings if not one.lifted]
    if not lifted:
        assert tiers_of(kept, CAPACITY, advantage) == tiers
