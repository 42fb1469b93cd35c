"""Simulated files through intake, alignment and risk in one process: what each delivery makes of care actions.

The services' own code over PostgreSQL, without a broker: every event of a delivery is handed over before the next is taken.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from contracts.delivery import DeliveryCompleted
from contracts.months import last_day
from contracts.topics import EVENT_BY_TYPE, TOPIC_BY_TYPE, AnyEvent
from services.alignment.worker import SERVICE as ALIGNMENT
from services.intake.deliveries import next_waiting, register
from services.intake.pipeline import Pipeline
from services.intake.reading import PersonReference
from services.intake.sealing import IdentityKeys
from services.intake.vault import person_of
from services.intake.worker import SERVICE as INTAKE
from services.risk.worker import SERVICE as RISK
from services.runtime.database import Connection, apply_migrations, close, connect
from services.runtime.service import Batch, Cut, Received, ServiceDefinition

KEYS: Final = IdentityKeys(b"k" * 32, b"s" * 32)
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


async def _apply(definition: ServiceDefinition, connection: Connection, events: Iterable[AnyEvent]) -> list[AnyEvent]:
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


async def _cut(definition: ServiceDefinition, connection: Connection, cut: Cut) -> list[AnyEvent]:
    transaction = _Transaction(connection)
    for step in (definition.settle, definition.at_cut):
        if step is not None:
            async with connection.transaction():
                await step(cut, transaction)
    return transaction.published


@dataclass(slots=True)
class CareRun:
    """The three services, and what was said since the last look."""

    writing: Connection
    reading: Connection
    alignment: Connection
    risk: Connection
    read_through: int = 0

    async def deliver(self, path: Path, received_at: datetime) -> Cut | None:
        """Take one file up to its cut; ``None`` for content that was delivered before."""
        registration = await register(self.writing, path, received_at)
        if registration.known:
            return None
        while delivery := await next_waiting(self.writing):
            await Pipeline(self.writing, self.reading, KEYS, "OH", synthetic_identifiers=True).process(delivery)
        events = await self._said()
        done = next((one for one in events if isinstance(one, DeliveryCompleted)), None)
        if done is None:
            raise Rejected(f"{path.name} was not completed")
        cut = Cut(done.deliveryseq, done.deliveryid, done.time, done.data.dated)
        decided = await _apply(ALIGNMENT, self.alignment, events)
        decided += await _cut(ALIGNMENT, self.alignment, cut)
        await _apply(RISK, self.risk, [*events, *decided])
        await _cut(RISK, self.risk, cut)
        return cut

    async def _said(self) -> list[AnyEvent]:
        rows = await self.writing.fetch(
            "SELECT id, payload FROM runtime_outbox WHERE id > $1 ORDER BY id", self.read_through
        )
        self.read_through = max((row["id"] for row in rows), default=self.read_through)
        return [EVENT_BY_TYPE[json.loads(row["payload"])["type"]].model_validate_json(row["payload"]) for row in rows]

    async def person(self, mbi: str) -> str | None:
        """The pseudonym behind an identifier."""
        return await person_of(self.writing, KEYS, PersonReference("mbi", mbi))


@asynccontextmanager
async def care_run(database_url: str) -> AsyncIterator[CareRun]:
    """Empty services in one database."""
    async with AsyncExitStack() as stack:
        connections = []
        for definition in (INTAKE, INTAKE, ALIGNMENT, RISK):
            connection = await connect(database_url, definition.schema)
            stack.push_async_callback(close, connection)
            await apply_migrations(connection, definition.schema, definition.migrations)
            connections.append(connection)
        writing, reading, alignment, risk = connections
        yield CareRun(writing, reading, alignment, risk)


def deliveries_of(directory: Path) -> list[tuple[Path, datetime]]:
    """The simulated files in the order of delivery, each received at the end of its month."""
    truth: dict[str, Any] = json.loads((directory / "truth.json").read_text(encoding="utf-8"))
    found = []
    for number, delivery in enumerate(truth["deliveries"]):
        month = delivery["path"].split("/")[0][4:]
        end = last_day(month)
        received = datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(seconds=number)
        found.append((directory / "deliveries" / delivery["path"], received))
    return found


async def deliver_all(run: CareRun, deliveries: Sequence[tuple[Path, datetime]]) -> list[Cut]:
    """Take every file; give the cuts."""
    cuts = [await run.deliver(path, received) for path, received in deliveries]
    return [cut for cut in cuts if cut is not None]
