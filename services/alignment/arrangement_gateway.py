"""Routes over arrangements and work items: who is in what, why, how many, and what there is to do."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from asyncpg import Record
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from contracts.arrangements import ArrangementCode, ArrangementStanding
from contracts.identifiers import StateCode
from contracts.months import Month, month_at, month_index
from services.alignment import arrangement_reading, store
from services.alignment.arrangement_answers import (
    ArrangementMember,
    ArrangementMembers,
    ArrangementPolicyAnswer,
    ConditionAnswer,
    ExclusiveGroupAnswer,
    MonthStandingsAnswer,
    MonthWhy,
    PackAnswer,
    PersonArrangements,
    ProgrammeAnswer,
    Share,
    Shares,
    Standing,
    WorkItemAnswer,
    WorkItems,
)
from services.alignment.arrangement_policy import Pack, arrangement_policy
from services.alignment.arrangement_store import standings_of
from services.alignment.arrangement_worker import policies
from services.alignment.known_person import KnownPerson, known_at
from services.alignment.questions import After, AsOf, Form, Limit, Person, page_headers, state_of
from services.alignment.replay import in_order
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.standings import RULES, MonthStandings, claim_of, every_month, when_enrolling
from services.alignment.rules.work_items.work_item import Kind
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found
from services.runtime.tabular import table_response

router = APIRouter(tags=["arrangements"])

InMonth = Annotated[Month, Query(description="the month")]
ItemAfter = Annotated[
    str, Query(pattern=r"^(p[0-9a-f]{32}:[a-z_]{1,40})?$", description="next_after of the page before")
]


@router.get("/people/{person_id}/arrangements", summary="In which arrangements a person was, month by month")
async def person_arrangements(person_id: Person, connection: ReadConnection, as_of: AsOf) -> PersonArrangements:
    """Give every month of a person: the arrangements that they are in, could be in, or have left by choice."""
    await state_of(connection, person_id)
    rows = await arrangement_reading.arrangements_of(connection, person_id, as_of)
    return PersonArrangements(person_id=person_id, as_of=as_of, months=[_month(row) for row in rows])


def _month(row: Record) -> MonthStandingsAnswer:
    return MonthStandingsAnswer(
        month=row["month"],
        known_since=row["sequence"],
        county_fips=row["county_fips"],
        members=row["members"],
        standings=[_standing(one) for one in standings_of(row["standings"])],
        open_reasons=row["open_reasons"],
    )


def _standing(one: ArrangementStanding) -> Standing:
    return Standing(**one.model_dump(mode="json"))


@router.get("/people/{person_id}/arrangements/{month}", summary="Why a person is in an arrangement in a month, or not")
async def person_month_why(
    person_id: Person, month: Annotated[Month, Path()], connection: ReadConnection, as_of: AsOf
) -> MonthWhy:
    """Give every programme that ran in the person's state and month: each condition, its answer and the evidence."""
    await state_of(connection, person_id)
    facts = in_order((await store.facts_about(connection, [person_id])).get(person_id, ()))
    person = known_at(facts, as_of, policies())
    number = month_index(month)
    if number not in person.months:
        raise not_found("month of this person")
    known, now = person.month(number), person.standings(number)
    packs = person.policies.arrangements.in_force(person.state, number)
    return MonthWhy(
        person_id=person_id,
        month=month,
        as_of=as_of,
        state=person.state,
        programmes=[_programme(person, known, pack, now) for pack in packs],
        open_reasons=list(now.open_reasons),
    )


def _programme(person: KnownPerson, known: MonthKnown, pack: Pack, now: MonthStandings) -> ProgrammeAnswer:
    run, claim = person.run(known.month, pack), claim_of(known, pack)
    asked_in = known if run is None else person.month(run.began)
    conditions = {**when_enrolling(asked_in, pack), **every_month(known, pack, run)}
    return ProgrammeAnswer(
        pack=pack.name,
        title=pack.title,
        arrangement=pack.arrangement,
        standing=next((said.standing for said in now.standings if said.pack == pack.name), None),
        member_since=None if run is None or not pack.asks_when_enrolling else month_at(run.began),
        evidence=None if claim is None else claim.evidence(),
        conditions=[
            ConditionAnswer(name=name, outcome=answer.outcome.value, reason=answer.reason, evidence=answer.evidence)
            for name, answer in conditions.items()
        ],
    )


@router.get("/arrangements/shares", summary="How many people are in which arrangement", response_model=Shares)
async def arrangement_shares(  # noqa: PLR0913, PLR0917 - one parameter of the query string each
    connection: ReadConnection,
    as_of: AsOf,
    first_month: InMonth,
    last_month: Annotated[
        Month | None, Query(description="the last month; the first one alone where it is left out")
    ] = None,
    state: Annotated[StateCode | None, Query(description="only this state")] = None,
    by_county: Annotated[bool, Query(description="a row for each county")] = False,  # noqa: FBT002 - a query parameter
    form: Form = "json",
) -> Shares | Response:
    """Count people by month, arrangement and, where asked, county, with participation, opt-out and churn."""
    asked = arrangement_reading.Shares(first_month, last_month or first_month, as_of, state, by_county)
    rows = [_share(dict(row)) for row in await arrangement_reading.shares(connection, asked)]
    if form == "json":
        return Shares(as_of=as_of, shares=rows)
    name = f"arrangement-shares-{first_month}-{as_of}"
    return await asyncio.to_thread(table_response, rows, Share, form, name=name, headers=page_headers(as_of, None))


def _share(row: Mapping[str, Any]) -> Share:
    counted = dict(row)
    left, could_be = counted.pop("left_since"), counted["members"] + counted["eligible"] + counted["opted_out"]
    counted["county_fips"] = counted["county_fips"] or None
    rule = RULES.get(counted["arrangement"])
    could_be = could_be if rule is not None and rule.foreseeable else 0
    return Share(
        **counted,
        left=left,
        participation=_ratio(counted["members"], could_be),
        opt_out=_ratio(counted["opted_out"], could_be),
        churn=_ratio(left, counted["members_before"]),
    )


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


@router.get(
    "/arrangements/members", summary="Who stands to an arrangement in a month", response_model=ArrangementMembers
)
async def arrangement_members(  # noqa: PLR0913, PLR0917 - one parameter of the query string each
    connection: ReadConnection,
    as_of: AsOf,
    month: InMonth,
    arrangement: Annotated[ArrangementCode, Query()],
    after: After = "",
    limit: Limit = 1_000,
    form: Form = "json",
) -> ArrangementMembers | Response:
    """List members, eligible people and those who opted out of one arrangement, a page at a time, by person."""
    page = arrangement_reading.Members(month, as_of, arrangement, after, limit)
    rows = await arrangement_reading.members_of(connection, page)
    people = [_member(row, arrangement) for row in rows]
    next_after = people[-1].person_id if len(rows) == limit else None
    if form == "json":
        return ArrangementMembers(
            month=month, arrangement=arrangement, as_of=as_of, people=people, next_after=next_after
        )
    name, headers = f"{arrangement}-{month}-{as_of}", page_headers(as_of, next_after)
    return await asyncio.to_thread(table_response, people, ArrangementMember, form, name=name, headers=headers)


def _member(row: Record, arrangement: str) -> ArrangementMember:
    one = next(one for one in standings_of(row["standings"]) if one.arrangement == arrangement)
    said = one.model_dump(mode="json", include={"standing", "way", "enrolment", "plan", "reasons"})
    return ArrangementMember(
        person_id=row["person_id"], county_fips=row["county_fips"], known_since=row["sequence"], **said
    )


@router.get("/work-items", summary="What there is to do about people", response_model=WorkItems)
async def work_items(  # noqa: PLR0913, PLR0917 - one parameter of the query string each
    connection: ReadConnection,
    as_of: AsOf,
    kind: Annotated[Kind | None, Query(description="only this kind")] = None,
    after: ItemAfter = "",
    limit: Limit = 1_000,
    form: Form = "json",
) -> WorkItems | Response:
    """List people with Part B only whom the state could enrol in Part A, and dual spans about to end."""
    rows = await arrangement_reading.work_items(connection, arrangement_reading.Items(as_of, kind, after, limit))
    items = [_item(row) for row in rows]
    next_after = f"{items[-1].person_id}:{items[-1].kind}" if len(rows) == limit else None
    if form == "json":
        return WorkItems(as_of=as_of, items=items, next_after=next_after)
    headers = page_headers(as_of, next_after)
    return await asyncio.to_thread(
        table_response, items, WorkItemAnswer, form, name=f"work-items-{as_of}", headers=headers
    )


def _item(row: Record) -> WorkItemAnswer:
    said = {name: row[name] for name in ("person_id", "kind", "state", "month", "reasons", "evidence")}
    return WorkItemAnswer(**said, known_since=row["sequence"], since_time=row["received_at"])


@router.get("/arrangements/policy", summary="Every programme's policy pack, and what excludes what")
async def arrangements_policy() -> ArrangementPolicyAnswer:
    """Give every pack with its values, their sources and whether those confirm them, and the exclusive groups."""
    policy = arrangement_policy()
    return ArrangementPolicyAnswer(
        packs=[_pack(pack) for pack in policy.packs],
        exclusive_groups=[
            ExclusiveGroupAnswer(
                name=group.name,
                tiers=[sorted(tier) for tier in group.tiers],
                why=group.why,
                source=group.source,
                status=group.status,
            )
            for group in policy.groups
        ],
    )


def _pack(pack: Pack) -> PackAnswer:
    return PackAnswer(
        name=pack.name,
        title=pack.title,
        arrangement=pack.arrangement,
        states=sorted(pack.states),
        first_month=month_at(pack.first_month),
        last_month=None if pack.last_month is None else month_at(pack.last_month),
        parameters=[
            {"name": one.name, "value": one.value, "source": one.source, "status": one.status}
            for one in pack.parameters
        ],
    )
