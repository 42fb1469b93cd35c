"""Signals over a database in which a shift was planted: told when a month closes, kept, answered, and worked out again."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import asyncpg
import cost_shift_world as world_of
import httpx
import pytest
import pytest_asyncio
import signal_world

from contracts.cost_shift import CostShiftSignalled
from contracts.months import add_months
from services.cost_shift.evidence import evidence
from services.cost_shift.gateway import router
from services.cost_shift.study_cells import Side, UnitMonth, group_starts
from services.cost_shift.study_reading import study_cells
from services.cost_shift.worker import SERVICE
from services.runtime.database import open_pool
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker

PEOPLE = signal_world.people(counties=6)
LAST = len(signal_world.MONTHS)
CHANNEL = "early_discharge_to_nursing_facility"


async def _always(_: Any) -> bool:
    return True


async def _fill(url: str) -> list[CostShiftSignalled]:
    """Month by month: a delivery, its cut, and what was told."""
    connection = await asyncpg.connect(url)
    told: list[CostShiftSignalled] = []
    try:
        await world_of.migrate(connection)
        for person in PEOPLE:
            for topic, events in signal_world.by_topic(
                [signal_world.decided(person), signal_world.scored(person)]
            ).items():
                await world_of.apply(connection, topic, 0, events)
        for month in range(LAST):
            events = [event for person in PEOPLE for event in signal_world.claims(person, month)]
            for topic, some in signal_world.by_topic(events).items():
                await world_of.apply(connection, topic, 0, some)
            told += [event for event in await _cut(connection, month + 1) if isinstance(event, CostShiftSignalled)]
    finally:
        await connection.close()
    return told


async def _cut(connection: Any, number: int) -> list[Any]:
    transaction = world_of.OneTransaction(connection)
    async with connection.transaction():
        assert SERVICE.at_cut is not None
        await SERVICE.at_cut(signal_world.cut_of(number), transaction)
    return transaction.published


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> tuple[str, list[CostShiftSignalled]]:
    return module_database_url, asyncio.run(_fill(module_database_url))


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


@pytest_asyncio.fixture
async def client(filled: tuple[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with _client_of(filled[0]) as opened:
        yield opened


async def _get(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_planted_shift_is_told_in_its_channel(client: httpx.AsyncClient) -> None:
    answer = await _get(client, "/v1/signals", entity=signal_world.ENTITY)
    found = {one["channel"]: one for one in answer["signals"]}
    signal = found[CHANNEL]
    assert (signal["level"], signal["lacking"]) == ("notify", [])
    evidence = signal["evidence"]
    assert evidence["medicare"]["effect_cents"] == pytest.approx(-20_000, abs=2500)
    assert evidence["medicaid"]["effect_cents"] == pytest.approx(15_000, abs=2500)
    assert evidence["offset_ratio"] == pytest.approx(0.75, abs=0.12)
    assert evidence["offset_lower"] < 0.75 < evidence["offset_upper"]
    assert {trait["verdict"] for trait in answer["studies"][0]["composition"]} == {"passed"}
    # All services of both payers are no channel, and the hospital's cost did not move.
    assert found["all_services"]["lacking"] == ["no_channel"]
    assert found["hospital_stay_of_nursing_facility_residents"]["level"] != "notify"
    assert "no saving against a benchmark" in " ".join(signal["caveats"])
    assert "Since 2021-01 Medicare's cost of skilled nursing facility fell by $" in signal["statement"]


async def test_what_changes_is_told_once_with_its_revision(client: httpx.AsyncClient, filled: tuple[str, Any]) -> None:
    told = [event.data for event in filled[1] if event.data.channel == CHANNEL]
    levels = [one.level for one in told]
    assert levels[-1] == "notify"
    assert all(before != after for before, after in pairwise(levels))
    history = await _get(client, "/v1/signals", channel=CHANNEL, history="told")
    assert [(one["signal_id"], one["level"]) for one in history["signals"]] == [
        (one.signal_id, one.level) for one in told
    ]
    assert told[-1].statement == history["signals"][-1]["statement"]
    assert (told[-1].direction, told[-1].lacking) == ("medicare_to_medicaid", ())
    every = (await _get(client, "/v1/signals", channel=CHANNEL, history="all"))["signals"]
    assert [one["previous_level"] for one in every] == [None, *(one["level"] for one in every[:-1])]
    for one in every:
        assert (one["signal_id"] in {event.signal_id for event in told}) == (
            one["level"] not in {one["previous_level"] or "none", "none"}
        )


async def test_as_of_an_earlier_revision_a_signal_is_what_was_said_then(client: httpx.AsyncClient) -> None:
    every = (await _get(client, "/v1/signals", channel=CHANNEL, history="all"))["signals"]
    assert [one["revision"] for one in every] == list(range(18, LAST + 1))
    for one in every:
        answer = await _get(client, "/v1/signals", channel=CHANNEL, as_of=one["revision"])
        assert answer["signals"] == [one]
        assert await _get(client, f"/v1/signals/{one['signal_id']}") == one
    assert (await _get(client, "/v1/signals", as_of=5))["signals"] == []
    assert (await _get(client, "/v1/signals", level="cleared"))["signals"] == []


async def test_charts_go_on_from_the_month_that_is_new(client: httpx.AsyncClient, filled: tuple[str, Any]) -> None:
    """Nothing was restated from one month to the next: of every chart one month was run."""
    connection = await asyncpg.connect(filled[0])
    await connection.execute("SET search_path TO cost_shift")
    studies = await connection.fetch("SELECT study->>'chart_months_run' AS run FROM signal_study ORDER BY revision")
    series = await connection.fetchval("SELECT count(*) FROM signal_chart")
    await connection.close()
    assert [int(row["run"]) for row in studies] == [6 * series, *[series] * (LAST - 18)]
    shown = (await _get(client, "/v1/signals"))["studies"][0]
    assert (shown["chart_months"], shown["chart_months_run"]) == (series * (LAST - 12), series)


def _expected_cells() -> tuple[dict[UnitMonth, int], dict[UnitMonth, dict[tuple[str, str], int]]]:
    """From the facts alone: whose months count, in which group, and what they cost."""
    counts: dict[UnitMonth, int] = defaultdict(int)
    cents: dict[UnitMonth, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for person in PEOPLE:
        start = ""
        if person.entered is not None:
            start = add_months(signal_world.FIRST, {0: 12, 12: 12, 16: 15}[person.entered])
        assert person.first < 12
        for month, costs in person.costs.items():
            key = UnitMonth(person.county, start, signal_world.MONTHS[month])
            counts[key] += 1
            for series, amount in costs.items():
                cents[key][series] += amount
    return counts, cents


async def test_evidence_holds_every_cent_of_the_facts(client: httpx.AsyncClient) -> None:
    signal = (await _get(client, "/v1/signals", channel=CHANNEL))["signals"][0]
    evidence = await _get(client, f"/v1/signals/{signal['signal_id']}/evidence")
    counts, cents = _expected_cells()
    series = [tuple(one) for one in evidence["series"]]
    assert evidence["as_kept"]
    shown = {UnitMonth(one["county_fips"], one["start"] or "", one["month"]): one for one in evidence["cells"]}
    assert {key: one["person_months"] for key, one in shown.items()} == counts
    assert {key: dict(zip(series, one["cents"], strict=True)) for key, one in shown.items()} == {
        key: {one: sums[one] for one in series} for key, sums in cents.items()
    }
    aged = sum(one["traits"]["under_65"] for one in evidence["cells"])
    assert aged == sum(len(person.costs) for person in PEOPLE if person.under_65)
    exits = sum(one["traits"]["exits"] for one in evidence["cells"])
    assert exits == sum(person.last < LAST for person in PEOPLE)


async def test_a_fact_that_came_behind_its_cut_is_seen_in_the_evidence(filled: tuple[str, Any]) -> None:
    connection = await asyncpg.connect(filled[0])
    await connection.execute("SET search_path TO cost_shift")
    outer = connection.transaction()
    await outer.start()
    signal = await connection.fetchval("SELECT max(signal_id) FROM signal WHERE channel = $1", CHANNEL)
    assert (await evidence(connection, signal)).as_kept
    newer = signal_world.claims(PEOPLE[0], 3)[1]
    newer = newer.model_copy(
        update={"data": newer.data.model_copy(update={"claims": _one_cent_more(newer.data.claims)})}
    )
    await world_of.apply(connection, "tandem.claims-medicaid.v1", 0, [newer])
    assert not (await evidence(connection, signal)).as_kept
    await outer.rollback()
    await connection.close()


def _one_cent_more(claims: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        claim.model_copy(update={"version": claim.version + 1, "paid_cents": claim.paid_cents + 1}) for claim in claims
    )


async def test_a_cut_within_a_month_reads_one_row_and_works_nothing_out(filled: tuple[str, Any]) -> None:
    connection = await asyncpg.connect(filled[0])
    await connection.execute("SET search_path TO cost_shift")
    transaction = connection.transaction()
    await transaction.start()
    before = await connection.fetchval("SELECT count(*) FROM signal_study")
    within = world_of.Cut(LAST + 1, f"d{LAST + 1:032x}", signal_world.TIME, signal_world.cut_of(LAST).dated)
    assert SERVICE.at_cut is not None
    statements: list[str] = []
    connection.add_query_logger(lambda record: statements.append(record.query))
    await SERVICE.at_cut(within, world_of.OneTransaction(connection))
    after = await connection.fetchval("SELECT count(*) FROM signal_study")
    await transaction.rollback()
    await connection.close()
    # Claimants are looked up among what the delivery changed; whole people are read only for a study.
    assert [query for query in statements if "baseline_medicare" in query or "seen_before" in query] == []
    assert after == before


async def test_a_study_can_be_asked_for_with_other_choices(client: httpx.AsyncClient) -> None:
    told = (await _get(client, "/v1/signals", channel=CHANNEL))["signals"][0]
    plain = await _get(client, "/v1/studies", entity=signal_world.ENTITY)
    pairs = {one["channel"]: one["evidence"] for one in plain["pairs"]}
    assert pairs[CHANNEL] == told["evidence"]
    assert plain["covariates"] == ["baseline_medicare", "baseline_medicaid", "risk_score"]
    bare = await _get(client, "/v1/studies", entity=signal_world.ENTITY, covariates=False)
    assert bare["covariates"] == []
    assert bare["detectable"][0]["medicare_cents"] == bare["detectable"][0]["plain_medicare_cents"]
    capped = await _get(client, "/v1/studies", entity=signal_world.ENTITY, winsorise=0.9)
    assert capped["study"]["cells_digest"] != plain["study"]["cells_digest"]
    assert capped["detectable"][0]["plain_medicare_cents"] == bare["detectable"][0]["plain_medicare_cents"]


async def test_caps_are_quantiles_of_the_months_with_a_cost(filled: tuple[str, Any]) -> None:
    connection = await asyncpg.connect(filled[0])
    await connection.execute("SET search_path TO cost_shift")
    months, calendar = signal_world.MONTHS, list(signal_world.MONTHS)
    starts = group_starts(calendar, "2020-12", 3)
    async with connection.transaction():
        cells = await study_cells(connection, LAST, signal_world.ENTITY, ["OH"], calendar, starts, "2020-12", 0.9)
    await connection.close()
    for series in (("medicare", "skilled_nursing_facility"), ("medicaid", "nursing_facility")):
        every = sorted(costs[series] for person in PEOPLE for costs in person.costs.values())
        most = every[-(-len(every) * 9 // 10) - 1]
        expected = sum(min(cost, most) for cost in every)
        assert sum(costs[series] for costs in cells.cents.values()) == expected
    assert len(months) == len({key.month for key in cells.people})


async def test_who_had_a_cost_is_counted_person_by_person(filled: tuple[str, Any]) -> None:
    connection = await asyncpg.connect(filled[0])
    await connection.execute("SET search_path TO cost_shift")
    calendar = list(signal_world.MONTHS)
    starts, used = group_starts(calendar, "2020-12", 3), calendar[3:-2]
    async with connection.transaction():
        cells = await study_cells(connection, LAST, signal_world.ENTITY, ["OH"], calendar, starts, "2020-12", used=used)
    await connection.close()
    expected: dict[Side, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for person in PEOPLE:
        for month, costs in person.costs.items():
            name = signal_world.MONTHS[month]
            for series in costs if name in used and person.first < 12 else ():
                expected[Side(person.entered is not None, name > "2020-12")][series].add(person.person_id)
    assert cells.claimants == {
        side: {series: len(people) for series, people in found.items()} for side, found in expected.items()
    }
    assert len(cells.claimants) == 4


async def test_one_cohort_against_its_own_past_needs_two_years(client: httpx.AsyncClient) -> None:
    asked = {"entity": signal_world.ENTITY, "first_month": "2020-01", "start": "2021-01", "last_month": "2021-12"}
    answer = await client.get("/v1/interrupted-series", params=asked)
    assert (answer.status_code, "12 months before" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/signals?level=loud", 422),
        ("/v1/signals?entity=ohio", 422),
        ("/v1/signals?as_of=99", 404),
        ("/v1/signals/D9001.home_health.9", 404),
        ("/v1/signals/D9001.home_health.9/evidence", 404),
        ("/v1/signals/x", 422),
        ("/v1/studies?entity=D1234", 404),
        ("/v1/studies?entity=D9001&winsorise=0.5", 422),
        ("/v1/studies?entity=D9001&as_of=5", 422),
        ("/v1/interrupted-series?entity=D9001&first_month=2021-01&start=2020-01&last_month=2022-01", 422),
    ],
)
async def test_a_question_about_signals_is_checked(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
