"""What may be asked of the gateway: filters, checked before anything is read."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import EntityId, StateCode
from contracts.months import Month
from services.cost_shift import reading
from services.cost_shift.reading import Basis, Dimension
from services.runtime.database import Connection
from services.runtime.problems import not_found
from services.runtime.tabular import Format

NO_ENTITY = "none"
EntityFilter = Annotated[
    str, Field(pattern=r"^(D\d{4}|none)$", description="Direct Contracting Entity; none: people of no entity")
]


class Shape(BaseModel):
    """How the answer is written. Tables say in headers what JSON says around its rows."""

    format: Annotated[Format, Field(description="json, or the rows alone as a table")] = "json"


class PeopleFilters(Shape):
    """Which person-months, and as of which revision."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[StateCode | None, Field(description="only this state, USPS code")] = None
    entity: Annotated[EntityFilter | None, Field(description="only this entity; none: people of no entity")] = None
    cohort: Annotated[Cohort | None, Field(description="only this cohort")] = None
    first_month: Annotated[Month | None, Field(description="from this service month on, YYYY-MM")] = None
    last_month: Annotated[Month | None, Field(description="up to and including this service month, YYYY-MM")] = None
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


class CostFilters(PeopleFilters):
    """Which figures; one page of them."""

    payer: Annotated[Payer | None, Field(description="only what this programme paid")] = None
    category: Annotated[ServiceCategory | None, Field(description="only this category of service")] = None
    limit: Annotated[int, Field(ge=1, le=10_000, description="rows of one page")] = 1_000
    offset: Annotated[int, Field(ge=0, le=10_000_000, description="where the page begins: next_offset")] = 0


class MeasureFilters(CostFilters):
    """Figures of one basis, summed over every dimension that is not grouped by."""

    basis: Annotated[Basis, Field(description="services used, or outlay paid; never added up")] = "services"
    group_by: Annotated[
        list[Dimension],
        Field(min_length=1, max_length=7, description="dimensions that stay; all others are summed over"),
    ] = list(reading.ALL_BUT_COUNTY)


class PersonMonthFilters(PeopleFilters):
    """Counts, summed over every dimension that is not grouped by."""

    group_by: Annotated[
        list[Literal["state", "entity", "county", "cohort", "month"]],
        Field(min_length=1, description="dimensions that stay; all others are summed over"),
    ] = [
        "state",
        "entity",
        "cohort",
        "month",
    ]


class RestatementFilters(CostFilters):
    """Changes after one revision, up to another."""

    since: Annotated[int, Field(ge=0, lt=2**63, description="changes after this revision")] = 0


class EffectFilters(BaseModel):
    """An entity's aligned people against the comparison people of its states, before and after."""

    model_config = ConfigDict(extra="forbid")

    entity: EntityId
    pre_from: Month
    pre_to: Month
    post_from: Month
    post_to: Month
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


async def revision_of(connection: Connection, as_of: int | None) -> int:
    """The published revision that an answer stands on."""
    latest = await reading.latest_revision(connection)
    if as_of is not None and as_of > latest:
        raise not_found("revision yet")
    return as_of or latest
