"""A small random world of claims and decisions, the answers by recomputation from scratch, and a transaction."""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from contracts.alignment import AlignmentDecided, AlignmentDecidedData, DecisionChange, MonthDecision
from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicaidClaimsDeliveredData,
    MedicareClaim,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.codes import Cohort
from contracts.topics import ALIGNMENT_DECISIONS, CLAIMS_MEDICAID, CLAIMS_MEDICARE, PERSON_PARTITIONS, AnyEvent
from services.cost_shift.worker import SERVICE
from services.runtime import partitioning
from services.runtime.service import Batch, Cut, Received

DELIVERIES = 5
MONTHS = ("2022-01", "2022-02", "2022-03")
PEOPLE = tuple(f"p{number:032x}" for number in range(12))
TIME = datetime(2022, 7, 1, tzinfo=UTC)
MIGRATIONS = [path.read_text(encoding="utf-8") for path in sorted(SERVICE.migrations.glob("*.sql"))]
TABLES = (
    "claim_contribution",
    "person_month_cost",
    "assignment",
    "cell_delta",
    "person_month_delta",
    "revision",
    "published_measure",
    "published_person_months",
    "restatement",
    "waiting_measure",
    "waiting_claimant",
    "released_measure",
    "released_person_months",
    "released_revision",
)


@dataclass(slots=True)
class OneTransaction:
    """What a handler sees, over one open transaction."""

    connection: Any
    published: list[AnyEvent] = field(default_factory=list)

    def publish(self, event: AnyEvent) -> None:
        self.published.append(event)

    def reject(self, received: Received, reason: str, detail: str = "") -> None:
        raise AssertionError((received, reason, detail))


@dataclass(frozen=True, slots=True)
class Fact:
    """One version of one claim, and by construction what it counts while it stands."""

    sequence: int
    person: str
    state: str
    payer: str
    record: str
    version: int
    category: str
    month: str
    cents: int
    claims: int
    crossover: bool
    event_claim: MedicareClaim | MedicaidClaim


@dataclass(frozen=True, slots=True)
class DecisionFact:
    sequence: int
    person: str
    month: str
    revision: int
    place: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class World:
    facts: tuple[Fact, ...]
    decisions: tuple[DecisionFact, ...]


def delivery_id(sequence: int) -> str:
    return f"d{sequence:032x}"


def cut_of(sequence: int) -> Cut:
    return Cut(sequence, delivery_id(sequence), TIME, TIME.date())


def _day(month: str) -> date:
    return date.fromisoformat(f"{month}-15")


def _medicare(chance: random.Random, sequence: int, person: str, number: int) -> Fact:
    month = chance.choice(MONTHS)
    kind = chance.choice((Adjustment.ORIGINAL, Adjustment.ORIGINAL, Adjustment.CANCELLATION, Adjustment.ADJUSTMENT))
    denied = chance.random() < 0.1
    cents = chance.randrange(1, 5) * 1000
    code, category = chance.choice((("60", "inpatient"), ("10", "home_health")))
    sign = 0 if denied else -1 if kind is Adjustment.CANCELLATION else 1
    claim = MedicareClaim(
        record_id=f"m{number}", version=1, claim_type_code=code, adjustment=kind, service_from=_day(month),
        service_through=_day(month), paid_cents=cents, denied=denied,
    )  # fmt: skip
    return Fact(sequence, person, "OH", "medicare", f"m{number}", 1, category, month, sign * cents, sign, False, claim)


def _medicaid(chance: random.Random, sequence: int, person: str, record: str, version: int) -> Fact:
    month = chance.choice(MONTHS)
    voided = chance.random() < 0.2
    cents = chance.randrange(1, 5) * 100
    file_type, category = chance.choice((("LT", "nursing_facility"), ("RX", "drugs")))
    kind = chance.choice("1332")
    crossover = chance.random() < 0.3
    claim = MedicaidClaim(
        record_id=record, version=version, file_type=file_type, claim_type_code=kind, voided=voided,
        crossover=crossover, service_from=_day(month), service_through=_day(month), paid_cents=cents,
    )  # fmt: skip
    category = "capitation" if kind == "2" else category
    cents, claims = (0, 0) if voided else (cents, 1)
    return Fact(sequence, person, "OH", "medicaid", record, version, category, month, cents, claims, crossover, claim)


def make_world(seed: int) -> World:
    """Claims with repeats, replacements and voids; decisions that come, change and change back."""
    chance = random.Random(seed)
    facts: list[Fact] = []
    decisions: list[DecisionFact] = []
    for person in PEOPLE:
        revision = 0
        for sequence in range(1, DELIVERIES + 1):
            for _ in range(chance.randrange(4)):
                facts.append(_medicare(chance, sequence, person, len(facts)))
            # A person's state may change from one delivery to the next: it is that of all claims of a delivery.
            state = chance.choice(("OH", "KY"))
            for _ in range(chance.randrange(4)):
                record = f"d{person[-2:]}{chance.randrange(3)}"
                fact = _medicaid(chance, sequence, person, record, chance.randrange(4))
                facts.append(replace(fact, state=state))
            # Alignment may decide a month twice because of one delivery: the greater revision stands.
            for _ in range(chance.choice((0, 1, 1, 2))):
                revision += 1
                for month in chance.sample(MONTHS, chance.randrange(1, 4)):
                    place = ("OH", chance.choice(("39049", "")), chance.choice(("D9001", "")),
                             chance.choice(("aligned", "comparison", "excluded")))  # fmt: skip
                    decisions.append(DecisionFact(sequence, person, month, revision, place))
    return World(_same_version_same_content(facts), tuple(decisions))


def _same_version_same_content(facts: list[Fact]) -> tuple[Fact, ...]:
    first: dict[tuple[str, str, str, int], Fact] = {}
    same = []
    for fact in facts:
        known = first.setdefault((fact.person, fact.payer, fact.record, fact.version), fact)
        same.append(replace(known, sequence=fact.sequence, state=fact.state))
    return tuple(same)


def partition_of(person: str) -> int:
    return partitioning.partition_of(person.encode(), PERSON_PARTITIONS)


def _claims_event(facts: list[Fact]) -> AnyEvent:
    head = facts[0]
    common: dict[str, Any] = {
        "service": "intake", "key": head.person, "version": f"{head.sequence}:{head.payer}", "time": TIME,
        "delivery_id": delivery_id(head.sequence), "sequence": head.sequence,
    }  # fmt: skip
    claims: Any = tuple(fact.event_claim for fact in facts)
    if head.payer == "medicare":
        medicare = MedicareClaimsDeliveredData(person_id=head.person, state=head.state, claims=claims)
        return MedicareClaimsDelivered.of(**common, data=medicare)
    medicaid = MedicaidClaimsDeliveredData(person_id=head.person, state=head.state, claims=claims)
    return MedicaidClaimsDelivered.of(**common, data=medicaid)


def _decided_event(decisions: list[DecisionFact]) -> AnyEvent:
    head = decisions[0]
    months = tuple(
        MonthDecision(
            month=fact.month, aligned=fact.place[3] == "aligned", basis="none", change=DecisionChange.ALIGNED,
            cohort=Cohort(fact.place[3]), entity_id=fact.place[2] or None, county_fips=fact.place[1] or None,
        )
        for fact in decisions
    )  # fmt: skip
    data = AlignmentDecidedData(person_id=head.person, state="OH", revision=head.revision, decisions=months)
    return AlignmentDecided.of(
        service="alignment", key=head.person, version=str(head.revision), time=TIME,
        delivery_id=delivery_id(head.sequence), sequence=head.sequence, data=data,
    )  # fmt: skip


Log = dict[tuple[str, int], list[AnyEvent]]


def log_of(world: World) -> Log:
    """Events by topic and partition, in the order of deliveries."""
    log: Log = {}
    for sequence in range(1, DELIVERIES + 1):
        for person in PEOPLE:
            for payer, topic in (("medicare", CLAIMS_MEDICARE), ("medicaid", CLAIMS_MEDICAID)):
                facts = [f for f in world.facts if (f.sequence, f.person, f.payer) == (sequence, person, payer)]
                if facts:
                    log.setdefault((topic.name, partition_of(person)), []).append(_claims_event(facts))
            decided = [fact for fact in world.decisions if (fact.sequence, fact.person) == (sequence, person)]
            for _, months in groupby(decided, key=lambda fact: fact.revision):
                events = log.setdefault((ALIGNMENT_DECISIONS.name, partition_of(person)), [])
                events.append(_decided_event(list(months)))
    return log


async def migrate(connection: Any) -> None:
    """A fresh schema, entered."""
    await connection.execute("DROP SCHEMA IF EXISTS cost_shift CASCADE; CREATE SCHEMA cost_shift")
    await connection.execute("SET search_path TO cost_shift")
    for migration in MIGRATIONS:
        await connection.execute(migration)


async def apply(connection: Any, topic: str, partition: int, events: list[AnyEvent]) -> None:
    if not events:
        return
    received = tuple(Received(event, topic, partition, offset) for offset, event in enumerate(events))
    async with connection.transaction():
        await SERVICE.handle(Batch(topic, partition, received), OneTransaction(connection))


async def publish(connection: Any, sequence: int) -> list[AnyEvent]:
    assert SERVICE.at_cut is not None
    assert SERVICE.settle is not None
    async with connection.transaction():
        await SERVICE.settle(cut_of(sequence), OneTransaction(connection))
    async with connection.transaction():
        transaction = OneTransaction(connection)
        await SERVICE.at_cut(cut_of(sequence), transaction)
    return transaction.published


async def run_interleaved(connection: Any, log: Log, seed: int, most_a_batch: int) -> list[AnyEvent]:
    """Apply a log in a random order across partitions, each cut at a random moment after it is reached."""
    chance = random.Random(seed)
    left = {place: list(events) for place, events in log.items()}
    published: list[AnyEvent] = []
    next_cut = 1
    while any(left.values()):
        topic, partition = chance.choice([place for place, events in left.items() if events])
        size = chance.randrange(1, most_a_batch + 1)
        batch, left[topic, partition] = left[topic, partition][:size], left[topic, partition][size:]
        await apply(connection, topic, partition, batch)
        reached = min((event.deliveryseq for events in left.values() for event in events), default=DELIVERIES + 1)
        while next_cut < reached and chance.random() < 0.7:
            published += await publish(connection, next_cut)
            next_cut += 1
    for sequence in range(next_cut, DELIVERIES + 1):
        published += await publish(connection, sequence)
    return published


async def tables(connection: Any, *names: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of these tables, or of all that do not count arrivals, in one order."""
    rows = {table: await connection.fetch(f"SELECT * FROM {table}") for table in names or TABLES}
    return {table: sorted(map(tuple, found), key=repr) for table, found in rows.items()}


def assignment_at(world: World, person: str, month: str, sequence: int) -> tuple[str, str, str, str] | None:
    known = [
        fact for fact in world.decisions if (fact.person, fact.month) == (person, month) and fact.sequence <= sequence
    ]
    return max(known, key=lambda fact: (fact.sequence, fact.revision)).place if known else None


Figure = tuple[int, int, int, int]


def measures_at(world: World, sequence: int) -> dict[tuple[str, ...], Figure]:
    """Every figure as known at a delivery, from nothing but the facts up to it."""
    standing: dict[tuple[str, str, str], Fact] = {}
    for fact in world.facts:
        key = (fact.person, fact.payer, fact.record)
        if fact.sequence <= sequence and (key not in standing or standing[key].version < fact.version):
            standing[key] = fact
    figures: dict[tuple[str, ...], Figure] = {}
    for fact in standing.values():
        state, _, entity, cohort = assignment_at(world, fact.person, fact.month, sequence) or (
            fact.state, "", "", "unassigned"
        )  # fmt: skip
        key6 = (state, entity, cohort, fact.payer, fact.category, fact.month)
        before = figures.get(key6, (0, 0, 0, 0))
        crossed = (fact.cents, fact.claims) if fact.crossover else (0, 0)
        figures[key6] = (
            before[0] + fact.cents,
            before[1] + fact.claims,
            before[2] + crossed[0],
            before[3] + crossed[1],
        )
    return {key: figure for key, figure in figures.items() if any(figure)}


def person_months_at(world: World, sequence: int) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = {}
    for person in PEOPLE:
        for month in MONTHS:
            place = assignment_at(world, person, month, sequence)
            if place is not None:
                key = (place[0], place[2], place[3], month)
                counts[key] = counts.get(key, 0) + 1
    return counts


async def published_at(connection: Any, revision: int) -> dict[tuple[str, ...], Figure]:
    rows = await connection.fetch(
        """SELECT DISTINCT ON (state, entity, cohort, payer, category, month) state, entity, cohort, payer, category,
        month, cents, claims, crossover_cents, crossover_claims FROM published_measure WHERE revision <= $1
        ORDER BY state, entity, cohort, payer, category, month, revision DESC""",
        revision,
    )
    return {tuple(row)[:6]: tuple(row)[6:] for row in rows if any(tuple(row)[6:])}


async def published_person_months_at(connection: Any, revision: int) -> dict[tuple[str, ...], int]:
    rows = await connection.fetch(
        """SELECT DISTINCT ON (state, entity, cohort, month) state, entity, cohort, month, person_months
        FROM published_person_months WHERE revision <= $1
        ORDER BY state, entity, cohort, month, revision DESC""",
        revision,
    )
    return {tuple(row)[:4]: row["person_months"] for row in rows if row["person_months"]}
