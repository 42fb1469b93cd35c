"""When a state is told: the four conditions, one by one, and what is lacking where it is not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cost_shift.rules.composition import TraitDifference, verdict
from services.cost_shift.rules.signal_level import Bars, Findings, lacking, signal_level
from services.cost_shift.rules.signal_statement import Amounts, caveats, statement
from services.cost_shift.signal_answers import shown_level

BARS = Bars(error=0.05, review_probability=0.9, notify_probability=0.95)
TOLD = Findings(
    attention="review", estimated=True, opposite=True, both_exclude_zero=True, adjusted_p_value=0.01, probability=0.99,
    linked=True, held_earlier=True,
)  # fmt: skip
WEAK = {"both_exclude_zero": False, "adjusted_p_value": 0.3}


@pytest.mark.parametrize(
    ("changed", "level", "missing"),
    [
        ({}, "notify", ()),
        ({"attention": "none"}, "notify", ()),
        # (i) opposite signs
        ({"opposite": False}, "review", ("same_signs",)),
        # (ii) intervals after allowing for all channels, or the joint probability
        ({**WEAK, "probability": 0.96}, "notify", ()),
        ({**WEAK, "probability": 0.94}, "review", ("chance_not_excluded",)),
        ({**WEAK, "probability": 0.5, "attention": "watch"}, "watch", ("chance_not_excluded",)),
        ({"adjusted_p_value": 0.2, "probability": 0.5, "attention": "none"}, "none", ("chance_not_excluded",)),
        ({"both_exclude_zero": True, "adjusted_p_value": 0.05, "probability": 0.5}, "notify", ()),
        # (iii) a channel
        ({"linked": False, "attention": "none"}, "none", ("no_channel",)),
        # (iv) the people
        ({"people_changed": True}, "review", ("people_changed",)),
        ({"people_told": False}, "review", ("people_not_told",)),
        # two reported quarters
        ({"held_earlier": False, "attention": "watch"}, "review", ("not_persistent",)),
        ({"parted_before": True, "attention": "none"}, "review", ("parted_before",)),
        ({"large": False, "attention": "none"}, "none", ("too_small",)),
        ({"estimated": False, "attention": "watch"}, "watch", ("effect_not_estimated",)),
        ({"estimated": False, "attention": "none"}, "none", ("effect_not_estimated",)),
        (
            {"people_changed": True, "held_earlier": False, "attention": "none"},
            "review",
            ("people_changed", "not_persistent"),
        ),
    ],
)
def test_level_and_what_is_lacking(changed: dict[str, Any], level: str, missing: tuple[str, ...]) -> None:
    found = replace(TOLD, **changed)
    assert (signal_level(found, BARS), lacking(found, BARS)) == (level, missing)


FINDINGS = st.builds(
    Findings,
    attention=st.sampled_from(["none", "watch", "review"]),
    estimated=st.booleans(),
    opposite=st.booleans(),
    both_exclude_zero=st.booleans(),
    adjusted_p_value=st.floats(0, 1),
    probability=st.floats(0, 1),
    linked=st.booleans(),
    people_changed=st.booleans(),
    people_told=st.booleans(),
    held_earlier=st.booleans(),
    parted_before=st.booleans(),
    large=st.booleans(),
)


@given(FINDINGS)
def test_a_state_is_told_exactly_where_nothing_is_lacking(found: Findings) -> None:
    level = signal_level(found, BARS)
    assert (level == "notify") == (lacking(found, BARS) == ())
    order = ("none", "watch", "review", "notify")
    assert order.index(level) >= order.index(found.attention)
    if level == "notify":
        assert found.opposite
        assert found.linked
        assert not found.people_changed


@pytest.mark.parametrize(
    ("level", "before", "shown"),
    [
        ("none", None, "none"),
        ("none", "none", "none"),
        ("none", "watch", "cleared"),
        ("none", "notify", "cleared"),
        ("none", "cleared", "none"),
        ("watch", "review", "watch"),
        ("notify", None, "notify"),
    ],
)
def test_what_was_raised_and_is_no_more_is_cleared_once(level: Any, before: Any, shown: str) -> None:
    assert shown_level(level, before) == shown


@pytest.mark.parametrize(
    ("difference", "limits", "known", "chance", "expected"),
    [
        (0.05, (0.01, 0.09), 1.0, 0.01, "failed"),
        (-0.05, (-0.09, -0.01), 1.0, 0.05, "failed"),
        (0.02, (0.01, 0.03), 1.0, 0.01, "passed"),  # told, but too small to matter
        (0.05, (-0.01, 0.11), 1.0, 0.2, "passed"),  # not told from chance
        (0.05, (0.01, 0.09), 1.0, 0.06, "passed"),  # not once all traits are counted
        (0.05, (0.01, 0.09), 0.7, 0.01, "not_told"),
        (0.0, None, 1.0, 1.0, "not_told"),
        (0.0, (0.0, 0.0), 0.8, 1.0, "passed"),
    ],
)
def test_a_trait_fails_where_it_changed_and_by_as_much_as_is_material(
    difference: float, limits: Any, known: float, chance: float, expected: str
) -> None:
    assert verdict(TraitDifference("under_65", difference, limits, 0.03, known, chance), 0.8, 0.05) == expected


NAMES = ("skilled nursing facility", "nursing facility")


def test_the_worked_example_in_plain_words() -> None:
    amounts = Amounts(-6000.0, (-8000.0, -4000.0), 4500.0, (2000.0, 7000.0), 0.75)
    assert statement("notify", "2022-01", NAMES, amounts, 0.95) == (
        "Since 2022-01 Medicare's cost of skilled nursing facility fell by $60.00 a person and month against comparison people "
        "(95% interval -$80.00 to -$40.00). "
        "Since 2022-01 Medicaid's cost of nursing facility rose by $45.00 a person and month against comparison people "
        "(95% interval +$20.00 to +$70.00). "
        "Together: -$15.00. 75% of what Medicare spends less is spent more by Medicaid."
    )


def test_the_mirror_names_the_other_payer_and_a_missing_bound() -> None:
    said = statement("review", "2022-01", NAMES, Amounts(3000.0, None, -6000.0, None, 0.5), 0.95)
    assert "(95% interval no bound)" in said
    assert said.endswith("50% of what Medicaid spends less is spent more by Medicare.")


@pytest.mark.parametrize(
    ("level", "said"),
    [("none", "no lasting change"), ("watch", "at least one of them"), ("review", "opposite directions")],
)
def test_without_an_estimate_the_charts_are_told(level: Any, said: str) -> None:
    assert said in statement(level, "2022-01", NAMES, None, 0.95)


def test_caveats_begin_with_what_is_lacking_and_always_tell_effect_from_benchmark() -> None:
    said = caveats(("people_changed", "not_persistent"))
    assert said[0].startswith("The people behind the figures changed")
    assert any("no saving against a benchmark" in one for one in said)
    assert len(caveats(())) == len(said) - 2
