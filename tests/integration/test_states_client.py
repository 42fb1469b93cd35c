"""The client against the real gateway: both ways of waiting say the same, and a reader that is killed misses and doubles nothing."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import access_world as access
import httpx
import pytest
import pytest_asyncio
import states_world as world

from services.cost_shift.states.gateway import router
from tandem_states import SUPPRESSED, AsyncClient, Bookmark, Client, CursorRefused, Problem

pytestmark = pytest.mark.broker
PEM = access.CLIENT_KEY.as_pem(private=True)
READER = Path(__file__).parent / "states_reader.py"


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await world.prepare(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def address(owner: Any, database_url: str) -> AsyncIterator[str]:
    del owner
    settings = access.settings_of(await access.reading_url(database_url), world.SCHEMA)
    async with access.serving(world.SERVICE, router, settings) as url:
        yield url


async def test_both_clients_say_the_same(owner: Any, address: str) -> None:
    for sequence in (1, 2, 3):
        await world.deliver(owner, sequence)

    def said() -> list[Any]:
        with Client(address, "ohio", PEM) as tandem:
            figures = list(tandem.measures(limit=10))
            assert list(tandem.measures(limit=10)) == figures  # answered by 304
            return [figures, list(tandem.restatements()), list(tandem.person_months(cohort="aligned")), tandem.entities(),
                    tandem.deliveries(2), tandem.table("/v1/measures", "csv"), list(tandem.pages(limit=5)),
                    tandem.get("/v1/dictionary")]  # fmt: skip

    first = await asyncio.to_thread(said)
    async with AsyncClient(address, "ohio", PEM) as tandem:
        second = [
            [one async for one in tandem.measures(limit=10)],
            [one async for one in tandem.restatements()],
            [one async for one in tandem.person_months(cohort="aligned")],
            await tandem.entities(),
            await tandem.deliveries(2),
            await tandem.table("/v1/measures", "csv"),
        ]
        pages = [page async for page in tandem.pages(limit=5)]
        words = await tandem.get("/v1/dictionary")
    assert first[:6] == second
    assert [page.changes for page in first[6]] == [page.changes for page in pages]
    assert first[7] == words
    published = world.figures(3, "OH")
    for figure in first[0]:
        if figure.cents != SUPPRESSED and figure.figure_revision == 3:
            key = (figure.state, figure.entity_id or "", figure.cohort, figure.payer, figure.category, figure.month)
            assert figure.cents == published[key][0]


async def test_what_is_wrong_is_said(owner: Any, address: str, tmp_path: Path) -> None:
    await world.deliver(owner, 1)
    async with AsyncClient(address, "ohio", PEM) as tandem:
        with pytest.raises(Problem) as caught:
            await tandem.get("/v1/measures", category="magic")
        assert (caught.value.status, caught.value.errors[0]["location"]) == (422, "query.category")
        assert str(caught.value.instance).startswith("urn:uuid:")
        with pytest.raises(CursorRefused):
            _ = [page async for page in tandem.pages("made up")]
        bookmark = Bookmark(tmp_path / "bookmark")
        seen = []
        async for change in tandem.changes(bookmark, wait=5, limit=4):
            seen.append(change)
            if len(seen) == 6:
                break
        # The second page was not taken whole: its changes come again.
        again = [change async for page in tandem.pages(bookmark.read(), limit=4) for change in page.changes]
        assert again[:2] == seen[4:]
    async with AsyncClient(address, "nobody-here", PEM) as stranger:
        with pytest.raises(Problem, match="401"):
            await stranger.entities()


async def _killed_now_and_then(address: str, folder: Path, done: asyncio.Event) -> int:
    """Run the reader, kill it after a few pages without warning, run it again; how often it was killed."""
    key, stop, kills = folder / "key.pem", folder / "stop", 0
    key.write_bytes(PEM)
    words = [str(READER), address, "ohio", str(key), str(folder / "state.db"), str(stop)]
    while True:
        reader = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        assert reader.stdout is not None
        if done.is_set():
            stop.touch()
            assert await reader.wait() == 0
            return kills
        for _ in range(1 + kills % 4):
            await reader.stdout.readline()
        reader.kill()
        await reader.wait()
        kills += 1


async def test_a_reader_that_is_killed_misses_no_change_and_sees_none_twice(
    owner: Any, address: str, tmp_path: Path
) -> None:
    """While a writer publishes and 3 other readers follow."""
    done = asyncio.Event()
    killed = asyncio.create_task(_killed_now_and_then(address, tmp_path, done))
    others = [asyncio.create_task(_follow(address, done)) for _ in range(3)]
    for sequence in range(1, 6):
        await world.deliver(owner, sequence)
        await asyncio.sleep(0.2)  # readers get a turn: nothing is waited for
    done.set()
    kills = await killed
    rows = await owner.fetch(
        """SELECT revision, state, entity, cohort, payer, category, month, CASE WHEN group_name IS NULL THEN cents::text
        ELSE 'suppressed' END FROM released_measure WHERE state = 'OH'
        ORDER BY revision, state, entity, cohort, payer, category, month"""
    )
    expected = [tuple(map(str, row)) for row in rows]
    seen = sqlite3.connect(tmp_path / "state.db").execute("SELECT * FROM change ORDER BY rowid").fetchall()
    assert [tuple(map(str, row)) for row in seen] == expected
    for other in others:
        assert [tuple(map(str, change)) for change in await other] == expected
    assert kills >= 1
    assert len(expected) > 60


async def _follow(address: str, done: asyncio.Event) -> list[tuple[Any, ...]]:
    seen: list[tuple[Any, ...]] = []
    async with AsyncClient(address, "ohio", PEM) as tandem:
        finished = False
        async for page in tandem.pages(wait=0.1, limit=11):
            seen += [
                (c.revision, c.state, c.entity_id or "", c.cohort, c.payer, c.category, c.month, c.cents)
                for c in page.changes
            ]
            if finished and not page.changes:
                return seen
            finished = done.is_set()
    raise AssertionError("the feed ended")


async def test_a_stream_goes_on_behind_its_last_event(owner: Any, address: str) -> None:
    await world.deliver(owner, 1)
    async with httpx.AsyncClient() as http:
        form = access.form("ohio", client_assertion=access.assertion("ohio", now=_now(), aud=address))
        token = (await http.post(f"{address}/oauth/token", data=form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        first = await _events(http, address, headers, 3)
        second = await _events(http, address, {**headers, "Last-Event-ID": first[-1]}, 3)
        assert len({*first, *second}) == 6


def _now() -> float:
    import time  # noqa: PLC0415 - only here the real time counts

    return time.time()


async def _events(http: httpx.AsyncClient, address: str, headers: dict[str, str], count: int) -> list[str]:
    seen: list[str] = []
    async with http.stream("GET", f"{address}/v1/changes/stream", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("id:"):
                seen.append(line.removeprefix("id:").strip())
            if len(seen) == count:
                return seen
    raise AssertionError("the stream ended")
