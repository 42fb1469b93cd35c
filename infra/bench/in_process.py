"""Services handed events and cuts in one process: their own code over PostgreSQL, without a broker."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from contracts.topics import EVENT_BY_TYPE, TOPIC_BY_TYPE, AnyEvent
from services.runtime.database import Connection
from services.runtime.service import Batch, Cut, Received, ServiceDefinition

_EVENTS_AT_ONCE: Final = 200


class Rejected(Exception):  # noqa: N818 - names the outcome
    """A service would not take an event."""


@dataclass(slots=True)
class _Transaction:
    connection: Connection
    published: list[AnyEvent] = field(default_factory=list)

    def publish(self, event: AnyEvent) -> None:
        self.published.append(event)

    def reject(self, received: Received, reason: str, detail: str = "") -> None:
        raise Rejected(f"{received.event.type}: {reason} {detail}")


async def apply(definition: ServiceDefinition, connection: Connection, events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Hand events over as a worker would, topic by topic; give what was published."""
    topics: dict[str, list[AnyEvent]] = defaultdict(list)
    wanted = {topic.name for topic in definition.topics}
    for event in events:
        topics[TOPIC_BY_TYPE[event.type].name].append(event)
    published: list[AnyEvent] = []
    for name in sorted(wanted & topics.keys()):
        for start in range(0, len(topics[name]), _EVENTS_AT_ONCE):
            batch = topics[name][start : start + _EVENTS_AT_ONCE]
            transaction = _Transaction(connection)
            received = tuple(Received(event, name, 0, start + number) for number, event in enumerate(batch))
            async with connection.transaction():
                await definition.handle(Batch(name, 0, received), transaction)
            published += transaction.published
    return published


async def cut_of(definition: ServiceDefinition, connection: Connection, cut: Cut) -> list[AnyEvent]:
    """Settle and cut; give what was published."""
    transaction = _Transaction(connection)
    for step in (definition.settle, definition.at_cut):
        if step is not None:
            async with connection.transaction():
                await step(cut, transaction)
    return transaction.published


async def said_since(connection: Connection, read_through: int) -> tuple[list[AnyEvent], int]:
    """What intake said behind a place in its outbox, and the place that this reaches."""
    rows = await connection.fetch("SELECT id, payload FROM runtime_outbox WHERE id > $1 ORDER BY id", read_through)
    events = [EVENT_BY_TYPE[json.loads(row["payload"])["type"]].model_validate_json(row["payload"]) for row in rows]
    return events, max((row["id"] for row in rows), default=read_through)
