"""People who turn out to be one, or two: their scores are those they would have had, had that been known always."""

from typing import Any

import asyncpg
import httpx
import pytest
import risk_world as world

from contracts.identities import PeopleMerged, PeopleMergedData, PeopleSplit, PeopleSplitData
from contracts.topics import AnyEvent
from services.risk.gateway import router
from services.risk.worker import SERVICE, settle
from services.runtime.gateway import create_gateway
from services.runtime.service import Cut

pytestmark = pytest.mark.broker

KEPT, RETIRED = 1, 2
MERGED_AT, SPLIT_AT, LAST = 4, 7, 8
TABLES = ("statement", "claim_record", "facility_stay", "score", "tier", "person_move", "care_claim")


def _about(kind: type[AnyEvent], key: int, sequence: int, data: Any) -> AnyEvent:
    return kind.of(
        service="intake", key=world.person(key), version=str(sequence), time=world.TIME,
        delivery_id=world.delivery_id(sequence), sequence=sequence, data=data,
    )  # fmt: skip


def merge() -> AnyEvent:
    data = PeopleMergedData(retired=world.person(RETIRED), kept=world.person(KEPT))
    return _about(PeopleMerged, KEPT, MERGED_AT, data)


def split() -> AnyEvent:
    aliases = (world.person(RETIRED),)
    data = PeopleSplitData(person_id=world.person(KEPT), separated=world.person(RETIRED), aliases=aliases)
    return _about(PeopleSplit, KEPT, SPLIT_AT, data)


def as_if(event: AnyEvent, who: int) -> AnyEvent:
    """The event as intake writes it when its person is known to be another."""
    data = event.data.model_copy(update={"person_id": world.person(who)})
    return event.model_copy(update={"data": data, "subject": world.person(who), "alias": event.subject})


def said(seed: int) -> list[AnyEvent]:
    """What is said of everybody. Claims of two people never share a number, so one of the two has no stays."""
    events = world.random_events(seed, people=4, deliveries=LAST)
    return [event for event in events if event.subject != world.person(RETIRED) or "medicaid-deliv" not in event.type]


def as_known(events: list[AnyEvent], until: int = SPLIT_AT) -> list[AnyEvent]:
    """As intake tells it while the two are known as one."""
    together = [
        as_if(event, KEPT)
        if event.subject == world.person(RETIRED) and MERGED_AT <= event.deliveryseq < until
        else event
        for event in events
    ]
    return [*together, merge(), split()]


async def settled(connection: Any, sequence: int) -> list[AnyEvent]:
    transaction = world.OneTransaction(connection)
    cut = Cut(sequence, world.delivery_id(sequence), world.TIME, world.TIME.date())
    async with connection.transaction():
        await settle(cut, transaction)
    return [*transaction.published, *await world.cut(connection, sequence)]


async def deliver(connection: Any, events: list[AnyEvent], ahead: int = 0) -> None:
    """Delivery after delivery; the cut of each comes when so many later ones have been applied."""
    for sequence in range(1, LAST + 1):
        together = [event for event in events if event.deliveryseq == sequence]
        for topic in reversed(list(world.by_topic(together).values())):
            await world.apply(connection, *topic)
        if sequence > ahead:
            await settled(connection, sequence - ahead)
    for sequence in range(LAST - ahead + 1, LAST + 1):
        await settled(connection, sequence)


async def scores(connection: Any, who: int, as_of: int) -> list[tuple[Any, ...]]:
    return [
        tuple(row)
        for row in await connection.fetch(
            "SELECT DISTINCT ON (model, payment_year) model, payment_year, state, segment, raw_score, completeness, "
            "categories, interactions FROM score WHERE person_id = $1 AND sequence <= $2 "
            "ORDER BY model, payment_year, sequence DESC",
            world.person(who),
            as_of,
        )
    ]


async def all_tables(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {name: await world.table(connection, name) for name in TABLES}


async def emptied(connection: Any) -> None:
    await connection.execute(f"TRUNCATE {', '.join(TABLES)}, known_delivery, care_day")


@pytest.mark.parametrize("seed", range(4))
async def test_scores_of_one_are_those_of_somebody_who_always_was_one(database_url: str, seed: int) -> None:
    events = said(seed)
    async with world.prepared(database_url) as connection:
        await deliver(connection, as_known(events))
        found = {at: await scores(connection, KEPT, at) for at in range(1, LAST + 1)}
        apart = {at: await scores(connection, RETIRED, at) for at in range(1, LAST + 1)}
        await emptied(connection)
        always = [as_if(event, KEPT) if event.subject == world.person(RETIRED) else event for event in events]
        await deliver(connection, always)
        for at in range(MERGED_AT, SPLIT_AT):
            assert found[at] == await scores(connection, KEPT, at)
        await emptied(connection)
        await deliver(connection, events)
        for at in (*range(1, MERGED_AT), SPLIT_AT, LAST):
            mine = {row[:2]: row for row in await scores(connection, KEPT, at)}
            assert {key: row for key, row in _by_year(found[at]).items() if key in mine} == mine
            own = {row[:2]: row for row in await scores(connection, RETIRED, at)}
            assert {key: row for key, row in _by_year(apart[at]).items() if key in own} == own


def _by_year(rows: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {row[:2]: row for row in rows}


@pytest.mark.parametrize("ahead", [1, 2, 4])
async def test_what_ran_ahead_of_the_cut_changes_nothing_in_the_end(database_url: str, ahead: int) -> None:
    events = as_known(said(7))
    async with world.prepared(database_url) as connection:
        await deliver(connection, events)
        plain = await all_tables(connection)
        await emptied(connection)
        await deliver(connection, events, ahead)
        assert await all_tables(connection) == plain
        assert all(plain.values())


async def test_a_claim_said_again_before_and_behind_the_cut_lies_there_once(database_url: str) -> None:
    claim = world.visit("r1", world.TIME.date(), ("I509",))
    first = world.medicare(RETIRED, 1, claim)
    again = as_if(world.medicare(RETIRED, MERGED_AT + 1, claim), KEPT)
    async with world.prepared(database_url) as connection:
        for order in ((first, merge(), again), (first, again, merge())):
            for event in order:
                await world.apply(connection, event)
                if event is merge():
                    await settled(connection, MERGED_AT)
            await settled(connection, MERGED_AT)
            rows = await connection.fetch(
                "SELECT since, until FROM claim_record WHERE person_id = $1", world.person(KEPT)
            )
            assert [tuple(row) for row in rows] == [(MERGED_AT, None)]
            await emptied(connection)


async def test_settled_again_nothing_changes(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await deliver(connection, as_known(said(3)))
        before = await all_tables(connection)
        await world.apply(connection, merge())
        assert await settled(connection, LAST + 1) == []
        assert await all_tables(connection) == before


async def test_the_retired_are_in_no_tier_and_no_summary(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await deliver(connection, [*as_known(said(5))])
        app = create_gateway(
            "risk",
            [router],
            open_pool=lambda: asyncpg.create_pool(
                database_url, min_size=1, max_size=2, server_settings={"search_path": "risk"}
            ),
            advancing=_always,
            checks={},
        )
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x") as http,
        ):
            path = f"/v1/people/{world.person(RETIRED)}/scores"
            answers = [(await http.get(path, params={"as_of": at})).status_code for at in (3, MERGED_AT, SPLIT_AT)]
            assert answers == [200, 404, 200]
            people = [
                sum(tier["people"] for tier in (await http.get("/v1/tiers", params={"as_of": at})).json()["tiers"])
                for at in (3, MERGED_AT)
            ]
            assert people[1] < people[0] + 1
            listed = [
                person["person_id"]
                for tier in (1, 2, 3, 4)
                for person in (await http.get(f"/v1/tiers/{tier}/people", params={"as_of": 5})).json()["people"]
            ]
            assert world.person(RETIRED) not in listed
            assert world.person(KEPT) in listed


async def _always(_: object) -> bool:
    return True


def test_the_service_listens_to_who_is_who() -> None:
    assert "tandem.identities.v1" in {topic.name for topic in SERVICE.topics}
    assert SERVICE.settle is settle
