"""Arrangements, the reconciliation queue and work items over HTTP, as known then and now, and closing a difference."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import httpx
import pytest
from test_alignment_identity import merge, settled
from test_alignment_store import (
    CollectingTransaction,
    about,
    apply,
    batch,
    connection,
    person,
)

from contracts.alignment import (
    AlignmentReported,
    AlignmentReportedData,
    ReportedSpan,
    SharingPreferenceStated,
    SharingPreferenceStatedData,
)
from contracts.codes import HealthPlan
from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStated, MedicareCoverageStatedData
from contracts.decoding import decode
from contracts.medicaid import (
    EnrolmentSource,
    MedicaidEnrolmentSpan,
    MedicaidEnrolmentStated,
    MedicaidEnrolmentStatedData,
)
from contracts.reconciliation import DifferenceClosed, DifferenceClosedData, ReconciliationDiffered
from contracts.topics import AnyEvent
from services.alignment.gateway import router
from services.alignment.worker import handle
from services.runtime.database import Connection, read_migrations
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker
__all__ = ["connection"]

# Who is who: of each one thing is true.
ALIGNED, HEALTH_HOME, PACE, LOST_PART_B, ELIGIBLE, OPTED_OUT, NOT_NAMED, BUY_IN, LAPSING = range(1, 10)
EVERYBODY = range(1, 10)


def snapshot(who: int, sequence: int, month: str, code: str = "C") -> MedicareCoverageStated:
    span = MedicareCoverageSpan(
        first_month=month, last_month=month, entitlement_buy_in_code=code, county_fips="39001" if who % 2 else "39003",
        in_united_states=True, dual_status_code="02",
    )  # type: ignore[arg-type] # fmt: skip
    data = MedicareCoverageStatedData(
        person_id=person(who), state="OH", source=CoverageSource.CCLF8, stated_on=date.fromisoformat(f"{month}-05"),
        birth_date=date(1950, 1, 1), part_a_began=date(2015, 1, 1), part_b_began=date(2015, 1, 1), spans=(span,),
    )  # fmt: skip
    return MedicareCoverageStated.of(**about(sequence, person(who)), data=data)  # type: ignore[arg-type]


def medicaid(who: int, sequence: int, month: str, **said: Any) -> MedicaidEnrolmentStated:
    values = {"first_month": month, "last_month": month, "plan_id": "MCO9001", "dual_status_code": "02"} | said
    spans: tuple[MedicaidEnrolmentSpan, ...] = (MedicaidEnrolmentSpan(**{"health_plan": HealthPlan.NONE, **values}),)
    if who == HEALTH_HOME:
        spans += (MedicaidEnrolmentSpan(**{**values, "plan_id": "HH01", "plan_type_code": "70"}),)
    data = MedicaidEnrolmentStatedData(
        person_id=person(who), state="OH", source=EnrolmentSource.TMSIS, stated_on=date.fromisoformat(f"{month}-08"),
        spans=spans,
    )  # fmt: skip
    return MedicaidEnrolmentStated.of(**about(sequence, person(who)), data=data)  # type: ignore[arg-type]


def told(who: int, sequence: int, month: str) -> MedicaidEnrolmentStated:
    said: dict[int, dict[str, Any]] = {
        PACE: {"plan_id": "P1", "plan_type_code": "17", "health_plan": HealthPlan.PACE},
        OPTED_OUT: {"enrolment_basis": "opted_out"},
        LAPSING: {"last_month": "2022-03"},
    }
    return medicaid(who, sequence, month, **said.get(who, {}))


def report(who: int, sequence: int, month: str) -> AlignmentReported:
    data = AlignmentReportedData(
        person_id=person(who), state="OH", entity_id="D9001", report_month=month, spans=(ReportedSpan(first_month="2022-01"),),
        stated_on=date.fromisoformat(f"{month}-10"),
    )  # fmt: skip
    return AlignmentReported.of(**about(sequence, person(who)), data=data)  # type: ignore[arg-type]


def preference(who: int, sequence: int) -> SharingPreferenceStated:
    data = SharingPreferenceStatedData(
        person_id=person(who), state="OH", entity_id="D9001", stated_on=date(2022, 2, 20), shares_claims=False
    )
    return SharingPreferenceStated.of(**about(sequence, person(who)), data=data)  # type: ignore[arg-type]


ALIGNED_PEOPLE = (ALIGNED, HEALTH_HOME, LOST_PART_B, NOT_NAMED)


def world() -> list[list[AnyEvent]]:
    """Two months of three files, and a preference. In February the report no longer names one person."""
    sets: list[list[AnyEvent]] = []
    for number, month in enumerate(("2022-01", "2022-02")):
        first = 3 * number + 1
        codes = {BUY_IN: "B", LOST_PART_B: "C" if number == 0 else "1"}
        named = [who for who in ALIGNED_PEOPLE if who != NOT_NAMED or number == 0]
        sets.append([snapshot(who, first, month, codes.get(who, "C")) for who in EVERYBODY])
        sets.append([told(who, first + 1, month) for who in EVERYBODY])
        sets.append([report(who, first + 2, month) for who in named])
    return [*sets, [preference(LOST_PART_B, 7)]]


@pytest.fixture
async def client(connection: Connection, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    for migration in read_migrations("runtime", Path("services/runtime/migrations")):
        await connection.execute(migration.sql)
    await apply(connection, *world())

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


async def asked(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"/v1{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def differences(client: httpx.AsyncClient, **parameters: Any) -> list[tuple[str, str, str]]:
    found = (await asked(client, "/reconciliation", **parameters))["differences"]
    return [(one["person_id"], one["month"], one["outcome"]) for one in found]


async def test_a_persons_months_as_known_then_and_now(client: httpx.AsyncClient) -> None:
    path = f"/people/{person(HEALTH_HOME)}/arrangements"
    then = await asked(client, path, as_of=2)
    assert [(one["month"], one["members"]) for one in then["months"]] == [("2022-01", ["health_home"])]
    now = await asked(client, path)
    assert [(one["month"], one["members"]) for one in now["months"]] == [
        (month, ["health_home", "mco_based_dce"]) for month in ("2022-01", "2022-02")
    ]


async def test_why_a_month_is_as_it_is(client: httpx.AsyncClient) -> None:
    why = await asked(client, f"/people/{person(PACE)}/arrangements/2022-02")
    programmes = {one["pack"]: one for one in why["programmes"]}
    assert (programmes["pace"]["standing"], programmes["pace"]["member_since"]) == ("member", "2022-01")
    assert programmes["pace"]["evidence"] == "T-MSIS 2022-02-08"
    entity = {one["name"]: one for one in programmes["mco_based_dce"]["conditions"]}
    assert programmes["mco_based_dce"]["standing"] is None
    assert (entity["NOT_IN_MA"]["outcome"], entity["NOT_IN_MA"]["reason"]) == ("fail", "ENROLLED_PACE")
    missing = await client.get(f"/v1/people/{person(PACE)}/arrangements/2019-01")
    assert missing.status_code == 404


async def test_shares_and_rates_by_county(client: httpx.AsyncClient) -> None:
    found = (await asked(client, "/arrangements/shares", first_month="2022-02"))["shares"]
    shares = {one["arrangement"]: one for one in found}
    assert {name: one["members"] for name, one in shares.items() if one["members"]} == {
        "mco_based_dce": 4, "health_home": 1, "pace": 1, "none": 4,
    }  # fmt: skip
    # Everybody but the member of PACE could be in the demonstration, and one has chosen not to.
    demonstration = shares["medicare_medicaid_plan"]
    assert (demonstration["eligible"], demonstration["opted_out"], demonstration["opt_out"]) == (7, 1, 0.125)
    # Who has lost Part B is still reported, and who is not named is still forecast.
    assert shares["mco_based_dce"]["members_before"] == 4
    assert shares["health_home"]["participation"] is None
    by_county = (await asked(client, "/arrangements/shares", first_month="2022-02", by_county=True))["shares"]
    assert {(one["arrangement"], one["county_fips"]): one["members"] for one in by_county if one["members"]}[
        "pace", "39001"
    ] == 1


async def test_the_roster_and_members_as_files(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/v1/roster", params={"month": "2022-02", "format": "csv", "limit": 2})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["person_id"] for row in rows] == [person(ALIGNED), person(HEALTH_HOME)]
    assert answer.headers["tandem-next-after"] == person(HEALTH_HOME)
    parquet = await client.get("/v1/roster", params={"month": "2022-02", "format": "parquet"})
    (tmp_path / "roster.parquet").write_bytes(parquet.content)
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/roster.parquet'").fetchall() == [(4,)]
    pace = await client.get(
        "/v1/arrangements/members", params={"month": "2022-02", "arrangement": "pace", "format": "csv"}
    )
    assert [row["standing"] for row in csv.DictReader(io.StringIO(pace.text))] == ["member"]


async def test_work_items(client: httpx.AsyncClient) -> None:
    found = (await asked(client, "/work-items"))["items"]
    assert [(one["person_id"], one["kind"], one["month"]) for one in found] == [
        (person(BUY_IN), "part_a_buy_in", "2022-02"), (person(LAPSING), "dual_lapse", "2022-03"),
    ]  # fmt: skip
    assert (await asked(client, "/work-items", as_of=1))["items"][0]["month"] == "2022-01"
    page = await asked(client, "/work-items", limit=1)
    assert [one["kind"] for one in (await asked(client, "/work-items", after=page["next_after"]))["items"]] == [
        "dual_lapse"
    ]


async def test_the_queue_shows_both_sides_their_age_and_who_shares_no_claims(client: httpx.AsyncClient) -> None:
    both = (await asked(client, "/reconciliation"))["differences"]
    assert [(one["person_id"], one["outcome"], one["their_reason"]) for one in both] == [
        (person(LOST_PART_B), "only_theirs", None), (person(NOT_NAMED), "only_ours", "NOT_NAMED"),
    ]  # fmt: skip
    lost = both[0]
    assert lost["their_evidence"] == ["alignment report 2022-02-10"]
    assert (lost["our_reasons"], lost["our_evidence"]) == (["LOST_PART_B"], ["CCLF8 2022-02-05"])
    assert (lost["forecast"], lost["differs_since"], lost["age_days"]) == ("not_aligned", 6, 1)
    assert [one["claims_not_shared"] for one in both] == [True, False]
    assert await differences(client, as_of=5) == []
    assert await differences(client, outcome="only_ours") == [(person(NOT_NAMED), "2022-02", "only_ours")]
    counts = await asked(client, "/reconciliation/months")
    assert [(one["month"], one["agreed"], one["only_theirs"], one["only_ours"]) for one in counts] == [
        ("2022-01", 4, 0, 0), ("2022-02", 2, 1, 1),
    ]  # fmt: skip


CLOSING = {
    "person_id": person(LOST_PART_B), "entity_id": "D9001", "month": "2022-02", "outcome": "only_theirs",
    "resolution": "disputed", "actor": "j.doe", "note": "Sent with the April file.",
}  # fmt: skip


async def queued(connection: Connection) -> list[AnyEvent]:
    rows = await connection.fetch("SELECT topic, payload FROM runtime_outbox ORDER BY id")
    return [decode(row["topic"], row["payload"]) for row in rows]


async def test_a_difference_is_closed_by_way_of_the_log_and_opens_again_when_it_changes(
    client: httpx.AsyncClient, connection: Connection
) -> None:
    answer = await client.post("/v1/reconciliation/closings", json=CLOSING)
    assert answer.status_code == 202, answer.text
    # It is on its way, and nothing else has changed.
    assert len(await differences(client)) == 2
    (event,) = await queued(connection)
    assert isinstance(event, DifferenceClosed)
    await apply(connection, [event], [event])
    assert await differences(client) == [(person(NOT_NAMED), "2022-02", "only_ours")]
    (closed,) = (await asked(client, "/reconciliation", status="closed"))["differences"]
    assert (closed["resolution"], closed["closed_by"], closed["note"]) == (
        "disputed",
        "j.doe",
        "Sent with the April file.",
    )
    (past,) = await asked(client, f"/reconciliation/people/{person(LOST_PART_B)}/months/2022-02")
    assert past["actor"] == "j.doe"
    # Another predicate fails too: not what was looked at.
    await apply(connection, [medicaid(LOST_PART_B, 8, "2022-02", dual_status_code="01")])
    assert (person(LOST_PART_B), "2022-02", "only_theirs") in await differences(client)
    assert len(await differences(client, as_of=7)) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"outcome": "only_ours"}, 409),
        ({"month": "2022-01"}, 404),
        ({"person_id": person(ALIGNED)}, 404),
        ({"note": ""}, 422),
        ({"note": "1EG4-TE5-MK73"}, 422),
        ({"resolution": "ignored"}, 422),
        ({"more": 1}, 422),
    ],
)
async def test_what_cannot_be_closed(
    client: httpx.AsyncClient, connection: Connection, change: dict[str, Any], status: int
) -> None:
    answer = await client.post("/v1/reconciliation/closings", json=CLOSING | change)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert await queued(connection) == []


async def test_a_closing_goes_with_its_person(client: httpx.AsyncClient, connection: Connection) -> None:
    retired_closing = DifferenceClosed.of(
        **about(6, person(2)),  # type: ignore[arg-type]
        data=DifferenceClosedData(state="OH", **CLOSING | {"person_id": person(2)}),  # type: ignore[arg-type]
    )
    await apply(connection, [retired_closing], [merge(8)])
    await settled(connection, 8)
    path = "/reconciliation/people/{}/months/2022-02"
    assert [one["actor"] for one in await asked(client, path.format(person(1)))] == ["j.doe"]
    assert await asked(client, path.format(person(2))) == []


async def test_differences_are_told_and_what_came_late_replaces_what_was_told(connection: Connection) -> None:
    transaction = CollectingTransaction(connection)
    sets = world()
    # February's coverage comes behind the report that it contradicts.
    for events in (*sets[:3], sets[4], sets[5], sets[3]):
        async with connection.transaction():
            await handle(batch(events), transaction)
    differed = [event for event in transaction.published if isinstance(event, ReconciliationDiffered)]
    (only,) = [event for event in differed if event.data.months]
    assert (only.data.person_id, only.data.known_from) == (person(LOST_PART_B), 4)
    (month,) = only.data.months
    assert (month.month, month.known_since, month.outcome, month.ours.reasons) == (
        "2022-02",
        6,
        "only_theirs",
        ("LOST_PART_B",),
    )


async def test_every_pack_is_shown_with_its_sources(client: httpx.AsyncClient) -> None:
    policy = await asked(client, "/arrangements/policy")
    assert {one["arrangement"] for one in policy["packs"]} >= {"pace", "health_home", "medicare_medicaid_plan"}
    assert all(value["source"] for pack in policy["packs"] for value in pack["parameters"])
    assert all(group["why"] for group in policy["exclusive_groups"])
