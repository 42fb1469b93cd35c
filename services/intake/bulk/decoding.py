"""Bytes from the wire into lines of JSON, checked to be whole, and into a compressed file that is always the same.

A connection may end early without anybody saying so: then the compressed stream does not end, or the last line is
none. Files are compressed anew without name and time, so that the same content is the same file whenever it is fetched.
"""

import gzip
import json
import zlib
from typing import IO, Final

_GZIP_WINDOW: Final = 31
_LEVEL: Final = 1
# The start of a line is enough to see that it is an object, its end only matters for the last.
_LAST_LINE_KEPT: Final = 4 * 1024 * 1024


class Damaged(Exception):  # noqa: N818 - a verdict about a file
    """The text says what is wrong, and nothing of the content."""


class Plain:
    """Bytes as they come."""

    def feed(self, block: bytes) -> bytes:
        """The block."""
        return block

    def finish(self) -> None:
        """Nothing can be missing that this would notice."""


class Unzipped:
    """A gzip stream, of one member or more."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    def feed(self, block: bytes) -> bytes:
        """What the block holds. Raises :class:`Damaged`."""
        found = []
        try:
            while block:
                if self._member.eof:
                    self._member = zlib.decompressobj(_GZIP_WINDOW)
                found.append(self._member.decompress(block))
                block = self._member.unused_data
        except zlib.error:
            raise Damaged("the compressed stream is broken") from None
        return b"".join(found)

    def finish(self) -> None:
        """Raises :class:`Damaged` where the stream has not ended."""
        if not self._member.eof:
            raise Damaged("the compressed stream ends in its middle")


def decoder_of(encoding: str | None) -> Plain | Unzipped:
    """What undoes the Content-Encoding. Raises :class:`Damaged` for one that was not asked for."""
    if encoding in (None, "", "identity"):
        return Plain()
    if encoding in ("gzip", "x-gzip"):
        return Unzipped()
    raise Damaged("the content is encoded in a way that was not asked for")


class ResourceFile:
    """Writes resources, one a line, into a gzip file, and looks that they are such."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zipped = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0)
        self._last = bytearray()
        self._begun = False
        self.lines = 0
        self.plain_bytes = 0

    def write(self, block: bytes) -> None:
        """Add a block. Raises :class:`Damaged` where the file does not begin with an object."""
        if not self._begun and (start := block.lstrip()):
            if not start.startswith(b"{"):
                raise Damaged("the content is no list of resources")
            self._begun = True
        self.plain_bytes += len(block)
        self.lines += block.count(b"\n")
        self._remember(block)
        self._zipped.write(block)

    def _remember(self, block: bytes) -> None:
        at = block.rfind(b"\n")
        if at >= 0:
            self._last.clear()
        self._last += block[at + 1 :]
        if len(self._last) > _LAST_LINE_KEPT:
            raise Damaged("a line is longer than any resource")

    def close(self) -> None:
        """End the file. Raises :class:`Damaged` where the last line is cut off."""
        if self._last.strip():
            try:
                json.loads(self._last)
            except ValueError:
                raise Damaged("the last line is cut off") from None
            self._zipped.write(b"\n")
            self.lines += 1
        self._zipped.close()
