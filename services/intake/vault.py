"""Who a person is. Identifiers are found by HMAC, kept sealed, and lead to one pseudonym a person.

People are resolved for a whole delivery at once, in SQL, so that it takes no more memory for a million of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.identifiers import MbiError, normalise_mbi
from services.intake.identity_decisions import separate
from services.intake.identity_trail import record_moves
from services.intake.linkage import link_resembling
from services.intake.reading import PersonReference
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection


class Move(NamedTuple):
    """What lay under ``person_id`` counts under ``other`` from now on: all of it, or what ``aliases`` name."""

    person_id: str
    other: str
    aliases: tuple[str, ...] | None


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


# A staged identifier stands for its atom where it is known, else for the one that it would be the first name of.
_NODES = """
    CREATE TEMPORARY TABLE node ON COMMIT DROP AS
    SELECT DISTINCT ON (staged.lookup) staged.lookup, staged.kind, staged.value_sealed, staged.ordinal, staged.issuer,
        staged.person_id AS alias, known.lookup IS NULL AS is_new, coalesce(known.atom, staged.person_id) AS atom
    FROM staged_identifier staged LEFT JOIN vault_identifier known USING (lookup)
    ORDER BY staged.lookup, staged.ordinal
"""
# Of whom somebody decided that they are two, no file says that they are one.
_EDGES = """
    CREATE TEMPORARY TABLE edge ON COMMIT DROP AS
    WITH pair AS (
        SELECT one.atom AS a, other.atom AS b
        FROM staged_link link JOIN node one ON one.lookup = link.lookup JOIN node other ON other.lookup = link.other
        WHERE one.atom <> other.atom
        UNION ALL
        SELECT person_id, other FROM staged_decision WHERE verdict = 'link' AND person_id <> other
    ), lawful AS (
        SELECT a, b FROM pair
        WHERE NOT EXISTS (SELECT FROM apart_atom apart WHERE (apart.atom, apart.other) = (pair.a, pair.b))
    )
    SELECT a, b FROM lawful UNION SELECT b, a FROM lawful
"""
_APART_ATOMS = """
    CREATE TEMPORARY TABLE apart_atom ON COMMIT DROP AS
    WITH pair AS (
        SELECT DISTINCT one.atom, two.atom AS other
        FROM vault_apart apart
        JOIN vault_identifier one ON one.alias = apart.alias JOIN vault_identifier two ON two.alias = apart.other
        WHERE one.atom <> two.atom
    )
    SELECT atom, other FROM pair UNION SELECT other, atom FROM pair
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
            SELECT atom, lpad($1::bigint::text, 12, '0') || lpad(min(ordinal)::text, 12, '0') || atom
            FROM node WHERE is_new AND atom IN (SELECT a FROM edge) GROUP BY atom
        ) ranked GROUP BY person_id
    ) own
"""
_SPREAD = """
    UPDATE label SET kept_rank = best.kept_rank
    FROM (SELECT edge.a, min(near.kept_rank) AS kept_rank FROM edge JOIN label near ON near.person_id = edge.b
          GROUP BY edge.a) best
    WHERE best.a = label.person_id AND best.kept_rank < label.kept_rank
"""
# Somebody unknown before may join two whom a decision holds apart: then nothing of what would join them is believed.
_UNLAWFUL = """
    WITH torn AS (
        SELECT DISTINCT one.kept_rank FROM apart_atom apart
        JOIN label one ON one.person_id = apart.atom JOIN label two ON two.person_id = apart.other
        WHERE one.kept_rank = two.kept_rank
    )
    DELETE FROM edge USING label, torn WHERE label.person_id = edge.a AND label.kept_rank = torn.kept_rank
"""
_NEW_PEOPLE = """
    INSERT INTO vault_person (person_id, created_sequence, created_ordinal)
    SELECT coalesce(substr(label.kept_rank, 25), node.atom) AS kept, $1, min(node.ordinal)
    FROM node LEFT JOIN label ON label.person_id = node.atom WHERE node.is_new GROUP BY kept
    ON CONFLICT (person_id) DO NOTHING
"""
_NEW_IDENTIFIERS = """
    INSERT INTO vault_identifier (lookup, kind, person_id, atom, alias, issuer, value_sealed, first_sequence)
    SELECT node.lookup, node.kind, kept.atom, kept.atom, node.alias, node.issuer, node.value_sealed, $1
    FROM node LEFT JOIN label ON label.person_id = node.atom
    CROSS JOIN LATERAL (SELECT coalesce(substr(label.kept_rank, 25), node.atom) AS atom) kept
    WHERE node.is_new
"""
_JOIN_ATOMS = """
    UPDATE vault_identifier SET atom = substr(label.kept_rank, 25)
    FROM label WHERE vault_identifier.atom = label.person_id AND substr(label.kept_rank, 25) <> label.person_id
"""
_OBSOLETE = """
    UPDATE vault_identifier SET obsolete_on = link.obsolete_on
    FROM staged_link link WHERE link.obsolete_on IS NOT NULL AND vault_identifier.lookup = link.lookup
"""
# Whom each identifier names in the end, and whom it named before: a table of both, for those of whom something was said.
_MOVED = """
    CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
    WITH changed AS (
        UPDATE vault_identifier identifier SET person_id = coalesce(atom.linked_to, atom.person_id)
        FROM vault_person atom
        WHERE atom.person_id = identifier.atom
            AND identifier.person_id <> coalesce(atom.linked_to, atom.person_id)
        RETURNING identifier.lookup, identifier.alias, old.person_id AS person_id, new.person_id AS other
    )
    SELECT changed.person_id, changed.other, changed.alias FROM changed
    WHERE NOT EXISTS (SELECT FROM node WHERE node.is_new AND node.lookup = changed.lookup)
"""
# Splits first: by then, whoever retires holds only what goes along.
_MOVES = """
    SELECT person_id, other, array_agg(alias ORDER BY alias) AS aliases,
        NOT EXISTS (SELECT FROM vault_identifier rest WHERE rest.person_id = moved.person_id) AS is_whole
    FROM moved GROUP BY person_id, other ORDER BY is_whole, person_id, other
"""
_RETIRE = """
    INSERT INTO vault_merge (retired, kept, sequence) SELECT person_id, other, $1 FROM moved
    WHERE NOT EXISTS (SELECT FROM vault_identifier rest WHERE rest.person_id = moved.person_id)
    GROUP BY person_id, other
    ON CONFLICT (retired) DO UPDATE SET kept = excluded.kept, sequence = excluded.sequence
"""
_RETURN = "DELETE FROM vault_merge USING moved WHERE vault_merge.retired = moved.other"
# Whoever had been taken for somebody goes where their own first identifier goes.
_REDIRECT = """
    UPDATE vault_merge SET kept = own.person_id
    FROM vault_identifier own, moved
    WHERE vault_merge.kept = moved.person_id AND own.alias = vault_merge.retired
        AND own.person_id NOT IN (vault_merge.retired, vault_merge.kept)
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
    connection: Connection, keys: IdentityKeys, sequence: int, residence: Sequence[int], claims: Sequence[int]
) -> list[Move]:
    """Give every staged identifier its person. To be called inside a transaction; a second time it changes nothing.

    ``residence`` and ``claims`` are the subjects that tell a person's state, the former with authority.
    Raises :class:`services.intake.reading.RefusedDelivery` for a decision that cannot be carried out.
    """
    await separate(connection, sequence)
    await connection.execute(_NODES)
    await connection.execute(_APART_ATOMS)
    await connection.execute(_EDGES)
    await _label(connection, sequence)
    await connection.execute(_NEW_PEOPLE, sequence)
    await connection.execute(_NEW_IDENTIFIERS, sequence)
    await connection.execute(_JOIN_ATOMS)
    await connection.execute(_OBSOLETE)
    await link_resembling(connection, keys, sequence)
    moves = await _moved(connection, sequence)
    await connection.execute(_STATES, list(residence), True)
    await connection.execute(_STATES, list(claims), False)
    return moves


async def _label(connection: Connection, sequence: int) -> None:
    await connection.execute(_LABELS, sequence)
    await _spread(connection)
    if await connection.execute(_UNLAWFUL) != "DELETE 0":
        await connection.execute("DROP TABLE label")
        await connection.execute(_LABELS, sequence)
        await _spread(connection)


async def _spread(connection: Connection) -> None:
    while await connection.execute(_SPREAD) != "UPDATE 0":
        pass


async def _moved(connection: Connection, sequence: int) -> list[Move]:
    await connection.execute(_MOVED)
    rows = await connection.fetch(_MOVES)
    if not rows:
        return []
    for statement in (_RETURN, _REDIRECT):
        await connection.execute(statement)
    await connection.execute(_RETIRE, sequence)
    moves = [Move(row["person_id"], row["other"], None if row["is_whole"] else tuple(row["aliases"])) for row in rows]
    await record_moves(connection, sequence, moves)
    return moves
