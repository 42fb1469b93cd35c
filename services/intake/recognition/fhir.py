"""FHIR resources, one a line or in one document, told by the type of the first resource."""

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from gzip import BadGzipFile
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.readers.fhir_lines import Located, entries_of, head_of, located
from services.intake.readers.fhir_resources import Head
from services.intake.readers.fhir_values import UnreadableResource
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_NAME = re.compile(r".+\.(?:ndjson|json)(?:\.gz)?")
_DATED = re.compile(r"\.D(?P<day>\d{6})\b")
# CMS's bulk interfaces for entities, plans and providers withhold records about substance use (42 CFR Part 2); Blue
# Button, by which a person shares their own, does not. A resource does not say by which it came: the name has to.
_BULK = re.compile(
    r"(?P<interface>(?:bcda|ab2d|dpc)(?:-sandbox)?)[._-]"
    r"(?:(?P<source>V[0-9]\.[A-Za-z0-9-]{1,40}|[A-Za-z0-9-]{1,40})[._])?",
    re.IGNORECASE,
)
_KIND = {
    "ExplanationOfBenefit": DeliveryKind.EXPLANATION_OF_BENEFIT,
    "Patient": DeliveryKind.FHIR_PATIENT,
    "Coverage": DeliveryKind.FHIR_COVERAGE,
    "Claim": DeliveryKind.PARTIALLY_ADJUDICATED_CLAIM,
    "ClaimResponse": DeliveryKind.PARTIALLY_ADJUDICATED_CLAIM,
}
_BUNDLE = "Bundle"


def fhir(path: Path, start: bytes, received_on: date) -> Recognised | None:
    """A file of FHIR resources. A first resource that cannot be read is left to the reader, which says why."""
    if not _NAME.fullmatch(path.name):
        return None
    if path.name.endswith(".gz") != start.startswith(_GZIP_MAGIC):
        raise RefusedDelivery("mislabelled_file", "the name and the content do not agree about compression")
    first = _first(path)
    if first is None:
        raise RefusedDelivery("delivery_empty", "no resource in the file")
    if not first.raw.lstrip().startswith(b"{"):
        encoded = any(first.raw.startswith(mark) for mark in _BYTE_ORDER_MARKS)
        raise RefusedDelivery(
            "wrong_encoding" if encoded else "unrecognised_content", "the first line is no JSON object in UTF-8"
        )
    named, bulk = _DATED.search(path.name), _BULK.match(path.name)
    return Recognised(
        kind=_kind(first),
        source=_source(bulk),
        dated=day_of(named["day"]) if named else received_on,
        substance_use_withheld=True if bulk else None,
    )


def _source(bulk: re.Match[str] | None) -> str:
    if bulk is None:
        return "fhir"
    return f"{bulk['interface'].lower()}.{bulk['source']}" if bulk["source"] else bulk["interface"].lower()


def _first(path: Path) -> Located | None:
    try:
        return next(located(path), None)
    except RefusedDelivery as refusal:
        if refusal.reason_code != "archive_damaged":
            raise
    except (OSError, EOFError, zlib.error, BadGzipFile):
        pass
    raise RefusedDelivery("corrupted_archive", "not a readable gzip file")


def _kind(first: Located) -> DeliveryKind:
    for head in _heads(first):
        if head.resource_type in _KIND:
            return _KIND[head.resource_type]
        if head.resource_type is None:
            _refuse_change_feed(head)
    if first.in_document:
        raise RefusedDelivery("resource_type_not_read", "no resource of a type that is read")
    return DeliveryKind.EXPLANATION_OF_BENEFIT


def _heads(first: Located) -> Iterator[Head]:
    """The types of the first resource, or of those of a bundle until one can be told."""
    with suppress(UnreadableResource):
        head = head_of(first)
        if head.resource_type == _BUNDLE:
            for entry in entries_of(first):
                yield head_of(entry)
        else:
            yield head


def _refuse_change_feed(head: Head) -> None:
    """FISS and MCS records as the shared systems exchange them among themselves are no FHIR, and are not delivered."""
    if head.claim:
        raise RefusedDelivery("shared_system_change_feed", "records of FISS or MCS, not FHIR: ask for Claim resources")
