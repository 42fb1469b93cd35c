"""What was delivered and what was refused. Says nothing about people, and never shows a line."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from contracts.delivery import DeliveryKind
from contracts.identifiers import DeliveryId
from services.intake.deliveries import Status, find, listed
from services.intake.quarantine import quarantine_counts, quarantined_deliveries, quarantined_lines
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found

router = APIRouter(prefix="/v1", tags=["deliveries"])

Most = Annotated[int, Query(ge=1, le=1000, description="how many at most")]
Identity = Annotated[DeliveryId, Path(description="delivery, from its content")]


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class DeliveryShown(_Shown):
    """A delivery. ``sequence`` is the knowledge time of everything that it says."""

    delivery_id: str
    sequence: int
    kind: DeliveryKind | None
    source: str
    name: str
    dated: date | None
    received_at: datetime
    status: Status
    reason_code: str | None
    reason_detail: str | None
    records: int
    claims: int
    quarantined: int
    events: int


class LineShown(_Shown):
    """A line that could not be read; its content is kept sealed and not shown."""

    number: int
    file: str
    line: int
    field: str | None
    reason: str
    found: str | None = None
    expected: str | None = None


class CountShown(_Shown):
    """How many lines of a delivery have one fault."""

    delivery_id: str
    file: str
    field: str | None
    reason: str
    lines: int


class Quarantine(_Shown):
    """Everything that was refused: whole deliveries, and lines by their fault."""

    deliveries: list[DeliveryShown]
    lines: list[CountShown]


@router.get("/deliveries", summary="Deliveries, the newest first")
async def deliveries(
    connection: ReadConnection,
    limit: Most = 100,
    before: Annotated[int | None, Query(ge=1, description="only older than this sequence number")] = None,
) -> list[DeliveryShown]:
    """Deliveries, the newest first."""
    return [DeliveryShown.model_validate(delivery) for delivery in await listed(connection, limit, before)]


@router.get("/deliveries/{delivery_id}", summary="What has become of a delivery")
async def delivery(connection: ReadConnection, delivery_id: Identity) -> DeliveryShown:
    """One delivery."""
    found = await find(connection, delivery_id)
    if found is None:
        raise not_found("delivery")
    return DeliveryShown.model_validate(found)


@router.get("/deliveries/{delivery_id}/quarantine", summary="Lines that could not be read")
async def lines_of_delivery(
    connection: ReadConnection,
    delivery_id: Identity,
    limit: Most = 100,
    after: Annotated[int, Query(ge=0, description="only behind this number")] = 0,
) -> list[LineShown]:
    """A delivery's lines that could not be read: file, line, field and reason."""
    if await find(connection, delivery_id) is None:
        raise not_found("delivery")
    lines = await quarantined_lines(connection, delivery_id, limit, after)
    return [LineShown.model_validate(line) for line in lines]


@router.get("/quarantine", summary="Everything that was refused, by its fault")
async def quarantine(connection: ReadConnection, limit: Most = 100) -> Quarantine:
    """Deliveries that were refused whole, and the commonest faults of lines."""
    return Quarantine(
        deliveries=[DeliveryShown.model_validate(found) for found in await quarantined_deliveries(connection, limit)],
        lines=[CountShown.model_validate(count) for count in await quarantine_counts(connection, limit)],
    )
