"""What a cut costs, part by part: a state of realistic size whose last month closes, after as many cuts as there were deliveries."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from contracts.months import add_months
from infra.bench.cost_shift_claims import COUNTIES
from infra.bench.processor_time import cpu_seconds_of_server
from services.cost_shift.cut import publish_figures, restated_figures
from services.cost_shift.releasing import release_published
from services.cost_shift.signals import signal_at_cut
from services.runtime.database import Connection
from services.runtime.dead_letters import Seal
from services.runtime.service import Cut
from services.runtime.transactions import open_transaction

MONTHS: Final = 36
ENTITIES: Final = 5
_FIRST_MONTH: Final = "2020-01"
PARTS: Final = ("figures", "disclosure", "events", "signals")

# A third of the people is aligned from the month of their quarter on, in one of five entities; the others are the comparison. Decisions
# come with the delivery of their month, costs with that or one of the two behind it.
_FILL: Final = """
CREATE TEMPORARY TABLE member AS SELECT n AS number, 'p' || md5(n::text) AS person_id,
    '39' || lpad((n / 15 % $counties$)::text, 3, '0') AS county,
    CASE WHEN n % 3 = 0 THEN 'D900' || n / 3 % $entities$ ELSE '' END AS entity, 13 + 3 * (n / 7 % 4) AS entry
FROM generate_series(1, $people$) AS n;
CREATE TEMPORARY TABLE calendar AS SELECT m AS number, to_char('2020-01-01'::date + (m - 1) * interval '1 month', 'YYYY-MM') AS month
FROM generate_series(1, $months$) AS m;
INSERT INTO assignment (person_id, month, sequence, revision, state, county, entity, cohort, dual_status, in_health_plan)
SELECT person_id, month, calendar.number, calendar.number, 'OH', county,
    CASE WHEN entity <> '' AND calendar.number >= entry THEN entity ELSE '' END,
    CASE WHEN entity <> '' AND calendar.number >= entry THEN 'aligned' ELSE 'comparison' END,
    CASE WHEN member.number % 4 = 0 THEN '08' ELSE '02' END, false
FROM member, calendar;
INSERT INTO person_month_cost (person_id, month, payer, category, crossover, basis, sequence, cause, state, cents, claims)
SELECT person_id, month, payer, category, false, 'both', calendar.number + (member.number * 7 + calendar.number * 3 + place) % 9 / 4,
    'claims', 'OH', 20000 + (member.number * 7919 + calendar.number * 104729 + place * 1299709) % 90000, 1 + (member.number + place) % 3
FROM member, calendar, (VALUES ('medicare', 'inpatient', 0), ('medicare', 'outpatient', 1), ('medicare', 'physician', 2),
    ('medicare', 'skilled_nursing_facility', 3), ('medicare', 'home_health', 4), ('medicare', 'hospice', 5),
    ('medicaid', 'nursing_facility', 6), ('medicaid', 'home_and_community', 7), ('medicaid', 'drugs', 8),
    ('medicaid', 'behavioural_health', 9)) AS series (payer, category, place)
WHERE (member.number * 31 + calendar.number * 17 + place * 13) % 10 < 4;
INSERT INTO cell_delta (sequence, state, entity, cohort, payer, category, month, county, crossover, basis, cause, shard, cents, claims)
SELECT cost.sequence, 'OH', entity, cohort, payer, category, month, county, crossover, basis, cause, 0, sum(cents), sum(claims)
FROM person_month_cost AS cost JOIN assignment USING (person_id, month)
GROUP BY cost.sequence, entity, cohort, payer, category, month, county, crossover, basis, cause;
INSERT INTO person_month_delta (sequence, state, entity, cohort, month, county, shard, person_months)
SELECT sequence, 'OH', entity, cohort, month, county, 0, count(*) FROM assignment GROUP BY sequence, entity, cohort, month, county;
INSERT INTO person_risk SELECT person_id, payment_year, 1, 800 + number * 37 % 900, number % 4 = 0, number % 20 = 0
FROM member, generate_series(2020, 2023) AS payment_year;
INSERT INTO arrival SELECT calendar.number, source, 0, 1000, 0, 0 FROM calendar, unnest(ARRAY['medicare', 'medicaid']) AS source;
ANALYZE;
"""


@dataclass(slots=True)
class Took:
    """Seconds of each part of one cut, and CPU of this process and of the database's."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cutting:
    """The cut that closes the last month, and what the ones before it took without signals."""

    people: int
    costs: int
    cells: int
    last: Took
    earlier: list[Took]
    events: int
    signals: int


def cut_of(sequence: int) -> Cut:
    """The cut of one month's delivery, in the middle of the month behind it."""
    day = date.fromisoformat(f"{add_months(_FIRST_MONTH, sequence)}-15")
    return Cut(sequence, f"d{sequence:032x}", datetime(day.year, day.month, day.day, tzinfo=UTC), day)


@asynccontextmanager
async def _part(took: Took, name: str, backend: int) -> AsyncIterator[None]:
    database, started, busy = cpu_seconds_of_server(backend), time.perf_counter(), time.process_time()
    yield
    took.seconds[name] = time.perf_counter() - started
    took.cpu[name] = time.process_time() - busy + cpu_seconds_of_server(backend) - database


async def _cut(connection: Connection, sequence: int, backend: int, *, signals: bool) -> tuple[Took, int]:
    """What a cut does, in its order and its transaction."""
    took, cut = Took(), cut_of(sequence)
    async with open_transaction(connection, Seal(bytes(32))) as transaction:
        async with _part(took, "figures", backend):
            await publish_figures(cut, connection)
        async with _part(took, "disclosure", backend):
            await release_published(connection)
        async with _part(took, "events", backend):
            restated = await restated_figures(connection, cut)
            for event in restated:
                transaction.publish(event)
        if signals:
            async with _part(took, "signals", backend):
                await signal_at_cut(cut, transaction)
    return took, len(restated)


async def cutting(connection: Connection, people: int, counties: int = COUNTIES, entities: int = ENTITIES) -> Cutting:
    """Fill tables with a state's people, cut delivery by delivery, and take the last cut apart."""
    sizes = {"people": people, "months": MONTHS, "counties": counties, "entities": entities}
    text = _FILL
    for name, value in sizes.items():
        text = text.replace(f"${name}$", str(value))
    await connection.execute(text)
    backend: int = await connection.fetchval("SELECT pg_backend_pid()")
    earlier = [(await _cut(connection, sequence, backend, signals=False))[0] for sequence in range(1, MONTHS)]
    last, events = await _cut(connection, MONTHS, backend, signals=True)
    costs, cells, signals = [
        await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - constants
        for table in ("person_month_cost", "cell_delta", "signal")
    ]
    return Cutting(people, costs, cells, last, earlier, events, signals)
