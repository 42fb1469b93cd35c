"""What others are told of effects and signals: nothing of a few people, nor what could tell of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.study_worlds import StudyWorld
from services.cost_shift.completion import TOTAL
from services.cost_shift.county_cells import CountyCells
from services.cost_shift.people_behind import behind, most_at_once, people_of_period
from services.cost_shift.rules.county_panel import CellKey
from services.cost_shift.rules.enough_people import Behind, enough_people
from services.cost_shift.signal_answers import EffectShown, PairEvidence, PeriodShown, SignalShown
from services.cost_shift.signals_gateway import SignalQuery
from services.cost_shift.states.effects_told import Standing
from services.cost_shift.states.estimates import quarter_of
from services.cost_shift.states.reading import Known
from services.cost_shift.states.signal_answers import StateSignal
from services.cost_shift.states.signals import is_asked_for
from services.cost_shift.study_cells import Side, StudyCells, UnitMonth
from services.cost_shift.studying import ALL_SERVICES

SMALLEST = 11


@pytest.mark.parametrize(
    ("groups", "enough"),
    [
        ([Behind(11, 11)], True),
        ([Behind(10, 10)], False),
        ([Behind(500, 10)], False),
        ([Behind(500, 1)], False),
        ([Behind(500, 0)], True),
        ([Behind(500, 400), Behind(10, 0)], False),
        ([Behind(0, 0)], False),
        ([], True),
    ],
    ids=["just enough", "people", "claimants", "one claimant", "nobody had a cost", "one group", "nobody", "no group"],
)
def test_groups(groups: list[Behind], *, enough: bool) -> None:
    assert enough_people(groups, SMALLEST) is enough


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: Behind(*pair)), max_size=5))
def test_one_group_that_is_too_small_is_enough_to_withhold(groups: list[Behind]) -> None:
    small = any(one.people < SMALLEST or 0 < one.claimants < SMALLEST for one in groups)
    assert enough_people(groups, SMALLEST) is not small


DRUGS, HOSPICE, WHOLE = ("medicaid", "drugs"), ("medicaid", "hospice"), ("medicaid", TOTAL)
BEFORE, AFTER = ("2022-01", "2022-02"), ("2022-03", "2022-04")


def shown(category: str, month: str, claims: int, *, grouped: bool = False) -> Known:
    return Known(("medicaid", category, month), claims * 100, claims, 0, 0, 1, grouped, False)


def standing(
    people: dict[tuple[bool, str], int], costs: set[tuple[bool, str, str]], told: dict[bool, list[Known]]
) -> Standing:
    cells = CountyCells()
    for (aligned, month), count in people.items():
        for county, part in (("39001", count // 2), ("39003", count - count // 2)):
            cells.people[CellKey(county, aligned, month)] = part
    for aligned, month, category in costs:
        key = CellKey("39001", aligned, month)
        cells.cents[key]["medicaid", category] = 500
        cells.claims[key]["medicaid", category] = 1
    return Standing.of(cells, told.get(True, []), told.get(False, []))


EVERYBODY = {(aligned, month): 40 for aligned in (True, False) for month in (*BEFORE, *AFTER)}
BOTH = {(aligned, month, "drugs") for aligned in (True, False) for month in ("2022-02", "2022-04")}
TOLD = {aligned: [shown("drugs", "2022-02", 20), shown("drugs", "2022-04", 20)] for aligned in (True, False)}


@pytest.mark.parametrize(
    ("people", "costs", "told", "series", "tells"),
    [
        ({}, BOTH, TOLD, DRUGS, True),
        ({(True, "2022-03"): 3}, BOTH, TOLD, DRUGS, True),
        ({(True, "2022-03"): 3, (True, "2022-04"): 10}, BOTH, TOLD, DRUGS, False),
        ({(False, "2022-01"): 10, (False, "2022-02"): 10}, BOTH, TOLD, DRUGS, False),
        ({}, BOTH, {True: TOLD[True]}, DRUGS, False),
        ({}, BOTH | {(True, "2022-04", "hospice")}, TOLD, HOSPICE, False),
        ({}, BOTH, TOLD, HOSPICE, True),
        ({}, BOTH | {(True, "2022-04", "hospice")}, TOLD, WHOLE, True),
    ],
    ids=[
        "told",
        "one small month",
        "aligned after",
        "comparison before",
        "costs that wait",
        "one claimant",
        "no cost",
        "whole",
    ],
)
def test_effects(people: Any, costs: Any, told: Any, series: tuple[str, str], *, tells: bool) -> None:
    found = standing(EVERYBODY | people, costs, told)
    assert found.tells([series], (BEFORE, AFTER), SMALLEST) is tells
    assert found.tells([DRUGS, series], (BEFORE, AFTER), SMALLEST) is (
        tells and found.tells([DRUGS], (BEFORE, AFTER), SMALLEST)
    )


def test_of_what_is_shown_only_with_others_nothing_is_told_but_its_sum() -> None:
    hidden = {
        side: [shown("drugs", month, 20, grouped=True) for month in ("2022-02", "2022-04")] for side in (True, False)
    }
    found = standing(EVERYBODY, BOTH, hidden)
    assert not found.tells([DRUGS], (BEFORE, AFTER), SMALLEST)
    assert found.tells([WHOLE], (BEFORE, AFTER), SMALLEST)


def test_people_who_live_in_several_counties_count_together_and_months_by_themselves() -> None:
    found = standing(dict.fromkeys(EVERYBODY, 11), set(), {})
    assert found.tells_anything((BEFORE, AFTER), SMALLEST)
    assert not standing(dict.fromkeys(EVERYBODY, 10), set(), {}).tells_anything((BEFORE, AFTER), SMALLEST)


@pytest.mark.parametrize(("number", "months"), [(0, ("2022-03", "2022-05")), (-1, ("2021-12", "2022-02"))])
def test_quarters_are_counted_from_the_later_window(number: int, months: tuple[str, str]) -> None:
    assert quarter_of("2022-03", number) == months


def small_study() -> StudyCells:
    cells = StudyCells()
    for county, start, month, people in (
        ("39001", "", "2021-12", 7), ("39003", "", "2021-12", 8), ("39001", "2022-01", "2021-12", 5),
        ("39001", "", "2022-01", 20), ("39001", "2022-01", "2022-01", 6), ("39001", "2022-04", "2022-01", 2),
    ):  # fmt: skip
        cells.people[UnitMonth(county, start, month)] = people
    return cells


def test_sides_are_counted_over_counties_and_groups() -> None:
    assert most_at_once(small_study(), "2021-12") == {
        Side(aligned=False, later=False): 15, Side(aligned=True, later=False): 5,
        Side(aligned=False, later=True): 20, Side(aligned=True, later=True): 8,
    }  # fmt: skip


def test_a_study_says_who_stands_behind_each_series_on_every_side() -> None:
    study = StudyWorld(3, counties=6, people=20).study()
    series = study.series[0]
    payer = series[0]
    for side in (Side(aligned, later) for aligned in (False, True) for later in (False, True)):
        study.cells.claimants[side] = {(payer, "inpatient"): 5, (payer, "physician"): 40, ("other", "drugs"): 90}
    found = behind(study, [(payer, "inpatient"), (payer, TOTAL), (payer, "hospice")])
    assert [one.claimants for one in found] == [5] * 4 + [40] * 4 + [0] * 4
    assert all(one.people >= SMALLEST for one in found)
    people = people_of_period(study)
    assert people
    assert max(people.values()) <= sum(study.cells.people.values())


EFFECT = EffectShown(
    effect_cents=-100.0, standard_error_cents=1.0, lower_cents=-102.0, upper_cents=-98.0, p_value=0.01, detectable_cents=3.0
)  # fmt: skip
EVIDENCE = PairEvidence(
    medicare=EFFECT, medicaid=EFFECT, net=EFFECT, direction="both_down", shifted_cents=0, offset_ratio=None,
    offset_lower=None, offset_upper=None, probability_of_opposite_signs=0, adjusted_p_value=0.5, held_a_quarter_earlier=True,
    chance_of_earlier_parting=None, detectable_without_covariates=None, detectable_ratio=None,
    periods=[PeriodShown(period=0, people=11, medicare_cents=1, medicaid_cents=1),
             PeriodShown(period=1, people=10, medicare_cents=2, medicaid_cents=2)],
)  # fmt: skip


def signal(**changed: Any) -> SignalShown:
    said: dict[str, Any] = {
        "signal_id": "D9001.home_health.7", "entity_id": "D9001", "channel": "home_health", "medicare_category": "home_health",
        "medicaid_category": "home_health", "revision": 7, "level": "review", "previous_level": "watch",
        "enough_people": True, "previous_enough_people": True, "attention": "watch", "medicare_chart": "up",
        "medicaid_chart": "down", "lacking": ["too_small"], "evidence": EVIDENCE, "statement": "Since.", "caveats": ["But."],
    }  # fmt: skip
    return SignalShown(**said | changed)


def test_of_a_few_people_a_state_is_told_that_and_nothing_else() -> None:
    told = StateSignal.of(signal(enough_people=False))
    assert (told.withheld, told.level, told.attention) == ("too_few_people", "suppressed", "suppressed")
    assert (told.medicare_chart, told.medicaid_chart, told.lacking, told.evidence, told.caveats) == (
        None,
        None,
        [],
        None,
        [],
    )
    text = told.model_dump_json()
    assert not any(word in text for word in ("-100", "review", "Since", "But", "too_small", '"up"'))
    # Nothing in it depends on what is withheld.
    assert (
        text
        == StateSignal.of(
            signal(
                enough_people=False, level="cleared", attention="none", evidence=None, medicare_chart=None, statement=""
            )
        ).model_dump_json()
    )


def test_a_signal_that_was_kept_before_anybody_looked_is_withheld() -> None:
    kept = signal().model_dump(exclude={"enough_people", "previous_enough_people"})
    assert StateSignal.of(SignalShown(**kept)).withheld == "too_few_people"


@pytest.mark.parametrize(
    ("level", "enough_before", "told"),
    [("cleared", True, ("cleared", "watch")), ("cleared", False, ("none", "suppressed")),
     ("review", False, ("review", "suppressed")), ("none", False, ("none", "suppressed"))],
)  # fmt: skip
def test_what_was_withheld_is_not_told_by_what_came_after(
    level: str, told: tuple[str, str], *, enough_before: bool
) -> None:
    found = StateSignal.of(signal(level=level, previous_enough_people=enough_before))
    assert (found.level, found.previous_level) == told


def test_quarters_of_a_few_people_and_of_single_categories_are_not_told() -> None:
    one, whole = (StateSignal.of(signal(channel=name)) for name in ("home_health", ALL_SERVICES.channel))
    assert one.evidence is not None
    assert whole.evidence is not None
    assert one.evidence.periods == []
    assert [period.period for period in whole.evidence.periods] == [0]
    assert whole.evidence.medicare == EFFECT
    assert "people" not in whole.evidence.model_dump()["periods"][0]


@pytest.mark.parametrize(
    ("changed", "query", "shown_so"),
    [
        ({}, {}, True),
        ({}, {"level": ["review"]}, True),
        ({}, {"level": ["watch"]}, False),
        ({}, {"history": "told"}, True),
        ({"enough_people": False}, {}, True),
        ({"enough_people": False}, {"history": "all"}, True),
        ({"enough_people": False}, {"history": "told"}, False),
        ({"enough_people": False}, {"level": ["review"]}, False),
        ({"previous_enough_people": False}, {"history": "told"}, False),
        ({"previous_enough_people": False, "level": "cleared"}, {"level": ["cleared"]}, False),
        ({"previous_enough_people": False, "level": "cleared"}, {"level": ["none"]}, True),
    ],
)
def test_filters_tell_nothing_of_what_is_withheld(changed: Any, query: Any, *, shown_so: bool) -> None:
    assert is_asked_for(StateSignal.of(signal(**changed)), SignalQuery(**query)) is shown_so
