"""Routes over the reconciliation queue, and the one that closes a difference.

Closing is an event on the log, which this service reads like all others: so it stands in every rebuild, with who decided
it, when and why, and a later decision stands beside it and not in its place.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from asyncpg import Record
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.identifiers import EntityId, NotAnMbi, PersonId
from contracts.months import Month
from contracts.reconciliation import Difference, DifferenceClosed, DifferenceClosedData
from services.alignment import reading, reconciliation_reading
from services.alignment.arrangement_answers import (
    ClosingAnswer,
    DifferenceAnswer,
    QueueAnswer,
    ReconciledMonthCount,
)
from services.alignment.questions import AsOf, Entity, Form, Limit, Person, page_headers
from services.alignment.reconciliation_reading import Queue
from services.runtime import outbox
from services.runtime.database import Connection
from services.runtime.gateway import Pool, ReadConnection
from services.runtime.problems import Problem, not_found
from services.runtime.tabular import table_response

router = APIRouter(tags=["reconciliation"])

QueueAfter = Annotated[
    str, Query(pattern=r"^(p[0-9a-f]{32}:[0-9]{4}-[0-9]{2})?$", description="next_after of the page before")
]
Status = Annotated[Literal["open", "closed", "all"], Query(description="whether somebody has closed it")]


@router.get("/reconciliation", summary="Where CMS's report and ours differ", response_model=QueueAnswer)
async def reconciliation(  # noqa: PLR0913, PLR0917 - one parameter of the query string each
    connection: ReadConnection,
    as_of: AsOf,
    entity: Entity = None,
    month: Annotated[Month | None, Query(description="only this month")] = None,
    outcome: Annotated[Difference | None, Query(description="only this sort of difference")] = None,
    status: Status = "open",
    after: QueueAfter = "",
    limit: Limit = 1_000,
    form: Form = "json",
) -> QueueAnswer | Response:
    """List person-months that differ, with the evidence of both sides and their age, by person and month."""
    rows = await reconciliation_reading.queue(connection, Queue(as_of, entity, month, outcome, status, after, limit))
    found = await _shown(connection, rows, as_of)
    next_after = f"{found[-1].person_id}:{found[-1].month}" if len(rows) == limit else None
    if form == "json":
        return QueueAnswer(as_of=as_of, differences=found, next_after=next_after)
    name, headers = f"reconciliation-{as_of}", page_headers(as_of, next_after)
    return await asyncio.to_thread(table_response, found, DifferenceAnswer, form, name=name, headers=headers)


async def _shown(connection: Connection, rows: Sequence[Record], as_of: int) -> list[DifferenceAnswer]:
    people = sorted({row["person_id"] for row in rows})
    withheld = await reconciliation_reading.not_shared(connection, people, as_of)
    return [_difference(row, (row["person_id"], row["entity_id"]) in withheld) for row in rows]


def _difference(row: Record, withheld: bool) -> DifferenceAnswer:  # noqa: FBT001 - handed on
    said = {name: row[name] for name in DifferenceAnswer.model_fields if name in row}
    return DifferenceAnswer(**said, known_since=row["sequence"], claims_not_shared=withheld)


@router.get("/reconciliation/months", summary="Agreed and differing person-months by reported month")
async def reconciled_months(
    connection: ReadConnection, as_of: AsOf, entity: Entity = None
) -> list[ReconciledMonthCount]:
    """Count person-months of each reported month: aligned by both sides, and each sort of difference."""
    return [ReconciledMonthCount(**row) for row in await reconciliation_reading.counts(connection, as_of, entity)]


@router.get(
    "/reconciliation/people/{person_id}/months/{month}", summary="One difference, and all that was decided about it"
)
async def closings_of(person_id: Person, month: Month, connection: ReadConnection) -> list[ClosingAnswer]:
    """Give everything that was ever decided about the differences of one month of a person, oldest first."""
    rows = await reconciliation_reading.closings(connection, person_id, month)
    return [ClosingAnswer(**{name: row[name] for name in ClosingAnswer.model_fields}) for row in rows]


class Closing(BaseModel):
    """What to close, how, by whom and why. ``outcome``: the difference as it was seen."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "person_id": "p5f2a7c01b9e84d36f0c2a6b8d1e4f730",
                    "entity_id": "D9001",
                    "month": "2022-03",
                    "outcome": "only_theirs",
                    "resolution": "disputed",
                    "actor": "j.doe",
                    "note": "Sent with the April dispute file.",
                }
            ]
        },
    )

    person_id: PersonId
    entity_id: EntityId
    month: Month
    outcome: Difference
    resolution: Literal["accepted", "disputed", "corrected"]
    actor: Annotated[str, NotAnMbi, Field(min_length=1, max_length=200)]
    note: Annotated[str, NotAnMbi, Field(min_length=1, max_length=500)]


@router.post("/reconciliation/closings", status_code=HTTPStatus.ACCEPTED, summary="Close a difference")
async def close(request: Request, closing: Closing) -> ClosingAnswer:
    """Take a decision about a difference: 202, and it shows in the queue as soon as it has come back from the log.

    404 where nothing differs, 409 where it differs in another way than the caller has seen.
    """
    pool: Pool = request.app.state.pool
    now = datetime.now(UTC)
    async with pool.acquire() as connection, connection.transaction():
        event = await _closed(connection, closing, now)  # type: ignore[arg-type] # a pooled connection
        await outbox.queue(connection, [outbox.outgoing(event)])  # type: ignore[arg-type]
    return ClosingAnswer(**closing.model_dump(), closed_at=now)


async def _closed(connection: Connection, closing: Closing, now: datetime) -> DifferenceClosed:
    as_of = await reading.latest_sequence(connection)
    found = await _found(connection, closing, as_of)
    if found["outcome"] != closing.outcome:
        raise Problem(HTTPStatus.CONFLICT, "The month differs in another way by now.")
    return DifferenceClosed.of(
        service="alignment",
        key=closing.person_id,
        version=f"{closing.entity_id}:{closing.month}:{now.isoformat()}",
        time=now,
        delivery_id=await reading.delivery_id(connection, as_of),
        sequence=as_of,
        data=DifferenceClosedData(state=found["state"], **closing.model_dump()),
    )


async def _found(connection: Connection, closing: Closing, as_of: int) -> Record:
    everything = Queue(as_of, closing.entity_id, closing.month, None, "all", f"{closing.person_id}:0000-00", 1)
    rows = await reconciliation_reading.queue(connection, everything)
    if not rows or rows[0]["person_id"] != closing.person_id:
        raise not_found("difference")
    return rows[0]
