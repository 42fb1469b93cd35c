"""Cuts the lines of a CCLF file into their used fields and deals them out by person, at the speed of memory.

A file of tens of millions of lines is never held: it comes in blocks, each block is one array of bytes, and what is
cut of it goes to a scratch file without a name, in as many shares as are needed for one to fit into memory. All lines
of a person, of every file, lie in the share of the same number.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Final

import numpy as np
import numpy.typing as npt

from services.intake.readers.records import Column, Element, layout
from services.intake.reading import RefusedDelivery

Bytes = npt.NDArray[np.uint8]

DELIMITER: Final = "\x1f"
BLOCK_BYTES: Final = 4 << 20
# No record is nearly as long: a file without line ends is none of these.
_LONGEST_LINE = 1 << 16
_FLUSH_BYTES = 1 << 16
_LINE_DIGITS = 10
_NEWLINE, _RETURN = 10, 13
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E
# They would have to be escaped in JSON, and stand in no code, date, amount or number.
_SPECIAL = b'"\\'
_SAME_IN_BOTH_CASES = 0xDF
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_SHIFT = np.uint64(33)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A line that is not even cut: its number, the element in which the fault stands, and the reason."""

    line: int
    element: str | None
    reason: str


class Shares:
    """What was cut of one file, by share, in a scratch file that has no name and vanishes with the process."""

    def __init__(self, file: IO[bytes], count: int) -> None:
        self._file = file
        self._waiting: list[list[bytes]] = [[] for _ in range(count)]
        self._sizes = [0] * count
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self.bytes = [0] * count

    def add(self, share: int, rows: bytes) -> None:
        """Keep rows in a share, behind those that are there."""
        self._waiting[share].append(rows)
        self._sizes[share] += len(rows)
        self.bytes[share] += len(rows)
        if self._sizes[share] >= _FLUSH_BYTES:
            self._flush(share)

    def _flush(self, share: int) -> None:
        self._places[share].append((self._file.tell(), self._sizes[share]))
        self._file.writelines(self._waiting[share])
        self._waiting[share], self._sizes[share] = [], 0

    def settle(self) -> None:
        """All has been added."""
        for share, size in enumerate(self._sizes):
            if size:
                self._flush(share)
        self._file.flush()

    def write_share(self, share: int, target: IO[bytes]) -> None:
        """Write a share out, its rows in their order. Several threads may do so when all is settled."""
        for place, size in self._places[share]:
            target.write(os.pread(self._file.fileno(), size, place))


@dataclass(slots=True)
class Cutter:
    """Cuts one file. ``length`` is that of its records, which may end behind any element of the layout."""

    file: str
    columns: Sequence[Column]
    length: int
    shares: Shares
    count: int
    flaws: list[Flaw] = field(default_factory=list)
    lines: int = 0
    broken: int = 0
    cut_short: bool = False
    _elements: tuple[Element, ...] = field(init=False)
    _template: Bytes = field(init=False)
    _key: slice = field(init=False)

    def __post_init__(self) -> None:
        places = {element.label: element for element in layout(self.file)}
        self._elements = tuple(places[column.element] for column in self.columns)
        template = bytearray()
        for column, element in zip(self.columns, self._elements, strict=True):
            width = element.end - element.start + 1
            if column.name == "mbi":
                self._key = slice(len(template), len(template) + width)
            template += b" " * width + DELIMITER.encode()
        template += b"0" * _LINE_DIGITS + b"\n"
        self._template = np.frombuffer(bytes(template), dtype=np.uint8)

    def cut(self, read: Callable[[int], bytes]) -> Iterator[int]:
        """Cut everything that ``read`` gives; yields the bytes of each block. Raises :class:`RefusedDelivery`."""
        rest = b""
        first = True
        while block := read(BLOCK_BYTES):
            size = len(block)
            if first:
                block, first = block.removeprefix(_BYTE_ORDER_MARK), False
            end = block.rfind(b"\n") + 1
            if not end and len(rest) + len(block) > _LONGEST_LINE:
                raise RefusedDelivery("wrong_record_length", f"{self.file} has no line ends")
            self._cut_lines(rest + block[:end])
            rest = block[end:] if end else rest + block
            yield size
        if rest:
            self.cut_short = len(rest) < self.length
            self._cut_lines(rest + b"\n")

    def _cut_lines(self, text: bytes) -> None:
        """Cut whole lines."""
        for width in (self.length + 1, self.length + 2):
            rows, odd = divmod(len(text), width)
            if odd or text.count(b"\n") != rows:
                continue
            records = np.frombuffer(text, dtype=np.uint8).reshape(rows, width)
            carriage = records[:, self.length : width - 1]
            if (records[:, -1] == _NEWLINE).all() and (carriage == _RETURN).all():
                self._take(records[:, : self.length], np.arange(self.lines + 1, self.lines + rows + 1))
                self.lines += rows
                return
        self._cut_one_by_one(text)

    def _cut_one_by_one(self, text: bytes) -> None:
        whole: list[bytes] = []
        numbers: list[int] = []
        for line in text.removesuffix(b"\n").split(b"\n") if text else ():
            self.lines += 1
            record = line.rstrip(b"\r")
            if len(record) == self.length:
                whole.append(record)
                numbers.append(self.lines)
            else:
                self.broken += 1
                self.flaws.append(Flaw(self.lines, None, "wrong_length"))
        if whole:
            records = np.frombuffer(b"".join(whole), dtype=np.uint8).reshape(len(whole), self.length)
            self._take(records, np.array(numbers))

    def _take(self, records: Bytes, numbers: npt.NDArray[np.int64]) -> None:
        cut = np.empty((len(records), len(self._template)), dtype=np.uint8)
        cut[:] = self._template
        place = 0
        for element in self._elements:
            width = element.end - element.start + 1
            # An element behind the end of a shorter record was never given.
            if element.end <= self.length:
                cut[:, place : place + width] = records[:, element.start - 1 : element.end]
            place += width + 1
        for digit in range(_LINE_DIGITS):
            cut[:, place + digit] = ord("0") + numbers // 10 ** (_LINE_DIGITS - 1 - digit) % 10
        self._deal(self._without_unexpected(cut, numbers))

    def _without_unexpected(self, cut: Bytes, numbers: npt.NDArray[np.int64]) -> Bytes:
        """Leave out lines in whose fields a character stands that no code, date, amount or number has."""
        unexpected = (cut < _FIRST_PRINTABLE) | (cut > _LAST_PRINTABLE)
        for special in _SPECIAL:
            unexpected |= cut == special
        # The delimiters and the line end are the only ones that belong there.
        if np.count_nonzero(unexpected) == len(cut) * (len(self._elements) + 1):
            return cut
        wrong = np.count_nonzero(unexpected, axis=1) > len(self._elements) + 1
        for row in np.flatnonzero(wrong):
            self.flaws.append(Flaw(int(numbers[row]), self._first_unexpected(unexpected[row]), "unexpected_character"))
        kept: Bytes = cut[~wrong]
        return kept

    def _first_unexpected(self, unexpected: npt.NDArray[np.bool_]) -> str | None:
        place = 0
        for element in self._elements:
            width = element.end - element.start + 1
            if unexpected[place : place + width].any():
                return element.label
            place += width + 1
        return None

    def _deal(self, cut: Bytes) -> None:
        if self.count == 1:
            self.shares.add(0, cut.tobytes())
            return
        share = _share_of(cut[:, self._key], self.count)
        order = np.argsort(share, kind="stable")
        dealt = cut[order]
        ends = np.searchsorted(share[order], np.arange(self.count), side="right")
        start = 0
        for number, end in enumerate(ends.tolist()):
            if end > start:
                self.shares.add(number, dealt[start:end].tobytes())
            start = end


def _share_of(keys: Bytes, count: int) -> npt.NDArray[np.int64]:
    """A number below ``count`` for each key, the same for capitals and small letters."""
    padded = np.zeros((len(keys), 16), dtype=np.uint8)
    padded[:, : keys.shape[1]] = keys & _SAME_IN_BOTH_CASES
    halves = padded.view(np.uint64)
    mixed = halves[:, 0] * _MULTIPLIERS[0] ^ halves[:, 1] * _MULTIPLIERS[1]
    mixed = (mixed ^ (mixed >> _SHIFT)) * _MULTIPLIERS[0]
    share: npt.NDArray[np.int64] = ((mixed >> _SHIFT) % np.uint64(count)).astype(np.int64)
    return share


def scratch(stack: ExitStack) -> IO[bytes]:
    """A file without a name: it is gone when it is closed, and when the process is killed."""
    return stack.enter_context(tempfile.TemporaryFile())


def width_of(file: str, columns: Sequence[Column]) -> int:
    """Bytes of a cut line."""
    places = {element.label: element for element in layout(file)}
    fields = (places[column.element] for column in columns)
    return sum(element.end - element.start + 2 for element in fields) + _LINE_DIGITS + 1
