"""Planted gaps in care: within a gap nothing of its kind is done, outside everything is, and who people are stays the same."""

from datetime import date, timedelta

import pytest

from infra.bench.care import Action, Person, Score, counts, is_needed, scores
from infra.simulator.care_gaps import FRAILTY, SERIES, YEARLY, Care, Planter
from infra.simulator.care_screening import SCREENINGS, TESTS, is_screened
from infra.simulator.claims import MedicareClaim
from infra.simulator.period import Period
from infra.simulator.person import Person as Simulated
from infra.simulator.person import draw_person
from infra.simulator.shift import ShiftPlan
from infra.simulator.simulation import claims_of

PERIOD = Period("2022-01", 20, 3)
NO_SHIFT = ShiftPlan("none", 0, 0, 0)
DAY = date(2023, 1, 10)


def planted(index: int) -> tuple[Care, list[MedicareClaim]]:
    person = draw_person(7, index, PERIOD, NO_SHIFT)
    planter = Planter(person, 7)
    medicare, _ = claims_of(person, planter)
    return planter.care, medicare


PEOPLE = [planted(index) for index in range(60)]


def test_nothing_is_done_within_a_gap() -> None:
    gaps = [(gap, care) for care, _ in PEOPLE for gap in care.gaps]
    assert {gap.kind for gap, _ in gaps} >= {"flu_vaccine", *YEARLY} - {"nutrition_meals"}
    for gap, care in gaps:
        last = gap.closed_on or (date(gap.since.year + 1, 3, 31) if gap.kind == "flu_vaccine" else PERIOD.last_days[19])
        assert not [day for day in care.done[gap.kind] if gap.since <= day < last], gap


def test_what_was_done_is_on_a_claim() -> None:
    for care, medicare in PEOPLE:
        billed = {(line.procedure, line.first) for claim in medicare for line in claim.lines}
        for kind, code in {**YEARLY, "flu_vaccine": "90662", **{kind: one[0] for kind, one in SERIES.items()}}.items():
            if kind != "connect_primary_care":
                assert {(code, day) for day in care.done[kind]} <= billed


def test_who_is_frail_has_at_least_three_signs_on_a_claim_of_that_day() -> None:
    frail = [(day, medicare) for care, medicare in PEOPLE for day in care.done["frailty"]]
    assert frail
    for day, medicare in frail:
        signs = [set(claim.diagnosis_codes) & set(FRAILTY) for claim in medicare if claim.first == day]
        assert max(map(len, signs)) > 2


def test_people_are_who_they_are_without_it() -> None:
    plain, again = (draw_person(7, 3, PERIOD, NO_SHIFT) for _ in range(2))
    claims_of(again, Planter(again, 7))
    assert plain.traits == again.traits
    assert plain.life.spans == again.life.spans


NEEDED: list[tuple[str, dict[str, list[int]], bool]] = [
    ("wellness_visit", {"wellness_visit": [364]}, False),
    ("wellness_visit", {"wellness_visit": [366]}, True),
    ("flu_vaccine", {"flu_vaccine": [131]}, False),
    ("flu_vaccine", {"flu_vaccine": [132]}, True),
    ("falls_prevention", {"fall": [20]}, True),
    ("falls_prevention", {"fall": [20], "falls_prevention": [10]}, False),
    ("falls_prevention", {}, False),
    ("falls_prevention", {"frailty": [300]}, True),
    ("falls_prevention", {"frailty": [300], "falls_prevention": [310]}, False),
    ("falls_prevention", {"frailty": [300], "falls_prevention": [310], "fall": [20]}, True),
    ("falls_prevention", {"frailty": [400]}, False),
    ("breast_cancer_screening", {}, True),
    ("breast_cancer_screening", {"mammography": [821]}, False),
    ("breast_cancer_screening", {"mammography": [822]}, True),
    ("breast_cancer_screening", {"colonoscopy": [9]}, True),
    ("colorectal_cancer_screening", {"stool_blood": [365], "stool_dna": [1096], "colonoscopy": [3652]}, True),
    ("colorectal_cancer_screening", {"stool_blood": [365], "stool_dna": [1095]}, False),
    ("missed_dialysis", {"missed_dialysis": [4]}, False),
    ("missed_dialysis", {"missed_dialysis": [5]}, True),
]


@pytest.mark.parametrize(("kind", "ago", "needed"), NEEDED)
def test_whether_something_had_been_done(kind: str, ago: dict[str, list[int]], needed: bool) -> None:  # noqa: FBT001
    done = {name: [DAY - timedelta(days=days) for days in given] for name, given in ago.items()}
    assert is_needed(kind, DAY, done) is needed


def test_recall_is_of_gaps_that_could_be_found_and_precision_of_what_was_raised() -> None:
    last = date(2023, 8, 31)
    months = frozenset(f"{year}-{month:02d}" for year in (2022, 2023) for month in range(1, 13))
    gap = ("flu_vaccine", date(2022, 9, 1), None)
    found = Person([gap], {}, True, months, [Action("flu_vaccine", date(2022, 9, 10), "lapsed", None)])
    missed = Person([gap], {}, True, months, [])
    gone = Person([gap], {}, False, months, [])
    given = {"flu_vaccine": [date(2022, 9, 3)]}
    wrong = Person([], given, True, months, [Action("flu_vaccine", date(2022, 9, 10), "done", date(2022, 9, 3))])
    assert [counts(one, gap, last) for one in (found, missed, gone)] == [True, True, False]
    score = next(one for one in scores([found, missed, gone, wrong], last) if one.kind == "flu_vaccine")
    assert score == Score("flu_vaccine", gaps=2, found=1, raised=2, right=1, late_claims=1)


@pytest.mark.parametrize(
    ("outcome", "done_on", "closed", "otherwise"),
    [
        ("done", date(2022, 11, 20), 1, {}),
        ("done", date(2022, 11, 25), 0, {"done": 1}),
        ("lapsed", None, 0, {"lapsed": 1}),
        (None, None, 0, {"open": 1}),
    ],
)
def test_what_became_of_actions_whose_gap_ended(
    outcome: str | None, done_on: date | None, closed: int, otherwise: dict[str, int]
) -> None:
    months = frozenset(f"2022-{month:02}" for month in range(1, 13))
    gap = ("flu_vaccine", date(2022, 9, 1), date(2022, 11, 20))
    person = Person([gap], {}, True, months, [Action("flu_vaccine", date(2022, 9, 10), outcome, done_on)])
    score = next(one for one in scores([person], date(2022, 12, 31)) if one.kind == "flu_vaccine")
    assert (score.gaps, score.found, score.ended, score.closed, score.otherwise) == (1, 1, 1, closed, otherwise)


LONG = Period("2020-01", 44, 3)


def screened(index: int) -> tuple[Simulated, Care, list[MedicareClaim]]:
    person = draw_person(7, index, LONG, NO_SHIFT)
    planter = Planter(person, 7)
    medicare, _ = claims_of(person, planter)
    return person, planter.care, medicare


LATER = [screened(index) for index in range(150)]


def test_screenings_are_lacking_until_they_are_done() -> None:
    gaps = [(gap, care) for _, care, _ in LATER for gap in care.gaps if gap.kind in SCREENINGS]
    assert {gap.kind for gap, _ in gaps} == set(SCREENINGS)
    assert {gap.closed_on is None for gap, _ in gaps} == {True, False}
    for gap, care in gaps:
        tests, _, _, silence = SCREENINGS[gap.kind]
        done = [day for test in tests for day in care.done[test]]
        assert min(done, default=None) == gap.closed_on
        assert all((day - gap.since).days > silence for day in done)


def test_a_screening_is_on_a_claim_and_of_whom_it_is_due_to() -> None:
    people = [
        (person, test, day, medicare) for person, care, medicare in LATER for test in TESTS for day in care.done[test]
    ]
    assert {test for _, test, _, _ in people} == set(TESTS)
    for person, test, day, medicare in people:
        assert (TESTS[test][0], day) in {(line.procedure, line.first) for claim in medicare for line in claim.lines}
        assert person.traits.sex == "2" or test != "mammography"
        assert 45 <= (day - person.traits.birth).days / 365.25 <= 75.1
        assert person.traits.setting != "nursing_facility"


def test_whoever_would_not_be_screened_has_none_planted() -> None:
    for person, care, medicare in LATER:
        if not is_screened(person.traits, medicare):
            assert not any(care.done[test] for test in TESTS)
            assert not any(gap.kind in SCREENINGS for gap in care.gaps)


def test_screenings_change_nothing_else_that_is_planted() -> None:
    """They are drawn from a stream of their own, and last."""
    person = draw_person(7, 5, LONG, NO_SHIFT)
    planter = Planter(person, 7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.simulator.care_gaps.is_screened", lambda *_: False)
        claims_of(person, planter)
    _, care, _ = LATER[5]
    assert [gap for gap in care.gaps if gap.kind not in SCREENINGS] == planter.care.gaps
    assert {kind: days for kind, days in care.done.items() if kind not in TESTS and days} == {
        kind: days for kind, days in planter.care.done.items() if days
    }
