"""Facts in, scores out: which topics, which handler. A person is scored again only when an input changed."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from contracts.claims import MedicaidClaimsDelivered, MedicareClaimsDelivered, PartDEventsDelivered
from contracts.coverage import MedicareCoverageStated
from contracts.medicaid import MedicaidEnrolmentStated
from contracts.topics import (
    ALIGNMENT_DECISIONS,
    ALIGNMENT_REPORTS,
    CARE_REPORTS,
    CLAIMS_MEDICAID,
    CLAIMS_MEDICARE,
    CLAIMS_PART_D,
    COVERAGE,
    IDENTITIES,
    MEDICAID_ENROLMENT,
    PROVIDER_ROSTERS,
    SHARING_PREFERENCES,
    AnyEvent,
)
from services.risk import care_store, caring, store, tiering
from services.risk.fact_rows import (
    Row,
    claim_records,
    drug_fills,
    facility_stays,
    medicaid_statements,
    medicare_statements,
)
from services.risk.risk_policy import RiskPolicy, risk_policy
from services.risk.score_history import Revision, revise, scores_of
from services.risk.score_saying import Delivered, said_of
from services.runtime.database import Connection
from services.runtime.person_moves import next_phase, record_moves, settle_phase, take_every_turn
from services.runtime.service import Batch, Cut, ServiceDefinition, Transaction

# Bounds memory: all facts of this many people are held at once.
_PEOPLE_AT_ONCE = 500

Insert = Callable[[Connection, list[Row]], Awaitable[store.News]]
_INSERT: dict[str, Insert] = {
    COVERAGE.name: store.insert_statements,
    MEDICAID_ENROLMENT.name: store.insert_statements,
    CLAIMS_MEDICARE.name: store.insert_claims,
    CLAIMS_MEDICAID.name: store.insert_stays,
    CLAIMS_PART_D.name: store.insert_fills,
}


def fact_rows(event: AnyEvent, policy: RiskPolicy) -> Iterator[Row]:
    """Give the rows of one event; every type of the topics that we read has some."""
    if isinstance(event, MedicareCoverageStated):
        return medicare_statements(event)
    if isinstance(event, MedicaidEnrolmentStated):
        return medicaid_statements(event)
    if isinstance(event, MedicareClaimsDelivered):
        return claim_records(event, policy)
    if isinstance(event, MedicaidClaimsDelivered):
        return facility_stays(event)
    if isinstance(event, PartDEventsDelivered):
        return drug_fills(event)
    raise TypeError(f"no facts are read from {event.type}")


def _deliveries(batch: Batch) -> list[Row]:
    known = {one.event.deliveryseq: one.event for one in batch.received}
    return [(batch.partition, sequence, event.deliveryid, event.time) for sequence, event in sorted(known.items())]


async def _write(transaction: Transaction, revisions: dict[str, Revision], policy: RiskPolicy) -> None:
    withdrawn = [(person, *key) for person, revision in revisions.items() for key in revision.withdrawn]
    added = [(person, one) for person, revision in revisions.items() for one in revision.added]
    await store.delete_scores(transaction.connection, withdrawn)
    if not added:
        return
    first = min(one.sequence for _, one in added)
    deliveries = await store.deliveries_since(transaction.connection, first)
    rows: list[Row] = []
    for person_id, one in added:
        delivered = Delivered(*deliveries[one.sequence])
        for said in said_of(person_id, one, scores_of(one.scored, policy), delivered, policy):
            rows.append(said.row)
            transaction.publish(said.event)
    await store.insert_scores(transaction.connection, rows)


async def handle(batch: Batch, transaction: Transaction) -> None:
    """Append the batch's facts and revise the scores of the people about whom there is news."""
    policy = risk_policy()
    connection = transaction.connection
    # A report counts from a delivery on that may not have been read yet: it says nothing of it.
    if batch.topic != CARE_REPORTS.name:
        await store.insert_deliveries(connection, _deliveries(batch))
    if batch.topic == IDENTITIES.name:
        await record_moves(connection, (received.event for received in batch.received))
        return
    await care_store.append(connection, [received.event for received in batch.received])
    if batch.topic not in _INSERT:
        return
    rows = [(*row, received.event.named_by) for received in batch.received for row in fact_rows(received.event, policy)]
    news = await _INSERT[batch.topic](connection, rows)
    if news:
        await _revise(news, transaction, policy)


async def _revise(news: store.News, transaction: Transaction, policy: RiskPolicy) -> None:
    """Revise the scores of people from the sequence on at which there is news of them."""
    people = sorted(news)
    facts = await store.facts_of(transaction.connection, people)
    standing = await store.standing_scores(transaction.connection, people)
    revisions = {person: revise(facts[person], standing[person], news[person], policy) for person in people}
    await _write(transaction, revisions, policy)


async def settle(cut: Cut, transaction: Transaction) -> None:
    """Put facts under whom they are about, and score anew everybody whom that concerns."""
    connection = transaction.connection
    if await next_phase(connection, cut.sequence) is None:
        return
    await take_every_turn(connection)
    news: store.News = {}
    while phase := await next_phase(connection, cut.sequence):
        await store.move_facts(connection, phase)
        await care_store.move_care_facts(connection, phase, store.SAID_AGAIN)
        for person in await settle_phase(connection, phase):
            news[person] = min(phase.sequence, news.get(person, phase.sequence))
    people = sorted(news)
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        await _revise({one: news[one] for one in people[start : start + _PEOPLE_AT_ONCE]}, transaction, risk_policy())


async def at_cut(cut: Cut, transaction: Transaction) -> None:
    """Tiers first: whoever enters a high one is to be looked after."""
    await tiering.at_cut(cut, transaction)
    await caring.at_cut(cut, transaction)


# What only care looks at.
_CARE_TOPICS = (ALIGNMENT_DECISIONS, ALIGNMENT_REPORTS, SHARING_PREFERENCES, PROVIDER_ROSTERS, CARE_REPORTS)

SERVICE = ServiceDefinition(
    name="risk",
    schema="risk",
    topics=(COVERAGE, MEDICAID_ENROLMENT, CLAIMS_MEDICARE, CLAIMS_MEDICAID, CLAIMS_PART_D, IDENTITIES, *_CARE_TOPICS),
    handle=handle,
    migrations=Path(__file__).parent / "migrations",
    waits_for=("intake", "alignment"),
    at_cut=at_cut,
    settle=settle,
)
