"""What alignment listens to and what it does with it: append facts, decide again, publish what changed."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from contracts.alignment import (
    AlignmentDecided,
    AlignmentDecidedData,
    AlignmentReported,
    DesignationRecorded,
    ProviderAlignmentReported,
    SharingPreferenceStated,
)
from contracts.claims import MedicareClaimsDelivered
from contracts.coverage import MedicareCoverageStated
from contracts.medicaid import MedicaidEnrolmentStated
from contracts.provider import ProviderRosterStated
from contracts.topics import (
    ALIGNMENT_REPORTS,
    CLAIMS_MEDICARE,
    COVERAGE,
    DESIGNATIONS,
    IDENTITIES,
    MEDICAID_ENROLMENT,
    PROVIDER_ROSTERS,
    RECONCILIATION_CLOSINGS,
    SHARING_PREFERENCES,
)
from services.alignment import arrangement_store, store, visit_store
from services.alignment.arrangement_worker import arrange
from services.alignment.deciding import Known, Outcome, arrived_late, first_new, outcome
from services.alignment.paths_policy import paths_policy
from services.alignment.programme import programme
from services.alignment.rules.believable import unbelievable
from services.alignment.statements import DECIDING, Fact, PersonEvent, fact_of
from services.alignment.visits import visit_records
from services.runtime.database import Connection
from services.runtime.person_moves import next_phase, record_moves, settle_phase, take_every_turn
from services.runtime.service import Batch, Cut, ServiceDefinition, Transaction

# Bounds memory: all facts of this many people are held at once (about 3 years of monthly statements each).
_PEOPLE_AT_ONCE = 500
# AlignmentDecidedData takes no more months than this.
_MOST_DECISIONS_AN_EVENT = 240

_PERSON_EVENTS = (
    MedicareCoverageStated,
    MedicaidEnrolmentStated,
    AlignmentReported,
    DesignationRecorded,
    ProviderAlignmentReported,
    SharingPreferenceStated,
)


async def handle(batch: Batch, transaction: Transaction) -> None:
    """Apply one batch; its topic carries rosters, claims, or facts about people."""
    events = [received.event for received in batch.received]
    await store.record_deliveries(transaction.connection, events)
    await record_moves(transaction.connection, events)
    rosters = [event for event in events if isinstance(event, ProviderRosterStated)]
    if rosters:
        await store.save_rosters(transaction.connection, rosters)
        await visit_store.save_participants(transaction.connection, rosters)
    claims = [event for event in events if isinstance(event, MedicareClaimsDelivered)]
    visits = [record for event in claims for record in visit_records(event, paths_policy())]
    await visit_store.append_visits(transaction.connection, visits)
    believed = _believed(batch, transaction)
    await arrangement_store.record_reported_months(transaction.connection, believed)
    await arrangement_store.record_closings(transaction.connection, events)
    for together in _of_so_many_people(believed):
        await _apply(together, transaction)


def _believed(batch: Batch, transaction: Transaction) -> list[PersonEvent]:
    """What is said about people, without what cannot be so."""
    entities = {entity.entity_id for entity in programme().entities}
    believed: list[PersonEvent] = []
    for received in batch.received:
        if not isinstance(received.event, _PERSON_EVENTS):
            continue
        wrong = unbelievable(received.event, entities)
        if wrong is None:
            believed.append(received.event)
        else:
            transaction.reject(received, *wrong)
    return believed


def _of_so_many_people(events: Sequence[PersonEvent]) -> Iterator[list[PersonEvent]]:
    people = iter(dict.fromkeys(event.data.person_id for event in events))
    while chosen := set(islice(people, _PEOPLE_AT_ONCE)):
        yield [event for event in events if event.data.person_id in chosen]


async def _apply(events: Sequence[PersonEvent], transaction: Transaction) -> None:
    connection = transaction.connection
    told = [(event.data.person_id, event.named_by, fact_of(event)) for event in events]
    new = await store.append_facts(connection, told)
    heard_of = {person_id for person_id, _, fact in told if fact.event_id in new and fact.kind not in DECIDING}
    people = sorted({person_id for person_id, _, fact in told if fact.event_id in new and fact.kind in DECIDING})
    await store.add_people(connection, sorted(heard_of))
    if not people:
        return
    facts = await _deciding_facts(connection, people)
    since = {person_id: first_new(facts[person_id], new) for person_id in people}
    late = {
        person_id: sequence for person_id, sequence in since.items() if arrived_late(facts[person_id], new, sequence)
    }
    await _decide(facts, since, late, transaction)


async def _deciding_facts(connection: Connection, people: Sequence[str]) -> dict[str, list[Fact]]:
    known = await store.facts_about(connection, people)
    return {person_id: [fact for fact in known.get(person_id, ()) if fact.kind in DECIDING] for person_id in people}


async def _decide(
    facts: dict[str, list[Fact]], since: dict[str, int], late: dict[str, int], transaction: Transaction
) -> None:
    """Decide anew about people since a delivery; of ``late`` ones something was decided before."""
    stored = await _stored(transaction.connection, late)
    outcomes = {
        person_id: outcome(person_id, facts[person_id], since[person_id], stored.get(person_id, Known()), programme())
        for person_id in since
    }
    await _write(outcomes, facts, min(since.values()), transaction)
    await arrange(facts, since, late, transaction)


async def settle(cut: Cut, transaction: Transaction) -> None:
    """Put facts under whom they are about, and decide anew about everybody whom that concerns."""
    connection = transaction.connection
    if await next_phase(connection, cut.sequence) is None:
        return
    await take_every_turn(connection)
    since: dict[str, int] = {}
    while phase := await next_phase(connection, cut.sequence):
        await store.move_facts(connection, phase)
        await visit_store.move_visits(connection, phase)
        await arrangement_store.move_closings(connection, phase)
        for person_id in await settle_phase(connection, phase):
            since[person_id] = min(phase.sequence, since.get(person_id, phase.sequence))
    people = sorted(since)
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        together = people[start : start + _PEOPLE_AT_ONCE]
        facts = {person: known for person, known in (await _deciding_facts(connection, together)).items() if known}
        await store.add_people(connection, together)
        if facts:
            concerned = {person_id: since[person_id] for person_id in facts}
            await _decide(facts, concerned, concerned, transaction)


async def _stored(connection: Connection, late: dict[str, int]) -> dict[str, Known]:
    if not late:
        return {}
    rows = await store.decisions_since(connection, late)
    restated = await store.restated_since(connection, late)
    return {person_id: Known(rows.get(person_id, {}), restated.get(person_id, ())) for person_id in late}


async def _write(
    outcomes: dict[str, Outcome], facts: dict[str, list[Fact]], since: int, transaction: Transaction
) -> None:
    connection = transaction.connection
    deliveries = await store.deliveries_since(connection, since)
    revisions = await store.revisions_of(connection, sorted(outcomes))
    saved: dict[str, tuple[str, int]] = {}
    for person_id, decided in outcomes.items():
        first = revisions.get(person_id, 0) + 1
        events = list(_events(person_id, decided, first, deliveries))
        for event in events:
            transaction.publish(event)
        state = max(facts[person_id], key=lambda fact: (fact.until is None, fact.sequence, fact.event_id)).state
        saved[person_id] = (state, first - 1 + len(events))
    gone = [key for decided in outcomes.values() for key in decided.gone]
    rows = [row for decided in outcomes.values() for row in decided.rows]
    await store.replace_decisions(connection, gone, rows)
    await store.save_people(connection, saved)
    vanished = [key for decided in outcomes.values() for key in decided.vanished]
    if vanished:
        await store.add_restated(connection, vanished)


def _events(
    person_id: str, decided: Outcome, first_revision: int, deliveries: dict[int, store.Delivery]
) -> Iterator[AlignmentDecided]:
    revision = first_revision
    for restated in decided.restated:
        delivery = deliveries[restated.sequence]
        for start in range(0, len(restated.decisions), _MOST_DECISIONS_AN_EVENT):
            yield AlignmentDecided.of(
                service="alignment",
                key=person_id,
                version=str(revision),
                time=delivery.received_at,
                delivery_id=delivery.delivery_id,
                sequence=restated.sequence,
                data=AlignmentDecidedData(
                    person_id=person_id,
                    state=restated.state,
                    revision=revision,
                    decisions=restated.decisions[start : start + _MOST_DECISIONS_AN_EVENT],
                ),
            )
            revision += 1


SERVICE = ServiceDefinition(
    name="alignment",
    schema="alignment",
    topics=(
        COVERAGE,
        MEDICAID_ENROLMENT,
        ALIGNMENT_REPORTS,
        SHARING_PREFERENCES,
        DESIGNATIONS,
        CLAIMS_MEDICARE,
        PROVIDER_ROSTERS,
        IDENTITIES,
        RECONCILIATION_CLOSINGS,
    ),
    handle=handle,
    migrations=Path(__file__).parent / "migrations",
    waits_for=("intake",),
    settle=settle,
)
