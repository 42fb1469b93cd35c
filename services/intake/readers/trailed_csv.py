"""CSV files whose last line, ``TRL,{data rows}``, vouches for their length."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from services.intake.reading import RefusedDelivery

_TRAILER = "TRL"
_TRAILER_COLUMNS = 2
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


class TrailedCsv:
    """The data rows of one file, with their line numbers, after its header."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open(encoding="latin-1", newline="") as file:
            self.header = [label.strip() for label in next(self._checked(csv.reader(file, strict=True)), [])]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Raises :class:`RefusedDelivery` when the trailer is missing or miscounts, or anything follows it."""
        count, announced = 0, None
        with self._path.open(encoding="latin-1", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader, None)
            for row in self._checked(reader):
                if announced is not None:
                    raise RefusedDelivery("truncated_file", "there are rows after the trailer")
                if len(row) == _TRAILER_COLUMNS and row[0].strip() == _TRAILER:
                    announced = row[1].strip()
                elif row:
                    count += 1
                    yield reader.line_num, row
        if announced is None:
            raise RefusedDelivery("truncated_file", "the last line is no trailer")
        if not _WHOLE_NUMBER.fullmatch(announced) or int(announced) != count:
            raise RefusedDelivery("wrong_record_count", f"the file holds {count} rows, its trailer says otherwise")

    def _checked(self, rows: Iterator[list[str]]) -> Iterator[list[str]]:
        try:
            yield from rows
        except csv.Error as error:
            raise RefusedDelivery("truncated_file", "the file is no complete CSV file") from error
