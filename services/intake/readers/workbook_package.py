"""Whether a file may be opened as a workbook: its container, its size unpacked, and what it carries besides cells."""

import zipfile
import zlib
from pathlib import Path

from services.intake.reading import RefusedDelivery

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_MAGIC = b"PK\x03\x04"
# A stream of this name holds the workbook that a password protects (MS-OFFCRYPTO, 2.3.4.4).
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ENCRYPTED_MEMBER = 0x1
_LOOKED_AT_BYTES = 1 << 20
# The largest sheet there can be, a million rows of twenty columns, is below the first; texts are held in memory.
MOST_BYTES = 1 << 30
MOST_TEXT_BYTES = 1 << 27
_MOST_MEMBERS = 1_000
_TEXTS = "xl/sharedstrings.xml"
_CONTENTS = "[content_types].xml"
_MACROS = "vbaproject.bin"
_BINARY = "xl/workbook.bin"


def require_workbook(path: Path) -> None:
    """Raises :class:`RefusedDelivery` for anything but a plain Office Open XML workbook of a bearable size."""
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT_BYTES)
    if start.startswith(_OLE_MAGIC):
        raise _of_old_container(start)
    if not start.startswith(_ZIP_MAGIC):
        raise RefusedDelivery("mislabelled_file", "the name is of a workbook, the content is none")
    try:
        with zipfile.ZipFile(path) as package:
            _require_bearable(package.infolist())
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as damage:
        raise RefusedDelivery("corrupted_archive", "not a readable workbook") from damage


def _of_old_container(start: bytes) -> RefusedDelivery:
    if _ENCRYPTED in start:
        return RefusedDelivery("encrypted_workbook", "the workbook is protected by a password")
    return RefusedDelivery("old_workbook", "a binary workbook (.xls), expected is Office Open XML (.xlsx)")


def _require_bearable(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename.lower() for member in members]
    if any(member.flag_bits & _ENCRYPTED_MEMBER for member in members):
        raise RefusedDelivery("encrypted_workbook", "the workbook is protected by a password")
    if any(name.endswith(_MACROS) for name in names):
        raise RefusedDelivery("workbook_with_macros", "the workbook carries macros")
    if _BINARY in names:
        raise RefusedDelivery("old_workbook", "a binary workbook (.xlsb), expected is Office Open XML (.xlsx)")
    if _CONTENTS not in names:
        raise RefusedDelivery("mislabelled_file", "the name is of a workbook, the content is another archive")
    texts = sum(member.file_size for member in members if member.filename.lower() == _TEXTS)
    # What a member declares is all that is ever read of it.
    if sum(member.file_size for member in members) > MOST_BYTES or texts > MOST_TEXT_BYTES:
        raise RefusedDelivery("archive_too_large", f"the workbook unpacks to more than {MOST_BYTES} bytes")
    if len(members) > _MOST_MEMBERS:
        raise RefusedDelivery("archive_too_large", f"the workbook has more than {_MOST_MEMBERS} parts")
