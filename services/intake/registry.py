"""Which reader a path needs, told by its name and its first bytes; what is neither is refused with a reason."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import IO, cast

from contracts.delivery import DeliveryKind
from contracts.identifiers import holds_an_mbi
from services.intake.readers.cclf_control import ARCHIVE_NAME
from services.intake.reading import Reader, RefusedDelivery

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_MAGIC = b"\x1f\x8b"
_LOOKED_AT_BYTES = 4096
_BLOCK_BYTES = 1 << 20
_CENTURY = 2000

_TMSIS = re.compile(r"TMSIS\.(?P<source>[A-Z]{2})\.D(?P<day>\d{6})\.T\d{6}\.zip")
_REPORT = re.compile(r"ALIGNMENT_REPORT\.(?P<source>D\d{4})\.\d{4}(?:0[1-9]|1[0-2])\.D(?P<day>\d{6})\.csv")
_ROSTER = re.compile(r"PROVIDER_ROSTER\.(?P<source>D\d{4})\.[A-Z]{2}\.D(?P<day>\d{6})\.csv")
_ENROLMENT = re.compile(r"834\.(?P<source>[A-Za-z0-9_-]{1,20})\.D(?P<day>\d{6})\.T\d{6}\.txt")
_BULK = re.compile(r".+\.ndjson(?:\.gz)?")
_DATED = re.compile(r"\.D(?P<day>\d{6})\b")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a path holds, who sent it and of when it is."""

    kind: DeliveryKind
    source: str
    dated: date


def recognise(path: Path, received_on: date) -> Recognised:
    """Tell a delivery's kind. Raises :class:`RefusedDelivery`; a file without a date of its own gets ``received_on``."""
    if holds_an_mbi(str(path)):
        raise RefusedDelivery("identifier_in_name", "the name of the file or of a folder holds a person's identifier")
    if not path.is_file():
        raise RefusedDelivery("not_a_file", "the path is no file")
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT_BYTES)
    if not start:
        raise RefusedDelivery("empty_file", "the file is empty")
    for recognises in (_zipped, _x12, _listed, _bulk):
        found = recognises(path, start, received_on)
        if found is not None:
            return found
    raise RefusedDelivery("unrecognised_name", "neither name nor content is of a known kind")


def _day(digits: str) -> date:
    try:
        return date(_CENTURY + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        raise RefusedDelivery("unrecognised_name", "the date in the name is none") from None


def _zipped(path: Path, start: bytes, _: date) -> Recognised | None:
    cclf = ARCHIVE_NAME.fullmatch(path.name)
    medicaid = _TMSIS.fullmatch(path.name)
    if cclf is None and medicaid is None:
        return None
    if not start.startswith(_ZIP_MAGIC):
        raise RefusedDelivery("corrupted_archive", "the name is of an archive, the content is none")
    if cclf is not None:
        return Recognised(DeliveryKind.CCLF, cclf["entity"], _day(cclf["day"]))
    if medicaid is not None:
        return Recognised(DeliveryKind.MEDICAID_CLAIMS, medicaid["source"], _day(medicaid["day"]))
    return None


def _x12(path: Path, start: bytes, received_on: date) -> Recognised | None:
    named = _ENROLMENT.fullmatch(path.name)
    if not start.lstrip().startswith(b"ISA"):
        if named is not None:
            raise RefusedDelivery("mislabelled_file", "the name is of an 834, the content is none")
        return None
    text = start.decode("latin-1").lstrip()
    element = text[3:4]
    if f"ST{element}834" not in text:
        raise RefusedDelivery("unrecognised_content", "an X12 file that is no 834")
    if named is not None:
        return Recognised(DeliveryKind.ENROLMENT_834, named["source"], _day(named["day"]))
    stated = re.search(
        rf"BGN{re.escape(element)}[^{re.escape(element)}]*{re.escape(element)}[^{re.escape(element)}]*"
        rf"{re.escape(element)}(?:20)(?P<day>\d{{6}})",
        text,
    )
    return Recognised(DeliveryKind.ENROLMENT_834, "unnamed", _day(stated["day"]) if stated else received_on)


def _listed(path: Path, start: bytes, _: date) -> Recognised | None:
    for pattern, kind in ((_REPORT, DeliveryKind.ALIGNMENT_REPORT), (_ROSTER, DeliveryKind.PROVIDER_ROSTER)):
        name = pattern.fullmatch(path.name)
        if name is not None:
            if b"\x00" in start:
                raise RefusedDelivery("mislabelled_file", "the name is of a CSV file, the content is binary")
            return Recognised(kind, name["source"], _day(name["day"]))
    return None


def _bulk(path: Path, start: bytes, received_on: date) -> Recognised | None:
    if not _BULK.fullmatch(path.name):
        return None
    if path.name.endswith(".gz") != start.startswith(_GZIP_MAGIC):
        raise RefusedDelivery("mislabelled_file", "the name and the content do not agree about compression")
    if path.name.endswith(".gz"):
        start = _first_unzipped(path)
    if not start.lstrip().startswith(b"{"):
        raise RefusedDelivery("unrecognised_content", "the first line is no JSON object")
    named = _DATED.search(path.name)
    return Recognised(DeliveryKind.EXPLANATION_OF_BENEFIT, "fhir", _day(named["day"]) if named else received_on)


def _first_unzipped(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(_LOOKED_AT_BYTES)
    except (OSError, EOFError, zlib.error) as damage:
        raise RefusedDelivery("corrupted_archive", "not a readable gzip file") from damage


def delivery_id(kind: DeliveryKind | None, path: Path) -> str:
    """The delivery's id: what it is and what it holds, whatever its name."""
    digest = hashlib.sha256(f"{kind.value if kind else 'unknown'}\n".encode())
    with path.open("rb") as file:
        _update(digest.update, file)
    return "d" + digest.hexdigest()[:32]


def _update(update: Callable[[bytes], None], file: IO[bytes]) -> None:
    while block := file.read(_BLOCK_BYTES):
        update(block)


def reader_of(kind: DeliveryKind) -> Reader:
    """The ``read`` of the kind's own module, which has its name."""
    return cast("Reader", import_module(f"services.intake.readers.{kind.value}").read)
