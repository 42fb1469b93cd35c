"""A batch becomes a transaction, or a few.

What is applied already is dropped, the rest is decoded and handed over, and state, outbox, dead letters and
position are committed together or not at all.

Failures are told apart here. Transient ones go to the caller, who tries again. A message that is not an event is
parked in the same transaction. When the handler fails, the batch is rolled back and its messages are applied one by
one, so that only the one that fails is parked.
"""

import asyncio
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

from contracts.decoding import UndecodableEvent, check_key, decode
from contracts.topics import AnyEvent
from services.runtime import telemetry
from services.runtime.cuts import deliveries_topic, record_vectors
from services.runtime.database import Connection, is_transient, lock_number
from services.runtime.dead_letters import DeadLetter, Seal
from services.runtime.exits import RuntimeFailure, TooManyParked
from services.runtime.ledger import (
    Gap,
    Message,
    Position,
    PositionMoved,
    Spot,
    UnverifiedGap,
    advance,
    lock_position,
    unread,
)
from services.runtime.service import Batch, Received, ServiceDefinition
from services.runtime.transactions import Probe, ServiceTransaction, no_probe

HANDLER_ERROR: Final = "handler_error"
_SOURCE_ROOT: Final = Path(__file__).parents[2]


class Candidate(NamedTuple):
    """A message and the event in it, or why there is none."""

    message: Message
    event: AnyEvent | None
    refusal: UndecodableEvent | None


class HandlerFailed(Exception):  # noqa: N818 - names the finding
    """The handler raised something that trying again does not help. Holds class and place only."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__} at {location_of(error)}")


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a batch: the new position, and how many messages it took."""

    next_offset: int
    fresh: int
    overlap: int


def examine(message: Message) -> Candidate:
    """Decode a message, or say why it cannot be."""
    try:
        event = decode(message.spot.topic, message.value)
        check_key(event, message.key)
    except UndecodableEvent as refusal:
        return Candidate(message, None, refusal)
    return Candidate(message, event, None)


# Decoding a large message takes a fifth of a millisecond: answers of the database are looked at in between.
_EXAMINED_TOGETHER: Final = 8


async def examine_all(messages: Sequence[Message]) -> list[Candidate]:
    """Decode messages, giving way now and then, so that the database is kept busy meanwhile."""
    examined = []
    for number, message in enumerate(messages, 1):
        examined.append(examine(message))
        if number % _EXAMINED_TOGETHER == 0:
            await asyncio.sleep(0)
    return examined


def location_of(error: BaseException) -> str:
    """File and line where an exception was raised, the innermost of this project's own: never its text."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_SOURCE_ROOT)]
    if not frames:
        return "unknown"
    frame = next((frame for frame in reversed(own) if "site-packages" not in frame.filename), frames[-1])
    path = Path(frame.filename)
    return f"{path.relative_to(_SOURCE_ROOT) if path.is_relative_to(_SOURCE_ROOT) else path.name}:{frame.lineno}"


def parked_run(before: int, candidates: Iterable[Candidate], limit: int) -> int:
    """How many messages in a row end parked after these. Raises :class:`TooManyParked` where that passes the limit."""
    run = before
    for candidate in candidates:
        run = run + 1 if candidate.refusal else 0
        if run > limit:
            raise TooManyParked(_too_many(candidate.message, limit))
    return run


def _too_many(message: Message, limit: int) -> str:
    spot = message.spot
    return f"more than {limit} messages in a row failed, at {spot.topic} {spot.partition} offset {message.offset}"


async def hand_over(definition: ServiceDefinition, batch: Batch, transaction: ServiceTransaction) -> None:
    """Give a batch to whom it is for: vectors are the runtime's, the service's own topics its handler's."""
    if batch.topic == deliveries_topic().name:
        await record_vectors(transaction.connection, (received.event for received in batch.received))
    if any(topic.name == batch.topic for topic in definition.topics):
        await definition.handle(batch, transaction)


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies batches for one service in one schema."""

    definition: ServiceDefinition
    schema: str
    seal: Seal
    parked_run_limit: int
    probe: Probe = no_probe

    @property
    def _turn(self) -> int:
        # One number for all topics: the same people are in the same partition number of each.
        return lock_number(f"worker of {self.schema}")

    async def apply(
        self, connection: Connection, candidates: Sequence[Candidate], holes: Iterable[Gap] = ()
    ) -> Applied:
        """Apply consecutive messages of one partition.

        Raises :class:`UnverifiedGap` where messages may be missing, :class:`TooManyParked`, and whatever is transient.
        """
        started = perf_counter()
        try:
            applied = await self._together(connection, candidates, holes)
        except HandlerFailed:
            applied = await self._one_by_one(connection, candidates, holes)
        except TooManyParked:
            # One by one, everything before the breach is still applied; the breach is raised again.
            applied = await self._one_by_one(connection, candidates, holes)
        self._count(candidates[0].message.spot, applied, perf_counter() - started)
        return applied

    async def _together(self, connection: Connection, candidates: Sequence[Candidate], holes: Iterable[Gap]) -> Applied:
        try:
            return await self._committed(connection, candidates, holes)
        except (UnverifiedGap, PositionMoved, RuntimeFailure):
            raise
        except Exception as error:
            # The handler's fault may show as late as at commit; a fault of the database itself also stops the parking.
            if is_transient(error, connection):
                raise
            raise HandlerFailed(error) from error

    async def _committed(
        self, connection: Connection, candidates: Sequence[Candidate], holes: Iterable[Gap]
    ) -> Applied:
        spot = candidates[0].message.spot
        self.probe("before_transaction")
        async with connection.transaction():
            position = await lock_position(connection, self._turn, spot)
            fresh = _fresh(position, candidates, holes)
            if not fresh:
                return Applied(position.next_offset, 0, len(candidates))
            run = parked_run(position.parked_run, fresh, self.parked_run_limit)
            transaction = await self._handled(connection, fresh)
            self.probe("after_state")
            await transaction.flush()
            self.probe("after_outbox")
            await advance(connection, position, fresh[-1].message, run)
        self.probe("after_commit")
        self._tell(transaction)
        return Applied(fresh[-1].message.offset + 1, len(fresh), len(candidates) - len(fresh))

    async def _handled(self, connection: Connection, fresh: Sequence[Candidate]) -> ServiceTransaction:
        spot = fresh[0].message.spot
        transaction = ServiceTransaction(connection, self.seal, {item.message.offset: item.message for item in fresh})
        for item in fresh:
            if item.refusal:
                transaction.park(DeadLetter(item.message, item.refusal.reason, item.refusal.detail, None))
        received = tuple(
            Received(item.event, spot.topic, spot.partition, item.message.offset) for item in fresh if item.event
        )
        if received:
            await hand_over(self.definition, Batch(spot.topic, spot.partition, received), transaction)
        return transaction

    async def _one_by_one(
        self, connection: Connection, candidates: Sequence[Candidate], holes: Iterable[Gap]
    ) -> Applied:
        overlap = 0
        for candidate in candidates:
            try:
                applied = await self._together(connection, (candidate,), holes)
            except HandlerFailed as failure:
                applied = await self._park(connection, candidate, str(failure), holes)
            overlap += applied.overlap
        return Applied(applied.next_offset, len(candidates) - overlap, overlap)

    async def _park(self, connection: Connection, candidate: Candidate, detail: str, holes: Iterable[Gap]) -> Applied:
        message = candidate.message
        async with connection.transaction():
            position = await lock_position(connection, self._turn, message.spot)
            if not _fresh(position, (candidate,), holes):
                return Applied(position.next_offset, 0, 1)
            if position.parked_run >= self.parked_run_limit:
                raise TooManyParked(f"{_too_many(message, self.parked_run_limit)}: {detail}")
            transaction = ServiceTransaction(connection, self.seal)
            transaction.park(DeadLetter(message, HANDLER_ERROR, detail, candidate.event))
            await transaction.flush()
            await advance(connection, position, message, position.parked_run + 1)
        self._tell(transaction)
        return Applied(message.offset + 1, 1, 0)

    def _tell(self, transaction: ServiceTransaction) -> None:
        for letter in transaction.parked:
            telemetry.DEAD_LETTERS.labels(self.definition.name, letter.reason).inc()
            telemetry.log(
                "dead_letter",
                level="warning",
                service=self.definition.name,
                reason=letter.reason,
                topic=letter.message.spot.topic,
                partition=letter.message.spot.partition,
                offset=letter.message.offset,
            )

    def _count(self, spot: Spot, applied: Applied, seconds: float) -> None:
        service, topic = self.definition.name, spot.topic
        telemetry.MESSAGES_APPLIED.labels(service, topic).inc(applied.fresh)
        telemetry.BATCHES_APPLIED.labels(service).inc()
        telemetry.BATCH_SECONDS.labels(service).observe(seconds)
        if applied.overlap:
            telemetry.OVERLAPS.labels(service, topic).inc(applied.overlap)


def _fresh(position: Position, candidates: Sequence[Candidate], holes: Iterable[Gap]) -> Sequence[Candidate]:
    count = len(unread(position.next_offset, [candidate.message for candidate in candidates], holes))
    return candidates[len(candidates) - count :]


__all__ = [
    "Applied",
    "Applier",
    "HandlerFailed",
    "PositionMoved",
    "UnverifiedGap",
    "examine",
    "hand_over",
    "location_of",
]
