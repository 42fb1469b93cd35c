"""The SQL of facts and scores: one statement a table and batch, however many people are in it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg
from pydantic_core import to_json

from services.risk.fact_rows import Row
from services.risk.facts import ClaimRecord, FacilityStay, PersonFacts, Statement
from services.risk.rules.claim_marks import Mark
from services.runtime.arrays import array_texts, unnested
from services.runtime.database import Connection
from services.runtime.person_moves import Phase, move_rows

_TRANSPLANT, _DIALYSIS = Mark.TRANSPLANT.value, Mark.DIALYSIS.value
# Who has news, and the smallest sequence of it.
News = dict[str, int]

_STATEMENT_TYPES = f"text uuid smallint bigint text text date date text text date date {' text' * 7}"
_CLAIM_TYPES = f"text text bigint bigint text text boolean boolean date date {' text' * 4} bigint int int text text"
# Month after month most statements repeat what is known. One that says the same of the person as every earlier one
# of its payer, in a year already spoken of, can change no score as long as nothing about the person depends on the
# month: one dual status in all, no institutional level, no renal disease, no transplant, no other health plan, no
# facility stay, no birth to come. Such people are not even read.
_INSERT_STATEMENTS = f"""
    WITH arrived AS (
        INSERT INTO statement (person_id, event_id, ordinal, sequence, state, payer, stated_on, birth_date, sex_code,
            original_entitlement_code, death_date, part_b_began, first_month, last_month, dual_status_code,
            long_term_care_level, medicare_status_code, health_plan_contract, alias, since)
        SELECT said.*, said.sequence
        FROM {unnested(_STATEMENT_TYPES)}
            AS said (person_id, event_id, ordinal, sequence, state, payer, stated_on, birth_date, sex_code,
                original_entitlement_code, death_date, part_b_began, first_month, last_month, dual_status_code,
                long_term_care_level, medicare_status_code, health_plan_contract, alias)
        ON CONFLICT DO NOTHING
        RETURNING *
    ), behind AS (
        UPDATE person_move SET settled = false FROM arrived
        WHERE settled AND source = arrived.person_id AND person_move.sequence > arrived.sequence
    )
    SELECT person_id, sequence
    FROM arrived CROSS JOIN LATERAL (
        SELECT count(DISTINCT dual_status_code) > 1
               OR bool_or(long_term_care_level = 'institutional')
               OR bool_or(known.medicare_status_code IN ('11', '21', '31'))
               OR bool_or(known.health_plan_contract IS DISTINCT FROM arrived.health_plan_contract
                          AND known.payer = arrived.payer)
               OR (arrived.dual_status_code IS NOT NULL
                   AND bool_or(known.payer = 'medicare' AND known.dual_status_code IS NOT NULL) IS NOT TRUE)
               OR bool_or(known.state <> arrived.state)
               OR bool_or(known.birth_date > known.stated_on)
               OR bool_or(known.payer = arrived.payer
                   AND (known.birth_date, known.sex_code, known.original_entitlement_code, known.death_date,
                        known.part_b_began, known.dual_status_code, known.first_month IS NULL)
                   IS DISTINCT FROM
                       (arrived.birth_date, arrived.sex_code, arrived.original_entitlement_code, arrived.death_date,
                        arrived.part_b_began, arrived.dual_status_code, arrived.first_month IS NULL)) AS differs,
               bool_or(known.payer = arrived.payer AND known.since <= arrived.sequence
                   AND (known.until IS NULL OR known.until > arrived.sequence)
                   AND extract(year FROM known.stated_on) = extract(year FROM arrived.stated_on)) AS year_known
        FROM statement AS known WHERE known.person_id = arrived.person_id) AS history
    WHERE history.differs IS TRUE
       OR history.year_known IS NOT TRUE
       OR arrived.long_term_care_level = 'institutional'
       OR arrived.medicare_status_code IN ('11', '21', '31')
       OR EXISTS (SELECT 1 FROM facility_stay WHERE facility_stay.person_id = arrived.person_id)
       OR EXISTS (SELECT 1 FROM claim_record
                  WHERE claim_record.person_id = arrived.person_id AND claim_record.marks & 2048 <> 0)
"""  # noqa: S608 - constants of this module
# A record without diagnoses matters where a version or a relative of it has some: it may take them back.
# The same version by the same name again says nothing new, unless what it said before became another's meanwhile.
_KNOWN = """
    SELECT FROM {table} known
    WHERE (known.person_id, known.alias, known.record_id, known.version)
            = (said.person_id, said.alias, said.record_id, said.version)
        AND (known.until IS NULL OR (known.since <= said.sequence AND known.until > said.sequence))
"""
# Diagnoses, counting or not, a transplant (mark 2048) and dialysis (128): the condition of the index.
_BEARS = "{row}.diagnosis_codes <> '' OR {row}.ignored_codes <> '' OR {row}.marks & 2176 <> 0"
_INSERT_CLAIMS = f"""
    WITH said AS (
        SELECT DISTINCT ON (person_id, alias, record_id, version) *
        FROM {unnested(_CLAIM_TYPES)}
            AS said (person_id, record_id, version, sequence, state, claim_key, cancellation, admission, service_from,
                service_through, diagnosis_codes, ignored_codes, ignored_reason, claim_type_code, paid_cents, marks,
                frailty, indicators, alias)
        ORDER BY person_id, alias, record_id, version, sequence
    ), arrived AS (
        INSERT INTO claim_record (person_id, record_id, version, sequence, state, claim_key, cancellation, admission,
            service_from, service_through, diagnosis_codes, ignored_codes, ignored_reason, claim_type_code, paid_cents,
            marks, frailty, indicators, alias, since)
        SELECT said.*, said.sequence FROM said WHERE NOT EXISTS ({_KNOWN.format(table="claim_record")})
        ON CONFLICT DO NOTHING
        RETURNING person_id, record_id, claim_key, sequence, diagnosis_codes, ignored_codes, marks
    ), behind AS (
        UPDATE person_move SET settled = false FROM arrived
        WHERE settled AND source = arrived.person_id AND person_move.sequence > arrived.sequence
    )
    SELECT arrived.person_id, min(arrived.sequence) AS sequence
    FROM arrived
    WHERE {_BEARS.format(row="arrived")} OR EXISTS (
        SELECT 1 FROM claim_record known
        WHERE known.person_id = arrived.person_id AND ({_BEARS.format(row="known")})
          AND (known.record_id = arrived.record_id OR known.claim_key = arrived.claim_key))
    GROUP BY arrived.person_id
"""  # noqa: S608 - constants of this module
_INSERT_STAYS = f"""
    WITH said AS (
        SELECT DISTINCT ON (person_id, alias, record_id, version) *
        FROM {unnested("text text bigint bigint text date date boolean text")}
            AS said (person_id, record_id, version, sequence, state, first_day, last_day, counts, alias)
        ORDER BY person_id, alias, record_id, version, sequence
    ), arrived AS (
        INSERT INTO facility_stay (person_id, record_id, version, sequence, state, first_day, last_day, counts, alias,
            since)
        SELECT said.*, said.sequence FROM said WHERE NOT EXISTS ({_KNOWN.format(table="facility_stay")})
        ON CONFLICT DO NOTHING
        RETURNING person_id, sequence
    ), behind AS (
        UPDATE person_move SET settled = false FROM arrived
        WHERE settled AND source = arrived.person_id AND person_move.sequence > arrived.sequence
    )
    SELECT person_id, sequence FROM arrived
"""  # noqa: S608 - constants of this module


async def _insert(connection: Connection, statement: str, rows: Sequence[Row]) -> News:
    news: News = {}
    if rows:
        for person_id, sequence in await connection.fetch(statement, *array_texts(rows)):
            news[person_id] = min(sequence, news.get(person_id, sequence))
    return news


async def insert_statements(connection: Connection, rows: Sequence[Row]) -> News:
    """Append statements; those that are there already give no news."""
    return await _insert(connection, _INSERT_STATEMENTS, rows)


async def insert_claims(connection: Connection, rows: Sequence[Row]) -> News:
    """Append claim records; news is only of those that can change what supports a diagnosis."""
    return await _insert(connection, _INSERT_CLAIMS, rows)


async def insert_stays(connection: Connection, rows: Sequence[Row]) -> News:
    """Append facility stays; those that are there already give no news."""
    return await _insert(connection, _INSERT_STAYS, rows)


_INSERT_FILLS = f"""
    WITH said AS (
        SELECT DISTINCT ON (person_id, alias, record_id, version) *
        FROM {unnested("text text bigint bigint text date text boolean text")}
            AS said (person_id, record_id, version, sequence, state, filled_on, product, cancellation, alias)
        ORDER BY person_id, alias, record_id, version, sequence
    ), arrived AS (
        INSERT INTO drug_fill (person_id, record_id, version, sequence, state, filled_on, product, cancellation, alias,
            since)
        SELECT said.*, said.sequence FROM said WHERE NOT EXISTS ({_KNOWN.format(table="drug_fill")})
        ON CONFLICT DO NOTHING
        RETURNING person_id, sequence
    )
    UPDATE person_move SET settled = false FROM arrived
    WHERE settled AND source = arrived.person_id AND person_move.sequence > arrived.sequence
"""  # noqa: S608 - constants of this module


async def insert_fills(connection: Connection, rows: Sequence[Row]) -> News:
    """Append filled prescriptions. They bear on no score, so they are never news."""
    if rows:
        await connection.execute(_INSERT_FILLS, *array_texts(rows))
    return {}


_INSERT_DELIVERIES = f"""
    INSERT INTO known_delivery SELECT * FROM {unnested("int bigint text timestamptz")} ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module


async def insert_deliveries(connection: Connection, rows: Sequence[Row]) -> None:
    """Remember the deliveries of a partition: number, identity, time."""
    await connection.execute(
        _INSERT_DELIVERIES,
        *array_texts(rows),
    )


async def deliveries_since(connection: Connection, sequence: int) -> dict[int, tuple[str, datetime]]:
    """Read the deliveries from a sequence on."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (sequence) sequence, delivery_id, time FROM known_delivery WHERE sequence >= $1 "
        "ORDER BY sequence, partition",
        sequence,
    )
    return {sequence: (delivery_id, time) for sequence, delivery_id, time in rows}


# What was said again, by the same name, while it had not been moved yet.
SAID_AGAIN = """
    DELETE FROM {table} again USING person_move move, {table} moving
    WHERE move.sequence = $1 AND (move.aliases IS NULL) = $2 AND NOT move.settled
        AND moving.person_id = move.source AND moving.until IS NULL AND moving.since < move.sequence
        AND (move.aliases IS NULL OR moving.alias = ANY(move.aliases))
        AND (again.person_id, again.alias, again.record_id, again.version)
            = (move.target, moving.alias, moving.record_id, moving.version)
        AND again.since >= move.sequence AND again.until IS NULL
"""
_MOVED = {
    "statement": (
        ("event_id", "ordinal"),
        ("sequence", "state", "payer", "stated_on", "birth_date", "sex_code", "original_entitlement_code", "death_date",
         "part_b_began", "first_month", "last_month", "dual_status_code", "long_term_care_level",
         "medicare_status_code", "health_plan_contract", "alias"),
    ),
    "claim_record": (
        ("record_id", "version", "alias"),
        ("sequence", "state", "claim_key", "cancellation", "admission", "service_from", "service_through",
         "diagnosis_codes", "ignored_codes", "ignored_reason", "claim_type_code", "paid_cents", "marks", "frailty",
         "indicators"),
    ),
    "drug_fill": (("record_id", "version", "alias"), ("sequence", "state", "filled_on", "product", "cancellation")),
    "facility_stay": (("record_id", "version", "alias"), ("sequence", "state", "first_day", "last_day", "counts")),
}  # fmt: skip


async def move_facts(connection: Connection, phase: Phase) -> None:
    """Put facts under whom they are about from a delivery on."""
    for table in ("claim_record", "facility_stay", "drug_fill"):
        await connection.execute(SAID_AGAIN.format(table=table), *phase)
    for table, (key, rest) in _MOVED.items():
        await move_rows(connection, phase, table, key, rest)


_STATEMENTS = """
    SELECT person_id, sequence, state, payer, stated_on, birth_date, sex_code, original_entitlement_code, death_date,
           part_b_began, first_month, last_month, dual_status_code, long_term_care_level, medicare_status_code,
           health_plan_contract, since, until
    FROM statement WHERE person_id = ANY($1) ORDER BY sequence, event_id, ordinal
"""
_BEARING = f"FROM claim_record bearing WHERE person_id = ANY($1) AND ({_BEARS.format(row='bearing')})"
_CLAIM = """
    SELECT person_id, sequence, state, record_id, version, claim_key, cancellation, service_from, service_through,
           diagnosis_codes, ignored_codes, ignored_reason, marks, since, until
    FROM claim_record WHERE person_id = ANY($1)
"""
_CLAIMS = f"""
    {_CLAIM} AND (person_id, claim_key) IN (SELECT person_id, claim_key {_BEARING})
    UNION
    {_CLAIM} AND (person_id, record_id) IN (SELECT person_id, record_id {_BEARING})
"""
_STAYS = """
    SELECT person_id, sequence, state, record_id, version, first_day, last_day, counts, since, until
    FROM facility_stay WHERE person_id = ANY($1)
"""


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


def _claim(row: asyncpg.Record) -> ClaimRecord:
    marks = row["marks"]
    values = (
        *tuple(row)[1:9],
        *(_codes(row["diagnosis_codes"]), _codes(row["ignored_codes"]), row["ignored_reason"]),
        *(bool(marks & _TRANSPLANT), bool(marks & _DIALYSIS)),
    )
    return ClaimRecord(*values, since=row["since"], until=row["until"])


async def facts_of(connection: Connection, people: list[str]) -> dict[str, PersonFacts]:
    """Read all facts of some people that can bear on a score."""
    statements: dict[str, list[Statement]] = {person: [] for person in people}
    claims: dict[str, list[ClaimRecord]] = {person: [] for person in people}
    stays: dict[str, list[FacilityStay]] = {person: [] for person in people}
    for row in await connection.fetch(_STATEMENTS, people):
        statements[row[0]].append(Statement(*tuple(row)[1:-2], since=row["since"], until=row["until"]))
    for row in await connection.fetch(_CLAIMS, people):
        claims[row[0]].append(_claim(row))
    for row in await connection.fetch(_STAYS, people):
        stays[row[0]].append(FacilityStay(*tuple(row)[1:-2], since=row["since"], until=row["until"]))
    return {
        person: PersonFacts(tuple(statements[person]), tuple(claims[person]), tuple(stays[person])) for person in people
    }


async def standing_scores(connection: Connection, people: list[str]) -> dict[str, dict[tuple[int, int], bytes]]:
    """Read which inputs have been scored; both models of a year share one."""
    rows = await connection.fetch(
        "SELECT person_id, payment_year, sequence, fingerprint FROM score WHERE person_id = ANY($1) AND model = 'V28'",
        people,
    )
    standing: dict[str, dict[tuple[int, int], bytes]] = {person: {} for person in people}
    for person_id, year, sequence, fingerprint in rows:
        standing[person_id][year, sequence] = fingerprint
    return standing


_DELETE_SCORES = f"""
    DELETE FROM score WHERE (person_id, payment_year, sequence) IN (SELECT * FROM {unnested("text int bigint")})
"""  # noqa: S608 - constants of this module


async def delete_scores(connection: Connection, keys: Sequence[Row]) -> None:
    """Take back scores (person, payment year, sequence) that late facts have overtaken."""
    if keys:
        await connection.execute(_DELETE_SCORES, *array_texts(keys))


async def insert_scores(connection: Connection, rows: Iterable[Row]) -> None:
    """Append scores."""
    await connection.copy_records_to_table("score", records=rows)


def as_json(value: object) -> str:
    """Write a value as the text that a ``jsonb`` column takes."""
    return to_json(value).decode()
