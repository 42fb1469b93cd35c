"""Tables of text, as CSV or as Parquet, under one roof: labels, and numbered rows of texts that can be read twice.

What a table cannot be trusted with refuses the delivery: another encoding or delimiter, broken quotes, a doubled column.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Literal, Protocol, TextIO

from services.intake.readers.archive import LONGEST_LINE
from services.intake.readers.records import csv_rows
from services.intake.reading import RefusedDelivery

# What a column must hold, where the file itself knows types: text keeps leading zeros, an amount is never binary.
Kind = Literal["text", "day", "amount", "number"]
Numbered = tuple[int, Sequence[str]]

_LOOKED_AT_BYTES = 4096
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_DELIMITERS = ";|\t"


class Table(Protocol):
    """Rows under a header. ``size`` is about the bytes of the rows."""

    name: str
    header: list[str]
    size: int

    def rows(self) -> Iterator[Numbered]:
        """Every row with its number, from the first. Raises :class:`RefusedDelivery`."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV file is written. ``capitals``: labels are the same in small letters."""

    # Latin-1 never fails: a stray byte spoils its own field and no other.
    encoding: str = "latin-1"
    delimiter: str = ","
    capitals: bool = True


AS_TMSIS = CsvForm()


class CsvTable:
    """A CSV file. Numbers are those of the lines on which rows end."""

    def __init__(self, name: str, size: int, opened: Callable[[], IO[bytes]], form: CsvForm = AS_TMSIS) -> None:
        self.name = name
        self.size = size
        self._opened = opened
        self._form = form
        self._mark = 0
        self._open: list[IO[bytes]] = []
        with closing(opened()) as file:
            self._look_at(file.read(_LOOKED_AT_BYTES))
        labels = next(self._all(), (0, []))[1]
        self.header = [label.strip().upper() if form.capitals else label.strip() for label in labels]
        self._check_header()

    def rows(self) -> Iterator[Numbered]:
        """Every row that is not the header."""
        rows = self._all()
        next(rows, None)
        return rows

    def close(self) -> None:
        """Let go of what a reading that was broken off has left open."""
        while self._open:
            self._open.pop().close()

    def _look_at(self, start: bytes) -> None:
        if start.startswith(_UTF_16_MARKS) or b"\x00" in start:
            raise RefusedDelivery("wrong_encoding", f"{self.name} is no text of single bytes or UTF-8")
        self._mark = len(_UTF_8_MARK) if start.startswith(_UTF_8_MARK) else 0

    def _check_header(self) -> None:
        if len(self.header) == 1 and any(sign in self.header[0] for sign in _OTHER_DELIMITERS):
            raise RefusedDelivery("wrong_delimiter", f"{self.name} does not separate its columns as expected")
        check_labels(self.name, self.header)

    def _all(self) -> Iterator[Numbered]:
        file = self._opened()
        self._open.append(file)
        try:
            file.read(self._mark)
            text = TextIOWrapper(file, encoding=self._form.encoding, newline="")
            with closing(text):
                yield from csv_rows(self._lines(text), self._form.delimiter)
        except csv.Error as error:
            raise RefusedDelivery("truncated_file", f"{self.name} is no complete CSV file") from error
        except UnicodeDecodeError as error:
            raise RefusedDelivery("wrong_encoding", f"{self.name} is not in the encoding that it should be") from error
        finally:
            file.close()

    def _lines(self, text: TextIO) -> Iterator[str]:
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise RefusedDelivery("line_too_long", f"{self.name} has a line of more than {LONGEST_LINE} characters")
            yield line


def check_labels(name: str, labels: Sequence[str]) -> None:
    """Raises :class:`RefusedDelivery` where a label stands twice."""
    if len(set(labels)) != len(labels):
        raise RefusedDelivery("duplicate_column", f"{name} names a column twice")
