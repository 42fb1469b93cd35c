"""What a study should find is what the simulator planted, in the person-months that a study follows."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from contracts.codes import Cohort, Payer
from infra.bench.full_recovery import Found, read_found
from infra.bench.study_truth import Population, followed, planted_cents, study_truth
from infra.simulator.person import Person, draw_person
from infra.simulator.simulation import claims_of
from infra.simulator.truth import Truth, cohort_of

POPULATION = Population(5, 40, 18, 12, "medicare-to-medicaid", 40_000, 30_000)
LAST = POPULATION.period.last_service
MONTHS = POPULATION.period.texts[: LAST + 1]


def drawn() -> list[Person]:
    plan = POPULATION.plan()
    return [draw_person(POPULATION.seed, index, POPULATION.period, plan) for index in range(POPULATION.people)]


def test_what_is_planted_in_every_month_is_what_the_truth_adds_up() -> None:
    truth, found = Truth(POPULATION.period), Counter[Payer]()
    for person in drawn():
        claims = claims_of(person)
        truth.add_person(person, *claims)
        for (payer, month), cents in planted_cents(*claims, POPULATION.period).items():
            assert cents == 0 or month >= POPULATION.baseline
            found[payer] += cents
    planted = truth.planted()
    assert {f"{payer.value}_cents": cents for payer, cents in found.items()} == {
        name: cents for name, cents in planted.items() if name.endswith("_cents")
    }
    assert planted["medicare_cents"] < 0 < planted["medicaid_cents"]


def test_people_are_treated_behind_the_baseline_and_from_their_quarter_of_entry_on() -> None:
    kinds, studied = Counter[str](), frozenset(range(LAST + 1))
    for person in drawn():
        one = followed(person, POPULATION.baseline, studied)
        if one is None:
            kinds["comes later"] += 1
            continue
        last = min(person.life.last_stated, LAST)
        aligned = [number for number in range(person.life.entry, last + 1) if person.aligned[number]]
        assert (one.start is None) == (not aligned)
        assert all(cohort_of(person, month) is not Cohort.EXCLUDED for month in one.counties)
        if one.start is None:
            assert not one.treated
            kinds["never"] += 1
            continue
        assert one.start >= POPULATION.baseline
        assert (one.start - POPULATION.baseline) % 3 == 0
        assert aligned[0] < one.start + 3
        assert {month for month in aligned if month >= one.start} <= set(one.treated)
        kinds["left" if len(one.treated) > sum(month >= one.start for month in aligned) else "stayed"] += 1
    assert kinds["never"]
    assert kinds["stayed"]


def test_months_that_are_left_out_and_counties_without_earlier_months_are_not_studied() -> None:
    studied = MONTHS[:-3]
    whole, shorter = study_truth(POPULATION, MONTHS), study_truth(POPULATION, studied)
    assert shorter.person_months < whole.person_months
    assert abs(shorter.medicare_cents) < abs(whole.medicare_cents)
    only_behind = study_truth(POPULATION, MONTHS[POPULATION.baseline : POPULATION.baseline + 3])
    every = [one for person in drawn() if (one := followed(person, POPULATION.baseline, frozenset(range(LAST + 1))))]
    # Who enters in a later quarter is untreated in the first behind the baseline; of everybody else there is no earlier month.
    assert only_behind.person_months < sum(
        len([month for month in one.treated if month < POPULATION.baseline + 3]) for one in every
    )
    none = study_truth(replace(POPULATION, shift="none"), MONTHS)
    assert none.person_months == whole.person_months
    assert none.effects == (0, 0)


def answered(lower: float | None, upper: float | None) -> dict[str, float | None]:
    return {"effect_cents": -1.0, "lower_cents": lower, "upper_cents": upper, "detectable_cents": 2.0}


@pytest.mark.parametrize(
    ("lower", "upper", "held"),
    [(None, None, True), (-1e9, 1e9, True), (1e8, 1e9, False), (-1e9, -1e8, False), (None, -1e8, False)],
)
def test_an_interval_without_an_end_holds_everything_on_that_side(
    lower: float | None, upper: float | None, *, held: bool
) -> None:
    evidence = {"medicare": answered(lower, upper), "medicaid": answered(None, None)}
    study = {
        "study": {
            "first_month": MONTHS[0],
            "last_month": MONTHS[-1],
            "months_left_out": [MONTHS[-3]],
            "treated_person_months": 7,
        },
        "pairs": [{"channel": "all_services", "evidence": evidence}],
    }

    levels = [{"level": "none"}, {"level": "watch"}, {"level": "watch"}]
    found: Found = read_found(POPULATION, SimpleNamespace(claims_applied=12, right=True), study, levels)
    assert found.held == (held, True)
    assert found.told == "watch (2)"
    assert (found.treated_person_months, found.claims, found.exact) == (7, 12, True)
    assert found.months == LAST
    assert found.true_person_months == study_truth(POPULATION, [*MONTHS[:-3], *MONTHS[-2:]]).person_months
