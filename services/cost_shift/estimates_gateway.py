"""The route of estimated effects: by how much, how sure, and what would have been seen."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from services.cost_shift import estimating, reading
from services.cost_shift.category_policy import CategoryPair, category_pairs
from services.cost_shift.completion import TOTAL, Completion, completion
from services.cost_shift.county_cells import OF_NO_ENTITY, CountyCells, county_cells
from services.cost_shift.effects import states_of
from services.cost_shift.estimate_policy import EstimatePolicy, estimate_policy
from services.cost_shift.estimating import Effects, Estimator, Windows
from services.cost_shift.questions import EffectFilters, revision_of
from services.cost_shift.reading import PeopleQuery
from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.county_panel import Panel
from services.cost_shift.rules.direction import Direction
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem

router = APIRouter()

_PAYERS = (Payer.MEDICARE.value, Payer.MEDICAID.value)
METHOD = (
    "Difference in differences on county-month cells weighted by person-months, with effects of county-and-cohort and of month; "
    "errors clustered by county; tests and intervals by the wild cluster bootstrap with the null imposed."
)
CAVEATS = (
    "Claims still to come are estimated from how earlier months filled up; that this can err is in no interval.",
    "Cells are not adjusted for risk, dual status or residence: a change of who is aligned can look like an effect.",
    "People who became aligned inside a window count in the cohort of each month: effects of different lengths are mixed.",
    "Opposite signs in a linked pair are no finding of a shift by themselves.",
)

Limit = Annotated[float | None, Field(description="null: the data set no bound")]


class EstimateShown(BaseModel):
    """Cents per person-month."""

    effect_cents: float
    standard_error_cents: float
    lower_cents: Limit
    upper_cents: Limit
    p_value: float
    detectable_cents: Annotated[float, Field(description="smallest effect seen with the stated power")]

    @classmethod
    def of(cls, found: estimating.Estimate) -> Self:
        """Rounded to two decimals of a cent."""
        lower, upper = found.limits or (None, None)
        return cls(
            effect_cents=round(found.effect, 2),
            standard_error_cents=round(found.standard_error, 2),
            lower_cents=None if lower is None else round(lower, 2),
            upper_cents=None if upper is None else round(upper, 2),
            p_value=round(found.p_value, 4),
            detectable_cents=round(found.detectable, 2),
        )


class SeriesShown(EstimateShown):
    """One series. Null category: all services together."""

    payer: Payer
    category: ServiceCategory | None
    adjusted_p_value: Annotated[float, Field(description="allowing for all series of this answer")]


class PairShown(BaseModel):
    """A Medicare and a Medicaid series, estimated together."""

    channel: str
    medicare_category: ServiceCategory | None
    medicaid_category: ServiceCategory | None
    medicare: EstimateShown
    medicaid: EstimateShown
    net: EstimateShown
    direction: Direction
    shifted_cents: Annotated[float, Field(description="per person-month; the smaller size where signs differ")]
    offset_ratio: float | None
    offset_lower: Limit
    offset_upper: Limit
    probability_of_opposite_signs: Annotated[float, Field(description="share of draws with both estimated signs")]
    both_exclude_zero: bool


class TrendShown(EstimateShown):
    """How the aligned drifted away from the comparison before, in cents a month."""

    payer: Payer


class QuarterShown(EstimateShown):
    """A quarter against the last one before the later window; 0 is its first."""

    payer: Payer
    quarter: int


class EstimatesAnswer(BaseModel):
    """Effects with their uncertainty, on one revision."""

    method: str = METHOD
    caveats: tuple[str, ...] = CAVEATS
    revision: int
    entity_id: str
    states: list[str]
    pre: tuple[str, str]
    post: tuple[str, str]
    confidence_level: float
    power: float
    bootstrap_draws: int
    counties: int
    cells: int
    aligned_person_months: Annotated[int, Field(description="of the later window, in the counties used")]
    person_months_left_out: Annotated[int, Field(description="in both windows: county unknown")]
    months_left_out: Annotated[list[str], Field(description="too little has come in; see /v1/completeness")]
    months_not_completed: Annotated[list[str], Field(description="how much has come in cannot be told: left as it is")]
    effects: list[SeriesShown]
    pairs: list[PairShown]
    earlier_trends: list[TrendShown]
    quarters: list[QuarterShown]


@router.get("/effects", summary="An entity against its comparison, with uncertainty")
async def list_effects(connection: ReadConnection, filters: Annotated[EffectFilters, Query()]) -> EstimatesAnswer:
    """Estimated effects per series and per linked pair, with intervals, and the smallest effect that would have been seen."""
    return (await effects_answer(connection, filters))[0]


async def effects_answer(connection: Connection, filters: EffectFilters) -> tuple[EstimatesAnswer, CountyCells]:
    """The answer, and the cells that it stands on. Raises :class:`Problem`."""
    if not filters.pre_from <= filters.pre_to < filters.post_from <= filters.post_to:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The earlier window must end before the later one begins.")
    revision = await revision_of(connection, filters.as_of)
    entity = PeopleQuery(revision, entity=filters.entity, cohort=Cohort.ALIGNED)
    states = states_of(await reading.person_months(connection, entity, ("state",)))
    windows = Windows(filters.pre_from, filters.pre_to, filters.post_from, filters.post_to)
    cells = await county_cells(connection, revision, filters.entity, states, windows)
    history = await completion(connection, revision, states)
    try:
        # Seconds of arithmetic for many counties: other questions are answered meanwhile.
        answer = await asyncio.to_thread(_answer, filters, revision, states, cells, history, windows)
    except NotIdentifiedError as reason:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"No effect can be estimated: {reason}.") from reason
    return answer, cells.without(frozenset(answer.months_left_out))


def _answer(  # noqa: PLR0913, PLR0917 - what was asked and what was read
    filters: EffectFilters,
    revision: int,
    states: list[str],
    cells: CountyCells,
    history: Completion,
    windows: Windows,
) -> EstimatesAnswer:
    policy = estimate_policy()
    few, unknown = history.incomplete(cells.months(), policy.least_completeness, (filters.entity, OF_NO_ENTITY))
    cells = cells.without(frozenset(few))
    estimator = Estimator(_panel(cells, history, filters.entity, policy), windows, policy)
    effects = estimator.effects()
    linked = (CategoryPair("all_services", TOTAL, TOTAL), *category_pairs())
    return EstimatesAnswer(
        revision=revision,
        entity_id=filters.entity,
        states=states,
        pre=(windows.pre_from, windows.pre_to),
        post=(windows.post_from, windows.post_to),
        confidence_level=policy.confidence_level,
        power=policy.power,
        bootstrap_draws=policy.bootstrap_draws,
        counties=len(estimator.panel.counties),
        cells=len(estimator.panel.weight),
        aligned_person_months=cells.aligned_person_months(windows.post_from, windows.post_to),
        person_months_left_out=cells.left_out,
        months_left_out=few,
        months_not_completed=unknown,
        effects=[_series(one) for one in effects.each()],
        pairs=[_pair(one) for one in effects.pairs(linked, _PAYERS)],
        earlier_trends=_trends(estimator),
        quarters=_quarters(estimator),
    )


def _panel(cells: CountyCells, history: Completion, entity: str, policy: EstimatePolicy) -> Panel:
    fewest = min(len({key.county for key in cells.people if key.aligned is cohort}) for cohort in (True, False))
    if fewest < policy.fewest_counties:
        raise NotIdentifiedError(
            f"aligned or comparison people live in {fewest} counties, and {policy.fewest_counties} are needed"
        )
    return cells.panel(history, entity)


def _series(found: estimating.SeriesEstimate) -> SeriesShown:
    payer, category = found.series
    return SeriesShown(
        **EstimateShown.of(found.estimate).model_dump(),
        payer=Payer(payer),
        category=ServiceCategory(category) if category else None,
        adjusted_p_value=round(found.adjusted_p_value, 4),
    )


def _pair(found: estimating.PairEstimate) -> PairShown:
    lower, upper = found.offset_limits or (None, None)
    return PairShown(
        channel=found.pair.channel,
        medicare_category=ServiceCategory(found.pair.medicare) if found.pair.medicare else None,
        medicaid_category=ServiceCategory(found.pair.medicaid) if found.pair.medicaid else None,
        medicare=EstimateShown.of(found.medicare),
        medicaid=EstimateShown.of(found.medicaid),
        net=EstimateShown.of(found.net),
        direction=found.direction,
        shifted_cents=round(found.shifted, 2),
        offset_ratio=None if found.offset_ratio is None else round(found.offset_ratio, 4),
        offset_lower=None if lower is None else round(lower, 4),
        offset_upper=None if upper is None else round(upper, 4),
        probability_of_opposite_signs=round(found.opposite_signs, 4),
        both_exclude_zero=found.medicare.excludes_zero and found.medicaid.excludes_zero,
    )


def _of_payers(effects: Effects) -> list[tuple[Payer, EstimateShown]]:
    return [(payer, EstimateShown.of(effects.estimate((payer.value, TOTAL)))) for payer in Payer]


def _trends(estimator: Estimator) -> list[TrendShown]:
    """Empty where the earlier window has no second month to drift to."""
    try:
        found = _of_payers(estimator.earlier_trend())
    except NotIdentifiedError:
        return []
    return [TrendShown(payer=payer, **one.model_dump()) for payer, one in found]


def _quarters(estimator: Estimator) -> list[QuarterShown]:
    try:
        quarters = estimator.by_quarter()
    except NotIdentifiedError:
        return []
    return [
        QuarterShown(payer=payer, quarter=number, **one.model_dump())
        for number, effects in quarters.items()
        for payer, one in _of_payers(effects)
    ]
