"""What was decided about who is who: appended, with whoever decided it and why, and nothing of what was compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.runtime.database import Connection

if TYPE_CHECKING:
    from services.intake.vault import Move

_RECORD = """
    INSERT INTO identity_trail (sequence, action, person_id, other, actor, reason)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
"""
INTAKE = "intake"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the trail. ``parts``: JSON of field, level and weight."""

    number: int
    sequence: int
    action: str
    person_id: str
    other: str
    score: int | None
    parts: str | None
    rule: str | None
    actor: str
    reason: str


async def record_moves(connection: Connection, sequence: int, moves: "Iterable[Move]") -> None:
    """Write down who is somebody else from now on."""
    rows = [
        (
            sequence,
            "merged" if move.aliases is None else "split",
            move.person_id,
            move.other,
            INTAKE,
            "all identifiers" if move.aliases is None else f"{len(move.aliases)} identifiers",
        )
        for move in moves
    ]
    await connection.execute(_RECORD, *map(list, zip(*rows, strict=True)))


_STEPS = """
    SELECT number, sequence, action, person_id, other, score, parts::text AS parts, rule, actor, reason
    FROM identity_trail WHERE $1::text IS NULL OR person_id = $1 OR other = $1
    ORDER BY number DESC LIMIT $2
"""


async def steps(connection: Connection, person_id: str | None, most: int) -> list[Step]:
    """What was decided about a person, or about anybody, the newest first."""
    return [Step(**dict(row)) for row in await connection.fetch(_STEPS, person_id, most)]
