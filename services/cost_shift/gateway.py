"""Routes over published measures. Everything can be asked for as it was known at any revision."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import EntityId, StateCode
from contracts.money import per_month
from contracts.months import Month
from services.cost_shift import answers, effects, reading
from services.cost_shift.category_policy import category_pairs
from services.cost_shift.reading import Basis, Dimension, MeasureQuery, PeopleQuery
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem, not_found

router = APIRouter(prefix="/v1", tags=["cost shift"])

NO_ENTITY = "none"
_SHOWN_AS = {"entity": "entity_id", "county": "county_fips"}
EntityFilter = Annotated[
    str, Field(pattern=r"^(D\d{4}|none)$", description="Direct Contracting Entity; none: people of no entity")
]


class PeopleFilters(BaseModel):
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


async def _revision(connection: Connection, as_of: int | None) -> int:
    """The published revision that an answer stands on."""
    latest = await reading.latest_revision(connection)
    if as_of is not None and as_of > latest:
        raise not_found("revision yet")
    return as_of or latest


def _people(filters: PeopleFilters, revision: int) -> PeopleQuery:
    return PeopleQuery(
        revision=revision,
        state=filters.state,
        entity="" if filters.entity == NO_ENTITY else filters.entity,
        cohort=filters.cohort,
        first_month=filters.first_month,
        last_month=filters.last_month,
    )


def _costs(
    filters: CostFilters, revision: int, basis: Basis = "services", group_by: tuple[Dimension, ...] = ("category",)
) -> MeasureQuery:
    return MeasureQuery(_people(filters, revision), filters.payer, filters.category, basis, group_by)


def _dimensions(names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    """Columns as they are shown: no entity and no known county are null."""
    return {_SHOWN_AS.get(name, name): value or None for name, value in zip(names, values, strict=True)}


def _next_offset(filters: CostFilters, found: int) -> int | None:
    return filters.offset + filters.limit if found > filters.limit else None


@router.get("/revisions", summary="Published revisions")
async def list_revisions(
    connection: ReadConnection, limit: Annotated[int, Query(ge=1, le=10_000, description="how many")] = 100
) -> answers.RevisionsAnswer:
    """Published cuts, the latest first."""
    return answers.RevisionsAnswer(
        revisions=[
            answers.RevisionAnswer(revision=cut.sequence, delivery_id=cut.delivery_id, known_at=cut.known_at)
            for cut in await reading.revisions(connection, limit)
        ]
    )


@router.get("/measures", summary="Cost by payer, category, cohort and month", response_model_exclude_unset=True)
async def list_measures(
    connection: ReadConnection, filters: Annotated[MeasureFilters, Query()]
) -> answers.MeasuresAnswer:
    """Cents, claims and cents per person-month. On the services basis capitation is a line apart, never in a sum."""
    revision = await _revision(connection, filters.as_of)
    group_by = tuple(dict.fromkeys(filters.group_by))
    query = _costs(filters, revision, filters.basis, group_by)
    found = await reading.measures(connection, query, filters.limit + 1, filters.offset)
    return answers.MeasuresAnswer(
        revision=revision,
        basis=filters.basis,
        group_by=list(group_by),
        measures=[_measure(query, row, months) for row, months in found[: filters.limit]],
        next_offset=_next_offset(filters, len(found)),
    )


def _measure(query: MeasureQuery, row: asyncpg.Record, person_months: int) -> answers.Measure:
    values = tuple(row[name] for name in query.group_by)
    capitation = ServiceCategory.CAPITATION in (query.category, row.get("category"))
    return answers.Measure(
        **_dimensions(query.group_by, values),
        basis="outlay" if capitation else query.basis,
        cents=row["cents"],
        claims=row["claims"],
        crossover_cents=row["crossover_cents"],
        crossover_claims=row["crossover_claims"],
        person_months=person_months,
        pbpm=answers.CentsPerMonth.of(per_month(row["cents"], person_months)),
    )


@router.get("/person-months", summary="Person-months behind the figures", response_model_exclude_unset=True)
async def list_person_months(
    connection: ReadConnection, filters: Annotated[PersonMonthFilters, Query()]
) -> answers.PersonMonthsAnswer:
    """How many person-months stand behind the figures."""
    revision = await _revision(connection, filters.as_of)
    group_by = tuple(dict.fromkeys(filters.group_by))
    counts = await reading.person_months(connection, _people(filters, revision), group_by)
    return answers.PersonMonthsAnswer(
        revision=revision,
        group_by=list(group_by),
        person_months=[
            answers.PersonMonths(**_dimensions(group_by, key), person_months=counts[key]) for key in sorted(counts)
        ],
    )


@router.get("/restatements", summary="Why figures moved")
async def list_restatements(
    connection: ReadConnection, filters: Annotated[RestatementFilters, Query()]
) -> answers.RestatementsAnswer:
    """Why figures moved: over the causes, exactly the difference between consecutive revisions of a figure."""
    revision = await _revision(connection, filters.as_of)
    query = _costs(filters, revision)
    rows = await reading.restatements(connection, query, filters.since, filters.limit + 1, filters.offset)
    return answers.RestatementsAnswer(
        since=filters.since,
        revision=revision,
        restatements=[_restatement(row) for row in rows[: filters.limit]],
        next_offset=_next_offset(filters, len(rows)),
    )


def _restatement(row: asyncpg.Record) -> answers.Restatement:
    dimensions = _dimensions(reading.ALL_BUT_COUNTY, tuple(row[name] for name in reading.ALL_BUT_COUNTY))
    return answers.Restatement(
        **dimensions,
        revision=row["revision"],
        cause=row["cause"],
        cents=row["cents"],
        claims=row["claims"],
        crossover_cents=row["crossover_cents"],
        crossover_claims=row["crossover_claims"],
    )


@router.get("/descriptive-effects", summary="An entity against its comparison, before and after")
async def list_descriptive_effects(
    connection: ReadConnection, filters: Annotated[EffectFilters, Query()]
) -> answers.DescriptiveEffectsAnswer:
    """Difference in differences of published figures, per series and per linked pair. Descriptive: no inference."""
    if not filters.pre_from <= filters.pre_to < filters.post_from <= filters.post_to:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The earlier window must end before the later one begins.")
    revision = await _revision(connection, filters.as_of)
    entity = PeopleQuery(revision, entity=filters.entity, cohort=Cohort.ALIGNED)
    states = effects.states_of(await reading.person_months(connection, entity, ("state",)))
    windows = await _windows(connection, filters, revision, states)
    return answers.DescriptiveEffectsAnswer(
        revision=revision,
        entity_id=filters.entity,
        states=states,
        pre=(filters.pre_from, filters.pre_to),
        post=(filters.post_from, filters.post_to),
        effects=effects.effects(windows),
        pairs=effects.pairs(windows, category_pairs()),
    )


async def _windows(connection: Connection, filters: EffectFilters, revision: int, states: list[str]) -> effects.Windows:
    before, after = (filters.pre_from, filters.pre_to), (filters.post_from, filters.post_to)
    aligned = (filters.entity, Cohort.ALIGNED)
    return effects.Windows(
        await _window(connection, revision, states, aligned, before),
        await _window(connection, revision, states, aligned, after),
        await _window(connection, revision, states, (None, Cohort.COMPARISON), before),
        await _window(connection, revision, states, (None, Cohort.COMPARISON), after),
    )


async def _window(
    connection: Connection,
    revision: int,
    states: list[str],
    cohort: tuple[str | None, Cohort],
    months: tuple[str, str],
) -> effects.CohortWindow:
    person_months, sums = 0, []
    for state in states:
        people = PeopleQuery(revision, state, *cohort, *months)
        counts = await reading.person_months(connection, people, ())
        person_months += counts.get((), 0)
        query = MeasureQuery(people, group_by=("payer", "category"))
        found = await reading.measures(connection, query, len(Payer) * len(ServiceCategory), 0)
        sums += [(row["payer"], row["category"], row["cents"]) for row, _ in found]
    return effects.cohort_window(person_months, sums)
