"""The SQL of visits and participants: one statement a batch, however many people are in it."""

from collections.abc import Sequence

from contracts.months import month_index
from contracts.provider import ProviderRosterStated
from services.alignment.rules.claims_based import Participation
from services.alignment.visits import KnownRecord, VisitRecord
from services.runtime.database import Connection
from services.runtime.person_moves import Phase, move_rows

# The same version by the same name again says nothing new, unless what it said before became another's meanwhile. One
# that was said in an earlier delivery and comes later is known since then.
_APPEND_VISITS = """
    WITH said AS (
        SELECT DISTINCT ON (person_id, alias, record_id, version) *
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
            AS said (person_id, record_id, version, sequence, lines, alias)
        ORDER BY person_id, alias, record_id, version, sequence, lines
    ), arrived AS (
        INSERT INTO visit_record (person_id, record_id, version, sequence, since, lines, alias)
        SELECT person_id, record_id, version, sequence, sequence, lines, alias FROM said
        WHERE NOT EXISTS (
            SELECT FROM visit_record known
            WHERE (known.person_id, known.alias, known.record_id, known.version)
                    = (said.person_id, said.alias, said.record_id, said.version)
                AND known.since <= said.sequence AND (known.until IS NULL OR known.until > said.sequence)
        )
        ON CONFLICT DO NOTHING
        RETURNING person_id, sequence
    )
    UPDATE person_move SET settled = false FROM arrived
    WHERE settled AND source = arrived.person_id AND person_move.sequence > arrived.sequence
"""


async def append_visits(connection: Connection, records: Sequence[VisitRecord]) -> None:
    """Append records; what comes behind a move, out of its turn, is moved on with the next delivery."""
    if records:
        await connection.execute(_APPEND_VISITS, *[list(column) for column in zip(*records, strict=True)])


async def move_visits(connection: Connection, phase: Phase) -> None:
    """Put visits under whom they are about from a delivery on."""
    await move_rows(connection, phase, "visit_record", ("record_id", "version", "alias"), ("sequence", "lines"))


async def visits_of(connection: Connection, people: Sequence[str]) -> dict[str, list[KnownRecord]]:
    """Every record kept of each of these people."""
    rows = await connection.fetch(
        "SELECT person_id, record_id, version, since, until, lines FROM visit_record WHERE person_id = ANY($1)", people
    )
    found: dict[str, list[KnownRecord]] = {}
    for person_id, *rest in rows:
        found.setdefault(person_id, []).append(KnownRecord(*rest))
    return found


async def save_participants(connection: Connection, events: Sequence[ProviderRosterStated]) -> None:
    """Keep each list's participants; the same page again changes nothing."""
    await connection.executemany(
        "INSERT INTO roster_participant VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        [
            (event.data.entity_id, event.deliveryseq, one.npi, one.first_month, one.last_month or "")
            for event in events
            for one in event.data.providers
        ],
    )


async def participants_as_known(connection: Connection, as_of: int) -> dict[str, list[Participation]]:
    """Participants by NPI, from the newest list of each entity as known at a delivery; earlier participations first."""
    rows = await connection.fetch(
        """
        SELECT entity_id, npi, first_month, last_month FROM roster_participant JOIN (
            SELECT DISTINCT ON (entity_id) entity_id, sequence FROM roster_page WHERE sequence <= $1
            ORDER BY entity_id, stated_on DESC, sequence DESC
        ) AS newest USING (entity_id, sequence)
        ORDER BY npi, first_month, entity_id, last_month
        """,
        as_of,
    )
    found: dict[str, list[Participation]] = {}
    for entity_id, npi, first, last in rows:
        one = Participation(entity_id, month_index(first), month_index(last) if last else None)
        found.setdefault(npi, []).append(one)
    return found


async def entities_with_participants(connection: Connection, as_of: int) -> frozenset[str]:
    """Entities whose list was known at a delivery."""
    rows = await connection.fetch("SELECT DISTINCT entity_id FROM roster_page WHERE sequence <= $1", as_of)
    return frozenset(row["entity_id"] for row in rows)
