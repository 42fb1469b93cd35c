"""Estimates for a state or an entity outside.

They rest on county cells that are not suppressed, so they have a scope of their own, and exact counts of people are left out.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.cost_shift import completion_gateway, estimates_gateway
from services.cost_shift.completion_gateway import CompletenessAnswer, CompletenessQuery
from services.cost_shift.disclosure_policy import disclosure_policy
from services.cost_shift.estimates_gateway import EstimatesAnswer
from services.cost_shift.freshness import CONDITIONAL
from services.cost_shift.questions import EffectFilters
from services.cost_shift.states import reading
from services.cost_shift.states.questions import asked_revision, own_alone
from services.runtime.access.guard import needs
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found

router = APIRouter(dependencies=[Depends(needs("effects.read")), CONDITIONAL[0], Depends(own_alone), CONDITIONAL[1]])


class StateEstimates(EstimatesAnswer):
    """Effects with their uncertainty, on one revision."""

    aligned_person_months: Annotated[int, Field(exclude=True)]
    person_months_left_out: Annotated[int, Field(exclude=True)]


@router.get("/effects", summary="An entity against its comparison, with uncertainty")
async def list_effects(connection: ReadConnection, filters: Annotated[EffectFilters, Query()]) -> StateEstimates:
    """Estimated effects per series and per linked pair, with intervals, and the smallest effect that would have been seen."""
    asked = await asked_revision(connection, filters.as_of)
    people = reading.PeopleQuery(asked.revision, entity=filters.entity, cohort="aligned")
    counts = await reading.person_months(connection, people, ("month",))
    fewest = min(
        max((count for (month,), count in counts.items() if first <= month <= last), default=0)
        for first, last in ((filters.pre_from, filters.pre_to), (filters.post_from, filters.post_to))
    )
    if fewest < disclosure_policy().smallest_shown:
        raise not_found("effect that may be told")
    found = await estimates_gateway.list_effects(connection, filters)
    return StateEstimates(**found.model_dump())


@router.get("/completeness", summary="How much of each month has come in")
async def show_completeness(
    connection: ReadConnection, query: Annotated[CompletenessQuery, Query()]
) -> CompletenessAnswer:
    """Completion factors by lag with their error, from how figures that were shown grew: nothing else goes into them."""
    return await completion_gateway.completeness_answer(connection, query, "released")
