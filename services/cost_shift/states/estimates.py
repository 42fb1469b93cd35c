"""Estimates for a state or an entity outside.

They rest on county cells that are not suppressed, so they have a scope of their own; exact counts of people are left out, and so is
every effect of a cohort that is too small in a window.
"""

from http import HTTPStatus
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from contracts.codes import Payer, ServiceCategory
from contracts.months import add_months
from services.cost_shift import completion_gateway, estimates_gateway
from services.cost_shift.completion import TOTAL
from services.cost_shift.completion_gateway import CompletenessAnswer, CompletenessQuery
from services.cost_shift.disclosure_policy import disclosure_policy
from services.cost_shift.estimates_gateway import (
    EstimatesAnswer,
    EstimateShown,
    PairShown,
    QuarterShown,
    SeriesShown,
    TrendShown,
)
from services.cost_shift.estimating import MONTHS_A_QUARTER
from services.cost_shift.freshness import CONDITIONAL
from services.cost_shift.questions import EffectFilters
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.states.effects_told import Months, Standing, standing_of, totals
from services.cost_shift.states.questions import asked_revision, own_alone
from services.cost_shift.states.signal_answers import TOO_FEW_PEOPLE, Withheld
from services.runtime.access.guard import needs
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem

router = APIRouter(dependencies=[Depends(needs("effects.read")), CONDITIONAL[0], Depends(own_alone), CONDITIONAL[1]])


class WithheldEffect(BaseModel):
    """A part of the answer that is not told. A pair has a channel, a quarter its number; null category: all services."""

    reason: Withheld
    part: Literal["effect", "pair", "earlier_trend", "quarter"]
    payer: Payer | None = None
    category: ServiceCategory | None = None
    channel: str | None = None
    quarter: int | None = None


class StateEstimates(EstimatesAnswer):
    """Effects with their uncertainty, on one revision."""

    aligned_person_months: Annotated[int, Field(exclude=True)]
    person_months_left_out: Annotated[int, Field(exclude=True)]
    withheld: Annotated[
        list[WithheldEffect], Field(description="a cohort has too few people in a window, or too few with a cost")
    ]


@router.get("/effects", summary="An entity against its comparison, with uncertainty")
async def list_effects(connection: ReadConnection, filters: Annotated[EffectFilters, Query()]) -> StateEstimates:
    """Estimated effects per series and per linked pair, with intervals, and the smallest effect that would have been seen."""
    asked = await asked_revision(connection, filters.as_of)
    found, cells = await estimates_gateway.effects_answer(connection, filters)
    smallest = disclosure_policy().smallest_shown
    span = (found.pre[0], found.post[1])
    standing = await standing_of(connection, asked.revision, filters.entity, cells, span)
    if not standing.tells_anything((found.pre, found.post), smallest):
        raise Problem(HTTPStatus.NOT_FOUND, f"A cohort has fewer than {smallest} people in a window: {TOO_FEW_PEOPLE}.")
    return told_effects(found, standing, smallest)


def told_effects(found: EstimatesAnswer, standing: Standing, smallest: int) -> StateEstimates:
    """The parts behind which enough people stand, and what the others are."""
    parts = [
        *(_of_effect(one, found) for one in found.effects),
        *(_of_pair(one, found) for one in found.pairs),
        *(_of_trend(one, found) for one in found.earlier_trends),
        *(_of_quarter(one, found) for one in found.quarters),
    ]
    told = {id(part.shown) for part in parts if standing.tells(part.series, part.windows, smallest)}
    kept = {
        name: [one for one in getattr(found, name) if id(one) in told]
        for name in ("effects", "pairs", "earlier_trends", "quarters")
    }
    withheld = [part.withheld for part in parts if id(part.shown) not in told]
    return StateEstimates(**found.model_dump() | kept, withheld=withheld)


class _Part(NamedTuple):
    """A part of an answer, what it stands on, and what is said of it where it is not told."""

    shown: EstimateShown | PairShown
    series: list[Series]
    windows: tuple[Months, ...]
    withheld: WithheldEffect


def _of_effect(one: SeriesShown, found: EstimatesAnswer) -> _Part:
    withheld = WithheldEffect(reason=TOO_FEW_PEOPLE, part="effect", payer=one.payer, category=one.category)
    return _Part(one, [_series(one.payer, one.category)], (found.pre, found.post), withheld)


def _of_pair(one: PairShown, found: EstimatesAnswer) -> _Part:
    both = [_series(Payer.MEDICARE, one.medicare_category), _series(Payer.MEDICAID, one.medicaid_category)]
    withheld = WithheldEffect(reason=TOO_FEW_PEOPLE, part="pair", channel=one.channel)
    return _Part(one, both, (found.pre, found.post), withheld)


def _of_trend(one: TrendShown, found: EstimatesAnswer) -> _Part:
    withheld = WithheldEffect(reason=TOO_FEW_PEOPLE, part="earlier_trend", payer=one.payer)
    return _Part(one, totals([one.payer]), (found.pre,), withheld)


def _of_quarter(one: QuarterShown, found: EstimatesAnswer) -> _Part:
    """A quarter stands against the last before the later window."""
    withheld = WithheldEffect(reason=TOO_FEW_PEOPLE, part="quarter", payer=one.payer, quarter=one.quarter)
    return _Part(one, totals([one.payer]), (quarter_of(found.post[0], one.quarter), found.pre), withheld)


def _series(payer: Payer, category: ServiceCategory | None) -> Series:
    return payer.value, TOTAL if category is None else category.value


def quarter_of(start: str, quarter: int) -> Months:
    """The months of a quarter, counted from the later window's first."""
    first = add_months(start, quarter * MONTHS_A_QUARTER)
    return first, add_months(first, MONTHS_A_QUARTER - 1)


@router.get("/completeness", summary="How much of each month has come in")
async def show_completeness(
    connection: ReadConnection, query: Annotated[CompletenessQuery, Query()]
) -> CompletenessAnswer:
    """Completion factors by lag with their error, from how figures that were shown grew: nothing else goes into them."""
    return await completion_gateway.completeness_answer(connection, query, "released")
