"""The queries behind the reconciliation queue, as known at a delivery. What people decided is shown with it.

A person whom an entity's report no longer names is no fact about that person: nobody says anything. So the months that
are still forecast although the entity's report for them has come are looked up when they are asked for.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Record

from services.alignment.rules.sharing import sharing
from services.alignment.statements import Fact, restored
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone


class Queue(NamedTuple):
    """Which differences, and where the page begins. ``status``: open, closed or all."""

    as_of: int
    entity_id: str | None
    month: str | None
    outcome: str | None
    status: str
    after: str
    limit: int


_QUEUE = (
    """
    WITH newest AS (
        SELECT DISTINCT ON (person_id, month) * FROM difference WHERE sequence <= $1
        ORDER BY person_id, month, sequence DESC
    ), stated AS (
        SELECT person_id, month, sequence, state, entity_id, outcome, theirs, their_reason, their_evidence, ours,
            our_reasons, our_evidence, forecast,
            (
                SELECT min(earlier.sequence) FROM difference earlier
                WHERE (earlier.person_id, earlier.month) = (newest.person_id, newest.month)
                    AND earlier.outcome <> 'agreed' AND earlier.sequence <= $1
                    AND earlier.sequence > coalesce((
                        SELECT max(settled.sequence) FROM difference settled
                        WHERE (settled.person_id, settled.month) = (newest.person_id, newest.month)
                            AND settled.outcome = 'agreed' AND settled.sequence <= $1
                    ), 0)
            ) AS differs_since
        FROM newest WHERE outcome <> 'agreed'
    ), reported AS (
        SELECT entity_id, month, min(sequence) AS sequence FROM reported_month WHERE sequence <= $1
        GROUP BY entity_id, month
    ), decided AS (
        SELECT DISTINCT ON (person_id, month) person_id, month, sequence, aligned, basis, entity_id FROM decision
        WHERE sequence <= $1 AND month IN (SELECT month FROM reported)
        ORDER BY person_id, month, sequence DESC
    ), not_named AS (
        SELECT decided.person_id, month, greatest(decided.sequence, reported.sequence) AS sequence, person.state, entity_id,
            'only_ours' AS outcome, false AS theirs, 'NOT_NAMED' AS their_reason,
            ARRAY['alignment report of ' || month || ', delivery ' || reported.sequence] AS their_evidence, true AS ours,
            '{}'::text[] AS our_reasons, ARRAY['forecast from the report before'] AS our_evidence, 'aligned' AS forecast,
            greatest(decided.sequence, reported.sequence) AS differs_since
        FROM decided JOIN reported USING (entity_id, month) JOIN person USING (person_id)
        WHERE aligned AND basis = 'forecast'
    ), known AS (
        SELECT * FROM stated
        UNION ALL
        SELECT * FROM not_named
        WHERE NOT EXISTS (SELECT FROM stated WHERE (stated.person_id, stated.month) = (not_named.person_id, not_named.month))
    ), queue AS (
        SELECT known.*, began.received_at AS differs_since_time,
            greatest(0, asked.received_at::date - began.received_at::date) AS age_days,
            closing.resolution, closing.actor AS closed_by, closing.closed_at, closing.note
        FROM known
        JOIN delivery began ON began.sequence = known.differs_since
        JOIN delivery asked ON asked.sequence = (SELECT max(sequence) FROM delivery WHERE sequence <= $1)
        LEFT JOIN LATERAL (
            SELECT * FROM difference_closing
            WHERE (difference_closing.person_id, difference_closing.month, difference_closing.entity_id,
                    difference_closing.outcome)
                    = (known.person_id, known.month, known.entity_id, known.outcome)
                AND difference_closing.sequence BETWEEN known.sequence AND $1
                AND (until IS NULL OR until > $1)
            ORDER BY closed_at DESC, event_id LIMIT 1
        ) AS closing ON true
        WHERE NOT """  # noqa: S608 - a fixed condition
    + is_gone("known.person_id", "$1")
    + """
    )
    """
)


async def queue(connection: Connection, page: Queue) -> Sequence[Record]:
    """Differences, by person and month."""
    return await connection.fetch(
        _QUEUE  # noqa: S608 - our own text
        + """
        SELECT * FROM queue
        WHERE ($2::text IS NULL OR entity_id = $2) AND ($3::text IS NULL OR month = $3)
            AND ($4::text IS NULL OR outcome = $4) AND ($5 = 'all' OR (resolution IS NULL) = ($5 = 'open'))
            AND (person_id || ':' || month) > $6
        ORDER BY person_id, month LIMIT $7
        """,
        *page,
    )


async def counts(connection: Connection, as_of: int, entity_id: str | None) -> Sequence[Record]:
    """Person-months of each reported month: aligned by both, and each sort of difference, of which some are closed."""
    return await connection.fetch(
        _QUEUE  # noqa: S608 - our own text
        + """
        , aligned AS (
            SELECT decided.entity_id, month, count(*) AS aligned FROM decided
            WHERE aligned AND basis = 'reported' AND NOT EXISTS (
                SELECT FROM stated
                WHERE (stated.person_id, stated.month) = (decided.person_id, decided.month) AND stated.theirs
            ) AND NOT """
        + is_gone("decided.person_id", "$1")
        + """
            GROUP BY decided.entity_id, month
        ), differing AS (
            SELECT entity_id, month, count(*) FILTER (WHERE outcome = 'only_ours') AS only_ours,
                count(*) FILTER (WHERE outcome = 'only_theirs') AS only_theirs,
                count(*) FILTER (WHERE outcome = 'different_month') AS different_month,
                count(*) FILTER (WHERE outcome = 'different_reason') AS different_reason,
                count(*) FILTER (WHERE resolution IS NOT NULL) AS closed
            FROM queue GROUP BY entity_id, month
        )
        SELECT entity_id, month, coalesce(aligned, 0) AS agreed, coalesce(only_ours, 0) AS only_ours,
            coalesce(only_theirs, 0) AS only_theirs, coalesce(different_month, 0) AS different_month,
            coalesce(different_reason, 0) AS different_reason, coalesce(closed, 0) AS closed
        FROM aligned FULL JOIN differing USING (entity_id, month)
        WHERE $2::text IS NULL OR entity_id = $2
        ORDER BY entity_id, month
        """,
        as_of,
        entity_id,
    )


async def closings(connection: Connection, person_id: str, month: str) -> Sequence[Record]:
    """Everything that was ever decided about the differences of one month of a person, oldest first."""
    return await connection.fetch(
        "SELECT * FROM difference_closing WHERE person_id = $1 AND month = $2 AND until IS NULL ORDER BY closed_at, event_id",
        person_id,
        month,
    )


async def not_shared(connection: Connection, people: Sequence[str], as_of: int) -> set[tuple[str, str]]:
    """Whose claims Medicare does not share with which entity: ``(person, entity)``."""
    rows = await connection.fetch(
        """
        SELECT person_id, event_id::text, sequence, kind, state, source, stated_on, entity_id, body FROM fact
        WHERE person_id = ANY($1) AND kind IN ('report', 'sharing') AND since <= $2 AND (until IS NULL OR until > $2)
        """,
        people,
        as_of,
    )
    facts: dict[str, list[Fact]] = defaultdict(list)
    for row in rows:
        person_id, event_id, sequence, kind, state, source, stated_on, entity_id, body = row
        facts[person_id].append(
            restored(event_id, sequence, kind, state, source, stated_on.toordinal(), entity_id, body)
        )
    return {
        (person_id, one.entity_id)
        for person_id, told in facts.items()
        for one in sharing(told)
        if one.about == "claims" and not one.shares
    }
