"""An entity's score: whose months count, with which score, and what is missing."""

from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import care_world as care
import httpx
import pytest
import risk_world as world

from services.risk.gateway import router
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker


async def _installation(connection: Any) -> None:
    """Three people: one all year, one who changes segment and leaves in summer, one with renal disease."""
    coded = {1: "02", 2: "02", 3: "02"}
    for year in (2020, 2022):
        for number, dual in coded.items():
            await world.apply(connection, world.coverage(number, year - 2019, f"{year}-03", dual))
    await world.apply(connection, world.coverage(2, 4, "2022-05", "03"))
    claim = world.visit("v", date(2021, 5, 1), ("I509",))
    await world.apply(connection, world.medicare(1, 4, claim))
    renal = world.coverage(3, 4, "2022-06", "02")
    (span,) = renal.data.spans
    spans = (span.model_copy(update={"medicare_status_code": "11"}),)
    await world.apply(connection, renal.model_copy(update={"data": renal.data.model_copy(update={"spans": spans})}))
    for number, months in ((1, 12), (2, 6), (3, 12)):
        await world.apply(connection, care.aligned(number, 4, "2022-01", months))


@pytest.fixture
async def client(database_url: str) -> Any:
    async with world.prepared(database_url) as connection:
        await _installation(connection)
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2, server_settings={"search_path": "risk"})

    async def opened() -> Any:
        return pool

    async def always(_: Any) -> bool:
        return True

    app = create_gateway("risk", [router], open_pool=opened, advancing=always, checks={})
    app.state.pool = pool
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://risk") as session:
        yield session
    await pool.close()


async def test_months_of_aligned_people_count_with_the_score_of_the_month(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/entities/D9001/score", params={"performance_year": 2022})).json()
    found = answer["populations"]["aged_and_disabled"]
    # Twelve months of 0.519 + 0.371 (heart failure), four of 0.519 (full benefits), two of 0.406 (partial benefits).
    mean = (12 * Decimal("0.890") + 4 * Decimal("0.519") + 2 * Decimal("0.406")) / 18
    assert (found["person_months"], found["person_months_without_score"]) == (18, 0)
    assert found["mean_raw_scores"]["V24"] == str(mean.quantize(Decimal("0.0001")))
    assert found["normalised"] == str((mean / Decimal("1.118")).quantize(Decimal("0.0001")))
    assert (found["final"], found["missing"]) == (found["normalised"], ["reference_score"])
    renal = answer["populations"]["esrd"]
    assert (renal["person_months"], list(renal["mean_raw_scores"])) == (12, ["ESRD_V24"])
    assert (renal["final"], renal["missing"]) == (None, ["normalisation_factor_ESRD_V24", "reference_score"])
    assert answer["reference_year"] == 2020
    assert "growth_cap_percent" in answer["policy"]


async def test_nobody_elses_months_count(client: httpx.AsyncClient) -> None:
    for path, parameters in (("D9002", {"performance_year": 2022}), ("D9001", {"performance_year": 2023}),
                             ("D9001", {"performance_year": 2022, "as_of": 3})):  # fmt: skip
        answer = (await client.get(f"/v1/entities/{path}/score", params=parameters)).json()
        assert all(one["person_months"] == 0 for one in answer["populations"].values())
        assert all(one["final"] is None for one in answer["populations"].values())
    assert (await client.get("/v1/entities/nobody/score", params={"performance_year": 2022})).status_code == 422
