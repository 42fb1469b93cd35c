"""What others may ask: filters, and that they name nobody else's."""

import re
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal, NamedTuple, Self

from fastapi import Depends, Request
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import StateCode
from contracts.months import Month
from services.cost_shift.questions import NO_ENTITY, EntityFilter, Shape
from services.cost_shift.states import reading
from services.runtime.access.principal import Principal, Tenant
from services.runtime.access.tenancy import principal_of_request
from services.runtime.database import Connection
from services.runtime.gateway import snapshot
from services.runtime.problems import Problem, not_found

Dimension = Literal["state", "entity", "cohort", "payer", "category", "month"]
PeopleDimension = Literal["state", "entity", "cohort", "month"]
_STATE = re.compile(r"[A-Z]{2}")
_ENTITY = re.compile(r"D\d{4}", re.ASCII)
_MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])", re.ASCII)
AsOf = Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")]


class PeopleFilters(Shape):
    """Which person-months, and as of which revision."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[StateCode | None, Field(description="only this state, USPS code; there is but yours")] = None
    entity: Annotated[EntityFilter | None, Field(description="only this entity; none: people of no entity")] = None
    cohort: Annotated[Cohort | None, Field(description="only this cohort")] = None
    first_month: Annotated[Month | None, Field(description="from this service month on, YYYY-MM")] = None
    last_month: Annotated[Month | None, Field(description="up to and including this service month, YYYY-MM")] = None
    as_of: AsOf = None

    @model_validator(mode="after")
    def _months_are_in_order(self) -> Self:
        if self.first_month and self.last_month and self.first_month > self.last_month:
            raise PydanticCustomError("months_reversed", "first_month must not be later than last_month")
        return self

    def entity_key(self) -> str | None:
        """As rows have it: empty for people of no entity."""
        return "" if self.entity == NO_ENTITY else self.entity


class CostFilters(PeopleFilters):
    """Which figures; one page of them."""

    payer: Annotated[Payer | None, Field(description="only what this programme paid")] = None
    category: Annotated[ServiceCategory | None, Field(description="only this category of service")] = None
    limit: Annotated[int, Field(ge=1, le=10_000, description="rows of one page")] = 1_000
    offset: Annotated[int, Field(ge=0, le=10_000_000, description="where the page begins: next_offset")] = 0


class MeasureFilters(CostFilters):
    """Figures, summed over every dimension that is not grouped by."""

    group_by: Annotated[
        list[Dimension],
        Field(min_length=1, max_length=6, description="dimensions that stay; all others are summed over"),
    ] = ["state", "entity", "cohort", "payer", "category", "month"]  # noqa: RUF012 - pydantic copies it


class PersonMonthFilters(PeopleFilters):
    """Counts, summed over every dimension that is not grouped by."""

    group_by: Annotated[
        list[PeopleDimension],
        Field(min_length=1, max_length=4, description="dimensions that stay; all others are summed over"),
    ] = ["state", "entity", "cohort", "month"]  # noqa: RUF012 - pydantic copies it


class RestatementFilters(CostFilters):
    """Changes after one revision, up to another."""

    since: Annotated[int, Field(ge=0, lt=2**63, description="changes after this revision")] = 0


class PairFilters(PeopleFilters):
    """Which people's series are put side by side."""

    cohort: Annotated[Cohort, Field(description="of this cohort")] = Cohort.ALIGNED


class Asked(NamedTuple):
    """The revision that an answer stands on, and when it was known."""

    revision: int
    as_of: datetime


async def asked_revision(connection: Connection, as_of: int | None) -> Asked:
    """Raises :class:`Problem` for a revision that is not published, and where nothing is yet."""
    row = await connection.fetchrow(
        "SELECT sequence, known_at FROM revision WHERE $1::bigint IS NULL OR sequence <= $1 ORDER BY sequence DESC LIMIT 1",
        as_of,
    )
    latest = await reading.latest_revision(connection)
    if row is None or (as_of is not None and as_of > latest):
        raise not_found("revision yet")
    return Asked(row["sequence"] if as_of is None else as_of, row["known_at"])


def tenant_of(request: Request) -> Tenant:
    """Whose rows are asked for. Raises :class:`Problem` for an operator: these routes are for tenants."""
    principal: Principal | None = principal_of_request(request)
    if principal is None or principal.tenant is None:
        raise Problem(HTTPStatus.FORBIDDEN, "These routes are for clients of a state or an entity.")
    return principal.tenant


TheTenant = Annotated[Tenant, Depends(tenant_of)]


async def own_alone(request: Request, tenant: TheTenant) -> None:
    """Answer 404 for a state, an entity or months that are not the tenant's, whether they exist for somebody else or not."""
    states, entities = _well_formed(request, "state", _STATE), _well_formed(request, "entity", _ENTITY)
    if any(state != tenant.state for state in states):
        raise not_found("state")
    first, last = _well_formed(request, "first_month", _MONTH), _well_formed(request, "last_month", _MONTH)
    if entities or first or last:
        # A look of its own: a connection that a route waits with is one that nobody else has.
        async with snapshot(request) as connection:
            await _require_entities(connection, entities)
            await _require_months(connection, first, last)


def _well_formed(request: Request, name: str, form: re.Pattern[str]) -> list[str]:
    # Whatever else is given is told by the route's own checks to be none.
    return [value for value in request.query_params.getlist(name) if form.fullmatch(value)]


async def _require_entities(connection: Connection, entities: Sequence[str]) -> None:
    for entity in entities:
        if not await reading.has_entity(connection, entity):
            raise not_found("entity")


async def _require_months(connection: Connection, first: Sequence[str], last: Sequence[str]) -> None:
    if first or last:
        known = await reading.known_months(connection)
        if known is None or any(month > known[1] for month in first) or any(month < known[0] for month in last):
            raise not_found("month in what is known")
