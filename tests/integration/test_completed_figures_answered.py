"""What figures will come to, beside what has come in: at both gateways, against computations from rows and from answers alone."""

import asyncio
import csv
import io
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import duckdb
import httpx
import pytest
import pytest_asyncio
import states_world as world
from access_world import Visitor

from contracts.months import month_of
from services.cost_shift import completion
from services.cost_shift.completion import cumulated
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.gateway import router
from services.cost_shift.histories import KEPT, Histories
from services.cost_shift.rules.chain_ladder import Completeness, completeness, developments
from services.cost_shift.rules.completed_amount import completed_amount
from services.cost_shift.rules.own_history import Enough, own_history
from services.cost_shift.states.answers import SUPPRESSED
from services.runtime.database import open_pool
from services.runtime.gateway import create_gateway
from tandem_states.figures import Completed, Measure, row_of

pytestmark = pytest.mark.broker
LAST = world.DELIVERIES
# The world has six months: an entity's history is its own from three on here.
POLICY = replace(estimate_policy(), fewest_own_months=3, largest_own_error=0.5)
ENOUGH = Enough(POLICY.fewest_own_months, POLICY.largest_own_error)
KEY = ("state", "entity_id", "cohort", "payer", "category", "month")
Step = tuple[str, str, str, str, int, int]  # entity, payer, category, month, revision, cents


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(world.fill(module_database_url))
    return module_database_url


@pytest.fixture(autouse=True)
def _short_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "estimate_policy", lambda: POLICY)


async def _always(_: Any) -> bool:
    return True


@pytest_asyncio.fixture
async def operators(filled: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_gateway(
        "cost-shift", [router], open_pool=lambda: open_pool(filled, "cost_shift"), advancing=_always, checks={}
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as opened,
    ):
        yield opened


@pytest_asyncio.fixture
async def visitor(filled: str) -> AsyncIterator[Visitor]:
    async with world.states_gateway(filled) as opened:
        yield opened


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"SET search_path TO {world.SCHEMA}")
        yield connection
    finally:
        await connection.close()


async def asked(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(visitor: Visitor, path: str, **parameters: Any) -> Any:
    answer = await visitor.get("ohio", f"/v1/{path}", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


class Expected:
    """The same from steps of figures: what each revision added, of one state."""

    def __init__(self, steps: Iterable[Step], revision: int) -> None:
        self.known = sorted({month_of(world.delivered(number)) for number in range(1, revision + 1)})
        self.added: dict[tuple[str, ...], dict[str, dict[str, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int))
        )
        for entity, payer, category, month, number, cents in steps:
            if number <= revision:
                known = month_of(world.delivered(number))
                for series in ((payer, category), (payer, ""), (payer, category, entity), (payer, "", entity)):
                    self.added[series][month][known] += cents

    def of(self, payer: str, category: str, month: str, entity: str | None) -> tuple[Completeness, str] | None:
        lag = int(self.known[-1][:4]) * 12 + int(self.known[-1][5:]) - int(month[:4]) * 12 - int(month[5:])
        everybody = developments(cumulated(self.added[payer, category], self.known))
        if entity is not None:
            mine = developments(cumulated(self.added[payer, category, entity], self.known))
            chosen, alone = own_history(mine, everybody, ENOUGH)
            if lag in alone and (found := completeness(chosen, lag)):
                return found, "entity"
        whole = developments(cumulated(self.added[payer, ""], self.known))
        for level, ladder in (("pooled", everybody), ("payer", whole)):
            if found := completeness(ladder, lag):
                return found, level
        return None


def facts(state: str) -> list[Step]:
    """Nobody is moved in this world: every change of a cell is what came in."""
    return [
        (row[2], row[4], row[5], row[6], row[0], row[12])
        for number in range(1, LAST + 1)
        for row in world.deltas(number)
        if row[1] == state and row[5] != "capitation"
    ]


def check(shown: dict[str, Any] | None, expected: tuple[Completeness, str] | None, cents: int) -> None:
    assert (shown is None) is (expected is None)
    if shown is None or expected is None:
        return
    come_in, level = expected
    amount = completed_amount(cents, come_in, POLICY.confidence_level)
    limits = amount.limits or (None, None)
    assert shown["share"] == pytest.approx(come_in.share, abs=1e-6)
    assert shown["enough"] is (come_in.share >= POLICY.least_completeness)
    assert (shown["level"], shown["cents"]) == (level, amount.cents)
    assert (shown["lower_cents"], shown["upper_cents"]) == limits


async def test_operators_see_every_figure_as_it_will_be(operators: httpx.AsyncClient) -> None:
    levels = defaultdict(int)
    for revision in range(1, LAST + 1):
        expected = {state: Expected(facts(state), revision) for state in world.TENANTS}
        for row in (await asked(operators, "measures", as_of=revision))["measures"]:
            if row["category"] == "capitation":
                assert row["completed"] is None
                continue
            found = expected[row["state"]].of(row["payer"], row["category"], row["month"], row["entity_id"] or "")
            check(row["completed"], found, row["cents"])
            levels[row["completed"] and row["completed"]["level"]] += 1
    assert {"entity", "pooled"} <= levels.keys()


@pytest.mark.parametrize(
    ("parameters", "entity"),
    [
        ({"group_by": ["payer", "month"], "state": "OH"}, None),
        ({"group_by": ["payer", "month"], "state": "OH", "entity": "D9001"}, "D9001"),
        ({"group_by": ["payer", "month"], "state": "OH", "entity": "none"}, ""),
        ({"group_by": ["payer", "county", "month"], "state": "OH"}, None),
        ({"group_by": ["payer"], "state": "OH", "first_month": "2022-05", "last_month": "2022-05"}, None),
    ],
)
async def test_sums_are_completed_by_the_payers_whole(
    operators: httpx.AsyncClient, parameters: dict[str, Any], entity: str | None
) -> None:
    expected = Expected(facts("OH"), LAST)
    rows = (await asked(operators, "measures", **parameters))["measures"]
    assert rows
    for row in rows:
        check(row["completed"], expected.of(row["payer"], "", row.get("month", "2022-05"), entity), row["cents"])
        assert row["completed"] is not None


@pytest.mark.parametrize(
    "parameters",
    [
        {"group_by": ["payer"]},
        {"group_by": ["month"]},
        {"group_by": ["payer", "month"], "basis": "outlay"},
        {"group_by": ["payer"], "first_month": "2022-04", "last_month": "2022-05"},
        {"category": "capitation"},
    ],
)
async def test_what_is_not_of_one_month_and_payer_or_no_service_is_not_completed(
    operators: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    rows = (await asked(operators, "measures", **parameters))["measures"]
    assert rows
    assert all(row["completed"] is None for row in rows)


async def test_a_figure_is_completed_alike_whatever_else_was_asked(operators: httpx.AsyncClient) -> None:
    every = {tuple(row[name] for name in KEY): row for row in (await asked(operators, "measures"))["measures"]}
    for narrow in ({"state": "KY"}, {"entity": "D9002"}, {"category": "drugs"}, {"first_month": "2022-06"}):
        for row in (await asked(operators, "measures", **narrow))["measures"]:
            assert row == every[tuple(row[name] for name in KEY)]


async def test_states_are_told_what_follows_from_what_they_were_shown(visitor: Visitor) -> None:
    """Everything is worked out again from answers: so no share can tell of what was not shown."""
    seen = 0
    for revision in range(1, LAST + 1):
        steps = (await told(visitor, "restatements", as_of=revision, limit=10_000))["restatements"]
        hidden = {tuple(row[name] for name in KEY) for row in steps if row["cents"] == SUPPRESSED}
        expected = Expected(
            (
                (row["entity_id"] or "", row["payer"], row["category"], row["month"], row["revision"], row["cents"])
                for row in steps
                if tuple(row[name] for name in KEY) not in hidden and row["category"] != "capitation"
            ),
            revision,
        )
        for row in (await told(visitor, "measures", as_of=revision))["measures"]:
            found = row["category"] != "capitation" and expected.of(
                row["payer"], row["category"], row["month"], row["entity_id"] or ""
            )
            if not found or found[1] == "payer":
                continue
            if row["cents"] == SUPPRESSED:
                assert {row["completed"][name] for name in ("cents", "lower_cents", "upper_cents")} == {SUPPRESSED}
                assert row["completed"]["share"] == pytest.approx(found[0].share, abs=1e-6)
            else:
                check(row["completed"], found, row["cents"])
                seen += 1
    assert seen > 100


async def test_tables_have_the_same(operators: httpx.AsyncClient, visitor: Visitor) -> None:
    json = (await told(visitor, "measures", limit=10_000))["measures"]
    text = await visitor.get("ohio", "/v1/measures", limit=10_000, format="csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    packed = await visitor.get("ohio", "/v1/measures", limit=10_000, format="parquet")
    for row, line in zip(json, rows, strict=True):
        completed = row["completed"] or {}
        for name in ("share", "level", "enough", "cents", "lower_cents", "upper_cents"):
            value = completed.get(name)
            assert line[f"completed_{name}"] == ("" if value is None else str(value)), name
    columns = _columns(packed.content)
    assert columns["completed_share"] == "DOUBLE"
    assert columns["completed_lower_cents"] == "BIGINT"
    own = await operators.get("/v1/measures", params={"limit": 10_000, "format": "csv"})
    assert "completed_share,completed_level,completed_enough,completed_cents" in own.text.splitlines()[0]


def _columns(parquet: bytes) -> dict[str, str]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(parquet)
        file.flush()
        return {row[0]: row[1] for row in duckdb.execute(f"DESCRIBE SELECT * FROM '{file.name}'").fetchall()}


async def test_the_client_reads_them(visitor: Visitor) -> None:
    rows = (await told(visitor, "measures", payer="medicaid", category="drugs"))["measures"]
    figures = [row_of(Measure, row) for row in rows]
    assert [figure.completed and figure.completed.share for figure in figures] == [
        row["completed"] and row["completed"]["share"] for row in rows
    ]
    assert any(isinstance(figure.completed, Completed) for figure in figures)


async def test_completeness_is_shown_of_an_entity_and_of_people_of_none(
    operators: httpx.AsyncClient, visitor: Visitor
) -> None:
    expected = Expected(facts("OH"), LAST)
    for entity, key in (("D9001", "D9001"), ("none", "")):
        answer = await asked(operators, "completeness", state="OH", entity=entity)
        assert answer["entity_id"] == (key or None)
        for month in answer["months"]:
            found = expected.of(month["payer"], "", month["month"], key)
            assert found is not None
            assert (month["share"], month["level"]) == (pytest.approx(found[0].share, abs=1e-6), found[1])
        assert any(lag["own"] for series in answer["series"] for lag in series["lags"])
    pooled = await told(visitor, "completeness")
    assert {month["level"] for month in pooled["months"]} == {"pooled"}
    assert not any(lag["own"] for series in pooled["series"] for lag in series["lags"])
    assert (await visitor.get("ohio", "/v1/completeness", entity="D9002")).status_code == 404


async def test_a_history_is_read_once_and_the_longest_unasked_is_forgotten(filled: str) -> None:
    async with connected(filled) as connection:
        histories = Histories()
        first = await histories.of(connection, "", "published", LAST)
        assert await histories.of(connection, "", "published", LAST) is first
        assert await histories.of(connection, "OH", "published", LAST) is not first
        for revision in range(1, KEPT + 1):
            await histories.of(connection, "", "published", revision)
        assert await histories.of(connection, "", "published", LAST) is not first


async def test_cells_and_what_was_published_of_them_tell_the_same(filled: str) -> None:
    async with connected(filled) as connection:
        cells = await Histories().of(connection, "", "cells", LAST)
        published = await Histories().of(connection, "", "published", LAST)
    assert dict(cells) == dict(published)
