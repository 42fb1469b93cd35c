"""A small world of coverage, enrolment and claims for the risk service, and a transaction over a real database."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

import asyncpg

from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicaidClaimsDeliveredData,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.coverage import (
    CoverageSource,
    MedicareCoverageSpan,
    MedicareCoverageStated,
    MedicareCoverageStatedData,
)
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStated, MedicaidEnrolmentStatedData
from contracts.topics import TOPIC_BY_TYPE, AnyEvent
from services.risk.worker import SERVICE
from services.runtime.database import apply_migrations
from services.runtime.service import Batch, Cut, Received

TIME = datetime(2022, 7, 1, tzinfo=UTC)
DIAGNOSES = ("I509", "E119", "N184", "J449", "F200", "Z000", "C3490")


@dataclass(slots=True)
class OneTransaction:
    """What a handler sees, over one open transaction."""

    connection: Any
    published: list[AnyEvent] = field(default_factory=list)

    def publish(self, event: AnyEvent) -> None:
        self.published.append(event)

    def reject(self, received: Received, reason: str, detail: str = "") -> None:
        raise AssertionError((received, reason, detail))


def person(number: int) -> str:
    return f"p{number:032x}"


def delivery_id(sequence: int) -> str:
    return f"d{sequence:032x}"


def _event(kind: type[AnyEvent], sequence: int, data: Any) -> AnyEvent:
    return kind.of(
        service="intake",
        key=data.person_id,
        version=f"{sequence}:{data.person_id}",
        time=TIME,
        delivery_id=delivery_id(sequence),
        sequence=sequence,
        data=data,
    )


def coverage(
    number: int, sequence: int, month: str, dual: str | None, *, birth: date | None = date(1949, 6, 1), **more: Any
) -> AnyEvent:
    data = MedicareCoverageStatedData(
        person_id=person(number),
        state="OH",
        source=CoverageSource.CCLF8,
        stated_on=date.fromisoformat(f"{month}-20"),
        birth_date=birth,
        sex_code="2",
        original_entitlement_code="0",
        spans=(
            MedicareCoverageSpan.model_validate({"first_month": month, "last_month": month, "dual_status_code": dual}),
        ),
        **more,
    )
    return _event(MedicareCoverageStated, sequence, data)


def enrolment(
    number: int,
    sequence: int,
    first: str,
    dual: str | None = None,
    level: Literal["none", "community", "institutional"] | None = None,
) -> AnyEvent:
    span = MedicaidEnrolmentSpan.model_validate(
        {"first_month": first, "dual_status_code": dual, "long_term_care_level": level}
    )
    data = MedicaidEnrolmentStatedData(
        person_id=person(number), state="OH", stated_on=date.fromisoformat(f"{first}-25"), spans=(span,)
    )
    return _event(MedicaidEnrolmentStated, sequence, data)


def visit(record: str, day: date, codes: Iterable[str], **more: Any) -> MedicareClaim:
    """A physician's claim that counts for risk adjustment."""
    line = MedicareClaimLine(line_number=1, service_from=day, service_through=day, procedure_code="99213", paid_cents=1)
    values: dict[str, Any] = {
        "record_id": record, "version": 1, "claim_type_code": "71", "adjustment": Adjustment.ORIGINAL,
        "claim_control_number": record, "service_from": day, "service_through": day, "paid_cents": 1,
        "diagnosis_codes": tuple(codes), "lines": (line,),
    }  # fmt: skip
    return MedicareClaim(**(values | more))


def admission(record: str, day: date, codes: Iterable[str] = (), **more: Any) -> MedicareClaim:
    """An inpatient claim of an acute hospital."""
    values: dict[str, Any] = {
        "record_id": record, "version": 1, "claim_type_code": "60", "adjustment": Adjustment.ORIGINAL,
        "facility_number": "360001", "facility_type_code": "1", "classification_code": "1", "service_from": day,
        "service_through": day, "paid_cents": 1, "diagnosis_codes": tuple(codes),
    }  # fmt: skip
    return MedicareClaim(**(values | more))


def medicare(number: int, sequence: int, *claims: MedicareClaim) -> AnyEvent:
    data = MedicareClaimsDeliveredData(person_id=person(number), state="OH", claims=claims)
    return _event(MedicareClaimsDelivered, sequence, data)


def stay(number: int, sequence: int, first: date, last: date, *, version: int = 1, voided: bool = False) -> AnyEvent:
    claim = MedicaidClaim(
        record_id=f"LT-{first}", version=version, file_type="LT", claim_type_code="1", voided=voided,
        service_from=first, service_through=last, paid_cents=100,
    )  # fmt: skip
    data = MedicaidClaimsDeliveredData(person_id=person(number), state="OH", claims=(claim,))
    return _event(MedicaidClaimsDelivered, sequence, data)


@asynccontextmanager
async def prepared(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a fresh schema of the service."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "risk"})
    try:
        await apply_migrations(connection, "risk", SERVICE.migrations)
        yield connection
    finally:
        await connection.close()


async def apply(connection: Any, *events: AnyEvent) -> list[AnyEvent]:
    """Apply events of one topic as one batch, and give back what was published."""
    topic = TOPIC_BY_TYPE[events[0].type].name
    received = tuple(Received(event, topic, 0, offset) for offset, event in enumerate(events))
    transaction = OneTransaction(connection)
    async with connection.transaction():
        await SERVICE.handle(Batch(topic, 0, received), transaction)
    return transaction.published


async def cut(connection: Any, sequence: int) -> list[AnyEvent]:
    """Run the work of one cut."""
    transaction = OneTransaction(connection)
    assert SERVICE.at_cut is not None
    async with connection.transaction():
        await SERVICE.at_cut(Cut(sequence, delivery_id(sequence), TIME, TIME.date()), transaction)
    return transaction.published


async def table(connection: Any, name: str) -> list[tuple[Any, ...]]:
    """Read all rows of a table in a fixed order."""
    rows = [tuple(row) for row in await connection.fetch(f"SELECT * FROM {name}")]
    return sorted(rows, key=repr)


def random_events(seed: int, people: int = 6, deliveries: int = 6) -> list[AnyEvent]:
    """Events of every topic, with versions, cancellations, voids and changes of status, in order of delivery."""
    chance = random.Random(seed)
    events: list[AnyEvent] = []
    for sequence in range(1, deliveries + 1):
        month = f"{2021 + sequence // 4}-{1 + sequence:02d}"
        for number in range(people):
            birth = None if number == 0 else date(1930 + number * 8, 3, 1)
            if chance.random() < 0.8:
                events.append(
                    coverage(number, sequence, month, chance.choice(("02", "08", "NA", "09", None)), birth=birth)
                )
            if chance.random() < 0.5:
                level = chance.choice((None, "community", "institutional"))
                events.append(enrolment(number, sequence, month, chance.choice(("02", "03", None)), level))
            if chance.random() < 0.8:
                events.append(medicare(number, sequence, *_random_claims(chance, number)))
            if chance.random() < 0.4:
                day = date(2021, chance.randrange(1, 9), 1)
                events.append(
                    stay(number, sequence, day, date(2021, 12, 1), version=sequence, voided=chance.random() < 0.3)
                )
    return events


def _random_claims(chance: random.Random, number: int) -> list[MedicareClaim]:
    claims = {}
    for _ in range(chance.randrange(1, 4)):
        key = chance.randrange(5)
        day = date(chance.choice((2020, 2021)), 1 + key, 5)
        codes = chance.sample(DIAGNOSES, chance.randrange(3))
        kind = chance.choice((Adjustment.ORIGINAL, Adjustment.ORIGINAL, Adjustment.CANCELLATION, Adjustment.ADJUSTMENT))
        record = f"r{number}-{key}-{kind}"
        make = admission if key % 2 else visit
        more = {} if key % 2 else {"claim_control_number": f"c{number}-{key}"}
        claims[record] = make(
            record, day, codes, adjustment=kind, version=chance.randrange(3), denied=chance.random() < 0.1, **more
        )
    return list(claims.values())


def by_topic(events: Iterable[AnyEvent]) -> dict[str, list[AnyEvent]]:
    """Split events as topics do: within one topic the order of deliveries stays."""
    topics: dict[str, list[AnyEvent]] = defaultdict(list)
    for event in events:
        topics[TOPIC_BY_TYPE[event.type].name].append(event)
    return topics
