"""Which reader a path needs, told by its name and its first bytes; what is neither is refused with a reason."""

import hashlib
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import IO, cast

from contracts.delivery import DeliveryKind
from contracts.identifiers import holds_an_mbi
from services.intake.reading import Reader, Recognised, RefusedDelivery
from services.intake.recognition.fhir import fhir
from services.intake.recognition.identity import identity
from services.intake.recognition.listed import listed
from services.intake.recognition.medicaid import medicaid
from services.intake.recognition.x12 import x12
from services.intake.recognition.zipped import zipped

_LOOKED_AT_BYTES = 4096
_BLOCK_BYTES = 1 << 20

# Each gives ``None`` for what is not of its family, and raises where a file of its family is not what it says. States'
# own files are told last: a mapping that cannot be read stands in the way of nothing else.
Recogniser = Callable[[Path, bytes, date], Recognised | None]
RECOGNISERS: tuple[Recogniser, ...] = (identity, zipped, x12, listed, fhir, medicaid)


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
    for recognises in RECOGNISERS:
        found = recognises(path, start, received_on)
        if found is not None:
            return found
    raise RefusedDelivery("unrecognised_name", "neither name nor content is of a known kind")


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
