"""What stands on the deliveries topic: who said it, whether it can be used, and what it sets off."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from contracts.delivery import (
    DeliveryCompleted,
    DeliveryCompletedData,
    DeliveryKind,
    DeliveryProcessed,
    DeliveryProcessedData,
    DeliveryQuarantined,
    DeliveryQuarantinedData,
    DeliveryReceived,
    DeliveryReceivedData,
)
from contracts.identities import PeopleMerged, PeopleMergedData
from contracts.topics import COVERAGE, DELIVERIES, IDENTITIES, AnyEvent
from services.runtime import replaying
from services.runtime.applying import hand_over
from services.runtime.cuts import consumed_topics, record_vectors
from services.runtime.dead_letters import Seal
from services.runtime.ledger import Message, Spot
from services.runtime.replaying import ReplayRefused
from services.runtime.service import Batch, Received, ServiceDefinition, Transaction
from services.runtime.transactions import ServiceTransaction

DAY = datetime(2026, 1, 1, tzinfo=UTC)
PERSON = f"p{1:032x}"


def said(event_class: Any, data: Any, key: str = f"d{7:032x}", service: str = "intake") -> AnyEvent:
    made: AnyEvent = event_class.of(
        service=service, key=key, version="1", time=DAY, delivery_id=f"d{7:032x}", sequence=7, data=data
    )
    return made


def completed(ends: dict[str, dict[str, int]]) -> AnyEvent:
    data = DeliveryCompletedData(
        kind=DeliveryKind.CCLF, dated=DAY.date(), records=1, quarantined=0, claims=0, end_offsets=ends
    )
    return said(DeliveryCompleted, data)


def processed(service: str, ends: dict[str, dict[str, int]]) -> AnyEvent:
    return said(DeliveryProcessed, DeliveryProcessedData(service=service, end_offsets=ends), service=service)


RECEIVED = said(
    DeliveryReceived, DeliveryReceivedData(kind=DeliveryKind.CCLF, source="D9001", file_count=1, dated=DAY.date())
)
REFUSED = said(DeliveryQuarantined, DeliveryQuarantinedData(reason_code="truncated"))
MERGED = said(PeopleMerged, PeopleMergedData(kept=PERSON, retired=f"p{2:032x}"), key=PERSON)


class Noting:
    """A connection that notes what would be written."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.locked: list[tuple[Any, ...]] = []

    async def executemany(self, _: str, rows: list[tuple[Any, ...]]) -> None:
        self.rows += rows

    async def execute(self, query: str, *arguments: object) -> None:
        assert "pg_advisory_xact_lock" in query
        self.locked.append(arguments)

    def is_closed(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("event", "service", "quarantined", "ends", "dated"),
    [
        (RECEIVED, "intake", False, None, DAY.date()),
        (REFUSED, "intake", True, None, None),
        (completed({}), "intake", False, "{}", DAY.date()),
        (completed({"a": {"0": 5, "10": 0}}), "intake", False, '{"a": {"0": 5, "10": 0}}', DAY.date()),
        (processed("risk", {"b": {"3": 9}}), "risk", False, '{"b": {"3": 9}}', None),
    ],
)
async def test_who_says_what_of_a_delivery(
    event: AnyEvent,
    service: str,
    quarantined: bool,  # noqa: FBT001 - a table's column
    ends: str | None,
    dated: date | None,
) -> None:
    noted = Noting()
    await record_vectors(noted, [event])  # type: ignore[arg-type]
    assert noted.rows == [(7, service, f"d{7:032x}", DAY, quarantined, ends, dated)]


async def test_what_says_nothing_of_deliveries_is_not_written() -> None:
    noted = Noting()
    await record_vectors(noted, [MERGED])  # type: ignore[arg-type]
    await record_vectors(noted, [])  # type: ignore[arg-type]
    assert noted.rows == []


@pytest.mark.parametrize("partition", ["", "x", "-1", " 1", "1\n", "1.0", "1_0", "٣", "9" * 10])
@pytest.mark.parametrize("say", [completed, lambda ends: processed("risk", ends)], ids=["completed", "processed"])
async def test_a_vector_of_no_partitions_is_refused_with_its_event_and_stops_no_cut(say: Any, partition: str) -> None:
    noted = Noting()
    with pytest.raises(ValueError, match="no partition") as refused:
        await record_vectors(noted, [completed({}), say({"a": {"0": 1, partition: 5}})])  # type: ignore[arg-type]
    assert noted.rows == []
    assert not partition or partition not in str(refused.value)


def service(
    *topics: Any, fail: Exception | None = None, reject: str | None = None
) -> tuple[ServiceDefinition, list[Any]]:
    handled: list[Any] = []

    async def handle(batch: Batch, transaction: Transaction) -> None:
        handled.append([received.event for received in batch.received])
        if fail:
            raise fail
        if reject:
            transaction.reject(batch.received[0], reject)

    return ServiceDefinition("risk", "risk", topics, handle, Path()), handled


def test_deliveries_are_read_by_everybody_once() -> None:
    assert consumed_topics(service(COVERAGE)[0]) == (COVERAGE, DELIVERIES)
    assert consumed_topics(service(DELIVERIES, COVERAGE)[0]) == (DELIVERIES, COVERAGE)


@pytest.mark.parametrize(
    ("topics", "event", "topic", "is_handled", "vectors"),
    [
        ((IDENTITIES,), MERGED, IDENTITIES.name, True, 0),
        ((IDENTITIES,), RECEIVED, DELIVERIES.name, False, 1),
        ((IDENTITIES, DELIVERIES), RECEIVED, DELIVERIES.name, True, 1),
    ],
)
async def test_a_batch_goes_to_whom_it_is_for_applied_or_replayed(
    topics: Any,
    event: AnyEvent,
    topic: str,
    is_handled: bool,  # noqa: FBT001 - a table's column
    vectors: int,
) -> None:
    for again in (False, True):
        definition, handled = service(*topics)
        noted = Noting()
        if again:
            message = Message(Spot(topic, 2), 5, event.subject.encode(), event.encode(), DAY)
            await replay(noted, definition, message)
        else:
            batch = Batch(topic, 2, (Received(event, topic, 2, 5),))
            await hand_over(definition, batch, ServiceTransaction(noted, Seal(bytes(32))))  # type: ignore[arg-type]
        assert handled == [[event]] * is_handled
        assert len(noted.rows) == vectors


async def replay(noted: Noting, definition: ServiceDefinition, message: Message) -> None:
    await replaying._apply(noted, definition, "risk", message, Seal(bytes(32)))  # type: ignore[arg-type]
    assert [arguments[1] for arguments in noted.locked] == [message.spot.partition]


@pytest.mark.parametrize(
    ("value", "handler", "reason"),
    [
        (b"{", {}, r"^not_json: at character 1$"),
        (MERGED.encode(), {"fail": KeyError("Ann")}, r"^KeyError at tests/unit/runtime/test_runtime_cuts\.py:\d+$"),
        (MERGED.encode(), {"reject": "older_version"}, r"^older_version$"),
    ],
)
async def test_what_fails_again_stays_parked_and_says_why(value: bytes, handler: dict[str, Any], reason: str) -> None:
    message = Message(Spot(IDENTITIES.name, 0), 5, PERSON.encode(), value, DAY)
    with pytest.raises(ReplayRefused, match=reason):
        await replay(Noting(), service(IDENTITIES, **handler)[0], message)


async def test_an_outage_while_replaying_is_no_refusal() -> None:
    message = Message(Spot(IDENTITIES.name, 0), 5, PERSON.encode(), MERGED.encode(), DAY)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await replay(Noting(), service(IDENTITIES, fail=asyncpg.DeadlockDetectedError())[0], message)
