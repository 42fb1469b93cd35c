"""The routes for a state or an entity outside: what may be shown of its own figures, as known at any revision."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from contracts.codes import Payer
from services.cost_shift.category_policy import CategoryPair, category_pairs
from services.cost_shift.completed_figures import FigureCompletion, asked_for, figure_completion
from services.cost_shift.freshness import CONDITIONAL
from services.cost_shift.histories import KnownHistories
from services.cost_shift.states import answers, feed, reading
from services.cost_shift.states.answers import SUPPRESSED, rate, shown
from services.cost_shift.states.dictionary import dictionary
from services.cost_shift.states.estimates import router as estimates
from services.cost_shift.states.questions import (
    CostFilters,
    MeasureFilters,
    PairFilters,
    PeopleFilters,
    PersonMonthFilters,
    RestatementFilters,
    asked_revision,
    own_alone,
)
from services.cost_shift.states.reading import Known, PeopleQuery, people_key
from services.cost_shift.states.signals import router as signals
from services.cost_shift.states.tables import (
    MeasureRow,
    MeasureText,
    RestatementRow,
    RestatementText,
    as_row,
    as_step,
)
from services.runtime.access.guard import needs
from services.runtime.gateway import ReadConnection
from services.runtime.tabular import table_response

router = APIRouter(prefix="/v1", tags=["figures"])
# Whoever has the answer is told so before anything else is looked up.
figures = APIRouter(dependencies=[Depends(needs("measures.read")), CONDITIONAL[0], Depends(own_alone), CONDITIONAL[1]])

# What a list answers beside JSON, for the OpenAPI document.
_AS_TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {
            "Tandem-Revision": {"schema": {"type": "string"}, "description": "of a table: its revision"},
            "Tandem-Next-Offset": {
                "schema": {"type": "string"},
                "description": "of a table: where the next page begins",
            },
            "ETag": {"schema": {"type": "string"}, "description": "strong; send it back in If-None-Match"},
        },
    }
}
_SHOWN_AS = {"entity": "entity_id"}
Table = Literal["csv", "parquet"]


def _people(filters: PeopleFilters, revision: int) -> PeopleQuery:
    return PeopleQuery(
        revision, filters.state, filters.entity_key(), filters.cohort, filters.first_month, filters.last_month
    )


def _dimensions(names: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    return {_SHOWN_AS.get(name, name): value or None for name, value in zip(names, values, strict=True)}


def _left_out(group_by: Sequence[str]) -> frozenset[str]:
    kept = {_SHOWN_AS.get(name, name) for name in group_by}
    return frozenset(answers.Dimensions.model_fields.keys() - kept)


def _json(answer: BaseModel, response: Response) -> Response:
    """A long answer as it is: it was checked when it was made, and needs not be taken apart and checked again."""
    text = answer.model_dump_json(exclude_unset=True)
    return Response(text, headers=dict(response.headers), media_type="application/json")


def _next_offset(filters: CostFilters, found: int) -> int | None:
    return filters.offset + filters.limit if found > filters.limit else None


async def _table(  # noqa: PLR0913, PLR0917 - an answer, its rows, and how they are written
    name: str,
    answer: answers.MeasuresAnswer | answers.PersonMonthsAnswer | answers.RestatementsAnswer,
    rows: Sequence[BaseModel],
    model: type[BaseModel],
    form: Table,
    response: Response,
    left_out: frozenset[str],
) -> Response:
    """The rows as a table; what JSON says around them goes into headers."""
    headers = {**response.headers, "Tandem-Revision": str(answer.revision), "Tandem-As-Of": answer.as_of.isoformat()}
    if not isinstance(answer, answers.PersonMonthsAnswer) and answer.next_offset is not None:
        headers["Tandem-Next-Offset"] = str(answer.next_offset)
    named = f"{name}-{answer.revision}"
    return await asyncio.to_thread(table_response, rows, model, form, name=named, headers=headers, without=left_out)


@figures.get(
    "/measures",
    summary="Cost by payer, category, cohort and month",
    response_model=answers.MeasuresAnswer,
    response_model_exclude_unset=True,
    responses=_AS_TABLE,
)
async def list_measures(
    connection: ReadConnection,
    filters: Annotated[MeasureFilters, Query()],
    response: Response,
    histories: KnownHistories,
) -> answers.MeasuresAnswer | Response:
    """Cents, claims and cents per person-month. What could tell of a few people or claims is ``suppressed``."""
    asked = await asked_revision(connection, filters.as_of)
    group_by, people = tuple(dict.fromkeys(filters.group_by)), _people(filters, asked.revision)
    found = await reading.figures(
        connection, people, filters.payer, filters.category, group_by, filters.limit + 1, filters.offset
    )
    counts = await reading.person_months(connection, people, group_by)
    filtered = asked_for(people, filters.payer, filters.category)
    completion = await figure_completion(connection, histories, ("released", asked.revision), group_by, filtered)
    answer = answers.MeasuresAnswer(
        revision=asked.revision,
        as_of=asked.as_of,
        group_by=list(group_by),
        measures=[
            _measure(one, group_by, counts.get(people_key(one.key, group_by)), completion)
            for one in found[: filters.limit]
        ],
        next_offset=_next_offset(filters, len(found)),
    )
    if filters.format == "json":
        return _json(answer, response)
    text = filters.format == "csv"
    rows, model = [as_row(one, text=text) for one in answer.measures], MeasureText if text else MeasureRow
    return await _table("measures", answer, rows, model, filters.format, response, _left_out(group_by))


def _measure(
    found: Known, group_by: Sequence[str], people: int | None, completion: FigureCompletion
) -> answers.Measure:
    completed = completion.of(dict(zip(group_by, found.key, strict=True)), found.cents)
    cents, person_months = shown(found.cents, hidden=found.grouped), SUPPRESSED if people is None else people
    return answers.Measure(
        **_dimensions(group_by, found.key),
        cents=cents,
        claims=shown(found.claims, hidden=found.grouped),
        crossover_cents=shown(found.crossover_cents, hidden=found.split_hidden),
        crossover_claims=shown(found.crossover_claims, hidden=found.split_hidden),
        person_months=person_months,
        pbpm=rate(cents, person_months),
        completed=answers.CompletedShown.of(completed, hidden=found.grouped),
        figure_revision=found.revision,
    )


@figures.get(
    "/person-months",
    summary="Person-months behind the figures",
    response_model=answers.PersonMonthsAnswer,
    response_model_exclude_unset=True,
    responses=_AS_TABLE,
)
async def list_person_months(
    connection: ReadConnection, filters: Annotated[PersonMonthFilters, Query()], response: Response
) -> answers.PersonMonthsAnswer | Response:
    """How many person-months stand behind the figures."""
    asked = await asked_revision(connection, filters.as_of)
    group_by = tuple(dict.fromkeys(filters.group_by))
    counts = await reading.person_months(connection, _people(filters, asked.revision), group_by)
    answer = answers.PersonMonthsAnswer(
        revision=asked.revision,
        as_of=asked.as_of,
        group_by=list(group_by),
        person_months=[
            answers.PersonMonths(**_dimensions(group_by, key), person_months=count)
            for key, count in sorted(counts.items())
        ],
    )
    if filters.format == "json":
        return answer
    rows, left_out = answer.person_months, _left_out(group_by)
    return await _table("person-months", answer, rows, answers.PersonMonths, filters.format, response, left_out)


@figures.get(
    "/restatements",
    summary="Why figures moved",
    response_model=answers.RestatementsAnswer,
    responses=_AS_TABLE,
)
async def list_restatements(
    connection: ReadConnection, filters: Annotated[RestatementFilters, Query()], response: Response
) -> answers.RestatementsAnswer | Response:
    """By how much figures moved, and why. Over its revisions the rows of a figure add up to it, to the cent."""
    asked = await asked_revision(connection, filters.as_of)
    rows = await reading.steps(
        connection,
        _people(filters, asked.revision),
        filters.payer,
        filters.category,
        filters.since,
        filters.limit + 1,
        filters.offset,
    )
    answer = answers.RestatementsAnswer(
        since=filters.since,
        revision=asked.revision,
        as_of=asked.as_of,
        restatements=[_restatement(row) for row in rows[: filters.limit]],
        next_offset=_next_offset(filters, len(rows)),
    )
    if filters.format == "json":
        return answer
    text = filters.format == "csv"
    steps, model = [as_step(one, text=text) for one in answer.restatements], RestatementText if text else RestatementRow
    return await _table("restatements", answer, steps, model, filters.format, response, frozenset())


def _restatement(row: asyncpg.Record) -> answers.Restatement:
    values = {name: value for name, value in row.items() if name not in {"grouped", "entity"}}
    hidden = {
        "cents": shown(row["cents"], hidden=row["grouped"]),
        "claims": shown(row["claims"], hidden=row["grouped"]),
    }
    return answers.Restatement(**values | hidden | {"entity_id": row["entity"] or None})


@figures.get("/pairs", summary="Medicare and Medicaid side by side, channel by channel")
async def list_pairs(connection: ReadConnection, filters: Annotated[PairFilters, Query()]) -> answers.PairsAnswer:
    """For each channel through which costs could move, its two series by month. Side by side is no finding."""
    asked = await asked_revision(connection, filters.as_of)
    people = _people(filters, asked.revision)
    counts = await reading.person_months(connection, people, ("month",))
    by_category = await reading.figures(connection, people, None, None, ("payer", "category", "month"), 1_000_000, 0)
    whole = await reading.figures(connection, people, None, None, ("payer", "month"), 1_000_000, 0)
    known: dict[tuple[str, str, str], Known] = {(one.key[0], one.key[1], one.key[2]): one for one in by_category}
    known |= {(one.key[0], "", one.key[1]): one for one in whole}
    linked = (CategoryPair("all_services", "", ""), *category_pairs())
    return answers.PairsAnswer(
        revision=asked.revision,
        as_of=asked.as_of,
        cohort=filters.cohort,
        pairs=[_pair(pair, known, {key[0]: count for key, count in counts.items()}) for pair in linked],
    )


def _pair(pair: CategoryPair, known: dict[tuple[str, str, str], Known], counts: dict[str, int]) -> answers.Pair:
    def cents(payer: Payer, category: str | None, month: str) -> answers.Shown:
        found = known.get((payer.value, category or "", month))
        # Not shown yet, or nothing: which of both it is, is not told.
        return SUPPRESSED if found is None else shown(found.cents, hidden=found.grouped)

    months = []
    for month, people in sorted(counts.items()):
        medicare, medicaid = cents(Payer.MEDICARE, pair.medicare, month), cents(Payer.MEDICAID, pair.medicaid, month)
        months.append(
            answers.PairMonth(
                month=month,
                medicare_cents=medicare,
                medicaid_cents=medicaid,
                person_months=people,
                medicare_pbpm=rate(medicare, people),
                medicaid_pbpm=rate(medicaid, people),
            )
        )
    return answers.Pair(
        channel=pair.channel,
        medicare_category=pair.medicare or None,
        medicaid_category=pair.medicaid or None,
        months=months,
    )


@figures.get("/entities", summary="Entities with people in this state")
async def list_entities(
    connection: ReadConnection,
    as_of: Annotated[int | None, Query(ge=1, lt=2**63, description="revision; the latest where absent")] = None,
) -> answers.EntitiesAnswer:
    """Entities of which anything may be told."""
    asked = await asked_revision(connection, as_of)
    rows = await reading.entities(connection, asked.revision)
    return answers.EntitiesAnswer(
        revision=asked.revision, as_of=asked.as_of, entities=[answers.Entity(**dict(row)) for row in rows]
    )


@figures.get("/deliveries", summary="Published deliveries")
async def list_deliveries(
    connection: ReadConnection, limit: Annotated[int, Query(ge=1, le=10_000, description="how many")] = 100
) -> answers.DeliveriesAnswer:
    """Each delivery is a revision: everything known up to and including it."""
    rows = await reading.deliveries(connection, limit)
    return answers.DeliveriesAnswer(deliveries=[answers.Delivery(**dict(row)) for row in rows])


@figures.get("/dictionary", summary="What everything means")
async def show_dictionary() -> answers.DictionaryAnswer:
    """Every field and code, and what is suppressed since when and on whose word."""
    return dictionary()


router.include_router(figures)
router.include_router(feed.router)
router.include_router(estimates)
router.include_router(signals)
