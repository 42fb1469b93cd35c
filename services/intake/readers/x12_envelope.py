"""Whether the envelopes of an X12 file close as they opened: ISA-IEA, GS-GE, ST-SE, and what they count.

A count that promises more than there is means that a part is missing: the delivery is refused. A count that promises
less, and a count of segments that is off by one as in files that states publish, lose nothing: they are told.
Source: ASC X12.5; ASC X12N 005010 implementation guides, appendix B (control segments).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.intake.readers.x12_segments import Segment, texts
from services.intake.reading import Defect, RefusedDelivery

_TOLERATED_MISCOUNT = 1
# X12 counts segments with ten digits, groups and transaction sets with fewer.
_COUNT = re.compile(r"[0-9]{1,10}")
_TRAILER_OF = {"ISA": "IEA", "GS": "GE", "ST": "SE"}
_HEADER_OF = {trailer: header for header, trailer in _TRAILER_OF.items()}
_DEPTH_OF = {"ISA": 0, "GS": 1, "ST": 2}
_CONTROL_NUMBER_AT = {"ISA": 13, "GS": 6, "ST": 2}
_INSIDE = len(_TRAILER_OF)
_ACKNOWLEDGEMENT = "TA1"
_TEST, _PRODUCTION = "T", "P"
_MISCOUNTED = {"GE": "transaction_set_count_too_small", "IEA": "group_count_too_small"}


class ControlTotals(Protocol):
    """What a transaction set says of its own content, and what is counted. A new one for each transaction set."""

    def take(self, segment: Segment) -> None:
        """A segment of one of the names asked for. Raises :class:`RefusedDelivery`."""

    def judged(self, file: str) -> Iterator[Defect]:
        """At the end of the transaction set. Raises :class:`RefusedDelivery` when a part is missing."""


class NoTotals:
    """A transaction set that counts nothing of its content."""

    def take(self, segment: Segment) -> None:
        """Nothing is asked for."""

    def judged(self, _file: str) -> Iterator[Defect]:
        """Nothing is counted."""
        return iter(())


@dataclass(frozen=True, slots=True)
class TransactionRules:
    """Which transaction sets a reader takes: ST01, how ST03 begins, and whether a sender's tests (ISA15) are taken.

    ``watched`` holds the first three characters of the segments that ``totals`` asks for.
    """

    code: str
    implementations: tuple[str, ...]
    tests: bool
    watched: frozenset[str] = frozenset()
    totals: Callable[[], ControlTotals] = NoTotals


def check(path: Path, rules: TransactionRules) -> list[Defect]:
    """Follow a file's envelopes to its last segment. Raises :class:`RefusedDelivery`."""
    envelope = _Envelope(path.name, rules)
    for number, text, separators in texts(path):
        name = text.partition(separators.element)[0]
        if name in _ENVELOPE:
            envelope.step(Segment(number, text.split(separators.element), separators))
        elif not envelope.inside and name != _ACKNOWLEDGEMENT:
            raise RefusedDelivery("envelope_broken", f"a segment outside of ST and SE at {number}")
        elif name in rules.watched:
            envelope.totals.take(Segment(number, text.split(separators.element), separators))
    envelope.finish()
    return envelope.told


_ENVELOPE = frozenset((*_TRAILER_OF, *_HEADER_OF))


class _Envelope:
    """Follows ISA, GS, ST and their trailers, and refuses what does not close as it opened."""

    def __init__(self, file: str, rules: TransactionRules) -> None:
        self._file = file
        self._rules = rules
        self._open: list[Segment] = []
        self._counted: list[int] = []
        self.inside = False
        self.totals: ControlTotals = NoTotals()
        self.told: list[Defect] = []

    def step(self, segment: Segment) -> None:
        """Take one control segment."""
        if segment.name in _TRAILER_OF:
            self._open_with(segment)
        else:
            self._close_with(segment)
        self.inside = len(self._open) == _INSIDE

    def finish(self) -> None:
        """Say that the file is at its end."""
        if self._open:
            raise RefusedDelivery("truncated", f"{self._open[0].name} is not closed at the end of the file")

    def _open_with(self, segment: Segment) -> None:
        if len(self._open) != _DEPTH_OF[segment.name]:
            raise RefusedDelivery("envelope_broken", f"{segment.name} out of place at segment {segment.number}")
        if segment.name == "ISA":
            self._judge_usage(segment)
        elif segment.name == "ST":
            self._judge_set(segment)
            self.totals = self._rules.totals()
        if self._counted:
            self._counted[-1] += 1
        self._open.append(segment)
        self._counted.append(0)

    def _judge_usage(self, segment: Segment) -> None:
        usage = segment.element(15)
        if usage == _TEST and not self._rules.tests:
            raise RefusedDelivery(
                "test_interchange", f"ISA15 at segment {segment.number}: the sender says it is a test"
            )
        if usage not in {_TEST, _PRODUCTION}:
            raise RefusedDelivery("envelope_broken", f"ISA15 at segment {segment.number} is neither P nor T")

    def _judge_set(self, segment: Segment) -> None:
        if segment.element(1) != self._rules.code:
            raise RefusedDelivery(
                "wrong_transaction_set", f"ST01 at segment {segment.number} is not {self._rules.code}"
            )
        if not segment.element(3).startswith(self._rules.implementations):
            expected = " or ".join(self._rules.implementations)
            raise RefusedDelivery("wrong_implementation", f"ST03 at segment {segment.number} is not {expected}")

    def _close_with(self, trailer: Segment) -> None:
        header = self._open.pop() if self._open else trailer
        if header.name != _HEADER_OF[trailer.name]:
            raise RefusedDelivery("truncated", f"{header.name} is not closed before {trailer.name} at {trailer.number}")
        if header.element(_CONTROL_NUMBER_AT[header.name]) != trailer.element(2):
            raise RefusedDelivery("envelope_broken", f"control numbers of {header.name} and {trailer.name} differ")
        counted = self._counted.pop()
        if trailer.name == "SE":
            self._judge_segments(trailer, trailer.number - header.number + 1)
            self.told += self.totals.judged(self._file)
        else:
            self._judge_members(trailer, counted)

    def _judge_segments(self, trailer: Segment, counted: int) -> None:
        off = _count(trailer) - counted
        if off > _TOLERATED_MISCOUNT:
            raise RefusedDelivery("truncated", f"SE01 at segment {trailer.number} counts {off} more than there are")
        if off < -_TOLERATED_MISCOUNT:
            raise RefusedDelivery("wrong_count", f"SE01 at segment {trailer.number} counts {-off} fewer than there are")
        if off:
            self._tell(trailer, "segment_count_off_by_one", counted)

    def _judge_members(self, trailer: Segment, counted: int) -> None:
        stated = _count(trailer)
        if stated > counted:
            raise RefusedDelivery("truncated", f"{trailer.name}01 counts {stated}, there are {counted}")
        if stated < counted:
            self._tell(trailer, _MISCOUNTED[trailer.name], counted)

    def _tell(self, trailer: Segment, reason: str, counted: int) -> None:
        field, stated = f"{trailer.name}01", str(_count(trailer))
        self.told.append(
            Defect(self._file, trailer.number, field, reason, trailer.raw, stated, f"{counted} as counted")
        )


def _count(trailer: Segment) -> int:
    text = trailer.element(1)
    if not _COUNT.fullmatch(text):
        raise RefusedDelivery("envelope_broken", f"{trailer.name}01 at segment {trailer.number} is not a number")
    return int(text)
