"""What every reader of a file format gives back, and nothing about how it is stored or sent.

A reader is a generator over one delivery's files. It yields records about people (with the identifiers found,
strongest first), records about entities, and defects of single lines; it raises :class:`RefusedDelivery` when the
delivery as a whole cannot be trusted (truncated, mislabelled, control counts that do not hold).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from contracts.alignment import (
    AlignmentReportedData,
    DesignationRecordedData,
    ProviderAlignmentReportedData,
    SharingPreferenceStatedData,
)
from contracts.claims import ClaimsFeed, MedicaidClaim, MedicareClaim, PartDEvent
from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentStatedData, PremiumPayment
from contracts.provider import ProviderRosterStatedData

# Stands in a reader's payload where the person's pseudonym will be once the vault has resolved it.
UNRESOLVED_PERSON = "p" + "0" * 32


@dataclass(frozen=True, slots=True)
class PersonReference:
    """An identifier as the source wrote it. ``value`` is normalised; Medicaid ids are ``STATE:id``."""

    kind: Literal["mbi", "medicaid", "fhir_patient"]
    value: str


@dataclass(frozen=True, slots=True)
class MbiChange:
    """One CCLF9 row: ``previous`` was replaced by ``current``. Yielded before any record that needs it."""

    current: str
    previous: str
    obsolete_on: date | None


@dataclass(frozen=True, slots=True)
class Demographics:
    """Who somebody is besides their numbers, for linking people of whom no number is shared. Kept sealed, never sent.

    Names are as the source wrote them; ``sex_code`` is 1 male, 2 female, 0 or ``None`` not known.
    """

    reference: PersonReference
    family_name: str | None
    given_name: str | None
    birth_date: date | None
    sex_code: str | None
    # USPS code of the residence; where it is left out, a Medicaid id tells its state.
    state: str | None = None


@dataclass(frozen=True, slots=True)
class IdentityDecision:
    """What somebody decided about who is who: two people are one, or those named by ``aliases`` are somebody else."""

    verdict: Literal["link", "separate"]
    person_id: str
    other: str | None
    aliases: tuple[str, ...]
    actor: str
    reason: str
    decided_on: date
    nonce: str
    signature: str


PersonPayload = (
    MedicareClaim
    | MedicaidClaim
    | PartDEvent
    | PremiumPayment
    | MedicareCoverageStatedData
    | MedicaidEnrolmentStatedData
    | AlignmentReportedData
    | ProviderAlignmentReportedData
    | SharingPreferenceStatedData
    | DesignationRecordedData
)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Something that the delivery says about one person. ``state`` is a USPS code where the file tells it.

    Claims tell by which ``feed`` they came; a ``preliminary`` one is a Medicare claim still in adjudication.
    """

    references: tuple[PersonReference, ...]
    state: str | None
    payload: PersonPayload
    feed: ClaimsFeed | None = None
    preliminary: bool = False


@dataclass(frozen=True, slots=True)
class EncodedClaims:
    """Claims of one person, written already as they stand in events: what a reader of many claims makes at once."""

    reference: PersonReference
    payload: type[MedicareClaim | PartDEvent]
    feed: ClaimsFeed
    claims: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long reading has come, in bytes of its files. It says nothing of what was read."""

    read_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class EntityRecord:
    """Something that the delivery says about an entity."""

    payload: ProviderRosterStatedData


@dataclass(frozen=True, slots=True)
class Defect:
    """A line that could not be read. ``raw`` may hold personal data: it is stored encrypted only.

    ``found`` is the shape of what stands there (:func:`services.intake.readers.masking.shape_of`), never the text
    itself; ``expected`` says in a few words what the field must hold. Both are shown to everybody who may look.
    """

    file: str
    line: int
    field: str | None
    reason: str
    raw: bytes
    found: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What is worth telling of the delivery as a whole, and how often it was so. Neither a record nor a defect."""

    what: str
    count: int


class RefusedDelivery(Exception):  # noqa: N818 - it is a verdict about the delivery, not an error of the program
    """The delivery is refused whole. Neither argument may hold personal data."""

    def __init__(self, reason_code: str, detail: str) -> None:
        super().__init__(f"{reason_code}: {detail}")
        self.reason_code = reason_code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Source:
    """One delivery on disk. ``paths`` is the single file or archive, or the files of a folder."""

    kind: DeliveryKind
    name: str
    paths: tuple[Path, ...]
    dated: date
    synthetic_identifiers: bool
    default_state: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a path holds, who sent it and of when it is. ``substance_use_withheld`` is ``None`` where nobody knows."""

    kind: DeliveryKind
    source: str
    dated: date
    substance_use_withheld: bool | None = None


Reading = (
    MbiChange
    | PersonRecord
    | EncodedClaims
    | EntityRecord
    | Demographics
    | IdentityDecision
    | Observation
    | Defect
    | Progress
)
Reader = Callable[[Source], Iterator[Reading]]
