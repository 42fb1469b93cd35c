"""Worklists and exports over the gateway, and reports: taken once, kept, told on the log, the same in a rebuild."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import care_world as care
import httpx
import pytest
import risk_world as world

from contracts.care import CareActionClosed, CareActionProposed, CareActionReported
from contracts.topics import CARE_REPORTS
from services.risk.gateway import router
from services.runtime.access.principal import OPERATIONS, Principal
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker
START = date(2022, 10, 5)


@asynccontextmanager
async def asking(url: str, client_id: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """``client_id``: whose token has been found to hold, as where the gateway is protected."""

    async def open_pool() -> Any:
        return await asyncpg.create_pool(url, min_size=1, max_size=2, server_settings={"search_path": "risk"})

    async def yes(_: Any) -> bool:
        return True

    app = create_gateway("risk", [router], open_pool=open_pool, advancing=yes, checks={})

    async def entered(scope: Any, receive: Any, send: Any) -> None:
        if client_id is not None:
            scope["state"] = {"principal": Principal(client_id, None, frozenset({OPERATIONS}), 2**40)}
        await app(scope, receive, send)

    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=entered)
        async with httpx.AsyncClient(transport=transport, base_url="http://risk") as client:
            yield client


async def populated(connection: Any) -> None:
    """Two people in need; the second has diabetes. One cut, the second delivery."""
    for number in (1, 2):
        await world.apply(connection, world.coverage(number, 1, "2021-06", "02"))
        await world.apply(connection, care.aligned(number, 1, "2022-01", 24))
    claims = [care.service(f"d{day}", date(2022, 7, day), "99213", diagnoses=("E119",)) for day in (1, 9)]
    await world.apply(connection, world.medicare(2, 2, *claims))
    await _cut(connection, 2, START)


async def _cut(connection: Any, sequence: int, day: date) -> None:
    await care.cut(connection, sequence, day)
    await connection.execute(
        "INSERT INTO runtime_cut VALUES ($1, $2, $3)",
        sequence,
        world.delivery_id(sequence),
        datetime(day.year, day.month, day.day, tzinfo=UTC),
    )


async def test_worklists_are_filtered_and_paged(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        everything = (await client.get("/v1/actions?limit=1000")).json()["actions"]
        assert [one["due_on"] for one in everything] == sorted(one["due_on"] for one in everything)
        aides = (await client.get("/v1/actions?owner=aide&county=39001")).json()["actions"]
        assert {one["kind"] for one in aides} == {"flu_vaccine", "wellness_visit", "nutrition_meals"}
        paged: list[str] = []
        after = ""
        while True:
            page = (await client.get("/v1/actions", params={"limit": 2, "after": after})).json()
            paged += [one["action_id"] for one in page["actions"]]
            after = page["next"]
            if after is None:
                break
        assert paged == [one["action_id"] for one in everything]
        assert (await client.get("/v1/actions?county=39099")).json()["actions"] == []
        assert (await client.get("/v1/actions?as_of=1")).json()["actions"] == []
        for wrong in ("kind=yoga", "tier=5", "county=Ohio", "after=2022-13-45:a" + "0" * 32, "limit=0"):
            answer = await client.get(f"/v1/actions?{wrong}")
            assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), wrong


async def test_exports_say_what_the_worklist_says(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        actions = (await client.get("/v1/actions?kind=diabetes_eye_exam")).json()["actions"]
        table = await client.get("/v1/actions.csv?kind=diabetes_eye_exam")
        (row,) = csv.DictReader(io.StringIO(table.text))
        assert (row["action_id"], row["due_on"]) == (actions[0]["action_id"], actions[0]["due_on"])
        assert row["evidence"] == "diabetes, E119 2022-07-01 (claim d1);diabetes, E119 2022-07-09 (claim d9)"
        bundle = (await client.get("/v1/actions.fhir?kind=diabetes_eye_exam")).json()
        (entry,) = bundle["entry"]
        task = entry["resource"]
        assert (task["resourceType"], task["status"], task["intent"]) == ("Task", "requested", "proposal")
        assert task["for"]["identifier"]["value"] == world.person(2)
        assert task["restriction"]["period"]["end"] == actions[0]["due_on"]
        paged = await client.get("/v1/actions.csv?limit=1")
        assert paged.headers["x-next"].endswith(next(csv.DictReader(io.StringIO(paged.text)))["action_id"])


async def test_a_report_is_kept_once_told_on_the_log_and_the_same_when_it_comes_back(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        action = (await client.get(f"/v1/actions?kind=flu_vaccine&person={world.person(1)}")).json()["actions"][0]
        address = f"/v1/actions/{action['action_id']}/reports"
        done = {"verdict": "done", "done_on": "2022-10-20", "reported_by": "aide.7"}
        first = await client.post(address, json=done)
        assert (first.status_code, first.json()["status"], first.json()["done_on"]) == (201, "done", "2022-10-20")
        assert first.json()["closed_because"] == "Reported by aide.7"
        assert (await client.post(address, json=done)).status_code == 201
        dismissed = {"verdict": "dismissed", "dismissal_reason": "declined", "reported_by": "aide.7"}
        assert (await client.post(address, json=dismissed)).status_code == 409
        assert (await client.post(address, json={"verdict": "reopened", "reported_by": "boss"})).json()[
            "status"
        ] == "open"
        assert (await client.post(address, json=dismissed)).json()["status"] == "dismissed"
        # Known from the next delivery on: as of the cut that was made, nothing has changed.
        assert (await client.get(f"/v1/actions/{action['action_id']}?as_of=2")).json()["status"] == "open"
        detail = (await client.get(f"/v1/actions/{action['action_id']}?as_of=3")).json()
        assert [one["verdict"] for one in detail["reports"]] == ["done", "reopened", "dismissed"]
        payloads = await connection.fetch("SELECT topic, payload FROM runtime_outbox ORDER BY id")
        assert {row["topic"] for row in payloads} == {CARE_REPORTS.name}
        kept = await world.table(connection, "care_report")
        events = [CareActionReported.model_validate_json(row["payload"]) for row in payloads]
        await world.apply(connection, *events)
        assert await world.table(connection, "care_report") == kept
        await connection.execute("TRUNCATE care_report")
        await world.apply(connection, *events)
        assert await world.table(connection, "care_report") == kept
        assert not await connection.fetch("SELECT FROM known_delivery WHERE sequence = 3")


async def test_what_cannot_be_said_is_refused_and_nothing_is_kept(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        action = (await client.get("/v1/actions?kind=flu_vaccine")).json()["actions"][0]
        address = f"/v1/actions/{action['action_id']}/reports"
        cases: list[tuple[str, dict[str, Any], int]] = [
            (address, {"verdict": "done", "reported_by": "aide"}, 422),
            (address, {"verdict": "done", "done_on": "2199-01-01", "reported_by": "aide"}, 422),
            (address, {"verdict": "dismissed", "dismissal_reason": "did not like it", "reported_by": "aide"}, 422),
            (address, {"verdict": "reopened", "reported_by": "aide"}, 409),
            (address, {"verdict": "done", "done_on": "2022-10-20", "reported_by": "Mary Smith"}, 422),
            (address, {"verdict": "done", "done_on": "2022-10-20", "reported_by": "1eg4te5mk73"}, 422),
            (address, {"verdict": "done", "done_on": "2022-10-20", "reported_by": "aide", "note": "Mary"}, 422),
            ("/v1/actions/a" + "0" * 32 + "/reports", {"verdict": "reopened", "reported_by": "aide"}, 404),
        ]
        for where, body, status in cases:
            answer = await client.post(where, json=body)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), body
            assert "Mary" not in answer.text
        assert await world.table(connection, "care_report") == await world.table(connection, "runtime_outbox") == []


async def test_with_a_token_a_report_is_its_clients_and_nobody_elses(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url, "care-system") as client:
        await populated(connection)
        action = (await client.get("/v1/actions?kind=flu_vaccine")).json()["actions"][0]
        address = f"/v1/actions/{action['action_id']}/reports"
        told = {"verdict": "done", "done_on": "2022-10-20"}
        answer = await client.post(address, json=told | {"reported_by": "aide.7"})
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert await world.table(connection, "care_report") == []
        answer = await client.post(address, json=told)
        assert (answer.status_code, answer.json()["closed_because"]) == (201, "Reported by care-system")
        async with asking(database_url) as anybody:
            assert (await anybody.post(address, json={"verdict": "reopened"})).status_code == 422


async def _status(client: httpx.AsyncClient, number: int, kind: str, as_of: int) -> list[str]:
    asked = {"kind": kind, "status": "any", "person": world.person(number), "as_of": as_of}
    return [one["status"] for one in (await client.get("/v1/actions", params=asked)).json()["actions"]]


async def test_reports_follow_whoever_turns_out_to_be_somebody_else_and_come_back(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        for kind in ("flu_vaccine", "nutrition_meals"):
            asked = f"/v1/actions?kind={kind}&person={world.person(2)}"
            action = (await client.get(asked)).json()["actions"][0]
            told = {"verdict": "dismissed", "dismissal_reason": "declined", "reported_by": "aide.7"}
            await client.post(f"/v1/actions/{action['action_id']}/reports", json=told)
        await _cut(connection, 3, START)
        await world.apply(connection, care.merged(2, into=1, sequence=4))
        await care.settle(connection, 4)
        published = await care.cut(connection, 4, START)
        # Of one kind both had an action; the other is only now called for. Neither is asked of again.
        proposed = {one.data.action for one in published if isinstance(one, CareActionProposed)}
        assert "diabetes_eye_exam" in proposed
        assert "nutrition_meals" not in proposed
        for kind, before in (("flu_vaccine", ["open"]), ("nutrition_meals", [])):
            assert [await _status(client, 1, kind, known) for known in (3, 4)] == [before, ["dismissed"]]
            assert await _status(client, 2, kind, 4) == ["dismissed"]
        asked = f"/v1/actions?kind=flu_vaccine&status=any&person={world.person(1)}"
        (one,) = (await client.get(asked)).json()["actions"]
        address = f"/v1/actions/{one['action_id']}"
        assert [said["reported_by"] for said in (await client.get(address)).json()["reports"]] == ["aide.7"]
        # What is said now is said of the action that there is now.
        await connection.execute("INSERT INTO runtime_cut VALUES (4, $1, $2)", world.delivery_id(4), world.TIME)
        again = await client.post(f"{address}/reports", json={"verdict": "reopened", "reported_by": "aide.8"})
        assert (again.status_code, again.json()["status"]) == (201, "open")
        assert await _status(client, 2, "flu_vaccine", 5) == ["dismissed"]
        await world.apply(connection, care.split(1, other=2, sequence=6))
        await care.settle(connection, 6)
        assert [said["reported_by"] for said in (await client.get(address)).json()["reports"]] == ["aide.8"]
        assert await _status(client, 1, "nutrition_meals", 6) == ["open"]


async def test_a_claim_stands_before_a_report_and_a_report_before_a_lapse(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        ids = {
            one["kind"]: one["action_id"]
            for one in (await client.get(f"/v1/actions?person={world.person(1)}")).json()["actions"]
        }
        for kind in ("flu_vaccine", "wellness_visit"):
            told = {"verdict": "dismissed", "dismissal_reason": "declined", "reported_by": "aide.7"}
            assert (await client.post(f"/v1/actions/{ids[kind]}/reports", json=told)).status_code == 201
        await world.apply(connection, world.medicare(1, 3, care.service("f", date(2022, 10, 9), "G0008")))
        published = await care.cut(connection, 3, date(2023, 9, 1))
        ended = [one.data for one in published if isinstance(one, CareActionClosed)]
        outcomes = {one.action: one.outcome for one in ended if one.person_id == world.person(1)}
        # The wellness visit lapsed too, but everybody was told of its end already.
        assert outcomes["flu_vaccine"] == "done"
        assert "wellness_visit" not in outcomes
        vaccine = (await client.get(f"/v1/actions/{ids['flu_vaccine']}")).json()
        assert (vaccine["status"], vaccine["done_on"]) == ("done", "2022-10-09")
        assert vaccine["closing_evidence"][0]["record_id"] == "f"
        assert (await client.get(f"/v1/actions/{ids['wellness_visit']}")).json()["status"] == "dismissed"
        answer = await client.post(
            f"/v1/actions/{ids['flu_vaccine']}/reports", json={"verdict": "reopened", "reported_by": "aide.7"}
        )
        assert answer.status_code == 409


async def test_outcomes_are_counted_by_kind_county_and_tier(database_url: str) -> None:
    async with world.prepared(database_url) as connection, asking(database_url) as client:
        await populated(connection)
        early = care.service("f1", date(2022, 9, 9), "G0008")
        in_time = care.service("e1", date(2022, 10, 25), "92014")
        await world.apply(connection, world.medicare(2, 3, early, in_time))
        await _cut(connection, 3, date(2022, 11, 20))
        period = "first_day=2022-01-01&last_day=2022-12-31"
        by_kind = (await client.get(f"/v1/action-outcomes?{period}")).json()["groups"]
        kinds = {one["group"]: one for one in by_kind}
        assert (kinds["flu_vaccine"]["raised"], kinds["flu_vaccine"]["done_before"], kinds["flu_vaccine"]["open"]) == (
            2,
            1,
            1,
        )
        assert kinds["flu_vaccine"]["raised_per_1000"] == 1000.0
        assert (kinds["diabetes_eye_exam"]["done"], kinds["diabetes_eye_exam"]["median_days"]) == (1, 20.0)
        assert kinds["diabetes_eye_exam"]["done_per_1000"] == 500.0
        (county,) = (await client.get(f"/v1/action-outcomes?{period}&by=county")).json()["groups"]
        assert (county["group"], county["aligned_people"]) == ("39001", 2)
        assert county["raised"] == sum(one["raised"] for one in by_kind)
        tiers = (await client.get(f"/v1/action-outcomes?{period}&by=tier")).json()["groups"]
        assert {one["group"] for one in tiers} <= {"1", "2", "3", "4", None}
        assert sum(one["raised"] for one in tiers) == county["raised"]


async def test_the_policy_is_shown_with_source_and_status(database_url: str) -> None:
    async with world.prepared(database_url), asking(database_url) as client:
        shown = (await client.get("/v1/care-policy")).json()
        assert shown["flu_season_opens"]["value"] == "09-01"
        assert json.dumps(shown).count('"status"') == len(shown)
