"""What is planted of people arrives where predictions begin: files, intake's readers, the service's rows, its predictors."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from round_trip import Layout, read_all

from contracts.claims import Adjustment, MedicareClaim, PartDEventsDelivered, PartDEventsDeliveredData
from infra.command.risk_training.simulated_history import rows_of
from infra.simulator import simulate
from services.risk.fact_rows import drug_fills
from services.risk.risk_policy import risk_policy
from services.risk.rules.person_use import PersonUse, use_of
from services.risk.rules.predictors import PREDICTORS, Candidate, predictors_of
from services.risk.use_reading import DRUG_DAYS

pytestmark = pytest.mark.e2e

# Of every month from the seventh on, so that a break is seen while it lasts.
DAYS = [date(2022, month, 1) for month in range(7, 13)]
TREATMENTS = {"90999", "96365", "97597"}
PLANTED = (
    "admissions_year", "avoidable_admissions_year", "emergency_visits_year", "discharged_within_30_days", "many_drugs",
    "missed_series", "no_primary_care_year", "dialysis", "behavioural_health", "frailty_markers", "spend_year_log_dollars",
)  # fmt: skip


@dataclass
class World:
    """What the truth says of each person, by first number, and what was read of them."""

    truth: dict[str, dict[str, Any]]
    layout: Layout
    use: dict[str, dict[date, PersonUse]]


def _claims(layout: Layout) -> dict[str, list[MedicareClaim]]:
    found: dict[str, list[MedicareClaim]] = {}
    for place in sorted(layout.claims):
        for person, delivered in layout.claims[place].items():
            found.setdefault(person, []).extend(delivered)
    return found


def _products(layout: Layout, person: str, day: date) -> int:
    fills = tuple(layout.fills[person].values())
    if not fills:
        return 0
    name, number = "p" + "0" * 32, "d" + "0" * 32
    data = PartDEventsDeliveredData(person_id=name, state="OH", claims=fills)
    event = PartDEventsDelivered.of(
        service="intake",
        key=name,
        version="1",
        time=datetime(2023, 1, 1, tzinfo=UTC),
        delivery_id=number,
        sequence=1,
        data=data,
    )
    rows = [(row[5], row[6]) for row in drug_fills(event)]
    return len({product for filled_on, product in rows if 0 <= (day - filled_on).days < DRUG_DAYS})


def _use(layout: Layout) -> dict[str, dict[date, PersonUse]]:
    policy = risk_policy()
    rows = {person: rows_of(claims, policy).use for person, claims in _claims(layout).items()}
    return {
        person: {day: replace(use_of(found, day), drug_products=_products(layout, person, day)) for day in DAYS}
        for person, found in rows.items()
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    directory = tmp_path_factory.mktemp("world") / "made"
    simulate(directory, people=150, months=12, seed=18)
    truth = json.loads((directory / "truth.json").read_text())
    layout = read_all(directory, truth["deliveries"])["cclf"]
    return World({one["mbi"]: one for one in truth["prospects"]}, layout, _use(layout))


def _predictors(world: World) -> Iterator[tuple[str, dict[str, float]]]:
    for person, days in world.use.items():
        for use in days.values():
            yield person, dict(zip(PREDICTORS, predictors_of(Candidate(70, 1.0, frozenset(), use)), strict=True))


def test_nothing_is_left_unread(world: World) -> None:
    assert world.layout.rest == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_predictor_is_not_zero_for_somebody_and_not_the_same_for_all(world: World, name: str) -> None:
    values = {predictors[name] for _, predictors in _predictors(world)}
    assert max(values) > 0
    assert len(values) > 1


def test_series_are_missed_by_those_of_whom_the_truth_says_so(world: World) -> None:
    missed = {person for person, predictors in _predictors(world) if predictors["missed_series"]}
    broken = {person for person, one in world.truth.items() if one["broken_series"]}
    assert missed & broken
    # Of others only those of whom a treatment is not paid for, or who leave Medicare or die.
    assert not [person for person in missed - broken if _every_treatment_stands(world, person)]


def _every_treatment_stands(world: World, person: str) -> bool:
    claims = _claims(world.layout)[person]
    treatments = [claim for claim in claims if any(line.procedure_code in TREATMENTS for line in claim.lines)]
    stand = not any(claim.denied or claim.adjustment is Adjustment.CANCELLATION for claim in treatments)
    return stand and max(claim.service_through for claim in claims) > date(2022, 11, 1)


def test_who_has_no_primary_care_is_whom_the_truth_names(world: World) -> None:
    last = DAYS[-1]
    found = {person for person, days in world.use.items() if not days[last].primary_care_year}
    without = {person for person, one in world.truth.items() if not one["primary_care"]} & set(world.use)
    assert without <= found
    assert len(found) < len(without) + 0.1 * len(world.use)


def test_products_are_those_that_the_truth_counts(world: World) -> None:
    last = DAYS[-1]
    compared = [
        (one["drugs"], days[last].drug_products) for person, days in world.use.items() for one in [world.truth[person]]
    ]
    assert all(found <= planted for planted, found in compared)
    taken = [found / planted for planted, found in compared if planted and found]
    assert len(taken) > 0.5 * len(world.use)
    assert sum(taken) / len(taken) > 0.9


def test_admissions_befall_those_at_risk(world: World) -> None:
    last = DAYS[-1]
    risk = {person: sum(one["monthly_per_million"]) for person, one in world.truth.items()}
    had = [risk[person] for person, days in world.use.items() if days[last].avoidable_year]
    others = [risk[person] for person, days in world.use.items() if not days[last].avoidable_year]
    assert sum(had) / len(had) > 1.5 * sum(others) / len(others)
    expected = sum(risk[person] for person in world.use) / 1e6
    assert 0.6 * expected < sum(days[last].avoidable_year for days in world.use.values()) < 1.2 * expected
