"""Two states with an entity each, large and small cells, revised delivery by delivery; and their protected gateway."""

import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import access_world as access
import asyncpg

from infra.command.services import definition_of
from services.cost_shift.states.gateway import router
from services.runtime.database import apply_migrations, connect
from services.runtime.service import Cut

SERVICE = definition_of("cost-shift")
SCHEMA = SERVICE.schema
MONTHS = tuple(f"2022-{month:02d}" for month in range(1, 7))
DELIVERIES = 9
TENANTS = {"OH": "D9001", "KY": "D9002"}
# Claims a month that a cell comes to, roughly: large, small for ever, growing late, and capitation.
SIZES = {
    ("medicare", "inpatient"): 90, ("medicare", "physician"): 400, ("medicare", "hospice"): 4,
    ("medicaid", "nursing_facility"): 120, ("medicaid", "drugs"): 300, ("medicaid", "home_and_community"): 15,
    ("medicaid", "capitation"): 200,
}  # fmt: skip
PEOPLE = {"aligned": 200, "comparison": 300}
Amounts = tuple[int, int, int, int]
Key = tuple[str, str, str, str, str, str]  # state, entity, cohort, payer, category, month


class OneTransaction:
    """What a cut sees, over one open transaction."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def publish(self, event: Any) -> None:
        del event

    def reject(self, *_: Any) -> None:
        raise AssertionError


def delivered(sequence: int) -> date:
    return date(2022, min(12, 2 + sequence), 10)


def _share(chance: random.Random, lag: int) -> float:
    """Of a month's claims, how many one delivery brings: most of them soon, then a few."""
    return {0: 0.5, 1: 0.3, 2: 0.15}.get(lag, 0.02) * chance.uniform(0.8, 1.2)


def deltas(sequence: int, seed: int = 1) -> list[tuple[Any, ...]]:
    """Rows of ``cell_delta`` that one delivery adds."""
    chance = random.Random(f"{seed} {sequence}")
    rows = []
    for state, entity in TENANTS.items():
        for cohort in PEOPLE:
            for number, month in enumerate(MONTHS, 1):
                for (payer, category), size in SIZES.items():
                    claims = round(size * _share(chance, sequence - number)) if sequence >= number else 0
                    crossover = payer == "medicaid" and category == "drugs"
                    for crossed, count in (
                        ((False, claims - claims // 5), (True, claims // 5)) if crossover else ((False, claims),)
                    ):
                        if count:
                            basis = "outlay" if category == "capitation" else "both"
                            cents = count * chance.randrange(9_000, 11_000)
                            rows.append((sequence, state, entity if cohort == "aligned" else "", cohort, payer, category,
                                         month, "39049", crossed, basis, "claims", 0, cents, count))  # fmt: skip
    return rows


def people_deltas(sequence: int) -> list[tuple[Any, ...]]:
    """All people come with the first delivery; of one month a few leave later."""
    if sequence == 1:
        return [(1, state, entity if cohort == "aligned" else "", cohort, month, "39049", 0, count)
                for state, entity in TENANTS.items() for cohort, count in PEOPLE.items() for month in MONTHS]  # fmt: skip
    return [(sequence, "OH", "D9001", "aligned", MONTHS[0], "39049", 0, -2)] if sequence == 4 else []


# Whoever had a claim had one: of a cell so many people are named at most, which is enough to be shown.
_NAMED = 15


async def add_cells(connection: Any, rows: list[tuple[Any, ...]]) -> None:
    """Rows of ``cell_delta``, with people who had these claims: other ones with every delivery."""
    places = ", ".join(f"${number}" for number in range(1, 15))
    await connection.executemany(f"INSERT INTO cell_delta VALUES ({places})", rows)
    costs, months = [], []
    for sequence, state, entity, cohort, payer, category, month, county, crossed, basis, cause, _, _, count in rows:
        for number in range(min(count, _NAMED)):
            person = f"p {sequence} {state} {entity} {cohort} {payer} {category} {month} {county} {crossed} {number}"
            costs.append((person, month, payer, category, crossed, basis, sequence, cause, state, 100, 1))
            months.append((person, month, sequence, 1, state, county, entity, cohort))
    await connection.copy_records_to_table("person_month_cost", records=costs)
    columns = ("person_id", "month", "sequence", "revision", "state", "county", "entity", "cohort")
    await connection.copy_records_to_table("assignment", records=months, columns=columns)


async def deliver(connection: Any, sequence: int) -> None:
    """Write what one delivery adds, and publish it."""
    async with connection.transaction():
        await add_cells(connection, deltas(sequence))
        await connection.executemany(
            "INSERT INTO person_month_delta VALUES ($1,$2,$3,$4,$5,$6,$7,$8)", people_deltas(sequence)
        )
        arrived = [(sequence, payer, 0, 1_000, 0, 0) for payer in ("medicare", "medicaid")]
        await connection.executemany("INSERT INTO arrival VALUES ($1,$2,$3,$4,$5,$6)", arrived)
        assert SERVICE.at_cut is not None
        day = delivered(sequence)
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        await SERVICE.at_cut(Cut(sequence, f"d{sequence:032x}", moment, day), OneTransaction(connection))


async def prepare_as(url: str) -> Any:
    """A migrated schema, owned by the role of the connection that is returned."""
    connection = await connect(url, SCHEMA)
    await apply_migrations(connection, SCHEMA, SERVICE.migrations)
    return connection


async def prepare(url: str) -> Any:
    """The same with clients of both states and an entity, and the reading role."""
    await access.reading_url(url)
    connection = await prepare_as(url)
    for client, tenant in (("ohio", "OH"), ("kentucky", "KY"), ("ohio-plan", "OH/D9001")):
        await access.register(connection, client, tenant)
    await access.register(connection, "narrow", "OH", {"measures.read"})
    await access.register(connection, "operator", None, {"operations.read"})
    return connection


def signal(entity: str, revision: int) -> str:
    """A kept signal, as JSON."""
    nothing = dict.fromkeys(
        ("medicare_category", "medicaid_category", "previous_level", "medicare_chart", "medicaid_chart", "evidence")
    )
    told = {"signal_id": f"{entity}.all_services.{revision}", "entity_id": entity, "channel": "all_services",
            "revision": revision, "level": "watch", "enough_people": True, "previous_enough_people": True, "attention": "watch", "lacking": [], "caveats": [],
            "statement": f"{entity} is watched.", **nothing}  # fmt: skip
    return json.dumps(told)


async def fill(url: str) -> None:
    connection = await prepare(url)
    for sequence in range(1, DELIVERIES + 1):
        await deliver(connection, sequence)
    for state, entity in TENANTS.items():
        study = {"entity_id": entity, "revision": 5, "states": [state], "first_month": MONTHS[0], "baseline_last": MONTHS[1],
                 "last_month": MONTHS[-1], "months_left_out": [], "confidence_level": 0.95, "policy": {}}  # fmt: skip
        await connection.execute(
            "INSERT INTO signal_study VALUES ($1, 5, '', $2::text::jsonb)", entity, json.dumps(study)
        )
        await connection.execute(
            "INSERT INTO signal VALUES ($1, $2, 'all_services', 5, 'watch', true, $3::text::jsonb)",
            f"{entity}.all_services.5",
            entity,
            signal(entity, 5),
        )
    await connection.close()


def figures(revision: int, state: str) -> dict[Key, Amounts]:
    """What is published as of a revision, by recomputation."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for sequence in range(1, revision + 1):
        for row in deltas(sequence):
            key = (row[1], row[2], row[3], row[4], row[5], row[6])
            if key[0] == state:
                crossed = (row[12], row[13]) if row[8] else (0, 0)
                sums[key] = [a + b for a, b in zip(sums[key], (row[12], row[13], *crossed), strict=True)]
    return {key: (one[0], one[1], one[2], one[3]) for key, one in sums.items()}


@asynccontextmanager
async def states_gateway(url: str, **changed: Any) -> AsyncIterator[access.Visitor]:
    settings = access.settings_of(await access.reading_url(url), SCHEMA, **changed)
    async with access.visiting(SERVICE, router, settings) as visitor:
        yield visitor


async def as_reader(url: str, state: str | None, entity: str = "") -> "asyncpg.Connection[asyncpg.Record]":
    """A connection in the reading role, as a tenant for as long as it lives; as none without a state."""
    connection = await asyncpg.connect(await access.reading_url(url))
    await connection.execute(f"SET search_path TO {SCHEMA}")
    if state is not None:
        await connection.execute(
            "SELECT set_config('tandem.state', $1, false), set_config('tandem.entity', $2, false)", state, entity
        )
    return connection
