"""Files that come over HTTP: streamed to disk, checked, and put into the inbox at once and whole, or not at all.

A file lies in a hidden folder of the inbox, which intake passes over, until it is complete, on disk for good and of a
known kind. Then its folder is renamed to the delivery's id, which is made of the content: of two uploads of the same
content, one is there first, and the other is it.
"""

import asyncio
import errno
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from contracts.identifiers import DeliveryId, holds_an_mbi
from services.intake.inbox import INCOMPLETE_SUFFIXES
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.registry import delivery_id, recognise

_UNFINISHED: Final = ".uploads"
_UPLOADED: Final = "uploads"
_BLOCK_BYTES: Final = 1 << 20
# A sender who says nothing for so long has gone.
IDLE_SECONDS: Final = 60.0
# What is left behind by a process that was killed; nobody uploads for longer.
_STALE_SECONDS: Final = 24 * 3600.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 #._()+,=@-]{0,199}")
_LONGEST_DISPOSITION: Final = 1000
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_OTHER_TYPE: Final = frozenset({"unrecognised_name", "unrecognised_content"})


class UploadRefused(Exception):  # noqa: N818 - it is a verdict about the upload, not an error of the program
    """Nothing of the upload stays. ``detail`` holds nothing that was sent."""

    def __init__(self, status: HTTPStatus, reason_code: str, detail: str) -> None:
        super().__init__(f"{reason_code}: {detail}")
        self.status = status
        self.detail = str(self)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that lies in the inbox, or did already: then ``known``."""

    delivery_id: DeliveryId
    name: str
    recognised: Recognised
    known: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """What is sent: the file's name, its size as far as the sender stated it, and its content as it comes."""

    name: str
    size: int | None
    blocks: AsyncIterator[bytes]


IsKnown = Callable[[DeliveryId], Awaitable[bool]]


def name_in(disposition: str | None) -> str:
    """The file's name out of a ``Content-Disposition``. Raises :class:`UploadRefused`."""
    message = Message()
    if disposition is not None and len(disposition) <= _LONGEST_DISPOSITION:
        message["content-disposition"] = disposition.replace("\r", " ").replace("\n", " ")
    name = message.get_filename()
    if name is None:
        raise UploadRefused(
            HTTPStatus.BAD_REQUEST, "name_missing", 'send the name as Content-Disposition: attachment; filename="..."'
        )
    if not _NAME.fullmatch(name) or name.endswith(INCOMPLETE_SUFFIXES):
        raise UploadRefused(
            HTTPStatus.UNPROCESSABLE_ENTITY, "name_not_allowed", "a file's name of plain letters, without a folder"
        )
    if holds_an_mbi(name):
        raise UploadRefused(
            HTTPStatus.UNPROCESSABLE_ENTITY, "identifier_in_name", "the name of the file holds a person's identifier"
        )
    return name


@dataclass(frozen=True, slots=True)
class Door:
    """Where uploads are taken, and up to which size."""

    inbox: Path
    most_bytes: int
    idle_seconds: float = IDLE_SECONDS

    async def take(self, upload: Upload, today: date, is_known: IsKnown) -> Uploaded:
        """Write an upload down and put it into the inbox, unless its content has been delivered before.

        Raises :class:`UploadRefused`. Whatever happens, nothing incomplete stays.
        """
        self._admit(upload.size)
        folder = self.inbox / _UNFINISHED / uuid4().hex
        path = folder / upload.name
        try:
            folder.mkdir(mode=0o700, parents=True)
            await self._write(path, upload.blocks)
            recognised = await asyncio.to_thread(recognise, path, today)
            identity = await asyncio.to_thread(delivery_id, recognised.kind, path)
            known = await is_known(identity) or not await asyncio.to_thread(self._put, folder, identity)
            return Uploaded(identity, upload.name, recognised, known)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise _no_space() from error
            raise
        except RefusedDelivery as refusal:
            other = refusal.reason_code in _OTHER_TYPE
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE if other else HTTPStatus.UNPROCESSABLE_ENTITY
            raise UploadRefused(status, refusal.reason_code, refusal.detail) from refusal
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _admit(self, announced: int | None) -> None:
        self._remove_stale()
        if announced is None:
            return
        if announced > self.most_bytes:
            raise self._too_large()
        if announced > shutil.disk_usage(self.inbox).free:
            raise _no_space()

    def _too_large(self) -> UploadRefused:
        return UploadRefused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"at most {self.most_bytes} bytes are taken"
        )

    def _remove_stale(self) -> None:
        for folder in (self.inbox / _UNFINISHED).glob("*"):
            try:
                stale = time.time() - folder.stat().st_mtime > _STALE_SECONDS
            except FileNotFoundError:  # another upload has just ended
                continue
            if stale:
                shutil.rmtree(folder, ignore_errors=True)

    async def _write(self, path: Path, blocks: AsyncIterator[bytes]) -> None:
        size, waiting = 0, bytearray()
        with path.open("xb", buffering=0) as file:
            while (block := await self._next(blocks)) is not None:
                size += len(block)
                if size > self.most_bytes:
                    raise self._too_large()
                waiting += block
                if len(waiting) >= _BLOCK_BYTES:
                    await asyncio.to_thread(_write_all, file, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(_write_all, file, bytes(waiting))
            await asyncio.to_thread(os.fsync, file.fileno())

    async def _next(self, blocks: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout(self.idle_seconds):
                return await anext(blocks, None)
        except TimeoutError:
            raise UploadRefused(HTTPStatus.REQUEST_TIMEOUT, "upload_idle", "nothing was sent for too long") from None

    def _put(self, folder: Path, identity: DeliveryId) -> bool:
        """Give the folder the name by which intake finds it. ``False``: the same content lies there."""
        uploaded = self.inbox / _UPLOADED
        uploaded.mkdir(mode=0o700, exist_ok=True)
        try:
            folder.rename(uploaded / identity)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            return False
        for changed in (uploaded / identity, uploaded, self.inbox):
            _flush_folder(changed)
        return True

    def waiting(self, identity: DeliveryId, today: date) -> Uploaded | None:
        """An uploaded file, whether intake has come to it or not."""
        path = next((self.inbox / _UPLOADED / identity).glob("*"), None)
        return None if path is None else Uploaded(identity, path.name, recognise(path, today), known=True)


def _no_space() -> UploadRefused:
    return UploadRefused(HTTPStatus.INSUFFICIENT_STORAGE, "no_space", "the disk of the inbox is full")


def _write_all(file: BinaryIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
