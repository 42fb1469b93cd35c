"""Simulated files through intake, alignment and risk in one process: what each delivery makes of care actions.

The services' own code over PostgreSQL, without a broker: every event of a delivery is handed over before the next is taken.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from contracts.delivery import DeliveryCompleted
from contracts.months import last_day
from infra.bench.in_process import Rejected, apply, cut_of, said_since
from services.alignment.worker import SERVICE as ALIGNMENT
from services.intake.deliveries import next_waiting, register
from services.intake.pipeline import Pipeline
from services.intake.reading import PersonReference
from services.intake.sealing import IdentityKeys
from services.intake.vault import person_of
from services.intake.worker import SERVICE as INTAKE
from services.risk.worker import SERVICE as RISK
from services.runtime.database import Connection, apply_migrations, close, connect
from services.runtime.service import Cut

KEYS: Final = IdentityKeys(b"k" * 32, b"s" * 32)


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
        events, self.read_through = await said_since(self.writing, self.read_through)
        done = next((one for one in events if isinstance(one, DeliveryCompleted)), None)
        if done is None:
            raise Rejected(f"{path.name} was not completed")
        cut = Cut(done.deliveryseq, done.deliveryid, done.time, done.data.dated)
        decided = await apply(ALIGNMENT, self.alignment, events)
        decided += await cut_of(ALIGNMENT, self.alignment, cut)
        await apply(RISK, self.risk, [*events, *decided])
        await cut_of(RISK, self.risk, cut)
        return cut

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
