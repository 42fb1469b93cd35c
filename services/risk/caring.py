"""Care actions at each cut: raised and closed as known then, kept, and published.

The day of a cut is the newest that a delivery is dated, not later than it was received. In the first cut of a month everybody
aligned is looked at, since a season may have opened and a year gone by; in others those of whom the delivery says something,
and those whose action lapses.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from contracts.care import (
    CareActionClosed,
    CareActionClosedData,
    CareActionProposed,
    CareActionProposedData,
    CareEvidence,
    ClinicianOption,
)
from contracts.months import month_of
from services.risk import care_reading, care_store
from services.risk.care_facts import CareFacts, Evidence
from services.risk.care_following import answered
from services.risk.care_history import Closed, Raised, revise_actions
from services.risk.care_policy import care_policy
from services.risk.care_reading import CareReader, as_json
from services.risk.care_rules import CARE_RULES
from services.risk.facility_rating import rate_facilities
from services.risk.fact_rows import Row
from services.runtime.database import Connection
from services.runtime.service import Cut, Transaction

# Bounds memory: what is known of this many people is held at once.
_PEOPLE_AT_ONCE: Final = 1_000
_ACTION_COLUMNS: Final = (
    "action_id", "person_id", "kind", "occasion", "sequence", "state", "entity_id", "county_fips", "tier", "owner",
    "facility_npi", "raised_on", "due_on", "lapses_on", "reason", "evidence", "clinicians",
)  # fmt: skip
_CLOSING_COLUMNS: Final = (
    "action_id", "person_id", "sequence", "outcome", "closed_on", "done_on", "reason", "evidence",
)  # fmt: skip
# Whoever reads along was told the end of these already, by a report.
_REPORTED: Final = """
    SELECT action_id FROM (
        SELECT DISTINCT ON (action_id) action_id, verdict FROM care_report WHERE action_id = ANY($1)
        ORDER BY action_id, reported_at DESC, report_id DESC) AS newest
    WHERE verdict <> 'reopened'
"""


def _shown(evidence: Iterable[Evidence]) -> tuple[CareEvidence, ...]:
    return tuple(CareEvidence(what=one.what, on=one.on, record_id=one.record_id) for one in evidence)


def _evidence_json(evidence: Iterable[Evidence]) -> str:
    return as_json([one._asdict() for one in evidence])


def _action_row(facts: CareFacts, one: Raised, cut: Cut) -> Row:
    return (
        *(one.action_id, facts.person_id, one.kind, one.need.occasion, cut.sequence, facts.state, facts.entity_id),
        *(facts.county_fips, facts.tier, CARE_RULES[one.kind].owner, facts.facility_npi),
        *(one.raised_on, one.due_on, one.lapses_on, one.need.reason, _evidence_json(one.need.evidence)),
        as_json([clinician._asdict() for clinician in one.need.clinicians]),
    )


def proposed_data(facts: CareFacts, one: Raised) -> CareActionProposedData:
    """What is told of a new action."""
    return CareActionProposedData(
        person_id=facts.person_id,
        state=facts.state,
        action=one.kind,
        owner=CARE_RULES[one.kind].owner,
        due_on=one.due_on,
        reason=one.need.reason,
        action_id=one.action_id,
        occasion=one.need.occasion,
        raised_on=one.raised_on,
        lapses_on=one.lapses_on,
        entity_id=facts.entity_id,
        county_fips=facts.county_fips,
        tier=facts.tier,
        evidence=_shown(one.need.evidence),
        clinicians=tuple(ClinicianOption(**clinician._asdict()) for clinician in one.need.clinicians),
    )


def _publish_raised(facts: CareFacts, one: Raised, cut: Cut, transaction: Transaction) -> None:
    transaction.publish(
        CareActionProposed.of(
            service="risk",
            key=facts.person_id,
            version=one.action_id,
            time=cut.time,
            delivery_id=cut.delivery_id,
            sequence=cut.sequence,
            data=proposed_data(facts, one),
        )
    )


def _publish_closed(person_id: str, state: str, one: Closed, today: date, cut: Cut, transaction: Transaction) -> None:  # noqa: PLR0913, PLR0917 - what is told, and in which cut
    data = CareActionClosedData(
        person_id=person_id,
        state=state,
        action_id=one.action.action_id,
        action=one.action.kind,
        outcome=one.outcome,
        closed_on=today,
        done_on=one.done_on,
        reason=one.reason,
        evidence=_shown(one.evidence),
    )
    transaction.publish(
        CareActionClosed.of(
            service="risk",
            key=person_id,
            version=one.action.action_id,
            time=cut.time,
            delivery_id=cut.delivery_id,
            sequence=cut.sequence,
            data=data,
        )
    )


def _closing_row(person_id: str, one: Closed, today: date, cut: Cut) -> Row:
    return (
        *(one.action.action_id, person_id, cut.sequence, one.outcome, today, one.done_on, one.reason),
        _evidence_json(one.evidence),
    )


async def at_cut(cut: Cut, transaction: Transaction) -> None:
    """Raise and close actions as known at the cut; in a new month rate facilities."""
    connection, policy = transaction.connection, care_policy()
    today, before = await care_store.insert_day(connection, cut.sequence, min(cut.dated, cut.time.date()))
    new_month = before is None or month_of(before) < month_of(today)
    if new_month:
        await rate_facilities(cut, today, transaction)
    people = await care_reading.concerned(connection, cut.sequence, today, everybody=new_month)
    if not people:
        return
    networks = await care_reading.networks(connection, cut.sequence, today, policy)
    reader = CareReader(connection, cut.sequence, today, networks, policy)
    for together in _of_so_many(people):
        await _look_at(together, reader, today, cut, transaction)


def _of_so_many(people: list[str]) -> Iterator[list[str]]:
    return (people[start : start + _PEOPLE_AT_ONCE] for start in range(0, len(people), _PEOPLE_AT_ONCE))


async def _look_at(people: list[str], reader: CareReader, today: date, cut: Cut, transaction: Transaction) -> None:
    facts, standing = await reader.facts_of(people), await reader.standing_of(people)
    raised: list[Row] = []
    closed: list[tuple[str, Closed]] = []
    new: list[tuple[CareFacts, Raised]] = []
    for person in people:
        begun, ended = revise_actions(facts[person], standing[person], today, care_policy())
        raised.extend(_action_row(facts[person], one, cut) for one in begun)
        closed.extend((person, one) for one in ended)
        new.extend((facts[person], one) for one in begun)
    await care_store.append_rows(transaction.connection, "care_action", raised, _ACTION_COLUMNS)
    await _tell(new, cut, transaction)
    await _close(closed, today, cut, transaction)


async def _tell(new: list[tuple[CareFacts, Raised]], cut: Cut, transaction: Transaction) -> None:
    """Propose what is new, but for what was answered already while the person was known by another name."""
    said = await answered(transaction.connection, [one.action_id for _, one in new], cut.sequence) if new else set()
    for facts, one in new:
        if one.action_id not in said:
            _publish_raised(facts, one, cut, transaction)


async def _close(closed: list[tuple[str, Closed]], today: date, cut: Cut, transaction: Transaction) -> None:
    if not closed:
        return
    connection: Connection = transaction.connection
    rows = [_closing_row(person, one, today, cut) for person, one in closed]
    await care_store.append_rows(connection, "care_closing", rows, _CLOSING_COLUMNS)
    ids = [one.action.action_id for _, one in closed]
    told = {row["action_id"] for row in await connection.fetch(_REPORTED, ids)}
    found = await connection.fetch("SELECT action_id, state FROM care_action WHERE action_id = ANY($1)", ids)
    states = {row["action_id"]: row["state"] for row in found}
    for person, one in closed:
        if one.outcome == "done" or one.action.action_id not in told:
            _publish_closed(person, states[one.action.action_id], one, today, cut, transaction)
