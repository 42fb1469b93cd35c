"""The planted risk of avoidable admissions: what raises it, its chance, and what claims, lines and fills make of it."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_of_simulation import NO_SHIFT, PERIOD, life, person, traits

from infra.simulator.claim_facts import specialty
from infra.simulator.claims import MedicareClaim
from infra.simulator.life import Enrolment
from infra.simulator.medicare import medicare_claims
from infra.simulator.person import Person, draw_person
from infra.simulator.prospects import (
    MEAN_OF_DRAWN,
    MOST_MONTHLY,
    STAYS,
    Prospects,
    Series,
    base_monthly,
    draw_prospects,
    expected_monthly,
)
from infra.simulator.signs import show_signs
from infra.simulator.simulation import claims_of
from infra.simulator.traits import draw_traits
from infra.simulator.unplanned import FIRST_NUMBER, TREATMENTS, expected_unplanned_cents, unplanned_claims

FIRST = PERIOD.first_days[0]
SENSITIVE = ("I50", "J44", "E1165", "J18", "N390")


def prospects(monthly: float = 0.0, **given: Any) -> Prospects:
    values: dict[str, Any] = {
        "weights": (monthly,) * PERIOD.months,
        "frailty": (1.0,) * PERIOD.months,
        "drugs": 0,
        "drug_plan": False,
        "primary_care": True,
        "series": (),
        **given,
    }
    return Prospects(**values)


def with_prospects(planted: Prospects, **given: object) -> Person:
    made = person(**given)
    made.prospects = planted
    return made


@cache
def drawn() -> list[tuple[Person, Prospects]]:
    people = [draw_person(1, index, PERIOD, NO_SHIFT) for index in range(1500)]
    return [(made, made.prospects) for made in people if made.prospects is not None]


HIGHER: list[dict[str, object]] = [
    {"diagnosis_codes": ("I10", "E119", "I509")},
    {"diagnosis_codes": ("I10", "E119", "J449")},
    {"diagnosis_codes": ("I10", "E119", "N184")},
    {"setting": "home_and_community"},
    {"setting": "nursing_facility"},
    {"behavioural": True},
    {"substance_use": True},
    {"high_need": True},
    {"medicare_level": 2.0},
    {"birth": date(1935, 6, 1)},
]


@pytest.mark.parametrize("given", HIGHER, ids=lambda given: next(iter(given)))
def test_what_raises_the_risk(given: dict[str, object]) -> None:
    usual = base_monthly(traits(), FIRST)
    assert 1.1 * usual < base_monthly(traits(**given), FIRST) < 3 * usual
    assert expected_monthly(traits(**given), FIRST) == pytest.approx(
        MEAN_OF_DRAWN * base_monthly(traits(**given), FIRST)
    )


def test_a_condition_raises_the_risk_once() -> None:
    once, twice = (traits(diagnosis_codes=codes) for codes in (("I509",), ("I509", "I5022")))
    assert base_monthly(once, FIRST) == base_monthly(twice, FIRST)


def test_the_expectation_of_what_is_drawn_is_the_constant_that_calibration_uses() -> None:
    ratio = statistics.mean(statistics.mean(one.weights) for _, one in drawn()) / statistics.mean(
        base_monthly(made.traits, FIRST) for made, _ in drawn()
    )
    assert ratio == pytest.approx(MEAN_OF_DRAWN, rel=0.03)


def test_chance_has_mean_one_and_stays_for_a_while() -> None:
    paths = [one.frailty for _, one in drawn()]
    for month in (0, 6, 11):
        assert statistics.mean(path[month] for path in paths) == pytest.approx(1, abs=0.08)
    for apart in (1, 6):
        seen = statistics.correlation([path[0] for path in paths], [path[apart] for path in paths])
        assert seen == pytest.approx(STAYS**apart, abs=0.08)


def test_a_probability_by_hand() -> None:
    made = prospects(0.1, frailty=(2.0, *(1.0,) * 11))
    assert made.monthly(0) == 0.2
    assert made.probability([0, 1]) == pytest.approx(1 - math.exp(-0.3))
    assert made.probability([]) == 0
    assert made.foreseeable(0, [1]) == pytest.approx(1 - math.exp(-0.1 * (1 + STAYS)))
    assert made.foreseeable(1, [2, 3]) == pytest.approx(1 - math.exp(-0.2)), "nothing is known of an average chance"
    assert prospects(5.0).monthly(3) == MOST_MONTHLY


@settings(deadline=None)
@given(st.floats(0, 1), st.lists(st.floats(0, 9), min_size=12, max_size=12), st.integers(0, 10))
def test_probabilities_are_between_none_and_one_and_grow_with_time(
    monthly: float, frailty: Sequence[float], known: int
) -> None:
    made = prospects(monthly, frailty=tuple(frailty))
    for told in (made.probability, lambda months: made.foreseeable(known, months)):
        values = [told(range(known + 1, last)) for last in range(known + 1, 13)]
        assert all(0 <= value <= 1 for value in values)
        assert values == sorted(values)


def test_a_break_raises_the_risk_while_it_lasts() -> None:
    found = 0
    for _, made in drawn():
        broken = {month for one in made.series for month in one.broken if month < PERIOD.months}
        whole = [made.weights[month] for month in range(PERIOD.months) if month not in broken]
        found += bool(broken)
        if whole:
            assert all(made.weights[month] > 2 * whole[0] for month in broken)
            assert len(set(whole)) == 1
    assert found > 20


def test_everybody_with_renal_failure_is_dialysed() -> None:
    for made, one in drawn():
        assert made.traits.renal_failure == any(series.treatment == "dialysis" for series in one.series)


def test_the_same_person_has_the_same_prospects_whatever_else_is_drawn() -> None:
    made = draw_traits(Random("somebody"), 3, FIRST)
    assert draw_prospects(Random("a"), made, PERIOD) == draw_prospects(Random("a"), made, PERIOD)
    assert draw_prospects(Random("a"), made, PERIOD) != draw_prospects(Random("b"), made, PERIOD)


def test_the_truth_tells_what_is_planted() -> None:
    series = (Series("wound", 0, range(3, 5)), Series("infusion", 2, range(6, 6)), Series("dialysis", 0, range(12, 14)))
    told = prospects(0.25, drugs=7, drug_plan=True, primary_care=False, series=series).document()
    assert told == {
        "monthly_per_million": [250_000] * 12, "drugs": 7, "primary_care": False, "broken_series": ["wound"],
    }  # fmt: skip
    assert prospects(drugs=7).document()["drugs"] == 0, "without a drug plan no file shows them"


def test_admissions_come_as_often_as_planted_and_for_reasons_that_care_could_have_kept_away() -> None:
    stays: list[MedicareClaim] = []
    for index in range(400):
        made = with_prospects(prospects(0.1), index=index)
        stays += unplanned_claims(made)[0]
    assert len(stays) == pytest.approx(400 * 12 * 0.1, rel=0.12)
    assert all(claim.claim_type == "60" and claim.diagnosis_codes[0].startswith(SENSITIVE) for claim in stays)
    through = statistics.mean(claim.revenue_center == "0450" for claim in stays)
    assert through == pytest.approx(0.8, abs=0.06)
    assert all(claim.versions for claim in stays)
    assert {claim.diagnosis_codes[0] for claim in stays} == {"E1165", "J189", "N390"}, (
        "of own causes only those one has"
    )


def test_numbers_of_unplanned_claims_meet_no_others() -> None:
    made = with_prospects(prospects(0.4))
    medicare, medicaid = unplanned_claims(made)
    numbers = [one.number for one in (*medicare, *medicaid)]
    assert len(set(numbers)) == len(numbers) > 0
    assert min(numbers) > FIRST_NUMBER
    assert made.claims_made == made.records_made == 0
    assert all(claim.crossover for claim in medicaid)


@pytest.mark.parametrize(
    "given", [{"death": date(2022, 3, 9)}, {"entry": 8}, {"start": Enrolment("02", "MCO9001", "H1")}]
)
def test_nothing_befalls_whoever_is_not_there(given: dict[str, Any]) -> None:
    everything = prospects(0.5, series=(Series("dialysis", 0, range(0)),))
    made = person(life(**given))
    made.prospects = everything
    days = [claim.last for claim in unplanned_claims(made)[0]]
    in_a_plan = "start" in given
    assert bool(days) is not in_a_plan
    assert all(day <= made.last_day and PERIOD.number(day) >= made.life.entry for day in days)


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_treatments_recur_but_for_the_break(treatment: Any) -> None:
    center, service, _ = TREATMENTS[treatment]
    made = with_prospects(prospects(series=(Series(treatment, 2, range(6, 9)),)))
    claims, _ = unplanned_claims(made)
    by_month = Counter(PERIOD.number(claim.first) for claim in claims)
    assert by_month == dict.fromkeys((2, 3, 4, 5, 9, 10, 11), 2)
    assert {(claim.revenue_center, claim.lines[0].procedure) for claim in claims} == {(center, service)}
    assert unplanned_claims(made, series=False)[0] == []
    days = sorted(claim.first for claim in claims)
    gaps = [(after - before).days for before, after in pairwise(days)]
    assert max(gaps) > 60
    assert sorted(gaps)[-2] < 30


def test_people_without_prospects_have_no_unplanned_claims() -> None:
    assert unplanned_claims(person()) == ([], [])
    made = list(medicare_claims(person(), 3))
    before = [(claim.diagnosis_codes, claim.npi, claim.revenue_center) for claim in made]
    show_signs(person(), made)
    assert [(claim.diagnosis_codes, claim.npi, claim.revenue_center) for claim in made] == before


def _usual(planted: Prospects, **given: object) -> list[MedicareClaim]:
    made = with_prospects(planted, **given)
    claims = [claim for month in range(12) for claim in medicare_claims(made, month)]
    show_signs(made, claims)
    return claims


def test_stays_of_people_of_high_need_are_for_other_reasons() -> None:
    stays = [claim for claim in _usual(prospects(0.01), high_need=True) if claim.claim_type == "60"]
    assert len(stays) == 6
    assert not any(claim.diagnosis_codes[0].startswith((*SENSITIVE, "I10", "E11")) for claim in stays)


def test_the_more_at_risk_the_more_often_in_the_emergency_room() -> None:
    def share(monthly: float) -> float:
        visits = [
            claim
            for index in range(150)
            for claim in _usual(prospects(monthly), index=index, medicare_level=3.0)
            if claim.claim_type == "40"
        ]
        assert {claim.lines[0].procedure for claim in visits if claim.revenue_center} <= {"99283", "99284", "99285"}
        assert all(bool(claim.revenue_center) == bool(claim.lines[0].procedure) for claim in visits)
        return statistics.mean(claim.revenue_center == "0450" for claim in visits)

    assert 0.03 < share(0.006) < share(0.05) < share(0.4) < 0.6


@pytest.mark.parametrize("primary_care", [True, False])
def test_who_has_no_primary_care_sees_specialists_only(*, primary_care: bool) -> None:
    seen = {specialty(one) for one in _usual(prospects(0.01, primary_care=primary_care)) if one.claim_type == "71"}
    assert bool(seen - {"02", "06"}) is primary_care


def test_other_claims_keep_numbers_days_and_amounts() -> None:
    """What is planted is drawn aside: who has no prospects has the same usual claims."""
    for index in range(25):
        with_them, without = (draw_person(4, index, PERIOD, NO_SHIFT) for _ in range(2))
        without.prospects = None
        told, plain = claims_of(with_them), claims_of(without)
        for some, others in zip(told, plain, strict=True):
            usual = [_facts(claim) for claim in some if claim.number < FIRST_NUMBER]
            assert usual == [_facts(claim) for claim in others]


def _facts(claim: Any) -> tuple[Any, ...]:
    lines = [(line.first, line.last, line.cents, line.unshifted_cents) for line in claim.lines]
    return claim.number, claim.claim_type, claim.first, claim.last, lines, claim.versions, claim.denied


def test_expected_cost_of_unplanned_stays_is_what_they_come_to() -> None:
    expected = sum(expected_unplanned_cents(made.traits, FIRST) for made, _ in drawn()) * PERIOD.months
    stays = [claim for made, _ in drawn() for claim in unplanned_claims(made, series=False)[0]]
    seen = sum(claim.lines[0].unshifted_cents for claim in stays)
    # Some are in a health plan, come late or die; prices rise and have a season.
    assert 0.8 * expected < seen < 1.1 * expected


def test_a_share_of_the_year_is_more_telling_than_nothing() -> None:
    """Whoever was admitted in the first half is admitted in the second more often than others, but by no means always."""
    again = Counter[bool]()
    people = Counter[bool]()
    for made, _ in drawn():
        months = {PERIOD.number(claim.first) for claim in unplanned_claims(made, series=False)[0]}
        before, after = any(month < 6 for month in months), any(month >= 6 for month in months)
        people[before] += 1
        again[before] += after
    assert 2 * again[False] / people[False] < again[True] / people[True] < 0.5


def test_days_of_a_series_lie_in_their_month() -> None:
    made = with_prospects(prospects(series=(Series("dialysis", 0, range(0)),)))
    days = sorted(claim.first for claim in unplanned_claims(made)[0])
    assert len(days) == 24
    assert all(b - a >= timedelta(days=2) for a, b in pairwise(days))
