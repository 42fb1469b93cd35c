"""Costs of people who turn out to be one, or two: they leave one place and count in the other from the delivery that says so.

Nothing of it changes a total: every cent that leaves a cell comes to another, but for claims that both were said to have.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from contracts.codes import Payer
from contracts.topics import PERSON_PARTITIONS
from services.cost_shift import changes, store
from services.cost_shift.changes import Amounts, CostKey
from services.cost_shift.rules.cell_change import Assignment
from services.runtime.database import Connection
from services.runtime.partitioning import partition_of
from services.runtime.person_moves import Phase, next_phase, settle_phase, sources_of, take_every_turn, targets_of
from services.runtime.service import Cut, Transaction

# Bounds memory: all claims of these people, and of those to whom they are moved, are held at once.
_PEOPLE_AT_ONCE: Final = 100
_PAYERS: Final = (Payer.MEDICARE.value, Payer.MEDICAID.value)


async def settle(cut: Cut, transaction: Transaction) -> None:
    """Count costs and months of people with whoever they turned out to be."""
    connection = transaction.connection
    if await next_phase(connection, cut.sequence) is None:
        return
    await take_every_turn(connection)
    while phase := await next_phase(connection, cut.sequence):
        sources = await sources_of(connection, phase, _PEOPLE_AT_ONCE)
        await _move(connection, phase, sources)


async def _move(connection: Connection, phase: Phase, sources: Sequence[str]) -> None:
    people = sorted({*sources, *await targets_of(connection, phase, sources)})
    before = [await store.claims_of_people(connection, payer, people) for payer in _PAYERS]
    gone = await store.gone(connection, people)
    await store.move_claims(connection, phase, sources)
    await settle_phase(connection, phase, sources)
    await store.write_gone(connection, people)
    after = [await store.claims_of_people(connection, payer, people) for payer in _PAYERS]
    decided = await store.assignments_of_people(connection, people)
    known = {key: changes.in_order(by_delivery) for key, by_delivery in decided.items()}
    floor = await store.next_revision(connection)
    for was, now in zip(before, after, strict=True):
        await _add_costs(connection, changes.moved_costs(was, now), known, floor)
    gone_now = await store.gone(connection, people)
    for shard in range(PERSON_PARTITIONS):
        here = {key: assignments for key, assignments in known.items() if shard_of(key[0]) == shard}
        counts = changes.person_months_of_moves(here, gone, gone_now, floor)
        await store.add_person_months(connection, shard, counts)


async def _add_costs(
    connection: Connection,
    costs: Mapping[CostKey, Amounts],
    known: Mapping[tuple[str, str], Sequence[Assignment]],
    floor: int,
) -> None:
    await store.add_costs(connection, costs)
    for shard in range(PERSON_PARTITIONS):
        here = {key: amounts for key, amounts in costs.items() if shard_of(key[0]) == shard}
        cells = changes.cells_of_costs(changes.by_person_month(here), known, floor)
        await store.add_cells(connection, shard, cells)


def shard_of(person: str) -> int:
    """Where workers count a person: the number of their partition."""
    return partition_of(person.encode(), PERSON_PARTITIONS)
