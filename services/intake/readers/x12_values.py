"""Elements of X12 segments as days, cents and codes; what is none becomes a defect that names place and shape only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from services.intake.readers.fields import Unreadable, cents, compact_day
from services.intake.readers.masking import shape_of
from services.intake.readers.x12_segments import Segment
from services.intake.reading import Defect

Value = TypeVar("Value")
# Years whose every month, and the month after, is a month of the contracts.
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2098, 12, 31)
_LETTERS_OF_STATE = 2
_DAY = "CCYYMMDD"
EXPECTED_DAY = f"a day as {_DAY}"
EXPECTED_AMOUNT = "dollars with at most two decimals"


class ElementError(ValueError):
    """An element that cannot be read. Never holds its text."""

    def __init__(self, segment: Segment, name: str, reason: str, found: str = "", expected: str | None = None) -> None:
        super().__init__(f"{name}: {reason}")
        self.segment = segment
        self.name = name
        self.reason = reason
        self.found = shape_of(found) if found else None
        self.expected = expected


@dataclass(slots=True)
class Defects:
    """The defects found in one loop, in order."""

    file: str
    found: list[Defect] = field(default_factory=list)

    def add(self, segment: Segment, name: str, reason: str, found: str = "", expected: str | None = None) -> None:
        """Remember one. ``found`` is told by its shape only."""
        shape = shape_of(found) if found else None
        self.found.append(Defect(self.file, segment.number, name, reason, segment.raw, shape, expected))

    def add_error(self, error: ElementError) -> None:
        """Remember an element that could not be read."""
        segment = error.segment
        told = (error.name, error.reason, segment.raw, error.found, error.expected)
        self.found.append(Defect(self.file, segment.number, *told))

    def or_none(self, read: Callable[[], Value | None]) -> Value | None:
        """The value, or ``None`` and a defect."""
        try:
            return read()
        except ElementError as error:
            self.add_error(error)
            return None


def converted(
    segment: Segment, text: str, name: str, convert: Callable[[str], Value | None], expected: str
) -> Value | None:
    """What a converter makes of an element's text. Raises :class:`ElementError`."""
    try:
        return convert(text)
    except Unreadable as unreadable:
        raise ElementError(segment, name, unreadable.reason, text, expected) from None


def day(segment: Segment, text: str, name: str) -> date | None:
    """``CCYYMMDD``; ``None`` when blank or the end of time (99991231). Raises :class:`ElementError`."""
    value = converted(segment, text, name, compact_day, EXPECTED_DAY)
    if value is not None and not _FIRST_DAY <= value <= _LAST_DAY:
        raise ElementError(segment, name, "date_out_of_range", text, f"a day from {_FIRST_DAY} to {_LAST_DAY}")
    return value


def period(segment: Segment, qualifier: str, text: str, name: str) -> tuple[date | None, date | None]:
    """The first and the last day of an element of format D8 (one day), RD8 (two) or DT (a day and a time)."""
    if qualifier == "RD8":
        first, dash, last = text.partition("-")
        if not dash:
            raise ElementError(segment, name, "not_a_period", text, f"two days as {_DAY}-{_DAY}")
        return day(segment, first.strip(), name), day(segment, last.strip(), name)
    only = day(segment, text[: len(_DAY)] if qualifier == "DT" else text, name)
    return only, only


def amount(segment: Segment, position: int, name: str) -> int | None:
    """Dollars as cents; ``None`` when blank. Raises :class:`ElementError`."""
    return converted(segment, segment.element(position), name, cents, EXPECTED_AMOUNT)


def required_amount(segment: Segment, position: int, name: str) -> int:
    """Dollars as cents. Raises :class:`ElementError`, also when blank."""
    value = amount(segment, position, name)
    if value is None:
        raise ElementError(segment, name, "missing", expected=EXPECTED_AMOUNT)
    return value


def name_text(text: str) -> str | None:
    """A name as the sender wrote it: UTF-8 where it is that, else one byte a character."""
    try:
        read = text.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        read = text.strip()
    return read.replace("\x00", "") or None


def is_code(text: str) -> bool:
    """Whether a text can be one that is published as it stands: printable ASCII without an escape."""
    return text.isascii() and text.isprintable() and "\\" not in text


def state_letters(text: str) -> str | None:
    """A state's two letters."""
    letters = text.strip().upper()
    return letters if len(letters) == _LETTERS_OF_STATE and letters.isascii() and letters.isalpha() else None
