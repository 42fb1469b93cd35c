"""What intake would make of a file, told without delivering it. Says nothing that could identify a person."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.intake.reading import (
    Defect,
    Demographics,
    EncodedClaims,
    EntityRecord,
    IdentityDecision,
    MbiChange,
    Observation,
    PersonRecord,
    Progress,
    Reading,
    RefusedDelivery,
    Source,
)
from services.intake.registry import reader_of, recognise
from services.intake.shown import LineShown


@dataclass(frozen=True, slots=True)
class FileReading:
    """Counts by what was read and by why something was not. ``refused`` is the reason code of a whole delivery."""

    name: str
    kind: str | None
    dated: str | None
    records: dict[str, int]
    defects: dict[str, int]
    people: int
    refused: str | None
    detail: str | None = None
    first_lines: tuple[LineShown, ...] = ()

    def as_object(self) -> dict[str, object]:
        """For machines."""
        return asdict(self) | {"first_lines": [line.model_dump() for line in self.first_lines]}


_FIRST_LINES = 10
_NAMES = {
    "MedicareClaim": "Medicare claim records",
    "MedicaidClaim": "Medicaid claim records",
    "MedicareCoverageStatedData": "Medicare coverage statements",
    "MedicaidEnrolmentStatedData": "Medicaid enrolment statements",
    "AlignmentReportedData": "alignment report rows",
    "ProviderRosterStatedData": "provider rosters",
    "PartDEvent": "Part D events",
    "PremiumPayment": "premium payments",
    "ProviderAlignmentReportedData": "provider alignment rows",
    "SharingPreferenceStatedData": "data-sharing preferences",
    "DesignationRecordedData": "voluntary alignment responses",
}


def _describe(reading: PersonRecord | EntityRecord | MbiChange | IdentityDecision) -> str:
    match reading:
        case MbiChange():
            return "identifier changes"
        case IdentityDecision():
            return "identity decisions"
    return _NAMES[type(reading.payload).__name__]


class _Tally:
    def __init__(self) -> None:
        self.records: Counter[str] = Counter()
        self.defects: Counter[str] = Counter()
        self.people: set[tuple[str, str]] = set()
        self.first_lines: list[LineShown] = []

    def _add_defect(self, defect: Defect) -> None:
        self.defects[defect.reason] += 1
        if len(self.first_lines) < _FIRST_LINES:
            number = len(self.first_lines) + 1
            self.first_lines.append(LineShown.model_validate(asdict(defect) | {"number": number}))

    def add(self, reading: Reading) -> None:
        if isinstance(reading, Defect):
            self._add_defect(reading)
            return
        if isinstance(reading, Demographics | Progress):
            return
        if isinstance(reading, Observation):
            self.records[reading.what] += reading.count
            return
        if isinstance(reading, EncodedClaims):
            self.records[_NAMES[reading.payload.__name__]] += len(reading.claims)
            self.people.add((reading.reference.kind, reading.reference.value))
            return
        self.records[_describe(reading)] += 1
        if isinstance(reading, PersonRecord):
            strongest = reading.references[0]
            self.people.add((strongest.kind, strongest.value))

    def add_all(self, readings: Iterator[Reading]) -> RefusedDelivery | None:
        try:
            for reading in readings:
                self.add(reading)
        except RefusedDelivery as refusal:
            return refusal
        return None


def read_file(path: Path, *, state: str, synthetic_identifiers: bool) -> FileReading:
    """Read one file to its end."""
    tally = _Tally()
    try:
        recognised = recognise(path, datetime.now(UTC).date())
    except RefusedDelivery as refusal:
        return FileReading(path.name, None, None, {}, {}, 0, refusal.reason_code, refusal.detail)
    source = Source(recognised.kind, path.name, (path,), recognised.dated, synthetic_identifiers, state)
    refused = tally.add_all(reader_of(recognised.kind)(source))
    return FileReading(
        path.name,
        recognised.kind.value,
        recognised.dated.isoformat(),
        dict(sorted(tally.records.items())),
        dict(sorted(tally.defects.items())),
        len(tally.people),
        None if refused is None else refused.reason_code,
        None if refused is None else refused.detail,
        tuple(tally.first_lines),
    )
