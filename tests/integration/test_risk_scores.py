"""The risk service on PostgreSQL: facts to scores, late facts, cancellations, tiers, and the gateway's answers."""

import random
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import pytest
import risk_world as world

from contracts.claims import Adjustment
from contracts.risk import RiskScored, RiskScoredData, RiskTierChanged
from contracts.topics import AnyEvent
from services.risk.gateway import router
from services.risk.risk_policy import risk_policy
from services.risk.score_history import revise, scores_of
from services.risk.store import facts_of
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker


def scored(events: list[AnyEvent]) -> dict[tuple[str, int], RiskScoredData]:
    return {
        (event.data.model, event.data.payment_year): event.data for event in events if isinstance(event, RiskScored)
    }


async def test_coverage_then_diagnoses_give_scores_with_a_trail(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        first = scored(await world.apply(connection, world.coverage(1, 1, "2021-03", "02")))
        assert set(first) == {("V24", 2021), ("V28", 2021)}
        assert first["V24", 2021].raw_score == first["V24", 2021].demographic_score == Decimal("0.519")
        claims = (
            world.visit("r1", date(2021, 5, 1), ("I509", "Z000")),
            world.visit("r2", date(2021, 6, 1), ("I509", "E119")),
        )
        second = scored(await world.apply(connection, world.medicare(1, 2, *claims)))
        assert set(second) == {("V24", 2022), ("V28", 2022)}
        score = second["V24", 2022]
        assert (score.segment, score.completeness, score.diagnosis_year) == ("CFA", "complete", 2021)
        assert [(one.category, one.diagnosis_code, one.first_record_id) for one in score.categories] == [
            (19, "E119", "r2"),
            (85, "I509", "r1"),
        ]
        assert score.interactions == ("DIABETES_CHF",)


async def test_what_changes_no_input_is_not_scored_again(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        claim = world.visit("r1", date(2021, 5, 1), ("I509",))
        assert await world.apply(connection, world.medicare(1, 1, claim))
        assert await world.apply(connection, world.medicare(1, 2, claim)) == []
        again = world.visit("r2", date(2021, 7, 1), ("I509", "Z000"))
        assert await world.apply(connection, world.medicare(1, 3, again)) == []
        assert await world.apply(connection, world.coverage(1, 4, "2022-03", "02"))
        assert await world.apply(connection, world.coverage(1, 5, "2022-04", "02")) == []
        assert len(await world.table(connection, "score")) == 4


async def test_without_coverage_only_diseases_are_scored_and_it_is_said(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        claim = world.admission("r1", date(2021, 5, 1), ("I509",))
        (score,) = [
            one
            for one in scored(await world.apply(connection, world.medicare(1, 1, claim))).values()
            if one.model == "V28"
        ]
        assert (score.completeness, score.segment, score.demographic_score) == ("disease_only", "CNA", None)
        assert score.raw_score == Decimal("0.360")


CANCELLING: list[tuple[str, dict[str, Any]]] = [
    ("a cancellation record", {"record_id": "c1", "adjustment": Adjustment.CANCELLATION}),
    ("a newer version that is denied", {"version": 2, "denied": True}),
    ("a newer version without the diagnosis", {"version": 2, "diagnosis_codes": ()}),
]


@pytest.mark.parametrize(("name", "change"), CANCELLING, ids=[name for name, _ in CANCELLING])
async def test_a_diagnosis_loses_its_support(database_url: str, name: str, change: dict[str, Any]) -> None:
    async with world.prepared(database_url) as connection:
        await world.apply(connection, world.coverage(1, 1, "2022-01", "02"))
        day = date(2021, 5, 1)
        with_disease = scored(
            await world.apply(connection, world.medicare(1, 2, world.admission("r1", day, ("I509",))))
        )
        values = {"record_id": "r1"} | change
        record = str(values.pop("record_id"))
        codes = values.pop("diagnosis_codes", ("I509",))
        without = scored(
            await world.apply(connection, world.medicare(1, 3, world.admission(record, day, codes, **values)))
        )
        assert len(with_disease["V28", 2022].categories) == 1, name
        assert without["V28", 2022].categories == ()
        assert without["V28", 2022].raw_score == Decimal("0.506")


async def test_an_older_version_that_comes_late_changes_nothing(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        day = date(2021, 5, 1)
        await world.apply(connection, world.medicare(1, 1, world.admission("r1", day, (), version=2)))
        assert (
            await world.apply(connection, world.medicare(1, 2, world.admission("r1", day, ("I509",), version=1))) == []
        )


async def test_institutional_by_days_and_by_level(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await world.apply(connection, world.coverage(1, 1, "2022-06", "02"), world.coverage(2, 1, "2022-06", "02"))
        by_days = scored(await world.apply(connection, world.stay(1, 2, date(2022, 3, 15), date(2022, 6, 30))))
        assert by_days["V28", 2022].segment == "INS"
        voided = world.stay(1, 3, date(2022, 3, 15), date(2022, 6, 30), version=2, voided=True)
        assert scored(await world.apply(connection, voided))["V28", 2022].segment == "CFA"
        by_level = scored(await world.apply(connection, world.enrolment(2, 2, "2022-06", level="institutional")))
        assert by_level["V28", 2022].segment == "INS"


async def test_a_late_topic_revises_what_it_overtakes(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        claim = world.visit("r1", date(2021, 5, 1), ("I509",))
        await world.apply(connection, world.medicare(1, 2, claim))
        published = await world.apply(connection, world.coverage(1, 1, "2022-01", "02"))
        known = {(event.data.payment_year, event.deliveryseq) for event in published if isinstance(event, RiskScored)}
        assert known == {(2022, 1), (2022, 2)}
        rows = await connection.fetch("SELECT sequence, completeness FROM score WHERE model = 'V28' ORDER BY sequence")
        assert [tuple(row) for row in rows] == [(1, "complete"), (2, "complete")]


@pytest.mark.parametrize("seed", range(5))
async def test_the_interleaving_of_topics_does_not_matter(database_url: str, seed: int) -> None:
    events = world.random_events(seed)
    chance = random.Random(seed)
    async with world.prepared(database_url) as connection:
        tables = []
        for in_order in (True, False):
            await connection.execute(
                "TRUNCATE statement, claim_record, facility_stay, score, tier, known_delivery, care_claim, care_day"
            )
            topics = list(world.by_topic(events).values())
            while topics:
                topic = chance.choice(topics) if not in_order else min(topics, key=lambda one: one[0].deliveryseq)
                size = chance.randrange(1, 6)
                batch, rest = topic[:size], topic[size:]
                topics = [one for one in (*(other for other in topics if other is not topic), rest) if one]
                await world.apply(connection, *batch)
            for sequence in range(1, 7):
                await world.cut(connection, sequence)
            tables.append([await world.table(connection, name) for name in ("score", "tier")])
        assert tables[0] == tables[1]
        assert tables[0][0]


@pytest.mark.parametrize("seed", range(3))
async def test_stored_scores_equal_those_computed_from_all_facts_at_once(database_url: str, seed: int) -> None:
    policy = risk_policy()
    async with world.prepared(database_url) as connection:
        for event in world.random_events(seed):
            await world.apply(connection, event)
        people = [world.person(number) for number in range(6)]
        expected = {
            (person, score.score.model, one.scored.payment_year, one.sequence, score.score.raw_score)
            for person, facts in (await facts_of(connection, people)).items()
            for one in revise(facts, {}, 1, policy).added
            for score in scores_of(one.scored, policy)
        }
        rows = await connection.fetch("SELECT person_id, model, payment_year, sequence, raw_score FROM score")
        assert {tuple(row) for row in rows} == expected


async def test_the_newest_event_of_a_score_is_the_stored_one(database_url: str) -> None:
    newest: dict[tuple[Any, ...], RiskScoredData] = {}
    identities: set[str] = set()
    async with world.prepared(database_url) as connection:
        for event in reversed(list(world.by_topic(world.random_events(11)).values())):
            for published in await world.apply(connection, *event):
                assert isinstance(published, RiskScored)
                data = published.data
                newest[data.person_id, data.model, data.payment_year, published.deliveryseq] = data
                assert published.id not in identities
                identities.add(published.id)
        rows = await connection.fetch("SELECT person_id, model, payment_year, sequence, raw_score FROM score")
        for *key, raw_score in rows:
            assert newest[tuple(key)].raw_score == raw_score


async def _population(connection: Any) -> None:
    chance = random.Random(3)
    codes = ("I509", "E119", "N184", "J449", "F200")
    await world.apply(connection, *(world.coverage(number, 1, "2022-01", "02") for number in range(40)))
    visits = (
        world.medicare(
            number, 1, world.visit(f"r{number}", date(2021, 5, 1), chance.sample(codes, chance.randrange(5)))
        )
        for number in range(40)
    )
    # Somebody of whom nothing else is known: claims are known up to this day.
    somebody = world.medicare(99, 1, world.admission("somebody", date(2022, 3, 1)))
    await world.apply(connection, *visits, somebody)


async def test_tiers_by_capacity_then_only_changes(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _population(connection)
        changes = [event.data for event in await world.cut(connection, 1) if isinstance(event, RiskTierChanged)]
        counts = {tier: sum(change.tier == tier for change in changes) for tier in (4, 3, 2, 1)}
        assert counts == {4: 2, 3: 6, 2: 12, 1: 20}
        assert all(change.previous_tier is None and 1 <= len(change.reasons) <= 3 for change in changes)
        assert await world.cut(connection, 2) == []
        lowest = next(change.person_id for change in changes if change.tier == 1)
        number = int(lowest[1:], 16)
        twice = (world.admission("a1", date(2022, 2, 1)), world.admission("a2", date(2022, 3, 1)))
        await world.apply(connection, world.medicare(number, 3, *twice))
        (lifted,) = [event.data for event in await world.cut(connection, 3) if isinstance(event, RiskTierChanged)]
        assert (lifted.person_id, lifted.tier, lifted.previous_tier) == (lowest, 4, 1)
        assert lifted.reasons[0] == "2 hospital admissions within 90 days"
        back = [
            world.admission(f"c{month}", date(2022, month, 1), adjustment=Adjustment.CANCELLATION) for month in (2, 3)
        ]
        await world.apply(connection, world.medicare(number, 4, *back))
        (returned,) = [event.data for event in await world.cut(connection, 4) if isinstance(event, RiskTierChanged)]
        assert (returned.tier, returned.previous_tier) == (1, 4)


async def test_whoever_died_is_in_no_tier_and_takes_nobodys_place(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _population(connection)
        await world.cut(connection, 1)
        died = await connection.fetchval("SELECT person_id FROM tier WHERE tier = 4 ORDER BY person_id LIMIT 1")
        number = int(died[1:], 16)
        await world.apply(connection, world.coverage(number, 2, "2022-02", "02", death_date=date(2022, 2, 3)))
        changes = {one.data.person_id: one.data for one in await world.cut(connection, 2)}
        assert (changes[died].ended, changes[died].tier) == ("not_ranked", 4)
        assert all(change.tier > (change.previous_tier or 0) for name, change in changes.items() if name != died)
        counts = await connection.fetch(
            "SELECT tier, count(*) FROM (SELECT DISTINCT ON (person_id) tier FROM tier ORDER BY person_id, "
            "sequence DESC) AS now GROUP BY tier ORDER BY tier"
        )
        assert [tuple(row) for row in counts] == [(1, 20), (2, 12), (3, 6), (4, 1), (None, 1)]
        assert await connection.fetchval("SELECT people FROM ranking WHERE sequence = 2") == 39


async def test_round_trips_do_not_grow_with_the_batch(database_url: str) -> None:
    counts = []
    async with world.prepared(database_url) as connection:
        # The first batch on a connection also asks for the types of the columns.
        for size, sequence in ((1, 1), (1, 2), (50, 3)):
            queries: list[str] = []
            with connection.query_logger(lambda record, kept=queries: kept.append(record.query)):
                await world.apply(
                    connection, *(world.coverage(n + 100 * sequence, sequence, "2022-01", "02") for n in range(size))
                )
            counts.append(len(queries))
    assert counts[1] == counts[2] <= 11


@pytest.fixture
async def client(database_url: str) -> Any:
    async with world.prepared(database_url) as connection:
        await _population(connection)
        await world.cut(connection, 1)
        await world.apply(connection, world.medicare(0, 2, world.visit("late", date(2021, 8, 1), ("C3490",))))
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


async def test_the_gateway_answers_as_known_then_and_now(client: httpx.AsyncClient) -> None:
    path = f"/v1/people/{world.person(0)}/scores"
    then, now = (await client.get(path, params={"as_of": 1})).json(), (await client.get(path)).json()
    assert {score["sequence"] for score in then["scores"]} == {1}
    categories = [one for score in now["scores"] if score["model"] == "V28" for one in score["categories"]]
    assert {"category": 20, "diagnosis_code": "C3490", "first_record_id": "late"}.items() <= categories[0].items()
    assert categories[0]["label"]
    assert now["tier"]["tier"] in (1, 2, 3, 4)


async def test_the_gateway_pages_through_a_tier(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/tiers")).json()["tiers"] == [
        {"tier": 4, "people": 2}, {"tier": 3, "people": 6}, {"tier": 2, "people": 12}, {"tier": 1, "people": 20},
    ]  # fmt: skip
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await client.get("/v1/tiers/1/people", params={"after": after, "limit": 7})).json()
        found += [one["person_id"] for one in page["people"]]
        after = page["next"]
    assert len(found) == len(set(found)) == 20
    assert found == sorted(found)


async def test_the_gateway_refuses_and_explains(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/v1/people/{world.person(999)}/scores")).status_code == 404
    assert (await client.get("/v1/people/1EG4TE5MK73/scores")).status_code == 422
    summary = (await client.get("/v1/scores", params={"as_of": 1})).json()["scores"]
    assert sum(one["people"] for one in summary if one["model"] == "V28" and one["payment_year"] == 2022) == 40
    policy = (await client.get("/v1/policy")).json()
    assert all({"value", "source", "status"} == set(entry) for entry in policy.values())


async def test_a_statement_that_repeats_reads_nobody(database_url: str) -> None:
    queries: list[str] = []
    async with world.prepared(database_url) as connection:
        await world.apply(connection, world.coverage(1, 1, "2022-01", "02"))
        await world.apply(connection, world.enrolment(1, 2, "2022-01", "02"))
        with connection.query_logger(lambda record: queries.append(record.query)):
            assert await world.apply(connection, world.coverage(1, 3, "2022-02", "02")) == []
            assert await world.apply(connection, world.enrolment(1, 4, "2022-02", "02")) == []
        assert not [query for query in queries if "FROM score" in query]
        changed = scored(await world.apply(connection, world.coverage(1, 5, "2022-03", "03")))
        assert changed == {}, "the state's word on dual status goes before Medicare's"
        assert (
            scored(await world.apply(connection, world.enrolment(1, 6, "2022-03", "03")))["V28", 2022].segment == "CPA"
        )


@pytest.mark.parametrize("seed", range(4))
async def test_people_who_mostly_repeat_are_scored_as_if_all_were_read_at_once(database_url: str, seed: int) -> None:
    chance = random.Random(seed)
    policy = risk_policy()
    events: list[AnyEvent] = []
    for sequence in range(1, 13):
        month = f"{2021 + sequence // 9}-{sequence:02d}"
        for number in range(8):
            odd = chance.random() < 0.08
            events.append(world.coverage(number, sequence, month, "08" if odd else "02"))
            level = "institutional" if chance.random() < 0.04 else None
            events.append(world.enrolment(number, sequence, month, chance.choice((None, None, "02")), level))
            if chance.random() < 0.1:
                events.append(
                    world.stay(number, sequence, date(2021, 1, 1), date(2021, 1 + sequence % 9, 28), version=sequence)
                )
    topics = list(world.by_topic(events).values())
    chance.shuffle(topics)
    async with world.prepared(database_url) as connection:
        for topic in topics:
            for start in range(0, len(topic), 7):
                await world.apply(connection, *topic[start : start + 7])
        people = [world.person(number) for number in range(8)]
        expected = {
            (person, one.scored.payment_year, one.sequence, one.fingerprint)
            for person, facts in (await facts_of(connection, people)).items()
            for one in revise(facts, {}, 1, policy).added
        }
        rows = await connection.fetch("SELECT person_id, payment_year, sequence, fingerprint FROM score")
        assert {tuple(row) for row in rows} == expected
