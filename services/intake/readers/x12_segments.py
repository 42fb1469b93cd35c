"""X12 interchanges as a stream of segments. Knows delimiters and envelopes, nothing of what a transaction set says.

Source: ASC X12.5 interchange control structures, X12.6 application control structure (ISA is 106 bytes, fixed).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.intake.reading import RefusedDelivery

_HEADER_BYTES = 106
_CHUNK_BYTES = 64 * 1024
# No enrolment segment comes near this; a longer one means that the terminator is not what ISA says.
_LONGEST_SEGMENT = 16 * 1024
# X12 counts segments with ten digits, groups and transaction sets with fewer.
_COUNT = re.compile(r"[0-9]{1,10}")
# X12 allows any single byte; Latin-1 reads every byte and writes it back unchanged.
_ENCODING = "latin-1"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; ``number`` counts from 1 at ISA, ``elements[0]`` is the segment's name."""

    number: int
    elements: tuple[str, ...]
    raw: bytes

    @property
    def name(self) -> str:
        """ISA, GS, ST, INS and so on."""
        return self.elements[0]

    def element(self, position: int) -> str:
        """Give the element at X12's own position (``INS03`` is 3), blank when the segment is shorter."""
        return self.elements[position].strip() if position < len(self.elements) else ""


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """What the envelope of one ST-SE says about itself, and what was counted."""

    file: str
    implementation: str
    end: Segment
    segments_stated: int
    segments_counted: int


def segments(path: Path) -> Iterator[Segment]:
    """Every segment of a file, a chunk in memory at a time. Raises :class:`RefusedDelivery` when it is no X12."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or not header.startswith(b"ISA"):
            raise RefusedDelivery("not_x12", "the file does not begin with a whole ISA segment")
        separator, terminator = header[3:4].decode(_ENCODING), header[105:106]
        yield _segment(1, header[:105], separator)
        for number, raw in enumerate(_raw_segments(file, terminator), start=2):
            yield _segment(number, raw, separator)


def _segment(number: int, raw: bytes, separator: str) -> Segment:
    return Segment(number, tuple(raw.decode(_ENCODING).split(separator)), raw)


def _raw_segments(file: BinaryIO, terminator: bytes) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(terminator)
        yield from filter(None, (raw.strip(b"\r\n\t ") for raw in whole))
        if len(rest) > _LONGEST_SEGMENT:
            raise RefusedDelivery("not_x12", "a segment has no terminator")
    if rest.strip():
        raise RefusedDelivery("truncated", "the file ends inside a segment")


class _Envelope:
    """Follows ISA, GS, ST and their trailers, and refuses what does not close as it opened."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[Segment] = []
        self._counted: list[int] = []
        self._closed = False

    def step(self, segment: Segment) -> TransactionSet | None:
        """Take one segment; a transaction set comes back when it has closed."""
        if self._closed:
            raise RefusedDelivery("envelope_broken", "something follows IEA")
        if segment.name in _TRAILER_OF:
            self._open_with(segment)
        elif segment.name in _HEADER_OF:
            return self._close_with(segment)
        elif len(self._open) != len(_TRAILER_OF):
            raise RefusedDelivery("envelope_broken", f"a segment outside ST and SE at {segment.number}")
        return None

    def finish(self) -> None:
        """Say that the file is at its end."""
        if not self._closed:
            raise RefusedDelivery("truncated", "the interchange has no IEA")

    def _open_with(self, segment: Segment) -> None:
        if len(self._open) != _DEPTH_OF[segment.name]:
            raise RefusedDelivery("envelope_broken", f"{segment.name} out of place at segment {segment.number}")
        if self._counted:
            self._counted[-1] += 1
        self._open.append(segment)
        self._counted.append(0)

    def _close_with(self, trailer: Segment) -> TransactionSet | None:
        header = self._open.pop() if self._open else trailer
        if header.name != _HEADER_OF[trailer.name]:
            raise RefusedDelivery("truncated", f"{header.name} is not closed before {trailer.name}")
        if header.element(_CONTROL_NUMBER_AT[header.name]) != trailer.element(2):
            raise RefusedDelivery("envelope_broken", f"control numbers of {header.name} and {trailer.name} differ")
        counted = self._counted.pop()
        if trailer.name == "SE":
            counted = trailer.number - header.number + 1
            return TransactionSet(self._file, header.element(3), trailer, _count(trailer), counted)
        if _count(trailer) != counted:
            raise RefusedDelivery("truncated", f"{trailer.name} counts other than the {counted} that there are")
        self._closed = trailer.name == "IEA"
        return None


_TRAILER_OF = {"ISA": "IEA", "GS": "GE", "ST": "SE"}
_HEADER_OF = {trailer: header for header, trailer in _TRAILER_OF.items()}
_DEPTH_OF = {"ISA": 0, "GS": 1, "ST": 2}
_CONTROL_NUMBER_AT = {"ISA": 13, "GS": 6, "ST": 2}


def _count(trailer: Segment) -> int:
    text = trailer.element(1)
    if not _COUNT.fullmatch(text):
        raise RefusedDelivery("envelope_broken", f"{trailer.name}01 is not a number")
    return int(text)


def transaction_sets(path: Path, set_code: str) -> Iterator[TransactionSet]:
    """Check a file's envelopes to its last segment. Every transaction set must be of ``set_code``, such as 834."""
    envelope = _Envelope(path.name)
    for segment in segments(path):
        if segment.name == "ST" and segment.element(1) != set_code:
            raise RefusedDelivery("wrong_transaction_set", f"ST01 is not {set_code}")
        if (closed := envelope.step(segment)) is not None:
            yield closed
    envelope.finish()
