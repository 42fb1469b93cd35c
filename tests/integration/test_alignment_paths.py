"""What we compute beside what CMS says, on PostgreSQL and through the gateway, as known at every delivery."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
from test_alignment_identity import cut
from test_alignment_store import (
    CollectingTransaction,
    about,
    apply,
    batch,
    connection,
    enrolment,
    person,
    report,
    snapshot,
)

from contracts.alignment import DesignationRecorded, DesignationRecordedData
from contracts.claims import (
    Adjustment,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.codes import HealthPlan
from contracts.identities import PeopleMerged, PeopleMergedData
from contracts.provider import ParticipantProvider, ProviderRosterStated, ProviderRosterStatedData
from contracts.topics import AnyEvent
from services.alignment.gateway import router
from services.alignment.worker import handle, settle
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker
__all__ = ["connection"]

OURS, THEIRS = "1999900016", "1999900024"
LISTED = ProviderRosterStatedData(
    entity_id="D9001", state="OH", stated_on=date(2021, 10, 1), service_area_counties=("39049",),
    providers=(ParticipantProvider(npi=OURS, county_fips="39049", first_month="2021-01"),),
)  # fmt: skip


def roster(sequence: int, data: ProviderRosterStatedData = LISTED) -> ProviderRosterStated:
    return ProviderRosterStated.of(**about(sequence, "D9001"), data=data)  # type: ignore[arg-type]


def claim(record: str, npi: str, on: str, dollars: int, **more: Any) -> MedicareClaim:
    values: dict[str, Any] = {"version": 1, "adjustment": Adjustment.ORIGINAL, "denied": False} | more
    day = date.fromisoformat(on)
    line = MedicareClaimLine(
        line_number=1, service_from=day, service_through=day, procedure_code="99213", place_of_service_code="11",
        provider_specialty_code="11", rendering_npi=npi, allowed_cents=dollars * 100, paid_cents=dollars * 80,
    )  # fmt: skip
    return MedicareClaim(
        record_id=record, claim_type_code="71", service_from=day, service_through=day, paid_cents=0, lines=(line,),
        **values,
    )  # fmt: skip


def claims(number: int, sequence: int, *said: MedicareClaim) -> MedicareClaimsDelivered:
    data = MedicareClaimsDeliveredData(person_id=person(number), state="OH", claims=said)
    return MedicareClaimsDelivered.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


def form(number: int, sequence: int, npi: str, on: str = "2021-11-03") -> DesignationRecorded:
    data = DesignationRecordedData(
        person_id=person(number), state="OH", entity_id="D9001", channel="signed_form",
        signed_on=date.fromisoformat(on), clinician_npi=npi,
    )  # fmt: skip
    return DesignationRecorded.of(**about(sequence, person(number)), data=data)  # type: ignore[arg-type]


@asynccontextmanager
async def gateway(url: str) -> AsyncIterator[httpx.AsyncClient]:
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
        yield http


async def asked(http: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await http.get(f"/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


# Delivery by delivery: what of a person's claims comes to be known, and who has them by claims then.
TOLD: list[tuple[list[AnyEvent], tuple[str, str | None]]] = [
    ([roster(1)], ("unknown", "NO_CLAIMS_SEEN")),
    ([snapshot(1, 2, "2022-01")], ("unknown", "NO_CLAIMS_SEEN")),
    ([enrolment(1, 3, "2022-01")], ("unknown", "NO_CLAIMS_SEEN")),
    ([claims(1, 4, claim("A", OURS, "2020-08-01", 100))], ("pass", None)),
    ([claims(1, 5, claim("B", THEIRS, "2020-09-01", 120))], ("fail", "OTHER_PRACTICE")),
    # The same again says nothing new.
    ([claims(1, 6, claim("B", THEIRS, "2020-09-01", 120))], ("fail", "OTHER_PRACTICE")),
    ([claims(1, 7, claim("C", THEIRS, "2020-09-01", 120, adjustment=Adjustment.CANCELLATION))], ("pass", None)),
    # A newer version of the cancelled claim's original, and one of ours that was denied.
    ([claims(1, 8, claim("D", THEIRS, "2020-10-01", 50))], ("pass", None)),
    ([claims(1, 9, claim("D", THEIRS, "2020-10-01", 150, version=2))], ("fail", "OTHER_PRACTICE")),
    ([claims(1, 10, claim("D", THEIRS, "2020-10-01", 50))], ("fail", "OTHER_PRACTICE")),
    ([claims(1, 11, claim("D", THEIRS, "2020-10-01", 150, version=3, denied=True))], ("pass", None)),
]


async def by_claims(http: httpx.AsyncClient, number: int, as_of: int) -> tuple[str, str | None]:
    found = await asked(http, f"/people/{person(number)}/paths", month="2022-01", as_of=as_of)
    return found["claims"]["outcome"], found["claims"]["reason"]


@pytest.mark.parametrize("order", ["as they came", "claims first"])
async def test_who_has_a_person_by_claims_as_known_at_every_delivery(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str, order: str
) -> None:
    batches = [events for events, _ in TOLD]
    arranged = batches if order == "as they came" else batches[3:] + batches[:3]
    async with gateway(database_url) as http:
        await apply(connection, *arranged)
        found = {as_of: await by_claims(http, 1, as_of) for as_of in range(2, len(TOLD) + 1)}
        assert found == {as_of: expected for as_of, (_, expected) in enumerate(TOLD, start=1) if as_of > 1}


async def test_an_answer_as_of_a_delivery_never_changes(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    given: dict[int, Any] = {}
    async with gateway(database_url) as http:
        for sequence, (events, _) in enumerate(TOLD, start=1):
            await apply(connection, events)
            if sequence > 1:
                given[sequence] = await asked(http, f"/people/{person(1)}/paths", month="2022-01", as_of=sequence)
        for sequence, answer in given.items():
            assert await asked(http, f"/people/{person(1)}/paths", month="2022-01", as_of=sequence) == answer


async def test_visits_go_with_whom_they_are_about(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    merged = PeopleMergedData(retired=person(2), kept=person(1))
    await apply(
        connection,
        [roster(1)],
        [snapshot(1, 2, "2022-01"), snapshot(2, 2, "2022-01")],
        [claims(2, 3, claim("A", OURS, "2020-08-01", 100)), claims(1, 3, claim("B", THEIRS, "2020-08-01", 60))],
        [PeopleMerged.of(**about(4, person(1)), data=merged)],  # type: ignore[arg-type]
    )
    async with connection.transaction():
        await settle(cut(4), CollectingTransaction(connection))
    async with gateway(database_url) as http:
        assert [await by_claims(http, 1, as_of) for as_of in (3, 4)] == [("fail", "OTHER_PRACTICE"), ("pass", None)]
        assert await by_claims(http, 2, 3) == ("pass", None)
        lines = (await asked(http, f"/people/{person(2)}/months/2022-01/explanation"))["lines"]
        assert lines[1] == f"This turned out to be {person(1)}: ask about them."


async def test_a_list_makes_participants_from_its_delivery_on(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    gone = LISTED.model_copy(update={"stated_on": date(2021, 12, 1), "providers": ()})
    await apply(
        connection,
        [snapshot(1, 1, "2022-01")],
        [claims(1, 2, claim("A", OURS, "2020-08-01", 100))],
        [roster(3)],
        [form(1, 4, OURS)],
        [roster(5, gone)],
    )
    async with gateway(database_url) as http:
        assert [await by_claims(http, 1, as_of) for as_of in (2, 3, 5)] == [
            ("fail", "OTHER_PRACTICE"), ("pass", None), ("fail", "OTHER_PRACTICE"),
        ]  # fmt: skip
        said = [
            (await asked(http, f"/people/{person(1)}/paths", month="2022-01", as_of=as_of))["voluntary"]
            for as_of in (3, 4, 5)
        ]
        assert [(one["outcome"], one["reason"]) for one in said] == [
            ("fail", "NO_DESIGNATION"), ("pass", None), ("fail", "CLINICIAN_NOT_ON_ROSTER"),
        ]  # fmt: skip


async def outlook(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Three people of 2022: the first stays, the second leaves the plan, the third was never ours and signs a form."""
    people = (1, 2, 3)
    await apply(
        connection,
        [roster(1)],
        [snapshot(number, 2, "2022-01") for number in people],
        [enrolment(number, 3, "2022-01") for number in (1, 2)],
        [report(number, 4, "2022-01") for number in (1, 2)],
        [claims(1, 5, claim("A", OURS, "2021-08-01", 100), claim("B", THEIRS, "2021-09-01", 90))],
        [form(3, 6, OURS, "2022-02-03")],
    )


async def test_whom_the_next_quarter_and_the_next_year_lose_and_gain(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    await outlook(connection)
    async with gateway(database_url) as http:
        quarter = await asked(
            http, "/alignment/forecast", month="2022-04", kind=["retained", "lost", "gained", "open", "not_ours"]
        )
        year = await asked(http, "/alignment/forecast", month="2023-01", kind=["retained", "lost", "gained", "open"])
        assert {one["person_id"]: (one["kind"], one["path"]) for one in quarter["people"]} == {
            person(1): ("retained", None), person(2): ("retained", None), person(3): ("gained", "voluntary"),
        }  # fmt: skip
        first = next(one for one in year["people"] if one["person_id"] == person(1))
        assert (first["kind"], first["path"]) == ("retained", "roster")
        assert first["hangs_on"] == {
            "on": "2021-08-01", "clinician_npi": OURS, "worth": "$66.66", "would_be": THEIRS,
        }  # fmt: skip
        page = await asked(http, "/alignment/forecast", month="2022-04", limit=2)
        assert (page["looked_at"], page["next_after"]) == (2, person(2))
        rest = await asked(http, "/alignment/forecast", month="2022-04", limit=2, after=page["next_after"])
        assert [one["person_id"] for one in page["people"] + rest["people"]] == [person(3)]
        nowhere = await http.get("/v1/alignment/forecast", params={"month": "2035-01"})
        assert nowhere.status_code == 422


async def test_who_has_died_is_lost_and_of_whom_nothing_was_said_for_a_year_nothing_is_foretold(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    await outlook(connection)
    died = snapshot(1, 7, "2022-02")
    data = died.data.model_copy(update={"death_date": date(2022, 2, 20)})
    await apply(connection, [died.model_copy(update={"data": data})])
    async with gateway(database_url) as http:
        found = await asked(http, "/alignment/forecast", month="2022-04")
        assert {one["person_id"]: (one["kind"], one["reasons"]) for one in found["people"]} == {
            person(1): ("lost", ["DECEASED"]), person(3): ("gained", []),
        }  # fmt: skip
        before = await asked(http, "/alignment/forecast", month="2022-04", as_of=6)
        assert [one["person_id"] for one in before["people"]] == [person(3)]
        assert (await asked(http, "/alignment/forecast", month="2024-01"))["people"] == []


async def test_counts_against_the_minimum(connection: "asyncpg.Connection[asyncpg.Record]", database_url: str) -> None:
    async with gateway(database_url) as http:
        assert (await asked(http, "/alignment/minimums"))["month"] is None
        await outlook(connection)
        found = await asked(http, "/alignment/minimums", entity="D9001", with_losses=True)
        assert (found["month"], found["aligned"], found["minimum"], found["above"]) == ("2022-01", 2, 5000, -4998)
        assert (found["falls_below_minimum_in"], found["lost_next_year"]) == ("2022-01", 0)


async def test_changes_since_a_delivery_come_once_each(
    connection: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    await outlook(connection)
    async with gateway(database_url) as http:
        everything = await asked(http, "/alignment/changes", since="0")
        assert everything["next_since"] is None
        place, paged = "0", []
        while place is not None:
            page = await asked(http, "/alignment/changes", since=place, limit=2)
            paged += page["changes"]
            place = page["next_since"]
        assert paged == everything["changes"]
        assert await connection.fetchval("SELECT count(*) FROM decision") == len(paged)
        later = await asked(http, "/alignment/changes", since="3")
        assert {one["sequence"] for one in later["changes"]} == {4}


async def test_a_retroactive_change_writes_only_the_persons_own_rows(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    await outlook(connection)
    others = "SELECT xmin::text, * FROM decision WHERE person_id <> $1 ORDER BY 2, 3, 4"
    before = [tuple(row) for row in await connection.fetch(others, person(2))]
    visits = await connection.fetch("SELECT xmin::text, * FROM visit_record ORDER BY 2, 3")
    gone = snapshot(2, 7, "2021-12", HealthPlan.PACE)
    await apply(connection, [gone])
    assert [tuple(row) for row in await connection.fetch(others, person(2))] == before
    assert await connection.fetch("SELECT xmin::text, * FROM visit_record ORDER BY 2, 3") == visits
    written = await connection.fetchval("SELECT count(*) FROM decision WHERE sequence = 7")
    assert 1 <= written <= 3


async def test_what_cannot_be_so_is_a_dead_letter_and_the_rest_of_the_batch_is_applied(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    wrong = report(1, 2, "2022-01")
    elsewhere = wrong.model_copy(update={"data": wrong.data.model_copy(update={"entity_id": "D9009"})})
    transaction = CollectingTransaction(connection)
    await apply(connection, [snapshot(1, 1, "2022-01")])
    async with connection.transaction():
        await handle(batch([elsewhere, report(2, 2, "2022-01")]), transaction)
    ((received, said),) = transaction.rejected
    assert received.event == elsewhere
    assert said.startswith("report_of_another_entity")
    aligned = await connection.fetch("SELECT DISTINCT person_id FROM decision WHERE aligned")
    assert [row["person_id"] for row in aligned] == [person(2)]
