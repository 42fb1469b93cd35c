"""Delivered files through intake, alignment and cost shift in one process, over PostgreSQL and without a broker, and the gateway over what comes of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cost_files import dated
from cost_oracle import Delivered

from contracts.delivery import DeliveryCompleted
from contracts.topics import AnyEvent
from infra.bench.in_process import apply, cut_of, said_since
from services.alignment.worker import SERVICE as ALIGNMENT
from services.cost_shift.gateway import router
from services.cost_shift.worker import SERVICE as COST_SHIFT
from services.intake.decisions import release
from services.intake.deliveries import next_waiting, register
from services.intake.pipeline import Pipeline
from services.intake.sealing import IdentityKeys
from services.intake.worker import SERVICE as INTAKE
from services.runtime.database import Connection, apply_migrations, close, connect, open_pool
from services.runtime.gateway import create_gateway
from services.runtime.service import Cut

KEYS = IdentityKeys(b"k" * 32, b"s" * 32)


@dataclass(slots=True)
class CostRun:
    """The three services; ``published`` is what cost shift said, in order, ``kinds`` how often intake said what."""

    writing: Connection
    reading: Connection
    alignment: Connection
    cost_shift: Connection
    delivered: list[Delivered] = field(default_factory=list)
    published: list[AnyEvent] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    held: int = 0
    repeated: int = 0
    _read_through: int = 0
    _received: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    async def deliver(self, path: Path) -> None:
        """Take one file up to its cut. Content that was delivered before is no delivery; what is held is released."""
        day = datetime.fromisoformat(dated(path.name)).replace(tzinfo=UTC)
        self._received = max(self._received + timedelta(seconds=1), day)
        registration = await register(self.writing, path, self._received)
        if registration.known:
            self.repeated += 1
            return
        cut = await self._taken()
        if cut is None:
            self.held += 1
            await release(self.writing, registration.delivery_id, actor="test", reason="backfill")
            cut = await self._taken()
        assert cut is not None
        self.delivered.append(Delivered(cut.sequence, path))

    async def _taken(self) -> Cut | None:
        while delivery := await next_waiting(self.writing):
            await Pipeline(self.writing, self.reading, KEYS, "OH", synthetic_identifiers=True).process(delivery)
        events, self._read_through = await said_since(self.writing, self._read_through)
        for event in events:
            self.kinds[event.type] = self.kinds.get(event.type, 0) + 1
        done = next((one for one in events if isinstance(one, DeliveryCompleted)), None)
        if done is None:
            return None
        cut = Cut(done.deliveryseq, done.deliveryid, done.time, done.data.dated)
        decided = await apply(ALIGNMENT, self.alignment, events)
        decided += await cut_of(ALIGNMENT, self.alignment, cut)
        await apply(COST_SHIFT, self.cost_shift, [*events, *decided])
        self.published += await cut_of(COST_SHIFT, self.cost_shift, cut)
        return cut


@asynccontextmanager
async def cost_run(database_url: str, deliveries: Sequence[Path]) -> AsyncIterator[CostRun]:
    """Empty services in one database that have taken these files."""
    async with AsyncExitStack() as stack:
        emptied = await connect(database_url, "public")
        await emptied.execute("DROP SCHEMA IF EXISTS intake, alignment, cost_shift CASCADE")
        await close(emptied)
        connections = []
        for definition in (INTAKE, INTAKE, ALIGNMENT, COST_SHIFT):
            connection = await connect(database_url, definition.schema)
            stack.push_async_callback(close, connection)
            await apply_migrations(connection, definition.schema, definition.migrations)
            connections.append(connection)
        run = CostRun(*connections)
        for path in deliveries:
            await run.deliver(path)
        yield run


async def _always(_: Any) -> bool:
    return True


@asynccontextmanager
async def gateway(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway over the same database."""
    app = create_gateway(
        "cost-shift", [router], open_pool=lambda: open_pool(database_url, "cost_shift"), advancing=_always, checks={}
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as opened,
    ):
        yield opened
