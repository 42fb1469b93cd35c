"""Parquet files as tables of text, scanned by DuckDB in bounded memory.

Types are part of what a Parquet file says: a code that was stored as a number has lost its zeros, and a dollar that was
stored as a binary fraction is no longer exact. Such a column refuses the delivery rather than being repaired.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import duckdb

from services.intake.readers.tables import Kind, Numbered, check_labels
from services.intake.reading import RefusedDelivery

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_ROWS_A_FETCH = 4_096
_BYTES_A_CELL = 16
_WHOLE = r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)"
_ADMITTED: dict[Kind, re.Pattern[str]] = {
    "text": re.compile("VARCHAR"),
    "day": re.compile("VARCHAR|DATE"),
    "amount": re.compile(rf"VARCHAR|{_WHOLE}|DECIMAL\(\d+,\d+\)"),
    "number": re.compile(rf"VARCHAR|{_WHOLE}"),
}
_SETTINGS = {
    "memory_limit": "256MB",
    "threads": "2",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class ParquetTable:
    """The columns of a Parquet file that are asked for. Numbers are those of the rows, from 1."""

    def __init__(self, name: str, path: Path, wanted: Mapping[str, Kind], spill: Path) -> None:
        self.name = name
        self._path = str(path)
        self._spill = str(spill)
        _check_magic(name, path)
        types = self._described()
        check_labels(name, [label.upper() for label in types])
        self._columns = [label for label in types if label.upper() in wanted]
        for label in self._columns:
            kind = wanted[label.upper()]
            if not _ADMITTED[kind].fullmatch(types[label]):
                raise RefusedDelivery("wrong_column_type", f"{name}: {label.upper()} is no column of kind {kind}")
        self.header = [label.upper() for label in self._columns]
        self.size = self._count() * len(self._columns) * _BYTES_A_CELL

    def rows(self) -> Iterator[Numbered]:
        """Every row."""
        cells = ", ".join(f"coalesce(CAST({_quoted(label)} AS VARCHAR), '')" for label in self._columns)
        # Labels of the file are quoted; nothing else is put in.
        query = f"SELECT {cells or 'NULL'} FROM read_parquet(?)"  # noqa: S608
        return enumerate(self._fetched(query), 1)

    def _described(self) -> dict[str, str]:
        rows = list(self._fetched("DESCRIBE SELECT * FROM read_parquet(?)"))
        return {row[0]: row[1] for row in rows}

    def _count(self) -> int:
        rows = list(self._fetched("SELECT CAST(sum(num_rows) AS VARCHAR) FROM parquet_file_metadata(?)"))
        return int(rows[0][0] or 0)

    def _fetched(self, query: str) -> Iterator[tuple[str, ...]]:
        try:
            with closing(duckdb.connect(config={**_SETTINGS, "temp_directory": self._spill})) as connection:
                found = connection.execute(query, [self._path])
                while rows := found.fetchmany(_ROWS_A_FETCH):
                    yield from rows
        except duckdb.Error as error:
            raise RefusedDelivery("corrupted_parquet", f"{self.name} is no readable Parquet file") from error


def _check_magic(name: str, path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
        file.seek(0, 2)
        file.seek(max(0, file.tell() - len(_MAGIC)))
        end = file.read()
    if _ENCRYPTED in {start, end}:
        raise RefusedDelivery("encrypted_file", f"{name} is an encrypted Parquet file")
    if (start, end) != (_MAGIC, _MAGIC):
        raise RefusedDelivery("corrupted_parquet", f"{name} is no whole Parquet file")


def _quoted(label: str) -> str:
    return '"' + label.replace('"', '""') + '"'
