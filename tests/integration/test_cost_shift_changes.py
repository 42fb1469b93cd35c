"""The changes that states follow: each once, in one order, whoever writes meanwhile and however often a reader dies."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import cost_shift_world as world_of
import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from contracts.cost_shift import MeasureRestated, MeasureRestatedData
from services.cost_shift.gateway import router
from services.runtime.database import open_pool
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker

WORLD = world_of.make_world(7)


async def _always(_: Any) -> bool:
    return True


@pytest_asyncio.fixture
async def writer(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    await world_of.migrate(connection)
    yield connection
    await connection.close()


@pytest.fixture
def app(database_url: str, writer: Any) -> FastAPI:
    del writer
    return create_gateway(
        "cost-shift", [router], open_pool=lambda: open_pool(database_url, "cost_shift"), advancing=_always, checks={}
    )


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as opened,
    ):
        yield opened


def _told(event: MeasureRestatedData) -> dict[str, Any]:
    return {**event.key.model_dump(mode="json"), **event.model_dump(mode="json", exclude={"key"})}


def expected(events: list[Any]) -> list[dict[str, Any]]:
    return [_told(event.data) for event in events if isinstance(event, MeasureRestated)]


def without_shown(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in change.items() if name not in {"known_at", "pbpm"}}


async def page(client: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    answer = await client.get("/v1/changes", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def read_to_the_end(client: httpx.AsyncClient, limit: int, **filters: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        found = await page(client, limit=limit, **cursor, **filters)
        seen += found["changes"]
        cursor = {"cursor": found["next_cursor"]}
        if not found["more"]:
            return seen


@pytest.mark.parametrize("limit", [1, 7, 10_000])
async def test_every_change_is_read_once_in_the_order_of_publication(
    client: httpx.AsyncClient, writer: Any, limit: int
) -> None:
    published = expected(await world_of.run_interleaved(writer, world_of.log_of(WORLD), 1, most_a_batch=50))
    seen = await read_to_the_end(client, limit)
    assert [without_shown(change) for change in seen] == published
    assert len(published) > 50


async def _follow(client: httpx.AsyncClient, chance: random.Random, done: asyncio.Event) -> list[dict[str, Any]]:
    """Reads, keeps what it read together with the cursor, and dies between reading and keeping now and then."""
    kept: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        finished = done.is_set()
        found = await page(client, limit=chance.randint(1, 9), wait=chance.choice([0, 0.05]), **cursor)
        if chance.random() < 0.3:
            continue
        kept += found["changes"]
        cursor = {"cursor": found["next_cursor"]}
        if finished and not found["more"] and not found["changes"]:
            return kept


async def test_readers_that_die_miss_nothing_and_see_nothing_twice_while_others_write(
    client: httpx.AsyncClient, writer: Any
) -> None:
    done = asyncio.Event()
    readers = [asyncio.create_task(_follow(client, random.Random(seed), done)) for seed in range(5)]
    published = expected(await world_of.run_interleaved(writer, world_of.log_of(WORLD), 3, most_a_batch=4))
    done.set()
    for reader in readers:
        assert [without_shown(change) for change in await reader] == published


async def test_filters_leave_out_and_change_nothing_else(client: httpx.AsyncClient, writer: Any) -> None:
    published = expected(await world_of.run_interleaved(writer, world_of.log_of(WORLD), 1, most_a_batch=50))
    for filters in ({"payer": "medicaid"}, {"entity": "none", "cohort": "comparison"}, {"state": "ZZ"}):
        sought = {"entity_id" if name == "entity" else name: value for name, value in filters.items()}
        kept = [
            change for change in published if all((change[name] or "none") == value for name, value in sought.items())
        ]
        assert [without_shown(change) for change in await read_to_the_end(client, 5, **filters)] == kept


async def test_a_reader_waits_for_what_comes(client: httpx.AsyncClient, writer: Any) -> None:
    first = await page(client, start="latest")
    assert first["changes"] == []
    waiting = asyncio.create_task(page(client, start="latest", cursor=first["next_cursor"], wait=20, limit=10_000))
    published = expected(await world_of.run_interleaved(writer, world_of.log_of(WORLD), 1, most_a_batch=500))
    found = await waiting
    assert found["changes"]
    assert without_shown(found["changes"][0]) == published[0]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"cursor": "made up"}, 400),
        ({"cursor": "A" * 1025}, 422),
        ({"limit": 0}, 422),
        ({"limit": 10_001}, 422),
        ({"wait": 31}, 422),
        ({"entity": "D1' OR 1=1"}, 422),
        ({"colour": "red"}, 422),
        ({"start": "yesterday"}, 422),
    ],
)
async def test_what_cannot_be_asked_is_a_problem(
    client: httpx.AsyncClient, parameters: dict[str, Any], status: int
) -> None:
    for path in ("/v1/changes", "/v1/changes/stream"):
        if path.endswith("stream") and parameters.keys() & {"cursor", "limit", "wait"}:
            continue
        answer = await client.get(path, params=parameters)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_cursor_of_other_filters_is_refused(client: httpx.AsyncClient) -> None:
    cursor = (await page(client, payer="medicare"))["next_cursor"]
    answer = await client.get("/v1/changes", params={"payer": "medicaid", "cursor": cursor})
    assert answer.status_code == 400
    assert "other filters" in answer.json()["detail"]
    stream = await client.get("/v1/changes/stream", headers={"Last-Event-ID": cursor})
    assert (stream.status_code, stream.headers["content-type"]) == (400, "application/problem+json")


async def test_whoever_has_an_answer_gets_304_until_it_changes(client: httpx.AsyncClient, writer: Any) -> None:
    log = world_of.log_of(WORLD)
    await world_of.run_interleaved(writer, log, 1, most_a_batch=500)
    paths = ["/v1/measures?payer=medicare", "/v1/measures?as_of=2", "/v1/restatements?since=1", "/v1/person-months"]
    tags = {path: (await client.get(path)).headers["etag"] for path in [*paths, "/v1/revisions"]}
    assert len(set(tags.values())) == 5
    for path, tag in tags.items():
        answer = await client.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
    await world_of.publish(writer, world_of.DELIVERIES + 1)
    client._transport.app.state.latest_revision._looked_at = float("-inf")  # type: ignore[attr-defined] # a quarter of a second later
    for path, tag in tags.items():
        answer = await client.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == (304 if "as_of" in path else 200), path


async def test_a_problem_has_no_tag(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/measures", params={"as_of": 99})
    assert answer.status_code == 404
    assert "etag" not in answer.headers


@pytest_asyncio.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """A real server: a stream without end does not go through a transport in memory."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


async def _streamed(address: str, count: int, last: str | None) -> tuple[list[dict[str, Any]], str | None]:
    headers = {"Last-Event-ID": last} if last else {}
    seen: list[dict[str, Any]] = []
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", f"{address}/v1/changes/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                seen.append(json.loads(line.removeprefix("data:")))
            elif line.startswith("id:"):
                last = line.removeprefix("id:").strip()
            elif not line and len(seen) == count:
                return seen, last
    raise AssertionError("the stream ended")


async def test_a_stream_that_breaks_goes_on_behind_the_last_event(address: str, writer: Any) -> None:
    published = expected(await world_of.run_interleaved(writer, world_of.log_of(WORLD), 1, most_a_batch=500))
    half = len(published) // 2
    first, last = await _streamed(address, half, None)
    second, _ = await _streamed(address, len(published) - half, last)
    assert [without_shown(change) for change in first + second] == published
