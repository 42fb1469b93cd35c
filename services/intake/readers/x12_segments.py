"""X12 interchanges as a stream of segments. Knows delimiters, nothing of envelopes or of what a transaction set says.

Source: ASC X12.5 interchange control structures, X12.6 application control structure: ISA is 106 characters, its
elements have fixed lengths, and its delimiters are those of the interchange. A file may hold several interchanges.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from services.intake.reading import RefusedDelivery

_HEADER_LENGTH = 106
_ELEMENT_SEPARATORS_AT = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_REPETITION_AT, _COMPONENT_AT, _TERMINATOR_AT = 82, 104, 105
_CHUNK_BYTES = 64 * 1024
# No segment of a claim or an enrolment comes near this; a longer one means that the terminator is not what ISA says.
_LONGEST_SEGMENT = 16 * 1024
# Between segments stand line ends, now and then a tab or blanks, and the end-of-file mark of old systems.
_BETWEEN = "\r\n\t \x1a"
# X12 allows any single byte; Latin-1 reads every byte and writes it back unchanged.
_ENCODING = "latin-1"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_ENCODINGS = {b"I\x00S": "UTF-16", b"\x00I\x00": "UTF-16", "ISA".encode("cp037"): "EBCDIC"}
_LETTERS_OF_ISA = 3


class Separators(NamedTuple):
    """The delimiters of one interchange. ``repetition`` is ``None`` in versions before 00402, which have none."""

    element: str
    repetition: str | None
    component: str
    terminator: str


class Segment(NamedTuple):
    """One segment; ``number`` counts from 1 at the file's first ISA, ``elements[0]`` is the segment's name."""

    number: int
    elements: list[str]
    separators: Separators

    @property
    def name(self) -> str:
        """ISA, GS, ST, INS and so on."""
        return self.elements[0]

    @property
    def raw(self) -> bytes:
        """The segment as it stands in the file, without its terminator."""
        return self.separators.element.join(self.elements).encode(_ENCODING)

    def element(self, position: int) -> str:
        """Give the element at X12's own position (``INS03`` is 3), blank when the segment is shorter."""
        return self.elements[position].strip() if position < len(self.elements) else ""

    def components(self, position: int) -> list[str]:
        """Give the parts of a composite element (``SV101``), at least one."""
        return [part.strip() for part in self.element(position).split(self.separators.component)]

    def repetitions(self, position: int) -> list[str]:
        """Give the repeated values of an element, at least one."""
        text, separator = self.element(position), self.separators.repetition
        return [text] if separator is None else text.split(separator)


def beginning(start: bytes) -> str | None:
    """The text of a file's first bytes from ISA on; ``None`` when it is no X12.

    Raises :class:`RefusedDelivery` for X12 in an encoding that no byte-wise reader can take apart.
    """
    bare = start.removeprefix(_UTF8_MARK).lstrip(_BETWEEN.encode())
    encoding = _OTHER_ENCODINGS.get(bare[:_LETTERS_OF_ISA])
    if encoding is None and start.startswith(_UTF16_MARKS) and start[2:8].replace(b"\x00", b"") == b"ISA":
        encoding = "UTF-16"
    if encoding is not None:
        raise RefusedDelivery("wrong_encoding", f"X12 in {encoding}; one byte a character is read, as in ASCII")
    return bare.decode(_ENCODING) if bare.startswith(b"ISA") else None


def separators_of(header: str) -> Separators:
    """The delimiters that an ISA segment with its terminator declares. Raises :class:`RefusedDelivery`."""
    if len(header) < _HEADER_LENGTH or not header.startswith("ISA"):
        raise RefusedDelivery("not_x12", "the file does not begin with a whole ISA segment")
    element = header[3]
    places = tuple(place for place, character in enumerate(header[:_HEADER_LENGTH]) if character == element)
    if places != _ELEMENT_SEPARATORS_AT:
        raise RefusedDelivery("wrong_delimiters", "the elements of ISA do not have their fixed lengths")
    component, terminator = header[_COMPONENT_AT], header[_TERMINATOR_AT]
    if component == terminator or any(mark.isalnum() or mark == " " for mark in (element, component, terminator)):
        raise RefusedDelivery("wrong_delimiters", "a delimiter that ISA declares is a letter, a digit, blank or double")
    repetition = header[_REPETITION_AT]
    return Separators(element, None if repetition.isalnum() else repetition, component, terminator)


def segments(path: Path) -> Iterator[Segment]:
    """Every segment of a file, a chunk in memory at a time. Raises :class:`RefusedDelivery` when it is no X12."""
    for number, text, separators in texts(path):
        yield Segment(number, text.split(separators.element), separators)


def texts(path: Path) -> Iterator[tuple[int, str, Separators]]:
    """Every segment's number and text, not yet cut into elements, with the delimiters of its interchange."""
    number = 0
    with path.open("rb") as file:
        stream = _Stream(file)
        while (separators := stream.next_interchange(number)) is not None:
            for text in stream.texts(separators, number):
                number += 1
                yield number, text, separators


class _Stream:
    """A file's text, taken interchange by interchange."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        start = file.read(_CHUNK_BYTES)
        text = beginning(start)
        if text is None:
            raise RefusedDelivery("not_x12", "the file does not begin with a whole ISA segment")
        self._ahead = text

    def next_interchange(self, before: int) -> Separators | None:
        """The delimiters of the interchange that comes; ``None`` at the end of the file."""
        self._ahead = self._ahead.lstrip(_BETWEEN)
        while len(self._ahead) < _HEADER_LENGTH and (chunk := self._chunk()):
            self._ahead = (self._ahead + chunk).lstrip(_BETWEEN)
        if not self._ahead:
            return None
        if before and not self._ahead.startswith("ISA"):
            raise RefusedDelivery("envelope_broken", f"what follows IEA at segment {before} is no interchange")
        return separators_of(self._ahead)

    def texts(self, separators: Separators, before: int) -> Iterator[str]:
        """The segments up to IEA. Raises :class:`RefusedDelivery` when the file ends inside of one."""
        last, rest, count = "IEA" + separators.element, self._ahead, before
        self._ahead = ""
        while True:
            *whole, rest = rest.split(separators.terminator)
            for place, piece in enumerate(whole):
                if text := piece.strip(_BETWEEN):
                    count += 1
                    yield text
                    if text.startswith(last):
                        self._ahead = separators.terminator.join((*whole[place + 1 :], rest))
                        return
            if len(rest) > _LONGEST_SEGMENT:
                raise RefusedDelivery("segment_too_long", f"segment {count + 1} has no terminator")
            if not (chunk := self._chunk()):
                break
            rest += chunk
        if rest.strip(_BETWEEN):
            raise RefusedDelivery("truncated", f"the file ends inside of segment {count + 1}")

    def _chunk(self) -> str:
        return self._file.read(_CHUNK_BYTES).decode(_ENCODING)
