"""The same claims by CCLF and by FHIR become the same events about the same people; only the feed differs."""

import json
from pathlib import Path
from typing import Any

import pytest
from intake_installation import Installation, installed
from round_trip import Place, layout_of, place_of, sorted_claims

from contracts.claims import MedicareClaim
from infra.simulator import simulate

pytestmark = pytest.mark.broker

Events = dict[tuple[Place, str, str], list[Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("events") / "made"
    simulate(directory, people=40, months=2, seed=17, feeds=("cclf", "fhir-v3"))
    return directory


def _files(made: Path, layout: str) -> list[Path]:
    truth = json.loads((made / "truth.json").read_text())
    paths = [one["path"] for one in truth["deliveries"] if one["duplicate_of"] is None]
    medicare = [path for path in paths if ".ZCY" in path or ".BULK-" in path]
    return [made / "deliveries" / path for path in medicare if layout_of(path) == layout]


async def _by_medicare_number(intake: Installation) -> dict[str, str]:
    """For every pseudonym under which something was said the first of the person's Medicare numbers, as it is looked up."""
    rows = await intake.writing.fetch(
        """
        SELECT one.alias, one.person_id, min(other.lookup) AS number FROM vault_identifier one
        JOIN vault_identifier other ON other.person_id = one.person_id AND other.kind = 'mbi'
        GROUP BY one.alias, one.person_id
        """
    )
    return {name: row["number"] for row in rows for name in (row["alias"], row["person_id"])}


async def _told(database_url: str, files: list[Path], feed: str) -> Events:
    """Claims by month and sender, person and state."""
    async with installed(database_url, f"intake_{feed}") as intake:
        places = {}
        for file in files:
            delivery = await intake.delivered(file)
            assert delivery.status == "completed"
            places[delivery.delivery_id] = place_of(str(file))
        people = await _by_medicare_number(intake)
        told: Events = {}
        for event in await intake.events("medicare-delivered"):
            data: Any = event.data
            assert data.feed == feed
            place = (places[event.deliveryid], people[data.person_id], data.state)
            told.setdefault(place, []).extend(map(_but_for_the_practice, data.claims))
    return {key: sorted_claims(claims) for key, claims in told.items()}


def _but_for_the_practice(claim: MedicareClaim) -> MedicareClaim:
    """The bulk interfaces hand out no tax number of the practice; CCLF does."""
    lines = tuple(line.model_copy(update={"practice_tax_number": None}) for line in claim.lines)
    return claim.model_copy(update={"lines": lines})


async def test_events_are_the_same_but_for_the_feed(made: Path, database_url: str) -> None:
    by_cclf = await _told(database_url, _files(made, "cclf"), "cclf")
    by_fhir = await _told(database_url, _files(made, "fhir-v3"), "fhir_r4_v3")
    assert len({person for _, person, _ in by_cclf}) > 20
    assert by_fhir == by_cclf
