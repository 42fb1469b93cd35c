"""The routes against a database of random claims: every answer equals a recomputation from the facts."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import asyncpg
import cost_shift_world as world_of
import duckdb
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.cost_shift.gateway import router
from services.runtime.database import open_pool
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker

WORLD = world_of.make_world(42)
LAST = world_of.DELIVERIES


async def _always(_: Any) -> bool:
    return True


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await world_of.migrate(connection)
        await world_of.run_interleaved(connection, world_of.log_of(WORLD), 1, most_a_batch=50)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(_fill(module_database_url))
    return module_database_url


@asynccontextmanager
async def _client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_gateway(
        "cost-shift",
        [router],
        open_pool=lambda: open_pool(url, "cost_shift"),
        advancing=_always,
        checks={},
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as opened,
    ):
        yield opened


@pytest_asyncio.fixture
async def client(filled: str) -> AsyncIterator[httpx.AsyncClient]:
    async with _client_of(filled) as opened:
        yield opened


async def get(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def keyed(answer: Any) -> dict[tuple[str, ...], tuple[int, ...]]:
    names = ("state", "entity_id", "cohort", "payer", "category", "month")
    amounts = ("cents", "claims", "crossover_cents", "crossover_claims")
    return {
        tuple(row[name] or "" for name in names): tuple(row[name] for name in amounts) for row in answer["measures"]
    }


async def test_measures_at_every_revision(client: httpx.AsyncClient) -> None:
    for revision in range(1, LAST + 1):
        answer = await get(client, "measures", as_of=revision)
        assert answer["revision"] == revision
        found = {key: figure for key, figure in keyed(answer).items() if any(figure)}
        assert found == world_of.measures_at(WORLD, revision)


async def test_cells_and_published_figures_agree(client: httpx.AsyncClient) -> None:
    dimensions = ["state", "entity", "cohort", "payer", "category", "month", "county"]
    by_county = await get(client, "measures", as_of=3, group_by=dimensions, limit=10_000)
    sums: dict[tuple[str, ...], tuple[int, ...]] = {}
    for row in by_county["measures"]:
        key, figure = next(iter(keyed({"measures": [row]}).items()))
        sums[key] = tuple(map(sum, zip(sums.get(key, (0, 0, 0, 0)), figure, strict=True)))
    assert {key: figure for key, figure in sums.items() if any(figure)} == world_of.measures_at(WORLD, 3)
    assert {row["county_fips"] for row in by_county["measures"]} == {"39049", None}


async def test_person_months_and_ratios(client: httpx.AsyncClient) -> None:
    expected = world_of.person_months_at(WORLD, LAST)
    answer = await get(client, "person-months")
    names = ("state", "entity_id", "cohort", "month")
    found = {tuple(row[name] or "" for name in names): row["person_months"] for row in answer["person_months"]}
    assert {key: count for key, count in found.items() if count} == expected
    for row in (await get(client, "measures"))["measures"]:
        months = expected.get(tuple(row[name] or "" for name in names), 0)
        assert row["person_months"] == months
        ratio = row["pbpm"]
        shown = ratio and Fraction(ratio["numerator"], ratio["denominator"])
        assert shown == (Fraction(row["cents"], months) if months else None)


async def test_costs_without_a_decision_stand_apart_and_without_a_ratio(client: httpx.AsyncClient) -> None:
    figures = world_of.measures_at(WORLD, 1)
    undecided = sum(figure[0] for key, figure in figures.items() if (key[2], key[3]) == ("unassigned", "medicare"))
    assert undecided
    (row,) = (await get(client, "measures", as_of=1, cohort="unassigned", payer="medicare", group_by="payer"))[
        "measures"
    ]
    assert (row["cents"], row["person_months"], row["pbpm"]) == (undecided, 0, None)


@pytest.mark.parametrize("group_by", ["payer", ["payer", "county"]])
async def test_costs_without_a_decision_are_in_no_sum_over_cohorts(client: httpx.AsyncClient, group_by: Any) -> None:
    figures = world_of.measures_at(WORLD, 1)
    answer = await get(client, "measures", as_of=1, payer="medicare", group_by=group_by)
    decided = sum(figure[0] for key, figure in figures.items() if key[2] != "unassigned" and key[3] == "medicare")
    assert sum(row["cents"] for row in answer["measures"]) == decided


async def test_sums_over_dimensions_keep_all_person_months(client: httpx.AsyncClient) -> None:
    (row,) = (await get(client, "measures", group_by="payer", payer="medicare"))["measures"]
    figures = world_of.measures_at(WORLD, LAST)
    assert row["cents"] == sum(figure[0] for key, figure in figures.items() if key[3] == "medicare")
    assert row["person_months"] == sum(world_of.person_months_at(WORLD, LAST).values())
    assert set(row) == {
        "payer",
        "basis",
        "cents",
        "claims",
        "crossover_cents",
        "crossover_claims",
        "person_months",
        "pbpm",
        "completed",
    }


async def test_capitation_is_a_line_apart_and_never_in_a_sum_of_services(client: httpx.AsyncClient) -> None:
    lines = (await get(client, "measures", group_by="category", payer="medicaid"))["measures"]
    cents = {row["category"]: row["cents"] for row in lines}
    assert {row["category"]: row["basis"] for row in lines}["capitation"] == "outlay"
    (whole,) = (await get(client, "measures", group_by="payer", payer="medicaid"))["measures"]
    assert whole["cents"] == sum(amount for category, amount in cents.items() if category != "capitation")
    (alone,) = (await get(client, "measures", group_by="payer", category="capitation"))["measures"]
    assert (alone["basis"], alone["cents"]) == ("outlay", cents["capitation"])


async def test_outlay_holds_capitation_and_no_encounters(client: httpx.AsyncClient) -> None:
    (outlay,) = (await get(client, "measures", group_by="payer", payer="medicaid", basis="outlay"))["measures"]
    standing: dict[Any, Any] = {}
    for fact in WORLD.facts:
        key = (fact.person, fact.record)
        if fact.payer == "medicaid" and (key not in standing or standing[key].version < fact.version):
            standing[key] = fact
    counted = [
        fact.cents
        for fact in standing.values()
        if getattr(fact.event_claim, "claim_type_code", "") in {"1", "2"}
        and world_of.assignment_at(WORLD, fact.person, fact.month, LAST) is not None
    ]
    assert outlay["cents"] == sum(counted)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"entity": "none"}, lambda key: key[1] == ""),
        ({"entity": "D9001"}, lambda key: key[1] == "D9001"),
        ({"cohort": "aligned"}, lambda key: key[2] == "aligned"),
        ({"payer": "medicaid"}, lambda key: key[3] == "medicaid"),
        ({"category": "drugs"}, lambda key: key[4] == "drugs"),
        ({"first_month": "2022-02"}, lambda key: key[5] >= "2022-02"),
        ({"last_month": "2022-02"}, lambda key: key[5] <= "2022-02"),
        ({"state": "OH"}, lambda _: True),
        ({"state": "CA"}, lambda _: False),
    ],
)
async def test_filters(client: httpx.AsyncClient, filters: dict[str, str], kept: Any) -> None:
    found = {key: figure for key, figure in keyed(await get(client, "measures", **filters)).items() if any(figure)}
    assert found == {key: figure for key, figure in world_of.measures_at(WORLD, LAST).items() if kept(key)}


async def test_pages_hold_everything_once(client: httpx.AsyncClient) -> None:
    whole = (await get(client, "measures"))["measures"]
    rows, offset = [], 0
    while offset is not None:
        page = await get(client, "measures", limit=7, offset=offset)
        rows += page["measures"]
        offset = page["next_offset"]
    assert rows == whole
    assert len(whole) > 7


async def test_restatements_lead_from_one_revision_to_another(client: httpx.AsyncClient) -> None:
    answer = await get(client, "restatements", since=2, as_of=4, limit=10_000)
    before = keyed(await get(client, "measures", as_of=2, limit=10_000))
    after = keyed(await get(client, "measures", as_of=4, limit=10_000))
    names = ("state", "entity_id", "cohort", "payer", "category", "month")
    moved: dict[tuple[str, ...], int] = {}
    for row in answer["restatements"]:
        assert 2 < row["revision"] <= 4
        key = tuple(row[name] or "" for name in names)
        moved[key] = moved.get(key, 0) + row["cents"]
    for key in after:
        assert after[key][0] - before.get(key, (0,))[0] == moved.get(key, 0)
    assert {row["cause"] for row in answer["restatements"]} == {"claims", "cancellations", "alignment"}


FILTERS: list[dict[str, str]] = [
    {}, {"payer": "medicaid"}, {"cohort": "aligned"}, {"cohort": "unassigned"}, {"category": "capitation"},
    {"entity": "D9001", "first_month": "2022-02"}, {"entity": "none", "last_month": "2022-02"}, {"state": "KY"},
]  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS, ids=str)
async def test_a_waterfall_leads_from_any_revision_to_any_later_one(
    client: httpx.AsyncClient, filters: dict[str, str]
) -> None:
    """Both ends are what measures say at that revision, and the steps lead from one to the other."""

    async def figure(revision: int, payer: str) -> tuple[int, int]:
        if not revision:
            return 0, 0
        # Grouped as finely as sums over cohorts and services allow, and added up here.
        rows = (await get(client, "measures", **filters, as_of=revision))["measures"]
        wanted = [
            row
            for row in rows
            if row["payer"] == payer
            and (row["category"] != "capitation" or "category" in filters)
            and (row["cohort"] != "unassigned" or "cohort" in filters)
        ]
        return sum(row["cents"] for row in wanted), sum(row["claims"] for row in wanted)

    for since in range(world_of.DELIVERIES + 1):
        for revision in range(max(since, 1), world_of.DELIVERIES + 1):
            answer = await get(client, "waterfall", **filters, since=since, as_of=revision)
            for shown in answer["payers"]:
                first, last = await figure(since, shown["payer"]), await figure(revision, shown["payer"])
                assert (shown["first_cents"], shown["first_claims"]) == first
                assert (shown["last_cents"], shown["last_claims"]) == last
                assert first[0] + sum(step["cents"] for step in shown["steps"]) == last[0]


@pytest.mark.parametrize("revision", range(1, world_of.DELIVERIES + 1))
async def test_use_follows_the_claims_that_it_is_of(client: httpx.AsyncClient, revision: int) -> None:
    """In this world every inpatient claim is one admission and every nursing-facility claim one day."""
    of = {"admissions": "inpatient", "nursing_facility_days": "nursing_facility", "home_health_periods": "home_health"}
    shown = (await get(client, "use", group_by=["cohort", "month"], as_of=revision))["rows"]
    measures = (await get(client, "measures", group_by=["cohort", "month", "payer", "category"], as_of=revision))[
        "measures"
    ]
    claims = {
        (one["cohort"], one["month"], one["payer"], one["category"]): (
            one["claims"],
            one["crossover_claims"],
            one["person_months"],
        )
        for one in measures
    }
    assert {one["use"] for one in shown} == of.keys()
    for one in shown:
        whole, crossover, months = claims[one["cohort"], one["month"], one["payer"], of[one["use"]]]
        assert (one["amount"], one["crossover"], one["person_months"]) == (whole - crossover, crossover, months)
        assert (one["per_1000"] is None) == (not months)
        if months:
            assert one["per_1000"]["shown"] == round(1000 * one["amount"] / months, 3)
    found = {(one["cohort"], one["month"], one["payer"], of[one["use"]]) for one in shown}
    assert {key for key, (count, _, _) in claims.items() if count and key[3] in of.values()} <= found


async def test_a_waterfall_runs_forwards(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/waterfall", params={"since": 3, "as_of": 2})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_descriptive_effects_follow_from_measures(client: httpx.AsyncClient) -> None:
    windows = {"pre_from": "2022-01", "pre_to": "2022-01", "post_from": "2022-02", "post_to": "2022-03"}
    answer = await get(client, "descriptive-effects", entity="D9001", **windows)
    figures, people = world_of.measures_at(WORLD, LAST), world_of.person_months_at(WORLD, LAST)

    def rate(payer: str, cohort: str, months: tuple[str, ...]) -> Fraction:
        def wanted(key: tuple[str, ...], month: str) -> bool:
            return key[2] == cohort and month in months and (cohort == "comparison" or key[1] == "D9001")

        cents = sum(
            figure[0]
            for key, figure in figures.items()
            if wanted(key, key[5]) and key[3] == payer and key[4] != "capitation"
        )
        return Fraction(cents, sum(count for key, count in people.items() if wanted(key, key[3])))

    def effect(payer: str) -> Fraction:
        early, late = ("2022-01",), ("2022-02", "2022-03")
        own = rate(payer, "aligned", late) - rate(payer, "aligned", early)
        return own - (rate(payer, "comparison", late) - rate(payer, "comparison", early))

    totals = {row["payer"]: row["effect"] for row in answer["effects"] if row["category"] is None}
    for payer, shown in totals.items():
        assert Fraction(shown["numerator"], shown["denominator"]) == effect(payer)
    whole = answer["pairs"][0]
    net = whole["net_effect"]
    assert Fraction(net["numerator"], net["denominator"]) == effect("medicare") + effect("medicaid")
    assert answer["states"] == ["OH"]
    assert "no inference" in answer["label"]


async def test_effects_of_an_unknown_entity_say_nothing(client: httpx.AsyncClient) -> None:
    windows = {"pre_from": "2022-01", "pre_to": "2022-01", "post_from": "2022-02", "post_to": "2022-03"}
    answer = await get(client, "descriptive-effects", entity="D0000", **windows)
    assert answer["states"] == []
    assert {row["effect"] for row in answer["effects"]} == {None}


async def test_revisions(client: httpx.AsyncClient) -> None:
    cuts = (await get(client, "revisions", limit=2))["revisions"]
    assert [cut["revision"] for cut in cuts] == [LAST, LAST - 1]
    assert cuts[0]["delivery_id"] == world_of.delivery_id(LAST)


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("measures", {"as_of": LAST + 1}, 404),
        ("measures", {"as_of": 0}, 422),
        ("measures", {"as_of": 2**63}, 422),
        ("measures", {"state": "Ohio"}, 422),
        ("measures", {"entity": "D9001' OR 1=1"}, 422),
        ("measures", {"group_by": "person_id"}, 422),
        ("measures", {"limit": 10_001}, 422),
        ("measures", {"category": "balloons"}, 422),
        ("measures", {"unknown": "1"}, 422),
        ("person-months", {"group_by": "payer"}, 422),
        ("restatements", {"since": -1}, 422),
        ("descriptive-effects", {"entity": "D9001"}, 422),
        (
            "descriptive-effects",
            {
                "entity": "D9001",
                "pre_from": "2022-01",
                "pre_to": "2022-02",
                "post_from": "2022-02",
                "post_to": "2022-03",
            },
            422,
        ),
        ("revisions", {"limit": 0}, 422),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    client: httpx.AsyncClient, path: str, parameters: dict[str, Any], status: int
) -> None:
    answer = await client.get(f"/v1/{path}", params=parameters)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_before_the_first_cut_there_is_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await world_of.migrate(connection)
    await connection.close()
    async with _client_of(database_url) as client:
        assert (await get(client, "measures")) == {
            "revision": 0,
            "basis": "services",
            "group_by": ["state", "entity", "cohort", "payer", "category", "month"],
            "measures": [],
            "next_offset": None,
        }
        assert (await get(client, "revisions")) == {"revisions": []}


PAGE = (Path(__file__).parents[2] / "docs" / "state-agency.md").read_text(encoding="utf-8")
ADDRESSES = sorted(set(re.findall(r'"\$GATEWAY(/v1/[^"$]+)"', PAGE)))


# Some need more counties and months than this world has, one never ends: each has a test of its own.
ELSEWHERE = ("/v1/effects", "/v1/charts", "/v1/changes/stream", "/v1/signals/", "/v1/studies", "/v1/interrupted")
ANSWERED = [address for address in ADDRESSES if not address.startswith(ELSEWHERE)]


@pytest.mark.parametrize("address", ANSWERED)
async def test_every_address_of_the_page_for_states_answers(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text


def test_the_page_for_states_names_every_route() -> None:
    named = {address.split("?")[0] for address in ADDRESSES}
    app = FastAPI()
    app.include_router(router)
    shapes = {re.sub(r"\{.*?\}", "[^/]+", path) for path in app.openapi()["paths"]}
    found = {shape: [address for address in named if re.fullmatch(shape, address)] for shape in shapes}
    assert all(found.values()), found
    assert sum(map(len, found.values())) == len(named)


def _read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("measures?group_by=payer&group_by=month", "measures"),
        ("measures?limit=3", "measures"),
        ("person-months?group_by=cohort", "person_months"),
        ("restatements?since=1", "restatements"),
    ],
)
async def test_a_table_says_what_the_json_says(client: httpx.AsyncClient, path: str, rows: str, tmp_path: Path) -> None:
    told = (await client.get(f"/v1/{path}")).json()
    as_csv = await client.get(f"/v1/{path}&format=csv")
    found = _read_csv(as_csv.text)
    assert len(found) == len(told[rows]) > 0
    for row, expected in zip(found, told[rows], strict=True):
        flat = {name: value for name, value in expected.items() if name not in {"pbpm", "completed"}}
        assert {name: row[name] for name in flat} == {
            name: "" if value is None else str(value) for name, value in flat.items()
        }
    assert as_csv.headers["tandem-revision"] == str(told["revision"])
    assert as_csv.headers.get("tandem-next-offset") == (str(told["next_offset"]) if told.get("next_offset") else None)
    (tmp_path / "x.parquet").write_bytes((await client.get(f"/v1/{path}&format=parquet")).content)
    with duckdb.connect() as connection:
        [(count,)] = connection.execute(
            "SELECT count(*) FROM read_parquet($p)", {"p": str(tmp_path / "x.parquet")}
        ).fetchall()
    assert count == len(found)


async def test_a_table_has_a_tag_of_its_own(client: httpx.AsyncClient) -> None:
    tags = {
        form: (await client.get(f"/v1/measures?format={form}")).headers["etag"] for form in ("json", "csv", "parquet")
    }
    assert len(set(tags.values())) == 3
    again = await client.get("/v1/measures?format=parquet", headers={"If-None-Match": tags["parquet"]})
    assert again.status_code == 304
