"""People who share no number, found by name, birth date and sex: what was said of them is compared under seal.

Names never lie open in the database: what may be compared is found by HMAC of parts of it (blocks), opened in memory pair
by pair, and only the score stays. Which pairs are linked in the end is a function of all pairs, of the numbers and of what
people decided, worked out anew with each delivery: so the order of deliveries does not matter, a link that is no longer
the only one of its kind is undone, and a delivery that repeats what is known changes nothing.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import asyncpg

from services.intake.identity_trail import INTAKE
from services.intake.reading import Demographics
from services.intake.rules.name_form import sound_of
from services.intake.rules.record_linkage import (
    KnownAs,
    LinkagePolicy,
    Resemblance,
    known_as,
    linkage_policy,
    resemblance,
)
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection

_PAIRS_AT_ONCE: Final = 2_000
_MOST_OPENED: Final = 10_000


def state_of(said: Demographics) -> str | None:
    """Where a source says that somebody lives; else the state that gave the Medicaid id."""
    if said.state is not None:
        return said.state
    return said.reference.value.partition(":")[0] if said.reference.kind == "medicaid" else None


def known(said: Demographics, policy: LinkagePolicy) -> KnownAs:
    """What a source said, in the form in which it is compared."""
    return known_as(said.family_name, said.given_name, said.birth_date, said.sex_code, state_of(said), policy)


def packed(one: KnownAs) -> bytes:
    """As it is sealed."""
    day = one.birth_date and one.birth_date.isoformat()
    return json.dumps([one.family_name, one.given_name, day, one.sex_code, one.state]).encode()


def unpacked(content: bytes) -> KnownAs:
    """Undo :func:`packed`."""
    family, given, day, sex, state = json.loads(content)
    return KnownAs(family, given, date.fromisoformat(day) if day else None, sex, state)


def blocks_of(one: KnownAs) -> list[str]:
    """Under what somebody is looked for. Two records of one person share one of these, in spite of one error in either."""
    day = one.birth_date
    if day is None:
        return []
    found = [f"day:{day.isoformat()}:{sex}" for sex in ((one.sex_code,) if one.sex_code else ("1", "2"))]
    if one.family_name:
        found.append(f"family:{sound_of(one.family_name)}:{day.year}")
    if one.given_name:
        found.append(f"given:{sound_of(one.given_name)}:{day.year}:{(one.family_name or '?')[0]}")
    return found


# What was said before is no news.
_KEEP: Final = """
    CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS
    WITH kept AS (
        INSERT INTO vault_demographics (lookup, fingerprint, content_sealed, first_sequence)
        SELECT DISTINCT ON (staged.lookup, staged.fingerprint)
            staged.lookup, staged.fingerprint, staged.content_sealed, $1::bigint
        FROM staged_demographics staged JOIN vault_identifier USING (lookup)
        ORDER BY staged.lookup, staged.fingerprint
        ON CONFLICT DO NOTHING RETURNING lookup, fingerprint
    ) SELECT lookup, fingerprint FROM kept
"""
_BLOCKS: Final = """
    INSERT INTO vault_block (block, lookup, fingerprint)
    SELECT DISTINCT unnest(staged.blocks), lookup, fingerprint
    FROM staged_demographics staged JOIN fresh USING (lookup, fingerprint)
    ON CONFLICT DO NOTHING
"""
# Who was parted from somebody may be somebody else after all.
_AGAIN: Final = """
    INSERT INTO fresh SELECT lookup, fingerprint FROM vault_demographics
    WHERE lookup IN (SELECT lookup FROM leaving)
        AND (lookup, fingerprint) NOT IN (SELECT lookup, fingerprint FROM fresh)
"""
# Members whose number leads to no MBI, against beneficiaries of whom no Medicaid id of that state is known.
_OPEN: Final = """
    CREATE TEMPORARY TABLE open_member ON COMMIT DROP AS
    SELECT identifier.lookup, identifier.atom, identifier.issuer FROM vault_identifier identifier
    WHERE identifier.kind = 'medicaid' AND identifier.issuer IS NOT NULL AND NOT EXISTS (
        SELECT FROM vault_identifier medicare WHERE medicare.atom = identifier.atom AND medicare.kind = 'mbi')
"""
_CANDIDATES: Final = """
    CREATE TEMPORARY TABLE candidate ON COMMIT DROP AS
    SELECT DISTINCT pair.lookup, pair.fingerprint, pair.other, pair.other_fingerprint
    FROM fresh
    JOIN vault_block own ON (own.lookup, own.fingerprint) = (fresh.lookup, fresh.fingerprint)
    JOIN vault_block found ON found.block = own.block AND found.lookup <> own.lookup
    CROSS JOIN LATERAL (
        VALUES (own.lookup, own.fingerprint, found.lookup, found.fingerprint),
            (found.lookup, found.fingerprint, own.lookup, own.fingerprint)
    ) AS pair (lookup, fingerprint, other, other_fingerprint)
    JOIN open_member member ON member.lookup = pair.lookup
    JOIN vault_identifier medicare ON medicare.lookup = pair.other AND medicare.kind = 'mbi'
    WHERE NOT EXISTS (
        SELECT FROM vault_identifier held WHERE held.atom = medicare.atom AND held.kind = 'medicaid'
            AND (held.issuer IS NULL OR held.issuer = member.issuer))
"""
_COMPARED: Final = """
    SELECT candidate.lookup, candidate.fingerprint, one.content_sealed, candidate.other, candidate.other_fingerprint,
        two.content_sealed AS other_sealed
    FROM candidate
    JOIN vault_demographics one USING (lookup, fingerprint)
    JOIN vault_demographics two ON (two.lookup, two.fingerprint) = (candidate.other, candidate.other_fingerprint)
    ORDER BY candidate.lookup, candidate.fingerprint, candidate.other, candidate.other_fingerprint
"""
_PAIRED: Final = """
    INSERT INTO vault_pair AS known (lookup, other, score, automatic, parts, rule)
    SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::integer[], $4::boolean[], $5::text[]::jsonb[], $6::text[])
    ON CONFLICT (lookup, other) DO UPDATE
    SET score = excluded.score, automatic = excluded.automatic, parts = excluded.parts, rule = excluded.rule
    WHERE (excluded.automatic, excluded.score) > (known.automatic, known.score)
"""
# Pairs that may be of one person: the member has no MBI, the beneficiary no Medicaid id of that state, nobody parted them.
_EDGES: Final = """
    CREATE TEMPORARY TABLE resembling ON COMMIT DROP AS
    SELECT member.atom, medicare.atom AS other, bool_or(pair.automatic) AS automatic, max(pair.score) AS score
    FROM vault_pair pair
    JOIN vault_identifier member ON member.lookup = pair.lookup
    JOIN vault_identifier medicare ON medicare.lookup = pair.other
    WHERE member.atom <> medicare.atom
        AND NOT EXISTS (SELECT FROM vault_identifier own WHERE own.atom = member.atom AND own.kind = 'mbi')
        AND NOT EXISTS (
            SELECT FROM vault_identifier own JOIN vault_identifier its
                ON its.kind = 'medicaid' AND (its.issuer IS NULL OR own.issuer IS NULL OR its.issuer = own.issuer)
            WHERE own.atom = member.atom AND own.kind = 'medicaid' AND its.atom = medicare.atom)
        AND NOT EXISTS (
            SELECT FROM vault_identifier own JOIN vault_identifier its ON its.atom = medicare.atom
            JOIN vault_apart apart ON (apart.alias, apart.other)
                = (least(own.alias, its.alias), greatest(own.alias, its.alias))
            WHERE own.atom = member.atom)
    GROUP BY member.atom, medicare.atom
"""
# Of two who could be meant, neither is.
_CHOSEN: Final = """
    CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
    SELECT atom, other, score FROM (
        SELECT *, count(*) OVER (PARTITION BY atom) AS of_member, count(*) OVER (PARTITION BY other) AS of_beneficiary
        FROM resembling
    ) counted
    WHERE automatic AND of_member = 1 AND of_beneficiary = 1
"""
_LINKED: Final = """
    CREATE TEMPORARY TABLE relinked ON COMMIT DROP AS
    WITH wanted AS (
        SELECT person.person_id, chosen.other FROM vault_person person LEFT JOIN chosen ON chosen.atom = person.person_id
        WHERE person.linked_to IS NOT NULL OR chosen.other IS NOT NULL
    ), changed AS (
        UPDATE vault_person SET linked_to = wanted.other FROM wanted
        WHERE wanted.person_id = vault_person.person_id AND vault_person.linked_to IS DISTINCT FROM wanted.other
        RETURNING new.person_id, old.linked_to AS before, new.linked_to AS after
    )
    SELECT person_id, before, after FROM changed
"""
_BEST: Final = """
    SELECT pair.score, pair.parts, pair.rule FROM vault_pair pair
    JOIN vault_identifier one ON one.lookup = pair.lookup JOIN vault_identifier two ON two.lookup = pair.other
    WHERE one.atom = {atom} AND two.atom = {other}
    ORDER BY pair.automatic DESC, pair.score DESC, pair.lookup, pair.other LIMIT 1
"""
_TRAIL: Final = f"""
    INSERT INTO identity_trail (sequence, action, person_id, other, score, parts, rule, actor, reason)
    SELECT $1::bigint, 'unlinked', person_id, before, best.score, best.parts, best.rule, $2::text,
        'no longer the only pair, or a number says otherwise'
    FROM relinked LEFT JOIN LATERAL ({_BEST.format(atom="relinked.person_id", other="relinked.before")}) best ON true
    WHERE before IS NOT NULL
    UNION ALL
    SELECT $1, 'linked', person_id, after, best.score, best.parts, best.rule, $2, 'above the threshold and the only pair'
    FROM relinked LEFT JOIN LATERAL ({_BEST.format(atom="relinked.person_id", other="relinked.after")}) best ON true
    WHERE after IS NOT NULL
    UNION ALL
    SELECT $1, 'not_linked', resembling.atom, resembling.other, best.score, best.parts, best.rule, $2,
        CASE WHEN resembling.automatic THEN 'not the only pair' ELSE 'below the threshold, or something contradicts' END
    FROM resembling CROSS JOIN LATERAL ({_BEST.format(atom="resembling.atom", other="resembling.other")}) best
    WHERE (resembling.atom, resembling.other) NOT IN (SELECT atom, other FROM chosen)
        AND EXISTS (
            SELECT FROM paired JOIN vault_identifier one ON one.lookup = paired.lookup
            JOIN vault_identifier two ON two.lookup = paired.other
            WHERE (one.atom, two.atom) = (resembling.atom, resembling.other))
    ORDER BY 2, 3, 4
"""  # noqa: S608 - constants of this module


async def link_resembling(connection: Connection, keys: IdentityKeys, sequence: int) -> None:
    """Compare what the staged delivery says of people with what is known, and link anew.

    To be called inside the transaction in which numbers have been resolved. Leaves whom each atom is linked to.
    """
    await connection.execute(_KEEP, sequence)
    await connection.execute(_BLOCKS)
    if await connection.fetchval("SELECT to_regclass('pg_temp.leaving') IS NOT NULL"):
        await connection.execute(_AGAIN)
    await connection.execute("CREATE TEMPORARY TABLE paired (lookup bytea, other bytea) ON COMMIT DROP")
    if await connection.fetchval("SELECT EXISTS (SELECT FROM fresh)"):
        await _compare(connection, keys, linkage_policy())
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM vault_pair)"):
        return
    for statement in (_EDGES, _CHOSEN, _LINKED):
        await connection.execute(statement)
    await connection.execute(_TRAIL, sequence, INTAKE)


async def _compare(connection: Connection, keys: IdentityKeys, policy: LinkagePolicy) -> None:
    await connection.execute(_OPEN)
    await connection.execute("ANALYZE fresh, open_member")
    await connection.execute(_CANDIDATES)
    opened = Opened(keys)
    async for rows in _in_blocks(connection):
        found = [(row, opened.resemblance(row, policy)) for row in rows]
        await _keep_pairs(connection, [(row, pair) for row, pair in found if pair.verdict != "none"], policy)


async def _in_blocks(connection: Connection) -> AsyncIterator[list[asyncpg.Record]]:
    cursor = await connection.cursor(_COMPARED)
    while rows := await cursor.fetch(_PAIRS_AT_ONCE):
        yield rows


async def _keep_pairs(
    connection: Connection, pairs: Sequence[tuple[asyncpg.Record, Resemblance]], policy: LinkagePolicy
) -> None:
    best: dict[tuple[bytes, bytes], Resemblance] = {}
    for row, pair in pairs:
        key = (row["lookup"], row["other"])
        if key not in best or _standing(pair) > _standing(best[key]):
            best[key] = pair
    if not best:
        return
    rows = [
        (*key, pair.score, pair.verdict == "link", json.dumps(pair.parts), policy.version) for key, pair in best.items()
    ]
    await connection.execute(_PAIRED, *map(list, zip(*rows, strict=True)))
    await connection.copy_records_to_table("paired", records=list(best), columns=("lookup", "other"))


def _standing(pair: Resemblance) -> tuple[bool, int]:
    return pair.verdict == "link", pair.score


@dataclass(slots=True)
class Opened:
    """What was unsealed last: one member is compared with many. Lives no longer than one delivery's comparison."""

    keys: IdentityKeys
    _known: dict[tuple[bytes, bytes], KnownAs] = field(default_factory=dict)

    def resemblance(self, row: asyncpg.Record, policy: LinkagePolicy) -> Resemblance:
        """Compare the two records of a row."""
        one = self._open(row["lookup"], row["fingerprint"], row["content_sealed"])
        return resemblance(one, self._open(row["other"], row["other_fingerprint"], row["other_sealed"]), policy)

    def _open(self, lookup: bytes, fingerprint: bytes, sealed: bytes) -> KnownAs:
        found = self._known.get((lookup, fingerprint))
        if found is None:
            if len(self._known) >= _MOST_OPENED:
                self._known.clear()
            found = unpacked(self.keys.open(sealed, lookup + fingerprint))
            self._known[lookup, fingerprint] = found
        return found
