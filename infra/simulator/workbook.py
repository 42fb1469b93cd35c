"""Workbooks whose bytes follow from what stands in them: no clock, no name of a program."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import openpyxl

WRITTEN = (2022, 1, 1, 0, 0, 0)
PROPERTIES = "docProps/core.xml"


def write_workbook(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One sheet with a heading."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Report")
    sheet.append(list(heading))
    for row in rows:
        sheet.append(list(row))
    made = io.BytesIO()
    book.save(made)
    _without_clock(made, path)


def _without_clock(made: io.BytesIO, path: Path) -> None:
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, WRITTEN)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            target.writestr(entry, EMPTY_PROPERTIES if name == PROPERTIES else source.read(name))


EMPTY_PROPERTIES = (
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)
