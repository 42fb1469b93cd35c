"""Supports, categories and gaps of simulated people are those that a second, separate reading of the files finds."""

from pathlib import Path

import pytest
from risk_recount import Categories, Files, read, supports
from round_trip import Layout, read_all

from contracts.claims import MedicareClaim
from infra.command.risk_training.simulated_history import rows_of
from infra.simulator.simulation import simulate
from services.risk.facts import PersonFacts, Statement
from services.risk.hcc_tables import hcc_tables
from services.risk.risk_policy import risk_policy
from services.risk.rules.scoring_input import ScoringInput, scoring_inputs
from services.risk.rules.support_gaps import Support, gaps_in
from services.risk.score_history import scores_of

pytestmark = pytest.mark.e2e
POLICY = risk_policy()


def _facts(layout: Layout) -> dict[str, PersonFacts]:
    """What the service would know of each person once every file was read."""
    claims: dict[str, list[MedicareClaim]] = {}
    for place in sorted(layout.claims):
        for person, delivered in layout.claims[place].items():
            claims.setdefault(person, []).extend(delivered)
    statements: dict[str, list[Statement]] = {}
    for person, _, said in layout.statements:
        for span in said.spans:
            statements.setdefault(person, []).append(
                Statement(
                    1, "OH", "medicare", said.stated_on, said.birth_date, said.sex_code, said.original_entitlement_code,
                    said.death_date, said.part_b_began, span.first_month, span.last_month, span.dual_status_code,
                )
            )  # fmt: skip
    return {
        person: PersonFacts(tuple(statements.get(person, ())), rows_of(made, POLICY).claims)
        for person, made in claims.items()
    }


def _categories_of(one: ScoringInput, model: str) -> dict[int, Support]:
    score = next(found.score for found in scores_of(one, POLICY) if found.score.model == model)
    support = dict(one.support)
    return {
        category.number: Support(category.diagnosis_codes[0], support[category.diagnosis_codes[0]])
        for category in score.categories
    }


def _compare(person: str, files: Files, facts: PersonFacts, tables: dict[str, Categories]) -> tuple[int, int]:
    expected = supports(files.records[person])
    inputs = {one.payment_year: one for one in scoring_inputs(facts, POLICY)}
    mapped = set(tables["V24"].of) | set(tables["V28"].of)
    by_model: dict[str, dict[int, dict[int, Support]]] = {"V24": {}, "V28": {}}
    gaps = 0
    for year, one in sorted(inputs.items()):
        codes = {code for code in expected.get(year - 1, {}) if code in mapped}
        assert {code for code, _ in one.support} == codes, (person, year)
        assert all(record in expected[year - 1][code] for code, record in one.support)
        for model, table in tables.items():
            by_model[model][year] = _categories_of(one, model)
            assert set(by_model[model][year]) == table.after_hierarchies(codes), (person, year, model)
        if year - 1 in inputs:
            for model, table in tables.items():
                years = {known: by_model[model][known] for known in (year - 1, year)}
                found = {
                    gap.category for gap in gaps_in(year, years, "V24" if model == "V24" else "V28", hcc_tables(2026))
                }
                assert found == table.gaps(set(years[year - 1]), set(years[year]))
                gaps += len(found)
    return len(inputs), gaps


@pytest.mark.parametrize("seed", range(5))
def test_supports_categories_and_gaps_are_those_of_a_second_reading(seed: int, tmp_path: Path) -> None:
    made = simulate(tmp_path / "world", people=14, months=12, seed=seed, first_month="2021-02")
    deliveries = [{"path": one.path, "duplicate_of": one.duplicate_of} for one in made.deliveries]
    files = read(made.directory / "deliveries")
    facts = _facts(read_all(made.directory, deliveries)["cclf"])
    assert facts.keys() == files.records.keys()
    tables = {model: Categories(model, 2025) for model in ("V24", "V28")}
    compared = [_compare(person, files, known, tables) for person, known in facts.items()]
    assert sum(years for years, _ in compared) > len(compared)
    assert sum(gaps for _, gaps in compared) > 0
