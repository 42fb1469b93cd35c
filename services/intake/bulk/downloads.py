"""One file from the server to disk: whole, or not under its name. Repeated where the connection or the content breaks."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import httpx

from services.intake.bulk.api import GONE, OK, Api
from services.intake.bulk.decoding import Damaged, ResourceFile, decoder_of
from services.intake.bulk.failures import BulkFailure, FileDamaged, FileGone, RequestRefused
from services.intake.bulk.sending import SERVER_TROUBLE, TOO_MANY, USUAL_PAUSE_SECONDS, unreachable

_BLOCK: Final = 1 << 20
# Anything else (a page for signing in) is no data, however it begins.
_KINDS: Final = frozenset(
    {
        "",
        "application/fhir+ndjson",
        "application/ndjson",
        "application/x-ndjson",
        "application/fhir+json",
        "application/json",
        "application/gzip",
        "application/octet-stream",
        "text/plain",
    }
)
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that is whole on disk. ``sha256`` and ``file_bytes`` are of the file, ``lines`` of what is in it."""

    sha256: str
    file_bytes: int
    lines: int


@dataclass(frozen=True, slots=True)
class _Again:
    """The server wants the file to be asked for again."""

    pause: float | None


async def download(api: Api, url: str, part: Path, told: Told) -> Whole:
    """Fetch a file into ``part``. ``told`` hears how many bytes have come.

    Raises :class:`FileGone`, :class:`FileDamaged`, :class:`Unreachable`.
    """
    trouble: BulkFailure | None = None
    pauses = iter(api.sender.pauses)
    while True:
        try:
            found = await _once(api, url, part, told)
        except httpx.TransportError as error:
            trouble, asked = unreachable(url, error), None
        except Damaged as why:
            trouble, asked = FileDamaged(f"A file did not come whole, however often asked for: {why}."), None
        else:
            if isinstance(found, Whole):
                return found
            trouble, asked = (
                FileDamaged("The server does not hand a file out. Try again later; nothing is lost."),
                found,
            )
        pause = next(pauses, None)
        if pause is None:
            raise trouble
        await api.sender.patience.wait((asked.pause if asked is not None else None) or pause)


async def _once(api: Api, url: str, part: Path, told: Told) -> Whole | _Again:
    async with api.file(url) as response:
        status = response.status_code
        if status in GONE:
            raise FileGone("A file of the export is gone: files are kept for 24 hours.")
        if status == TOO_MANY:
            return _Again(api.sender.pause_asked_for(response.headers) or USUAL_PAUSE_SECONDS)
        if status >= SERVER_TROUBLE:
            return _Again(api.sender.pause_asked_for(response.headers))
        if status != OK:
            raise RequestRefused(f"The server refuses a file of the export ({status}).")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _KINDS:
            raise Damaged("the content is of another type than resources")
        return await _written(response, part, told)


async def _written(response: httpx.Response, part: Path, told: Told) -> Whole:
    decoder = decoder_of(response.headers.get("content-encoding"))
    with private_file(part) as file:
        resources = ResourceFile(file)
        async for block in response.aiter_raw():
            resources.write(decoder.feed(block))
            told(response.num_bytes_downloaded)
        decoder.finish()
        resources.close()
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    return Whole(checksum(part), size, resources.lines)


def private_file(path: Path) -> IO[bytes]:
    """A new, empty file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
