"""What an operator looks at to say who is who: pairs that resemble each other, and by what somebody is known. All masked."""

import json
from dataclasses import dataclass

from services.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Pair:
    """A member and a beneficiary who resemble each other and were not linked. ``parts``: field, level and weight."""

    person_id: str
    other: str
    score: int
    automatic: bool
    alone: bool
    parts: tuple[tuple[str, str, int], ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of a person. Its value stays sealed: ``alias`` is its pseudonym."""

    alias: str
    kind: str
    issuer: str | None
    first_sequence: int
    is_own: bool
    by_resemblance: bool


_PAIRS = """
    WITH pair AS (
        SELECT DISTINCT ON (member.atom, medicare.atom) member.person_id, medicare.person_id AS other, pair.score,
            pair.automatic, pair.parts, pair.rule, member.atom, medicare.atom AS other_atom
        FROM vault_pair pair
        JOIN vault_identifier member ON member.lookup = pair.lookup
        JOIN vault_identifier medicare ON medicare.lookup = pair.other
        WHERE member.person_id <> medicare.person_id
            AND NOT EXISTS (
                SELECT FROM vault_identifier own WHERE own.person_id = member.person_id AND own.kind = 'mbi')
            AND NOT EXISTS (
                SELECT FROM vault_identifier held WHERE held.person_id = medicare.person_id AND held.kind = 'medicaid'
                    AND (held.issuer IS NULL OR held.issuer = member.issuer))
            AND NOT EXISTS (
                SELECT FROM vault_identifier own
                JOIN vault_identifier its ON its.person_id = medicare.person_id
                JOIN vault_apart apart ON (apart.alias, apart.other)
                    = (least(own.alias, its.alias), greatest(own.alias, its.alias))
                WHERE own.person_id = member.person_id)
        ORDER BY member.atom, medicare.atom, pair.automatic DESC, pair.score DESC, pair.lookup, pair.other
    )
    SELECT person_id, other, score, automatic, parts::text AS parts, rule,
        count(*) OVER (PARTITION BY atom) = 1 AND count(*) OVER (PARTITION BY other_atom) = 1 AS alone
    FROM pair ORDER BY score DESC, person_id, other LIMIT $1
"""


async def pairs_to_review(connection: Connection, most: int) -> list[Pair]:
    """Pairs that nobody decided about, the most alike first."""
    return [_pair(dict(row)) for row in await connection.fetch(_PAIRS, most)]


def _pair(row: dict[str, object]) -> Pair:
    parts = tuple((field, level, weight) for field, level, weight in json.loads(str(row.pop("parts"))))
    return Pair(parts=parts, **row)  # type: ignore[arg-type]


_IDENTIFIERS = """
    SELECT alias, kind, issuer, first_sequence, alias = person_id AS is_own, atom <> person_id AS by_resemblance
    FROM vault_identifier WHERE person_id = $1 ORDER BY first_sequence, alias
"""


async def identifiers_of(connection: Connection, person_id: str) -> list[Identifier]:
    """By what somebody is known; nothing for whoever is not known, or is somebody else now."""
    return [Identifier(**dict(row)) for row in await connection.fetch(_IDENTIFIERS, person_id)]
