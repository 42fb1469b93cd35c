"""What was refused: whole deliveries, and single lines of deliveries that were otherwise read."""

from dataclasses import dataclass

from services.intake.deliveries import Delivery, listed_refused
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class QuarantinedLine:
    """Where a line stands and what is wrong with it; its content stays sealed."""

    delivery_id: str
    number: int
    file: str
    line: int
    field: str | None
    reason: str
    found: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """How often a delivery's lines have one fault."""

    delivery_id: str
    file: str
    field: str | None
    reason: str
    lines: int


async def quarantined_deliveries(connection: Connection, most: int) -> list[Delivery]:
    """Deliveries that were refused whole or are held, the newest first."""
    return await listed_refused(connection, most)


_LINES = """
    SELECT delivery_id, number, file, line, field, reason, found, expected FROM quarantined_line
    WHERE delivery_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""


async def quarantined_lines(
    connection: Connection, delivery_id: str, most: int, after: int = 0
) -> list[QuarantinedLine]:
    """A delivery's lines that could not be read, in the order in which they were met, after a number."""
    return [QuarantinedLine(**dict(row)) for row in await connection.fetch(_LINES, delivery_id, after, most)]


_COUNTS = """
    SELECT delivery_id, file, field, reason, count(*) AS lines FROM quarantined_line
    WHERE $1::text IS NULL OR delivery_id = $1
    GROUP BY delivery_id, file, field, reason ORDER BY lines DESC, delivery_id, file, field, reason LIMIT $2
"""


async def quarantine_counts(connection: Connection, most: int, delivery_id: str | None = None) -> list[QuarantineCount]:
    """Lines by delivery, file, field and reason, the commonest first."""
    return [QuarantineCount(**dict(row)) for row in await connection.fetch(_COUNTS, delivery_id, most)]


async def unsealed_line(connection: Connection, keys: IdentityKeys, delivery_id: str, number: int) -> bytes | None:
    """The content of a quarantined line, for whoever has the keys. May hold personal data: never log it."""
    sealed = await connection.fetchval(
        "SELECT raw_sealed FROM quarantined_line WHERE delivery_id = $1 AND number = $2", delivery_id, number
    )
    return None if sealed is None else keys.lines.open(sealed, place_of_line(delivery_id, number))


def place_of_line(delivery_id: str, number: int) -> bytes:
    """To what the seal of a line is bound."""
    return f"{delivery_id}/{number}".encode()
