"""What is told about deliveries, to whoever asks by command or over HTTP. Never a line, never an identifier."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contracts.delivery import DeliveryKind
from services.intake.contents import contents_of
from services.intake.deliveries import Delivery, Status
from services.intake.quarantine import quarantine_counts, quarantined_lines
from services.runtime.database import Connection

FIRST_LINES = 10
_MOST_FAULTS = 100


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class DeliveryShown(_Shown):
    """A delivery. ``sequence`` is the knowledge time of everything that it says.

    ``pending``: it was uploaded, and intake has not come to it yet; it has no number then.
    ``held``: it can be read, and lies still until somebody releases or rejects it.
    """

    delivery_id: str
    sequence: int | None
    kind: DeliveryKind | None
    source: str
    name: str
    dated: date | None
    received_at: datetime | None
    status: Status | Literal["pending"]
    reason_code: str | None = None
    reason_detail: str | None = None
    records: int = 0
    claims: int = 0
    quarantined: int = 0
    events: int = 0
    substance_use_withheld: bool | None = None
    people: int | None = None
    people_added: int | None = None
    people_gone: int | None = None
    people_changed: int | None = None
    compared_with: int | None = None
    read_bytes: int | None = None
    total_bytes: int | None = None


class LineShown(_Shown):
    """A line that could not be read; its content is kept sealed and not shown. ``found`` is a shape, never the text."""

    number: int
    file: str
    line: int
    field: str | None
    reason: str
    found: str | None = None
    expected: str | None = None


class CountShown(_Shown):
    """How many lines of a delivery have one fault."""

    delivery_id: str
    file: str
    field: str | None
    reason: str
    lines: int


class DecisionShown(_Shown):
    """What somebody decided about a delivery that was held or refused, under which number it was then taken again."""

    decision: Literal["released", "rejected", "retried"]
    about_sequence: int
    sequence: int | None
    reason_code: str
    actor: str
    reason: str | None


class DeliveryDetail(DeliveryShown):
    """A delivery with what it held by kind of record, its faults, its first bad lines, and what was decided about it."""

    contents: dict[str, int] = {}
    faults: list[CountShown] = []
    first_lines: list[LineShown] = []
    decisions: list[DecisionShown] = []


_DECISIONS = """
    SELECT decision, held_sequence AS about_sequence, sequence, reason_code, actor, reason FROM delivery_decision
    WHERE delivery_id = $1
    UNION ALL
    SELECT 'retried', refused_sequence, sequence, reason_code, actor, NULL FROM delivery_retry WHERE delivery_id = $1
    ORDER BY about_sequence
"""


async def detail_of(connection: Connection, delivery: Delivery) -> DeliveryDetail:
    """Everything that is told of one delivery."""
    identity = delivery.delivery_id
    decisions = await connection.fetch(_DECISIONS, identity)
    return DeliveryDetail(
        **{name: value for name, value in asdict(delivery).items() if name in DeliveryShown.model_fields},
        contents=await contents_of(connection, identity),
        faults=[CountShown.model_validate(one) for one in await quarantine_counts(connection, _MOST_FAULTS, identity)],
        first_lines=[
            LineShown.model_validate(line) for line in await quarantined_lines(connection, identity, FIRST_LINES)
        ],
        decisions=[DecisionShown(**dict(row)) for row in decisions],
    )
