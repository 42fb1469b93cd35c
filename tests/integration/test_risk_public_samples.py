"""The 500 public explanations of benefit, through the reader and the risk service, to scores."""

from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
import risk_world as world

from contracts.claims import MedicareClaim
from contracts.delivery import DeliveryKind
from contracts.risk import RiskScored
from services.intake.readers import explanation_of_benefit
from services.intake.reading import EncodedClaims, Source
from services.risk.fact_rows import supported_diagnoses
from services.risk.risk_policy import risk_policy

pytestmark = pytest.mark.broker


def _claims(path: Path) -> dict[str, list[MedicareClaim]]:
    source = Source(DeliveryKind.EXPLANATION_OF_BENEFIT, "eob", (path,), date(2022, 1, 1), True, "OH")
    people: dict[str, list[MedicareClaim]] = defaultdict(list)
    for reading in explanation_of_benefit.read(source):
        if isinstance(reading, EncodedClaims):
            people[reading.reference.value] += map(MedicareClaim.model_validate_json, reading.claims)
    return people


async def test_each_person_with_an_eligible_diagnosis_gets_scores(database_url: str, shared_data: Path) -> None:
    policy = risk_policy()
    people = _claims(shared_data / "ab2d" / "EOB-500.ndjson.gz")
    assert len(people) == 6
    expected: dict[str, set[int]] = defaultdict(set)
    for number, claims in enumerate(people.values()):
        for claim in claims:
            # Independent of the service's own filter: no professional line of the samples has a procedure code.
            if (
                claim.claim_type_code == "60"
                and claim.service_through.year >= 2017
                and supported_diagnoses(claim, world.TIME.date(), policy)[0]
            ):
                expected[world.person(number)].add(claim.service_through.year + 1)
    async with world.prepared(database_url) as connection:
        events = [world.medicare(number, 1, *claims) for number, claims in enumerate(people.values())]
        published = [event for event in await world.apply(connection, *events) if isinstance(event, RiskScored)]
    found: dict[str, set[int]] = defaultdict(set)
    for event in published:
        if event.data.categories or not event.data.ignored:
            found[event.data.person_id].add(event.data.payment_year)
        else:
            # No silent zero: a year in which every diagnosis was ignored says so.
            assert (event.data.raw_score, event.data.ignored_count > 0) == (0, True)
        assert event.data.completeness == "disease_only"
        assert event.data.raw_score >= 0
        assert event.data.model in ("V24", "V28")
    assert found == expected
    assert expected
