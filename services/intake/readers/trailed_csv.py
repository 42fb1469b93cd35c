"""CSV files whose last line, ``TRL,{data rows}``, vouches for their length."""

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from services.intake.reading import RefusedDelivery

_TRAILER = "TRL"
_TRAILER_COLUMNS = 2
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
# The longest line of any list is some hundred characters; what has none must not fill the memory.
_LONGEST_LINE = 1 << 20
_OTHER_DELIMITERS = ";\t|"
# The longer mark first: it begins with the shorter one.
_WIDE_ENCODINGS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TrailedCsv:
    """The data rows of one file, with their line numbers, after its header. UTF-8, with or without a mark, or Latin-1."""

    def __init__(self, path: Path) -> None:
        self._path = path
        require_narrow(path)
        self.header = [label.strip() for label in next(self._checked(csv.reader(self._lines(), strict=True)), [])]
        if len(self.header) == 1 and any(mark in self.header[0] for mark in _OTHER_DELIMITERS):
            raise RefusedDelivery("wrong_delimiter", "the columns are not separated by commas")

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Raises :class:`RefusedDelivery` when the trailer is missing or miscounts, or anything follows it."""
        trailer = Trailer()
        reader = csv.reader(self._lines(), strict=True)
        next(reader, None)
        for row in self._checked(reader):
            if trailer.takes(row):
                yield reader.line_num, row
        trailer.require()

    def _lines(self) -> Iterator[str]:
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise RefusedDelivery("line_too_long", f"a line is longer than {_LONGEST_LINE} characters")
                yield line if line.isascii() else _mended(line)

    def _checked(self, rows: Iterator[list[str]]) -> Iterator[list[str]]:
        try:
            yield from rows
        except csv.Error as error:
            raise RefusedDelivery("truncated_file", "the file is no complete CSV file") from error


def require_narrow(path: Path) -> None:
    """Refuse a file of two or four bytes a character, which would be read as noise."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_WIDE_ENCODINGS) or (len(start) > 1 and 0 in start[:2]):
        raise RefusedDelivery("wrong_encoding", "the file is UTF-16 or UTF-32, expected is UTF-8 or Latin-1")


def _mended(line: str) -> str:
    """A line that is no UTF-8 is Latin-1."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode(errors="surrogateescape").decode("latin-1")
    return line


class Trailer:
    """Counts data rows until the trailer comes, and holds it to the count."""

    def __init__(self) -> None:
        self._count = 0
        self._announced: str | None = None

    def takes(self, row: list[str]) -> bool:
        """Whether it is a row of data: neither empty nor the trailer. Raises :class:`RefusedDelivery` behind that."""
        if not any(row):
            return False
        if self._announced is not None:
            raise RefusedDelivery("truncated_file", "there are rows after the trailer")
        if row[0].strip() == _TRAILER and len([field for field in row if field.strip()]) <= _TRAILER_COLUMNS:
            self._announced = row[1].strip() if len(row) > 1 else ""
            return False
        self._count += 1
        return True

    def require(self, *, optional: bool = False) -> None:
        """Raises :class:`RefusedDelivery` when the trailer is missing or miscounts."""
        if self._announced is None:
            if optional:
                return
            raise RefusedDelivery("truncated_file", "the last line is no trailer")
        if not _WHOLE_NUMBER.fullmatch(self._announced) or int(self._announced) != self._count:
            raise RefusedDelivery(
                "wrong_record_count", f"the file holds {self._count} rows, its trailer says otherwise"
            )
