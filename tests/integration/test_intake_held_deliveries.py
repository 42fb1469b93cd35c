"""What a delivery held, what it changed against the last one, and deliveries that are held until somebody decides."""

from pathlib import Path

import pytest
from intake_installation import Installation, Killed, cross_referenced, installed, killing_at, report

from contracts.alignment import AlignmentReported
from contracts.delivery import DeliveryQuarantined, DeliveryReceived
from contracts.identities import PeopleMerged
from services.intake.changes import people_changed
from services.intake.contents import contents_of
from services.intake.decisions import reject, release
from services.intake.deliveries import Delivery, find, retry

pytestmark = pytest.mark.broker

FIRST, SECOND, THIRD = "1EG4TE5MK73", "6U50TE7GG18", "5F27TE6KM28"


def counts(delivery: Delivery) -> tuple[int | None, ...]:
    return delivery.people, delivery.people_added, delivery.people_gone, delivery.people_changed, delivery.compared_with


async def listed(intake: Installation, sequence: int) -> dict[str, int]:
    kinds = ("added", "gone", "changed")
    return {kind: len(await people_changed(intake.writing, sequence, kind, 100)) for kind in kinds}  # type: ignore[arg-type]


async def test_a_delivery_says_what_it_held(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        delivery = await intake.delivered(report(tmp_path, f"{FIRST},20220101,", f"{SECOND},20220101,"))
        assert await contents_of(intake.writing, delivery.delivery_id) == {"alignment_report": 2}
        merging = await intake.delivered(cross_referenced(tmp_path, (SECOND, FIRST)))
        assert await contents_of(intake.writing, merging.delivery_id) == {"identifier_changes": 1}


async def test_people_are_compared_with_the_last_of_the_same_kind_and_source(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        first = await intake.delivered(report(tmp_path, f"{FIRST},20220101,", f"{SECOND},20220101,"))
        assert counts(first) == (2, None, None, None, None)
        # The month of the report alone is another: nothing is changed for the one who is in both.
        second = await intake.delivered(report(tmp_path, f"{FIRST},20220101,", f"{THIRD},20220201,", month="202203"))
        assert counts(second) == (2, 1, 1, 0, 1)
        third = await intake.delivered(
            report(tmp_path, f"{FIRST},20220101,20220331", f"{THIRD},20220201,", month="202204")
        )
        assert counts(third) == (2, 0, 0, 1, 2)
        assert await listed(intake, 2) == {"added": 1, "gone": 1, "changed": 0}
        assert await listed(intake, 3) == {"added": 0, "gone": 0, "changed": 1}
        (changed,) = await people_changed(intake.writing, 3, "changed", 100)
        said = [event.subject for event in await intake.events(AlignmentReported.TYPE) if event.deliveryseq == 3]
        assert changed in said
        assert await people_changed(intake.writing, 3, "changed", 100, after=changed) == []


async def test_the_order_of_lines_changes_nobody(database_url: str, tmp_path: Path) -> None:
    rows = (f"{FIRST},20210101,20210630", f"{FIRST},20220101,", f"{SECOND},20220101,")
    async with installed(database_url) as intake:
        await intake.delivered(report(tmp_path, *rows))
        again = await intake.delivered(report(tmp_path, *reversed(rows), month="202203"))
        assert counts(again) == (2, 0, 0, 0, 1)


async def test_people_who_became_one_are_neither_gone_nor_new(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        await intake.delivered(report(tmp_path, f"{FIRST},20220101,", f"{SECOND},20220101,"))
        await intake.delivered(cross_referenced(tmp_path, (SECOND, FIRST)))
        assert len(await intake.events(PeopleMerged.TYPE)) == 1
        last = await intake.delivered(report(tmp_path, f"{SECOND},20220101,", month="202203"))
        assert counts(last) == (1, 0, 0, 0, 1)
        assert await listed(intake, last.sequence) == {"added": 0, "gone": 0, "changed": 0}


async def test_a_delivery_that_is_read_again_is_not_compared_with_itself(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        await intake.delivered(report(tmp_path, f"{FIRST},20220101,"))
        await intake.take(report(tmp_path, f"{SECOND},20220101,", month="202203"))
        with pytest.raises(Killed):
            await intake.work(killing_at("people resolved"))
        await intake.writing.execute("TRUNCATE staged_record, staged_entity, staged_identifier, staged_link")
        await intake.work()
        assert await listed(intake, 2) == {"added": 1, "gone": 1, "changed": 0}
        assert await intake.writing.fetchval("SELECT count(*) FROM delivered_person") == 2


async def held_older(intake: Installation, folder: Path) -> Delivery:
    await intake.delivered(report(folder, f"{FIRST},20220101,", month="202203"))
    return await intake.delivered(report(folder, f"{SECOND},20220101,", month="202202"))


async def test_an_older_delivery_is_held_and_nothing_of_it_is_said(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        delivery = await held_older(intake, tmp_path)
        assert (delivery.status, delivery.reason_code) == ("held", "older_than_the_last")
        assert delivery.reason_detail == "it is dated 2022-02-10, one of 2022-03-10 was taken before"
        assert (delivery.records, counts(delivery)) == (1, (1, 1, 1, 0, 1))
        assert await contents_of(intake.writing, delivery.delivery_id) == {"alignment_report": 1}
        assert len(await intake.events(AlignmentReported.TYPE)) == 1
        assert len(await intake.vault()) == 1
        *_, received, unused = await intake.events()
        assert (type(received), type(unused)) == (DeliveryReceived, DeliveryQuarantined)
        assert unused.deliveryseq == 2
        # What comes next is compared with what was published.
        after = await intake.delivered(report(tmp_path, f"{FIRST},20220101,", month="202204"))
        assert (after.status, counts(after)) == ("completed", (1, 0, 0, 0, 1))


async def test_a_released_delivery_is_taken_under_a_new_number(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        held = await held_older(intake, tmp_path)
        taken = await release(intake.writing, held.delivery_id, actor="Ada", reason="the sender confirmed it")
        assert taken is not None
        assert (taken.sequence, taken.status) == (3, "registered")
        await intake.work()
        found = await find(intake.writing, held.delivery_id)
        assert found is not None
        assert (found.status, found.sequence, found.reason_code, counts(found)) == (
            "completed",
            3,
            None,
            (1, 1, 1, 0, 1),
        )
        assert [event.deliveryseq for event in await intake.events(AlignmentReported.TYPE)] == [1, 3]
        decided = await intake.writing.fetchrow("SELECT * FROM delivery_decision")
        assert decided is not None
        assert tuple(decided)[1:] == (2, "released", 3, "older_than_the_last", "Ada", "the sender confirmed it")
        assert await release(intake.writing, held.delivery_id, actor="Ada", reason="again") is None


async def test_a_rejected_delivery_stays_refused_and_can_be_taken_again(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        held = await held_older(intake, tmp_path)
        said = len(await intake.events())
        assert await reject(intake.writing, held.delivery_id, actor="Ada", reason="a test file") is True
        found = await find(intake.writing, held.delivery_id)
        assert found is not None
        assert (found.status, found.reason_code) == ("refused", "rejected")
        # Its number was told to be unused when it was held.
        assert len(await intake.events()) == said
        assert await reject(intake.writing, held.delivery_id, actor="Ada", reason="again") is False
        assert await release(intake.writing, held.delivery_id, actor="Ada", reason="late") is None
        assert await retry(intake.writing, held.delivery_id, actor="Ada") is not None
        await intake.work()
        again = await find(intake.writing, held.delivery_id)
        assert again is not None
        assert (again.status, again.sequence) == ("held", 3)


async def test_a_delivery_killed_while_it_is_held_is_held_once(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        await intake.delivered(report(tmp_path, f"{FIRST},20220101,", month="202203"))
        taken = await intake.take(report(tmp_path, "NOBODY,20220101,", f"{SECOND},20220101,", month="202202"))
        with pytest.raises(Killed):
            await intake.work(killing_at("staged, people not resolved"))
        await intake.work()
        found = await find(intake.writing, taken.delivery_id)
        assert found is not None
        assert (found.status, found.records, found.quarantined) == ("held", 1, 1)
        assert len([event for event in await intake.events() if isinstance(event, DeliveryQuarantined)]) == 1


async def test_most_lines_in_quarantine_hold_the_delivery_and_keep_the_lines(database_url: str, tmp_path: Path) -> None:
    rows = [f"{FIRST},20220101,", *("NOBODY,20220101," for _ in range(101))]
    async with installed(database_url) as intake:
        delivery = await intake.delivered(report(tmp_path, *rows))
        assert (delivery.status, delivery.reason_code) == ("held", "too_many_quarantined")
        kept = await intake.writing.fetchval("SELECT count(*) FROM quarantined_line")
        assert kept == delivery.quarantined == 101
