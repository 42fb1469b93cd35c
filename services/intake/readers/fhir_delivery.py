"""One delivery of FHIR resources, whatever their types: every resource is read by its own rules or refused with a reason.

Resources that say all by themselves (ExplanationOfBenefit, Patient) are read as they come. Those that belong together
and need not stand together (the Coverage resources of a person; a Claim and its ClaimResponse) are read in a second
pass, brought together in bounded memory. Must not know how people are resolved, stored or sent.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from msgspec.json import Decoder

from contracts.delivery import DeliveryKind
from services.intake.readers import fhir_coverage_statement as coverage
from services.intake.readers import fhir_submitted_claim as submitted
from services.intake.readers.fhir_claim import Skipped
from services.intake.readers.fhir_explanation import record_from
from services.intake.readers.fhir_lines import (
    MOST_LINE_BYTES,
    Located,
    decoded,
    defect,
    entries_of,
    head_of,
    located,
)
from services.intake.readers.fhir_person import person_readings
from services.intake.readers.fhir_resources import Claim, ClaimResponse, Coverage, ExplanationOfBenefit, Patient
from services.intake.readers.fhir_values import UnreadableResource
from services.intake.readers.partitions import Row, grouped
from services.intake.reading import Defect, PersonRecord, Reading, RefusedDelivery, Source

TYPE_OF_KIND: Final = {
    DeliveryKind.EXPLANATION_OF_BENEFIT: "ExplanationOfBenefit",
    DeliveryKind.FHIR_PATIENT: "Patient",
    DeliveryKind.FHIR_COVERAGE: "Coverage",
    DeliveryKind.PARTIALLY_ADJUDICATED_CLAIM: "Claim",
}
_DIRECT: Final[dict[str, Decoder[Any]]] = {
    "ExplanationOfBenefit": Decoder(ExplanationOfBenefit),
    "Patient": Decoder(Patient),
}
_TOGETHER: Final[dict[str, tuple[Decoder[Any], Callable[[Any], str]]]] = {
    "Coverage": (Decoder(Coverage), coverage.person_key),
    "Claim": (Decoder(Claim), submitted.claim_key),
    "ClaimResponse": (Decoder(ClaimResponse), submitted.response_key),
}
_BUNDLE = "Bundle"
READ_TYPES: Final = frozenset((*_DIRECT, *_TOGETHER, _BUNDLE))
# Elements that decide how much and whose, and that stand once in a resource: two of one leave open which holds.
_PAYMENT, _PERSON = b'"payment"', b'"patient"'
# What text of NDJSON becomes when it is unzipped, at most: only for choosing how to bring resources together.
_UNZIPPED = 20

Outcome = Reading | Skipped


def read(source: Source) -> Iterator[Reading]:
    """What the delivery says, and its defective resources.

    Raises :class:`RefusedDelivery` when a compressed file is damaged or holds no resource at all.
    """
    for _, outcome in outcomes(source):
        if not isinstance(outcome, Skipped):
            yield outcome


def outcomes(source: Source) -> Iterator[tuple[Located, Outcome]]:
    """What became of every resource, those left out on purpose among them, and where it stands."""
    found = 0
    together: set[str] = set()
    for at, name, resource in _resources(source, together):
        found += 1
        if isinstance(resource, UnreadableResource):
            yield at, defect(at, resource)
        elif name == "ExplanationOfBenefit":
            notes: list[UnreadableResource] = []
            try:
                yield at, record_from(resource, source, notes)
            except UnreadableResource as why:
                notes.append(why)
            for note in notes:
                yield at, defect(at, note)
        elif name == "Patient":
            for outcome in _person(at, resource, source):
                yield at, outcome
    if not found:
        raise RefusedDelivery("delivery_empty", "no resource in any file")
    if together:
        yield from _second_pass(source, together)


def _resources(source: Source, together: set[str]) -> Iterator[tuple[Located, str, Any]]:
    """Every resource with its type, parsed where it is read by itself, or why it cannot be."""
    expected = TYPE_OF_KIND.get(source.kind, "")
    decoder = _DIRECT.get(expected)
    for path in source.paths:
        for at in located(path):
            resource = None if decoder is None else _of_type(decoder, expected, at)
            if resource is not None:
                yield at, expected, resource
                continue
            for found in _parsed_or_not(at, nested=False):
                if found[1] in _TOGETHER:
                    together.add(found[1])
                yield found


def _of_type(decoder: Decoder[Any], expected: str, at: Located) -> Any:  # noqa: ANN401 - one of the resources
    """The resource of a line that is what nearly all are; ``None`` for a line that needs a closer look."""
    if len(at.raw) > MOST_LINE_BYTES:
        return None
    try:
        resource = decoder.decode(at.raw)
    except (ValueError, RecursionError):
        return None
    raw = at.raw
    once = raw.count(_PAYMENT) < 2 and raw.count(_PERSON) < 2  # noqa: PLR2004 - the decisive elements
    return resource if once and resource.resource_type == expected else None


def _parsed_or_not(at: Located, *, nested: bool) -> Iterator[tuple[Located, str, Any]]:
    try:
        name = _type_of(at)
        if name == _BUNDLE and nested:
            yield at, "", UnreadableResource("resource_type_not_read", "resourceType")
        elif name == _BUNDLE:
            for entry in entries_of(at):
                yield from _parsed_or_not(entry, nested=True)
        elif name in _TOGETHER:
            yield at, name, None
        else:
            resource = decoded(_DIRECT[name], at)
            _require_unambiguous(at)
            yield at, name, resource
    except UnreadableResource as why:
        yield at, "", why


def _type_of(at: Located) -> str:
    head = head_of(at)
    if head.resource_type is None:
        raise UnreadableResource("resource_type_missing", "resourceType")
    if head.resource_type not in READ_TYPES:
        raise UnreadableResource("resource_type_not_read", "resourceType")
    return head.resource_type


def _require_unambiguous(at: Located) -> None:
    """Refuse an object that has a key twice. Exact, but slow: only where a decisive key is there more than once."""
    if at.raw.count(_PAYMENT) > 1 or at.raw.count(_PERSON) > 1:
        with suppress(ValueError, RecursionError):
            json.loads(at.raw, object_pairs_hook=_unique, parse_int=str, parse_float=str)


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise UnreadableResource("duplicate_key")


def _person(at: Located, resource: Patient, source: Source) -> Iterator[Outcome]:
    try:
        yield from person_readings(resource, at, source)
    except UnreadableResource as why:
        yield defect(at, why)


def _second_pass(source: Source, names: set[str]) -> Iterator[tuple[Located, Outcome]]:
    if names == {"ClaimResponse"}:
        raise RefusedDelivery(
            "claim_responses_alone", "responses say nothing without their claims: deliver both together"
        )
    size = sum(path.stat().st_size * (_UNZIPPED if path.name.endswith(".gz") else 1) for path in source.paths)
    defects: list[Defect] = []
    for group in grouped(_rows(source, defects), _group_key, size):
        yield from _of_group(group, source)
        while defects:
            yield Located("", 0, b""), defects.pop(0)
    yield from ((Located("", 0, b""), one) for one in defects)


def _group_key(row: Row) -> tuple[str, str]:
    return ("Coverage" if row[0] == "Coverage" else "Claim"), row[1]


def _rows(source: Source, defects: list[Defect]) -> Iterator[Row]:
    for at, name, _ in _resources(source, set()):
        if name in _TOGETHER:
            decoder, key = _TOGETHER[name]
            try:
                yield name, key(decoded(decoder, at)), at.file, at.number, at.raw, at.in_document
            except UnreadableResource as why:
                defects.append(defect(at, why))


def _of_group(group: list[Row], source: Source) -> Iterator[tuple[Located, Outcome]]:
    by_type: dict[str, list[tuple[Located, Any]]] = {name: [] for name in _TOGETHER}
    for name, _, file, number, raw, in_document in group:
        at = Located(file, number, raw, in_document)
        by_type[name].append((at, decoded(_TOGETHER[name][0], at)))
    first = next(at for found in by_type.values() for at, _ in found)
    readings: Iterator[PersonRecord | Defect | Any]
    if by_type["Coverage"]:
        readings = coverage.statement_readings(by_type["Coverage"], source)
    else:
        readings = submitted.claim_readings(by_type["Claim"], by_type["ClaimResponse"], source)
    yield from ((first, reading) for reading in readings)
