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

from contracts.alignment import AlignmentReportedData
from contracts.claims import MedicaidClaim, MedicareClaim
from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentStatedData
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


PersonPayload = (
    MedicareClaim | MedicaidClaim | MedicareCoverageStatedData | MedicaidEnrolmentStatedData | AlignmentReportedData
)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Something that the delivery says about one person. ``state`` is a USPS code where the file tells it."""

    references: tuple[PersonReference, ...]
    state: str | None
    payload: PersonPayload


@dataclass(frozen=True, slots=True)
class EntityRecord:
    """Something that the delivery says about an entity."""

    payload: ProviderRosterStatedData


@dataclass(frozen=True, slots=True)
class Defect:
    """A line that could not be read. ``raw`` may hold personal data: it is stored encrypted only."""

    file: str
    line: int
    field: str | None
    reason: str
    raw: bytes


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


Reading = MbiChange | PersonRecord | EntityRecord | Defect
Reader = Callable[[Source], Iterator[Reading]]
