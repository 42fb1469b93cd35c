"""FHIR resources, one a line."""

import gzip
import re
import zlib
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_GZIP_MAGIC = b"\x1f\x8b"
_LOOKED_AT_BYTES = 4096
_BULK = re.compile(r".+\.ndjson(?:\.gz)?")
_DATED = re.compile(r"\.D(?P<day>\d{6})\b")


def fhir(path: Path, start: bytes, received_on: date) -> Recognised | None:
    """ExplanationOfBenefit resources."""
    if not _BULK.fullmatch(path.name):
        return None
    if path.name.endswith(".gz") != start.startswith(_GZIP_MAGIC):
        raise RefusedDelivery("mislabelled_file", "the name and the content do not agree about compression")
    if path.name.endswith(".gz"):
        start = _first_unzipped(path)
    if not start.lstrip().startswith(b"{"):
        raise RefusedDelivery("unrecognised_content", "the first line is no JSON object")
    named = _DATED.search(path.name)
    return Recognised(DeliveryKind.EXPLANATION_OF_BENEFIT, "fhir", day_of(named["day"]) if named else received_on)


def _first_unzipped(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(_LOOKED_AT_BYTES)
    except (OSError, EOFError, zlib.error) as damage:
        raise RefusedDelivery("corrupted_archive", "not a readable gzip file") from damage
