"""What a delivery held: records by what they are about."""

from collections.abc import Mapping

from services.intake.assembling import subject_of, subject_of_payload
from services.intake.reading import (
    Defect,
    Demographics,
    EncodedClaims,
    EntityRecord,
    IdentityDecision,
    MbiChange,
    Observation,
    PersonRecord,
    Progress,
    Reading,
)
from services.runtime.database import Connection


def name_of(reading: Reading) -> str | None:  # noqa: PLR0911 - one kind of reading a line
    """Under which name a reading is counted; defects and observations are counted by themselves."""
    match reading:
        case PersonRecord():
            return subject_of(reading).name.lower()
        case EncodedClaims():
            return subject_of_payload(reading.payload).name.lower()
        case EntityRecord():
            return "provider_roster"
        case MbiChange():
            return "identifier_changes"
        case Demographics():
            return "people_by_name"
        case IdentityDecision():
            return "identity_decisions"
        case Defect() | Observation() | Progress():
            return None


async def write_contents(connection: Connection, delivery_id: str, records: Mapping[str, int]) -> None:
    """Write down what was read, in place of what a former attempt has counted. To be called inside a transaction."""
    await connection.execute("DELETE FROM delivery_content WHERE delivery_id = $1", delivery_id)
    await connection.executemany(
        "INSERT INTO delivery_content (delivery_id, what, records) VALUES ($1, $2, $3)",
        [(delivery_id, what, count) for what, count in sorted(records.items())],
    )


async def contents_of(connection: Connection, delivery_id: str) -> dict[str, int]:
    """Records by what they are about."""
    rows = await connection.fetch(
        "SELECT what, records FROM delivery_content WHERE delivery_id = $1 ORDER BY what", delivery_id
    )
    return {row["what"]: row["records"] for row in rows}
