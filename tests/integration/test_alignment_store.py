"""The handler on PostgreSQL: what it writes is the pure history, whatever the order in which topics arrive."""

import json
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import asyncpg
import httpx
import pytest

from contracts.alignment import AlignmentDecided, AlignmentReported, AlignmentReportedData, ReportedSpan
from contracts.codes import HealthPlan
from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStated, MedicareCoverageStatedData
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStated, MedicaidEnrolmentStatedData
from contracts.months import add_months, first_day
from contracts.provider import ParticipantProvider, ProviderRosterStated, ProviderRosterStatedData
from contracts.topics import TOPIC_BY_TYPE, AnyEvent
from services.alignment.gateway import router
from services.alignment.history import decision_history
from services.alignment.programme import programme
from services.alignment.statements import fact_of
from services.alignment.store import row_of
from services.alignment.worker import SERVICE, handle
from services.runtime.database import read_migrations
from services.runtime.gateway import create_gateway
from services.runtime.service import Batch, Received

pytestmark = pytest.mark.broker

START = datetime(2022, 1, 5, 12, tzinfo=UTC)
MONTHS = tuple(add_months("2021-11", number) for number in range(4))
# Every table of the read model.
EMPTIED = (
    "TRUNCATE fact, decision, person, delivery, person_move, told_revision, told_restated, arrangement_month, difference, "
    "work_item, difference_closing, reported_month, told_arrangement_revision"
)


def person(number: int) -> str:
    return f"p{number:032x}"


@dataclass
class CollectingTransaction:
    """A real connection, and lists where the outbox and the dead letters would be."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    published: list[AnyEvent] = field(default_factory=list)
    rejected: list[tuple[Received, str]] = field(default_factory=list)

    def publish(self, event: AnyEvent) -> None:
        self.published.append(event)

    def reject(self, received: Received, reason: str, detail: str = "") -> None:
        self.rejected.append((received, reason + detail))


@pytest.fixture
async def connection(database_url: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    opened = await asyncpg.connect(database_url)
    for migration in read_migrations("service", SERVICE.migrations):
        await opened.execute(migration.sql)
    yield opened
    await opened.close()


def about(sequence: int, key: str) -> dict[str, object]:
    return {
        "service": "intake",
        "key": key,
        "version": str(sequence),
        "time": START + timedelta(days=sequence),
        "delivery_id": f"d{sequence:032x}",
        "sequence": sequence,
    }


def snapshot(number: int, sequence: int, month: str, plan: HealthPlan = HealthPlan.NONE) -> MedicareCoverageStated:
    span = MedicareCoverageSpan(
        first_month=month, last_month=month, entitlement_buy_in_code="C", dual_status_code="02", health_plan=plan,
        county_fips="39049", in_united_states=True,
    )  # fmt: skip
    data = MedicareCoverageStatedData(
        person_id=person(number), state="OH", source=CoverageSource.CCLF8, stated_on=first_day(month), spans=(span,),
        part_a_began=date(2015, 1, 1), part_b_began=date(2015, 1, 1),
    )  # fmt: skip
    return MedicareCoverageStated.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def enrolment(number: int, sequence: int, month: str) -> MedicaidEnrolmentStated:
    span = MedicaidEnrolmentSpan(first_month=MONTHS[0], plan_id="MCO9001", dual_status_code="02")
    data = MedicaidEnrolmentStatedData(person_id=person(number), state="OH", stated_on=first_day(month), spans=(span,))
    return MedicaidEnrolmentStated.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def report(number: int, sequence: int, month: str, last: str | None = None) -> AlignmentReported:
    span = ReportedSpan(first_month=MONTHS[0], last_month=last, removal_reason="LEFT_MCO" if last else None)
    data = AlignmentReportedData(
        person_id=person(number), state="OH", entity_id="D9001", report_month=month, stated_on=first_day(month),
        spans=(span,),
    )  # fmt: skip
    return AlignmentReported.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def roster(sequence: int, *counties: str, page: int = 1) -> ProviderRosterStated:
    providers = tuple(
        ParticipantProvider(npi="1234567890", county_fips=county, first_month="2021-01") for county in counties
    )
    data = ProviderRosterStatedData(
        entity_id="D9001", state="OH", stated_on=date(2022, 1, sequence), page=page, pages=2, providers=providers
    )
    return ProviderRosterStated.of(**about(sequence, "D9001"), data=data)  # type: ignore[arg-type]


def deliveries(people: int) -> list[list[AnyEvent]]:
    """Four months of three files each. Every third person is removed late, every fifth joins a health plan."""
    sets: list[list[AnyEvent]] = []
    for number, month in enumerate(MONTHS):
        first = 3 * number + 1
        left = [MONTHS[0] if who % 3 == 0 and number >= 2 else None for who in range(people)]
        plan = [HealthPlan.PACE if who % 5 == 0 and number >= 1 else HealthPlan.NONE for who in range(people)]
        sets.append([snapshot(who, first, month, plan[who]) for who in range(people)])
        sets.append([enrolment(who, first + 1, month) for who in range(people)])
        sets.append([report(who, first + 2, month, left[who]) for who in range(people)])
    return sets


def batch(events: Iterable[AnyEvent]) -> Batch:
    together = list(events)
    topic = TOPIC_BY_TYPE[together[0].type].name
    return Batch(topic, 0, tuple(Received(event, topic, 0, offset) for offset, event in enumerate(together)))


async def apply(connection: "asyncpg.Connection[asyncpg.Record]", *batches: Iterable[AnyEvent]) -> list[AnyEvent]:
    transaction = CollectingTransaction(connection)
    for events in batches:
        async with connection.transaction():
            await handle(batch(events), transaction)
    assert transaction.rejected == []
    return [event for event in transaction.published if isinstance(event, AlignmentDecided)]


async def stored(connection: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    rows = await connection.fetch("SELECT * FROM decision")
    return {json.dumps(list(row)) for row in rows}


def expected(events: Iterable[AnyEvent]) -> set[str]:
    facts: dict[str, list[object]] = {}
    for event in events:
        facts.setdefault(event.data.person_id, []).append(fact_of(event))  # type: ignore[arg-type]
    return {
        json.dumps(list(row_of(who, sequence, decision)))
        for who, known in facts.items()
        for (_, sequence), decision in decision_history(known, programme()).items()  # type: ignore[arg-type]
    }


async def test_the_tables_hold_the_pure_history(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    sets = deliveries(7)
    published = await apply(connection, *sets)
    assert await stored(connection) == expected(event for events in sets for event in events)
    decided = {
        (event.data.person_id, decision.month, event.deliveryseq)
        for event in published
        for decision in event.data.decisions
    }
    rows = await connection.fetch("SELECT person_id, month, sequence FROM decision")
    assert decided == {tuple(row) for row in rows}


async def test_published_decisions_say_because_of_which_delivery(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    first, *_ = await apply(connection, [snapshot(1, 3, "2021-11")])
    assert isinstance(first, AlignmentDecided)
    assert (first.subject, first.deliveryseq, first.deliveryid) == (person(1), 3, f"d{3:032x}")
    assert (first.time, first.data.revision, first.data.state) == (START + timedelta(days=3), 1, "OH")


async def test_a_repeated_event_changes_nothing(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await apply(connection, [snapshot(1, 1, "2021-11")])
    before = await stored(connection)
    assert await apply(connection, [snapshot(1, 1, "2021-11")] * 2) == []
    assert await stored(connection) == before
    assert await connection.fetchval("SELECT count(*) FROM fact") == 1


@pytest.mark.parametrize("order", ["topic after topic", "backwards", "shuffled"])
async def test_the_order_of_batches_never_matters(connection: "asyncpg.Connection[asyncpg.Record]", order: str) -> None:
    sets = deliveries(6)
    arranged = {
        "topic after topic": sets[0::3] + sets[1::3] + sets[2::3],
        "backwards": sets[::-1],
        "shuffled": random.Random(5).sample(sets, len(sets)),
    }[order]
    published = await apply(connection, *arranged)
    assert await stored(connection) == expected(event for events in sets for event in events)
    await _newest_revision_tells_the_truth(connection, published)


async def _newest_revision_tells_the_truth(
    connection: "asyncpg.Connection[asyncpg.Record]", published: list[AnyEvent]
) -> None:
    """A reader who keeps, by month and delivery, the newest revision sees what the tables say at every delivery."""
    said: dict[tuple[str, str], dict[int, tuple[bool, str]]] = {}
    revisions: dict[str, list[int]] = {}
    for event in published:
        revisions.setdefault(event.data.person_id, []).append(event.data.revision)
        for decision in event.data.decisions:
            at = said.setdefault((event.data.person_id, decision.month), {})
            at[event.deliveryseq] = (decision.aligned, decision.cohort.value)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in revisions.values())
    rows = await connection.fetch("SELECT person_id, month, sequence, aligned, cohort FROM decision ORDER BY sequence")
    for as_of in range(1, 13):
        known = {(r["person_id"], r["month"]): (r["aligned"], r["cohort"]) for r in rows if r["sequence"] <= as_of}
        heard = {
            key: by_delivery[max(at for at in by_delivery if at <= as_of)]
            for key, by_delivery in said.items()
            if min(by_delivery) <= as_of
        }
        assert {key: value for key, value in heard.items() if key in known} == known


async def test_round_trips_do_not_grow_with_people(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    trips: list[int] = []
    for people in (2, 60):
        queries: list[object] = []
        first, *rest = deliveries(people)
        await apply(connection, first)
        connection.add_query_logger(queries.append)
        await apply(connection, rest[0])
        connection.remove_query_logger(queries.append)
        trips.append(len(queries))
        await connection.execute(EMPTIED)
    assert trips[0] == trips[1] <= 16


@pytest.fixture
async def client(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> AsyncIterator[httpx.AsyncClient]:
    await apply(connection, *deliveries(6), [roster(13, "39001"), roster(13, "39003", page=2)], [roster(14, "39049")])

    async def always(_: object) -> bool:
        return True

    app = create_gateway(
        "alignment",
        [router],
        open_pool=lambda: asyncpg.create_pool(database_url, min_size=1, max_size=2),  # type: ignore[arg-type,return-value]
        advancing=always,
        checks={},
    )
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        yield http


async def test_a_timeline_as_known_then_and_now(client: httpx.AsyncClient) -> None:
    path = f"/v1/people/{person(3)}/timeline"
    now = (await client.get(path)).json()
    then = (await client.get(path, params={"as_of": 6})).json()
    assert [(m["month"], m["aligned"]) for m in then["months"]] == [("2021-11", True), ("2021-12", True)]
    assert [(m["month"], m["aligned"]) for m in now["months"]] == [
        ("2021-11", True), ("2021-12", False), ("2022-01", False), ("2022-02", False)
    ]  # fmt: skip
    december = now["months"][1]
    assert (december["change"], december["known_since"], december["performance_year"]) == ("removed", 9, "PY2021")
    assert december["reasons"] == ["REMOVED_LEFT_MCO"]
    assert [s["sequence"] for s in then["statements"]] == [1, 2, 3, 4, 5, 6]


async def test_as_of_a_date_is_the_last_delivery_received_by_then(client: httpx.AsyncClient) -> None:
    answers = [
        (await client.get(f"/v1/people/{person(3)}/timeline", params={"as_of": as_of})).json()["as_of"]
        for as_of in ("2022-01-01", "2022-01-11", "2030-01-01")
    ]
    assert answers == [0, 6, 14]


async def test_the_service_area_is_that_of_the_roster_as_known(client: httpx.AsyncClient) -> None:
    found = []
    for as_of in (12, 13, 14):
        answer = (await client.get(f"/v1/people/{person(1)}/timeline", params={"as_of": as_of})).json()
        predicates = {p["name"]: p for p in answer["months"][0]["predicates"]}
        assert len(predicates) == 9
        area = predicates["IN_SERVICE_AREA"]
        found.append((area["outcome"], area["reason"], area["evidence"]))
    assert found == [
        ("unknown", "NO_ROSTER", None),
        ("fail", "MOVED", "provider roster 2022-01-13"),
        ("pass", None, "provider roster 2022-01-14"),
    ]


async def test_a_months_whole_history(client: httpx.AsyncClient) -> None:
    past = (await client.get(f"/v1/people/{person(3)}/months/2021-12")).json()
    assert [(d["known_since"], d["aligned"], d["change"]) for d in past] == [
        (4, True, "forecast"), (6, True, "aligned"), (9, False, "removed")
    ]  # fmt: skip
    assert past[-1]["delivery_id"] == f"d{9:032x}"


async def test_roster_pages_counts_and_export(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/roster", params={"month": "2022-02", "entity": "D9001", "limit": 3})).json()
    rest = (
        await client.get("/v1/roster", params={"month": "2022-02", "limit": 3, "after": first["next_after"]})
    ).json()
    assert [p["person_id"] for p in first["people"] + rest["people"]] == [person(who) for who in (1, 2, 4, 5)]
    assert rest["next_after"] is None
    counts = (await client.get("/v1/alignment/months")).json()
    assert [(c["month"], c["aligned"], c["comparison"], c["excluded"]) for c in counts] == [
        ("2021-11", 6, 0, 0), ("2021-12", 4, 1, 1), ("2022-01", 4, 1, 1), ("2022-02", 4, 1, 1)
    ]  # fmt: skip
    people = (await client.get("/v1/alignment/persons")).json()["people"]
    assert {p["person_id"]: len(p["months"]) for p in people} == {
        person(who): 1 if who % 3 == 0 else 4 for who in range(6)
    }
    nobody = (await client.get("/v1/roster", params={"month": "2022-02", "entity": "D9002"})).json()
    assert nobody["people"] == []


async def test_policy_shows_what_is_unconfirmed(client: httpx.AsyncClient) -> None:
    said = (await client.get("/v1/policy")).json()
    assert {p["status"] for p in said["parameters"]} == {"confirmed", "unconfirmed"}
    assert all(p["source"] for p in said["parameters"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/people/{person(99)}/timeline", 404),
        (f"/v1/people/{person(1)}/months/1999-01", 404),
        ("/v1/people/1EG4TE5MK73/timeline", 422),
        (f"/v1/people/{person(1)}/timeline?as_of=yesterday", 422),
        (f"/v1/people/{person(1)}/timeline?as_of=2022-02-31", 422),
        ("/v1/roster?month=2022-13", 422),
    ],
)
async def test_what_cannot_be_answered(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
