"""The route of completeness: how much of each month has come in, and how that is known."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import StateCode
from contracts.months import Month
from services.cost_shift import reading
from services.cost_shift.completion import TOTAL, Completion, Level, Source, completion
from services.cost_shift.county_cells import OF_NO_ENTITY
from services.cost_shift.effects import states_of
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.questions import NO_ENTITY, EntityFilter, revision_of
from services.cost_shift.reading import PeopleQuery
from services.cost_shift.rules.chain_ladder import completeness
from services.cost_shift.rules.county_panel import Series
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection

router = APIRouter()


class CompletenessQuery(BaseModel):
    """Of which states, payer and entity, and as of which revision."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[StateCode | None, Field(description="only this state, USPS code")] = None
    payer: Annotated[Payer | None, Field(description="only what this programme paid")] = None
    entity: Annotated[
        EntityFilter | None,
        Field(
            description="by its own history where there is enough; none: of people of no entity; everybody where absent"
        ),
    ] = None
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


class LagShown(BaseModel):
    """So many months after a service month: growth to the next lag, and the share of the final amount that has come in."""

    lag: int
    factor: float
    months_observed: int
    share: Annotated[float | None, Field(description="null: growth was never observed at some lag ahead")]
    relative_error: float | None
    own: Annotated[bool, Field(description="growth from this lag is the entity's own; if not, everybody's")]


class SeriesCompleteness(BaseModel):
    """One series. Null category: all services of the payer."""

    payer: Payer
    category: ServiceCategory | None
    lags: list[LagShown]


class MonthCompleteness(BaseModel):
    """A service month of a payer, as of the last delivery of that payer's claims."""

    payer: Payer
    month: str
    lag: int
    share: float | None
    level: Annotated[Level | None, Field(description="whose history says so")]
    used: Annotated[bool, Field(description="whether enough has come in for estimates")]


class CompletenessAnswer(BaseModel):
    """Chain ladder over the installation's own receipts."""

    revision: int
    states: list[str]
    entity_id: Annotated[
        str | None, Field(description="null: everybody, or people of no entity where none was asked for")
    ]
    least: Annotated[float, Field(description="months with a smaller share are kept out of estimates")]
    last_delivery: Annotated[dict[Payer, Month], Field(description="month of the last delivery of claims")]
    series: list[SeriesCompleteness]
    months: list[MonthCompleteness]


@router.get("/completeness", summary="How much of each month has come in")
async def show_completeness(
    connection: ReadConnection, query: Annotated[CompletenessQuery, Query()]
) -> CompletenessAnswer:
    """Completion factors by lag with their error, and the completeness of every month that is counted."""
    return await completeness_answer(connection, query, "cells")


async def completeness_answer(connection: Connection, query: CompletenessQuery, source: Source) -> CompletenessAnswer:
    """The answer, from what came in or from what may be shown of it."""
    revision = await revision_of(connection, query.as_of)
    people = PeopleQuery(revision, query.state)
    states = states_of(await reading.person_months(connection, people, ("state",)))
    counted = await reading.person_months(connection, people, ("cohort", "month"))
    months = sorted({month for (cohort, month), count in counted.items() if count and cohort != Cohort.EXCLUDED})
    history = await completion(connection, revision, states, source)
    entity = OF_NO_ENTITY if query.entity == NO_ENTITY else query.entity
    payers = [query.payer] if query.payer else list(Payer)
    return CompletenessAnswer(
        revision=revision,
        states=states,
        entity_id=entity or None,
        least=estimate_policy().least_completeness,
        last_delivery={payer: history.known[payer][-1] for payer in payers if payer in history.known},
        series=[_series(history, series, entity) for series in sorted(history.found) if series[0] in payers],
        months=[shown for payer in payers for shown in _months(history, payer, months, entity)],
    )


def _series(history: Completion, series: Series, entity: str | None) -> SeriesCompleteness:
    payer, category = series
    found, own = history.found[series], frozenset[int]()
    if entity is not None:
        found, own = history.own.get((entity, series), (found, own))
    lags = []
    for one in found:
        come_in = completeness(found, one.lag)
        lags.append(
            LagShown(
                lag=one.lag,
                factor=round(one.factor, 6),
                months_observed=one.months,
                share=round(come_in.share, 6) if come_in else None,
                relative_error=round(come_in.relative_error, 6) if come_in else None,
                own=one.lag in own,
            )
        )
    return SeriesCompleteness(payer=Payer(payer), category=ServiceCategory(category) if category else None, lags=lags)


def _months(history: Completion, payer: Payer, months: list[str], entity: str | None) -> Iterator[MonthCompleteness]:
    least = estimate_policy().least_completeness
    for month in months:
        lag, told = history.lag(payer, month), history.told((payer.value, TOTAL), month, entity)
        if lag is not None:
            share = None if told is None else told.in_so_far.share
            yield MonthCompleteness(
                payer=payer,
                month=month,
                lag=lag,
                share=None if share is None else round(share, 6),
                level=None if told is None else told.level,
                used=history.has_begun(payer, month) and (share is None or share >= least),
            )
