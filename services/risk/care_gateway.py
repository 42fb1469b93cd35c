"""Worklists of care actions, their exports and outcomes, and the one thing that people may tell: what became of an action."""

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from contracts.care import ActionId, DismissalReason, Owner, Verdict
from contracts.identifiers import CountyFips, EntityId, NotAnMbi, Npi, PersonId, StateCode
from services.risk import care_actions
from services.risk.care_actions import Worklist
from services.risk.care_policy import care_policy_entries
from services.risk.care_reporting import take_report
from services.risk.care_shown import (
    FHIR_MEDIA_TYPE,
    ActionDetail,
    ActionPage,
    ActionRow,
    OutcomeShown,
    as_row,
    bundle,
    detailed,
    outcome_shown,
    shown,
)
from services.risk.rules.report_admissible import Report, Status
from services.risk.rules.report_author import AUTHOR, NotTheAuthorError, report_author
from services.runtime.access.tenancy import principal_of_request
from services.runtime.database import Connection
from services.runtime.gateway import Pool, ReadConnection
from services.runtime.problems import Problem, not_found
from services.runtime.tabular import table_response

router = APIRouter(tags=["care actions"])

AsOf = Annotated[int | None, Query(ge=1, description="sequence of a delivery; left out: as known now")]
Kind = Literal[
    "connect_primary_care", "coordinate_high_cost_care", "flu_vaccine", "wellness_visit", "falls_prevention",
    "diabetes_eye_exam", "diabetes_foot_exam", "diabetes_blood_test", "missed_dialysis", "missed_wound_care",
    "missed_infusion", "nutrition_meals", "breast_cancer_screening", "colorectal_cancer_screening",
]  # fmt: skip
_LONGEST_PAGE = 5_000
_STATUS_OF = {
    "unknown": HTTPStatus.NOT_FOUND,
    "incomplete": HTTPStatus.UNPROCESSABLE_ENTITY,
    "contradicts": HTTPStatus.CONFLICT,
}


class WorklistFilters(BaseModel):
    """Which actions. Left out: all of them; but only open ones, unless another status is asked for."""

    owner: Annotated[Owner | None, Field(description="whose work it is")] = None
    kind: Annotated[Kind | None, Field(description="what is to be done")] = None
    status: Annotated[Status | Literal["any"], Field(description="open, or what has become of it")] = "open"
    tier: Annotated[int | None, Field(ge=1, le=4, description="tier when it was raised; 4 is the highest")] = None
    county: Annotated[CountyFips | None, Field(description="county of residence when it was raised")] = None
    facility: Annotated[Npi | None, Field(description="nursing facility where the person lived when it was raised")] = (
        None
    )
    state: Annotated[StateCode | None, Field(description="state")] = None
    entity: Annotated[EntityId | None, Field(description="entity to which the person is aligned")] = None
    person: Annotated[PersonId | None, Field(description="one person's pseudonym")] = None
    after: Annotated[
        str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}:a[0-9a-f]{32})?$", description="next of the page before")
    ] = ""
    limit: Annotated[int, Field(ge=1, le=_LONGEST_PAGE, description="rows of one page")] = 100
    as_of: Annotated[int | None, Field(ge=1, description="sequence of a delivery; left out: as known now")] = None


def _wanted(filters: WorklistFilters) -> Worklist:
    return Worklist(
        owner=filters.owner,
        kind=filters.kind,
        status=None if filters.status == "any" else filters.status,
        tier=filters.tier,
        county_fips=filters.county,
        facility_npi=filters.facility,
        state=filters.state,
        entity_id=filters.entity,
        person_id=filters.person,
        after=filters.after,
    )


async def _page(connection: Connection, filters: WorklistFilters) -> ActionPage:
    try:
        rows = await care_actions.worklist(connection, _wanted(filters), filters.as_of, filters.limit)
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "after names a day that does not exist.") from None
    actions = [shown(row) for row in rows]
    following = f"{actions[-1].due_on}:{actions[-1].action_id}" if len(actions) == filters.limit else None
    return ActionPage(as_of=filters.as_of, actions=actions, next=following)


@router.get("/actions", summary="A worklist, in the order in which actions are due")
async def worklist(connection: ReadConnection, filters: Annotated[WorklistFilters, Query()]) -> ActionPage:
    """By owner, kind, status, tier, county, facility, entity or person; one page."""
    return await _page(connection, filters)


@router.get("/actions.csv", summary="The same worklist as CSV", response_class=Response)
async def worklist_csv(connection: ReadConnection, filters: Annotated[WorklistFilters, Query()]) -> Response:
    """For coordinators and aides; the header X-Next is what to pass as ``after`` for the next page."""
    page = await _page(connection, filters)
    headers = {"X-Next": page.next} if page.next else {}
    return table_response([as_row(one) for one in page.actions], ActionRow, "csv", name="actions", headers=headers)


@router.get("/actions.fhir", summary="The same worklist as a FHIR R4 Bundle of Tasks", response_class=Response)
async def worklist_fhir(connection: ReadConnection, filters: Annotated[WorklistFilters, Query()]) -> Response:
    """For care-management systems; the header X-Next is what to pass as ``after`` for the next page."""
    page = await _page(connection, filters)
    headers = {"X-Next": page.next} if page.next else {}
    return JSONResponse(bundle(page.actions), media_type=FHIR_MEDIA_TYPE, headers=headers)


Identity = Annotated[ActionId, Path(description="the action")]


async def _detail(connection: Connection, action_id: str, as_of: int | None) -> ActionDetail:
    row = await care_actions.action(connection, action_id, as_of)
    if row is None:
        raise not_found("action")
    return detailed(row, await care_actions.reports(connection, action_id, as_of))


@router.get("/actions/{action_id}", summary="One action, with its evidence and everything that was said about it")
async def one_action(connection: ReadConnection, action_id: Identity, as_of: AsOf = None) -> ActionDetail:
    """What it rests on, whose it is, and who reported what, when."""
    return await _detail(connection, action_id, as_of)


class ReportTold(BaseModel):
    """What has become of an action. There is no free text: it could hold a name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"verdict": "done", "done_on": "2022-10-20", "reported_by": "aide.7"},
                {"verdict": "dismissed", "dismissal_reason": "declined", "reported_by": "coordinator.2"},
                {"verdict": "reopened", "reported_by": "coordinator.2"},
            ]
        },
    )

    verdict: Verdict
    done_on: Annotated[date | None, Field(description="when it was done; only with done")] = None
    dismissal_reason: Annotated[DismissalReason | None, Field(description="why not; only with dismissed")] = None
    reported_by: Annotated[
        Annotated[str, Field(pattern=AUTHOR), NotAnMbi] | None,
        Field(description="who says so: a user's name; with a token, left out, for it is the token's client"),
    ] = None


def _author(request: Request, told: ReportTold) -> str:
    principal = principal_of_request(request)
    try:
        return report_author(None if principal is None else principal.client_id, told.reported_by)
    except NotTheAuthorError as wrong:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if principal is None else HTTPStatus.FORBIDDEN
        raise Problem(status, str(wrong)) from None


@router.post(
    "/actions/{action_id}/reports", status_code=HTTPStatus.CREATED, summary="Report what has become of an action"
)
async def report(request: Request, action_id: Identity, told: ReportTold) -> ActionDetail:
    """Done, dismissed with a reason, or reopened. 409 where a claim or an earlier report says otherwise.

    403 where another author is named than the token's client.
    """
    author = _author(request, told)
    pool: Pool = request.app.state.pool
    said = Report(told.verdict, told.done_on, told.dismissal_reason)
    async with pool.acquire() as acquired, acquired.transaction():
        connection = cast("Connection", acquired)
        refused = await take_report(connection, action_id, said, author, datetime.now(UTC))
        if refused is not None:
            raise Problem(_STATUS_OF[refused.kind], refused.reason)
        return await _detail(connection, action_id, None)


class Outcomes(BaseModel):
    """What became of the actions raised in a period, by group."""

    as_of: int | None
    first_day: date
    last_day: date
    by: Literal["kind", "county", "tier"]
    groups: list[OutcomeShown]


@router.get("/action-outcomes", summary="What became of actions: raised, done, days, rates per 1,000 aligned people")
async def action_outcomes(
    connection: ReadConnection,
    first_day: Annotated[date, Query(description="raised on this day or later")],
    last_day: Annotated[date, Query(description="raised on this day or earlier")],
    by: Annotated[Literal["kind", "county", "tier"], Query(description="what makes a group")] = "kind",
    as_of: AsOf = None,
) -> Outcomes:
    """Counted as known at a delivery; an action counts where its person lived, and in the tier, when it was raised."""
    rows = await care_actions.outcomes(connection, by, as_of, first_day, last_day)
    groups = [outcome_shown(row) for row in rows]
    return Outcomes(as_of=as_of, first_day=first_day, last_day=last_day, by=by, groups=groups)


class FacilityShown(BaseModel):
    """How often a facility's residents are hospitalised. ``ratio``: against residents like them everywhere, pulled to 1.

    ``rate`` is admissions per 1,000 resident days. ``above_reference``: the whole interval of the ratio lies above 1.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "facility_npi": "1910000018", "state": "OH", "first_day": "2021-09-01", "last_day": "2022-08-31",
                    "residents": 84, "resident_days": 22110, "admissions": 71, "expected": 48.2, "ratio": 1.36,
                    "ratio_low": 1.12, "ratio_high": 1.64, "rate": 2.96, "above_reference": True, "known_since": 41,
                }
            ]
        }
    )  # fmt: skip

    facility_npi: Npi
    state: StateCode
    first_day: date
    last_day: date
    residents: int
    resident_days: int
    admissions: int
    expected: float
    ratio: float
    ratio_low: float
    ratio_high: float
    rate: float
    above_reference: bool
    known_since: int


@router.get("/facility-rates", summary="Nursing facilities by how often their residents are hospitalised")
async def facility_rates(
    connection: ReadConnection,
    state: Annotated[StateCode | None, Query(description="state")] = None,
    as_of: AsOf = None,
) -> list[FacilityShown]:
    """The last rating, those surely above the reference first; for value-based purchasing."""
    rows = await care_actions.facilities(connection, state, as_of)
    return [FacilityShown.model_validate(dict(row)) for row in rows]


@router.get("/care-policy", summary="Codes, days and thresholds of care actions, with source and status")
async def care_policy_in_force() -> dict[str, Any]:
    """What differs by state, year or programme, or has not been confirmed."""
    return care_policy_entries()
