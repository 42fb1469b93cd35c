"""What the handler does about arrangements, differences and work items: find them anew, write them, tell what is new."""

from collections.abc import Mapping, Sequence

from services.alignment import arrangement_store, store
from services.alignment.arrangement_events import Telling
from services.alignment.arrangement_policy import arrangement_policy
from services.alignment.arrangement_store import Rows, rows_of
from services.alignment.arranging import changes
from services.alignment.known_person import Policies
from services.alignment.programme import programme
from services.alignment.review_policy import review_policy
from services.alignment.statements import Fact
from services.runtime.service import Transaction


def policies() -> Policies:
    """Everything in force in this installation."""
    return Policies(programme(), arrangement_policy(), review_policy())


async def arrange(
    facts: Mapping[str, Sequence[Fact]], since: Mapping[str, int], late: Mapping[str, int], transaction: Transaction
) -> None:
    """Judge people anew since a delivery; about ``late`` ones something was found at that delivery or later."""
    connection = transaction.connection
    found = {
        person_id: rows_of(person_id, changes(facts[person_id], policies(), since[person_id])) for person_id in since
    }
    if late:
        await arrangement_store.forget(connection, late)
    await arrangement_store.save(connection, found.values())
    await _tell(found, facts, since, late, transaction)


async def _tell(
    found: Mapping[str, Rows],
    facts: Mapping[str, Sequence[Fact]],
    since: Mapping[str, int],
    late: Mapping[str, int],
    transaction: Transaction,
) -> None:
    connection = transaction.connection
    deliveries = await store.deliveries_since(connection, min(since.values()))
    before = await arrangement_store.revisions_of(connection, sorted(found))
    told: dict[str, tuple[int, int]] = {}
    for person_id, rows in found.items():
        telling = Telling(person_id, _state(facts[person_id]), since[person_id], deliveries, transaction)
        arrangements, reconciliation = before.get(person_id, (0, 0))
        restates = person_id in late
        told[person_id] = (
            telling.arrangements(rows.arrangements, arrangements, restates=restates and arrangements > 0),
            telling.differences(rows.differences, reconciliation, restates=restates and reconciliation > 0),
        )
    await arrangement_store.save_revisions(connection, told)


def _state(facts: Sequence[Fact]) -> str:
    return max(facts, key=_newness).state


def _newness(fact: Fact) -> tuple[bool, int, str]:
    return fact.until is None, fact.sequence, fact.event_id
