"""Lists as CSV files or workbooks, row by row, by the layout that their own header names."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.identifiers import MbiError, normalise_mbi
from services.intake.readers.column_maps import Layout, fitting, layouts_of, normal_label
from services.intake.readers.masking import shape_of
from services.intake.readers.records import FieldError, RecordParser, field_error
from services.intake.readers.trailed_csv import TrailedCsv, Trailer
from services.intake.readers.workbook import Fault, Sheet, SheetRow, sheets_of
from services.intake.reading import Defect, PersonReference, Reading, RefusedDelivery, Source

WORKBOOK_SUFFIX = ".xlsx"
# Above the header of a workbook may stand a title, a date, a legend.
_HEADER_WITHIN = 20
_MOST_UNKNOWN_TOLD = 20
# A row's values, by the fields of its layout, become readings. A FieldError among them is told, and the row is read.
Interpreter = Callable[[dict[str, Any]], Iterable[Reading | FieldError]]
# Fields that a contract names otherwise than the layouts do.
_SAME_AS = {"first_month": "first_day", "last_month": "last_day"}


def listed(source: Source, interpret: Interpreter) -> Iterator[Reading]:
    """Every row of a list as readings, those that cannot be read as defects. Raises :class:`RefusedDelivery`."""
    path = source.paths[0]
    if path.suffix.lower() == WORKBOOK_SUFFIX:
        with sheets_of(path) as sheets:
            yield from _of_workbook(source, sheets, interpret)
    else:
        yield from _of_csv(source, path, interpret)


def _of_csv(source: Source, path: Path, interpret: Interpreter) -> Iterator[Reading]:
    rows = TrailedCsv(path)
    labels = [normal_label(label) for label in rows.header]
    layout = fitting(layouts_of(source.kind), labels)
    if layout is None:
        raise RefusedDelivery("unknown_layout", "no layout of this kind has the columns of the header")
    table = _Table(source, path.name, layout, labels, interpret)
    yield from table.header_defects(1)
    for number, row in rows:
        yield from table.readings(number, row, None)


def _of_workbook(source: Source, sheets: Sequence[Sheet], interpret: Interpreter) -> Iterator[Reading]:
    found = [(sheet, header) for sheet in sheets if (header := _header(source, sheet)) is not None]
    shown = [(sheet, header) for sheet, header in found if not sheet.hidden]
    if not shown:
        reason = "hidden_sheet" if found else "unknown_layout"
        raise RefusedDelivery(reason, "no sheet that can be seen has the columns of a layout of this kind")
    if len({layout.version for _, (_, layout) in shown}) > 1:
        raise RefusedDelivery("ambiguous_layout", "the sheets have different layouts")
    name = source.paths[0].name
    for sheet, (row, _) in found:
        if sheet.hidden:
            expected = "a sheet that can be seen"
            yield Defect(f"{name}, sheet {sheet.number}", row.number, None, "hidden_sheet", b"", None, expected)
    for sheet, (row, layout) in shown:
        yield from _of_sheet(source, sheet, row, layout, interpret)


def _header(source: Source, sheet: Sheet) -> tuple[SheetRow, Layout] | None:
    """The row that names a layout's columns, and the layout."""
    layouts = layouts_of(source.kind)
    for row in islice(sheet.rows(), _HEADER_WITHIN):
        layout = fitting(layouts, [normal_label(label) for label in row.texts])
        if layout is not None:
            return row, layout
    return None


def _of_sheet(
    source: Source, sheet: Sheet, header: SheetRow, layout: Layout, interpret: Interpreter
) -> Iterator[Reading]:
    labels = [normal_label(label) for label in header.texts]
    name = f"{source.paths[0].name}, sheet {sheet.number}"
    table = _Table(source, name, layout, labels, interpret, sheet.epoch)
    yield from table.header_defects(header.number)
    trailer = Trailer()
    for row in sheet.rows():
        if row.number > header.number and trailer.takes(row.texts):
            padded = row.texts + [""] * (len(labels) - len(row.texts))
            yield from table.readings(row.number, padded, row.fault)
    trailer.require(optional=True)


class _Table:
    """The rows under one header."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a table is made of
        self,
        source: Source,
        name: str,
        layout: Layout,
        labels: Sequence[str],
        interpret: Interpreter,
        epoch: date | None = None,
    ) -> None:
        layout.require(labels, source.dated)
        self._name, self._layout, self._labels, self._interpret = name, layout, labels, interpret
        self._parser = RecordParser.delimited(labels, layout.columns_in(labels, epoch))
        self._label_of = {column.field: column.label for column in layout.columns}
        for name_in_contract, field in _SAME_AS.items():
            self._label_of.setdefault(name_in_contract, self._label_of.get(field, field))
        self._expected = layout.expected()

    def header_defects(self, number: int) -> Iterator[Defect]:
        """Columns that the layout does not know and that are not read."""
        raw = _joined(self._labels)
        for label in self._layout.unknown(self._labels)[:_MOST_UNKNOWN_TOLD]:
            expected = f"the columns of layout {self._layout.version}"
            yield Defect(self._name, number, label, "unknown_column", raw, None, expected)

    def readings(self, number: int, row: list[str], fault: Fault | None) -> Iterator[Reading]:
        """What a row says, or why it says nothing."""
        if fault is not None:
            label = self._labels[fault.place] if fault.place < len(self._labels) else None
            yield Defect(self._name, number, label or None, fault.reason, _joined(row), None, "a value")
            return
        try:
            found = list(self._interpret(self._parser(row)))
        except FieldError as error:
            # The parser tells of labels, interpreters of fields.
            found = [FieldError(self._label_of.get(error.element or "", error.element), error.reason)]
        except ValidationError as failure:
            found = [field_error(failure, self._label_of)]
        for reading in found:
            yield self._defect(number, row, reading) if isinstance(reading, FieldError) else reading

    def _defect(self, number: int, row: list[str], error: FieldError) -> Defect:
        label = self._label_of.get(error.element or "", error.element)
        shape = None
        if label in self._labels and self._labels.index(label) < len(row):
            shape = shape_of(row[self._labels.index(label)])
        elif label is None:
            shape = f"{len(row)} columns"
        expected = f"{len(self._labels)} columns" if label is None else self._expected.get(label)
        return Defect(self._name, number, label, error.reason, _joined(row), shape, expected)


def _joined(row: Sequence[str]) -> bytes:
    return ",".join(row).encode(errors="replace")


def mbi_reference(source: Source, mbi: str) -> PersonReference:
    """The person that a row is about. Raises :class:`FieldError`."""
    try:
        return PersonReference("mbi", normalise_mbi(mbi, synthetic=source.synthetic_identifiers))
    except MbiError:
        raise FieldError("mbi", "not_an_mbi") from None


def require_own(values: dict[str, Any], entity: str, period_field: str | None = None, period: str = "") -> None:
    """Refuse a file whose rows are of another entity or period than its name says."""
    if values["entity_id"] != entity or (period_field is not None and values[period_field] != period):
        raise RefusedDelivery("mislabelled_file", "the rows are of another entity or period than the file's name")
