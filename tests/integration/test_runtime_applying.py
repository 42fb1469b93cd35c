"""Batches, cuts, the relay's sending and migrations against PostgreSQL alone."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from runtime_tally import (
    DATED,
    PAYLOAD_KEY,
    TIME,
    Topics,
    completed,
    delivery_id,
    facts,
    settings,
    stated,
    unique_prefix,
    write_migrations,
)

from contracts import topics as registry
from contracts.delivery import (
    DeliveryKind,
    DeliveryProcessed,
    DeliveryProcessedData,
    DeliveryQuarantined,
    DeliveryQuarantinedData,
    DeliveryReceived,
    DeliveryReceivedData,
)
from contracts.topics import AnyEvent
from services.runtime.applying import Applied, Applier, examine_all
from services.runtime.cuts import cut_next, record_vectors
from services.runtime.database import Connection, apply_migrations, close, connect, lock_number
from services.runtime.dead_letters import Seal, list_dead_letters
from services.runtime.exits import SchemaConflict, TooManyParked
from services.runtime.ledger import (
    Gap,
    Message,
    Position,
    PositionMoved,
    Spot,
    UnverifiedGap,
    advance,
    create_positions,
    lock_position,
    read_positions,
)
from services.runtime.outbox import outgoing, publish_completed, queue
from services.runtime.relay import Relay, SendFailed
from services.runtime.service import ServiceDefinition
from services.runtime.transactions import open_transaction

pytestmark = pytest.mark.broker


@dataclass
class Desk:
    """A schema, and what applies batches to it."""

    connection: Connection
    topics: Topics
    definition: ServiceDefinition
    seal: Seal
    limit: int = 3
    points: list[str] = field(default_factory=list)

    def spot(self, number: int = 0) -> Spot:
        return Spot(self.topics.tallies.name, number)

    @property
    def applier(self) -> Applier:
        return Applier(self.definition, "tally", self.seal, self.limit, self.points.append)

    def messages(self, events: Sequence[AnyEvent], first: int = 0) -> list[Message]:
        return [
            Message(self.spot(), first + index, event.subject.encode(), event.encode(), TIME)
            for index, event in enumerate(events)
        ]

    async def apply(self, messages: Sequence[Message], *holes: Gap) -> Applied:
        return await self.applier.apply(self.connection, await examine_all(messages), holes)

    async def value(self, statement: str) -> Any:
        return await self.connection.fetchval(statement)

    async def position(self) -> int:
        return (await read_positions(self.connection))[self.spot()]


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    registries = (registry.TOPIC_BY_NAME, registry.TOPIC_BY_TYPE, registry.EVENT_BY_TYPE)
    kept = [dict(known) for known in registries]
    topics = Topics(unique_prefix())
    topics.register()
    definition = topics.definition(write_migrations(tmp_path / "migrations"))
    connection = await connect(database_url, "tally")
    await apply_migrations(connection, "tally", definition.migrations)
    desk = Desk(connection, topics, definition, Seal(settings("x", "y", payload_key=PAYLOAD_KEY).payload_key_bytes()))
    await create_positions(connection, {desk.spot(number): 0 for number in range(4)})
    yield desk
    await close(connection)
    for known, before in zip(registries, kept, strict=True):
        known.clear()
        known.update(before)  # type: ignore[arg-type]


async def test_a_batch_is_applied_once_however_often_it_comes(desk: Desk) -> None:
    messages = desk.messages(facts(10))
    assert await desk.apply(messages[:6]) == Applied(6, 6, 0)
    assert await desk.apply(messages[:6]) == Applied(6, 0, 6)
    assert await desk.apply(messages[3:]) == Applied(10, 4, 3)
    assert await desk.value("SELECT sum(facts) FROM tally_total") == 10
    assert await desk.value("SELECT count(*) FROM runtime_outbox") == 10
    assert desk.points[:4] == ["before_transaction", "after_state", "after_outbox", "after_commit"]


async def test_a_gap_is_not_applied_over_unless_it_is_a_hole(desk: Desk) -> None:
    messages = desk.messages(facts(4), first=5)
    with pytest.raises(UnverifiedGap):
        await desk.apply(messages)
    assert await desk.value("SELECT count(*) FROM tally_fact") == 0
    assert await desk.apply(messages, Gap(0, 5)) == Applied(9, 4, 0)


async def test_a_position_moves_only_from_where_it_was_read(desk: Desk) -> None:
    last = desk.messages(facts(1))[0]
    async with desk.connection.transaction():
        turn = lock_number("worker of tally")
        assert await lock_position(desk.connection, turn, desk.spot()) == Position(0, 0)
        with pytest.raises(LookupError):
            await lock_position(desk.connection, turn, Spot("unknown", 0))
    with pytest.raises(PositionMoved):
        await advance(desk.connection, Position(7, 0), last, 0)
    await advance(desk.connection, Position(0, 0), last, 2)
    assert await desk.position() == 1
    # A position that is there stays.
    await create_positions(desk.connection, {desk.spot(): 0})
    assert await desk.position() == 1


async def test_only_the_failing_message_is_parked(desk: Desk) -> None:
    events = [*facts(3), stated("k1", "bad", 13), *facts(2, sequence=2)]
    assert await desk.apply(desk.messages(events)) == Applied(6, 6, 0)
    assert await desk.value("SELECT sum(facts) FROM tally_total") == 5
    (letter,) = await list_dead_letters(desk.connection)
    assert (letter.offset, letter.reason, letter.delivery_id) == (3, "handler_error", delivery_id(1))
    assert await desk.value("SELECT max(parked_run) FROM runtime_position") == 0


async def test_what_a_handler_rejects_is_parked_in_the_same_transaction(desk: Desk) -> None:
    await desk.apply(desk.messages([stated("k1", "odd", -1), *facts(2)]))
    (letter,) = await list_dead_letters(desk.connection, reason="negative")
    assert (letter.event_type, letter.detail, letter.truncated) == ("tandem.tally.stated.v1", "amount", False)
    assert await list_dead_letters(desk.connection, reason="other") == []
    assert await list_dead_letters(desk.connection, after=letter.id) == []


@pytest.mark.parametrize("kind", ["bug", "poison"])
async def test_the_run_of_parked_messages_has_an_end_and_survives(desk: Desk, kind: str) -> None:
    bad = [stated("k1", f"bad-{number}", 13) for number in range(6)]
    messages = desk.messages([*facts(2), *bad])
    if kind == "poison":
        messages[2:] = [message._replace(value=b"{") for message in messages[2:]]
    with pytest.raises(TooManyParked, match="offset 5"):
        await desk.apply(messages)
    assert await desk.position() == 5
    with pytest.raises(TooManyParked):
        await desk.apply(messages[5:])
    assert await desk.value("SELECT count(*) FROM runtime_dead_letter") == 3
    # A message that works ends the run.
    desk.limit = 4
    await desk.apply([messages[5], *desk.messages(facts(1, sequence=2), first=6)])
    assert await desk.value("SELECT max(parked_run) FROM runtime_position") == 0


async def test_a_payload_too_large_to_keep_is_cut_and_says_so(desk: Desk) -> None:
    await desk.apply([Message(desk.spot(), 0, b"k1", b"{" + b"x" * 1_500_000, TIME)])
    (letter,) = await list_dead_letters(desk.connection)
    assert (letter.truncated, letter.payload_bytes > 1_500_000) == (True, True)
    assert await desk.value("SELECT max(length(payload)) FROM runtime_dead_letter") < 1_100_000


async def test_nothing_of_a_failed_block_remains(desk: Desk) -> None:
    with pytest.raises(KeyError):  # noqa: PT012 - the block is what is tested
        async with open_transaction(desk.connection, desk.seal) as transaction:
            transaction.publish(facts(1)[0])
            await transaction.connection.execute("INSERT INTO tally_revision VALUES (1, 1)")
            raise KeyError
    assert await desk.value("SELECT count(*) FROM runtime_outbox") == 0
    assert await desk.value("SELECT count(*) FROM tally_revision") == 0


async def test_many_events_are_queued_in_order(desk: Desk) -> None:
    events = [outgoing(event) for event in facts(1_500)]
    async with desk.connection.transaction():
        await queue(desk.connection, events)
        await queue(desk.connection, [])
    payloads = [row["payload"] for row in await desk.connection.fetch("SELECT payload FROM runtime_outbox ORDER BY id")]
    assert payloads == [event.payload for event in events]


def _received(sequence: int) -> DeliveryReceived:
    data = DeliveryReceivedData(kind=DeliveryKind.CCLF, source="D9001", file_count=1, dated=TIME.date())
    return _delivery(DeliveryReceived, sequence, data)


def _quarantined(sequence: int) -> DeliveryQuarantined:
    return _delivery(DeliveryQuarantined, sequence, DeliveryQuarantinedData(kind=None, reason_code="truncated"))


def _processed(sequence: int, service: str, ends: dict[str, dict[str, int]]) -> DeliveryProcessed:
    return _delivery(DeliveryProcessed, sequence, DeliveryProcessedData(service=service, end_offsets=ends))


def _delivery(event_class: Any, sequence: int, data: Any) -> Any:
    return event_class.of(
        service="intake",
        key=delivery_id(sequence),
        version=event_class.TYPE,
        time=TIME,
        delivery_id=delivery_id(sequence),
        sequence=sequence,
        data=data,
    )


async def _cut(desk: Desk) -> int | None:
    cut = await cut_next(desk.connection, desk.definition, desk.seal)
    return cut.sequence if cut else None


async def test_cuts_come_in_order_and_none_is_left_out(desk: Desk) -> None:
    assert await _cut(desk) is None
    await record_vectors(desk.connection, [_received(1), _received(2), completed(2, {})])
    assert await _cut(desk) is None
    await record_vectors(desk.connection, [completed(1, {desk.topics.tallies.name: {"0": 3}})])
    assert await _cut(desk) is None
    await desk.apply(desk.messages(facts(3)))
    assert [await _cut(desk) for _ in range(3)] == [1, 2, None]
    await record_vectors(desk.connection, [_received(3), _quarantined(3), completed(4, {})])
    assert [await _cut(desk) for _ in range(3)] == [3, 4, None]
    announced = await desk.connection.fetch("SELECT payload FROM runtime_outbox WHERE fence ORDER BY id")
    assert [json.loads(row["payload"])["deliveryseq"] for row in announced] == [1, 2, 4]
    assert await desk.value("SELECT count(*) FROM tally_revision") == 3


async def test_a_cut_says_of_when_its_delivery_is(desk: Desk) -> None:
    await record_vectors(desk.connection, [completed(1, {}), completed(2, {})])
    # As before deliveries were dated here: then the day on which it came must do.
    await desk.connection.execute("UPDATE runtime_vector SET dated = NULL WHERE sequence = 2")
    cuts = [await cut_next(desk.connection, desk.definition, desk.seal) for _ in range(2)]
    assert [cut and cut.dated for cut in cuts] == [DATED, TIME.date()]


async def test_a_cut_waits_for_every_service_and_the_first_vector_stands(desk: Desk) -> None:
    desk.definition = replace(desk.definition, waits_for=("intake", "alignment"))
    beyond = {desk.topics.tallies.name: {"0": 9}}
    await record_vectors(desk.connection, [completed(1, {}), completed(1, beyond), _processed(1, "risk", {})])
    assert await _cut(desk) is None
    await record_vectors(desk.connection, [_processed(1, "alignment", beyond)])
    assert await _cut(desk) is None
    await desk.apply(desk.messages(facts(9)))
    assert await _cut(desk) == 1


class Log:
    """A broker in memory that can refuse."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, bytes]] = []
        self.refusing = False

    async def send(self, topic: str, payload: bytes, *, key: bytes, partition: int) -> Any:
        assert key
        self.sent.append((topic, partition, payload))
        offset = sum(sent[:2] == (topic, partition) for sent in self.sent) - 1
        return self._answer(SimpleNamespace(topic=topic, partition=partition, offset=offset))

    async def _answer(self, result: SimpleNamespace) -> SimpleNamespace:
        if self.refusing:
            raise KafkaTimeoutError
        return result


async def test_the_relay_sends_in_order_and_fills_fences_in(desk: Desk) -> None:
    log: Any = Log()
    relay = Relay(desk.definition, desk.connection, log, desk.seal)
    events = facts(20)
    await queue(desk.connection, [outgoing(event) for event in events[:10]])
    await publish_completed(desk.connection, completed(1, {}))
    await queue(desk.connection, [outgoing(event) for event in events[10:]])
    assert await relay.send_chunk() == 21
    assert [payload for *_, payload in log.sent[:10]] == [event.encode() for event in events[:10]]
    vector = json.loads(log.sent[10][2])["data"]["end_offsets"][desk.topics.tallies.name]
    assert sum(vector.values()) == 10
    assert [payload for *_, payload in log.sent[11:]] == [event.encode() for event in events[10:]]
    assert await desk.value("SELECT count(*) FROM runtime_outbox") == 0
    other = Relay(desk.definition, desk.connection, log, desk.seal)
    await other.load_ends()
    assert other.ends == relay.ends
    assert await relay.send_chunk() == 0


async def test_the_relay_forgets_nothing_that_was_refused(desk: Desk) -> None:
    log: Any = Log()
    relay = Relay(desk.definition, desk.connection, log, desk.seal)
    await queue(desk.connection, [outgoing(event) for event in facts(5)])
    log.refusing = True
    with pytest.raises(SendFailed):
        await relay.turn()
    assert await desk.value("SELECT count(*) FROM runtime_outbox") == 5
    log.refusing = False
    assert await relay.turn()
    assert await desk.value("SELECT count(*) FROM runtime_outbox") == 0


async def test_migrations_are_applied_once_and_never_change(desk: Desk, tmp_path: Path) -> None:
    folder = desk.definition.migrations
    assert await apply_migrations(desk.connection, "tally", folder) == 0
    (folder / "0002_more.sql").write_text("CREATE TABLE more (n integer);")
    (folder / "notes.sql").write_text("not a migration")
    assert await apply_migrations(desk.connection, "tally", folder) == 1
    (folder / "0002_more.sql").write_text("CREATE TABLE more (n bigint);")
    with pytest.raises(SchemaConflict, match="service/0002_more"):
        await apply_migrations(desk.connection, "tally", folder)
    assert tmp_path in folder.parents
