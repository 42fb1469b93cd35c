"""A declared mapping from the columns of a record to the fields of a model, for fixed width and for CSV."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from operator import call, itemgetter
from typing import Any

from pydantic import ValidationError

from services.intake.readers.fields import Converter, Unreadable

_REMEMBERED_TEXTS = 4096


@dataclass(frozen=True, slots=True)
class Column:
    """``element`` (the source's label) becomes ``name`` (the model's field) by ``convert``.

    ``repeats`` is false where nearly every record has another text: remembering it would cost and never help.
    """

    name: str
    element: str
    convert: Converter
    repeats: bool = True


class FieldError(ValueError):
    """A field of a record is no value: the source's label (``None``: the record as a whole) and why."""

    def __init__(self, element: str | None, reason: str) -> None:
        super().__init__(f"{element}: {reason}")
        self.element = element
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a published layout; positions count from 1 and include the end."""

    label: str
    start: int
    end: int


@cache
def layout(file: str, record: str = "data") -> tuple[Element, ...]:
    """The elements of a CCLF record, as published (CCLF Information Packet v36.0)."""
    with files("contracts.wire").joinpath("cclf_layouts.csv").open(encoding="utf-8") as rows:
        return tuple(
            Element(row["label"], int(row["start"]), int(row["end"]))
            for row in csv.DictReader(rows)
            if (row["file"], row["record"]) == (file, record)
        )


def element_of(file: str, label: str) -> Callable[[str], str]:
    """Takes one element's text out of a record."""
    found = next(element for element in layout(file) if element.label == label)
    return itemgetter(slice(found.start - 1, found.end))


def elements_of(file: str, labels: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Takes several elements' texts, at least two, out of a record."""
    places = {element.label: slice(element.start - 1, element.end) for element in layout(file)}
    return itemgetter(*(places[label] for label in labels))


def record_length(file: str, record: str = "data") -> int:
    """Length of a CCLF record without its line end."""
    return layout(file, record)[-1].end


class RecordParser:
    """Turns one record into checked values. At least two columns."""

    def __init__(
        self, columns: Sequence[Column], pick: Callable[[Any], tuple[str, ...]], length: int, wrong_length: str
    ) -> None:
        self._length = length
        self._wrong_length = wrong_length
        self._columns = tuple(columns)
        self._pick = pick
        self._names = tuple(column.name for column in columns)
        # Most fields hold few texts, over and over: a third of the time of converting each again.
        self._converts = tuple(
            lru_cache(maxsize=_REMEMBERED_TEXTS)(column.convert) if column.repeats else column.convert
            for column in columns
        )

    @classmethod
    def fixed_width(cls, file: str, columns: Sequence[Column], record: str = "data") -> "RecordParser":
        """For a CCLF record given as text."""
        places = {element.label: slice(element.start - 1, element.end) for element in layout(file, record)}
        pick = itemgetter(*(places[column.element] for column in columns))
        return cls(columns, pick, record_length(file, record), "wrong_length")

    @classmethod
    def delimited(cls, header: Sequence[str], columns: Sequence[Column]) -> "RecordParser":
        """For a row of a CSV file with this header. Raises :class:`FieldError` when a column is not there."""
        places = {label.strip(): place for place, label in enumerate(header)}
        missing = next((column.element for column in columns if column.element not in places), None)
        if missing is not None:
            raise FieldError(missing, "missing_column")
        pick = itemgetter(*(places[column.element] for column in columns))
        return cls(columns, pick, len(header), "wrong_number_of_columns")

    def __call__(self, record: Sequence[str]) -> dict[str, Any]:
        """The model's fields. Raises :class:`FieldError`."""
        if len(record) != self._length:
            raise FieldError(None, self._wrong_length)
        texts = self._pick(record)
        try:
            return dict(zip(self._names, map(call, self._converts, texts), strict=True))
        except Unreadable:
            raise self._first_error(texts) from None

    def _first_error(self, texts: tuple[str, ...]) -> FieldError:
        for column, field in zip(self._columns, texts, strict=True):
            try:
                column.convert(field)
            except Unreadable as unreadable:
                return FieldError(column.element, unreadable.reason)
        raise AssertionError("a converter failed once and not again")

    @property
    def elements(self) -> Mapping[str, str]:
        """The source's label of each field."""
        return {column.name: column.element for column in self._columns}


def field_error(failure: ValidationError, elements: Mapping[str, str]) -> FieldError:
    """What a model refused, in the source's words; the value itself is left out."""
    first = failure.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    return FieldError(elements.get(name, name or None), "not_in_code_list" if "literal" in first["type"] else "invalid")


def csv_rows(lines: Iterator[str], delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file with the number of the line on which each ends."""
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    for row in reader:
        yield reader.line_num, row
