"""``python -m infra.bench.risk``: scores a second through the worker's transactions against the library in a bare loop.

Messages are decoded, applied and committed as a worker does it, with outbox and position, on a PostgreSQL that waits for
the disk; only the broker is left out. The library scores the same people under the same models in the same run and keeps
nothing. Then the same again (nothing may be scored), a few changes (only they may), and the tiers of many people against
one DuckDB aggregation of the same claims. Ratios are of the same run; memory is the process's peak.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import duckdb
from rich.console import Console
from rich.table import Table

from contracts.claims import (
    Adjustment,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.coverage import (
    CoverageSource,
    MedicareCoverageSpan,
    MedicareCoverageStated,
    MedicareCoverageStatedData,
)
from contracts.topics import CLAIMS_MEDICARE, COVERAGE, AnyEvent, Topic
from infra.bench.memory import peak_megabytes
from infra.local.postgresql import running_postgresql
from services.risk.hcc_library import calculate_raf
from services.risk.hcc_tables import LIBRARY_MODEL, MODELS, hcc_tables
from services.risk.tiering import at_cut
from services.risk.worker import SERVICE
from services.runtime.applying import Applier, examine_all
from services.runtime.collecting import spare_collector
from services.runtime.database import Connection, apply_migrations
from services.runtime.dead_letters import Seal
from services.runtime.ledger import Message, Spot, create_positions
from services.runtime.service import Cut
from services.runtime.transactions import open_transaction

BATCH: Final = 200
CLAIMS_A_PERSON: Final = 10
_DAY: Final = date(2021, 3, 1)
_TIME: Final = datetime(2022, 6, 1, tzinfo=UTC)
_PERSON: Final = "p{:032x}"
_DUALS: Final = ("02", "02", "08", "01", "NA")
_SEAL: Final = Seal(bytes(32))


@dataclass(frozen=True, slots=True)
class Patient:
    """One person of the benchmark, different for every number and the same in every run."""

    number: int
    birth_date: date
    sex_code: str
    dual_status_code: str
    diagnosis_codes: tuple[str, ...]

    @property
    def person_id(self) -> str:
        """The pseudonym."""
        return _PERSON.format(self.number)


def patients(count: int) -> list[Patient]:
    """Invent people with a few conditions each."""
    chance = random.Random(1)
    codes = sorted(hcc_tables(2025).categories["V28"])
    return [
        Patient(
            number,
            date(1925 + number % 70, 1 + number % 12, 1),
            chance.choice("12"),
            chance.choice(_DUALS),
            tuple(chance.sample(codes, chance.randrange(1, 8))),
        )
        for number in range(count)
    ]


def _event(kind: type[AnyEvent], person_id: str, sequence: int, data: Any) -> AnyEvent:  # noqa: ANN401 - of the kind
    return kind.of(
        service="intake",
        key=person_id,
        version=f"{sequence}:{person_id}",
        time=_TIME,
        delivery_id=f"d{sequence:032x}",
        sequence=sequence,
        data=data,
    )


def coverage(patient: Patient, sequence: int) -> AnyEvent:
    """What CCLF8 states of a person."""
    data = MedicareCoverageStatedData.model_validate(
        {
            "person_id": patient.person_id,
            "state": "OH",
            "source": CoverageSource.CCLF8,
            "stated_on": date(2022, 3, 20),
            "birth_date": patient.birth_date,
            "sex_code": patient.sex_code,
            "original_entitlement_code": "0",
            "spans": (
                MedicareCoverageSpan.model_validate(
                    {
                        "first_month": "2022-03",
                        "last_month": "2022-03",
                        "dual_status_code": patient.dual_status_code,
                        "medicare_status_code": "10",
                    }
                ),
            ),
        }
    )
    return _event(MedicareCoverageStated, patient.person_id, sequence, data)


def claims(patient: Patient, sequence: int, more: Sequence[str] = ()) -> AnyEvent:
    """A year of visits, over which the person's diagnoses are spread."""
    codes = (*patient.diagnosis_codes, *more)
    made = []
    for number in range(CLAIMS_A_PERSON):
        day = _DAY + timedelta(days=20 * number)
        line = MedicareClaimLine(
            line_number=1, service_from=day, service_through=day, procedure_code="99213", paid_cents=9_000
        )
        made.append(
            MedicareClaim(
                record_id=f"{patient.number}-{sequence if more else 0}-{number}",
                version=1,
                claim_type_code="71",
                adjustment=Adjustment.ORIGINAL,
                claim_control_number=f"{patient.number}-{sequence if more else 0}-{number}",
                service_from=day,
                service_through=day,
                paid_cents=9_000,
                diagnosis_codes=tuple(code for place, code in enumerate(codes) if place % CLAIMS_A_PERSON == number),
                lines=(line,),
            )
        )
    data = MedicareClaimsDeliveredData(person_id=patient.person_id, state="OH", claims=tuple(made))
    return _event(MedicareClaimsDelivered, patient.person_id, sequence, data)


def _messages(events: Iterator[AnyEvent], topic: Topic, offset: int) -> Iterator[list[Message]]:
    batch: list[Message] = []
    for number, event in enumerate(events, offset):
        batch.append(Message(Spot(topic.name, 0), number, event.subject.encode(), event.encode(), _TIME))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Took:
    """How many scores there were, and what they took: time, and CPU of this process, which other work moves little."""

    scores: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Scores a second."""
        return self.scores / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Scores a second of CPU."""
        return self.scores / self.cpu_seconds

    def __add__(self, other: "Took") -> "Took":
        return Took(self.scores + other.scores, self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)


class Worker:
    """Applies messages as a worker does, and counts what it told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._applier = Applier(SERVICE, "risk", _SEAL, 10)
        self._offsets: dict[str, int] = {}

    async def apply(self, events: Iterable[AnyEvent], topic: Topic) -> "Took":
        """Apply events. Only their bytes are kept: a worker has no events but those of the batches that it is at."""
        offset = self._offsets.get(topic.name, 0)
        batches = list(_messages(iter(events), topic, offset))
        self._offsets[topic.name] = offset + sum(len(batch) for batch in batches)
        before = await self._told()
        started, busy = time.perf_counter(), time.process_time()
        following = asyncio.create_task(examine_all(batches[0]))
        for batch in (*batches[1:], []):
            examined = await following
            # As a worker does: the next batch is decoded while this one is in the database.
            following = asyncio.create_task(examine_all(batch))
            await self._applier.apply(self._connection, examined)
        await following
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - busy
        return Took(await self._told() - before, seconds, cpu_seconds)

    async def _told(self) -> int:
        told: int = await self._connection.fetchval("SELECT count(*) FROM runtime_outbox")
        return told


def bare_loop(people: Sequence[Patient]) -> Took:
    """Score everybody under both models with the library alone."""
    started, busy = time.perf_counter(), time.process_time()
    count = 0
    for one in people:
        age = 2022 - one.birth_date.year - ((one.birth_date.month, one.birth_date.day) > (2, 1))
        for model in MODELS:
            calculate_raf(list(one.diagnosis_codes), LIBRARY_MODEL[model], age, one.sex_code, one.dual_status_code, "0")
            count += 1
    return Took(count, time.perf_counter() - started, time.process_time() - busy)


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores through the worker, by the library, and how many were told when nothing and when little changed."""

    people: int
    worker: Took
    library: Took
    told_again: int
    changed: int
    told_of_changed: int


async def scored(connection: Connection, count: int) -> Scored:
    """Score people through the worker and by the library; then the same claims again, then a few changes."""
    people = patients(count)
    worker = Worker(connection)
    # Tables are read once a process, on both sides.
    bare_loop(people[:100])
    await worker.apply([coverage(Patient(count, date(1950, 1, 1), "1", "02", ()), 1)], COVERAGE)
    await worker.apply([claims(Patient(count, date(1950, 1, 1), "1", "02", ("I509",)), 2)], CLAIMS_MEDICARE)
    library = bare_loop(people)
    first = await worker.apply((coverage(one, 1) for one in people), COVERAGE)
    second = await worker.apply((claims(one, 2) for one in people), CLAIMS_MEDICARE)
    again = await worker.apply((claims(one, 3) for one in people), CLAIMS_MEDICARE)
    changed = people[:: max(1, count // 20)]
    news = [claims(one, 4, ("C3490", "G35", "I509", "J449", "F200")) for one in changed]
    of_changed = await worker.apply(news, CLAIMS_MEDICARE)
    return Scored(count, first + second, library, again.scores, len(changed), of_changed.scores)


_FILL_SCORES: Final = """
    INSERT INTO score (person_id, model, payment_year, sequence, state, segment, raw_score, demographic_score,
        completeness, categories, interactions, fingerprint, age)
    SELECT 'p' || lpad(to_hex(n), 32, '0'), 'V28', 2022, 1, 'OH', 'CFA', 0.5 + (n * 7919 % 3000) / 1000.0, 0.5,
        'complete', ('[{"category": ' || (ARRAY[37, 226, 280, 155])[1 + n % 4] || '}]')::jsonb, '{}', '\\x00', 40 + n % 50
    FROM generate_series(1, $1) AS n
"""
_FILL_CLAIMS: Final = """
    INSERT INTO claim_record (person_id, record_id, version, sequence, state, claim_key, cancellation, admission,
        service_from, service_through, diagnosis_codes, paid_cents, marks, frailty, alias, since)
    SELECT 'p' || lpad(to_hex(n), 32, '0'), n || '-' || c, 1, 1, 'OH', n || '-' || c, false, (n * 31 + c) % 40 = 0,
        date '2021-03-01' + (c * 36 + n % 30), date '2021-03-01' + (c * 36 + n % 30), '', (n * 97 + c * 13) % 90000,
        CASE WHEN (n * 31 + c) % 40 = 0 THEN 3 WHEN c % 3 = 0 THEN 8 ELSE 0 END, n % 4, 'a', 1
    FROM generate_series(1, $1) AS n, generate_series(1, $2) AS c
"""
_ONE_CLAIM: Final = """
    INSERT INTO claim_record (person_id, record_id, version, sequence, state, claim_key, cancellation, admission,
        service_from, service_through, diagnosis_codes, paid_cents, alias, since)
    SELECT person_id, 'news', 1, 2, state, 'news', false, false, service_from, service_through, '', 100, alias, 2
    FROM claim_record LIMIT 1
"""
_AGGREGATE: Final = """
    SELECT person_id, sum(CASE WHEN cancellation THEN -paid_cents ELSE paid_cents END), count(*),
        count(*) FILTER (WHERE admission), max(service_through)
    FROM claims WHERE service_through > DATE '2021-03-01' GROUP BY person_id
"""


@dataclass(frozen=True, slots=True)
class Tiered:
    """The tiers of many people: all anew, and at the next cut; and one aggregation of the same claims."""

    people: int
    claims: int
    first_seconds: float
    next_seconds: float
    changed: int
    duckdb_seconds: float


async def _cut(connection: Connection, sequence: int) -> tuple[float, int]:
    started = time.perf_counter()
    async with open_transaction(connection, _SEAL) as transaction:
        await at_cut(Cut(sequence, f"d{sequence:032x}", _TIME, date(2022, 3, 1)), transaction)
    seconds = time.perf_counter() - started
    changed = await connection.fetchval("SELECT count(*) FROM tier WHERE sequence = $1", sequence)
    return seconds, changed


async def _aggregated(connection: Connection) -> float:
    """Take the claims out in columns, and time DuckDB's aggregation of them alone."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        path = Path(folder) / "claims.csv"
        await connection.copy_from_query(
            "SELECT person_id, cancellation, admission, service_through, paid_cents FROM claim_record", output=path,
            format="csv", header=True,
        )  # fmt: skip
        duck.execute("SET threads = 1")
        duck.execute("CREATE TABLE claims AS SELECT * FROM read_csv(?)", [str(path)])
        started = time.perf_counter()
        duck.execute(_AGGREGATE).fetchall()
        return time.perf_counter() - started


async def tiered(connection: Connection, people: int, claims_each: int) -> Tiered:
    """Fill tables with people and claims, and tier everybody twice."""
    await connection.execute("TRUNCATE score, claim_record, tier, ranking, statement, runtime_outbox")
    await connection.execute(_FILL_SCORES, people)
    await connection.execute(_FILL_CLAIMS, people, claims_each)
    await connection.execute("ANALYZE score, claim_record")
    first, _ = await _cut(connection, 1)
    # One new claim makes the next cut look at everybody again; nearly nobody's tier changes.
    await connection.execute(_ONE_CLAIM)
    following, changed = await _cut(connection, 2)
    return Tiered(people, people * claims_each, first, following, changed, await _aggregated(connection))


async def measured(url: str, people: int, tiers: int, claims_each: int) -> tuple[Scored, Tiered]:
    """Run both parts on one database."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "risk"})
    try:
        await apply_migrations(connection, "risk", SERVICE.migrations)
        await create_positions(connection, {Spot(topic.name, 0): 0 for topic in (COVERAGE, CLAIMS_MEDICARE)})
        return await scored(connection, people), await tiered(connection, tiers, claims_each)
    finally:
        await connection.close()


def table(scores: Scored, tiers: Tiered) -> Table:
    """Show what was measured."""
    shown = Table("what", "figure", box=None)
    rows = [
        (f"scores through the worker, {scores.people:,} people", f"{scores.worker.rate:,.0f} a second"),
        ("scores by the library in a bare loop", f"{scores.library.rate:,.0f} a second"),
        ("worker to library, by time", f"{scores.worker.rate / scores.library.rate:.2f}"),
        ("worker to library, by CPU of the process", f"{scores.worker.cpu_rate / scores.library.cpu_rate:.2f}"),
        ("scores told when the same claims come again", f"{scores.told_again:,}"),
        (f"scores told when claims of {scores.changed:,} people change", f"{scores.told_of_changed:,}"),
        (f"tiers of {tiers.people:,} people, {tiers.claims:,} claims, all anew", f"{tiers.first_seconds:.1f} s"),
        (f"tiers at the next cut, {tiers.changed:,} changed", f"{tiers.next_seconds:.1f} s"),
        ("one DuckDB aggregation of the same claims, one thread", f"{tiers.duckdb_seconds:.2f} s"),
        ("next cut to aggregation", f"{tiers.next_seconds / tiers.duckdb_seconds:.0f}"),
        ("peak memory of the process", f"{peak_megabytes():.0f} MB"),
    ]
    for row in rows:
        shown.add_row(*row)
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Scores through the worker against the library; tiers of many people.")
    parser.add_argument("--people", type=int, default=3_000, help="people who are scored")
    parser.add_argument("--tiers", type=int, default=100_000, help="people who are tiered")
    parser.add_argument("--claims", type=int, default=10, help="claims of each person who is tiered")
    given = parser.parse_args()
    # Of both sides alike: what the collector takes is a matter of its settings, and a worker has these.
    spare_collector()
    with tempfile.TemporaryDirectory() as folder:
        # As root the database runs under another account, which must be able to enter.
        Path(folder).chmod(0o711)
        with running_postgresql(Path(folder) / "postgresql", durable=True) as url:
            scores, tiers = asyncio.run(measured(url, given.people, given.tiers, given.claims))
    Console(highlight=False).print(table(scores, tiers))


if __name__ == "__main__":
    main()
