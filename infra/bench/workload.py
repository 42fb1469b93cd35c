"""What every contestant reads, and what the two that keep state write: the same claims, the same SQL."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from contracts.claims import Adjustment, MedicareClaim, MedicareClaimsDelivered, MedicareClaimsDeliveredData
from contracts.months import month_of
from contracts.topics import CLAIMS_MEDICARE
from services.runtime.database import Connection
from services.runtime.partitioning import partition_of
from services.runtime.service import Batch, ServiceDefinition, Transaction

CLAIMS_A_MESSAGE: Final = 20
PEOPLE: Final = 1_000
SINGLE_TOPIC: Final = "bench-single-claims"
SCHEMA: Final = "bench"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much each contestant reads."""

    messages: int
    single_messages: int
    rounds: int
    # Read once more at the end by our worker alone, few and many: what a claim costs as the tables grow.
    growth: tuple[int, ...] = ()

    @property
    def claims(self) -> int:
        """Claims in all batched messages."""
        return self.messages * CLAIMS_A_MESSAGE

    @property
    def published(self) -> int:
        """Batched messages on the log."""
        return max(self.messages, *self.growth, 0)


FULL: Final = Scale(messages=20_000, single_messages=20_000, rounds=3, growth=(5_000, 50_000))
QUICK: Final = Scale(messages=2_000, single_messages=3_000, rounds=1)


def event(number: int) -> MedicareClaimsDelivered:
    """One person's claims of one delivery, different for every number and the same in every run."""
    person = f"p{number % PEOPLE:032x}"
    claims = tuple(_claim(number, index) for index in range(CLAIMS_A_MESSAGE))
    return MedicareClaimsDelivered.of(
        service="intake",
        key=person,
        version=str(number),
        time=datetime(2022, 3, 1, tzinfo=UTC),
        delivery_id=f"d{1:032x}",
        sequence=1,
        data=MedicareClaimsDeliveredData(person_id=person, state="OH", claims=claims),
    )


def _claim(number: int, index: int) -> MedicareClaim:
    day = date(2022, 1 + (number + index) % 12, 1 + index)
    return MedicareClaim(
        record_id=f"{number}-{index}",
        version=1,
        claim_type_code="60",
        adjustment=Adjustment.ORIGINAL,
        service_from=day,
        service_through=day,
        paid_cents=1_000 + (number * 31 + index * 7) % 100_000,
        diagnosis_codes=("E119", "I10"),
    )


async def publish(servers: Sequence[str], scale: Scale) -> None:
    """Write the batched messages, and for textbook Faust one claim a message."""
    async with AIOKafkaProducer(bootstrap_servers=list(servers), linger_ms=20, max_batch_size=256 * 1024) as producer:
        for number in range(scale.published):
            made = event(number)
            partition = partition_of(made.subject.encode(), CLAIMS_MEDICARE.partitions)
            await producer.send(CLAIMS_MEDICARE.name, made.encode(), key=made.subject.encode(), partition=partition)
        for key, value in _singles(scale.single_messages):
            await producer.send(SINGLE_TOPIC, value, key=key)
        await producer.flush()


def _singles(count: int) -> Iterator[tuple[bytes, bytes]]:
    for number in range(count):
        claim = _claim(number, 0)
        person = f"p{number % PEOPLE:032x}"
        body = {"person_id": person, "record_id": claim.record_id, "paid_cents": claim.paid_cents}
        yield person.encode(), json.dumps(body).encode()


_WRITE_CLAIMS: Final = """
    WITH given AS (
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
            AS given (record_id, version, person_id, service_month, paid_cents)
    ), written AS (
        INSERT INTO claim SELECT * FROM given ON CONFLICT (record_id) DO NOTHING
        RETURNING person_id, paid_cents
    )
    INSERT INTO person_total AS known (person_id, claims, paid_cents)
    SELECT person_id, count(*), sum(paid_cents) FROM written GROUP BY person_id ORDER BY person_id
    ON CONFLICT (person_id) DO UPDATE
    SET claims = known.claims + EXCLUDED.claims, paid_cents = known.paid_cents + EXCLUDED.paid_cents
"""


async def write(connection: Connection, events: Sequence[MedicareClaimsDelivered]) -> None:
    """Write a batch of events: one statement for all of their claims."""
    rows = [
        (claim.record_id, claim.version, made.data.person_id, month_of(claim.service_through), claim.paid_cents)
        for made in events
        for claim in made.data.claims
    ]
    await connection.execute(_WRITE_CLAIMS, *map(list, zip(*rows, strict=True)))


async def handle(batch: Batch, transaction: Transaction) -> None:
    """Do the same in our worker."""
    await write(transaction.connection, [received.event for received in batch.received])  # type: ignore[misc]


DEFINITION: Final = ServiceDefinition(
    name="risk",
    schema=SCHEMA,
    topics=(CLAIMS_MEDICARE,),
    handle=handle,
    migrations=Path(__file__).parent / "migrations",
)
