"""Who a person is. Identifiers are found by HMAC, kept sealed, and lead to one pseudonym a person.

People are resolved for a whole delivery at once, in SQL, so that it takes no more memory for a million of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.identifiers import MbiError, normalise_mbi
from services.intake.reading import PersonReference
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection


class Merge(NamedTuple):
    """Two people turned out to be one."""

    retired: str
    kept: str


async def people_of(
    connection: Connection, keys: IdentityKeys, references: Iterable[PersonReference]
) -> dict[PersonReference, str]:
    """The people whom identifiers name, in one query; those unknown are left out."""
    by_lookup = {keys.lookup(reference): reference for reference in references}
    rows = await connection.fetch(
        "SELECT lookup, person_id FROM vault_identifier WHERE lookup = ANY($1)", list(by_lookup)
    )
    return {by_lookup[row["lookup"]]: row["person_id"] for row in rows}


async def person_of(connection: Connection, keys: IdentityKeys, reference: PersonReference) -> str | None:
    """The person whom an identifier names."""
    return (await people_of(connection, keys, [reference])).get(reference)


async def persons_of_mbis(
    connection: Connection, keys: IdentityKeys, mbis: Sequence[str], *, synthetic: bool = False
) -> dict[str, str]:
    """The people of MBIs as they were given; those unknown, or no MBI, are left out."""
    references: dict[str, PersonReference] = {}
    for mbi in mbis:
        try:
            references[mbi] = PersonReference("mbi", normalise_mbi(mbi, synthetic=synthetic))
        except MbiError:
            continue
    found: Mapping[PersonReference, str] = await people_of(connection, keys, references.values())
    return {mbi: found[reference] for mbi, reference in references.items() if reference in found}


# A staged identifier stands for its person where it is known, else for the person it would be the first name of.
_NODES = """
    CREATE TEMPORARY TABLE node ON COMMIT DROP AS
    SELECT DISTINCT ON (staged.lookup) staged.lookup, staged.kind, staged.value_sealed, staged.ordinal,
        known.lookup IS NULL AS is_new, coalesce(known.person_id, staged.person_id) AS person_id
    FROM staged_identifier staged LEFT JOIN vault_identifier known USING (lookup)
    ORDER BY staged.lookup, staged.ordinal
"""
_EDGES = """
    CREATE TEMPORARY TABLE edge ON COMMIT DROP AS
    WITH pair AS (
        SELECT one.person_id AS a, other.person_id AS b
        FROM staged_link link JOIN node one ON one.lookup = link.lookup JOIN node other ON other.lookup = link.other
        WHERE one.person_id <> other.person_id
    )
    SELECT a, b FROM pair UNION SELECT b, a FROM pair
"""
# A rank is 24 digits and then the person. Of people who are one, the one known for longest is kept; in one delivery, the one named first.
_LABELS = """
    CREATE TEMPORARY TABLE label ON COMMIT DROP AS
    SELECT own.person_id, own.rank AS kept_rank FROM (
        SELECT person_id, min(rank) AS rank FROM (
            SELECT person_id,
                lpad(created_sequence::text, 12, '0') || lpad(created_ordinal::text, 12, '0') || person_id AS rank
            FROM vault_person WHERE person_id IN (SELECT a FROM edge)
            UNION ALL
            SELECT person_id, lpad($1::bigint::text, 12, '0') || lpad(min(ordinal)::text, 12, '0') || person_id
            FROM node WHERE is_new AND person_id IN (SELECT a FROM edge) GROUP BY person_id
        ) ranked GROUP BY person_id
    ) own
"""
_SPREAD = """
    UPDATE label SET kept_rank = best.kept_rank
    FROM (SELECT edge.a, min(near.kept_rank) AS kept_rank FROM edge JOIN label near ON near.person_id = edge.b
          GROUP BY edge.a) best
    WHERE best.a = label.person_id AND best.kept_rank < label.kept_rank
"""
_NEW_PEOPLE = """
    INSERT INTO vault_person (person_id, created_sequence, created_ordinal)
    SELECT coalesce(substr(label.kept_rank, 25), node.person_id) AS kept, $1, min(node.ordinal)
    FROM node LEFT JOIN label USING (person_id) WHERE node.is_new GROUP BY kept
    ON CONFLICT (person_id) DO NOTHING
"""
_NEW_IDENTIFIERS = """
    INSERT INTO vault_identifier (lookup, kind, person_id, value_sealed, first_sequence)
    SELECT node.lookup, node.kind, coalesce(substr(label.kept_rank, 25), node.person_id),
        node.value_sealed, $1
    FROM node LEFT JOIN label USING (person_id) WHERE node.is_new
"""
_MERGES = """
    INSERT INTO vault_merge (retired, kept, sequence)
    SELECT label.person_id, substr(label.kept_rank, 25), $1
    FROM label JOIN vault_person USING (person_id)
    WHERE substr(label.kept_rank, 25) <> label.person_id
    ORDER BY label.person_id RETURNING retired, kept
"""
_REDIRECT = """
    UPDATE vault_identifier SET person_id = merged.kept
    FROM vault_merge merged WHERE merged.sequence = $1 AND vault_identifier.person_id = merged.retired
"""
_REDIRECT_OLD = """
    UPDATE vault_merge SET kept = newer.kept
    FROM vault_merge newer WHERE newer.sequence = $1 AND vault_merge.kept = newer.retired
"""
_OBSOLETE = """
    UPDATE vault_identifier SET obsolete_on = link.obsolete_on
    FROM staged_link link WHERE link.obsolete_on IS NOT NULL AND vault_identifier.lookup = link.lookup
"""
# What a source says about residence beats what a claim's submitter implies.
_STATES = """
    UPDATE vault_person SET state = said.state FROM (
        SELECT DISTINCT ON (person_id) person_id, staged.state
        FROM staged_record staged JOIN vault_identifier USING (lookup)
        WHERE staged.state IS NOT NULL AND staged.topic = ANY($1)
        ORDER BY person_id, staged.ordinal DESC
    ) said
    WHERE vault_person.person_id = said.person_id AND vault_person.state IS DISTINCT FROM said.state
        AND ($2 OR vault_person.state IS NULL)
"""


async def resolve_staged(
    connection: Connection, sequence: int, residence: Sequence[int], claims: Sequence[int]
) -> list[Merge]:
    """Give every staged identifier its person. To be called inside a transaction; a second time it changes nothing.

    ``residence`` and ``claims`` are the subjects that tell a person's state, the former with authority.
    """
    await connection.execute(_NODES)
    await connection.execute(_EDGES)
    await connection.execute(_LABELS, sequence)
    while await connection.execute(_SPREAD) != "UPDATE 0":
        pass
    await connection.execute(_NEW_PEOPLE, sequence)
    await connection.execute(_NEW_IDENTIFIERS, sequence)
    merges = [Merge(row["retired"], row["kept"]) for row in await connection.fetch(_MERGES, sequence)]
    if merges:
        await connection.execute(_REDIRECT, sequence)
        await connection.execute(_REDIRECT_OLD, sequence)
    await connection.execute(_OBSOLETE)
    await connection.execute(_STATES, list(residence), True)
    await connection.execute(_STATES, list(claims), False)
    return merges
