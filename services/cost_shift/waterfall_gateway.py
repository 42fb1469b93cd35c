"""The route that leads from one revision of figures to another, cause by cause."""

from collections import defaultdict
from http import HTTPStatus
from typing import Annotated, Final, Self

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import StateCode
from contracts.months import Month
from services.cost_shift.questions import NO_ENTITY, EntityFilter, revision_of
from services.cost_shift.rules.waterfall import Amounts, Step, waterfall
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem

router = APIRouter()

_SERIES: Final = """
    ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR entity = $4) AND ($5::text IS NULL OR cohort = $5)
    AND ($6::text IS NULL OR payer = $6) AND ($7::text IS NULL OR category = $7)
    AND ($8::text IS NULL OR month >= $8) AND ($9::text IS NULL OR month <= $9)
    AND ($10 OR category <> 'capitation') AND ($11 OR cohort <> 'unassigned')"""
_FIGURE: Final = f"""
    SELECT payer, sum(cents)::bigint AS cents, sum(claims)::bigint AS claims FROM (
        SELECT DISTINCT ON (state, entity, cohort, payer, category, month) payer, cents, claims FROM published_measure
        WHERE revision <= $1 AND $2::bigint IS NOT NULL AND {_SERIES}
        ORDER BY state, entity, cohort, payer, category, month, revision DESC
    ) AS figure GROUP BY payer
"""  # noqa: S608 - constants
_CAUSES: Final = f"""
    SELECT payer, cause, sum(cents)::bigint AS cents, sum(claims)::bigint AS claims FROM restatement
    WHERE revision > $1 AND revision <= $2 AND {_SERIES} GROUP BY payer, cause
"""  # noqa: S608 - constants
_PEOPLE: Final = """
    SELECT coalesce(sum(person_months), 0)::bigint FROM (
        SELECT DISTINCT ON (state, entity, cohort, month) person_months FROM published_person_months
        WHERE revision <= $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR entity = $3)
            AND ($4::text IS NULL OR cohort = $4) AND ($5::text IS NULL OR month >= $5) AND ($6::text IS NULL OR month <= $6)
        ORDER BY state, entity, cohort, month, revision DESC
    ) AS counted
"""


class WaterfallQuery(BaseModel):
    """Which figures, summed, and between which revisions."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[int, Field(ge=0, lt=2**63, description="the revision to begin with; 0: before the first")] = 0
    state: Annotated[StateCode | None, Field(description="only this state, USPS code")] = None
    entity: Annotated[EntityFilter | None, Field(description="only this entity; none: people of no entity")] = None
    cohort: Annotated[Cohort | None, Field(description="only this cohort; all that have a decision where absent")] = (
        None
    )
    payer: Annotated[Payer | None, Field(description="only what this programme paid")] = None
    category: Annotated[ServiceCategory | None, Field(description="only this category; all services where absent")] = (
        None
    )
    first_month: Annotated[Month | None, Field(description="from this service month on, YYYY-MM")] = None
    last_month: Annotated[Month | None, Field(description="up to and including this service month, YYYY-MM")] = None
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision to end with; the latest where absent")] = (
        None
    )


class FallShown(BaseModel):
    """One cause: what it adds, and what the figure has come to with it."""

    step: Step
    cents: int
    claims: int
    reached_cents: int
    reached_claims: int


class WaterfallShown(BaseModel):
    """A payer's figure as of both revisions, and the steps between them."""

    payer: Payer
    first_cents: int
    first_claims: int
    steps: list[FallShown]
    last_cents: int
    last_claims: int

    @classmethod
    def of(cls, payer: Payer, first: Amounts, causes: dict[str, Amounts], last: Amounts) -> Self:
        """Steps that add up, or none at all."""
        steps = [
            FallShown(
                step=step,
                cents=added.cents,
                claims=added.claims,
                reached_cents=reached.cents,
                reached_claims=reached.claims,
            )
            for step, added, reached in waterfall(first, causes, last)
        ]
        return cls(
            payer=payer, first_cents=first.cents, first_claims=first.claims, steps=steps, last_cents=last.cents,
            last_claims=last.claims,
        )  # fmt: skip


class WaterfallAnswer(BaseModel):
    """Both payers, and the person-months behind them as of both revisions."""

    since: int
    revision: int
    first_person_months: int
    last_person_months: int
    payers: list[WaterfallShown]


@router.get("/waterfall", summary="From one revision to another, cause by cause")
async def read_waterfall(connection: ReadConnection, query: Annotated[WaterfallQuery, Query()]) -> WaterfallAnswer:
    """Late claims, cancellations, retroactive alignment, changes of dual status and of residence: they add up to the cent."""
    revision = await revision_of(connection, query.as_of)
    if query.since > revision:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "The revision to begin with must not be later than the one to end with."
        )
    first, last = await _figures(connection, query, query.since), await _figures(connection, query, revision)
    causes: dict[str, dict[str, Amounts]] = defaultdict(dict)
    for row in await connection.fetch(_CAUSES, query.since, revision, *_series(query)):
        causes[row["payer"]][row["cause"]] = _amounts(row)
    nothing = Amounts(0, 0)
    return WaterfallAnswer(
        since=query.since,
        revision=revision,
        first_person_months=await _people(connection, query, query.since),
        last_person_months=await _people(connection, query, revision),
        payers=[
            WaterfallShown.of(payer, first.get(payer, nothing), causes.get(payer, {}), last.get(payer, nothing))
            for payer in Payer
            if query.payer in {None, payer}
        ],
    )


async def _figures(connection: Connection, query: WaterfallQuery, revision: int) -> dict[str, Amounts]:
    rows = await connection.fetch(_FIGURE, revision, revision, *_series(query))
    return {row["payer"]: _amounts(row) for row in rows}


def _amounts(row: asyncpg.Record) -> Amounts:
    return Amounts(row["cents"], row["claims"])


def _entity(query: WaterfallQuery) -> str | None:
    return "" if query.entity == NO_ENTITY else query.entity


def _series(query: WaterfallQuery) -> tuple[object, ...]:
    """In the order of the SQL. As in sums of measures, capitation and costs without a decision stand by themselves only."""
    return (
        query.state, _entity(query), query.cohort, query.payer, query.category, query.first_month, query.last_month,
        query.category is ServiceCategory.CAPITATION, query.cohort is Cohort.UNASSIGNED,
    )  # fmt: skip


async def _people(connection: Connection, query: WaterfallQuery, revision: int) -> int:
    counted: int = await connection.fetchval(
        _PEOPLE, revision, query.state, _entity(query), query.cohort, query.first_month, query.last_month
    )
    return counted
