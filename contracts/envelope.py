"""CloudEvents 1.0, structured JSON mode, with the extension attributes that Tandem needs.

Extensions (lower-case letters and digits, as CloudEvents demands): ``deliveryid`` and ``deliveryseq``
say which delivery made this known; ``alias`` is the pseudonym of the identifier by which the source named the person,
where that is another than the person's own. By it, facts find their person again when people turn out to be one, or two.
Source: CloudEvents specification 1.0.2, sections "Required Attributes" and "JSON Event Format".
"""

from datetime import UTC, datetime
from hashlib import sha1
from typing import Annotated, ClassVar, Final, Generic, Literal, Self, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.identifiers import DeliveryId, PersonId
from contracts.model import LARGEST_NUMBER, ContractModel

# uuid5(NAMESPACE_DNS, "events.tandem"): fixed for ever, ids depend on it.
EVENT_NAMESPACE = UUID("eadd3564-1782-5826-abcc-a0316f039c39")

DeliverySequence = Annotated[
    int,
    Field(
        ge=1,
        le=LARGEST_NUMBER,
        description="order in which intake took deliveries: the knowledge time of everything after it",
    ),
]


_HASHED_NAMESPACE: Final = sha1(EVENT_NAMESPACE.bytes, usedforsecurity=False)


def event_id(event_type: str, business_key: str, version: str) -> str:
    """Derive an id: the same type, key and version always give the same, so that repeats can be recognised.

    Source: RFC 9562, section 5.5 (version 5). Written out here, because every event has one and ``uuid5`` takes four times
    as long.
    """
    hashed = _HASHED_NAMESPACE.copy()
    hashed.update(f"{event_type}\x1f{business_key}\x1f{version}".encode())
    digits = hashed.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="UUID version 5")]
# The range in which every database and every language has the moment.
Moment = Annotated[
    AwareDatetime,
    Field(
        ge=datetime(1900, 1, 2, tzinfo=UTC),
        lt=datetime(2100, 1, 1, tzinfo=UTC),
        json_schema_extra={"pattern": r"^(19|20)[0-9][0-9]-"},
    ),
]

Data = TypeVar("Data", bound=ContractModel)


class Event(ContractModel, Generic[Data]):
    """One CloudEvent. Subclasses name their ``TYPE`` and the model of ``data``."""

    TYPE: ClassVar[str]

    specversion: Literal["1.0"] = "1.0"
    id: EventId
    source: Annotated[str, Field(pattern=r"^/tandem/[a-z-]+$", description="the service that speaks")]
    type: str
    subject: Annotated[str, Field(min_length=1, max_length=200, description="partition key: person, delivery, cell")]
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    deliveryid: DeliveryId
    deliveryseq: DeliverySequence
    alias: PersonId | None = None
    data: Data

    @property
    def named_by(self) -> str:
        """The pseudonym of the identifier by which the source named the subject: its own where nothing else is said."""
        return self.alias or self.subject

    @classmethod
    def of(  # noqa: PLR0913 - one named argument for each attribute of the envelope
        cls, *, service: str, key: str, version: str, time: datetime, delivery_id: str, sequence: int, data: Data
    ) -> Self:
        """Build an event. ``key`` is the partition key, ``version`` what sets it apart from others of that key."""
        return cls(
            id=event_id(cls.TYPE, key, version),
            source=f"/tandem/{service}",
            type=cls.TYPE,
            subject=key,
            time=time.astimezone(UTC),
            deliveryid=delivery_id,
            deliveryseq=sequence,
            data=data,
        )

    def encode(self) -> bytes:
        """Write the event as it stands on the log."""
        return self.model_dump_json(exclude_none=True).encode()
