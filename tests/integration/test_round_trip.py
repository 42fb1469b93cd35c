"""From the simulator into files, through the readers and back to the simulator's truth: CCLF and FHIR of three versions.

What a generation of FHIR cannot carry is in the tables below; nothing else may differ.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from round_trip import Layout, Place, cells, cells_of_truth, read_all, said_of, sorted_claims

from contracts.claims import Adjustment, ClaimsFeed, MedicareClaim
from infra.simulator import Shift, simulate
from services.intake.rules.claim_version import medicare_version

pytestmark = pytest.mark.e2e

SEEDS: dict[int, Shift] = {
    3: "none",
    11: "medicare-to-medicaid",
    29: "medicaid-to-medicare",
    57: "none",
    101: "medicare-to-medicaid",
}
FHIR = ("fhir-v1", "fhir-v2", "fhir-v3")
FEEDS = {
    "cclf": ClaimsFeed.CCLF,
    "fhir-v1": ClaimsFeed.FHIR_STU3,
    "fhir-v2": ClaimsFeed.FHIR_R4,
    "fhir-v3": ClaimsFeed.FHIR_R4_V3,
}

# Fields of a claim that a version cannot carry, and what is read in their place.
NOT_CARRIED: dict[str, dict[str, object]] = {
    "fhir-v1": {"adjustment": Adjustment.ORIGINAL},
    "fhir-v2": {"adjustment": Adjustment.ORIGINAL},
    "fhir-v3": {},
}
# Versions that deliver no cancellation: the claim comes again, withdrawn, and counts nothing.
WITHDRAWS = frozenset({"fhir-v1", "fhir-v2"})
# What is said of a month in place of what CCLF8 says: version 3 states periods, and is silent where there is none; it
# states each part of Medicare, but not who pays the premium (A, B, C for 1, 2, 3).
SAID_OTHERWISE: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("fhir-v3", "dual_status_code"): lambda code: None if code == "NA" else code,
    ("fhir-v3", "entitlement_buy_in_code"): lambda code: {"A": "1", "B": "2", "C": "3"}.get(code, code),
}


@dataclass
class World:
    truth: dict[str, Any]
    layouts: dict[str, Layout]


@pytest.fixture(scope="module", params=SEEDS, ids="seed{}".format)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    seed: int = request.param
    directory = tmp_path_factory.mktemp("world") / "made"
    simulate(directory, people=60, months=8, seed=seed, shift=SEEDS[seed], feeds=("cclf", *FHIR))
    truth = json.loads((directory / "truth.json").read_text())
    return World(truth, read_all(directory, truth["deliveries"]))


def test_every_line_of_every_layout_is_read(world: World) -> None:
    assert {name: layout.rest for name, layout in world.layouts.items()} == {name: [] for name in FEEDS}
    assert {name: layout.feeds for name, layout in world.layouts.items()} == {
        name: {feed} for name, feed in FEEDS.items()
    }


@pytest.mark.parametrize("layout", FEEDS)
def test_what_is_read_is_the_truth(world: World, layout: str) -> None:
    expected = cells_of_truth(world.truth["measures"])
    assert len(expected) > 30
    assert cells(world.layouts[layout].standing().values()) == expected


@pytest.mark.parametrize("layout", FHIR)
def test_a_claim_is_the_same_from_cclf_and_from_fhir(world: World, layout: str) -> None:
    of_cclf = _as_a_version_can_say(world.layouts["cclf"], layout)
    of_fhir = world.layouts[layout].claims
    assert sorted(of_cclf) == sorted(of_fhir)
    for place, people in of_fhir.items():
        assert sorted(people) == sorted(of_cclf[place])
        for person, claims in people.items():
            assert sorted_claims(claims) == sorted_claims(of_cclf[place][person])


def _as_a_version_can_say(cclf: Layout, layout: str) -> dict[Place, dict[str, list[MedicareClaim]]]:
    originals = {
        claim.claim_control_number: claim
        for people in cclf.claims.values()
        for claims in people.values()
        for claim in claims
        if claim.adjustment is Adjustment.ORIGINAL
    }
    return {
        place: {person: [_said(claim, originals, layout) for claim in claims] for person, claims in people.items()}
        for place, people in cclf.claims.items()
    }


def _said(said: MedicareClaim, originals: dict[str | None, MedicareClaim], layout: str) -> MedicareClaim:
    claim = _without_tax_numbers(said)
    if layout in WITHDRAWS and claim.adjustment is Adjustment.CANCELLATION:
        original = _without_tax_numbers(originals[claim.claim_control_number])
        # Processed when the original was, changed when the cancellation was: eight digits of each day.
        version = original.version // 10**8 * 10**8 + claim.version % 10**8
        return original.model_copy(update={"denied": True, "version": version})
    return claim.model_copy(update=NOT_CARRIED[layout])


def _without_tax_numbers(claim: MedicareClaim) -> MedicareClaim:
    """The bulk interfaces hand out no tax number of a practice."""
    lines = tuple(line.model_copy(update={"practice_tax_number": None}) for line in claim.lines)
    return claim.model_copy(update={"lines": lines})


def test_the_worlds_hold_what_makes_it_hard(world: World) -> None:
    claims = [claim for people in world.layouts["cclf"].claims.values() for one in people.values() for claim in one]
    assert {claim.adjustment for claim in claims} == set(Adjustment)
    assert any(claim.denied for claim in claims)
    assert {claim.claim_type_code for claim in claims} >= {"10", "20", "40", "60", "71", "72"}
    assert any(len({f"{line.service_through:%Y-%m}" for line in claim.lines}) > 1 for claim in claims)
    redelivered = len(claims) - len({(claim.record_id, claim.version) for claim in claims})
    assert redelivered > 0


@pytest.mark.parametrize("layout", FHIR)
@pytest.mark.parametrize("name", ["dual_status_code", "medicare_status_code", "entitlement_buy_in_code"])
def test_the_month_of_a_file_is_stated_alike(world: World, layout: str, name: str) -> None:
    otherwise = SAID_OTHERWISE.get((layout, name), lambda code: code)
    expected = {
        (person, month): otherwise(said_of(statement, month, name))
        for person, month, statement in world.layouts["cclf"].statements
    }
    assert _said_by_month(world.layouts[layout], name) == expected


def _said_by_month(layout: Layout, name: str) -> dict[tuple[str, str], Any]:
    """Patient and Coverage together, as they are of one month."""
    found: dict[tuple[str, str], Any] = {}
    for person, month, statement in layout.statements:
        said = said_of(statement, month, name)
        found[person, month] = said if said is not None else found.get((person, month))
    return found


def test_health_plans_are_stated_alike_by_every_version(world: World) -> None:
    told = [_said_by_month(world.layouts[layout], "health_plan") for layout in FHIR]
    assert told[0] == told[1]
    assert {key: plan for key, plan in told[0].items() if plan != "none"} == {
        key: plan for key, plan in told[2].items() if plan is not None
    }
    assert any(plan not in (None, "none") for plan in told[0].values())


def test_a_person_is_named_alike(world: World) -> None:
    whos = [layout.who for layout in world.layouts.values()]
    assert all(who == whos[0] for who in whos)
    assert len(whos[0]) == 60
    assert all(len(told) == 1 for told in whos[0].values())


def test_deaths_are_stated_alike(world: World) -> None:
    told = [
        {(person, statement.death_date) for person, _, statement in layout.statements if statement.death_date}
        for layout in world.layouts.values()
    ]
    assert all(deaths == told[0] for deaths in told)


def test_a_version_is_the_two_days_that_it_is_made_of() -> None:
    both = medicare_version(date(2024, 3, 5), date(2024, 6, 7))
    assert (both // 10**8, both % 10**8) == (20240305, 20240607)
