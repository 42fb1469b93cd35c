"""Zip archives read as a stream; whatever is wrong with one is a reason to refuse the delivery."""

import errno
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from services.intake.reading import RefusedDelivery

_BUFFER_BYTES = 1 << 20


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive. Damage found now or while a member is read refuses the delivery."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, OSError) as damage:
        # A directory that points outside of its file shows as EINVAL; any other error is the machine's, not the file's.
        if isinstance(damage, OSError) and damage.errno != errno.EINVAL:
            raise
        raise RefusedDelivery("corrupted_archive", f"not a readable zip archive ({type(damage).__name__})") from damage


def members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files in the archive by name. Raises :class:`RefusedDelivery` for folders, doubles and encryption."""
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.is_dir() or "/" in info.filename or info.filename in found or info.flag_bits & 1:
            raise RefusedDelivery("unexpected_member", "the archive holds a folder, a double or an encrypted member")
        found[info.filename] = info
    return found


def physical_lines(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The lines of a member, with their line ends."""
    with archive.open(info) as member, BufferedReader(member, _BUFFER_BYTES) as buffered:  # type: ignore[type-var]
        yield from buffered
