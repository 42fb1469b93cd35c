"""Preferences, provider alignment and answered forms: kept and shown, and every decision stays as it was."""

import random
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
from test_alignment_store import about, apply, deliveries, expected, person, report, snapshot, stored

from contracts.alignment import (
    AlignmentReported,
    AlignmentReportedData,
    DesignationRecorded,
    DesignationRecordedData,
    ProviderAlignmentReported,
    ProviderAlignmentReportedData,
    ReportedSpan,
    SharingPreferenceStated,
    SharingPreferenceStatedData,
)
from contracts.topics import AnyEvent
from services.alignment.gateway import router
from services.alignment.worker import SERVICE
from services.runtime.database import Connection, read_migrations
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Connection]:
    opened = await asyncpg.connect(database_url)
    for migration in read_migrations("service", SERVICE.migrations):
        await opened.execute(migration.sql)
    yield opened
    await opened.close()


def preference(
    number: int, sequence: int, since: str | None, *, shares: bool, stated: str = "2022-01-20", state: str = "OH"
) -> SharingPreferenceStated:
    data = SharingPreferenceStatedData(
        person_id=person(number), state=state, entity_id="D9001", stated_on=date.fromisoformat(stated),
        shares_claims=shares, shares_claims_from=None if since is None else date.fromisoformat(since),
        source_code="1-800",
    )  # fmt: skip
    return SharingPreferenceStated.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def providers(number: int, sequence: int) -> ProviderAlignmentReported:
    data = ProviderAlignmentReportedData(
        person_id=person(number), state="OH", entity_id="D9001", period="2022-Q1", stated_on=date(2022, 1, 25),
        basis="claims", npis=("1999900016", "1999900024"),
    )  # fmt: skip
    return ProviderAlignmentReported.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def rejected_form(number: int, sequence: int) -> DesignationRecorded:
    data = DesignationRecordedData(
        person_id=person(number), state="OH", entity_id="D9001", channel="signed_form", signed_on=date(2021, 12, 3),
        clinician_npi="1999900016", response="rejected", rejection_reason="NOT_ON_LIST",
    )  # fmt: skip
    return DesignationRecorded.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def opted_out_report(number: int, sequence: int, month: str, *, opted_out: bool) -> AlignmentReported:
    data = AlignmentReportedData(
        person_id=person(number), state="OH", entity_id="D9001", report_month=month,
        stated_on=date.fromisoformat(f"{month}-10"), data_sharing_opt_out=opted_out, administrative_opt_out=True,
        high_needs_criteria=("FRAIL",), spans=(ReportedSpan(first_month="2021-11"),),
    )  # fmt: skip
    return AlignmentReported.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


async def timeline(url: str, number: int, **query: Any) -> dict[str, Any]:
    async def always(_: object) -> bool:
        return True

    app = create_gateway(
        "alignment",
        [router],
        open_pool=lambda: asyncpg.create_pool(url, min_size=1, max_size=2),  # type: ignore[arg-type,return-value]
        advancing=always,
        checks={},
    )
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        answer = await http.get(f"/v1/people/{person(number)}/timeline", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


EVIDENCE: list[AnyEvent] = [
    preference(1, 13, "2022-01-15", shares=False),
    preference(2, 13, "2022-01-15", shares=False, state="KY"),
    providers(1, 14),
    rejected_form(1, 15),
]


async def test_who_opts_out_stays_aligned_and_in_every_cohort(database: Connection, database_url: str) -> None:
    await apply(database, *deliveries(4))
    before = await stored(database)
    states = await database.fetch("SELECT * FROM person ORDER BY person_id")
    published = await apply(database, *[[event] for event in EVIDENCE])
    assert published == []
    assert await stored(database) == before
    assert await database.fetch("SELECT * FROM person ORDER BY person_id") == states
    shown = await timeline(database_url, 1)
    assert [(month["month"], month["aligned"], month["cohort"]) for month in shown["months"]] == [
        (month, True, "aligned") for month in ("2021-11", "2021-12", "2022-01", "2022-02")
    ]
    assert shown["sharing"] == [
        {
            "entity_id": "D9001",
            "about": "claims",
            "shares": False,
            "effective_from": "2022-01-15",
            "source": "1-800-MEDICARE",
            "stated_on": "2022-01-20",
            "known_since": 13,
        }
    ]


async def test_the_statements_behind_a_person_say_what_they_said(database: Connection, database_url: str) -> None:
    await apply(database, *deliveries(2), *[[event] for event in EVIDENCE])
    said = {s["kind"]: s["said"] for s in (await timeline(database_url, 1))["statements"] if s["sequence"] > 12}
    assert said == {
        "sharing": {"shares_claims": False, "shares_claims_from": "2022-01-15", "source_code": "1-800"},
        "provider_alignment": {"period": "2022-Q1", "basis": "claims", "npis": ["1999900016", "1999900024"]},
        "designation": {
            "channel": "signed_form",
            "clinician_npi": "1999900016",
            "response": "rejected",
            "rejection_reason": "NOT_ON_LIST",
        },
    }


async def test_sharing_is_told_as_it_was_known_then(database: Connection, database_url: str) -> None:
    await apply(
        database,
        [snapshot(1, 1, "2021-11")],
        [report(1, 2, "2021-11")],
        [preference(1, 3, "2022-01-15", shares=False)],
        [preference(1, 4, "2022-02-01", shares=True, stated="2022-02-03")],
    )
    told = [
        [(state["shares"], state["effective_from"]) for state in (await timeline(database_url, 1, as_of=at))["sharing"]]
        for at in (2, 3, 4)
    ]
    assert told == [[], [(False, "2022-01-15")], [(True, "2022-02-01")]]


async def test_the_report_tells_of_opt_outs_too(database: Connection, database_url: str) -> None:
    await apply(
        database,
        [snapshot(1, 1, "2021-11")],
        [opted_out_report(1, 2, "2021-12", opted_out=True)],
    )
    shown = await timeline(database_url, 1)
    (state,) = shown["sharing"]
    assert (state["shares"], state["effective_from"], state["source"]) == (False, "2021-12-01", "alignment report")
    assert [month["aligned"] for month in shown["months"]] == [True, True]
    assert shown["statements"][1]["said"] == {
        "data_sharing_opt_out": True,
        "administrative_opt_out": True,
        "high_needs_criteria": ["FRAIL"],
    }


@pytest.mark.parametrize("seed", range(3))
async def test_evidence_in_any_order_leaves_the_same_tables(database: Connection, seed: int) -> None:
    sets = [*deliveries(4), *[[event] for event in EVIDENCE]]
    random.Random(seed).shuffle(sets)
    await apply(database, *sets)
    assert await stored(database) == expected(event for events in sets for event in events)
    rows = await database.fetch("SELECT person_id, state FROM person ORDER BY person_id")
    assert [tuple(row) for row in rows] == [(person(who), "OH") for who in range(4)]


async def test_somebody_of_whom_only_a_preference_is_known_can_be_asked_for(
    database: Connection,
    database_url: str,
) -> None:
    for events in ([preference(9, 2, None, shares=False, state="KY")], [preference(9, 1, None, shares=True)]):
        assert await apply(database, events) == []
    shown = await timeline(database_url, 9)
    # Two on one day: the one delivered last stands, whichever was applied first.
    assert (shown["state"], shown["months"]) == ("KY", [])
    assert [(state["shares"], state["effective_from"]) for state in shown["sharing"]] == [(False, "2022-01-20")]


async def test_a_repeated_preference_is_one_fact(database: Connection) -> None:
    await apply(database, [preference(1, 1, None, shares=False)] * 2)
    await apply(database, [preference(1, 1, None, shares=False)])
    assert await database.fetchval("SELECT count(*) FROM fact") == 1
