"""People who turn out to be one, or two: what alignment then says is what it would say had that been known always."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime

import asyncpg
import httpx
import pytest
from test_alignment_store import (
    EMPTIED,
    CollectingTransaction,
    about,
    apply,
    batch,
    connection,
    deliveries,
    expected,
    person,
    report,
    snapshot,
    stored,
)

from contracts.identities import PeopleMerged, PeopleMergedData, PeopleSplit, PeopleSplitData
from contracts.topics import AnyEvent
from services.alignment.gateway import router
from services.alignment.worker import handle, settle
from services.runtime.database import Connection, lock_number
from services.runtime.gateway import create_gateway
from services.runtime.service import Cut

pytestmark = pytest.mark.broker
__all__ = ["connection"]

KEPT, RETIRED, OTHER = 1, 2, 4
MERGED_AT, SPLIT_AT = 7, 13


def cut(sequence: int) -> Cut:
    return Cut(sequence, f"d{sequence:032x}", datetime(2022, 2, 1, tzinfo=UTC), date(2022, 2, 1))


def merge(sequence: int = MERGED_AT) -> AnyEvent:
    data = PeopleMergedData(retired=person(RETIRED), kept=person(KEPT))
    return PeopleMerged.of(**about(sequence, person(KEPT)), data=data)  # type: ignore[arg-type]


def split(sequence: int = SPLIT_AT) -> AnyEvent:
    data = PeopleSplitData(person_id=person(KEPT), separated=person(RETIRED), aliases=(person(RETIRED),))
    return PeopleSplit.of(**about(sequence, person(KEPT)), data=data)  # type: ignore[arg-type]


def as_if(event: AnyEvent, who: int) -> AnyEvent:
    """The event as intake writes it when its person is known to be another."""
    data = event.data.model_copy(update={"person_id": person(who)})
    return event.model_copy(update={"data": data, "subject": person(who), "alias": event.subject})


def of(sets: Sequence[Sequence[AnyEvent]], *people: int) -> list[list[AnyEvent]]:
    """Deliveries of some people; Medicare speaks of the one, the state of the other, who came to be known apart."""
    names = {person(number) for number in people}
    return [[event for event in events if event.subject in names] for events in sets]


def world() -> list[list[AnyEvent]]:
    """Twelve deliveries: snapshots and reports name ``KEPT``, enrolment names ``RETIRED``; both are one from 7 on."""
    found: list[list[AnyEvent]] = []
    for events in of(deliveries(6), KEPT, RETIRED, OTHER):
        one = [event for event in events if event.subject != person(RETIRED) or "enrolment" in event.type]
        one = [event for event in one if event.subject != person(KEPT) or "enrolment" not in event.type]
        sequence = events[0].deliveryseq
        found.append(
            [
                as_if(event, KEPT) if event.subject == person(RETIRED) and sequence >= MERGED_AT else event
                for event in one
            ]
        )
    found[MERGED_AT - 1].append(merge())
    return found


def in_topics(events: Iterable[AnyEvent]) -> list[list[AnyEvent]]:
    kinds: dict[str, list[AnyEvent]] = {}
    for event in events:
        kinds.setdefault(event.type, []).append(event)
    return list(kinds.values())


async def deliver(opened: Connection, events: Sequence[AnyEvent]) -> list[AnyEvent]:
    return await apply(opened, *in_topics(events))


async def settled(opened: Connection, sequence: int) -> list[AnyEvent]:
    transaction = CollectingTransaction(opened)
    async with opened.transaction():
        await settle(cut(sequence), transaction)
    return transaction.published


async def as_of(opened: Connection, who: int, sequence: int) -> dict[str, tuple[object, ...]]:
    """What is decided about every month, without the delivery and the way it came to be."""
    rows = await opened.fetch(
        "SELECT DISTINCT ON (month) month, aligned, basis, cohort, entity_id, county_fips, dual_status_code, reasons, "
        "predicates "
        "FROM decision WHERE person_id = $1 AND sequence <= $2 ORDER BY month, sequence DESC",
        person(who),
        sequence,
    )
    return {row["month"]: (*tuple(row)[1:-1], _outcomes(row["predicates"])) for row in rows}


def _outcomes(predicates: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, outcome) for name, outcome, *_ in json.loads(predicates))


async def tables(opened: Connection) -> dict[str, set[str]]:
    found = {"decision": await stored(opened)}
    for table in ("fact", "person", "person_move", "arrangement_month", "difference", "work_item"):
        found[table] = {str(tuple(row)) for row in await opened.fetch(f"SELECT * FROM {table}")}
    return found


async def in_order(opened: Connection, sets: Iterable[Sequence[AnyEvent]]) -> None:
    for number, events in enumerate(sets, start=1):
        await deliver(opened, events)
        await settled(opened, number)


async def test_from_the_merge_on_one_person_is_what_they_would_always_have_been(connection: Connection) -> None:
    await in_order(connection, world())
    then, now = await as_of(connection, KEPT, MERGED_AT - 1), await as_of(connection, KEPT, 12)
    middle = await as_of(connection, KEPT, MERGED_AT)
    await connection.execute(EMPTIED)
    always = [
        [as_if(event, KEPT) if event.subject == person(RETIRED) else event for event in events] for events in world()
    ]
    never = [[event for event in events if not isinstance(event, PeopleMerged)] for events in always]
    await in_order(connection, never)
    assert now == await as_of(connection, KEPT, 12)
    assert middle == await as_of(connection, KEPT, MERGED_AT)
    assert then != await as_of(connection, KEPT, MERGED_AT - 1)


async def test_before_the_merge_everything_is_as_it_was(connection: Connection) -> None:
    sets = world()
    await in_order(connection, sets[: MERGED_AT - 1])
    before = [await as_of(connection, who, MERGED_AT - 1) for who in (KEPT, RETIRED)]
    for number, events in enumerate(sets[MERGED_AT - 1 :], start=MERGED_AT):
        await deliver(connection, events)
        await settled(connection, number)
    assert [await as_of(connection, who, MERGED_AT - 1) for who in (KEPT, RETIRED)] == before


async def test_whoever_is_not_meant_stays_as_the_pure_history_says(connection: Connection) -> None:
    await in_order(connection, world())
    others = [event for events in world() for event in events if event.subject == person(OTHER)]
    mine = {row for row in await stored(connection) if person(OTHER) in row}
    assert mine == expected(others)


@pytest.mark.parametrize("ahead", [1, 3, 5])
async def test_what_ran_ahead_of_the_cut_changes_nothing_in_the_end(connection: Connection, ahead: int) -> None:
    sets = [
        *world(),
        [split()],
        *of([[snapshot(KEPT, 14, "2022-02")], [report(RETIRED, 15, "2022-02")]], KEPT, RETIRED),
    ]
    await in_order(connection, sets)
    plain = await tables(connection)
    await connection.execute(EMPTIED)
    for number, events in enumerate(sets, start=1):
        for topic in reversed(in_topics(events)):
            await apply(connection, topic)
        if number > ahead:
            await settled(connection, number - ahead)
    for number in range(len(sets) - ahead, len(sets) + 1):
        await settled(connection, number)
    assert await tables(connection) == plain


async def test_a_split_gives_back_what_was_taken(connection: Connection) -> None:
    together = world()
    await in_order(connection, [*together, [split()]])
    found = [await as_of(connection, who, SPLIT_AT) for who in (KEPT, RETIRED)]
    whole = await as_of(connection, KEPT, SPLIT_AT - 1)
    await connection.execute(EMPTIED)
    apart = [
        [as_if(event, RETIRED) if event.alias else event for event in events if not isinstance(event, PeopleMerged)]
        for events in together
    ]
    own = [[event.model_copy(update={"alias": None}) for event in events] for events in apart]
    await in_order(connection, own)
    assert found[1] == await as_of(connection, RETIRED, SPLIT_AT)
    alone = await as_of(connection, KEPT, SPLIT_AT)
    # Months of which only the other one's statements spoke stay decided, as months of which nothing is known.
    assert {month: found[0][month] for month in alone} == alone
    assert whole != found[0]


async def test_told_again_or_settled_again_nothing_changes(connection: Connection) -> None:
    await in_order(connection, world())
    before = await tables(connection)
    assert await deliver(connection, [merge()]) == []
    assert await settled(connection, 12) == []
    assert await tables(connection) == before


async def test_a_fact_that_comes_behind_the_merge_is_moved_on_with_the_next_delivery(connection: Connection) -> None:
    sets = world()
    late = next(event for event in sets[4] if event.subject == person(RETIRED))
    without = [[event for event in events if event is not late] for events in sets]
    await in_order(connection, sets)
    plain = await tables(connection)
    await connection.execute(EMPTIED)
    await in_order(connection, without)
    assert (await tables(connection))["fact"] != plain["fact"]
    await deliver(connection, [late])
    await settled(connection, 12)
    found = await tables(connection)
    assert (found["fact"], found["person_move"]) == (plain["fact"], plain["person_move"])
    assert {row for row in found["decision"] if person(KEPT) in row} == {
        row for row in plain["decision"] if person(KEPT) in row
    }


async def test_the_cut_waits_for_whoever_still_applies_something(connection: Connection, database_url: str) -> None:
    await in_order(connection, world()[: MERGED_AT - 1])
    await deliver(connection, [merge()])
    other = await asyncpg.connect(database_url)
    schema = await connection.fetchval("SELECT current_schema()")
    transaction = other.transaction()
    try:
        await transaction.start()
        await other.execute("SELECT pg_advisory_xact_lock($1, 2)", lock_number(f"worker of {schema}"))
        await connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await settled(connection, MERGED_AT)
    finally:
        await transaction.rollback()
        await other.close()
    await connection.execute("SET lock_timeout = 0")
    await settled(connection, MERGED_AT)
    assert await connection.fetchval("SELECT bool_and(settled) FROM person_move")


@pytest.fixture
async def client(connection: Connection, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await in_order(connection, [*world(), [split()]])

    async def always(_: object) -> bool:
        return True

    app = create_gateway(
        "alignment",
        [router],
        open_pool=lambda: asyncpg.create_pool(database_url, min_size=1, max_size=2),
        advancing=always,
        checks={},
    )
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        yield http


async def test_whoever_retired_is_shown_until_then_and_again_after_the_split(client: httpx.AsyncClient) -> None:
    answers = [
        (await client.get(f"/v1/people/{person(RETIRED)}/timeline", params={"as_of": sequence})).json()
        for sequence in (MERGED_AT - 1, MERGED_AT, SPLIT_AT)
    ]
    assert [answer["merged_into"] for answer in answers] == [None, person(KEPT), None]
    assert [bool(answer["months"]) for answer in answers] == [True, False, True]
    assert [bool(answer["statements"]) for answer in answers] == [True, False, True]


async def test_nobody_is_counted_twice(client: httpx.AsyncClient) -> None:
    people = []
    for sequence in (MERGED_AT - 1, MERGED_AT, SPLIT_AT):
        months = (await client.get("/v1/alignment/months", params={"as_of": sequence})).json()
        of_month = next(month for month in months if month["month"] == "2021-11")
        people.append(of_month["aligned"] + of_month["comparison"] + of_month["excluded"])
    assert people == [3, 2, 3]


async def test_events_of_moves_decide_nothing_by_themselves(connection: Connection) -> None:
    transaction = CollectingTransaction(connection)
    async with connection.transaction():
        await handle(batch([merge()]), transaction)
    assert transaction.published == []
    assert await connection.fetchval("SELECT count(*) FROM person_move") == 1
