"""Office Open XML workbooks (.xlsx), sheet by sheet, row by row, as texts. No formula is ever computed or believed.

Dates become ``YYYY-MM-DD``, whole numbers lose their ``.0``, truth values become TRUE and FALSE. A cell that holds a
formula, or the error of one, gives its row up: what a spreadsheet computed is no statement of whoever sent it.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl

from services.intake.readers.workbook_package import require_workbook
from services.intake.reading import RefusedDelivery

MOST_COLUMNS = 256
_MOST_SHEETS = 100
_ROWS_AT_ONCE = 500
_FORMULA, _ERROR = "f", "e"
# Days are counted from here (1900 date system; the first of them is wrong in every spreadsheet and in no list of ours).
EPOCH = date(1899, 12, 30)
EPOCH_1904 = date(1904, 1, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that says nothing: its place in the row, and why."""

    place: int
    reason: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row as texts, and the first cell of it that is no statement."""

    number: int
    texts: list[str]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook. ``epoch`` is the day that serial numbers count from."""

    number: int
    hidden: bool
    epoch: date
    _cells: Any

    def rows(self) -> Iterator[SheetRow]:
        """Every row that is not empty, as it comes. Raises :class:`RefusedDelivery` when the sheet cannot be read."""
        # What a sheet declares of its own size may be wrong, and would hide rows.
        self._cells.reset_dimensions()
        rows = enumerate(self._cells.iter_rows(), start=1)
        while True:
            with _third_party():
                some = [_row(number, cells[:MOST_COLUMNS]) for number, cells in islice(rows, _ROWS_AT_ONCE)]
            if not some:
                return
            yield from (row for row in some if row.fault or any(row.texts))


@contextmanager
def sheets_of(path: Path) -> Iterator[list[Sheet]]:
    """The sheets of a workbook that hold cells. Raises :class:`RefusedDelivery`."""
    require_workbook(path)
    # The library leaves a file that it opened itself open where it cannot read it.
    with path.open("rb") as file:
        with _third_party():
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        try:
            yield _sheets(workbook)
        finally:
            workbook.close()


def _sheets(workbook: openpyxl.Workbook) -> list[Sheet]:
    worksheets = workbook.worksheets
    if len(worksheets) > _MOST_SHEETS:
        raise RefusedDelivery("archive_too_large", f"the workbook has more than {_MOST_SHEETS} sheets")
    epoch = EPOCH_1904 if workbook.epoch.year == EPOCH_1904.year else EPOCH
    return [
        Sheet(number, sheet.sheet_state != "visible", epoch, sheet) for number, sheet in enumerate(worksheets, start=1)
    ]


@contextmanager
def _third_party() -> Iterator[None]:
    """Whatever a damaged workbook makes the library raise is a verdict about the file; its warnings say nothing more."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RefusedDelivery:
        raise
    except Exception as damage:  # noqa: BLE001 - over hostile bytes the library raises nearly anything
        # Its message may quote a cell.
        raise RefusedDelivery("damaged_workbook", f"the workbook cannot be read ({type(damage).__name__})") from None


def _row(number: int, cells: Sequence[Any]) -> SheetRow:
    texts = [text_of(cell.value) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return SheetRow(number, texts, _fault(cells))


def _fault(cells: Iterable[Any]) -> Fault | None:
    for place, cell in enumerate(cells):
        if cell.data_type == _FORMULA:
            return Fault(place, "formula_in_cell")
        if cell.data_type == _ERROR:
            return Fault(place, "error_in_cell")
    return None


def text_of(value: object) -> str:
    """A cell's value as the text that a CSV file would hold."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
    return str(value).strip()
