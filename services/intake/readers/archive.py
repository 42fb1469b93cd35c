"""Zip archives read as a stream; whatever is wrong with one is a reason to refuse the delivery."""

import errno
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from services.intake.reading import RefusedDelivery

_BUFFER_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Far above any record; what is longer is a file without line ends, which must not fill the memory.
LONGEST_LINE = 1 << 20
# A month of a large entity is some 20 GB; whoever announces more than this sends something else.
MOST_UNPACKED_BYTES = 256 << 30
# Blank-filled records shrink to a twentieth, sometimes a hundredth; only a bomb comes near the thousandth that the
# method can do. Small members are not worth a look.
MOST_TIMES_SMALLER = 400
_SMALL_BYTES = 64 << 20


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
    refuse_bombs(found.values())
    return found


def refuse_bombs(infos: Collection[zipfile.ZipInfo]) -> None:
    """By the announced sizes: a member that holds more than it announces ends there, and its checksum is wrong."""
    if sum(info.file_size for info in infos) > MOST_UNPACKED_BYTES:
        raise RefusedDelivery("archive_too_large", f"the archive announces more than {MOST_UNPACKED_BYTES} bytes")
    for info in infos:
        if info.file_size > _SMALL_BYTES and info.file_size > MOST_TIMES_SMALLER * info.compress_size:
            raise RefusedDelivery("archive_too_large", f"a member is packed more than {MOST_TIMES_SMALLER} times")


def physical_lines(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The lines of a member, with their line ends, without a byte-order mark. Raises :class:`RefusedDelivery`."""
    with archive.open(info) as member, BufferedReader(member, _BUFFER_BYTES) as buffered:  # type: ignore[type-var]
        first = True
        while line := buffered.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                raise RefusedDelivery("line_too_long", f"a line of more than {LONGEST_LINE} bytes")
            yield line.removeprefix(_BYTE_ORDER_MARK) if first else line
            first = False


@contextmanager
def member_blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Callable[[int], bytes]]:
    """Reads a member in blocks of any size."""
    with archive.open(info) as member:
        yield member.read
