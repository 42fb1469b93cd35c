"""Care actions over PostgreSQL: raised with evidence, closed by late claims, never twice, and none behind a barrier."""

import json
import random
from datetime import date, timedelta
from typing import Any

import care_world as care
import pytest
import risk_world as world

from contracts.care import CareActionClosed, CareActionProposed
from contracts.claims import Adjustment
from contracts.topics import AnyEvent

pytestmark = pytest.mark.broker
START = date(2022, 10, 5)


async def _known_for_a_year(connection: Any, number: int = 1, sequence: int = 1) -> None:
    """Somebody aligned, of whom coverage and a visit within the network are known for more than a year."""
    await world.apply(connection, world.coverage(number, sequence, "2021-06", "02"))
    await world.apply(connection, care.aligned(number, sequence, "2022-01", 24))
    visit = care.service(f"v{number}", date(2022, 8, 1), "99213")
    await world.apply(connection, world.medicare(number, sequence, visit))


async def test_actions_are_raised_once_with_evidence_and_close_when_the_claims_come(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        await world.apply(connection, care.roster(1))
        sick = care.service("d1", date(2022, 7, 1), "99214", npi=care.THEIRS, diagnoses=("E119",))
        again = care.service("d2", date(2022, 9, 1), "99214", npi=care.THEIRS, diagnoses=("E119",))
        await world.apply(connection, world.medicare(1, 2, sick, again))
        proposed = [one for one in await care.cut(connection, 2, START) if isinstance(one, CareActionProposed)]
        kinds = {"connect_primary_care", "flu_vaccine", "wellness_visit", "nutrition_meals"}
        kinds |= {"diabetes_eye_exam", "diabetes_foot_exam", "diabetes_blood_test"}
        assert {one.data.action for one in proposed} == kinds
        by_kind = {one.data.action: one.data for one in proposed}
        connect = by_kind["connect_primary_care"]
        assert [one.record_id for one in connect.evidence] == ["d2"]
        assert [(one.npi, one.visits, one.county_steps) for one in connect.clinicians] == [
            (care.OURS, 1, 0),
            (care.NEAR, 0, 1),
        ]
        assert {one.record_id for one in by_kind["diabetes_blood_test"].evidence} == {"d1", "d2"}
        assert (by_kind["flu_vaccine"].owner, by_kind["flu_vaccine"].occasion) == ("aide", "2022-2023")
        # The same again, and a new month: nothing new.
        await world.apply(connection, world.medicare(1, 3, sick, again))
        assert await care.cut(connection, 3, START) == []
        assert await care.cut(connection, 4, date(2022, 11, 2)) == []
        # A vaccine before the action was raised, on a claim that came late; and tests of blood and feet.
        late = care.service("f1", date(2022, 9, 20), "G0008", "90662")
        later = care.service("f2", date(2022, 11, 20), "83036", "G0245")
        await world.apply(connection, world.medicare(1, 5, late, later))
        closed = [
            one.data for one in await care.cut(connection, 5, date(2022, 12, 1)) if isinstance(one, CareActionClosed)
        ]
        assert {(one.action, one.outcome, one.done_on) for one in closed} == {
            ("flu_vaccine", "done", date(2022, 9, 20)),
            ("diabetes_blood_test", "done", date(2022, 11, 20)),
            ("diabetes_foot_exam", "done", date(2022, 11, 20)),
        }
        assert {one.evidence[0].record_id for one in closed} == {"f1", "f2"}
        known = await care.actions(connection, 1)
        assert json.loads(known["diabetes_eye_exam"]["evidence"])[0]["what"] == "diabetes, E119"
        assert known["diabetes_eye_exam"]["outcome"] is None


async def test_a_cancelled_claim_takes_the_action_back(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        fall = care.service("w1", date(2022, 9, 1), "99213", diagnoses=("W1830XA",))
        await world.apply(connection, world.medicare(1, 2, fall))
        await care.cut(connection, 2, START)
        assert (await care.actions(connection, 1))["falls_prevention"]["occasion"] == "2022-09-01"
        cancelled = care.service("w2", date(2022, 9, 1), adjustment=Adjustment.CANCELLATION, claim_control_number="w1")
        await world.apply(connection, world.medicare(1, 3, cancelled))
        (closed,) = [one.data for one in await care.cut(connection, 3, START) if isinstance(one, CareActionClosed)]
        assert (closed.action, closed.outcome) == ("falls_prevention", "withdrawn")


async def test_whoever_is_frail_has_one_action_a_year_that_names_the_signs_and_ends_with_therapy(
    database_url: str,
) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        signs = care.service("g1", date(2022, 6, 1), "99213", diagnoses=("R2681", "R32"))
        walker = world.visit(
            "e1", date(2022, 7, 1), (), claim_type_code="82", lines=care.service("e1", date(2022, 7, 1), "E0143").lines
        )
        await world.apply(connection, world.medicare(1, 2, signs, walker))
        await care.cut(connection, 2, START)
        frail = (await care.actions(connection, 1))["falls_prevention"]
        assert (frail["occasion"], frail["owner"]) == ("2022", "aide")
        assert [(one["what"], one["record_id"]) for one in json.loads(frail["evidence"])] == [
            ("sign of frailty: walker", "e1"),
            ("sign of frailty: abnormality of gait", "g1"),
            ("sign of frailty: incontinence", "g1"),
        ]
        await world.apply(connection, world.medicare(1, 3, care.service("t1", date(2022, 10, 20), "97161")))
        closed = [
            one.data for one in await care.cut(connection, 3, date(2022, 11, 1)) if isinstance(one, CareActionClosed)
        ]
        assert [(one.action, one.outcome, one.done_on) for one in closed] == [
            ("falls_prevention", "done", date(2022, 10, 20))
        ]
        # Still frail, but something was done within the year; once it is over, on the next occasion.
        assert await care.cut(connection, 4, date(2022, 12, 1)) == []
        await world.apply(
            connection,
            world.medicare(1, 5, care.service("g2", date(2023, 11, 1), "97597", diagnoses=("R2681", "R32", "M6281"))),
        )
        await care.cut(connection, 5, date(2023, 12, 6))
        assert (await care.actions(connection, 1))["falls_prevention"]["occasion"] == "2023"


async def test_signs_of_frailty_that_a_cancellation_takes_back_make_nobody_frail(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        signs = care.service("g1", date(2022, 6, 1), "99213", diagnoses=("R2681", "R32", "M6281"))
        await world.apply(connection, world.medicare(1, 2, signs))
        await care.cut(connection, 2, START)
        cancelled = care.service("g2", date(2022, 6, 1), adjustment=Adjustment.CANCELLATION, claim_control_number="g1")
        await world.apply(connection, world.medicare(1, 3, cancelled))
        (closed,) = [one.data for one in await care.cut(connection, 3, START) if isinstance(one, CareActionClosed)]
        assert (closed.action, closed.outcome) == ("falls_prevention", "withdrawn")


async def test_screenings_follow_age_sex_and_what_is_on_file_and_end_with_their_claims(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        for number in (1, 2):
            # A woman of 73, and one who turns out to be 77, of whom three years are known.
            await world.apply(connection, world.coverage(number, 1, "2019-06", "02"))
            await world.apply(connection, care.aligned(number, 1, "2022-01", 24))
            # Medicare's newest word counts, here of the other's birth; no word is no information.
            newer = None if number == 1 else date(1945, 6, 1)
            await world.apply(connection, world.coverage(number, 2, "2022-09", "02", birth=newer))
        await care.cut(connection, 2, START)
        known = await care.actions(connection, 1)
        screenings = {"breast_cancer_screening", "colorectal_cancer_screening"}
        assert {known[kind]["occasion"] for kind in screenings} == {"2022"}
        assert not screenings & (await care.actions(connection, 2)).keys()
        await world.apply(connection, world.medicare(1, 3, care.service("m1", date(2022, 10, 20), "77067")))
        closed = [
            one.data for one in await care.cut(connection, 3, date(2022, 11, 1)) if isinstance(one, CareActionClosed)
        ]
        assert [(one.action, one.outcome, one.done_on) for one in closed] == [
            ("breast_cancer_screening", "done", date(2022, 10, 20))
        ]
        hospice = world.visit("h1", date(2022, 11, 5), (), claim_type_code="50", lines=())
        await world.apply(connection, world.medicare(1, 4, hospice))
        closed = [
            one.data for one in await care.cut(connection, 4, date(2022, 12, 1)) if isinstance(one, CareActionClosed)
        ]
        assert ("colorectal_cancer_screening", "withdrawn") in {(one.action, one.outcome) for one in closed}


async def test_whoever_lives_in_a_nursing_facility_is_not_screened_but_short_stays_are_no_home(
    database_url: str,
) -> None:
    async with world.prepared(database_url) as connection:
        await world.apply(connection, world.coverage(1, 1, "2019-06", "02"))
        await world.apply(connection, care.aligned(1, 1, "2022-01", 24))
        # Long ago, and twice in the last 120 days: 90 days of these together.
        for first, last in ((date(2022, 1, 1), date(2022, 5, 1)), (date(2022, 6, 8), date(2022, 8, 31))):
            await world.apply(connection, world.stay(1, 2, first, last))
        await world.apply(connection, world.stay(1, 2, date(2022, 9, 10), date(2022, 9, 14)))
        await care.cut(connection, 2, START)
        assert "breast_cancer_screening" in await care.actions(connection, 1)
        await world.apply(connection, world.stay(1, 3, date(2022, 10, 1), date(2022, 10, 1)))
        await care.cut(connection, 3, START)
        assert (await care.actions(connection, 1))["breast_cancer_screening"]["outcome"] == "withdrawn"


BARRIERS: list[tuple[str, Any]] = [
    ("Not aligned", lambda: care.aligned(1, 3, "2022-10", 3, is_aligned=False)),
    ("The person has died", lambda: world.coverage(1, 3, "2022-10", "02", death_date=date(2022, 10, 1))),
    ("The person opted out of sharing claims", lambda: care.preference(1, 3, date(2022, 10, 1), shares=False)),
]


@pytest.mark.parametrize(("because", "event"), BARRIERS, ids=[because for because, _ in BARRIERS])
async def test_nothing_is_to_be_done_behind_a_barrier(database_url: str, because: str, event: Any) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        await care.cut(connection, 2, START)
        assert {one["outcome"] for one in (await care.actions(connection, 1)).values()} == {None}
        await world.apply(connection, event())
        closed = await care.cut(connection, 3, date(2022, 10, 20))
        assert {(one.data.outcome, one.data.reason) for one in closed if isinstance(one, CareActionClosed)} == {
            ("withdrawn", because)
        }
        assert await care.cut(connection, 4, date(2022, 11, 20)) == []


async def test_what_nothing_shows_lapses_and_the_next_occasion_is_raised(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        await care.cut(connection, 2, START)
        first = (await care.actions(connection, 1))["wellness_visit"]
        await care.cut(connection, 3, date(2023, 8, 1))
        second = (await care.actions(connection, 1))["wellness_visit"]
        assert (first["occasion"], second["occasion"]) == ("2022", "2023")
        ends = await connection.fetch("SELECT action_id, outcome FROM care_closing")
        assert {row["outcome"] for row in ends} == {"lapsed"}
        assert first["action_id"] in {row["action_id"] for row in ends}


async def test_people_who_turn_out_to_be_one_have_the_claims_of_both(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection, 1)
        await _known_for_a_year(connection, 2)
        vaccine = care.service("f1", date(2022, 9, 20), "G0008")
        await world.apply(connection, world.medicare(2, 2, vaccine))
        await care.cut(connection, 2, START)
        assert "flu_vaccine" in await care.actions(connection, 1)
        assert "flu_vaccine" not in await care.actions(connection, 2)
        await world.apply(connection, care.merged(2, into=1, sequence=3))
        await care.settle(connection, 3)
        await care.cut(connection, 3, START)
        assert (await care.actions(connection, 1))["flu_vaccine"]["outcome"] == "done"
        retired = (await care.actions(connection, 2)).values()
        assert {one["closed_because"] for one in retired} == {"Known as another person now"}


async def test_what_ran_ahead_changes_nothing(database_url: str) -> None:
    """Facts of a later delivery may be there when a cut is made: it sees none of them."""
    async with world.prepared(database_url) as connection:
        await _known_for_a_year(connection)
        vaccine = care.service("f1", date(2022, 9, 20), "G0008")
        await world.apply(connection, world.medicare(1, 3, vaccine))
        await world.apply(connection, care.aligned(1, 3, "2022-10", 3, is_aligned=False))
        await care.cut(connection, 2, START)
        assert (await care.actions(connection, 1))["flu_vaccine"]["outcome"] is None
        await care.cut(connection, 3, START)
        assert (await care.actions(connection, 1))["flu_vaccine"]["closed_because"] == "Not aligned"


CODES = ("99213", "G0439", "90662", "83036", "G0245", "97161", "90935", "97597")


def _random_world(seed: int) -> list[AnyEvent]:
    """Five people over eight deliveries: decisions, preferences, claims with cancellations, in order of delivery."""
    chance = random.Random(seed)
    events: list[AnyEvent] = [care.roster(2)]
    for sequence in range(1, 9):
        for number in range(5):
            if sequence == 1 or chance.random() < 0.2:
                events.append(world.coverage(number, sequence, f"2021-{sequence:02d}", "02"))
                events.append(care.aligned(number, sequence, "2022-01", 24, is_aligned=chance.random() < 0.8))
            if chance.random() < 0.1:
                events.append(care.preference(number, sequence, date(2022, 9, 1), shares=chance.random() < 0.5))
            claims = []
            for _ in range(chance.randrange(4)):
                record, cancels = f"r{number}-{chance.randrange(12)}", chance.random() < 0.2
                codes = chance.sample(CODES, 2)
                kind = Adjustment.CANCELLATION if cancels else Adjustment.ORIGINAL
                day = date(2022, 1, 1) + timedelta(days=chance.randrange(300))
                diagnoses = chance.sample(("E119", "W1830XA", "I10"), 1)
                more = {"adjustment": kind, "claim_control_number": record, "version": chance.randrange(3)}
                claims.append(
                    care.service(f"{record}{'c' if cancels else ''}", day, *codes, diagnoses=tuple(diagnoses), **more)
                )
            kept = {claim.record_id: claim for claim in claims}
            if kept:
                events.append(world.medicare(number, sequence, *kept.values()))
    return sorted(events, key=lambda event: event.deliveryseq)


@pytest.mark.parametrize("seed", range(3))
async def test_actions_are_the_same_whatever_topic_ran_ahead(database_url: str, seed: int) -> None:
    """Live, each delivery is cut when it is there; in a rebuild, topic after topic may be read first."""
    events = _random_world(seed)
    async with world.prepared(database_url) as connection:
        found = []
        for at_once in (False, True):
            await connection.execute("TRUNCATE statement, claim_record, score, tier, known_delivery, ranking")
            await connection.execute(f"TRUNCATE {', '.join(row[0] for row in await connection.fetch(CARE_TABLES))}")
            for sequence in range(1, 9):
                due = [one for one in events if at_once or one.deliveryseq == sequence]
                for topic in world.by_topic(due).values() if sequence == 1 or not at_once else ():
                    await world.apply(connection, *topic)
                await care.cut(connection, sequence, date(2022, 8 + sequence // 3, 3 * sequence))
            found.append([await world.table(connection, name) for name in ("care_action", "care_closing", "care_day")])
        assert found[0] == found[1]
        assert len(found[0][0]) > 5


CARE_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'risk' AND tablename LIKE 'care\\_%'"


async def test_a_cut_takes_as_many_round_trips_for_many_people_as_for_few(database_url: str) -> None:
    async with world.prepared(database_url) as connection:
        counts = []
        for sequence, people in ((1, range(3)), (2, range(3, 40))):
            for number in people:
                await _known_for_a_year(connection, number, sequence)
            queries: list[str] = []
            with connection.query_logger(lambda record, kept=queries: kept.append(record.query)):
                await care.cut(connection, sequence, START)
            counts.append(sum("care_" in query for query in queries))
        # The first cut of a month rates facilities besides.
        assert counts[1] <= counts[0] <= 16
