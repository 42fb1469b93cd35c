"""Facility rates over PostgreSQL: from stays and admissions to rows, events and answers."""

from datetime import date
from typing import Any

import care_world as care
import pytest
import risk_world as world
from test_care_gateway import asking

from contracts.care import FacilityRated
from contracts.claims import MedicaidClaim, MedicaidClaimsDelivered, MedicaidClaimsDeliveredData

pytestmark = pytest.mark.broker
QUIET, BUSY = "1910000018", "1910000026"
DAY = date(2022, 12, 1)


def long_stay(number: int, sequence: int, facility: str, version: int = 1, **more: Any) -> Any:
    claim = MedicaidClaim(
        record_id=f"LT{number}", version=version, file_type="LT", claim_type_code="1", service_from=date(2022, 1, 1),
        service_through=date(2022, 9, 30), paid_cents=1, provider_npi=facility, **more,
    )  # fmt: skip
    data = MedicaidClaimsDeliveredData(person_id=world.person(number), state="OH", claims=(claim,))
    return world._event(MedicaidClaimsDelivered, sequence, data)


async def _populated(connection: Any) -> None:
    """Ten residents of each of two facilities; of one everybody was in hospital twice."""
    for number in range(20):
        await world.apply(connection, world.coverage(number, 1, "2021-06", "02"))
        await world.apply(connection, long_stay(number, 1, BUSY if number % 2 else QUIET))
        claims = [care.service(f"v{number}", date(2022, 2, 1), "99309")]
        if number % 2:
            claims += [world.admission(f"a{number}-{month}", date(2022, month, 5)) for month in (3, 7)]
        await world.apply(connection, world.medicare(number, 1, *claims))


async def test_a_busy_facility_is_told_from_a_quiet_one(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await _populated(connection)
        rated = [one.data for one in await care.cut(connection, 1, DAY) if isinstance(one, FacilityRated)]
        assert {one.facility_npi: (one.residents, one.admissions, one.above_reference) for one in rated} == {
            QUIET: (10, 0, False),
            BUSY: (10, 20, True),
        }
        shown = (await client.get("/v1/facility-rates?state=OH")).json()
        assert [one["facility_npi"] for one in shown] == [BUSY, QUIET]
        assert shown[0]["ratio_low"] > 1 > shown[1]["ratio_high"]
        assert shown[0]["resident_days"] == 10 * 273
        assert (await client.get("/v1/facility-rates?state=KY")).json() == []
        # Not again within the month.
        assert not [one for one in await care.cut(connection, 2, DAY) if isinstance(one, FacilityRated)]


async def test_a_stay_that_was_voided_counts_nowhere(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _populated(connection)
        for number in range(1, 20, 2):
            await world.apply(connection, long_stay(number, 2, BUSY, 2, voided=True))
        await care.cut(connection, 1, DAY)
        await care.cut(connection, 2, date(2023, 1, 2))
        rows = await connection.fetch(
            "SELECT facility_npi, sequence FROM facility_rate ORDER BY sequence, facility_npi"
        )
        # Nobody who is left was admitted, so there is nothing to compare in the second month.
        assert [(row["facility_npi"], row["sequence"]) for row in rows] == [(QUIET, 1), (BUSY, 1)]
