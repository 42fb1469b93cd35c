"""The SQL of costs and cells: a fixed number of statements a batch, each over whole arrays."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.cost_shift.changes import (
    Amounts,
    CellKey,
    ClaimKey,
    CostKey,
    CountKey,
    Decision,
    PersonMonth,
)
from services.cost_shift.rules.claim_contribution import Contribution
from services.cost_shift.rules.move_cause import Place
from services.cost_shift.rules.standing_version import ClaimVersion, CostChange
from services.runtime.database import Connection
from services.runtime.person_moves import Phase, move_rows

Row = tuple[Any, ...]

# The three reads look up each wanted key by itself: OFFSET 0 keeps the planner from joining whole tables instead, which it
# prefers for a handful of keys while a table has grown since it was last counted, batch after batch.
_CLAIM_HISTORIES = """
SELECT known.*
FROM unnest($2::text[], $3::text[]) AS wanted (person_id, record_id)
CROSS JOIN LATERAL (
    SELECT person_id, record_id, version, sequence, state, withdrawn, alias, since, until,
        category, crossover, basis, month, cents, claims
    FROM claim_contribution AS kept
    WHERE (kept.person_id, kept.payer, kept.record_id) = (wanted.person_id, $1, wanted.record_id)
    ORDER BY version, alias, since, sequence, part
    OFFSET 0
) AS known
"""

_VERSION_COLUMNS = (
    "person_id", "record_id", "version", "part", "sequence", "state", "withdrawn",
    "payer", "category", "crossover", "basis", "month", "cents", "claims", "alias", "since", "until",
)  # fmt: skip

_CLAIMS_OF_PEOPLE = """
SELECT person_id, record_id, version, sequence, state, withdrawn, alias, since, until,
    category, crossover, basis, month, cents, claims
FROM claim_contribution WHERE person_id = ANY($2) AND payer = $1
ORDER BY person_id, record_id, version, alias, since, sequence, part
"""

_KNOWN_EARLIER = """
UPDATE claim_contribution AS known SET sequence = earlier.sequence, since = earlier.sequence, state = earlier.state
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[])
    AS earlier (person_id, record_id, version, alias, until, sequence, state)
WHERE (known.person_id, known.payer, known.record_id, known.version, known.alias)
    = (earlier.person_id, $1, earlier.record_id, earlier.version, earlier.alias)
    AND known.since = known.sequence AND known.until IS NOT DISTINCT FROM earlier.until
"""

# Behind the move of somebody: moved on with the next delivery.
_BEHIND = """
UPDATE person_move SET settled = false FROM unnest($1::text[], $2::bigint[]) AS added (person_id, sequence)
WHERE settled AND source = added.person_id AND person_move.sequence > added.sequence
"""

_ASSIGNMENTS_OF_PEOPLE = """
SELECT person_id, month, sequence, revision, dual_status, state, county, entity, cohort FROM assignment
WHERE person_id = ANY($1) ORDER BY person_id, month, sequence
"""

# Whoever was moved whole, until something is moved to them again. Only what was carried out counts.
_GONE_NOW = """
SELECT whole.source AS person_id, whole.sequence AS since,
    (SELECT min(back.sequence) FROM person_move back
     WHERE back.target = whole.source AND back.sequence > whole.sequence AND back.settled) AS until
FROM person_move whole WHERE whole.source = ANY($1) AND whole.aliases IS NULL AND whole.settled
"""

_ASSIGNMENTS = """
SELECT known.*
FROM unnest($1::text[], $2::text[]) AS wanted (person_id, month)
CROSS JOIN LATERAL (
    SELECT person_id, month, sequence, revision, dual_status, state, county, entity, cohort
    FROM assignment AS kept
    WHERE (kept.person_id, kept.month) = (wanted.person_id, wanted.month)
    ORDER BY sequence
    OFFSET 0
) AS known
"""

_WRITE_ASSIGNMENTS = """
INSERT INTO assignment
    (person_id, month, sequence, revision, state, county, entity, cohort, dual_status, in_health_plan)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::boolean[])
ON CONFLICT (person_id, month, sequence) DO UPDATE SET
    revision = EXCLUDED.revision, state = EXCLUDED.state, county = EXCLUDED.county,
    entity = EXCLUDED.entity, cohort = EXCLUDED.cohort,
    dual_status = EXCLUDED.dual_status, in_health_plan = EXCLUDED.in_health_plan
"""

_PERSON_MONTH_COSTS = """
SELECT known.*
FROM unnest($1::text[], $2::text[]) AS wanted (person_id, month)
CROSS JOIN LATERAL (
    SELECT person_id, sequence, cause, state, payer, category, crossover, basis, month, cents, claims
    FROM person_month_cost AS kept
    WHERE (kept.person_id, kept.month) = (wanted.person_id, wanted.month)
    OFFSET 0
) AS known
"""

_ADD_COSTS = """
WITH added AS (
INSERT INTO person_month_cost AS kept
    (person_id, month, sequence, cause, state, payer, category, crossover, basis, cents, claims)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[],
    $10::bigint[], $11::bigint[])
ON CONFLICT (person_id, month, sequence, payer, category, crossover, basis, cause, state)
DO UPDATE SET cents = kept.cents + EXCLUDED.cents, claims = kept.claims + EXCLUDED.claims
RETURNING ctid, cents, claims
)
SELECT ctid FROM added WHERE cents = 0 AND claims = 0
"""

_ADD_CELLS = """
WITH added AS (
INSERT INTO cell_delta AS kept
    (shard, sequence, cause, state, county, entity, cohort, payer, category, crossover, basis, month, cents, claims)
SELECT $1, * FROM unnest(
    $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::boolean[], $11::text[], $12::text[], $13::bigint[], $14::bigint[])
ON CONFLICT (sequence, state, entity, cohort, payer, category, month, county, crossover, basis, cause, shard)
DO UPDATE SET cents = kept.cents + EXCLUDED.cents, claims = kept.claims + EXCLUDED.claims
RETURNING ctid, cents, claims
)
SELECT ctid FROM added WHERE cents = 0 AND claims = 0
"""

_ADD_PERSON_MONTHS = """
WITH added AS (
INSERT INTO person_month_delta AS kept (shard, sequence, state, county, entity, cohort, month, person_months)
SELECT $1, * FROM unnest(
    $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
ON CONFLICT (sequence, state, entity, cohort, month, county, shard)
DO UPDATE SET person_months = kept.person_months + EXCLUDED.person_months
RETURNING ctid, person_months
)
SELECT ctid FROM added WHERE person_months = 0
"""

_ADD_ARRIVALS = """
INSERT INTO arrival AS kept (shard, source, sequence, received, repeated, older)
SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
ON CONFLICT (sequence, source, shard) DO UPDATE SET
    received = kept.received + EXCLUDED.received, repeated = kept.repeated + EXCLUDED.repeated,
    older = kept.older + EXCLUDED.older
"""


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def _add(connection: Connection, statement: str, table: str, rows: Sequence[Row], *scalars: object) -> None:
    """Add rows to those that are there; rows that became zero go, so that no order of arrival leaves a trace."""
    if not rows:
        return
    emptied = [row["ctid"] for row in await connection.fetch(statement, *scalars, *_columns(rows))]
    if emptied:
        # The table is one of three constants of this module.
        await connection.execute(f"DELETE FROM {table} WHERE ctid = ANY($1::tid[])", emptied)  # noqa: S608


async def next_revision(connection: Connection) -> int:
    """The first delivery whose cut is still to be published."""
    latest: int = await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM revision")
    return latest + 1


async def claim_histories(
    connection: Connection, payer: str, keys: Sequence[ClaimKey]
) -> dict[ClaimKey, tuple[ClaimVersion, ...]]:
    """Every known version of these claims."""
    rows = await connection.fetch(_CLAIM_HISTORIES, payer, [key[0] for key in keys], [key[1] for key in keys])
    return _histories(payer, rows)


async def claims_of_people(
    connection: Connection, payer: str, people: Sequence[str]
) -> dict[ClaimKey, tuple[ClaimVersion, ...]]:
    """Every known version of every claim of some people."""
    return _histories(payer, await connection.fetch(_CLAIMS_OF_PEOPLE, payer, people))


def _histories(payer: str, rows: Iterable[Any]) -> dict[ClaimKey, tuple[ClaimVersion, ...]]:
    parts: dict[Row, list[Contribution]] = defaultdict(list)
    for row in rows:
        values = tuple(row)
        parts[values[:9]].append(Contribution(payer, *values[9:]))
    histories: dict[ClaimKey, list[ClaimVersion]] = defaultdict(list)
    for (person, record, version, sequence, state, withdrawn, alias, since, until), contributions in parts.items():
        moved_here = None if since == sequence else since
        known = ClaimVersion(version, sequence, state, withdrawn, tuple(contributions), alias, moved_here, until)
        histories[(person, record)].append(known)
    return {key: tuple(history) for key, history in histories.items()}


async def add_versions(connection: Connection, versions: Iterable[tuple[ClaimKey, ClaimVersion]]) -> None:
    """Keep versions that were not known."""
    added = list(versions)
    rows = [
        (*key, one.version, part, one.sequence, one.state, one.withdrawn, *contribution, one.alias, one.sequence, None)
        for key, one in added
        for part, contribution in enumerate(one.contributions)
    ]
    if rows:
        await connection.copy_records_to_table("claim_contribution", records=rows, columns=_VERSION_COLUMNS)
        first: dict[str, int] = {}
        for (person, _), one in added:
            first[person] = min(one.sequence, first.get(person, one.sequence))
        await connection.execute(_BEHIND, list(first), list(first.values()))


async def move_versions(connection: Connection, payer: str, versions: Iterable[tuple[ClaimKey, ClaimVersion]]) -> None:
    """Note that known versions were known with an earlier delivery already."""
    rows = [(*key, one.version, one.alias, one.until, one.sequence, one.state) for key, one in versions]
    if rows:
        await connection.execute(_KNOWN_EARLIER, payer, *_columns(rows))


async def move_claims(connection: Connection, phase: Phase, sources: Sequence[str]) -> None:
    """Put versions of claims under whose they are from a delivery on."""
    key = ("payer", "record_id", "version", "alias", "sequence", "part")
    rest = ("state", "withdrawn", "category", "crossover", "basis", "month", "cents", "claims")
    await move_rows(connection, phase, "claim_contribution", key, rest, sources)


async def gone(connection: Connection, people: Iterable[str]) -> dict[str, list[tuple[int, int | None]]]:
    """From which deliveries on, and until which, each of some people counts as somebody else."""
    rows = await connection.fetch(
        "SELECT person_id, since, until FROM gone WHERE person_id = ANY($1) ORDER BY person_id, since", list(people)
    )
    found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for person, since, until in rows:
        found[person].append((since, until))
    return found


async def write_gone(connection: Connection, people: Sequence[str]) -> None:
    """Work out anew when each of some people counts as somebody else."""
    await connection.execute("DELETE FROM gone WHERE person_id = ANY($1)", people)
    await connection.execute(f"INSERT INTO gone (person_id, since, until) {_GONE_NOW}", people)


async def assignments_of_people(
    connection: Connection, people: Sequence[str]
) -> dict[PersonMonth, dict[int, tuple[int, Place, str]]]:
    """Every decision about some people, by month."""
    return _assignments(await connection.fetch(_ASSIGNMENTS_OF_PEOPLE, people))


async def assignments(
    connection: Connection, keys: Iterable[PersonMonth]
) -> dict[PersonMonth, dict[int, tuple[int, Place, str]]]:
    """Per person-month: sequence to (revision, place, dual status), in the order of sequences."""
    wanted = list(keys)
    return _assignments(await connection.fetch(_ASSIGNMENTS, [key[0] for key in wanted], [key[1] for key in wanted]))


def _assignments(rows: Iterable[Any]) -> dict[PersonMonth, dict[int, tuple[int, Place, str]]]:
    found: dict[PersonMonth, dict[int, tuple[int, Place, str]]] = defaultdict(dict)
    for person, month, sequence, revision, status, *place in rows:
        found[(person, month)][sequence] = (revision, Place(*place), status)
    return found


async def write_assignments(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Keep decisions; one for the same month and sequence gives way."""
    rows = [(*decision[:4], *decision.place, *decision.traits) for decision in decisions]
    if rows:
        await connection.execute(_WRITE_ASSIGNMENTS, *_columns(rows))


async def person_month_costs(
    connection: Connection, keys: Sequence[PersonMonth]
) -> dict[PersonMonth, list[CostChange]]:
    """All that is known of these person-months' costs."""
    rows = await connection.fetch(_PERSON_MONTH_COSTS, [key[0] for key in keys], [key[1] for key in keys])
    costs: dict[PersonMonth, list[CostChange]] = defaultdict(list)
    for person, sequence, cause, state, payer, category, crossover, basis, month, cents, claims in rows:
        series = (payer, category, crossover, basis)
        costs[(person, month)].append(CostChange(sequence, cause, state, series, month, cents, claims))
    return costs


async def add_costs(connection: Connection, costs: Mapping[CostKey, Amounts]) -> None:
    """Add to person-months' costs; keys as :func:`services.cost_shift.changes.revise_claims` makes them."""
    await _add(connection, _ADD_COSTS, "person_month_cost", [(*key, *costs[key]) for key in sorted(costs)])


async def add_cells(connection: Connection, shard: int, cells: Mapping[CellKey, Amounts]) -> None:
    """Add to cells; keys as :func:`services.cost_shift.changes.cells_of_costs` makes them."""
    await _add(connection, _ADD_CELLS, "cell_delta", [(*key, *cells[key]) for key in sorted(cells)], shard)


async def add_person_months(connection: Connection, shard: int, counts: Mapping[CountKey, int]) -> None:
    """Add to counts of person-months by cell."""
    rows = [(*key, counts[key]) for key in sorted(counts)]
    await _add(connection, _ADD_PERSON_MONTHS, "person_month_delta", rows, shard)


async def add_arrivals(connection: Connection, shard: int, source: str, arrivals: Mapping[int, Sequence[int]]) -> None:
    """Count what arrived: sequence to (received, repeated, older)."""
    rows = [(sequence, *arrivals[sequence]) for sequence in sorted(arrivals)]
    await connection.execute(_ADD_ARRIVALS, shard, source, *_columns(rows))
