"""Routes over alignment's decisions. Everything can be asked for as it was known at a delivery or on a date."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from asyncpg import Record
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, JsonValue

from contracts.alignment import PredicateResult
from contracts.months import Month
from services.alignment import arrangement_gateway, reading, reconciliation_gateway
from services.alignment.outlook_gateway import router as outlook
from services.alignment.paths_gateway import router as paths
from services.alignment.paths_policy import paths_policy
from services.alignment.programme import programme
from services.alignment.questions import After, AsOf, Entity, Form, Limit, Person, page_headers, state_of
from services.alignment.rules.sharing import sharing
from services.alignment.statements import Fact
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found
from services.runtime.tabular import table_response

router = APIRouter(prefix="/v1", tags=["alignment"])
router.include_router(arrangement_gateway.router)
router.include_router(reconciliation_gateway.router)

_DECISION: dict[str, JsonValue] = {
    "month": "2022-03",
    "performance_year": "PY2022",
    "known_since": 17,
    "aligned": True,
    "basis": "reported",
    "change": "aligned",
    "cohort": "aligned",
    "entity_id": "D9001",
    "county_fips": "39049",
    "dual_status_code": "02",
    "reasons": [],
    "predicates": [{"name": "A_AND_B", "outcome": "pass", "evidence": "CCLF8 2022-03-05"}],
}
_CAUSE: dict[str, JsonValue] = {
    "delivery_id": "d5f2a7c01b9e84d36f0c2a6b8d1e4f730",
    "received_at": "2022-03-10T06:00:00Z",
}


class Decision(BaseModel):
    """A month's decision and since which delivery it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DECISION]})

    month: str
    performance_year: str | None
    known_since: int
    aligned: bool
    basis: str
    change: str
    cohort: str
    entity_id: str | None
    county_fips: str | None
    dual_status_code: str | None
    reasons: list[str]
    predicates: tuple[PredicateResult, ...]


class Statement(BaseModel):
    """Who said something about the person, and when; ``said`` is what no decision rests on."""

    sequence: int
    kind: str
    source: str
    stated_on: date
    entity_id: str | None
    said: dict[str, str | int | bool | list[str]]


class SharingState(BaseModel):
    """Whether Medicare shares the person's claims, or those about substance use, with an entity. No decision sees it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "entity_id": "D9001",
                    "about": "claims",
                    "shares": False,
                    "effective_from": "2022-03-14",
                    "source": "1-800-MEDICARE",
                    "stated_on": "2022-03-18",
                    "known_since": 41,
                }
            ]
        },
    )

    entity_id: str
    about: str
    shares: bool
    effective_from: date
    source: str
    stated_on: date
    known_since: int


class Timeline(BaseModel):
    """All months of a person and the statements behind them.

    ``merged_into``: who the person, as known then, had turned out to be; months and statements are theirs now.
    """

    person_id: str
    state: str
    as_of: int
    merged_into: str | None
    months: list[Decision]
    statements: list[Statement]
    sharing: list[SharingState]


class PastDecision(Decision):
    """A decision as it once stood, with the delivery that caused it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_DECISION, **_CAUSE}]})

    delivery_id: str
    received_at: datetime


class RosterMember(BaseModel):
    """Somebody aligned in the month."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person_id": "p5f2a7c01b9e84d36f0c2a6b8d1e4f730",
                    "entity_id": "D9001",
                    "basis": "reported",
                    "county_fips": "39049",
                    "dual_status_code": "02",
                    "known_since": 17,
                }
            ]
        }
    )

    person_id: str
    entity_id: str
    basis: str
    county_fips: str | None
    dual_status_code: str | None
    known_since: int


class Roster(BaseModel):
    """One page; ``next_after`` asks for the next one."""

    month: str
    as_of: int
    people: list[RosterMember]
    next_after: str | None


class MonthCount(BaseModel):
    """People of one month: aligned (of them by forecast), of the comparison, and neither."""

    month: str
    aligned: int
    forecast: int
    comparison: int
    excluded: int


class AlignedPerson(BaseModel):
    """A person and the months in which they are aligned."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"person_id": "p5f2a7c01b9e84d36f0c2a6b8d1e4f730", "months": ["2022-01", "2022-02"]}]
        }
    )

    person_id: str
    months: list[str]


class AlignedPeople(BaseModel):
    """One page; ``next_after`` asks for the next one."""

    as_of: int
    people: list[AlignedPerson]
    next_after: str | None


class PolicyValue(BaseModel):
    """A parameter, where it comes from, whether that confirms it, and in which months it holds."""

    name: str
    value: Any
    source: str
    status: str
    first_month: str | None
    last_month: str | None


class Policy(BaseModel):
    """Every parameter that decisions rest on."""

    programme: str
    parameters: list[PolicyValue]


@router.get("/people/{person_id}/timeline", summary="Every month of a person, and why")
async def person_timeline(person_id: Person, connection: ReadConnection, as_of: AsOf) -> Timeline:
    """Give every month of a person: aligned or not, since when that is known, and why."""
    state = await state_of(connection, person_id)
    rows = await reading.timeline(connection, person_id, as_of)
    areas = await _areas(connection, rows, state, as_of)
    said = await reading.statements(connection, person_id, as_of)
    return Timeline(
        person_id=person_id,
        state=state,
        as_of=as_of,
        merged_into=await reading.merged_into(connection, person_id, as_of),
        months=[Decision(**_decision(row, state, areas)) for row in rows],
        statements=[_statement(fact) for fact in said],
        sharing=[SharingState.model_validate(stated) for stated in sharing(said)],
    )


@router.get("/people/{person_id}/months/{month}", summary="Everything ever decided about one month")
async def person_month(person_id: Person, month: Month, connection: ReadConnection) -> list[PastDecision]:
    """Give everything ever decided about one month of a person, oldest first, with the delivery that caused it."""
    state = await state_of(connection, person_id)
    rows = await reading.month_history(connection, person_id, month)
    if not rows:
        raise not_found("decision for this month")
    past = []
    for row in rows:
        areas = await _areas(connection, [row], state, row["sequence"])
        decision = _decision(row, state, areas)
        past.append(PastDecision(**decision, delivery_id=row["delivery_id"], received_at=row["received_at"]))
    return past


@router.get("/roster", summary="Who is aligned in a month", response_model=Roster)
async def roster_of_month(  # noqa: PLR0913, PLR0917 - one parameter of the query string each
    connection: ReadConnection,
    as_of: AsOf,
    month: Annotated[Month, Query()],
    entity: Entity = None,
    after: After = "",
    limit: Limit = 1_000,
    form: Form = "json",
) -> Roster | Response:
    """List who is aligned in a month, a page at a time, by person."""
    rows = await reading.roster(connection, reading.RosterPage(month, as_of, entity, after, limit))
    people = [RosterMember(**_but_aligned(row)) for row in rows]
    next_after = _next(rows, limit)
    if form == "json":
        return Roster(month=month, as_of=as_of, people=people, next_after=next_after)
    headers = page_headers(as_of, next_after)
    name = f"roster-{month}-{as_of}"
    return await asyncio.to_thread(table_response, people, RosterMember, form, name=name, headers=headers)


@router.get("/alignment/months", summary="People by month and cohort")
async def months(connection: ReadConnection, as_of: AsOf, entity: Entity = None) -> list[MonthCount]:
    """Count people by month."""
    return [MonthCount(**row) for row in await reading.aligned_by_month(connection, as_of, entity)]


@router.get("/alignment/persons", summary="Everybody with an aligned month")
async def persons(connection: ReadConnection, as_of: AsOf, after: After = "", limit: Limit = 1_000) -> AlignedPeople:
    """List everybody who is aligned in any month, with those months, a page at a time."""
    rows = await reading.aligned_people(connection, as_of, after, limit)
    return AlignedPeople(as_of=as_of, people=[AlignedPerson(**row) for row in rows], next_after=_next(rows, limit))


@router.get("/policy", summary="The dated parameters in force, with source and status")
async def policy() -> Policy:
    """Give the dated parameters that decisions rest on, with their source and whether it confirms them."""
    own = programme()
    values = [
        PolicyValue(
            name=one.name, value=one.value, source=one.source, status=one.status, first_month=one.first_month,
            last_month=one.last_month,
        )
        for one in (*own.parameters, *paths_policy().parameters)
    ]  # fmt: skip
    return Policy(programme=own.name, parameters=values)


def _statement(fact: Fact) -> Statement:
    return Statement(
        sequence=fact.sequence,
        kind=fact.kind,
        source=fact.source,
        stated_on=date.fromordinal(fact.stated_on),
        entity_id=fact.entity_id,
        said={name: list(value) if isinstance(value, tuple) else value for name, value in fact.said},
    )


def _entity_of(row: Record, state: str) -> str | None:
    entity = programme().entity_for(row["entity_id"], state)
    return row["entity_id"] or (entity.entity_id if entity else None)


async def _areas(
    connection: Connection, rows: Sequence[Record], state: str, as_of: int
) -> dict[str, reading.ServiceArea]:
    entities = sorted({entity for row in rows if (entity := _entity_of(row, state)) is not None})
    found = [await reading.service_area(connection, entity, as_of) for entity in entities]
    return {area.entity_id: area for area in found if area is not None}


def _decision(row: Record, state: str, areas: dict[str, reading.ServiceArea]) -> dict[str, Any]:
    shown = {field: row[field] for field in Decision.model_fields if field in row}
    shown["performance_year"] = programme().performance_year(row["month"])
    shown["known_since"] = row["sequence"]
    shown["predicates"] = reading.predicates_of(row, areas.get(_entity_of(row, state) or ""))
    return shown


def _but_aligned(row: Record) -> dict[str, Any]:
    shown = {field: row[field] for field in RosterMember.model_fields if field in row}
    return shown | {"known_since": row["sequence"]}


def _next(rows: Sequence[Record], limit: int) -> str | None:
    return rows[-1]["person_id"] if len(rows) == limit else None


router.include_router(paths)
router.include_router(outlook)
