"""Records that belong together but do not stand together, brought together in bounded memory.

A file that is small enough is grouped in memory. A larger one is first dealt out over anonymous temporary files
by a hash of the key, and these are grouped one after the other: every group lies in exactly one of them.
"""

import marshal
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any
from zlib import crc32

# Python holds a line in about twice its size; three of these at once stay far below the limit of 300 MB.
LARGEST_IN_MEMORY = 32 * 1024 * 1024
_ROWS_A_BLOCK = 512
_LENGTH_BYTES = 4

# What is grouped: nothing but texts, numbers and tuples or lists of them.
Row = tuple[Any, ...]
Key = Callable[[Row], Hashable]


def grouped(rows: Iterable[Row], key: Key, size: int, largest: int = LARGEST_IN_MEMORY) -> Iterator[list[Row]]:
    """Rows of equal key together, each group in the order of ``rows``. ``size`` is about their bytes."""
    count = -(-size // largest)
    if count <= 1:
        yield from _groups(rows, key)
        return
    with ExitStack() as stack:
        parts = [_Part(stack.enter_context(tempfile.TemporaryFile())) for _ in range(count)]
        for row in rows:
            parts[crc32(repr(key(row)).encode()) % count].add(row)
        for part in parts:
            yield from _groups(part.rows(), key)


def _groups(rows: Iterable[Row], key: Key) -> Iterator[list[Row]]:
    groups: dict[Hashable, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    yield from groups.values()


class _Part:
    """One share of the rows, on disk."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._block: list[Row] = []

    def add(self, row: Row) -> None:
        self._block.append(row)
        if len(self._block) == _ROWS_A_BLOCK:
            self._write()

    def _write(self) -> None:
        block = marshal.dumps(self._block)
        self._file.write(len(block).to_bytes(_LENGTH_BYTES, "big"))
        self._file.write(block)
        self._block = []

    def rows(self) -> Iterator[Row]:
        self._write()
        self._file.seek(0)
        while length := self._file.read(_LENGTH_BYTES):
            # Written by this process into a file without a name: nobody else can have changed it.
            yield from marshal.loads(self._file.read(int.from_bytes(length, "big")))  # noqa: S302
