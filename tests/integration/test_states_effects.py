"""Effects for a state: those of enough people, as operators see them, and of the others that they are withheld."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import states_world as world
from access_world import Visitor

from contracts.codes import Payer
from infra.bench.county_worlds import CountyWorld
from services.cost_shift import estimates_gateway
from services.cost_shift.questions import EffectFilters
from services.runtime.service import Cut

pytestmark = pytest.mark.broker
COUNTIES = CountyWorld(5, counties=6)
WINDOWS = {
    "pre_from": COUNTIES.windows.pre_from, "pre_to": COUNTIES.windows.pre_to,
    "post_from": COUNTIES.windows.post_from, "post_to": COUNTIES.windows.post_to,
}  # fmt: skip
CATEGORY = {"medicare": "inpatient", "medicaid": "home_and_community"}
FEW = "D9003"  # two people a county in the earlier window, one in the later
COMPARED = ("medicare", "medicaid")


def _rows(entity: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """One person in each county had hospice once; of the small entity six people are left."""
    people, cents = COUNTIES.cells()
    months, costs = [], []
    for key, count in people.items():
        if entity == FEW and not key.aligned:
            continue
        place = ("OH", entity if key.aligned else "", "aligned" if key.aligned else "comparison")
        aligned = count if entity != FEW else 2 if key.month < COUNTIES.windows.post_from else 1
        months.append((1, *place, key.month, key.county, 0, aligned if key.aligned else count))
        for (payer, _), amount in cents[key].items():
            cost = (1, *place, payer, CATEGORY[payer], key.month, key.county, False, "both", "claims", 0, amount, count)
            costs.append(cost)
        if key.month == COUNTIES.windows.post_from and key.county < "39003":
            costs.append(
                (1, *place, "medicare", "hospice", key.month, key.county, False, "both", "claims", 0, 70_000, 1)
            )
    return months, costs


async def _fill(url: str) -> None:
    connection = await world.prepare(url)
    async with connection.transaction():
        for entity in ("D9001", FEW):
            months, costs = _rows(entity)
            await connection.executemany("INSERT INTO person_month_delta VALUES ($1,$2,$3,$4,$5,$6,$7,$8)", months)
            await world.add_cells(connection, costs)
        await connection.executemany(
            "INSERT INTO arrival VALUES (1, $1, 0, 1000, 0, 0)", [(payer,) for payer in COMPARED]
        )
        assert world.SERVICE.at_cut is not None
        cut = Cut(1, "d" + "1" * 32, datetime(2022, 7, 1, tzinfo=UTC), date(2022, 7, 1))
        await world.SERVICE.at_cut(cut, world.OneTransaction(connection))
    await connection.close()


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(_fill(module_database_url))
    return module_database_url


@pytest_asyncio.fixture
async def visitor(filled: str) -> AsyncIterator[Visitor]:
    async with world.states_gateway(filled) as opened:
        yield opened


async def test_effects_of_enough_people_are_those_that_operators_see(visitor: Visitor, filled: str) -> None:
    answer = await visitor.get("ohio", "/v1/effects", entity="D9001", **WINDOWS)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    connection = await asyncpg.connect(filled)
    await connection.execute(f"SET search_path TO {world.SCHEMA}")
    seen = await estimates_gateway.list_effects(connection, EffectFilters(entity="D9001", **WINDOWS))
    await connection.close()
    every = {(one["payer"], one["category"]): one for one in seen.model_dump(mode="json")["effects"]}
    assert told["effects"] == [one for key, one in every.items() if key != ("medicare", "hospice")]
    assert told["quarters"] == seen.model_dump(mode="json")["quarters"]
    assert len(told["earlier_trends"]) == len(Payer)
    assert "aligned_person_months" not in told


async def test_an_effect_on_what_a_few_had_is_withheld_with_its_reason(visitor: Visitor) -> None:
    told = (await visitor.get("ohio", "/v1/effects", entity="D9001", **WINDOWS)).json()
    assert told["withheld"] == [
        {"reason": "too_few_people", "part": "effect", "payer": "medicare", "category": "hospice", "channel": None,
         "quarter": None}
    ]  # fmt: skip
    assert [pair["channel"] for pair in told["pairs"]] == ["all_services", "admission_avoided_by_community_services"]


async def test_of_a_cohort_of_a_few_people_nothing_is_told(visitor: Visitor) -> None:
    answer = await visitor.get("ohio", "/v1/effects", entity=FEW, **WINDOWS)
    assert (answer.status_code, "too_few_people" in answer.text) == (404, True)
