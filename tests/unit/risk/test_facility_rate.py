"""Facility rates: standardised, shrunk, with intervals; small facilities near the mean, large ones near themselves."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.bench.facilities import WORLDS, recover
from services.risk.rules.facility_rate import (
    Resident,
    dispersion,
    expected_totals,
    facility_rates,
    gamma_probability,
)


def residents(facility: str, people: int, admissions: int, stratum: str = "a", days: int = 100) -> list[Resident]:
    """So many people who share so many admissions as evenly as can be."""
    each, rest = divmod(admissions, people)
    return [Resident(facility, stratum, days, each + (number < rest)) for number in range(people)]


def test_expected_admissions_follow_the_kinds_of_residents() -> None:
    """A facility of sicker residents is not blamed for them."""
    found = expected_totals(
        [*residents("f1", 10, 1, "healthy"), *residents("f2", 10, 8, "sick"), *residents("f3", 5, 4, "sick")]
    )
    assert [(one.facility, one.admissions) for one in found] == [("f1", 1), ("f2", 8), ("f3", 4)]
    assert [one.expected for one in found] == pytest.approx([1, 8, 4])


def _ratios(*facilities: tuple[str, int, int]) -> dict[str, tuple[float, float, float]]:
    everybody = [one for name, people, admissions in facilities for one in residents(name, people, admissions)]
    return {one.totals.facility: (one.ratio, one.ratio_low, one.ratio_high) for one in facility_rates(everybody, 90)}


def test_the_smaller_a_facility_the_nearer_to_the_mean_and_the_wider_its_interval() -> None:
    """All four have twice or half what is expected."""
    found = _ratios(("large high", 400, 160), ("large low", 400, 40), ("small high", 10, 4), ("small low", 10, 1))
    assert 1.5 < found["large high"][0] < 2
    assert 1 < found["small high"][0] < found["large high"][0]
    assert found["large low"][0] < found["small low"][0] < 1.05
    widths = {name: high - low for name, (_, low, high) in found.items()}
    assert widths["small high"] > 2 * widths["large high"]
    assert found["large high"][1] > 1 > found["large low"][2]


def test_nobody_admitted_anywhere_gives_no_rates() -> None:
    assert facility_rates(residents("f", 20, 0), 90) == []
    assert facility_rates([], 90) == []


def test_a_facility_without_admissions_has_a_rate_all_the_same() -> None:
    found = _ratios(("quiet", 50, 0), ("other", 100, 40))
    assert 0 <= found["quiet"][1] < found["quiet"][0] < found["quiet"][2] < 1


def test_the_rate_is_of_the_facilitys_residents() -> None:
    (rate,) = facility_rates(residents("only", 100, 20), 90)
    assert rate.ratio == pytest.approx(1, abs=0.02)
    assert rate.rate == pytest.approx(1000 * 20 / (100 * 100), rel=0.02)


def test_people_admitted_again_and_again_widen_intervals() -> None:
    even = [*residents("f1", 100, 100), *residents("f2", 100, 100)]
    uneven = [
        Resident(one.facility, one.stratum, one.days, 10 if number % 10 == 0 else 0) for number, one in enumerate(even)
    ]
    assert dispersion(even, expected_totals(even)) == 1.0
    assert dispersion(uneven, expected_totals(uneven)) > 5
    narrow, wide = facility_rates(even, 90)[0], facility_rates(uneven, 90)[0]
    assert wide.ratio_high - wide.ratio_low > 1.3 * (narrow.ratio_high - narrow.ratio_low)


@pytest.mark.parametrize("shape", [0.9, 2.0, 10.0, 200.0])
def test_gamma_probabilities_are_close_to_those_of_drawn_numbers(shape: float) -> None:
    chance = random.Random(1)
    drawn = sorted(chance.gammavariate(shape, 1) for _ in range(20_000))
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert gamma_probability(shape, drawn[int(share * len(drawn))]) == pytest.approx(share, abs=0.015)


FACILITIES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 40)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=25)
@given(FACILITIES)
def test_ratios_lie_within_their_intervals_and_between_themselves_and_the_mean(sizes: list[tuple[int, int]]) -> None:
    everybody = [one for number, (people, count) in enumerate(sizes) for one in residents(str(number), people, count)]
    for rate in facility_rates(everybody, 90):
        plain = rate.totals.admissions / rate.totals.expected
        assert 0 <= rate.ratio_low <= rate.ratio <= rate.ratio_high
        # The ratio is a mean over a grid of how much facilities may differ, and as exact as that.
        assert min(plain, 1) - 1e-5 <= rate.ratio <= max(plain, 1) + 1e-5
        assert math.isfinite(rate.rate)


def test_planted_effects_are_recovered_better_than_by_either_rival() -> None:
    found = recover(WORLDS[2], 6)
    assert found.error_shrunk < found.error_plain
    assert found.error_shrunk < found.error_mean
    assert 0.8 < found.coverage <= 1
