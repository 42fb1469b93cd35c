"""The chain from raw scores to the score of a benchmark, step by step, and what it says when it cannot go on."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.entity_policy import (
    POPULATIONS,
    chain_policy,
    entity_policy_entries,
    reference_year,
    stated_reference,
)
from services.risk.rules.entity_score import ChainPolicy, MonthsAt, capped_score, entity_score

D = Decimal
POLICY = ChainPolicy({"V24": 67, "V28": 33}, {"V24": D("1.1"), "V28": D("1.0")}, D(3), D("0.99"))
SCORES = [MonthsAt("V24", 12, D("1.1")), MonthsAt("V24", 12, D("3.3")), MonthsAt("V28", 24, D("3.0"))]


@pytest.mark.parametrize(
    ("normalised", "reference", "capped"),
    [
        ("1.00", "1.00", "1.00"),
        ("1.02", "1.00", "1.02"),
        ("1.03", "1.00", "1.03"),
        ("1.05", "1.00", "1.03"),
        ("0.97", "1.00", "0.97"),
        ("0.90", "1.00", "0.97"),
        ("2.00", "1.80", "1.854"),
    ],
)
def test_growth_is_capped_either_way(normalised: str, reference: str, capped: str) -> None:
    assert capped_score(D(normalised), D(reference), D(3)) == D(capped)


def test_models_are_normalised_each_by_its_own_denominator_before_they_are_blended() -> None:
    found = entity_score(SCORES, D("2.2"), POLICY)
    # V24: mean 2.2 over 1.1 is 2.0; V28: 3.0 over 1.0. 67 and 33 per cent: 2.33. Cap: 2.2 * 1.03 = 2.266. Times 0.99.
    assert found.mean_raw == {"V24": D("2.2000"), "V28": D("3.0000")}
    assert (found.person_months, found.normalised, found.capped, found.final) == (
        24, D("2.3300"), D("2.2660"), D("2.2433"),
    )  # fmt: skip
    assert found.missing == ()


def test_what_is_missing_is_said_and_never_a_number() -> None:
    no_reference = entity_score(SCORES, None, POLICY)
    assert (no_reference.capped, no_reference.missing) == (D("2.3300"), ("reference_score",))
    no_factor = entity_score(SCORES, D(2), replace(POLICY, normalisation={"V24": D("1.1")}))
    assert (no_factor.normalised, no_factor.final, no_factor.missing) == (None, None, ("normalisation_factor_V28",))
    nobody = entity_score([], D(2), POLICY)
    assert (nobody.person_months, nobody.final, nobody.missing) == (0, None, ("scores_V24", "scores_V28"))
    no_intensity = entity_score(SCORES, D("2.2"), replace(POLICY, coding_intensity_factor=None))
    assert (no_intensity.final, no_intensity.missing) == (None, ("coding_intensity_factor",))
    assert entity_score(SCORES, D(2), replace(POLICY, shares={})).missing == ("model_shares",)


@settings(deadline=None)
@given(st.decimals("0.2", "5", places=3), st.decimals("0.2", "5", places=3))
def test_the_final_score_is_within_three_per_cent_of_the_reference(raw: Decimal, reference: Decimal) -> None:
    policy = replace(POLICY, shares={"V28": 100}, coding_intensity_factor=D(1))
    final = entity_score([MonthsAt("V28", 1, raw)], reference, policy).final
    assert final is not None
    # Four decimals are shown.
    assert abs(final - reference) <= reference * D("0.03") + D("0.0001")


@pytest.mark.parametrize(
    ("year", "shares"),
    [(2022, {"V24": 100}), (2024, {"V24": 67, "V28": 33}), (2025, {"V24": 33, "V28": 67}), (2026, {"V28": 100})],
)
def test_models_of_a_performance_year(year: int, shares: dict[str, int]) -> None:
    policy = chain_policy("aged_and_disabled", year)
    assert policy.shares == shares
    assert set(shares) <= set(policy.normalisation)
    assert sum(shares.values()) == 100


def test_what_nobody_has_stated_is_missing() -> None:
    assert chain_policy("esrd", 2022).normalisation.keys() == {"V24"}
    assert chain_policy("aged_and_disabled", 2040).shares == {}
    assert chain_policy("aged_and_disabled", 2040).coding_intensity_factor is None
    assert [stated_reference("D9001", population) for population in POPULATIONS] == [None, None]
    assert reference_year(2024) == 2022
    assert all(set(entry) == {"value", "source", "status"} for entry in entity_policy_entries().values())
