"""Routes about an entity's people: whom it will lose or gain, whether they are enough, and what changed since."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from contracts.months import Month, month_at, month_index
from services.alignment import paths_reading, reading
from services.alignment.computing import Lists, Standing, forecast
from services.alignment.paths_answers import Ahead, AheadPage, Changed, ChangesPage, Minima, ahead_shown
from services.alignment.paths_policy import paths_policy
from services.alignment.programme import programme
from services.alignment.questions import After, AsOf, Entity, Limit
from services.alignment.rules.minimum_count import FURTHEST_MONTHS, projection
from services.alignment.rules.retention import Kind
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import Problem

router = APIRouter()
_PEOPLE_AT_ONCE = 500
WithLosses = Annotated[bool, Query(description="also take off whom the next year's forecast loses; slower")]


@router.get("/alignment/forecast", summary="Whom an entity will lose or gain")
async def alignment_forecast(  # noqa: PLR0913, PLR0917 - one parameter of the query string each
    connection: ReadConnection,
    as_of: AsOf,
    month: Annotated[Month, Query(description="the first month of a performance year or quarter to come")],
    entity: Entity = None,
    kind: Annotated[list[Kind] | None, Query(description="only these; lost, gained and open where absent")] = None,
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=_PEOPLE_AT_ONCE, description="people looked at for one page")] = 200,
) -> AheadPage:
    """Compute what becomes of a page of people in a month to come, from what is known, and on which visit it hangs."""
    year = programme().performance_year(month)
    if year is None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the month lies in no performance year")
    wanted = set(kind or ("lost", "gained", "open"))
    people = await paths_reading.people_after(connection, after, limit, as_of)
    lists = await paths_reading.lists_as_known(connection, as_of)
    found = [one for one in await _ahead(connection, people, month, as_of, lists) if one.kind in wanted]
    return AheadPage(
        month=month,
        performance_year=year,
        as_of=as_of,
        looked_at=len(people),
        people=[one for one in found if entity is None or entity in {one.entity_id, one.next_entity_id}],
        next_after=max(people) if len(people) == limit else None,
    )


async def _ahead(connection: Connection, people: dict[str, str], month: str, as_of: int, lists: Lists) -> list[Ahead]:
    standing = await paths_reading.standing_decisions(connection, sorted(people), month, as_of)
    evidence = await paths_reading.evidence_of(connection, {one: people[one] for one in standing}, as_of)
    deaths = await paths_reading.deaths_of(connection, sorted(standing), as_of)
    areas: dict[str, reading.ServiceArea | None] = {}
    found = []
    for person_id, row in standing.items():
        # Of whom nothing was said for so long, nothing is foretold.
        if month_index(month) - month_index(row["month"]) > programme().furthest_future_months:
            continue
        entity = programme().entity_for(row["entity_id"], people[person_id])
        if entity is not None and entity.entity_id not in areas:
            areas[entity.entity_id] = await reading.service_area(connection, entity.entity_id, as_of)
        predicates = reading.predicates_of(row, areas.get(entity.entity_id) if entity else None)
        same_year = programme().performance_year(row["month"]) == programme().performance_year(month)
        entity_id = row["entity_id"] if row["aligned"] else None
        now = Standing(entity_id, predicates, same_year, deaths.get(person_id))
        done = forecast(month, now, evidence[person_id], lists)
        if done is not None:
            found.append(ahead_shown(person_id, row["month"], now, done))
    return found


@router.get("/alignment/minimums", summary="Aligned people against the minimum, and when it would be missed")
async def minimums(
    connection: ReadConnection,
    as_of: AsOf,
    entity: Entity = None,
    with_losses: WithLosses = False,  # noqa: FBT002 - of the query string
) -> Minima:
    """Count the last reported month against the minimum and carry the trend forward to the month that misses it."""
    month = await paths_reading.last_reported_month(connection, entity, as_of)
    rows = await reading.aligned_by_month(connection, as_of, entity)
    counts = {month_index(row["month"]): row["aligned"] for row in rows if month is not None and row["month"] <= month}
    policy = paths_policy()
    last = max(counts, default=None)
    if month is None or last is None:
        return Minima(
            as_of=as_of, entity_id=entity, month=None, aligned=0, minimum=None, floor=None, above=None, trend_months=0,
            trend_change=0, lost_next_year=None, falls_below_minimum_in=None, falls_below_floor_in=None,
        )  # fmt: skip
    lost = await _losses(connection, entity, month, as_of) if with_losses else {}
    ahead = {at: policy.minimum(month_at(at)) for at in range(last, last + FURTHEST_MONTHS + 1)}
    minima = {at: one for at, one in ahead.items() if one is not None}
    found = projection(counts, lost, minima, policy.trend_months(month))
    here = minima.get(last)
    return Minima(
        as_of=as_of,
        entity_id=entity,
        month=month,
        aligned=counts[last],
        minimum=here and here.people,
        floor=here and here.floor,
        above=here and counts[last] - here.people,
        trend_months=found.months,
        trend_change=found.change,
        lost_next_year=sum(lost.values()) if with_losses else None,
        falls_below_minimum_in=None if found.below_minimum is None else month_at(found.below_minimum),
        falls_below_floor_in=None if found.below_floor is None else month_at(found.below_floor),
    )


async def _losses(connection: Connection, entity: str | None, month: str, as_of: int) -> dict[int, int]:
    """People lost in the first month of the next performance year; none where that is not known."""
    years = sorted(year.first_month for year in programme().performance_years if year.first_month > month)
    if not years:
        return {}
    lists, after, lost = await paths_reading.lists_as_known(connection, as_of), "", 0
    while people := await paths_reading.people_after(connection, after, _PEOPLE_AT_ONCE, as_of):
        after = max(people)
        ahead = await _ahead(connection, people, years[0], as_of, lists)
        lost += sum(one.kind == "lost" and entity in {None, one.entity_id} for one in ahead)
    return {month_index(years[0]): lost}


_PLACE = r"^\d{1,18}(:p[0-9a-f]{32}:\d{4}-\d{2})?$"


@router.get("/alignment/changes", summary="Decisions made since a delivery")
async def alignment_changes(
    connection: ReadConnection,
    as_of: AsOf,
    since: Annotated[str, Query(pattern=_PLACE, description="a delivery's number, or next_since of the page before")],
    limit: Limit = 1_000,
) -> ChangesPage:
    """List decisions by the delivery that caused them; a delivery's own are whole once it has been processed."""
    rows = await paths_reading.changes(connection, _place(since), as_of, limit)
    found = [Changed(**dict(row)) for row in rows]
    last = found[-1] if len(found) == limit else None
    return ChangesPage(as_of=as_of, changes=found, next_since=last and f"{last.sequence}:{last.person_id}:{last.month}")


def _place(text: str) -> tuple[int, str, str]:
    sequence, *rest = text.split(":")
    # After everything of the delivery: every person's name begins with a p.
    return (int(sequence), rest[0], rest[1]) if rest else (int(sequence), "q", "")
