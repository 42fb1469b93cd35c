"""From files to outbox: once, in order, whoever is killed, and always the same."""

import json
from pathlib import Path

import pytest
from intake_installation import KEYS, RECEIVED_AT, Killed, cross_referenced, installed, killing_at, report

import services.intake.pipeline
from contracts.alignment import AlignmentReported
from contracts.claims import MedicaidClaimsDelivered, MedicareClaimsDelivered
from contracts.delivery import DeliveryCompleted, DeliveryQuarantined, DeliveryReceived
from contracts.identities import PeopleMerged
from infra.simulator.simulation import simulate
from services.intake.deliveries import find, retry
from services.intake.inbox import deliverable_files
from services.intake.quarantine import quarantine_counts, quarantined_lines, unsealed_line
from services.intake.reading import PersonReference
from services.intake.vault import person_of, persons_of_mbis

pytestmark = pytest.mark.broker

FIRST, SECOND, THIRD = "1EG4TE5MK73", "6U50TE7GG18", "5F27TE6KM28"


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, people=25, months=2, seed=7)
    return deliverable_files(folder / "deliveries")


async def test_a_month_of_files_becomes_events_about_people(database_url: str, deliveries: list[Path]) -> None:
    async with installed(database_url) as intake:
        taken = [await intake.take(path) for path in deliveries]
        await intake.work()
        events = await intake.events()
        received = [event.deliveryseq for event in events if isinstance(event, DeliveryReceived)]
        completed = [event.deliveryseq for event in events if isinstance(event, DeliveryCompleted)]
        assert received == completed == sorted({registration.sequence for registration in taken})
        claims = [event for event in events if isinstance(event, MedicareClaimsDelivered | MedicaidClaimsDelivered)]
        keys = [(event.type, event.subject, event.deliveryid, event.data.state) for event in claims]
        assert len(keys) == len(set(keys))
        told = sum(event.data.claims for event in events if isinstance(event, DeliveryCompleted))
        assert told == sum(len(event.data.claims) for event in claims) > 0
        assert {event.time for event in events} == {RECEIVED_AT}
        assert len({event.id for event in events}) == len(events)


async def test_no_identifier_leaves_intake(database_url: str, deliveries: list[Path]) -> None:
    async with installed(database_url) as intake:
        for path in deliveries:
            await intake.take(path)
        await intake.work()
        truth = json.loads((deliveries[0].parents[2] / "truth.json").read_text(encoding="utf-8"))
        mbis = [mbi for person in truth["alignment"] for mbi in person["mbis"]]
        wire = b"".join(await intake.payloads())
        assert mbis
        assert not [mbi for mbi in mbis if mbi.encode() in wire]
        found = await persons_of_mbis(intake.writing, KEYS, mbis, synthetic=True)
        for person in truth["alignment"]:
            assert len({found[mbi] for mbi in person["mbis"] if mbi in found}) == 1


async def test_the_same_file_twice_is_a_no_op_that_says_so(database_url: str, tmp_path: Path) -> None:
    path = report(tmp_path, f"{FIRST},20220101,")
    async with installed(database_url) as intake:
        first = await intake.delivered(path)
        before = await intake.payloads()
        again = await intake.take(path.rename(tmp_path / "ALIGNMENT_REPORT.D9001.202202.D220211.csv"))
        await intake.work()
        assert (again.known, again.delivery_id, again.sequence) == (True, first.delivery_id, first.sequence)
        assert await intake.payloads() == before


@pytest.mark.parametrize(
    ("point", "times"),
    [
        ("staged, people not resolved", 2),
        ("people resolved", 3),
        ("chunk written", 0),
        ("chunk written", 7),
        ("completing", 4),
    ],
)
async def test_a_killed_process_goes_on_exactly(
    database_url: str, deliveries: list[Path], monkeypatch: pytest.MonkeyPatch, point: str, times: int
) -> None:
    monkeypatch.setattr(services.intake.pipeline, "EVENTS_A_CHUNK", 5)
    async with installed(database_url) as undisturbed, installed(database_url, "killed") as killed:
        for path in deliveries:
            await undisturbed.take(path)
            await killed.take(path)
        await undisturbed.work()
        with pytest.raises(Killed):
            await killed.work(killing_at(point, times))
        await killed.work()
        assert await killed.payloads() == await undisturbed.payloads()
        assert await killed.vault() == await undisturbed.vault()


async def test_a_lost_staging_table_is_noticed_and_read_again(database_url: str, deliveries: list[Path]) -> None:
    async with installed(database_url) as undisturbed, installed(database_url, "killed") as killed:
        for intake in (undisturbed, killed):
            for path in deliveries[:6]:
                await intake.take(path)
        await undisturbed.work()
        with pytest.raises(Killed):
            await killed.work(killing_at("people resolved"))
        # What a crash of the server does to unlogged tables.
        await killed.writing.execute("TRUNCATE staged_record, staged_entity, staged_identifier, staged_link")
        await killed.work()
        assert await killed.payloads() == await undisturbed.payloads()


async def test_a_refused_delivery_leaves_nothing_but_its_reason(database_url: str, tmp_path: Path) -> None:
    path = report(tmp_path, f"{FIRST},20220101,")
    path.write_text(path.read_text(encoding="utf-8").replace("TRL,1", "TRL,2"), encoding="utf-8")
    async with installed(database_url) as intake:
        delivery = await intake.delivered(path)
        assert (delivery.status, delivery.reason_code) == ("refused", "wrong_record_count")
        received, quarantined = await intake.events()
        assert isinstance(received, DeliveryReceived)
        assert isinstance(quarantined, DeliveryQuarantined)
        assert quarantined.data.reason_code == "wrong_record_count"
        assert await intake.vault() == []


async def test_what_nobody_knows_is_refused_in_its_turn(database_url: str, tmp_path: Path) -> None:
    unknown = tmp_path / "letter.pdf"
    unknown.write_bytes(b"%PDF")
    async with installed(database_url) as intake:
        registration = await intake.take(unknown)
        assert (registration.status, registration.sequence) == ("refused", 1)
        (event,) = await intake.events()
        assert isinstance(event, DeliveryQuarantined)
        assert (event.data.kind, event.data.reason_code, event.deliveryseq) == (None, "unrecognised_name", 1)


async def test_a_file_changed_after_registration_is_refused_and_can_be_taken_again(
    database_url: str, tmp_path: Path
) -> None:
    path = report(tmp_path, f"{FIRST},20220101,")
    content = path.read_bytes()
    async with installed(database_url) as intake:
        registration = await intake.take(path)
        path.write_bytes(content + b"\n")
        await intake.work()
        delivery = await find(intake.writing, registration.delivery_id)
        assert delivery is not None
        assert delivery.reason_code == "content_changed"
        path.write_bytes(content)
        again = await retry(intake.writing, registration.delivery_id, actor="Ada")
        assert again is not None
        assert again.sequence == 2
        await intake.work()
        (said,) = await intake.events(AlignmentReported.TYPE)
        assert said.deliveryseq == 2
        assert await retry(intake.writing, registration.delivery_id, actor="Ada") is None


async def test_a_bad_line_is_kept_sealed_with_its_reason(database_url: str, tmp_path: Path) -> None:
    path = report(tmp_path, f"{FIRST},20220101,", "NOBODY,20220101,")
    async with installed(database_url) as intake:
        delivery = await intake.delivered(path)
        assert (delivery.status, delivery.records, delivery.quarantined) == ("completed", 1, 1)
        (line,) = await quarantined_lines(intake.writing, delivery.delivery_id, 10)
        assert (line.file, line.line, line.field, line.reason) == (path.name, 3, "BENE_MBI_ID", "not_an_mbi")
        (count,) = await quarantine_counts(intake.writing, 10)
        assert (count.reason, count.lines) == ("not_an_mbi", 1)
        sealed = await intake.writing.fetchval("SELECT raw_sealed FROM quarantined_line")
        assert b"NOBODY" not in sealed
        raw = await unsealed_line(intake.writing, KEYS, delivery.delivery_id, line.number)
        assert raw is not None
        assert b"NOBODY" in raw


async def test_rows_of_one_person_are_one_event(database_url: str, tmp_path: Path) -> None:
    path = report(tmp_path, f"{FIRST},20210101,20210630", f"{FIRST},20220101,", f"{SECOND},20220101,")
    async with installed(database_url) as intake:
        await intake.delivered(path)
        events = await intake.events(AlignmentReported.TYPE)
        assert sorted(len(event.data.spans) for event in events) == [1, 2]


async def test_people_who_turn_out_to_be_one_are_merged_and_later_records_follow(
    database_url: str, tmp_path: Path
) -> None:
    async with installed(database_url) as intake:
        await intake.delivered(report(tmp_path, f"{FIRST},20220101,"))
        await intake.delivered(report(tmp_path, f"{SECOND},20220101,", month="202203"))
        older, newer = [(await intake.events(AlignmentReported.TYPE))[place].subject for place in (0, 1)]
        assert older != newer
        await intake.delivered(cross_referenced(tmp_path, (SECOND, FIRST), (THIRD, SECOND)))
        (merged,) = await intake.events(PeopleMerged.TYPE)
        assert (merged.data.kept, merged.data.retired) == (older, newer)
        await intake.delivered(report(tmp_path, f"{THIRD},20220101,", f"{SECOND},20210101,20210201", month="202204"))
        last = (await intake.events(AlignmentReported.TYPE))[-1]
        assert last.subject == older
        assert len(last.data.spans) == 2
        assert await person_of(intake.writing, KEYS, PersonReference("mbi", THIRD)) == older


async def test_a_chain_of_new_numbers_is_one_person_named_by_the_first(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        await intake.delivered(cross_referenced(tmp_path, (THIRD, SECOND), (SECOND, FIRST)))
        people = await persons_of_mbis(intake.writing, KEYS, [FIRST, SECOND, THIRD, "nobody"])
        assert set(people) == {FIRST, SECOND, THIRD}
        assert len(set(people.values())) == 1
        assert await intake.events(PeopleMerged.TYPE) == []


async def test_public_claims_run_through(database_url: str, shared_data: Path) -> None:
    """AB2D's 500 bulk claims: 72 are of Part D, which nothing here prices, and 2 are malformed."""
    async with installed(database_url) as intake:
        delivery = await intake.delivered(shared_data / "ab2d" / "EOB-500.ndjson.gz")
        assert (delivery.status, delivery.claims, delivery.quarantined) == ("completed", 428, 2)
        lines = await quarantined_lines(intake.writing, delivery.delivery_id, 10)
        assert [line.line for line in lines] == [316, 317]
