"""Applies claims and alignment decisions to costs and cells; publishes measures at each cut."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from contracts.alignment import AlignmentDecided, AlignmentDecidedData, MonthDecision, Outcome
from contracts.claims import MedicaidClaimsDelivered, MedicareClaimsDelivered
from contracts.codes import Payer
from contracts.topics import ALIGNMENT_DECISIONS, CLAIMS_MEDICAID, CLAIMS_MEDICARE, IDENTITIES, RISK_SCORES
from services.cost_shift import changes, store
from services.cost_shift.category_policy import CategoryPolicy, category_policy
from services.cost_shift.changes import ClaimKey, Decision, Traits
from services.cost_shift.cut import at_cut
from services.cost_shift.risk_scores import keep_scores
from services.cost_shift.rules.claim_contribution import (
    is_withdrawal,
    medicaid_contributions,
    medicare_contributions,
)
from services.cost_shift.rules.move_cause import Place
from services.cost_shift.rules.standing_version import ClaimVersion
from services.cost_shift.rules.use_of_services import medicaid_use, medicare_use
from services.cost_shift.settling import settle
from services.cost_shift.use_policy import use_policy
from services.runtime.person_moves import record_moves
from services.runtime.service import Batch, ServiceDefinition, Transaction

ArrivedClaim = tuple[ClaimKey, ClaimVersion]


def medicare_claims(batch: Batch, policy: CategoryPolicy) -> Iterator[ArrivedClaim]:
    """Every Medicare record of a batch with what it contributes."""
    for received in batch.received:
        event = received.event
        if isinstance(event, MedicareClaimsDelivered):
            for claim in event.data.claims:
                contributions = (*medicare_contributions(claim, policy), *medicare_use(claim, use_policy()))
                version = ClaimVersion(
                    claim.version,
                    event.deliveryseq,
                    event.data.state,
                    is_withdrawal(claim),
                    contributions,
                    event.named_by,
                )
                yield (event.data.person_id, claim.record_id), version


def medicaid_claims(batch: Batch, policy: CategoryPolicy) -> Iterator[ArrivedClaim]:
    """Every Medicaid record of a batch with what it contributes."""
    for received in batch.received:
        event = received.event
        if isinstance(event, MedicaidClaimsDelivered):
            for claim in event.data.claims:
                contributions = medicaid_contributions(claim, policy)
                contributions = (*contributions, *medicaid_use(claim, contributions[0].basis, use_policy()))
                version = ClaimVersion(
                    claim.version,
                    event.deliveryseq,
                    event.data.state,
                    is_withdrawal(claim),
                    contributions,
                    event.named_by,
                )
                yield (event.data.person_id, claim.record_id), version


def decisions(batch: Batch) -> Iterator[Decision]:
    """Every month decided in a batch."""
    for received in batch.received:
        event = received.event
        if isinstance(event, AlignmentDecided):
            yield from _decisions(event.data, event.deliveryseq)


def _decisions(data: AlignmentDecidedData, sequence: int) -> Iterator[Decision]:
    for decided in data.decisions:
        place = Place(data.state, decided.county_fips or "", decided.entity_id or "", decided.cohort.value)
        yield Decision(data.person_id, decided.month, sequence, data.revision, place, traits_of(decided))


def traits_of(decided: MonthDecision) -> Traits:
    """What a decision says of the person; of no more than a predicate that is known."""
    outcomes = {predicate.name: predicate.outcome for predicate in decided.predicates}
    in_plan = {Outcome.PASS: False, Outcome.FAIL: True}.get(outcomes.get("NOT_IN_MA", Outcome.UNKNOWN))
    return Traits(decided.dual_status_code or "", in_plan)


async def _apply_claims(batch: Batch, transaction: Transaction, payer: Payer, arrived: list[ArrivedClaim]) -> None:
    connection = transaction.connection
    keys = list({key for key, _ in arrived})
    stored = await store.claim_histories(connection, payer.value, keys)
    revised = changes.revise_claims(arrived, stored)
    await store.add_versions(connection, revised.added)
    await store.move_versions(connection, payer.value, revised.moved)
    costs = changes.by_person_month(revised.costs)
    known = await store.assignments(connection, costs)
    assignments = {key: changes.in_order(decided) for key, decided in known.items()}
    floor = await store.next_revision(connection)
    await store.add_costs(connection, revised.costs)
    await store.add_cells(connection, batch.partition, changes.cells_of_costs(costs, assignments, floor))
    await store.add_arrivals(connection, batch.partition, payer.value, revised.arrivals.counts)


async def _apply_medicare(batch: Batch, transaction: Transaction) -> None:
    arrived = list(medicare_claims(batch, category_policy()))
    await _apply_claims(batch, transaction, Payer.MEDICARE, arrived)


async def _apply_medicaid(batch: Batch, transaction: Transaction) -> None:
    arrived = list(medicaid_claims(batch, category_policy()))
    await _apply_claims(batch, transaction, Payer.MEDICAID, arrived)


async def _apply_decisions(batch: Batch, transaction: Transaction) -> None:
    connection = transaction.connection
    arrived = list(decisions(batch))
    stored = await store.assignments(connection, {decision[:2] for decision in arrived})
    revised = changes.revise_assignments(arrived, stored)
    await store.write_assignments(connection, revised.written)
    costs = await store.person_month_costs(connection, list(revised.moved))
    floor = await store.next_revision(connection)
    gone = await store.gone(connection, {person for person, _ in revised.moved}) if revised.moved else {}
    counts = changes.person_months_of_assignments(revised.moved, floor, gone)
    await store.add_person_months(connection, batch.partition, counts)
    cells = changes.cells_of_assignments(revised.moved, costs, floor)
    await store.add_cells(connection, batch.partition, cells)
    await store.add_arrivals(connection, batch.partition, "alignment", revised.arrivals.counts)


async def _apply_scores(batch: Batch, transaction: Transaction) -> None:
    await keep_scores(transaction.connection, (received.event for received in batch.received))


async def _apply_moves(batch: Batch, transaction: Transaction) -> None:
    await record_moves(transaction.connection, (received.event for received in batch.received))


_APPLY: dict[str, Callable[[Batch, Transaction], Awaitable[None]]] = {
    CLAIMS_MEDICARE.name: _apply_medicare,
    CLAIMS_MEDICAID.name: _apply_medicaid,
    ALIGNMENT_DECISIONS.name: _apply_decisions,
    RISK_SCORES.name: _apply_scores,
    IDENTITIES.name: _apply_moves,
}


async def handle(batch: Batch, transaction: Transaction) -> None:
    """Apply one batch in a fixed number of statements, whatever its size."""
    await _APPLY[batch.topic](batch, transaction)


SERVICE = ServiceDefinition(
    name="cost-shift",
    schema="cost_shift",
    topics=(CLAIMS_MEDICARE, CLAIMS_MEDICAID, ALIGNMENT_DECISIONS, RISK_SCORES, IDENTITIES),
    handle=handle,
    migrations=Path(__file__).parent / "migrations",
    waits_for=("intake", "alignment", "risk"),
    at_cut=at_cut,
    settle=settle,
)
