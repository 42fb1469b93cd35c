"""The routes for states: what is told equals a recomputation, what could tell of a few is not told, bad questions get problems."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import access_world as access
import duckdb
import pytest
import pytest_asyncio
import states_world as world
from access_world import Visitor

from services.cost_shift import cursors
from services.cost_shift.disclosure_policy import disclosure_policy
from services.cost_shift.states.answers import SUPPRESSED

pytestmark = pytest.mark.broker
KEY = ("state", "entity_id", "cohort", "payer", "category", "month")
LAST = world.DELIVERIES


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(world.fill(module_database_url))
    return module_database_url


@pytest_asyncio.fixture
async def visitor(filled: str) -> AsyncIterator[Visitor]:
    async with world.states_gateway(filled) as opened:
        yield opened


async def get(visitor: Visitor, path: str, **parameters: Any) -> Any:
    answer = await visitor.get("ohio", f"/v1/{path}", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def key_of(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] or "" for name in KEY)


async def test_what_is_told_is_what_was_published_at_the_revision_that_it_names(visitor: Visitor) -> None:
    told = 0
    for revision in range(1, LAST + 1):
        for row in (await get(visitor, "measures", as_of=revision))["measures"]:
            published = world.figures(row["figure_revision"], "OH")[key_of(row)]  # type: ignore[index]
            if row["cents"] != SUPPRESSED:
                assert (row["cents"], row["claims"]) == published[:2]
                told += 1
            if row["crossover_cents"] != SUPPRESSED:
                assert (row["crossover_cents"], row["crossover_claims"]) == published[2:]
    assert told > 200


_STANDS = """
    SELECT count(*), count(*) FILTER (WHERE until IS NULL), bool_and(until IS NOT DISTINCT FROM later) FROM (
        SELECT until, lead(revision) OVER (PARTITION BY state, entity, cohort, payer, category, month ORDER BY revision) AS later
        FROM released_measure) AS showing
"""


async def test_a_figure_stands_until_the_next_showing_also_of_figures_from_before_it_was_kept(filled: str) -> None:
    owner = await world.connect(filled, world.SCHEMA)
    try:
        written = await owner.fetchrow(_STANDS)
        assert written[2]
        assert 0 < written[1] < written[0]
        (migration,) = world.SERVICE.migrations.glob("*_until_when_figures_stand.sql")
        async with owner.transaction():
            await owner.execute("ALTER TABLE released_measure DROP COLUMN until")
            await owner.execute(migration.read_text())
            assert await owner.fetchrow(_STANDS) == written
    finally:
        await owner.close()


async def test_small_cells_are_suppressed_with_another_and_totals_are_whole(visitor: Visitor) -> None:
    rows = (await get(visitor, "measures", payer="medicare"))["measures"]
    hidden = {(row["cohort"], row["month"]) for row in rows if row["category"] == "hospice"}
    assert hidden
    for cohort, month in hidden:
        cells = {row["category"]: row for row in rows if (row["cohort"], row["month"]) == (cohort, month)}
        assert [name for name, row in sorted(cells.items()) if row["cents"] == SUPPRESSED] == ["hospice", "inpatient"]
        assert cells["hospice"]["pbpm"] == SUPPRESSED
        (whole,) = (await get(visitor, "measures", payer="medicare", cohort=cohort, first_month=month, last_month=month,
                              group_by="payer"))["measures"]  # fmt: skip
        assert isinstance(whole["cents"], int)


async def test_every_number_is_0_or_large_in_every_answer(visitor: Visitor) -> None:
    """Over every way to group, at every revision."""
    least = disclosure_policy().smallest_shown
    for revision in range(1, LAST + 1):
        for group_by in (
            ["month"],
            ["category"],
            ["payer", "month"],
            ["cohort", "category"],
            ["state", "entity"],
        ):
            rows = (await get(visitor, "measures", as_of=revision, group_by=group_by))["measures"]
            for row in rows:
                for name in ("claims", "crossover_claims", "person_months"):
                    assert row[name] == SUPPRESSED or row[name] == 0 or abs(row[name]) >= least, row


async def test_nobody_learns_of_a_few_by_subtracting_revisions(visitor: Visitor) -> None:
    least, known = disclosure_policy().smallest_shown, {}
    for revision in range(1, LAST + 1):
        rows = [(key_of(row), row["claims"]) for row in (await get(visitor, "measures", as_of=revision))["measures"]]
        counts = (await get(visitor, "person-months", as_of=revision))["person_months"]
        rows += [((row["entity_id"], row["cohort"], row["month"]), row["person_months"]) for row in counts]
        for key, count in rows:
            if count != SUPPRESSED:
                assert all(count == other or abs(count - other) >= least for other in known.setdefault(key, [])), key
                known[key].append(count)
    # Two people left in the fourth delivery: that is not told.
    counts = (await get(visitor, "person-months", cohort="aligned", last_month="2022-01"))["person_months"]
    assert [row["person_months"] for row in counts] == [world.PEOPLE["aligned"]]


async def test_restatements_add_up_to_the_figure(visitor: Visitor) -> None:
    rows = (await get(visitor, "restatements", limit=10_000))["restatements"]
    sums: dict[tuple[str, ...], int] = {}
    for row in rows:
        if row["cents"] != SUPPRESSED:
            sums[key_of(row)] = sums.get(key_of(row), 0) + row["cents"]
    for row in (await get(visitor, "measures", limit=10_000))["measures"]:
        if row["cents"] != SUPPRESSED:
            assert sums[key_of(row)] == row["cents"]
    assert {cause for row in rows for cause in row["causes"]} == {"claims"}


async def test_changes_are_the_same_steps_in_one_order(visitor: Visitor) -> None:
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(visitor, "changes", limit=7, **cursor)
        seen += page["changes"]
        cursor = {"cursor": page["next_cursor"]}
        if not page["more"]:
            break
    assert page["revision"] == LAST
    steps = (await get(visitor, "restatements", limit=10_000))["restatements"]
    assert [(row["revision"], key_of(row)) for row in seen] == [(row["revision"], key_of(row)) for row in steps]
    assert len({(row["revision"], key_of(row)) for row in seen}) == len(seen) > 100


async def test_steps_that_are_not_told_are_empty_in_parquet_and_a_word_in_csv(visitor: Visitor, tmp_path: Any) -> None:
    rows = (await get(visitor, "restatements", limit=10_000))["restatements"]
    hidden = [row["cents"] == SUPPRESSED for row in rows]
    assert any(hidden)
    text = await visitor.get("ohio", "/v1/restatements", limit=10_000, format="csv")
    told = list(csv.DictReader(io.StringIO(text.text)))
    assert [line["cents"] for line in told] == [str(row["cents"]) for row in rows]
    table = tmp_path / "restatements.parquet"
    table.write_bytes((await visitor.get("ohio", "/v1/restatements", limit=10_000, format="parquet")).content)
    found = duckdb.sql(f"SELECT cents, claims, suppressed FROM '{table}'").fetchall()
    assert found == [
        (None, None, True) if suppressed else (row["cents"], row["claims"], False)
        for row, suppressed in zip(rows, hidden, strict=True)
    ]
    none = await visitor.get("ohio", "/v1/restatements", since=LAST, format="csv")
    assert none.text.splitlines() == text.text.splitlines()[:1]


async def test_tables_hold_what_json_holds(visitor: Visitor, tmp_path: Any) -> None:
    rows = (await get(visitor, "measures", group_by=["payer", "category"]))["measures"]
    text = await visitor.get("ohio", "/v1/measures", group_by=["payer", "category"], format="csv")
    assert text.headers["tandem-revision"] == str(LAST)
    lines = text.text.splitlines()
    assert len(lines) == len(rows) + 1
    assert sum("suppressed" in line for line in lines[1:]) == sum(SUPPRESSED in row.values() for row in rows) > 0
    table = tmp_path / "measures.parquet"
    table.write_bytes(
        (await visitor.get("ohio", "/v1/measures", group_by=["payer", "category"], format="parquet")).content
    )
    found = duckdb.sql(f"SELECT category, cents, suppressed FROM '{table}' ORDER BY payer, category").fetchall()
    assert [
        (row["category"], None if row["cents"] == SUPPRESSED else row["cents"], row["cents"] == SUPPRESSED)
        for row in rows
    ] == found
    for path in ("person-months", "restatements"):
        answer = await visitor.get("ohio", f"/v1/{path}", format="csv")
        assert answer.headers["content-type"].startswith("text/csv")
    assert io.StringIO(answer.text).readline().startswith("state,entity_id")


async def test_pairs_entities_deliveries_and_words(visitor: Visitor) -> None:
    pairs = await get(visitor, "pairs")
    whole = pairs["pairs"][0]
    assert (whole["channel"], len(whole["months"])) == ("all_services", len(world.MONTHS))
    (march,) = [month for month in whole["months"] if month["month"] == "2022-03"]
    (told,) = (await get(visitor, "measures", cohort="aligned", payer="medicare", first_month="2022-03", last_month="2022-03",
                         group_by="month"))["measures"]  # fmt: skip
    assert march["medicare_cents"] == told["cents"]
    assert (await get(visitor, "entities"))["entities"] == [
        {"entity_id": "D9001", "state": "OH", "first_month": "2022-01", "last_month": "2022-06"}
    ]
    deliveries = (await get(visitor, "deliveries"))["deliveries"]
    assert [one["revision"] for one in deliveries] == list(range(LAST, 0, -1))
    assert sum(one["figures_changed"] for one in deliveries) == len(
        (await get(visitor, "restatements"))["restatements"]
    )
    words = await get(visitor, "dictionary")
    assert {one["name"]: one["value"] for one in words["policies"]}["smallest_shown"] == 11
    assert {"cents", "month", "known_at"} <= {one["name"] for one in words["fields"]}
    months = (await get(visitor, "completeness"))["months"]
    assert {one["month"] for one in months} == set(world.MONTHS)


async def test_everything_carries_its_revision_and_when_it_was_known(visitor: Visitor) -> None:
    for path in ("measures", "person-months", "restatements", "pairs", "entities"):
        for revision in (3, LAST):
            answer = await get(visitor, path, as_of=revision)
            assert answer["revision"] == revision
            assert answer["as_of"].startswith(world.delivered(revision).isoformat())
        assert (await visitor.get("ohio", f"/v1/{path}", as_of=LAST + 1)).status_code == 404


WINDOWS = {"pre_from": "2022-01", "pre_to": "2022-02", "post_from": "2022-03", "post_to": "2022-04"}
BAD: list[tuple[str, dict[str, Any], int]] = [
    ("measures", {"first_month": "2022-06", "last_month": "2022-01"}, 422),
    ("measures", {"first_month": "2099-01"}, 404),
    ("measures", {"last_month": "1950-01"}, 404),
    ("measures", {"first_month": "2022-13"}, 422),
    ("measures", {"first_month": "0000-01"}, 422),
    ("measures", {"category": "magic"}, 422),
    ("measures", {"category": "inpatient' OR '1'='1"}, 422),
    ("measures", {"entity": "D9001'; DROP TABLE revision; --"}, 422),
    ("measures", {"state": "OH' --"}, 422),
    ("measures", {"group_by": "cents"}, 422),
    ("measures", {"group_by": "month; SELECT 1"}, 422),
    ("measures", {"group_by": "county"}, 422),
    ("measures", {"basis": "outlay"}, 422),
    ("measures", {"limit": 10_001}, 422),
    ("measures", {"limit": 10**30}, 422),
    ("measures", {"offset": 10_000_001}, 422),
    ("measures", {"offset": -1}, 422),
    ("measures", {"as_of": 2**64}, 422),
    ("measures", {"as_of": 0}, 422),
    ("measures", {"format": "xml"}, 422),
    ("measures", {"colour": "red"}, 422),
    ("measures", {"cohort": "aligned\r\nSet-Cookie: a=b"}, 422),
    ("restatements", {"since": -1}, 422),
    ("changes", {"cursor": "made up"}, 400),
    ("changes", {"cursor": "A" * 1025}, 422),
    ("changes", {"cursor": "\x00"}, 400),
    ("changes", {"wait": 31}, 422),
    ("changes", {"start": "yesterday"}, 422),
    ("deliveries", {"limit": 0}, 422),
    ("effects", {"entity": "D9001"}, 422),
    ("effects", {"entity": "D9001", **WINDOWS, "pre_to": "2022-05"}, 422),
    ("effects", {"entity": "D9001", **WINDOWS}, 422),
    ("nothing", {}, 404),
]  # fmt: skip


KNOWN = {name for _, parameters, _ in BAD for name in parameters} - {"colour", "basis"}


@pytest.mark.parametrize(("path", "parameters", "status"), BAD, ids=str)
async def test_a_bad_question_gets_a_problem_and_is_recorded(
    visitor: Visitor, filled: str, path: str, parameters: dict[str, Any], status: int
) -> None:
    answer = await visitor.get("ohio", f"/v1/{path}", **parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert "set-cookie" not in answer.headers
    assert not any(str(value) in answer.text for value in parameters.values() if len(str(value)) > 9)
    owner = await world.connect(filled, world.SCHEMA)
    last = (await access.reads(owner))[-1]
    await owner.close()
    known = " ".join(sorted(name if name in KNOWN else "?" for name in parameters))
    route = "GET unknown" if path == "nothing" else f"GET /v1/{path}"
    assert last == ("ohio", "OH", route, known, status)


async def test_an_operator_s_cursor_and_an_older_one_are_refused(visitor: Visitor, filled: str) -> None:
    owner = await world.connect(filled, world.SCHEMA)
    secret = await owner.fetchval("SELECT secret FROM told_cursor_key")
    await owner.close()
    nothing = (None,) * 5
    place = cursors.Place(1)
    for text in (cursors.write(place, nothing, secret), cursors.write(place, ("KY", *nothing), secret),
                 cursors.write(place, ("OH", *nothing), bytes(32))):  # fmt: skip
        assert (await visitor.get("ohio", "/v1/changes", cursor=text)).status_code == 400
    assert (
        await visitor.get("ohio", "/v1/changes", cursor=cursors.write(place, ("OH", *nothing), secret))
    ).status_code == 200


class Counted:
    """A pool that counts how often a connection is taken."""

    def __init__(self, pool: Any) -> None:
        self.pool, self.taken = pool, 0

    def acquire(self) -> Any:
        self.taken += 1
        return self.pool.acquire()


async def test_304_without_reading_a_figure(visitor: Visitor) -> None:
    """A hundred polls at once: no snapshot for figures, one look for a later revision, and a few writes of the record."""
    first = await visitor.get("ohio", "/v1/measures", payer="medicare")
    state = visitor.app.state
    figures, door = Counted(state.pool), Counted(state.door.trail.pool)
    state.pool = state.latest_revision.pool = figures
    state.door.trail.pool = door
    polls = [
        visitor.get("ohio", "/v1/measures", {"If-None-Match": first.headers["etag"]}, payer="medicare")
        for _ in range(100)
    ]
    answers = await asyncio.gather(*polls)
    state.pool = figures.pool
    assert {(answer.status_code, answer.content) for answer in answers} == {(304, b"")}
    assert figures.taken <= 2
    assert door.taken <= 30


async def test_many_who_wait_at_one_place_share_one_read(visitor: Visitor) -> None:
    """Twenty long polls at once: each gets what there is, and the figures are read once for all of them."""
    first = await get(visitor, "changes", limit=5)
    state = visitor.app.state
    figures = Counted(state.pool)
    state.pool = state.latest_revision.pool = figures
    cursor = first["next_cursor"]
    pages = await asyncio.gather(*(get(visitor, "changes", cursor=cursor, limit=9, wait=20) for _ in range(20)))
    state.pool = state.latest_revision.pool = figures.pool
    assert all(page == pages[0] for page in pages)
    assert len(pages[0]["changes"]) == 9
    assert figures.taken <= 2


async def test_a_page_that_was_read_for_one_tenant_is_nobody_else_s(visitor: Visitor) -> None:
    for client, state in (("ohio", "OH"), ("kentucky", "KY"), ("ohio", "OH"), ("ohio-plan", "OH"), ("kentucky", "KY")):
        page = (await visitor.get(client, "/v1/changes", limit=1_000)).json()
        assert {change["state"] for change in page["changes"]} == {state}
        entities = {change["entity_id"] for change in page["changes"]}
        assert entities == {world.TENANTS[state], None}


async def test_so_many_requests_for_changes_may_be_open_and_no_more(filled: str) -> None:
    async with world.states_gateway(filled, requests_open=3) as visitor:
        end = {"start": "latest", "limit": 5}
        cursor = (await get(visitor, "changes", **end))["next_cursor"]
        waiting = [asyncio.create_task(get(visitor, "changes", cursor=cursor, wait=1)) for _ in range(3)]
        held = visitor.app.state.door.open
        while held._open["ohio"] < 3:  # noqa: ASYNC110 - the requests are on their way
            await asyncio.sleep(0)
        refused = await visitor.get("ohio", "/v1/changes", cursor=cursor, wait=1)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert "No more than 3" in refused.json()["detail"]
        assert (await visitor.get("kentucky", "/v1/changes")).status_code == 200  # nobody pays for another
        assert (await visitor.get("ohio", "/v1/measures")).status_code == 200
        assert [page["changes"] for page in await asyncio.gather(*waiting)] == [[]] * 3
        assert not held._open
        assert (await visitor.get("ohio", "/v1/changes", cursor=cursor)).status_code == 200
