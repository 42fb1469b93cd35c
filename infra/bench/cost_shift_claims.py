"""Claims through cost shift's worker without the broker: what one costs while the tables grow, and how many rows it touches.

Quarter after quarter everybody's decisions come, then a message of twelve Medicare and one of eight Medicaid claims a person, decoded,
applied and committed as a worker does it. People come in the order of their pseudonyms' digests: neighbours on the log are none in an index.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

from contracts.alignment import AlignmentDecided, AlignmentDecidedData, DecisionChange, MonthDecision
from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicaidClaimsDeliveredData,
    MedicareClaim,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.codes import Cohort
from contracts.months import add_months
from contracts.topics import ALIGNMENT_DECISIONS, CLAIMS_MEDICAID, CLAIMS_MEDICARE, AnyEvent, Topic
from infra.bench.processor_time import cpu_seconds_of_server
from services.cost_shift.worker import SERVICE
from services.runtime.applying import Applier, examine_all
from services.runtime.database import Connection, close, connect
from services.runtime.dead_letters import Seal
from services.runtime.ledger import Message, Spot, create_positions

QUARTERS: Final = 12
CLAIMS_A_QUARTER: Final = 20
BATCH: Final = 200
COUNTIES: Final = 60
TOPICS: Final = (ALIGNMENT_DECISIONS, CLAIMS_MEDICARE, CLAIMS_MEDICAID)
_KINDS: Final = 60  # of people: one of each county, each with claims of its own
_CHUNK: Final = 10 * BATCH
_FIRST_MONTH: Final = "2020-01"
_TIME: Final = datetime(2023, 6, 1, tzinfo=UTC)
_ANYBODY: Final = "p" + "0" * 32
_MEDICARE: Final = ("71", "71", "60", "71", "40", "71", "81", "71", "20", "71", "10", "40")
_MEDICAID: Final[tuple[tuple[Literal["LT", "OT", "RX"], str], ...]] = (
    ("RX", "1"), ("OT", "1"), ("LT", "1"), ("RX", "1"), ("OT", "3"), ("OT", "2"), ("RX", "1"), ("OT", "1"),
)  # fmt: skip


def person(number: int) -> str:
    """A pseudonym, in no order."""
    return "p" + hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16).hexdigest()


def _day(quarter: int, number: int) -> date:
    month = add_months(_FIRST_MONTH, 3 * quarter + number % 3)
    return date.fromisoformat(f"{month}-{1 + number % 28:02}")


def _event(kind: type[AnyEvent], quarter: int, data: Any) -> bytes:  # noqa: ANN401 - of the kind
    sequence = quarter + 1
    text: bytes = kind.of(
        service="bench", key=_ANYBODY, version=str(sequence), time=_TIME, delivery_id=f"d{sequence:032x}",
        sequence=sequence, data=data,
    ).encode()  # fmt: skip
    return text


def _medicare(quarter: int, kind: int) -> bytes:
    claims = tuple(
        MedicareClaim(
            record_id=f"m{quarter}-{number}", version=1, claim_type_code=code, adjustment=Adjustment.ORIGINAL,
            service_from=_day(quarter, number), service_through=_day(quarter, number),
            paid_cents=5_000 + 100 * kind + number,
        )
        for number, code in enumerate(_MEDICARE)
    )  # fmt: skip
    data = MedicareClaimsDeliveredData(person_id=_ANYBODY, state="OH", claims=claims)
    return _event(MedicareClaimsDelivered, quarter, data)


def _medicaid(quarter: int, kind: int) -> bytes:
    claims = tuple(
        MedicaidClaim(
            record_id=f"d{quarter}-{number}", version=1, file_type=file, claim_type_code=code,
            crossover=number == 1, service_from=_day(quarter, number), service_through=_day(quarter, number),
            paid_cents=3_000 + 100 * kind + number,
        )
        for number, (file, code) in enumerate(_MEDICAID)
    )  # fmt: skip
    data = MedicaidClaimsDeliveredData(person_id=_ANYBODY, state="OH", claims=claims)
    return _event(MedicaidClaimsDelivered, quarter, data)


def _decided(quarter: int, kind: int) -> bytes:
    aligned = kind % 3 == 0
    months = tuple(
        MonthDecision(
            month=add_months(_FIRST_MONTH, 3 * quarter + number), aligned=aligned, basis="none",
            change=DecisionChange.ALIGNED, cohort=Cohort.ALIGNED if aligned else Cohort.COMPARISON,
            entity_id=f"D900{kind % 5}" if aligned else None, county_fips=f"39{kind % COUNTIES:03}",
            dual_status_code="02",
        )
        for number in range(3)
    )  # fmt: skip
    data = AlignmentDecidedData(person_id=_ANYBODY, state="OH", revision=quarter + 1, decisions=months)
    return _event(AlignmentDecided, quarter, data)


Batches = Sequence[tuple[Topic, Sequence[tuple[str, bytes]]]]


@dataclass(slots=True)
class Spent:
    """What claims, or decided months, took: time, and CPU of this process and of the database's."""

    count: int = 0
    seconds: float = 0.0
    worker_cpu: float = 0.0
    database_cpu: float = 0.0

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(
            self.count - earlier.count,
            self.seconds - earlier.seconds,
            self.worker_cpu - earlier.worker_cpu,
            self.database_cpu - earlier.database_cpu,
        )

    def copy(self) -> "Spent":
        """As it is now."""
        return Spent(self.count, self.seconds, self.worker_cpu, self.database_cpu)

    @property
    def cpu_microseconds_each(self) -> float:
        """CPU of both sides for one."""
        return (self.worker_cpu + self.database_cpu) / self.count * 1e6


@dataclass(slots=True)
class Worker:
    """Applies messages as a worker does, and keeps account."""

    connection: Connection
    backend: int
    applier: Applier = field(default_factory=lambda: Applier(SERVICE, SERVICE.schema, Seal(bytes(32)), 10))
    offsets: dict[str, int] = field(default_factory=dict)

    async def apply(self, of_topics: Batches, spent: Spent, count: int) -> None:
        """Apply batches in their order; ``count``: of what is counted, how many are in them."""
        batches = [self._messages(topic, messages) for topic, messages in of_topics]
        database, started, busy = cpu_seconds_of_server(self.backend), time.perf_counter(), time.process_time()
        following = asyncio.create_task(examine_all(batches[0]))
        for batch in (*batches[1:], []):
            examined = await following
            # As a worker does: the next batch is decoded while this one is in the database.
            following = asyncio.create_task(examine_all(batch))
            await self.applier.apply(self.connection, examined)
        await following
        spent.seconds += time.perf_counter() - started
        spent.worker_cpu += time.process_time() - busy
        spent.database_cpu += cpu_seconds_of_server(self.backend) - database
        spent.count += count

    def _messages(self, topic: Topic, messages: Sequence[tuple[str, bytes]]) -> list[Message]:
        first = self.offsets.get(topic.name, 0)
        self.offsets[topic.name] = first + len(messages)
        return [
            Message(Spot(topic.name, 0), first + place, who.encode(), text, _TIME)
            for place, (who, text) in enumerate(messages)
        ]


@dataclass(frozen=True, slots=True)
class Grown:
    """Cost of the claims before each size, of decided months, and the rows that were touched in all, by table."""

    people: int
    stretch: int
    before: dict[int, Spent]
    claims: Spent
    decided: Spent
    touched: dict[str, tuple[int, int, int]]

    def per_claim(self, table: str) -> float:
        """Rows inserted, changed and deleted in a table for one claim."""
        return sum(self.touched[table]) / self.claims.count


def _of(people: Iterable[int], made: Sequence[bytes]) -> list[tuple[str, bytes]]:
    named = ((number % _KINDS, person(number)) for number in people)
    return [(who, made[kind].replace(_ANYBODY.encode(), who.encode())) for kind, who in named]


_TOUCHED: Final = """
    SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_tup_ins + n_tup_upd + n_tup_del > 0
"""


async def touched(connection: Connection) -> dict[str, tuple[int, int, int]]:
    """Rows inserted, changed and deleted in each table since it was made."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    return {row[0]: (row[1], row[2], row[3]) for row in await connection.fetch(_TOUCHED)}


class Log:
    """The messages of one quarter, batch by batch."""

    def __init__(self, quarter: int, people: int, batch: int) -> None:
        self._people, self._batch = people, batch
        self._decided = [_decided(quarter, kind) for kind in range(_KINDS)]
        self._medicare = [_medicare(quarter, kind) for kind in range(_KINDS)]
        self._medicaid = [_medicaid(quarter, kind) for kind in range(_KINDS)]

    def decided(self) -> Iterator[tuple[int, Batches]]:
        """Decisions, a chunk of people at a time, and how many people these are."""
        for chunk in _parts(range(self._people), _CHUNK):
            yield len(chunk), [(ALIGNMENT_DECISIONS, _of(part, self._decided)) for part in _parts(chunk, self._batch)]

    def claims(self) -> Iterator[tuple[int, Batches]]:
        """Claims of both payers in turn."""
        of_payer = ((CLAIMS_MEDICARE, self._medicare), (CLAIMS_MEDICAID, self._medicaid))
        for chunk in _parts(range(self._people), _CHUNK):
            yield (
                len(chunk),
                [(topic, _of(part, texts)) for part in _parts(chunk, self._batch) for topic, texts in of_payer],
            )


async def started(connection: Connection) -> Worker:
    """A worker at the beginning of every topic."""
    await create_positions(connection, {Spot(topic.name, 0): 0 for topic in TOPICS})
    return Worker(connection, await connection.fetchval("SELECT pg_backend_pid()"))


async def grown(connection: Connection, sizes: Sequence[int], batch: int = BATCH) -> Grown:
    """Apply claims from empty tables up to the largest size; what one costs in the stretch before each."""
    people = max(1, round(max(sizes) / (QUARTERS * CLAIMS_A_QUARTER)))
    stretch = max(min(sizes) // 2, batch * CLAIMS_A_QUARTER)
    worker, claims, decided = await started(connection), Spent(), Spent()
    taken: list[Spent] = [claims.copy()]
    for quarter in range(QUARTERS):
        log = Log(quarter, people, batch)
        for count, batches in log.decided():
            await worker.apply(batches, decided, 3 * count)
        for count, batches in log.claims():
            await worker.apply(batches, claims, CLAIMS_A_QUARTER * count)
            taken.append(claims.copy())
    before = {size: _stretch(taken, size, stretch) for size in sizes}
    return Grown(people, stretch, before, claims, decided, await touched(connection))


async def flow(url: str, people: int) -> None:
    """Apply claims without a pause, for as long as there are any."""
    connection = await connect(url, SERVICE.schema)
    worker = await started(connection)
    for quarter in range(QUARTERS):
        log = Log(quarter, people, BATCH)
        for _, batches in (*log.decided(), *log.claims()):
            await worker.apply(batches, Spent(), 0)
    await close(connection)


def _parts(chunk: range, size: int) -> Iterator[range]:
    return (chunk[first : first + size] for first in range(0, len(chunk), size))


def _stretch(taken: Sequence[Spent], size: int, stretch: int) -> Spent:
    """What the claims before a size took."""
    last = min(taken, key=lambda one: abs(one.count - size))
    first = min(taken, key=lambda one: abs(one.count - (last.count - stretch)))
    return last - first
