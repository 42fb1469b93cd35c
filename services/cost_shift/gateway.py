"""Routes over published measures. Everything can be asked for as it was known at any revision."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, get_args

import asyncpg
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.money import per_month
from services.cost_shift import answers, effects, reading
from services.cost_shift.category_policy import category_pairs
from services.cost_shift.changes_gateway import router as changes
from services.cost_shift.charts_gateway import router as charts
from services.cost_shift.completed_figures import FigureCompletion, asked_for, figure_completion
from services.cost_shift.completion_gateway import router as completeness
from services.cost_shift.estimates_gateway import router as estimates
from services.cost_shift.freshness import CONDITIONAL
from services.cost_shift.histories import KnownHistories
from services.cost_shift.questions import (
    NO_ENTITY,
    CostFilters,
    EffectFilters,
    MeasureFilters,
    PeopleFilters,
    PersonMonthFilters,
    RestatementFilters,
    revision_of,
)
from services.cost_shift.reading import Basis, Dimension, MeasureQuery, PeopleQuery
from services.cost_shift.signals_gateway import router as signals
from services.cost_shift.studies_gateway import router as studies
from services.cost_shift.use_gateway import router as use
from services.cost_shift.waterfall_gateway import router as waterfall
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem
from services.runtime.tabular import table_response

router = APIRouter(prefix="/v1", tags=["cost shift"])
figures = APIRouter(dependencies=list(CONDITIONAL))

_SHOWN_AS = {"entity": "entity_id", "county": "county_fips"}


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


def _summed_over(group_by: Sequence[str]) -> frozenset[str]:
    """Columns that an answer does not have, because it is summed over them."""
    return frozenset(_SHOWN_AS.get(name, name) for name in get_args(Dimension) if name not in group_by)


async def _table(  # noqa: PLR0913, PLR0917 - an answer, its rows, and how they are written
    answer: answers.MeasuresAnswer | answers.PersonMonthsAnswer | answers.RestatementsAnswer,
    rows: Sequence[BaseModel],
    model: type[BaseModel],
    form: Literal["csv", "parquet"],
    response: Response,
    left_out: frozenset[str] = frozenset(),
) -> Response:
    """The rows as a table; the revision and where the next page begins go into headers."""
    headers = {**response.headers, "Tandem-Revision": str(answer.revision)}
    if not isinstance(answer, answers.PersonMonthsAnswer) and answer.next_offset is not None:
        headers["Tandem-Next-Offset"] = str(answer.next_offset)
    name = f"{type(answer).__name__.removesuffix('Answer').lower()}-{answer.revision}"
    return await asyncio.to_thread(table_response, rows, model, form, name=name, headers=headers, without=left_out)


def _next_offset(filters: CostFilters, found: int) -> int | None:
    return filters.offset + filters.limit if found > filters.limit else None


@figures.get("/revisions", summary="Published revisions")
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


@figures.get(
    "/measures",
    summary="Cost by payer, category, cohort and month",
    response_model=answers.MeasuresAnswer,
    response_model_exclude_unset=True,
)
async def list_measures(
    connection: ReadConnection,
    filters: Annotated[MeasureFilters, Query()],
    response: Response,
    histories: KnownHistories,
) -> answers.MeasuresAnswer | Response:
    """Cents, claims and cents per person-month. On the services basis capitation is a line apart, never in a sum."""
    revision = await revision_of(connection, filters.as_of)
    group_by = tuple(dict.fromkeys(filters.group_by))
    query = _costs(filters, revision, filters.basis, group_by)
    found = await reading.measures(connection, query, filters.limit + 1, filters.offset)
    asked = asked_for(query.people, query.payer, query.category)
    completion = await figure_completion(connection, histories, ("published", revision), group_by, asked)
    answer = answers.MeasuresAnswer(
        revision=revision,
        basis=filters.basis,
        group_by=list(group_by),
        measures=[_measure(query, row, months, completion) for row, months in found[: filters.limit]],
        next_offset=_next_offset(filters, len(found)),
    )
    if filters.format == "json":
        return answer
    left_out = _summed_over(group_by)
    return await _table(answer, answer.measures, answers.Measure, filters.format, response, left_out)


def _measure(
    query: MeasureQuery, row: asyncpg.Record, person_months: int, completion: FigureCompletion
) -> answers.Measure:
    about: dict[str, str] = {name: row[name] for name in query.group_by}
    capitation = ServiceCategory.CAPITATION in (query.category, row.get("category"))
    return answers.Measure(
        **_dimensions(query.group_by, tuple(about.values())),
        basis="outlay" if capitation else query.basis,
        cents=row["cents"],
        claims=row["claims"],
        crossover_cents=row["crossover_cents"],
        crossover_claims=row["crossover_claims"],
        person_months=person_months,
        pbpm=answers.CentsPerMonth.of(per_month(row["cents"], person_months)),
        completed=completion.of(about, row["cents"]) if query.basis == "services" else None,
    )


@figures.get(
    "/person-months",
    summary="Person-months behind the figures",
    response_model=answers.PersonMonthsAnswer,
    response_model_exclude_unset=True,
)
async def list_person_months(
    connection: ReadConnection, filters: Annotated[PersonMonthFilters, Query()], response: Response
) -> answers.PersonMonthsAnswer | Response:
    """How many person-months stand behind the figures."""
    revision = await revision_of(connection, filters.as_of)
    group_by = tuple(dict.fromkeys(filters.group_by))
    counts = await reading.person_months(connection, _people(filters, revision), group_by)
    answer = answers.PersonMonthsAnswer(
        revision=revision,
        group_by=list(group_by),
        person_months=[
            answers.PersonMonths(**_dimensions(group_by, key), person_months=counts[key]) for key in sorted(counts)
        ],
    )
    if filters.format == "json":
        return answer
    left_out = _summed_over(group_by)
    return await _table(answer, answer.person_months, answers.PersonMonths, filters.format, response, left_out)


@figures.get("/restatements", summary="Why figures moved", response_model=answers.RestatementsAnswer)
async def list_restatements(
    connection: ReadConnection, filters: Annotated[RestatementFilters, Query()], response: Response
) -> answers.RestatementsAnswer | Response:
    """Why figures moved: over the causes, exactly the difference between consecutive revisions of a figure."""
    revision = await revision_of(connection, filters.as_of)
    query = _costs(filters, revision)
    rows = await reading.restatements(connection, query, filters.since, filters.limit + 1, filters.offset)
    answer = answers.RestatementsAnswer(
        since=filters.since,
        revision=revision,
        restatements=[_restatement(row) for row in rows[: filters.limit]],
        next_offset=_next_offset(filters, len(rows)),
    )
    if filters.format == "json":
        return answer
    return await _table(answer, answer.restatements, answers.Restatement, filters.format, response)


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


@figures.get("/descriptive-effects", summary="An entity against its comparison, before and after")
async def list_descriptive_effects(
    connection: ReadConnection, filters: Annotated[EffectFilters, Query()]
) -> answers.DescriptiveEffectsAnswer:
    """Difference in differences of published figures, per series and per linked pair. Descriptive: no inference."""
    if not filters.pre_from <= filters.pre_to < filters.post_from <= filters.post_to:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The earlier window must end before the later one begins.")
    revision = await revision_of(connection, filters.as_of)
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


figures.include_router(estimates)
figures.include_router(completeness)
figures.include_router(charts)
figures.include_router(signals)
figures.include_router(studies)
figures.include_router(waterfall)
figures.include_router(use)
router.include_router(figures)
router.include_router(changes)
