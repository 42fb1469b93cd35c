"""The route of estimated effects over a database of made-up counties, against a computation from the rows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import cost_shift_world as world_of
import httpx
import pytest
import pytest_asyncio

from contracts.months import last_day
from infra.bench.county_worlds import CountyWorld
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.estimating import Estimator
from services.cost_shift.gateway import router
from services.cost_shift.rules.interrupted_series import interruption
from services.runtime.database import open_pool
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker

WORLD = CountyWorld(11, counties=14)
WINDOWS = {
    "entity": "D9001",
    "pre_from": WORLD.windows.pre_from,
    "pre_to": WORLD.windows.pre_to,
    "post_from": WORLD.windows.post_from,
    "post_to": WORLD.windows.post_to,
}
CATEGORY = {"medicare": "inpatient", "medicaid": "home_and_community"}


async def _always(_: Any) -> bool:
    return True


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await world_of.migrate(connection)
        people, cents = WORLD.cells()
        await connection.execute(
            "INSERT INTO revision VALUES (1, $1, now(), '2022-01-15'), (2, $1, now(), '2022-02-15')", "d" + "0" * 32
        )
        for table, columns, rows in _rows(people, cents):
            await connection.copy_records_to_table(table, records=rows, columns=columns)
    finally:
        await connection.close()


def _rows(people: Any, cents: Any) -> list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    def place(key: Any) -> tuple[str, str, str]:
        return "OH", "D9001" if key.aligned else "", "aligned" if key.aligned else "comparison"

    months = [(1, *place(key), key.month, key.county, 0, count) for key, count in people.items()]
    # Somebody without a county, and what became known only later: neither is in the answer as of revision 1.
    months += [(1, "OH", "D9001", "aligned", "2020-03", "", 0, 7)]
    costs = [
        (1, *place(key), payer, CATEGORY[payer], key.month, key.county, False, "both", "claims", 0, amount, 1)
        for key, amounts in cents.items()
        for (payer, _), amount in amounts.items()
    ]
    costs += [
        (
            1,
            "OH",
            "D9001",
            "aligned",
            "medicaid",
            "capitation",
            "2020-03",
            "39001",
            False,
            "outlay",
            "claims",
            0,
            10**9,
            1,
        )
    ]
    costs += [
        (2, "OH", "D9001", "aligned", "medicare", "inpatient", "2020-03", "39001", False, "both", "claims", 0, 10**9, 1)
    ]
    published = [("OH", *place(key)[1:], key.month, 1, 1) for key in people if key.county == "39001"]
    where = ("state", "entity", "cohort")
    return [
        ("person_month_delta", ("sequence", *where, "month", "county", "shard", "person_months"), months),
        (
            "cell_delta",
            (
                "sequence",
                *where,
                "payer",
                "category",
                "month",
                "county",
                "crossover",
                "basis",
                "cause",
                "shard",
                "cents",
                "claims",
            ),
            costs,
        ),
        ("published_person_months", (*where, "month", "revision", "person_months"), published),
    ]


@asynccontextmanager
async def _client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_gateway(
        "cost-shift", [router], open_pool=lambda: open_pool(url, "cost_shift"), advancing=_always, checks={}
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(_fill(module_database_url))
    return module_database_url


@pytest_asyncio.fixture
async def client(filled: str) -> AsyncIterator[httpx.AsyncClient]:
    async with _client_of(filled) as opened:
        yield opened


async def test_the_answer_is_that_of_the_rows(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/effects", params={**WINDOWS, "as_of": 1})).json()
    expected = Estimator(WORLD.panel(), WORLD.windows, estimate_policy()).effects()
    totals = {one["payer"]: one for one in answer["effects"] if one["category"] is None}
    for payer, shown in totals.items():
        one = expected.estimate((payer, ""))
        assert shown["effect_cents"] == pytest.approx(one.effect, abs=0.01)
        assert shown["standard_error_cents"] == pytest.approx(one.standard_error, abs=0.01)
        assert (shown["lower_cents"], shown["upper_cents"]) == pytest.approx(one.limits, abs=0.01)
    assert (answer["counties"], answer["person_months_left_out"]) == (14, 7)
    assert {one["category"] for one in answer["effects"]} == {None, "inpatient", "home_and_community"}
    channels = {one["channel"]: one for one in answer["pairs"]}
    assert set(channels) == {"all_services", "admission_avoided_by_community_services"}
    avoided = channels["admission_avoided_by_community_services"]
    assert avoided["direction"] == "medicare_to_medicaid"
    assert avoided["net"]["effect_cents"] == pytest.approx(
        avoided["medicare"]["effect_cents"] + avoided["medicaid"]["effect_cents"], abs=0.03
    )
    assert {one["quarter"] for one in answer["quarters"]} == {-4, -3, -2, 0, 1, 2, 3}
    assert [one["payer"] for one in answer["earlier_trends"]] == ["medicare", "medicaid"]


async def test_later_knowledge_is_another_answer_and_the_earlier_one_stays(client: httpx.AsyncClient) -> None:
    early = (await client.get("/v1/effects", params={**WINDOWS, "as_of": 1})).json()
    late, again = await asyncio.gather(
        client.get("/v1/effects", params=WINDOWS), client.get("/v1/effects", params={**WINDOWS, "as_of": 1})
    )
    assert late.json()["revision"] == 2
    assert late.json()["effects"] != early["effects"]
    assert again.json() == early


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"entity": "D1234"}, 422, "live in 0 counties"),
        ({"post_from": "2030-01", "post_to": "2030-06"}, 422, "No effect can be estimated"),
        ({"pre_to": "2021-01"}, 422, "must end before"),
        ({"as_of": 3}, 404, "revision"),
    ],
)
async def test_what_cannot_be_estimated_is_said(
    client: httpx.AsyncClient, changed: dict[str, Any], status: int, said: str
) -> None:
    answer = await client.get("/v1/effects", params={**WINDOWS, **changed})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text


# Half of a month's cost comes in the month after it: added to what the world above has.
SHARES = {0: 0.5, 1: 0.45, 2: 0.05}


async def _fill_month_by_month(url: str) -> None:
    """The world of costs, received month by month: each delivery is one revision, dated in its month."""
    people, cents = WORLD.cells()
    months = sorted({key.month for key in people})
    connection = await asyncpg.connect(url)
    try:
        await world_of.migrate(connection)
        for number, month in enumerate(months, start=1):
            await connection.execute(
                "INSERT INTO revision VALUES ($1, $2, now(), $3)", number, f"d{number:032x}", last_day(month)
            )
            for payer in CATEGORY:
                await connection.execute("INSERT INTO arrival VALUES ($1, $2, 0, 1, 0, 0)", number, payer)
        costs = []
        for key, amounts in cents.items():
            place = ("OH", "D9001" if key.aligned else "", "aligned" if key.aligned else "comparison")
            for (payer, _), amount in amounts.items():
                for lag, share in SHARES.items():
                    sequence = months.index(key.month) + 1 + lag
                    if sequence <= len(months):
                        series = (payer, CATEGORY[payer], key.month, key.county, False, "both", "claims", 0)
                        costs.append((sequence, *place, *series, round(amount * share), 1))
        for table, columns, rows in _rows(people, cents):
            if table != "cell_delta":
                await connection.copy_records_to_table(table, records=rows, columns=columns)
            else:
                await connection.copy_records_to_table(table, records=costs, columns=columns)
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def filling_up(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await _fill_month_by_month(database_url)
    async with _client_of(database_url) as opened:
        yield opened


async def test_how_months_fill_up_is_learned_from_their_own_history(filling_up: httpx.AsyncClient) -> None:
    answer = (await filling_up.get("/v1/completeness")).json()
    whole = {one["payer"]: one["lags"] for one in answer["series"] if one["category"] is None}
    for payer in ("medicare", "medicaid"):
        shares = [lag["share"] for lag in whole[payer]]
        assert shares[:2] == pytest.approx([0.5, 0.95], abs=1e-4)
        assert shares[2:] == pytest.approx([1.0] * (len(shares) - 2))
        assert answer["last_delivery"][payer] == WORLD.windows.post_to
    last = {(one["payer"], one["month"]): one for one in answer["months"]}
    assert last["medicare", "2021-12"] == {
        "payer": "medicare", "month": "2021-12", "lag": 0, "share": pytest.approx(0.5, abs=1e-4), "level": "pooled",
            "used": False,
    }  # fmt: skip
    assert last["medicaid", "2021-11"]["used"]
    early = (await filling_up.get("/v1/completeness", params={"as_of": 1})).json()
    assert {one["share"] for one in early["months"]} == {None}


async def test_effects_are_of_completed_months_and_leave_out_those_that_are_too_empty(
    filling_up: httpx.AsyncClient,
) -> None:
    answer = (await filling_up.get("/v1/effects", params=WINDOWS)).json()
    assert (answer["months_left_out"], answer["months_not_completed"]) == (["2021-12"], [])
    whole = WORLD.panel().of_months("2020-01", "2021-11")
    expected = Estimator(whole, WORLD.windows, estimate_policy()).effects()
    for one in answer["effects"]:
        if one["category"] is None:
            assert one["effect_cents"] == pytest.approx(expected.estimate((one["payer"], "")).effect, abs=2)


async def test_a_question_about_completeness_is_checked(filling_up: httpx.AsyncClient) -> None:
    for parameters, status in (({"payer": "other"}, 422), ({"as_of": 99}, 404), ({"state": "ohio"}, 422)):
        assert (await filling_up.get("/v1/completeness", params=parameters)).status_code == status
    medicare = (await filling_up.get("/v1/completeness", params={"payer": "medicare"})).json()
    assert {one["payer"] for one in medicare["series"] + medicare["months"]} == {"medicare"}


CHARTED = {"entity": "D9001", "baseline_from": "2020-01", "start": "2021-01", "last_month": "2021-12", "as_of": 1}


async def test_charts_tell_what_was_planted_and_when(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/charts", params=CHARTED)).json()
    charts = {(one["payer"], one["category"]): one for one in answer["charts"]}
    people, cents = WORLD.cells()
    for (payer, category), shown in charts.items():
        assert [point["month"] for point in shown["points"]] == [f"2021-{month:02}" for month in range(1, 13)]
        if category is None:
            for point in shown["points"]:
                sums = [
                    (
                        sum(
                            cents[key][payer, ""]
                            for key in people
                            if (key.aligned, key.month) == (aligned, point["month"])
                        ),
                        sum(
                            count
                            for key, count in people.items()
                            if (key.aligned, key.month) == (aligned, point["month"])
                        ),
                    )
                    for aligned in (True, False)
                ]
                expected = sums[0][0] / sums[0][1] - sums[1][0] / sums[1][1]
                assert point["difference_cents"] == pytest.approx(expected, abs=0.01)
    assert "ewma_down" in charts["medicare", None]["points"][-1]["signals"]
    whole = next(pair for pair in answer["pairs"] if pair["channel"] == "all_services")
    assert whole["medicare_change_cents"] == pytest.approx(-6000, abs=2500)
    assert whole["level"] in {"watch", "review"}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"start": "2020-06"}, 422, "5 usable months"),
        ({"start": "2020-01"}, 422, "must begin before"),
        ({"last_month": "2020-12"}, 422, "must begin before"),
        ({"entity": "D1234"}, 422, "0 usable months"),
        ({"as_of": 9}, 404, "revision"),
    ],
)
async def test_what_cannot_be_charted_is_said(
    client: httpx.AsyncClient, changed: dict[str, Any], status: int, said: str
) -> None:
    answer = await client.get("/v1/charts", params={**CHARTED, **changed})
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


async def test_one_cohort_is_set_against_its_own_past(database_url: str) -> None:
    """Three years of the same cells, against the rule over sums of the rows."""
    long = CountyWorld(11, counties=6, months=36)
    people, cents = long.cells()
    connection = await asyncpg.connect(database_url)
    await world_of.migrate(connection)
    await connection.execute("INSERT INTO revision VALUES (1, $1, now(), '2023-01-15')", "d" + "0" * 32)
    for table, columns, rows in _rows(people, cents):
        kept = [row for row in rows if row[0] == 1 or table.startswith("published")]
        await connection.copy_records_to_table(table, records=kept, columns=columns)
    await connection.close()
    asked = {"entity": "D9001", "first_month": "2020-01", "start": "2022-01", "last_month": "2022-12"}
    async with _client_of(database_url) as opened:
        answer = (await opened.get("/v1/interrupted-series", params=asked)).json()
    months = sorted({key.month for key in people})
    # The seven people without a county live in the state as well.
    counts = {
        month: sum(count for key, count in people.items() if key.aligned and key.month == month) for month in months
    }
    counts["2020-03"] += 7
    spent = {
        month: sum(cents[key]["medicare", ""] for key in people if key.aligned and key.month == month)
        for month in months
    }
    expected = interruption([spent[month] / counts[month] for month in months], 24, 0)
    shown = next(one for one in answer["series"] if (one["payer"], one["category"]) == ("medicare", None))
    for name, one in (("step", expected.step), ("slope", expected.slope), ("mean", expected.mean)):
        assert shown[name]["cents"] == pytest.approx(one.value, abs=0.01)
        assert shown[name]["standard_error_cents"] == pytest.approx(one.standard_error, abs=0.01)
