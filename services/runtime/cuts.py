"""Consistent cuts: when has this service applied a delivery, and what does it say then.

Every service records the vectors that stand on the deliveries topic. A delivery is cut when the positions have
passed the vectors of all services it waits for; deliveries are cut in order, each in one transaction that also
queues ``delivery.processed`` behind everything that was queued because of it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

import asyncpg

from contracts.delivery import (
    DeliveryCompleted,
    DeliveryProcessed,
    DeliveryProcessedData,
    DeliveryQuarantined,
    DeliveryReceived,
)
from contracts.topics import TOPIC_BY_TYPE, AnyEvent, Topic
from services.runtime.database import Connection
from services.runtime.dead_letters import Seal
from services.runtime.ledger import Spot, read_positions
from services.runtime.service import AtCut, Cut, ServiceDefinition
from services.runtime.transactions import ServiceTransaction

INTAKE: Final = "intake"
# What both int() and PostgreSQL's integer read alike.
_PARTITION = re.compile(r"[0-9]{1,9}")


def deliveries_topic() -> Topic:
    """The topic on which deliveries are announced."""
    return TOPIC_BY_TYPE[DeliveryCompleted.TYPE]


def consumed_topics(definition: ServiceDefinition) -> tuple[Topic, ...]:
    """The definition's own topics, and the one that says how far the others are."""
    deliveries = deliveries_topic()
    return definition.topics if deliveries in definition.topics else (*definition.topics, deliveries)


class _Vector(NamedTuple):
    sequence: int
    service: str
    delivery_id: str
    event: AnyEvent
    quarantined: bool
    end_offsets: str | None
    dated: date | None


def _vector(event: AnyEvent) -> _Vector | None:
    """What an event on the deliveries topic says about a service and a delivery."""
    service, offsets = INTAKE, None
    if isinstance(event, DeliveryProcessed):
        service = event.data.service
    elif not isinstance(event, DeliveryCompleted | DeliveryReceived | DeliveryQuarantined):
        return None
    if isinstance(event, DeliveryProcessed | DeliveryCompleted):
        offsets = json.dumps(_checked(event.data.end_offsets))
    quarantined = isinstance(event, DeliveryQuarantined)
    dated = event.data.dated if isinstance(event, DeliveryCompleted | DeliveryReceived) else None
    return _Vector(event.deliveryseq, service, event.deliveryid, event, quarantined, offsets, dated)


def _checked(vector: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    """A vector that is not made of partitions would stop every cut after it: its event is parked instead."""
    if not all(_PARTITION.fullmatch(partition) for ends in vector.values() for partition in ends):
        raise ValueError("a vector names what is no partition")
    return vector


_RECORD = """
    INSERT INTO runtime_vector AS known (sequence, service, delivery_id, event_time, quarantined, end_offsets, dated)
    VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7)
    ON CONFLICT (sequence, service) DO UPDATE
    SET event_time = EXCLUDED.event_time, quarantined = EXCLUDED.quarantined, end_offsets = EXCLUDED.end_offsets,
        dated = EXCLUDED.dated
    WHERE known.end_offsets IS NULL AND NOT known.quarantined
"""


async def record_vectors(connection: Connection, events: Iterable[AnyEvent]) -> None:
    """Remember vectors inside the open transaction. The first that a service states about a delivery stands."""
    vectors = [vector for vector in map(_vector, events) if vector is not None]
    if vectors:
        await connection.executemany(_RECORD, [(*vector[:3], vector.event.time, *vector[4:]) for vector in vectors])


def passed(vector: Mapping[str, Mapping[str, int]], positions: Mapping[Spot, int], topics: frozenset[str]) -> bool:
    """Whether the positions have come to the end of a vector, in the topics that the service reads."""
    return all(
        positions.get(Spot(topic, int(partition)), 0) >= end
        for topic, ends in vector.items()
        if topic in topics
        for partition, end in ends.items()
    )


_NEXT = """
    SELECT sequence, delivery_id, event_time, quarantined, end_offsets IS NOT NULL AS complete, dated
    FROM runtime_vector
    WHERE service = $1 AND sequence > (SELECT coalesce(max(sequence), 0) FROM runtime_cut)
    ORDER BY sequence LIMIT 1
"""
_AWAITED = """
    SELECT end_offsets::text FROM runtime_vector
    WHERE sequence = $1 AND service = ANY($2) AND end_offsets IS NOT NULL
"""


async def cut_next(connection: Connection, definition: ServiceDefinition, seal: Seal) -> Cut | None:
    """Cut the next delivery if it is due. Repeatable read: the cut sees one state of the service, however long it takes."""
    if definition.settle is not None and not await _settled(connection, definition, definition.settle, seal):
        return None
    async with connection.transaction(isolation="repeatable_read"):
        row = await connection.fetchrow(_NEXT, INTAKE)
        if row is None or not (row["quarantined"] or await _is_due(connection, definition, row)):
            return None
        cut = _cut_of(row)
        if not row["quarantined"]:
            await _process(connection, definition, seal, cut)
        await connection.execute("INSERT INTO runtime_cut VALUES ($1, $2, $3)", cut.sequence, cut.delivery_id, cut.time)
        return cut


async def _settled(connection: Connection, definition: ServiceDefinition, settle: AtCut, seal: Seal) -> bool:
    """Whether a delivery is due; what it means for facts of long ago is put in order first.

    Read committed: once it has waited for the workers, it must see what they have written.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_NEXT, INTAKE)
        if row is None or not (row["quarantined"] or await _is_due(connection, definition, row)):
            return False
        if not row["quarantined"]:
            transaction = ServiceTransaction(connection, seal)
            await settle(_cut_of(row), transaction)
            await transaction.flush()
    return True


def _cut_of(row: asyncpg.Record) -> Cut:
    return Cut(row["sequence"], row["delivery_id"], row["event_time"], row["dated"] or row["event_time"].date())


async def _is_due(connection: Connection, definition: ServiceDefinition, row: asyncpg.Record) -> bool:
    if not row["complete"]:
        return False
    vectors = await connection.fetch(_AWAITED, row["sequence"], list(definition.waits_for))
    if len(vectors) < len(set(definition.waits_for)):
        return False
    topics = frozenset(topic.name for topic in consumed_topics(definition))
    positions = await read_positions(connection)
    return all(passed(_parsed(vector["end_offsets"]), positions, topics) for vector in vectors)


def _parsed(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


async def _process(connection: Connection, definition: ServiceDefinition, seal: Seal, cut: Cut) -> None:
    transaction = ServiceTransaction(connection, seal)
    if definition.at_cut is not None:
        await definition.at_cut(cut, transaction)
    transaction.announce(processed_event(definition.name, cut))
    await transaction.flush()


def processed_event(service: str, cut: Cut) -> DeliveryProcessed:
    """The announcement, before the relay fills in its vector. The same cut gives the same event id."""
    return DeliveryProcessed.of(
        service=service,
        key=cut.delivery_id,
        version=service,
        time=cut.time,
        delivery_id=cut.delivery_id,
        sequence=cut.sequence,
        data=DeliveryProcessedData(service=service, end_offsets={}),
    )
