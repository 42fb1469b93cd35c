"""What may be asked of the gateway: whom, as known at which delivery or on which day, and which page."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Path, Query

from contracts.identifiers import EntityId, PersonId
from services.alignment import reading
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem, not_found
from services.runtime.tabular import Format

AsOfText = Annotated[
    str | None,
    Query(alias="as_of", pattern=r"^(\d{1,18}|\d{4}-\d{2}-\d{2})$", description="a delivery's number, or a date (UTC)"),
]
Person = Annotated[PersonId, Path()]
After = Annotated[str, Query(pattern=r"^(p[0-9a-f]{32})?$", description="the last person of the page before")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="rows of one page")]
Entity = Annotated[EntityId | None, Query(description="only this entity")]
Form = Annotated[Format, Query(alias="format", description="a JSON answer, or its rows as a file")]


async def as_of_sequence(connection: ReadConnection, text: AsOfText = None) -> int:
    """Turn what was asked for into a delivery sequence: the latest where nothing was asked."""
    if text is None:
        return await reading.latest_sequence(connection)
    if text.isdigit():
        return int(text)
    try:
        return await reading.sequence_on(connection, date.fromisoformat(text))
    except (ValueError, OverflowError):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "as_of is not a day of the calendar") from None


AsOf = Annotated[int, Depends(as_of_sequence)]


async def state_of(connection: Connection, person_id: str) -> str:
    """The state of a person. Raises a problem for somebody who was never heard of."""
    state = await reading.person_state(connection, person_id)
    if state is None:
        raise not_found("person")
    return state


def page_headers(as_of: int, next_after: str | None) -> dict[str, str]:
    """What a JSON answer says around its rows, as headers of a file."""
    headers = {"Tandem-As-Of": str(as_of)}
    return headers if next_after is None else headers | {"Tandem-Next-After": next_after}
