"""Net, offset, direction, shifted; and the descriptive difference in differences."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import shown_cents
from services.cost_shift.answers import CentsPerMonth, Ratio
from services.cost_shift.category_policy import CategoryPair, category_pairs
from services.cost_shift.effects import Windows, cohort_window, effects, pairs, states_of
from services.cost_shift.rules.descriptive_effect import BeforeAndAfter, Spending, descriptive_effect
from services.cost_shift.rules.direction import direction, offset_ratio, relation, shifted

amounts = st.fractions(min_value=-1000, max_value=1000, max_denominator=997)


def test_worked_example() -> None:
    related = relation(Fraction(-60_00), Fraction(45_00))
    assert related.net_effect == -15_00
    assert related.offset_ratio == Fraction(3, 4)
    assert related.direction == "medicare_to_medicaid"
    assert related.shifted == 45_00
    assert shown_cents(related.shifted * 12_000) == 540_000_00
    assert shown_cents(-related.net_effect * 12_000) == 180_000_00


@pytest.mark.parametrize(
    ("medicare", "medicaid", "expected", "offset", "moved"),
    [
        (-60, 45, "medicare_to_medicaid", Fraction(3, 4), 45),
        (-30, 45, "medicare_to_medicaid", Fraction(3, 2), 30),
        (45, -60, "medicaid_to_medicare", Fraction(3, 4), 45),
        (-60, -15, "both_down", Fraction(-1, 4), 0),
        (10, 20, "both_up", None, 0),
        (0, 0, "none", None, 0),
        (0, 5, "none", None, 0),
        (-5, 0, "none", Fraction(0), 0),
        (0, -5, "none", Fraction(0), 0),
    ],
)
def test_relations(medicare: int, medicaid: int, expected: str, offset: Fraction | None, moved: int) -> None:
    pair = (Fraction(medicare), Fraction(medicaid))
    assert direction(*pair) == expected
    assert offset_ratio(*pair) == offset
    assert shifted(*pair) == moved


@given(amounts, amounts)
def test_mirrored_pairs_mirror(medicare: Fraction, medicaid: Fraction) -> None:
    there, back = relation(medicare, medicaid), relation(medicaid, medicare)
    assert there.net_effect == back.net_effect
    assert there.shifted == back.shifted
    assert (there.shifted > 0) == (there.direction in {"medicare_to_medicaid", "medicaid_to_medicare"})
    mirror = {"medicare_to_medicaid": "medicaid_to_medicare", "medicaid_to_medicare": "medicare_to_medicaid"}
    assert back.direction == mirror.get(there.direction, there.direction)


@given(amounts.filter(lambda value: value < 0), amounts.filter(lambda value: value > 0))
def test_offset_says_how_much_of_the_reduction_is_left(medicare: Fraction, medicaid: Fraction) -> None:
    related = relation(medicare, medicaid)
    assert related.offset_ratio is not None
    assert related.net_effect == medicare * (1 - related.offset_ratio)


def test_descriptive_effect_is_exact() -> None:
    aligned = BeforeAndAfter(Spending(1000, 3), Spending(500, 3))
    comparison = BeforeAndAfter(Spending(700, 7), Spending(900, 9))
    assert descriptive_effect(aligned, comparison) == Fraction(-500, 3)


@pytest.mark.parametrize("empty", range(4))
def test_no_effect_where_a_window_holds_nobody(empty: int) -> None:
    windows = [Spending(100, 0 if number == empty else 1) for number in range(4)]
    assert descriptive_effect(BeforeAndAfter(*windows[:2]), BeforeAndAfter(*windows[2:])) is None


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4))
def test_equal_changes_are_no_effect(cents: int, months: int) -> None:
    same = BeforeAndAfter(Spending(cents, months), Spending(cents * 2, months))
    assert descriptive_effect(same, same) == 0


def worked_windows(months: int = 12_000) -> Windows:
    return Windows(
        cohort_window(months, [("medicare", "inpatient", 100_00 * months), ("medicaid", "home_and_community", 0)]),
        cohort_window(
            months,
            [
                ("medicare", "inpatient", 40_00 * months),
                ("medicaid", "home_and_community", 45_00 * months),
                ("medicaid", "capitation", 999),
            ],
        ),
        cohort_window(5, [("medicare", "inpatient", 50)]),
        cohort_window(5, [("medicare", "inpatient", 50)]),
    )


def test_pairs_of_published_sums() -> None:
    linked = CategoryPair("admission_avoided", "inpatient", "home_and_community")
    whole, pair = pairs(worked_windows(), [linked])
    for found in (whole, pair):
        assert found.direction == "medicare_to_medicaid"
        assert found.offset_ratio == Ratio(numerator=3, denominator=4, shown="0.7500")
        assert found.net_effect == CentsPerMonth(numerator=-15_00, denominator=1, shown_cents=-15_00)
        assert (found.shifted_cents, found.net_cents) == (540_000_00, -180_000_00)
    assert (whole.medicare_category, pair.medicare_category) == (None, "inpatient")


def test_effects_leave_capitation_out() -> None:
    found = {(effect.payer, effect.category): effect for effect in effects(worked_windows())}
    assert set(found) == {
        ("medicare", None),
        ("medicare", "inpatient"),
        ("medicaid", None),
        ("medicaid", "home_and_community"),
    }
    assert found["medicaid", None].aligned_after.cents == 45_00 * 12_000


def test_pairs_without_people_say_nothing() -> None:
    empty = cohort_window(0, [])
    (whole,) = pairs(Windows(empty, empty, empty, empty), [])
    assert whole.direction is whole.offset_ratio is whole.shifted is whole.net_cents is None


def test_states_with_people() -> None:
    assert states_of({("OH",): 3, ("CA",): 1, ("TX",): 0}) == ["CA", "OH"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(3, 4), "0.7500"),
        (Fraction(-1, 3), "-0.3333"),
        (Fraction(2, 3), "0.6667"),
        (Fraction(5, 2), "2.5000"),
        (Fraction(-1, 100_000), "0.0000"),
    ],
)
def test_ratio_as_shown(value: Fraction, shown: str) -> None:
    ratio = Ratio.of(value)
    assert ratio is not None
    assert ratio.shown == shown
    assert Fraction(ratio.numerator, ratio.denominator) == value


def test_no_ratio_is_no_number() -> None:
    assert Ratio.of(None) is None
    assert CentsPerMonth.of(None) is None


def test_linked_pairs_are_read() -> None:
    channels = [pair.channel for pair in category_pairs()]
    assert len(channels) == len(set(channels)) > 3
