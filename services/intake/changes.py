"""Whom a delivery names, against the last one of the same kind from the same source. Counted in the database.

Of every kind and source it is kept who was named from which delivery on, with a hash of what was stated, until
another delivery said otherwise. Claims are not compared: every delivery brings others.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.intake.assembling import CLAIMS, Subject
from services.runtime.database import Connection

Change = Literal["added", "gone", "changed"]

# They differ from one delivery to the next as such.
_NOT_COMPARED = (*CLAIMS, Subject.PRELIMINARY_CLAIMS, Subject.PART_D_EVENTS, Subject.PREMIUMS)
# They say of when a statement is, not what it is.
_OF_WHEN = ["stated_on", "known_through", "report_month", "period", "performance_year"]


@dataclass(frozen=True, slots=True)
class Changes:
    """``compared_with`` is the number of the last delivery; the counts are ``None`` where there is none."""

    people: int
    added: int | None = None
    gone: int | None = None
    changed: int | None = None
    compared_with: int | None = None


@dataclass(frozen=True, slots=True)
class Former:
    """The last delivery of a kind and source, and the newest date of all."""

    sequence: int
    people: int
    newest: date


@dataclass(frozen=True, slots=True)
class Compared:
    """Which deliveries are compared: a kind, a source, and the number of the one that is being read."""

    kind: str
    source: str
    sequence: int


_FORMER = """
    SELECT sequence, coalesce(people, 0) AS people, max(dated) OVER () AS newest FROM delivery
    WHERE kind = $1 AND source = $2 AND sequence < $3 AND status IN ('staged', 'completed')
    ORDER BY sequence DESC LIMIT 1
"""


async def former_of(connection: Connection, compared: Compared) -> Former | None:
    """What came before of the same kind from the same source."""
    row = await connection.fetchrow(_FORMER, compared.kind, compared.source, compared.sequence)
    return None if row is None else Former(**dict(row))


# A snapshot's one month is of when it is, too.
_SAID = """
    CREATE TEMPORARY TABLE said ON COMMIT DROP AS
    WITH stated AS (
        SELECT lookup, topic, convert_from(payload, 'UTF8')::jsonb - $2::text[] AS told
        FROM staged_record WHERE topic <> ALL($1)
    ), line AS (
        SELECT lookup, sha256(convert_to(topic || ' ' || CASE
            WHEN jsonb_array_length(told -> 'spans') = 1
                AND told #> '{spans,0,first_month}' = told #> '{spans,0,last_month}'
            THEN told #- '{spans,0,first_month}' #- '{spans,0,last_month}' ELSE told END, 'UTF8')) AS hash
        FROM stated
        UNION ALL
        SELECT DISTINCT lookup, NULL::bytea FROM staged_record WHERE topic = ANY($1)
    )
    SELECT identifier.person_id,
        sha256(coalesce(string_agg(DISTINCT line.hash, ''::bytea ORDER BY line.hash), ''::bytea)) AS content
    FROM line JOIN vault_identifier identifier USING (lookup) GROUP BY identifier.person_id
"""
# People may have turned out to be one since they were written down.
_KNOWN = """
    CREATE TEMPORARY TABLE known ON COMMIT DROP AS
    SELECT one.person_id AS recorded, coalesce(merged.kept, one.person_id) AS person_id, one.content
    FROM delivered_person one LEFT JOIN vault_merge merged ON merged.retired = one.person_id
    WHERE one.kind = $1 AND one.source = $2 AND one.until IS NULL
"""
_CLOSE = """
    UPDATE delivered_person SET until = $3
    FROM known LEFT JOIN said USING (person_id, content)
    WHERE said.person_id IS NULL AND delivered_person.person_id = known.recorded
        AND delivered_person.kind = $1 AND delivered_person.source = $2 AND delivered_person.until IS NULL
"""
_OPEN = """
    INSERT INTO delivered_person (kind, source, person_id, content, since)
    SELECT $1, $2, said.person_id, said.content, $3 FROM said LEFT JOIN known USING (person_id, content)
    WHERE known.person_id IS NULL
    ON CONFLICT (kind, source, person_id) WHERE until IS NULL DO NOTHING
"""
_COUNT = """
    SELECT (SELECT count(*) FROM said) AS people,
        (SELECT count(*) FROM said WHERE NOT EXISTS (SELECT FROM known WHERE known.person_id = said.person_id))
            AS added,
        (SELECT count(DISTINCT person_id) FROM known
         WHERE NOT EXISTS (SELECT FROM said WHERE said.person_id = known.person_id)) AS gone,
        (SELECT count(*) FROM said
         WHERE EXISTS (SELECT FROM known WHERE known.person_id = said.person_id)
             AND NOT EXISTS (SELECT FROM known WHERE (known.person_id, known.content) = (said.person_id, said.content)))
            AS changed
"""


async def record_people(connection: Connection, compared: Compared, former: Former | None) -> Changes:
    """Write down whom the staged delivery names, and count what changed.

    To be called inside the transaction in which people are resolved, behind that.
    """
    await connection.execute(_SAID, [int(subject) for subject in _NOT_COMPARED], _OF_WHEN)
    await connection.execute(_KNOWN, compared.kind, compared.source)
    row = await connection.fetchrow(_COUNT)
    assert row is not None  # noqa: S101 - a query without FROM always has a row
    for statement in (_CLOSE, _OPEN):
        await connection.execute(statement, compared.kind, compared.source, compared.sequence)
    if former is None:
        return Changes(row["people"])
    return Changes(**dict(row), compared_with=former.sequence)


async def forget_people(connection: Connection, delivery_id: str) -> None:
    """Undo what a former attempt at a delivery has written down. To be called inside a transaction."""
    sequence = await connection.fetchval("SELECT sequence FROM delivery WHERE delivery_id = $1", delivery_id)
    await connection.execute("DELETE FROM delivered_person WHERE since = $1", sequence)
    await connection.execute("UPDATE delivered_person SET until = NULL WHERE until = $1", sequence)


# Of two people who became one, the one row may end while the other goes on: nobody is gone.
_LISTED = """
    WITH touched AS (
        SELECT coalesce(merged.kept, one.person_id) AS person_id, one.since, one.until
        FROM delivered_person one LEFT JOIN vault_merge merged ON merged.retired = one.person_id
        WHERE one.since = $1 OR one.until = $1
    ), person AS (
        SELECT person_id, bool_or(since = $1) AS opened,
            bool_or(until IS NOT DISTINCT FROM $1) AS closed FROM touched
        GROUP BY person_id
    )
    SELECT person_id FROM person
    WHERE person_id > $3 AND CASE $2 WHEN 'added' THEN opened AND NOT closed WHEN 'changed' THEN opened AND closed
        ELSE closed AND NOT opened AND NOT EXISTS (
            SELECT FROM delivered_person one JOIN delivery USING (kind, source)
            WHERE delivery.sequence = $1 AND one.person_id = person.person_id
                AND one.since < $1 AND (one.until IS NULL OR one.until > $1))
        END
    ORDER BY person_id LIMIT $4
"""


async def people_changed(
    connection: Connection, sequence: int, change: Change, most: int, after: str = ""
) -> list[str]:
    """Pseudonyms of whom a delivery was the first to name, the first not to name, or told of otherwise."""
    rows = await connection.fetch(_LISTED, sequence, change, after, most)
    return [row["person_id"] for row in rows]
