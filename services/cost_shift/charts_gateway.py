"""The route of charts: whether, and since when, the aligned part from the comparison."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import EntityId
from contracts.months import Month
from services.cost_shift import reading
from services.cost_shift.category_policy import CategoryPair, category_pairs
from services.cost_shift.chart_policy import ChartPolicy, chart_policy
from services.cost_shift.charting import Chart, NoChartError, Signal, chart
from services.cost_shift.cohort_months import CohortMonths, cohort_months, differences
from services.cost_shift.completion import TOTAL, Completion, completion
from services.cost_shift.county_cells import OF_NO_ENTITY
from services.cost_shift.effects import states_of
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.questions import revision_of
from services.cost_shift.reading import PeopleQuery
from services.cost_shift.rules.attention_level import Level, Thresholds, attention_level, shifted
from services.cost_shift.rules.control_chart import ewma_limit
from services.cost_shift.rules.county_panel import Series
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem

router = APIRouter()


class ChartQuery(BaseModel):
    """An entity; the months before ``start`` are its baseline."""

    model_config = ConfigDict(extra="forbid")

    entity: EntityId
    baseline_from: Annotated[Month, Field(description="first month of the baseline")]
    start: Annotated[Month, Field(description="first month that is charted")]
    last_month: Annotated[Month, Field(description="last month that is charted")]
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


class PointShown(BaseModel):
    """One month. ``difference_cents``: completed cents per person-month, aligned less comparison."""

    month: str
    difference_cents: float
    standardised: float
    cusum_above: float
    cusum_below: float
    ewma: float
    signals: list[Signal]


class ChartShown(BaseModel):
    """One series. Null category: all services of the payer."""

    payer: Payer
    category: ServiceCategory | None
    baseline_cents: float
    baseline_deviation_cents: float
    autocorrelation: Annotated[float, Field(description="of the baseline; values are freed of it")]
    first_signal: str | None
    points: list[PointShown]


class AttentionShown(BaseModel):
    """A linked pair. ``review`` is a reason to look, never a finding."""

    channel: str
    medicare_category: ServiceCategory | None
    medicaid_category: ServiceCategory | None
    level: Level
    medicare_change_cents: float
    medicaid_change_cents: float
    shifted_cents: float


class ChartsAnswer(BaseModel):
    """Charts of every series and the attention that linked pairs deserve, on one revision."""

    revision: int
    entity_id: str
    states: list[str]
    cusum_slack: float
    cusum_limit: float
    ewma_weight: float
    ewma_limit: float
    months_left_out: Annotated[list[str], Field(description="too little has come in; see /v1/completeness")]
    charts: list[ChartShown]
    pairs: list[AttentionShown]


@router.get("/charts", summary="Whether the aligned part from the comparison, and since when")
async def list_charts(connection: ReadConnection, query: Annotated[ChartQuery, Query()]) -> ChartsAnswer:
    """Two-sided CUSUM, EWMA and limits for single months, against a baseline."""
    if not query.baseline_from < query.start <= query.last_month:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The baseline must begin before the months that are charted.")
    revision = await revision_of(connection, query.as_of)
    people = PeopleQuery(revision, entity=query.entity, cohort=Cohort.ALIGNED)
    states = states_of(await reading.person_months(connection, people, ("state",)))
    months = (query.baseline_from, query.last_month)
    cohorts = await cohort_months(connection, revision, query.entity, states, months)
    history = await completion(connection, revision, states)
    try:
        return _answer(query, revision, states, cohorts, history)
    except NoChartError as reason:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Nothing can be charted: {reason}.") from reason


def _answer(
    query: ChartQuery, revision: int, states: list[str], cohorts: CohortMonths, history: Completion
) -> ChartsAnswer:
    policy = chart_policy()
    few, _ = history.incomplete(cohorts.months(), estimate_policy().least_completeness, (query.entity, OF_NO_ENTITY))
    months = [month for month in cohorts.months() if month not in few]
    means = cohorts.per_person_month(history, query.entity)
    charts = {
        series: chart(differences(means, series, months), months, query.start, policy)
        for series in cohorts.series() or [(Payer.MEDICARE.value, TOTAL)]
    }
    before = [means[True, month] for month in months if month < query.start]
    return ChartsAnswer(
        revision=revision,
        entity_id=query.entity,
        states=states,
        cusum_slack=policy.cusum_slack,
        cusum_limit=policy.cusum_limit,
        ewma_weight=policy.ewma_weight,
        ewma_limit=round(ewma_limit(policy.ewma_weight, policy.ewma_width), 4),
        months_left_out=few,
        charts=[_shown(series, one) for series, one in charts.items()],
        pairs=[
            _attention(pair, charts, before, policy)
            for pair in (CategoryPair("all_services", TOTAL, TOTAL), *category_pairs())
            if {(Payer.MEDICARE.value, pair.medicare), (Payer.MEDICAID.value, pair.medicaid)} <= charts.keys()
        ],
    )


def _shown(series: Series, found: Chart) -> ChartShown:
    payer, category = series
    points = [
        PointShown(
            month=point.month,
            difference_cents=round(point.cents, 2),
            standardised=round(point.standardised, 4),
            cusum_above=round(point.cusum_above, 4),
            cusum_below=round(point.cusum_below, 4),
            ewma=round(point.ewma, 4),
            signals=list(point.signals),
        )
        for point in found.points
    ]
    return ChartShown(
        payer=Payer(payer),
        category=ServiceCategory(category) if category else None,
        baseline_cents=round(found.baseline.mean, 2),
        baseline_deviation_cents=round(found.baseline.deviation, 2),
        autocorrelation=round(found.baseline.autocorrelation, 4),
        first_signal=next((point.month for point in points if point.signals), None),
        points=points,
    )


def _attention(
    pair: CategoryPair, charts: Mapping[Series, Chart], before: Iterable[Mapping[Series, float]], policy: ChartPolicy
) -> AttentionShown:
    both = (Payer.MEDICARE.value, pair.medicare), (Payer.MEDICAID.value, pair.medicaid)
    medicare, medicaid = (charts[series].change() for series in both)
    costs = [sum(month.get(series, 0.0) for series in both) for month in before]
    thresholds = Thresholds(policy.review_cents, policy.review_share)
    return AttentionShown(
        channel=pair.channel,
        medicare_category=ServiceCategory(pair.medicare) if pair.medicare else None,
        medicaid_category=ServiceCategory(pair.medicaid) if pair.medicaid else None,
        level=attention_level(medicare, medicaid, sum(costs) / len(costs), thresholds),
        medicare_change_cents=round(medicare.cents, 2),
        medicaid_change_cents=round(medicaid.cents, 2),
        shifted_cents=round(shifted(medicare, medicaid), 2),
    )
