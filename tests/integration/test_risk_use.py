"""What people used, counted in SQL, is what the rule counts; and what people ask: gaps, explanations, the model."""

import random
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import risk_world as world

from contracts.claims import (
    Adjustment,
    ClaimsFeed,
    MedicareClaim,
    MedicareClaimLine,
    PartDEvent,
    PartDEventsDelivered,
    PartDEventsDeliveredData,
)
from contracts.risk import RiskScored, RiskTierChanged
from contracts.topics import AnyEvent
from infra.command.risk_training.own_history import newest_day, own_histories
from services.risk.explaining import explanation
from services.risk.gateway import router
from services.risk.rules.claim_marks import Mark
from services.risk.rules.person_use import PersonUse, UseRecord, use_of
from services.risk.use_reading import last_day_of_claims, use_by_person
from services.runtime.gateway import create_gateway

pytestmark = pytest.mark.broker
DAY = date(2022, 3, 31)


def _claim(chance: random.Random, number: int) -> MedicareClaim:
    """Few keys and records, so that versions, relatives and cancellations meet."""
    key = chance.randrange(12)
    day = DAY - timedelta(days=key * 37 + chance.randrange(3))
    kind = chance.choice(("60", "60", "20", "40", "71", "71", "82"))
    line = MedicareClaimLine(
        line_number=1, service_from=day, service_through=day, paid_cents=chance.randrange(9_000),
        procedure_code=chance.choice(("99213", "90960", "96413", "K0001", "36415")),
        revenue_center_code=chance.choice((None, "0450")),
    )  # fmt: skip
    adjustment = chance.choice(
        (Adjustment.ORIGINAL, Adjustment.ORIGINAL, Adjustment.CANCELLATION, Adjustment.ADJUSTMENT)
    )
    return MedicareClaim(
        record_id=f"{number}-{kind}-{key}-{adjustment}", version=chance.randrange(4), claim_type_code=kind,
        adjustment=adjustment, claim_control_number=f"{number}-{kind}-{key}", service_from=day,
        service_through=day + timedelta(days=chance.randrange(4)), paid_cents=chance.randrange(9_000),
        denied=chance.random() < 0.1, discharge_status_code=chance.choice(("01", "03")),
        diagnosis_codes=tuple(chance.sample(("I509", "I10", "F331", "R296", "Z000"), 2)), lines=(line,),
    )  # fmt: skip


def _claims(chance: random.Random, number: int) -> list[MedicareClaim]:
    """One version of a record a delivery."""
    return list({(one.record_id, one.version): one for one in (_claim(chance, number) for _ in range(8))}.values())


def _record(row: asyncpg.Record) -> UseRecord:
    values = {name: row[name] for name in UseRecord.__slots__}
    return UseRecord(**values | {"marks": Mark(row["marks"])})


@pytest.mark.parametrize("seed", range(4))
async def test_sql_counts_what_the_rule_counts(database_url: str, seed: int) -> None:
    chance = random.Random(seed)
    async with world.prepared(database_url) as connection:
        for sequence in range(1, 6):
            events = [world.medicare(number, sequence, *_claims(chance, number)) for number in range(8)]
            await world.apply(connection, *events)
        for sequence in (2, 5):
            counted = await use_by_person(connection, sequence, DAY)
            known = await connection.fetch("SELECT * FROM claim_record WHERE sequence <= $1", sequence)
            for number in range(8):
                person = world.person(number)
                expected = use_of([_record(row) for row in known if row["person_id"] == person], DAY)
                assert counted.get(person, PersonUse()) == expected
                alone = await use_by_person(connection, sequence, DAY, [person])
                assert alone.get(person, PersonUse()) == expected


def _fills(number: int, sequence: int, *fills: tuple[str, str, date, Adjustment]) -> AnyEvent:
    claims = tuple(
        PartDEvent(
            record_id=name, version=1, claim_type_code="04", adjustment=kind, filled_on=day, national_drug_code=ndc
        )
        for name, ndc, day, kind in fills
    )
    data = PartDEventsDeliveredData(person_id=world.person(number), state="OH", feed=ClaimsFeed.CCLF, claims=claims)
    return PartDEventsDelivered.of(
        service="intake", key=data.person_id, version=str(sequence), time=world.TIME,
        delivery_id=world.delivery_id(sequence), sequence=sequence, data=data,
    )  # fmt: skip


async def test_drugs_residence_and_level_of_care(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        original = Adjustment.ORIGINAL
        packages = [(f"f{n}", f"0000100{n:02d}01", DAY - timedelta(days=n), original) for n in range(6)]
        other_package = ("g", "00001000002", DAY, original)
        too_old = ("h", "99999000001", DAY - timedelta(days=180), original)
        taken_back = ("i", "88888000001", DAY, Adjustment.CANCELLATION)
        await world.apply(connection, _fills(1, 1, *packages, other_package, too_old, taken_back))
        await world.apply(connection, _fills(1, 2, *packages))
        await world.apply(connection, world.enrolment(2, 3, "2022-03", level="community"))
        await world.apply(connection, world.enrolment(3, 3, "2022-03", level="institutional"))
        await world.apply(connection, world.stay(4, 4, date(2022, 1, 15), date(2022, 3, 20)))
        await world.apply(connection, world.stay(5, 4, date(2022, 3, 1), date(2022, 3, 20)))
        assert await use_by_person(connection, 4, DAY) == {
            world.person(1): PersonUse(drug_products=6),
            world.person(2): PersonUse(community_services=True),
            world.person(3): PersonUse(nursing_facility=True),
            world.person(4): PersonUse(nursing_facility=True),
        }
        assert await last_day_of_claims(connection, 4, DAY) == DAY


async def test_a_diagnosis_that_only_a_cancelled_claim_supported_takes_score_and_tier_with_it(
    database_url: str,
) -> None:
    async with world.prepared(database_url) as connection:
        everybody = [world.coverage(number, 1, "2022-01", "02") for number in range(10)]
        await world.apply(connection, *everybody)
        day = date(2021, 5, 1)
        claims = [world.medicare(n, 1, world.admission(f"v{n}", day, paid_cents=1_000 * n)) for n in range(1, 10)]
        dear = world.admission("a", day, ("C3490", "I509"), paid_cents=9_000_000)
        await world.apply(connection, *claims, world.medicare(0, 1, dear))
        before = {one.data.person_id: one.data.tier for one in await world.cut(connection, 1)}
        assert before[world.person(0)] > 1
        taken_back = world.admission("x", day, adjustment=Adjustment.CANCELLATION, paid_cents=9_000_000)
        told = await world.apply(connection, world.medicare(0, 2, taken_back))
        scores = [one.data for one in told if isinstance(one, RiskScored)]
        assert {(one.model, one.categories) for one in scores} == {("V24", ()), ("V28", ())}
        assert {(i.diagnosis_code, i.reason) for one in scores for i in one.ignored} == {
            ("C3490", "cancelled_claim"), ("I509", "cancelled_claim"),
        }  # fmt: skip
        changes = {one.data.person_id: one.data for one in await world.cut(connection, 2)}
        fallen = changes[world.person(0)]
        assert fallen.tier < (fallen.previous_tier or 0) == before[world.person(0)]


async def _story(connection: Any) -> None:
    """One person over two years, whom everything befalls that an explanation can tell of."""
    for number in range(5):
        await world.apply(connection, world.coverage(number, 1, "2022-03", "02"))
    old = world.visit("old", date(2020, 5, 1), ("E119", "J449"))
    new = world.visit("new", date(2021, 5, 1), ("E119", "I509"))
    lost = world.visit("lost", date(2021, 6, 1), ("F200",), lines=())
    stay = world.admission("stay", date(2022, 2, 1), ("I509",), paid_cents=1_234_500)
    await world.apply(connection, world.medicare(0, 1, old, new, lost, stay))
    await world.apply(connection, world.coverage(0, 2, "2022-05", "03"))
    for sequence in (1, 2):
        await world.cut(connection, sequence)


async def test_an_explanation_tells_everything_in_plain_words(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _story(connection)
        told = await explanation(connection, world.person(0), 2)
        assert told is not None
        text = "\n".join(told)
        for words in (
            "CMS-HCC V28, payment year 2023 (diagnoses of 2022)",
            "segment CPA: living at home, partial Medicaid benefits, 65 or older.",
            "for HCC 226, Heart Failure, Except End-Stage and Acute (I509, first supported by claim stay).",
            "there are no tables of this payment year; the nearest are used",
            "never compared",
            "of 4 (4 is the highest) since delivery 1; before: no tier. Because:",
            "Chance of an avoidable admission within 6 months of 2022-02-01:",
            "Medicare spending within 12 months: $12,345",
            "HCC 38, Diabetes with Glycemic, Unspecified, or No Complications: last in payment year 2022 (E119 by claim new)",
        ):
            assert words in text, words
        first = await explanation(connection, world.person(0), 1)
        assert first is not None
        assert "segment CFA" in "\n".join(first)
        assert await explanation(connection, world.person(77), 2) is None


async def test_an_explanation_tells_what_was_ignored(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        lost = world.visit("lost", date(2021, 6, 1), ("F200",), lines=())
        await world.apply(connection, world.coverage(0, 1, "2022-03", "99"))
        await world.apply(connection, world.medicare(0, 1, lost))
        text = "\n".join(await explanation(connection, world.person(0), 1) or [])
        assert "Ignored F200: no procedure of the claim is on CMS's list." in text
        assert "dual status is unknown, so the score is that of a person without Medicaid" in text
        assert "In no tier." in text


@pytest.fixture
async def client(database_url: str) -> Any:
    async with world.prepared(database_url) as connection:
        await _story(connection)
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


async def test_gaps_are_a_worklist(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/gaps", params={"payment_year": 2022})).json()
    (person,) = answer["people"]
    assert person["person_id"] == world.person(0)
    assert [(gap["category"], gap["last_record_id"]) for gap in person["gaps"]] == [(280, "old")]
    assert answer["next"] is None
    alone = (await client.get(f"/v1/people/{world.person(0)}/gaps", params={"payment_year": 2023})).json()
    assert [gap["category"] for gap in alone["gaps"]] == [38, 280]
    v24 = (await client.get(f"/v1/people/{world.person(0)}/gaps", params={"payment_year": 2022, "model": "V24"})).json()
    assert [gap["category"] for gap in v24["gaps"]] == [111]
    none = (await client.get(f"/v1/people/{world.person(3)}/gaps", params={"payment_year": 2022})).json()
    assert none["gaps"] == []
    assert (await client.get("/v1/gaps")).status_code == 422


async def test_the_gateway_explains_and_shows_its_model(client: httpx.AsyncClient) -> None:
    path = f"/v1/people/{world.person(0)}/explanation"
    lines = (await client.get(path)).json()["lines"]
    assert lines[0].startswith("CMS-HCC V28, payment year 2023")
    assert (await client.get(path, params={"as_of": 1})).json()["lines"] != lines
    assert (await client.get(f"/v1/people/{world.person(77)}/explanation")).status_code == 404
    model = (await client.get("/v1/model")).json()
    assert {"dated", "trained_on", "status", "intercept", "coefficients", "measures"} <= model.keys()
    scores = (await client.get(f"/v1/people/{world.person(0)}/scores")).json()
    of_2022 = next(one for one in scores["scores"] if (one["model"], one["payment_year"]) == ("V28", 2022))
    assert of_2022["ignored"] == [{"diagnosis_code": "F200", "reason": "no_listed_procedure"}]
    assert [period["segment"] for period in of_2022["periods"]] == ["CFA", "CPA"]
    assert set(scores["tier"]) >= {"tier", "reasons", "score", "probability", "spend_cents", "ended"}
    assert isinstance(scores["tier"]["probability"], str)


async def test_a_tier_event_carries_plain_reasons(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await world.apply(connection, *(world.coverage(number, 1, "2022-03", "02") for number in range(20)))
        await world.apply(
            connection, world.medicare(0, 1, world.admission("a", date(2022, 2, 1), ("I509",), paid_cents=5_000_000))
        )
        changes = [one for one in await world.cut(connection, 1) if isinstance(one, RiskTierChanged)]
        top = next(one.data for one in changes if one.data.tier == 4)
        assert top.person_id == world.person(0)
        assert top.reasons[0] == "$50,000 of Medicare spending within 12 months, more than 95% of people"


async def test_an_installations_own_history_is_what_was_known_of_a_day_and_what_followed(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        assert await newest_day(connection) is None
        for number in range(4):
            await world.apply(connection, world.coverage(number, 1, "2022-01", "02"))
        before = world.admission("before", date(2021, 12, 20), ("I509",), paid_cents=500)
        after = world.admission("after", date(2022, 3, 1), ("I509",))
        unavoidable = world.admission("other", date(2022, 3, 2), ("S72001A",))
        taken_back = world.admission(
            "x", date(2022, 3, 1), adjustment=Adjustment.CANCELLATION, facility_number="360002"
        )
        late = world.admission("late", date(2022, 6, 30), ("Z000",))
        gone = world.admission("gone", date(2022, 3, 1), ("I509",), facility_number="360002")
        await world.apply(
            connection,
            world.medicare(0, 2, before, after),
            world.medicare(1, 2, unavoidable),
            world.medicare(2, 2, gone, taken_back),
            world.medicare(5, 2, late),
        )
        died = world.coverage(3, 3, "2022-02", "02", death_date=date(2022, 2, 3))
        await world.apply(connection, died)
        day = await newest_day(connection)
        assert day == date(2021, 12, 31)
        histories = await own_histories(connection, date(2022, 1, 1))
        assert [one.avoidable for one in histories] == [True, False, False]
        assert histories[0].candidate.use.avoidable_year == 1
        assert histories[0].groups == {
            "age": "65 to 79", "sex": "women", "race": "unknown", "dual status": "full benefits",
            "residence": "community",
        }  # fmt: skip
