"""Routes about one person: by which ways they are aligned as we compute it, and a decision in plain words."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from contracts.alignment import PredicateResult
from contracts.months import Month
from services.alignment import paths_reading, reading
from services.alignment.computing import Evidence, Lists, worked
from services.alignment.explaining import Decided, Known, Past, explanation
from services.alignment.paths_answers import ByRoster, Explanation, Paths, claims_shown, own_word
from services.alignment.programme import programme
from services.alignment.questions import AsOf, Person
from services.alignment.rules.retention import hangs_on
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found

router = APIRouter()


async def _state_of(connection: Connection, person_id: str) -> str:
    state = await reading.person_state(connection, person_id)
    if state is None:
        raise not_found("person")
    return state


async def _predicates(connection: Connection, row: Any, state: str, as_of: int) -> tuple[PredicateResult, ...]:  # noqa: ANN401 - a row
    entity = programme().entity_for(row["entity_id"], state)
    area = None if entity is None else await reading.service_area(connection, entity.entity_id, as_of)
    return reading.predicates_of(row, area)


async def _evidence(connection: Connection, person_id: str, state: str, as_of: int) -> tuple[Evidence, Lists]:
    evidence = await paths_reading.evidence_of(connection, {person_id: state}, as_of)
    return evidence[person_id], await paths_reading.lists_as_known(connection, as_of)


@router.get("/people/{person_id}/paths", summary="What we compute for a month: by which ways the person is aligned")
async def person_paths(
    person_id: Person, connection: ReadConnection, as_of: AsOf, month: Annotated[Month, Query()]
) -> Paths:
    """Judge every way to alignment by itself, with its evidence, beside what counts."""
    state = await _state_of(connection, person_id)
    row = await paths_reading.decision_of(connection, person_id, month, as_of)
    if row is None:
        raise not_found("decision for this month")
    evidence, lists = await _evidence(connection, person_id, state, as_of)
    done = worked(month, await _predicates(connection, row, state, as_of), evidence, lists)
    if done is None:
        raise not_found("policy pack for this month's performance year")
    found = hangs_on(evidence.visits, lists.participants, done.pack, done.year, done.ways.claims)
    return Paths(
        person_id=person_id,
        month=month,
        as_of=as_of,
        aligned=row["aligned"],
        reported=row["basis"] == "reported",
        computed=done.computed.outcome.value,
        entity_id=done.computed.entity_id,
        path=done.computed.path,
        reasons=list(done.computed.reasons),
        voluntary=own_word(done),
        roster=ByRoster(
            outcome=done.ways.roster.outcome.value,
            reason=done.ways.roster.reason,
            entity_id=done.ways.roster.entity_id,
        ),
        claims=claims_shown(done, found),
    )


@router.get("/people/{person_id}/months/{month}/explanation", summary="A month's decision in plain words")
async def person_explanation(person_id: Person, month: Month, connection: ReadConnection, as_of: AsOf) -> Explanation:
    """Say why a person counts in a month or does not, what CMS says, what we compute, and on what all of it rests."""
    state = await _state_of(connection, person_id)
    row = await paths_reading.decision_of(connection, person_id, month, as_of)
    evidence, lists = await _evidence(connection, person_id, state, as_of)
    predicates = () if row is None else await _predicates(connection, row, state, as_of)
    known = Known(
        person_id=person_id,
        month=month,
        as_of=as_of,
        decided=None if row is None else _decided(row, predicates),
        past=[
            _past(one) for one in await reading.month_history(connection, person_id, month) if one["sequence"] <= as_of
        ],
        reports=[one for one in await reading.statements(connection, person_id, as_of) if one.kind == "report"],
        evidence=evidence,
        lists=lists,
        worked=None if row is None else worked(month, predicates, evidence, lists),
        merged_into=await reading.merged_into(connection, person_id, as_of),
    )
    return Explanation(person_id=person_id, month=month, as_of=as_of, lines=explanation(known))


def _decided(row: Any, predicates: Iterable[PredicateResult]) -> Decided:  # noqa: ANN401 - a row
    return Decided(
        row["aligned"], row["basis"], row["change"], row["entity_id"], tuple(row["reasons"]), row["sequence"],
        tuple(predicates),
    )  # fmt: skip


def _past(row: Any) -> Past:  # noqa: ANN401 - a row
    return Past(row["sequence"], row["received_at"].date(), row["aligned"], row["basis"], row["change"])
