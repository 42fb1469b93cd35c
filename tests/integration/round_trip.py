"""Simulated deliveries read back by intake's readers, layout by layout, person by person, month by month."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from contracts.claims import Adjustment, ClaimsFeed, MedicareClaim, PartDEvent
from contracts.coverage import MedicareCoverageSpan, MedicareCoverageStatedData
from services.intake.reading import (
    Demographics,
    EncodedClaims,
    MbiChange,
    PersonRecord,
    PersonReference,
    Progress,
    Reading,
    Source,
)
from services.intake.registry import reader_of, recognise

CATEGORIES = {
    "60": "inpatient",
    "40": "outpatient",
    "20": "skilled_nursing_facility",
    "10": "home_health",
    "50": "hospice",
    "71": "physician",
    "72": "durable_medical_equipment",
}
PART_A = frozenset({"10", "20", "40", "50", "60"})


class Place(NamedTuple):
    """Which month's file of which sender."""

    month: str
    sender: str


@dataclass
class Layout:
    """All that one layout says. Claims and statements are kept in the order of delivery."""

    claims: dict[Place, dict[str, list[MedicareClaim]]] = field(default_factory=lambda: defaultdict(dict))
    fills: dict[str, dict[str, PartDEvent]] = field(default_factory=lambda: defaultdict(dict))
    statements: list[tuple[str, str, MedicareCoverageStatedData]] = field(default_factory=list)
    who: dict[str, set[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(set))
    feeds: set[ClaimsFeed | None] = field(default_factory=set)
    rest: list[Reading] = field(default_factory=list)
    months: list[tuple[str, str]] = field(default_factory=list)

    def standing(self) -> dict[str, MedicareClaim]:
        """Of every record its newest version; of two alike the first."""
        found: dict[str, MedicareClaim] = {}
        for place in sorted(self.claims):
            for claim in (claim for claims in self.claims[place].values() for claim in claims):
                if claim.record_id not in found or found[claim.record_id].version < claim.version:
                    found[claim.record_id] = claim
        return found


def layout_of(path: str) -> str:
    name = Path(path).name
    return next((f"fhir-v{number}" for number in "123" if f".BULK-V{number}." in name), "cclf")


def place_of(path: str) -> Place:
    name = Path(path).name
    return Place(Path(path).parent.name[4:], name[2:7] if name.startswith("P.") else name[:5])


def read_all(directory: Path, deliveries: Iterable[dict[str, Any]]) -> dict[str, Layout]:
    """Everything of Medicare's that was delivered, each content once."""
    layouts: dict[str, Layout] = defaultdict(Layout)
    numbers: dict[PersonReference, str] = {}
    for delivery in deliveries:
        path = delivery["path"]
        if delivery["duplicate_of"] is None and (".ZCY" in path or ".BULK-" in path):
            _add(layouts[layout_of(path)], directory / "deliveries" / path, place_of(path), numbers)
    return layouts


def readings(path: Path) -> Iterator[Reading]:
    recognised = recognise(path, date(2000, 1, 1))
    return reader_of(recognised.kind)(Source(recognised.kind, path.name, (path,), recognised.dated, True, "OH"))


def _add(layout: Layout, path: Path, place: Place, numbers: dict[PersonReference, str]) -> None:
    for reading in readings(path):
        if isinstance(reading, MbiChange):
            old, new = PersonReference("mbi", reading.previous), PersonReference("mbi", reading.current)
            numbers[new] = numbers[old] = numbers.get(old, reading.previous)
        elif isinstance(reading, PersonRecord):
            _add_record(layout, reading, place, _person(reading.references, numbers))
        elif isinstance(reading, EncodedClaims):
            claims = [reading.payload.model_validate_json(claim) for claim in reading.claims]
            for claim in claims:
                record = PersonRecord((reading.reference,), None, claim, reading.feed)
                _add_record(layout, record, place, _person(record.references, numbers))
        elif isinstance(reading, Demographics):
            told = (reading.family_name, reading.given_name, reading.birth_date, reading.sex_code)
            layout.who[_person((reading.reference,), numbers)].add(told)
        elif not isinstance(reading, Progress):
            layout.rest.append(reading)


def _add_record(layout: Layout, record: PersonRecord, place: Place, person: str) -> None:
    if isinstance(record.payload, MedicareClaim):
        layout.feeds.add(record.feed)
        layout.claims[place].setdefault(person, []).append(record.payload)
    elif isinstance(record.payload, PartDEvent):
        layout.fills[person][record.payload.record_id] = record.payload
    elif isinstance(record.payload, MedicareCoverageStatedData):
        layout.statements.append((person, place.month, record.payload))


def _person(references: tuple[PersonReference, ...], numbers: dict[PersonReference, str]) -> str:
    """The first number under which the person was ever known, for all of the person's numbers."""
    known = next((numbers[one] for one in references if one in numbers), references[0].value)
    numbers.update(dict.fromkeys(references, known))
    return known


def sorted_claims(claims: Iterable[MedicareClaim]) -> list[MedicareClaim]:
    return sorted(claims, key=lambda claim: (claim.record_id, claim.version))


def cells(claims: Iterable[MedicareClaim]) -> dict[tuple[str, str], tuple[int, int]]:
    """Cents and number of claims by category and service month; a cancellation counts with a minus sign."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for claim in claims:
        sign = 0 if claim.denied else -1 if claim.adjustment is Adjustment.CANCELLATION else 1
        category = CATEGORIES[claim.claim_type_code]
        found[category, f"{claim.service_through:%Y-%m}"][1] += sign
        if claim.claim_type_code in PART_A:
            found[category, f"{claim.service_through:%Y-%m}"][0] += sign * claim.paid_cents
        else:
            for line in claim.lines:
                paid = 0 if line.denied else line.paid_cents or 0
                found[category, f"{line.service_through:%Y-%m}"][0] += sign * paid
    return {cell: (cents, number) for cell, (cents, number) in found.items() if cents or number}


def cells_of_truth(measures: Iterable[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int]]:
    """The same of the simulator's truth, whatever the cohort."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for measure in measures:
        if measure["payer"] == "medicare":
            found[measure["category"], measure["month"]][0] += measure["cents"]
            found[measure["category"], measure["month"]][1] += measure["claims"]
    return {cell: (cents, number) for cell, (cents, number) in found.items() if cents or number}


def said_of(statement: MedicareCoverageStatedData, month: str, name: str) -> Any:
    """What a statement says of a month; of two spans the later listed."""
    spans: list[MedicareCoverageSpan] = [
        span
        for span in statement.spans
        if span.first_month <= month and (span.last_month is None or month <= span.last_month)
    ]
    return next((value for span in reversed(spans) if (value := getattr(span, name)) is not None), None)
