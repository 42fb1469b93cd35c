"""Events on their way out: queued in the handler's transaction, sent by the relay after commit."""

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from contracts.topics import TOPIC_BY_TYPE, AnyEvent
from services.runtime.database import Connection
from services.runtime.ledger import Spot
from services.runtime.partitioning import partition_of

# Below Kafka's default message limit (1,048,588 bytes with its own framing), so that the relay never meets a refusal.
MOST_EVENT_BYTES: Final = 1_000_000


class EventTooLarge(ValueError):  # noqa: N818 - names the thing
    """An event that no broker would take. A bug of the handler: it must split."""


class Outgoing(NamedTuple):
    """An event ready to be queued."""

    topic: str
    partition: int
    key: bytes
    payload: bytes
    fence: bool


def outgoing(event: AnyEvent, *, fence: bool = False) -> Outgoing:
    """Encode an event for the topic that the registry gives its type. Raises :class:`EventTooLarge`."""
    topic = TOPIC_BY_TYPE[event.type]
    key = event.subject.encode()
    payload = event.encode()
    if len(payload) > MOST_EVENT_BYTES:
        raise EventTooLarge(f"{event.type} of {len(payload)} bytes")
    return Outgoing(topic.name, partition_of(key, topic.partitions), key, payload, fence)


_QUEUE = """
    INSERT INTO runtime_outbox (topic, partition, key, payload, fence)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::bytea[], $4::bytea[], $5::boolean[])
"""
# From here on COPY is cheaper than arrays of parameters.
_COPY_FROM = 1_000


async def queue(connection: Connection, events: Sequence[Outgoing]) -> None:
    """Write events to the outbox, in order, inside the open transaction: one round trip."""
    if len(events) >= _COPY_FROM:
        await connection.copy_records_to_table("runtime_outbox", records=events, columns=Outgoing._fields)
    elif events:
        await connection.execute(_QUEUE, *map(list, zip(*events, strict=True)))


async def publish_completed(connection: Connection, event: AnyEvent) -> None:
    """Queue an announcement whose ``data.end_offsets`` the relay fills in when everything before it is on the log.

    Queue it in the transaction of the delivery's last events, or in a later one.
    """
    await queue(connection, [outgoing(event, fence=True)])


def fill_fence(payload: bytes, end_offsets: Mapping[Spot, int]) -> bytes:
    """The announcement with the vector of everything that its service ever wrote."""
    event = json.loads(payload)
    event["data"]["end_offsets"] = nested(end_offsets)
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def nested(end_offsets: Mapping[Spot, int]) -> dict[str, dict[str, int]]:
    """A vector as it stands in an event: topic, then partition as text."""
    vector: dict[str, dict[str, int]] = {}
    for spot, offset in sorted(end_offsets.items()):
        vector.setdefault(spot.topic, {})[str(spot.partition)] = offset
    return vector
