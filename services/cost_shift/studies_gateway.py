"""The routes of effects by design: people followed from their entry, and one series against its own past."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Payer, ServiceCategory
from contracts.identifiers import EntityId
from contracts.months import Month, month_index, months_between
from services.cost_shift.cohort_months import CohortMonths, cohort_months
from services.cost_shift.completion import completion
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.evidence import METHOD
from services.cost_shift.questions import revision_of
from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.rules.interrupted_series import Coefficient, Interruption, interruption
from services.cost_shift.signal_answers import PairEvidence, StudyShown
from services.cost_shift.signalling import estimated, evidence_without_charts
from services.cost_shift.signals import described, prepared_study
from services.cost_shift.study_reading import entities, months_counted
from services.cost_shift.studying import Study, pair_estimates
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem, not_found

router = APIRouter()

INTERRUPTED = (
    "Segmented regression of the aligned alone: level, trend, months of the year, a step and a change of slope; Newey-West errors. "
    "No comparison: whatever else happened at that time is in the step, and intervals of few months are too sure of themselves."
)


class StudyQuery(BaseModel):
    """Whose study, and how."""

    model_config = ConfigDict(extra="forbid")

    entity: EntityId
    covariates: Annotated[bool, Field(description="hold cost in the baseline and risk score constant")] = True
    winsorise: Annotated[
        float | None,
        Field(ge=0.9, lt=1, description="cap every person-month of a category at this quantile of those with a cost"),
    ] = None
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


class DetectableShown(BaseModel):
    """The smallest effects seen of a channel, in cents a person and month."""

    channel: str
    medicare_cents: float
    medicaid_cents: float
    plain_medicare_cents: Annotated[float, Field(description="without covariates and caps")]
    plain_medicaid_cents: Annotated[float, Field(description="without covariates and caps")]


class StudyPair(BaseModel):
    """A channel and its evidence."""

    channel: str
    evidence: PairEvidence


class StudyAnswer(BaseModel):
    """Effects of people followed from their entry."""

    method: str = METHOD
    covariates: list[str]
    winsorise: float | None
    study: StudyShown
    pairs: list[StudyPair]
    detectable: list[DetectableShown]


@router.get("/studies", summary="Effects of people followed from their entry")
async def read_study(connection: ReadConnection, query: Annotated[StudyQuery, Query()]) -> StudyAnswer:
    """What signals stand on, worked out anew, with covariates and caps as asked for."""
    revision = await revision_of(connection, query.as_of)
    states = dict(await entities(connection, revision)).get(query.entity)
    if states is None:
        raise not_found("entity with aligned people")
    shown, study = await _prepared(connection, revision, query.entity, states, query.winsorise)
    plain = study if query.winsorise is None else (await _prepared(connection, revision, query.entity, states, None))[1]
    try:
        # Seconds of arithmetic for many counties: other questions are answered meanwhile.
        return await asyncio.to_thread(_study_answer, query, shown, study, plain)
    except NotIdentifiedError as reason:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"No effect can be estimated: {reason}.") from reason


async def _prepared(
    connection: Connection, revision: int, entity: str, states: list[str], winsorise: float | None
) -> tuple[StudyShown, Study]:
    counted = await months_counted(connection, revision, states)
    history = await completion(connection, revision, states)
    prepared = await prepared_study(connection, revision, entity, states, counted, history, winsorise)
    if prepared is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "Too few months of both payers have come in behind the baseline."
        )
    return prepared


def _study_answer(query: StudyQuery, shown: StudyShown, study: Study, plain: Study) -> StudyAnswer:
    chosen = study.with_covariates(holding=query.covariates)
    told, without = estimated(chosen), pair_estimates(plain.with_covariates(holding=False))
    described(shown, chosen, told)
    return StudyAnswer(
        covariates=[name for name, _ in chosen.covariate_columns],
        winsorise=query.winsorise,
        study=shown,
        pairs=[
            StudyPair(channel=pair.channel, evidence=evidence_without_charts(chosen, told, pair))
            for pair in chosen.pairs
        ],
        detectable=[
            DetectableShown(
                channel=one.pair.channel,
                medicare_cents=round(one.medicare.detectable, 2),
                medicaid_cents=round(one.medicaid.detectable, 2),
                plain_medicare_cents=round(other.medicare.detectable, 2),
                plain_medicaid_cents=round(other.medicaid.detectable, 2),
            )
            for one, other in zip(told.found, without, strict=True)
        ],
    )


class InterruptedQuery(BaseModel):
    """An entity, the months, and the first of those after."""

    model_config = ConfigDict(extra="forbid")

    entity: EntityId
    first_month: Annotated[Month, Field(description="first month, at least 24 before the start")]
    start: Annotated[Month, Field(description="first month after what is studied")]
    last_month: Annotated[Month, Field(description="last month")]
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


class CoefficientShown(BaseModel):
    """Cents per person-month."""

    cents: float
    standard_error_cents: float
    lower_cents: float
    upper_cents: float

    @classmethod
    def of(cls, found: Coefficient, level: float) -> Self:
        """Rounded to two decimals of a cent."""
        lower, upper = found.limits(level)
        return cls(
            cents=round(found.value, 2),
            standard_error_cents=round(found.standard_error, 2),
            lower_cents=round(lower, 2),
            upper_cents=round(upper, 2),
        )


class InterruptionShown(BaseModel):
    """One series. Null category: all services of the payer."""

    payer: Payer
    category: ServiceCategory | None
    step: CoefficientShown
    slope: Annotated[CoefficientShown, Field(description="a month")]
    mean: Annotated[CoefficientShown, Field(description="over all months after")]


class InterruptedAnswer(BaseModel):
    """Series of the aligned against their own past."""

    method: str = INTERRUPTED
    revision: int
    entity_id: str
    months_left_out: Annotated[list[str], Field(description="too little has come in; see /v1/completeness")]
    last_month: str
    confidence_level: float
    series: list[InterruptionShown]


@router.get("/interrupted-series", summary="One cohort against its own past, where there is no comparison")
async def read_interrupted(
    connection: ReadConnection, query: Annotated[InterruptedQuery, Query()]
) -> InterruptedAnswer:
    """Step and change of slope of every series of the aligned."""
    if not query.first_month < query.start <= query.last_month:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The months before must begin before the start.")
    revision = await revision_of(connection, query.as_of)
    states = dict(await entities(connection, revision)).get(query.entity, [])
    cohorts = await cohort_months(connection, revision, query.entity, states, (query.first_month, query.last_month))
    history = await completion(connection, revision, states)
    asked = list(months_between(query.first_month, query.last_month))
    policy = estimate_policy()
    few, _ = history.incomplete(asked, policy.least_completeness, (query.entity,))
    counted = [month for month in asked if (True, month) in cohorts.people and month not in few]
    if counted != asked[: len(counted)]:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "A month between others has nobody aligned or too little cost come in."
        )
    means = cohorts.per_person_month(history, query.entity)
    try:
        found = {
            series: _interruption([means[True, month].get(series, 0.0) for month in counted], query)
            for series in _series(cohorts)
        }
    except NotIdentifiedError as reason:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"No change can be estimated: {reason}.") from reason
    return InterruptedAnswer(
        revision=revision,
        entity_id=query.entity,
        months_left_out=few,
        last_month=counted[-1],
        confidence_level=policy.confidence_level,
        series=[_interruption_shown(series, one, policy.confidence_level) for series, one in found.items()],
    )


def _series(cohorts: CohortMonths) -> list[Series]:
    return cohorts.series() or [(Payer.MEDICARE.value, "")]


def _interruption(values: list[float], query: InterruptedQuery) -> Interruption:
    start = month_index(query.start) - month_index(query.first_month)
    return interruption(values, start, month_index(query.first_month) % 12)


def _interruption_shown(series: Series, found: Interruption, level: float) -> InterruptionShown:
    return InterruptionShown(
        payer=Payer(series[0]),
        category=ServiceCategory(series[1]) if series[1] else None,
        step=CoefficientShown.of(found.step, level),
        slope=CoefficientShown.of(found.slope, level),
        mean=CoefficientShown.of(found.mean, level),
    )
