"""How a service stands: what waits to be read, to be sent and to be looked at, and which deliveries are done."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.runtime.cuts import consumed_topics
from services.runtime.database import Connection
from services.runtime.dead_letters import count_by_reason
from services.runtime.ledger import Message, Spot, read_positions
from services.runtime.log import LogReader
from services.runtime.service import ServiceDefinition


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """One partition. ``lag_seconds`` is the age of the oldest message that waits; none where none waits."""

    topic: str
    partition: int
    next_offset: int
    end_offset: int
    lag: int
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Events that wait to be sent."""

    depth: int
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """All of it."""

    service: str
    partitions: tuple[PartitionStatus, ...]
    outbox: OutboxStatus
    dead_letters: Mapping[str, int]
    last_cut: int
    last_delivery: int

    @property
    def lag(self) -> int:
        """Messages that wait, in all partitions."""
        return sum(partition.lag for partition in self.partitions)

    @property
    def lag_seconds(self) -> float | None:
        """Age of the oldest message that waits."""
        return max((p.lag_seconds for p in self.partitions if p.lag_seconds is not None), default=None)


async def read_outbox(connection: Connection) -> OutboxStatus:
    """Depth and age of the outbox, by the database's own clock."""
    row = await connection.fetchrow(
        "SELECT count(*) AS depth, extract(epoch FROM now() - min(queued_at))::float AS age FROM runtime_outbox"
    )
    return OutboxStatus(row["depth"], row["age"]) if row else OutboxStatus(0, None)


async def read_status(
    connection: Connection, reader: LogReader, definition: ServiceDefinition, now: datetime | None = None
) -> ServiceStatus:
    """Ask the database and the log. Topics must exist; a partition never read counts from 0."""
    positions = await read_positions(connection)
    spots = tuple(
        Spot(topic.name, number)
        for topic in (consumed_topics(definition) if definition.topics else ())
        for number in range(topic.partitions)
    )
    moment = now or datetime.fromtimestamp(time.time(), UTC)
    return ServiceStatus(
        service=definition.name,
        partitions=await _partitions(reader, positions, spots, moment),
        outbox=await read_outbox(connection),
        dead_letters=await count_by_reason(connection),
        last_cut=await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM runtime_cut"),
        last_delivery=await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM runtime_vector"),
    )


async def _partitions(
    reader: LogReader, positions: Mapping[Spot, int], spots: Sequence[Spot], now: datetime
) -> tuple[PartitionStatus, ...]:
    if not spots:
        return ()
    ends = await reader.ends(spots)
    return tuple([await _partition(reader, spot, positions.get(spot, 0), ends[spot], now) for spot in spots])


async def _partition(reader: LogReader, spot: Spot, position: int, end: int, now: datetime) -> PartitionStatus:
    oldest = await reader.first_from(spot, position) if position < end else None
    # An end behind holes only is no lag.
    lag = end - position if oldest is not None else 0
    return PartitionStatus(*spot, position, end, lag, _age(oldest, now))


def _age(message: Message | None, now: datetime) -> float | None:
    return (now - message.time).total_seconds() if message is not None and message.time is not None else None


async def oldest_age_seconds(reader: LogReader, positions: Mapping[Spot, int], now: datetime) -> float:
    """Age of the oldest message at or after the positions; 0 where none waits."""
    ages = [_age(await reader.first_from(spot, position), now) for spot, position in positions.items()]
    return max((age for age in ages if age is not None), default=0.0)
