"""People who turn out to be one, or two: what lay under one pseudonym counts under another from a delivery on.

A service that keeps facts by person keeps the moves beside them (table ``person_move``) and carries them out when a
delivery is cut, with every worker's turn in its hand: by then every fact of that delivery and of those before it is there,
whichever partition it came by. See docs/architecture.md, "People who turn out to be one".
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from contracts.identities import PeopleMerged, PeopleSplit
from contracts.topics import PERSON_PARTITIONS, AnyEvent
from services.runtime.database import Connection, lock_number

# The columns of ``{fact}``: under the source until the move, under the target from it on.
_MOVE: Final = """
    WITH going AS (
        SELECT fact.*, move.target AS moved_to, move.sequence AS moved_at
        FROM person_move move
        JOIN {table} fact ON fact.person_id = move.source AND fact.until IS NULL AND fact.since < move.sequence
            AND (move.aliases IS NULL OR fact.alias = ANY(move.aliases))
        WHERE move.sequence = $1 AND (move.aliases IS NULL) = $2 AND NOT move.settled
            AND ($3::text[] IS NULL OR move.source = ANY($3))
    ), left_behind AS (
        UPDATE {table} fact SET until = going.moved_at FROM going
        WHERE ({key}) = ({going_key}) AND fact.since = going.since
    )
    INSERT INTO {table} (person_id, since, {columns})
    SELECT moved_to, moved_at, {going_columns} FROM going
    ON CONFLICT DO NOTHING
"""
# Whoever hears late that somebody was moved on is moved on again.
_REOPEN: Final = """
    UPDATE person_move later SET settled = false FROM person_move now
    WHERE now.sequence = $1 AND (now.aliases IS NULL) = $2 AND NOT now.settled
        AND ($3::text[] IS NULL OR now.source = ANY($3)) AND later.source = now.target AND later.sequence > now.sequence AND later.settled
"""
_SETTLED: Final = """
    UPDATE person_move SET settled = true WHERE sequence = $1 AND (aliases IS NULL) = $2 AND NOT settled
        AND ($3::text[] IS NULL OR source = ANY($3))
    RETURNING source, target
"""


class Phase(NamedTuple):
    """The moves of one delivery of one sort; splits go before merges."""

    sequence: int
    is_whole: bool


async def record_moves(connection: Connection, events: Iterable[AnyEvent]) -> None:
    """Keep what intake says about who is who; told twice it changes nothing."""
    rows = [row for event in events if (row := _row(event)) is not None]
    if rows:
        await connection.executemany(
            "INSERT INTO person_move (sequence, source, target, aliases) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            rows,
        )


def _row(event: AnyEvent) -> tuple[int, str, str, list[str] | None] | None:
    if isinstance(event, PeopleMerged):
        return event.deliveryseq, event.data.retired, event.data.kept, None
    if isinstance(event, PeopleSplit):
        return event.deliveryseq, event.data.person_id, event.data.separated, sorted(event.data.aliases)
    return None


async def next_phase(connection: Connection, sequence: int) -> Phase | None:
    """The earliest moves up to a delivery that were not carried out yet."""
    row = await connection.fetchrow(
        "SELECT sequence, aliases IS NULL AS is_whole FROM person_move WHERE NOT settled AND sequence <= $1 "
        "ORDER BY sequence, is_whole LIMIT 1",
        sequence,
    )
    return None if row is None else Phase(row["sequence"], row["is_whole"])


async def take_every_turn(connection: Connection) -> None:
    """Wait until no worker of this service applies anything, and keep them waiting until the transaction ends.

    A worker holds one turn and waits for no other, so nobody waits in a ring.
    """
    turn = lock_number(f"worker of {await connection.fetchval('SELECT current_schema()')}")
    for partition in range(PERSON_PARTITIONS):
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", turn, partition)


async def sources_of(connection: Connection, phase: Phase, most: int) -> list[str]:
    """Some of the people from whom something is still to be moved."""
    rows = await connection.fetch(
        "SELECT DISTINCT source FROM person_move WHERE sequence = $1 AND (aliases IS NULL) = $2 AND NOT settled "
        "ORDER BY source LIMIT $3",
        *phase,
        most,
    )
    return [row["source"] for row in rows]


async def targets_of(connection: Connection, phase: Phase, sources: Sequence[str]) -> list[str]:
    """To whom something is moved from these people."""
    rows = await connection.fetch(
        "SELECT DISTINCT target FROM person_move WHERE sequence = $1 AND (aliases IS NULL) = $2 AND source = ANY($3)",
        *phase,
        sources,
    )
    return [row["target"] for row in rows]


async def move_rows(  # noqa: PLR0913, PLR0917 - what is moved, and from whom
    connection: Connection,
    phase: Phase,
    table: str,
    key: Iterable[str],
    rest: Iterable[str],
    sources: Sequence[str] | None = None,
) -> None:
    """Move the rows of one table. ``key`` is what tells facts of one person apart, ``rest`` the other columns.

    The table has ``person_id``, ``since`` and ``until`` besides. ``sources``: only from these people.
    """
    own = ("person_id", *key)
    moving = (*key, *rest)
    statement = _MOVE.format(
        table=table,
        key=", ".join(f"fact.{column}" for column in own),
        going_key=", ".join(f"going.{column}" for column in own),
        columns=", ".join(moving),
        going_columns=", ".join(f"going.{column}" for column in moving),
    )
    await connection.execute(statement, *phase, sources)


async def settle_phase(connection: Connection, phase: Phase, sources: Sequence[str] | None = None) -> set[str]:
    """Note that moves were carried out. Gives everybody whom they concern."""
    await connection.execute(_REOPEN, *phase, sources)
    rows = await connection.fetch(_SETTLED, *phase, sources)
    return {person for row in rows for person in row}


def is_gone(person: str, as_of: str) -> str:
    """SQL: whether somebody was, at a delivery, known to be somebody else. Both are expressions of the query around."""
    return (
        f"EXISTS (SELECT FROM person_move gone WHERE gone.source = {person} AND gone.aliases IS NULL"  # noqa: S608 - expressions of our own queries
        f" AND gone.sequence <= {as_of} AND NOT EXISTS (SELECT FROM person_move back WHERE back.target = {person}"
        f" AND back.sequence > gone.sequence AND back.sequence <= {as_of}))"
    )
