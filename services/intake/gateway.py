"""What was delivered and what was refused. Says nothing about people, and never shows a line."""

import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from contracts.identifiers import DeliveryId, PersonId
from services.intake.changes import Change, people_changed
from services.intake.deliveries import find, listed
from services.intake.quarantine import quarantine_counts, quarantined_deliveries, quarantined_lines
from services.intake.reading import RefusedDelivery
from services.intake.shown import CountShown, DeliveryDetail, DeliveryShown, LineShown, detail_of
from services.intake.uploading import Door, Upload, Uploaded, UploadRefused, name_in
from services.runtime.gateway import ReadConnection, read_connection
from services.runtime.problems import Problem, not_found
from services.runtime.settings import Settings

router = APIRouter(prefix="/v1", tags=["deliveries"])

Most = Annotated[int, Query(ge=1, le=1000, description="how many at most")]
Identity = Annotated[DeliveryId, Path(description="delivery, from its content")]


class Quarantine(BaseModel):
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


_CONTENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the file as it is",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_LENGTH = re.compile(r"[0-9]{1,18}")


@router.post("/deliveries", status_code=HTTPStatus.ACCEPTED, summary="Deliver a file", openapi_extra=_CONTENT)
async def deliver(
    request: Request,
    response: Response,
    content_disposition: Annotated[
        str | None, Header(description='the name of the file: attachment; filename="..."', max_length=1000)
    ] = None,
) -> DeliveryShown:
    """Take one file: 202 with the address under which it can be followed, 200 if its content was delivered before."""
    upload = _Upload(request)
    try:
        uploaded = await upload.take(name_in(content_disposition))
    except UploadRefused as refused:
        raise Problem(refused.status, refused.detail) from refused
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "The upload was broken off; nothing of it is kept.") from None
    response.headers["Location"] = f"/v1/deliveries/{uploaded.delivery_id}"
    if uploaded.known:
        response.status_code = HTTPStatus.OK
    return await upload.shown(uploaded)


class _Upload:
    """One request that brings a file. The database is asked when the file is there: an upload may take hours."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._door = _door_of(request)

    async def take(self, name: str) -> Uploaded:
        length = self._request.headers.get("content-length", "")
        size = int(length) if _LENGTH.fullmatch(length) else None
        blocks = Upload(name, size, self._request.stream())
        return await self._door.take(blocks, datetime.now(UTC).date(), self._is_known)

    async def _is_known(self, delivery_id: DeliveryId) -> bool:
        async with _reading(self._request) as connection:
            return await find(connection, delivery_id) is not None

    async def shown(self, uploaded: Uploaded) -> DeliveryShown:
        async with _reading(self._request) as connection:
            found = await find(connection, uploaded.delivery_id)
        return _pending(uploaded) if found is None else DeliveryShown.model_validate(found)


_reading = asynccontextmanager(read_connection)


def _door_of(request: Request) -> Door:
    settings: Settings = request.app.state.settings
    if settings.inbox is None:
        raise Problem(HTTPStatus.NOT_IMPLEMENTED, "No inbox is set here: nothing can be uploaded.")
    return Door(settings.inbox, settings.upload_limit_bytes)


def _pending(uploaded: Uploaded) -> DeliveryShown:
    found = uploaded.recognised
    return DeliveryShown(
        delivery_id=uploaded.delivery_id,
        sequence=None,
        kind=found.kind,
        source=found.source,
        name=uploaded.name,
        dated=found.dated,
        received_at=None,
        status="pending",
        substance_use_withheld=found.substance_use_withheld,
    )


@router.get("/deliveries/{delivery_id}", summary="What has become of a delivery")
async def delivery(request: Request, connection: ReadConnection, delivery_id: Identity) -> DeliveryDetail:
    """One delivery: what it held, what could not be read and why, whom it adds or no longer names."""
    found = await find(connection, delivery_id)
    if found is not None:
        return await detail_of(connection, found)
    uploaded = _uploaded(request, delivery_id)
    if uploaded is None:
        raise not_found("delivery")
    return DeliveryDetail(**_pending(uploaded).model_dump())


def _uploaded(request: Request, delivery_id: DeliveryId) -> Uploaded | None:
    settings: Settings = request.app.state.settings
    if settings.inbox is None:
        return None
    try:
        return Door(settings.inbox, settings.upload_limit_bytes).waiting(delivery_id, datetime.now(UTC).date())
    except (RefusedDelivery, FileNotFoundError):  # it was there, and somebody has changed it since
        return None


@router.get("/deliveries/{delivery_id}/people", summary="Whom a delivery adds, changes or no longer names")
async def people_of_delivery(
    connection: ReadConnection,
    delivery_id: Identity,
    change: Annotated[Change, Query(description="against the last delivery of the same kind and source")],
    limit: Most = 100,
    after: Annotated[PersonId | None, Query(description="only behind this pseudonym")] = None,
) -> list[PersonId]:
    """Pseudonyms, in their order. Of a held delivery people are only counted: they are known when it is released."""
    found = await find(connection, delivery_id)
    if found is None:
        raise not_found("delivery")
    return await people_changed(connection, found.sequence, change, limit, after or "")


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
