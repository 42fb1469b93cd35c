"""A zip of T-MSIS files: which are there, in which form, and how many rows each must hold.

Names are those of ``docs/files.md`` or those of CMS's own tables (TAF_OTH, TAF_ANN_DE_BASE); each file is CSV or Parquet.
The files may lie in one folder. ``TMSIS_CONTROL.csv`` names every file with its rows.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from services.intake.readers.archive import opened, refuse_bombs
from services.intake.readers.fields import required, text, whole_number
from services.intake.readers.parquet import ParquetTable
from services.intake.readers.records import Column, FieldError, RecordParser
from services.intake.readers.tables import CsvTable, Kind, Numbered, Table
from services.intake.reading import RefusedDelivery

CONTROL = "TMSIS_CONTROL.csv"
_FORMS = (".csv", ".parquet")
_CONTROL_COLUMNS = (
    Column("file", "FILE_NAME", required(text)),
    Column("records", "RECORD_COUNT", required(whole_number)),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive, by the name that the reader knows it under."""

    name: str
    form: str
    records: int
    info: zipfile.ZipInfo


class Delivered:
    """The files of one archive."""

    def __init__(self, archive: zipfile.ZipFile, members: Mapping[str, Member], folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._tables: list[CsvTable] = []
        self.members = members

    def table(self, part: str, wanted: Mapping[str, Kind]) -> Table:
        """The file known as ``part``. Of a Parquet file only the columns that are wanted are read."""
        member = self.members[part]
        if member.form == ".csv":
            self._tables.append(CsvTable(member.name, member.info.file_size, self._opener(member.info)))
            return self._tables[-1]
        path = self._folder / part
        with self._archive.open(member.info) as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        return ParquetTable(member.name, path, wanted, self._folder)

    def close(self) -> None:
        """Let go of every table."""
        for table in self._tables:
            table.close()

    def _opener(self, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: self._archive.open(info)

    def counted(self, part: str, table: Table) -> Iterator[Numbered]:
        """Every row. Raises :class:`RefusedDelivery` at the end where the control file says another number."""
        count = 0
        for row in table.rows():
            count += 1
            yield row
        if count != self.members[part].records:
            raise RefusedDelivery(
                "wrong_record_count", f"{table.name} holds {count} rows, the control file says otherwise"
            )


@contextmanager
def delivered(path: Path, known: Mapping[str, str]) -> Iterator[Delivered]:
    """The archive's files. ``known`` gives each file's part by its name without ending.

    Raises :class:`RefusedDelivery` for what is not known, doubled, not there or not in the control file.
    """
    with opened(path) as archive, tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        found = _flat(archive)
        control = _control(archive, found.pop(CONTROL, None))
        if not all(_part(name, known) for name in (*control, *found)):
            raise RefusedDelivery("unexpected_member", "the archive or its control file names an unknown file")
        if control.keys() != found.keys():
            raise RefusedDelivery("missing_member", "the control file and the archive do not name the same files")
        with closing(Delivered(archive, _members(found, control, known), Path(folder))) as files:
            yield files


def _flat(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files by name, out of the one folder that all of them may lie in."""
    found: dict[str, zipfile.ZipInfo] = {}
    folders: set[str] = set()
    for info in archive.infolist():
        if info.is_dir() and _is_plain(info.filename.rstrip("/"), 1):
            continue
        place = PurePosixPath(info.filename)
        if info.is_dir() or not _is_plain(info.filename, 2) or place.name in found or info.flag_bits & 1:
            raise RefusedDelivery("unexpected_member", "the archive holds folders, a double or an encrypted member")
        folders.add(str(place.parent))
        found[place.name] = info
    refuse_bombs(found.values())
    if len(folders) > 1:
        raise RefusedDelivery("unexpected_member", "the files do not lie in one folder")
    return found


def _is_plain(name: str, most_parts: int) -> bool:
    parts = name.split("/")
    return len(parts) <= most_parts and "\\" not in name and not any(part in {"", ".", ".."} for part in parts)


def _control(archive: zipfile.ZipFile, info: zipfile.ZipInfo | None) -> dict[str, int]:
    if info is None:
        raise RefusedDelivery("missing_member", f"{CONTROL} is not in the archive")
    try:
        with closing(CsvTable(CONTROL, info.file_size, lambda: archive.open(info))) as table:
            parser = RecordParser.delimited(table.header, _CONTROL_COLUMNS)
            entries: list[dict[str, Any]] = [parser(row) for _, row in table.rows()]
    except FieldError as error:
        raise RefusedDelivery("unreadable_control_file", f"{CONTROL}: {error}") from error
    control = {values["file"]: values["records"] for values in entries}
    if len(control) != len(entries):
        raise RefusedDelivery("unreadable_control_file", f"{CONTROL} names a file more than once")
    return control


def _members(
    found: Mapping[str, zipfile.ZipInfo], control: Mapping[str, int], known: Mapping[str, str]
) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for name, info in found.items():
        part = _part(name, known)
        if part in members:
            raise RefusedDelivery("unexpected_member", f"{part} is there more than once")
        members[part] = Member(name, PurePosixPath(name).suffix.lower(), control[name], info)
    return members


def _part(name: str, known: Mapping[str, str]) -> str:
    """What a file is known as; nothing where it is not known."""
    place = PurePosixPath(name)
    return known.get(place.stem.upper(), "") if place.suffix.lower() in _FORMS else ""
