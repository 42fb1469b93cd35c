"""One delivery from files to events: read and staged, people resolved, published person by person, announced.

Each step is one or more transactions that leave either the step before or the step after. A process that is killed
anywhere goes on where the last commit was: while reading, at the beginning of the delivery; while publishing, behind
the last person whose events are in the outbox.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from time import monotonic

import asyncpg

from contracts.identities import PeopleMerged, PeopleMergedData, PeopleSplit, PeopleSplitData
from services.intake import staging
from services.intake.assembling import CLAIMS, Assembler, Subject
from services.intake.changes import Changes, Compared, former_of, record_people
from services.intake.contents import write_contents
from services.intake.decisions import hold
from services.intake.deliveries import Delivery, complete, find, refuse
from services.intake.reading import Progress, RefusedDelivery, Source
from services.intake.registry import delivery_id, reader_of
from services.intake.rules.holding import Before, Hold, Read, hold_of, holding_policy
from services.intake.sealing import IdentityKeys
from services.intake.staging import Counts, Stager
from services.intake.vault import Move, resolve_staged
from services.runtime.database import Connection
from services.runtime.outbox import Outgoing, outgoing, queue
from services.runtime.transactions import Probe, no_probe

# A chunk is a transaction: large enough for COPY, small enough that a kill costs a second.
EVENTS_A_CHUNK = 2_000
BYTES_A_CHUNK = 8 * 1024 * 1024
_ROWS_A_FETCH = 2_000
_SECONDS_BETWEEN_TELLING = 0.5
_TELL = "UPDATE delivery SET read_bytes = $2, total_bytes = $3 WHERE delivery_id = $1"
_RESIDENCE = (Subject.COVERAGE, Subject.ENROLMENT)


class _Held(Exception):  # noqa: N818 - it is a verdict about the delivery, not an error of the program
    """The delivery can be read, and somebody must look at it before it is published."""

    def __init__(self, hold: Hold, counts: Counts, changes: Changes) -> None:
        super().__init__(hold.reason_code)
        self.hold = hold
        self.counts = counts
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Processes deliveries. ``reading`` and ``writing`` are two connections: a cursor is open while chunks commit."""

    writing: Connection
    reading: Connection
    keys: IdentityKeys
    default_state: str
    synthetic_identifiers: bool
    probe: Probe = no_probe

    async def process(self, delivery: Delivery) -> None:
        """Bring a delivery to its end, from wherever it stands: completed, or refused with a reason."""
        try:
            if delivery.status == "registered" or await self._staging_was_lost(delivery):
                await self._stage(delivery)
        except RefusedDelivery as refusal:
            await self.refuse(delivery.delivery_id, refusal)
            return
        except _Held as held:
            await self._hold(delivery, held)
            return
        staged = await find(self.writing, delivery.delivery_id)
        if staged is not None:
            await self._publish(staged)

    async def refuse(self, identity: str, refusal: RefusedDelivery) -> None:
        """Refuse a delivery whole; nothing of it stays."""
        await staging.clear(self.writing, identity)
        async with self.writing.transaction():
            await refuse(self.writing, identity, refusal)

    async def _hold(self, delivery: Delivery, held: "_Held") -> None:
        """Keep what is known of a delivery, and nothing of what it says."""
        async with self.writing.transaction():
            await staging.clear_staged(self.writing)
            await _record_read(self.writing, delivery.delivery_id, held.counts, held.changes)
            await hold(self.writing, delivery.delivery_id, held.hold)

    async def _staging_was_lost(self, delivery: Delivery) -> bool:
        return await staging.staged_count(self.writing) != delivery.staged_records

    async def _stage(self, delivery: Delivery) -> None:
        _require_unchanged(delivery)
        await staging.clear(self.writing, delivery.delivery_id)
        stager = Stager(delivery.delivery_id, self.keys)
        source = self._source(delivery)
        told = float("-inf")
        for reading in reader_of(source.kind)(source):
            stager.add(reading)
            if isinstance(reading, Progress) and monotonic() - told >= _SECONDS_BETWEEN_TELLING:
                await self.writing.execute(_TELL, delivery.delivery_id, reading.read_bytes, reading.total_bytes)
                told = monotonic()
            if stager.is_full:
                await stager.flush(self.writing)
                # Signals and heartbeats get their turn.
                await asyncio.sleep(0)
        await stager.flush(self.writing)
        self.probe("staged, people not resolved")
        async with self.writing.transaction():
            moves = await resolve_staged(self.writing, self.keys, delivery.sequence, _RESIDENCE, tuple(CLAIMS))
            await queue(self.writing, [outgoing(_moved(delivery, move)) for move in moves])
            changes = await self._changes(delivery, source, stager.counts)
            await _record_read(self.writing, delivery.delivery_id, stager.counts, changes)
            await self.writing.execute(_STAGE, delivery.delivery_id, stager.counts.staged)
        self.probe("people resolved")

    async def _changes(self, delivery: Delivery, source: Source, counts: Counts) -> Changes:
        """Whom the delivery names, against the last one. Raises :class:`_Held`: nothing of the transaction stays."""
        compared = Compared(source.kind.value, delivery.source, delivery.sequence)
        former = await former_of(self.writing, compared)
        changes = await record_people(self.writing, compared, former)
        read = Read(
            kind=source.kind.value,
            source=delivery.source,
            dated=source.dated,
            received_on=delivery.received_at.date(),
            records=counts.records,
            quarantined=counts.quarantined,
            people=changes.people,
            before=None if former is None else Before(former.newest, former.people),
        )
        # What was staged before was not held, and may be published in part.
        looked_at = delivery.released or delivery.status == "staged"
        reason = None if looked_at else hold_of(read, holding_policy())
        if reason is not None:
            raise _Held(reason, counts, changes)
        return changes

    def _source(self, delivery: Delivery) -> Source:
        if delivery.kind is None or delivery.dated is None:
            raise RefusedDelivery("unrecognised_name", "the delivery is of no kind")
        return Source(
            kind=delivery.kind,
            name=delivery.name,
            paths=(delivery.path,),
            dated=delivery.dated,
            synthetic_identifiers=self.synthetic_identifiers,
            default_state=self.default_state,
        )

    async def _publish(self, delivery: Delivery) -> None:
        assembler = Assembler(delivery.delivery_id, delivery.sequence, delivery.received_at)
        chunk: list[Outgoing] = []
        size = 0
        async for person_id, rows in self._people(delivery.published_through):
            for (topic, state, feed, alias), records in groupby(
                rows, key=itemgetter("topic", "state", "feed", "alias")
            ):
                payloads, counts = zip(*((record["payload"], record["claims"]) for record in records), strict=True)
                events = list(assembler.about_person(person_id, Subject(topic), state, payloads, feed, counts, alias))
                chunk += events
                size += sum(len(event.payload) for event in events)
            if len(chunk) >= EVENTS_A_CHUNK or size >= BYTES_A_CHUNK:
                async with self.writing.transaction():
                    await _write_chunk(self.writing, delivery.delivery_id, chunk, person_id)
                self.probe("chunk written")
                chunk, size = [], 0
        entities = await self.writing.fetch("SELECT payload FROM staged_entity ORDER BY ordinal")
        chunk += [assembler.about_entity(row["payload"]) for row in entities]
        async with self.writing.transaction():
            await _write_chunk(self.writing, delivery.delivery_id, chunk, None)
            await complete(self.writing, delivery.delivery_id)
            self.probe("completing")
            await staging.clear_staged(self.writing)

    async def _people(self, after: str) -> AsyncIterator[tuple[str, list[asyncpg.Record]]]:
        """People after one, each with all of its staged rows, in a fixed order and bounded memory."""
        async with self.reading.transaction(readonly=True):
            await self.reading.execute("SET LOCAL work_mem = '64MB'")
            cursor = await self.reading.cursor(_STAGED, after, self.default_state, Subject.ALIGNMENT_REPORT)
            person_id, rows = "", list[asyncpg.Record]()
            while fetched := await cursor.fetch(_ROWS_A_FETCH):
                for found, group in groupby(fetched, key=itemgetter("person_id")):
                    if rows and found != person_id:
                        yield person_id, rows
                        rows = []
                    person_id = found
                    rows.extend(group)
            if rows:
                yield person_id, rows


_STAGED = """
    SELECT person.person_id, staged.topic, coalesce(staged.state, person.state, $2) AS state, staged.feed,
        CASE WHEN staged.topic = $3 THEN min(identifier.alias) OVER (PARTITION BY person.person_id, staged.topic)
            ELSE identifier.alias END AS alias, staged.claims, staged.payload
    FROM staged_record staged
    JOIN vault_identifier identifier USING (lookup)
    JOIN vault_person person ON person.person_id = identifier.person_id
    WHERE person.person_id > $1
    ORDER BY person.person_id, staged.topic, state, staged.feed, alias, staged.ordinal
"""
_WRITTEN = """
    UPDATE delivery SET published_through = coalesce($2, published_through), events = events + $3 WHERE delivery_id = $1
"""


async def _write_chunk(connection: Connection, identity: str, chunk: list[Outgoing], through: str | None) -> None:
    await queue(connection, chunk)
    await connection.execute(_WRITTEN, identity, through, len(chunk))


_RECORD_READ = """
    UPDATE delivery SET records = $2, claims = $3, quarantined = $4, people = $5, people_added = $6, people_gone = $7,
        people_changed = $8, compared_with = $9
    WHERE delivery_id = $1
"""
_STAGE = "UPDATE delivery SET status = 'staged', staged_records = $2 WHERE delivery_id = $1"


async def _record_read(connection: Connection, identity: str, counts: Counts, changes: Changes) -> None:
    told = (changes.people, changes.added, changes.gone, changes.changed, changes.compared_with)
    await connection.execute(_RECORD_READ, identity, counts.records, counts.claims, counts.quarantined, *told)
    await write_contents(connection, identity, counts.contents)


def _require_unchanged(delivery: Delivery) -> None:
    if not delivery.path.is_file():
        raise RefusedDelivery("file_missing", "the file was removed before it could be read")
    try:
        identity = delivery_id(delivery.kind, delivery.path)
    except PermissionError:
        raise RefusedDelivery("file_unreadable", "intake may not read the file") from None
    if identity != delivery.delivery_id:
        raise RefusedDelivery("content_changed", "the file was changed after it had been registered")


def _moved(delivery: Delivery, move: Move) -> PeopleMerged | PeopleSplit:
    if move.aliases is None:
        return PeopleMerged.of(
            service="intake",
            key=move.other,
            version=f"{delivery.sequence}:{move.person_id}",
            time=delivery.received_at,
            delivery_id=delivery.delivery_id,
            sequence=delivery.sequence,
            data=PeopleMergedData(retired=move.person_id, kept=move.other),
        )
    return PeopleSplit.of(
        service="intake",
        key=move.person_id,
        version=f"{delivery.sequence}:{move.other}",
        time=delivery.received_at,
        delivery_id=delivery.delivery_id,
        sequence=delivery.sequence,
        data=PeopleSplitData(person_id=move.person_id, separated=move.other, aliases=move.aliases),
    )
