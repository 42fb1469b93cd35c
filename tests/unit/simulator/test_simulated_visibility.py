"""A planted shift is seen: the arithmetic of seeing, what recurs evenly, and the channels of a shift."""

import json
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people_of_simulation import PERIOD, drawn, person, traits

from contracts.codes import Payer, ServiceCategory
from infra.simulator import simulate
from infra.simulator.calibration import plan_shift
from infra.simulator.life import AlignedSpan
from infra.simulator.medicaid import expected_long_term_care_cents, medicaid_claims
from infra.simulator.medicare import expected_acute_cents, medicare_claims
from infra.simulator.noise import Visibility, difference_in_differences, main, true_figures, visibility
from infra.simulator.period import Period
from infra.simulator.rates import recurring
from infra.simulator.shift import MILLION, ShiftPlan
from infra.simulator.traits import Setting, draw_traits
from infra.simulator.world import Channel

ALWAYS_ALIGNED = (AlignedSpan(0, 0, None, None),)


@pytest.mark.parametrize(
    ("planted", "seen", "near"),
    [
        (-400, -400, True),
        (-400, -300, True),
        (-400, -500, True),
        (-400, -299, False),
        (-400, -501, False),
        (-400, 400, False),
        (320, 250, True),
        (320, 239, False),
        (0, 0, True),
        (0, 1, False),
    ],
)
def test_near_is_within_a_quarter_and_in_the_direction(planted: int, seen: int, *, near: bool) -> None:
    assert Visibility(Fraction(planted), Fraction(seen)).near is near


def _measure(cohort: str, month: str, cents: int, payer: str = "medicare", basis: str = "services") -> dict[str, Any]:
    return {"cohort": cohort, "month": month, "cents": cents, "payer": payer, "basis": basis}


PERSON_MONTHS = [
    {"cohort": "aligned", "month": "2022-01", "count": 10},
    {"cohort": "aligned", "month": "2022-02", "count": 5},
    {"cohort": "comparison", "month": "2022-01", "count": 20},
    {"cohort": "comparison", "month": "2022-02", "count": 20},
]
MEASURES = [
    _measure("aligned", "2022-01", 1_000),
    _measure("aligned", "2022-02", 300),
    _measure("aligned", "2022-02", 50),
    _measure("comparison", "2022-01", 2_000),
    _measure("comparison", "2022-02", 2_400),
    _measure("excluded", "2022-02", 9_999),
    _measure("aligned", "2022-02", 9_999, payer="medicaid", basis="capitation"),
    _measure("aligned", "2022-02", 700, payer="medicaid"),
]


@pytest.mark.parametrize(("payer", "expected"), [(Payer.MEDICARE, 70 - 100 - (120 - 100)), (Payer.MEDICAID, 140)])
def test_a_difference_in_differences_by_hand(payer: Payer, expected: int) -> None:
    assert difference_in_differences(MEASURES, PERSON_MONTHS, payer, "2022-02") == expected


@pytest.mark.parametrize("direction", ["medicare-to-medicaid", "medicaid-to-medicare"])
def test_the_shift_of_a_population_is_seen_in_its_direction(direction: str) -> None:
    period = Period("2022-01", 12, 3)
    plan = plan_shift(5, period, direction=direction, month=6, medicare=40_000, medicaid=32_000)  # type: ignore[arg-type]
    found = visibility(true_figures(5, 500, period, plan), "2022-07")
    sign = 1 if direction == "medicaid-to-medicare" else -1
    assert sign * found[Payer.MEDICARE].planted > 20_000
    assert sign * found[Payer.MEDICAID].planted < -16_000
    assert all(one.planted * one.seen > 0 for one in found.values())


def test_what_is_seen_differs_from_no_shift_by_what_was_planted() -> None:
    """The same people with and without the shift: the noise is the same, so the difference is the planted effect."""
    period = Period("2022-01", 8, 3)
    seen = {}
    for direction in ("none", "medicare-to-medicaid"):
        plan = plan_shift(2, period, direction=direction, month=4, medicare=30_000, medicaid=20_000)  # type: ignore[arg-type]
        seen[direction] = visibility(true_figures(2, 150, period, plan), "2022-05")
    for payer in (Payer.MEDICARE, Payer.MEDICAID):
        without, shifted = seen["none"][payer], seen["medicare-to-medicaid"][payer]
        assert shifted.seen - without.seen == shifted.planted
        assert without.planted == 0


def test_the_table_counts_the_populations_that_show_the_shift(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--people", "120", "--months", "4", "--seeds", "2", "--first-seed", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["3", "4"]
    marked = sum(line.endswith("off") for line in lines[1:3])
    assert lines[-1] == f"both within a quarter of the planted: {2 - marked} of 2"


def test_nothing_planted_is_off_by_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--people", "80", "--months", "4", "--seeds", "1", "--shift", "none"])
    text = capsys.readouterr().out
    assert "off" not in text
    assert "within a quarter" not in text
    assert "deviation 0" in text


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 5, allow_nan=False), st.integers(0, 60), st.integers(1, 60))
def test_what_recurs_differs_from_its_mean_by_less_than_one(
    phase: float, monthly: float, first: int, months: int
) -> None:
    counts = [recurring(phase, monthly, month) for month in range(first, first + months)]
    assert min(counts) >= 0
    assert abs(sum(counts) - monthly * months) < 1 + 1e-6


@pytest.mark.parametrize(
    ("phase", "expected"), [(0.0, [0, 1, 0, 1, 0, 1]), (0.49, [0, 1, 0, 1, 0, 1]), (0.5, [1, 0, 1, 0, 1, 0])]
)
def test_every_second_month_from_a_phase(phase: float, expected: list[int]) -> None:
    assert [recurring(phase, 0.5, month) for month in range(6)] == expected


def _stays(made_of: dict[str, object]) -> int:
    made = person(**made_of)
    return sum(claim.claim_type == "60" for month in range(12) for claim in medicare_claims(made, month))


@pytest.mark.parametrize("setting", ["community", "home_and_community", "nursing_facility"])
def test_people_of_high_need_are_in_hospital_again_and_again(setting: Setting) -> None:
    assert _stays({"setting": setting, "high_need": True}) == 6
    assert _stays({"setting": setting, "high_need": False, "phase": 0.1}) == 0


def test_expected_cost_is_mostly_that_of_a_few() -> None:
    usual, high = traits(), traits(high_need=True)
    assert expected_acute_cents(high) > 50 * expected_acute_cents(usual) > 0


def test_the_sicker_are_more_often_of_high_need() -> None:
    people = [draw_traits(Random(f"need {index}"), index, PERIOD.first_days[0]) for index in range(3000)]
    ordered = sorted(people, key=lambda made: made.medicare_level)
    low, high = (sum(made.high_need for made in part) for part in (ordered[:1500], ordered[1500:]))
    assert high > 2 * low > 0


def test_people_in_care_change_their_enrolment_less_often() -> None:
    people = list(drawn(1500))

    def share(*, settled: bool) -> float:
        found = [made for made in people if (made.traits.high_need or made.traits.setting != "community") is settled]
        return sum(bool(made.life.changes) for made in found) / len(found)

    assert 0 < share(settled=True) < share(settled=False) / 3


NURSING, CARE = ServiceCategory.NURSING_FACILITY, ServiceCategory.HOME_AND_COMMUNITY


@pytest.mark.parametrize(
    ("channel", "factors"),
    [("both", (2, 2)), ("nursing-facility", (2, 1)), ("home-and-community", (1, 2))],
)
def test_a_channel_chooses_what_medicaid_takes(channel: Channel, factors: tuple[int, int]) -> None:
    plan = ShiftPlan("medicare-to-medicaid", 0, 1, 1, MILLION, 2 * MILLION, channel)
    assert tuple(plan.medicaid_factor(category) // MILLION for category in (NURSING, CARE)) == factors
    assert plan.medicaid_factor(ServiceCategory.DRUGS) == MILLION
    for setting, factor in zip(("nursing_facility", "home_and_community"), factors, strict=True):
        made = person(spans=ALWAYS_ALIGNED, setting=setting)
        made.shift = plan
        care = [claim for claim in medicaid_claims(made, 3) if claim.lines[0].type_of_service in {"047", "051"}]
        lines = [line for claim in care for line in claim.lines]
        assert lines
        assert all(line.cents == factor * line.unshifted_cents for line in lines)


def test_a_narrower_channel_changes_its_care_by_more_for_the_same_size() -> None:
    plans = {
        channel: plan_shift(
            1, PERIOD, direction="medicare-to-medicaid", month=6, medicare=1, medicaid=10_000, channel=channel
        )
        for channel in ("both", "nursing-facility", "home-and-community")
    }
    factors = {channel: plan.medicaid_per_million for channel, plan in plans.items()}
    assert min(factors["nursing-facility"], factors["home-and-community"]) > factors["both"] > MILLION


@pytest.mark.parametrize("channel", ["nursing-facility", "home-and-community"])
def test_expected_care_of_both_channels_is_the_sum(channel: Channel) -> None:
    for setting in ("community", "home_and_community", "nursing_facility"):
        made = traits(setting=setting)
        parts = [expected_long_term_care_cents(made, part) for part in ("nursing-facility", "home-and-community")]
        assert expected_long_term_care_cents(made) == pytest.approx(sum(parts))
        assert (expected_long_term_care_cents(made, channel) > 0) == (setting.replace("_", "-") == channel)


@pytest.mark.parametrize(
    ("direction", "channel", "medicaid"),
    [
        ("medicare-to-medicaid", "both", ["home_and_community", "nursing_facility"]),
        ("medicare-to-medicaid", "nursing-facility", ["nursing_facility"]),
        ("medicaid-to-medicare", "home-and-community", ["home_and_community"]),
        ("none", "both", []),
    ],
)
def test_the_truth_says_in_which_categories_it_was_planted(
    tmp_path: Path, direction: Any, channel: Channel, medicaid: list[str]
) -> None:
    for name, shift in (("with", direction), ("without", "none")):
        simulate(tmp_path / name, people=60, months=4, seed=2, shift=shift, shift_channel=channel)
    shifted, plain = (json.loads((tmp_path / name / "truth.json").read_text()) for name in ("with", "without"))
    planted = shifted["planted"]
    assert planted["channel"] == (None if direction == "none" else channel)
    assert planted["categories"]["medicaid"] == medicaid
    assert planted["categories"]["medicare"] == (["inpatient", "skilled_nursing_facility"] if medicaid else [])
    changed = {
        (one["payer"], one["category"])
        for one, other in zip(shifted["measures"], plain["measures"], strict=True)
        if one != other
    }
    assert {category for payer, category in changed if payer == "medicaid"} == set(medicaid)
    assert {category for payer, category in changed if payer == "medicare"} <= set(planted["categories"]["medicare"])


def test_care_that_only_the_header_pays_is_shifted_by_the_months_in_which_it_counts() -> None:
    made = person(spans=(AlignedSpan(0, 0, 4, 5),), setting="home_and_community")
    made.shift = ShiftPlan("medicare-to-medicaid", 0, 1, 1, MILLION, 2 * MILLION)
    header_only = []
    for _ in range(400):
        header_only += [
            claim for claim in medicaid_claims(made, 4) if claim.lines[0].waiver and not claim.lines_carry_amounts
        ]
    assert {PERIOD.number(claim.last) for claim in header_only} == {4, 5}
    for claim in header_only:
        factor = 2 if PERIOD.number(claim.last) == 4 else 1
        assert all(line.cents == factor * line.unshifted_cents for line in claim.lines)
