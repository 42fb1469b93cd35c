"""Claims of a CCLF delivery, read at volume: cut and dealt out by person, then read, joined and grouped in DuckDB.

DuckDB works on one share at a time, in bounded memory and without files of its own. What it gives are the claims of a
person, encoded as they stand in events, and the number and fault of every line that is in no claim; those lines are
looked up in the archive once more, because their content is kept, sealed.
"""

import os
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, Self

import duckdb

from contracts.claims import ClaimsFeed, MedicareClaim, PartDEvent
from services.intake.readers.archive import member_blocks, physical_lines
from services.intake.readers.cclf_columns import CLAIM_FILES
from services.intake.readers.cclf_control import Member, refuse_if_untrustworthy
from services.intake.readers.cclf_cutting import Cutter, Flaw, Shares, scratch, width_of
from services.intake.readers.cclf_joining import FAULTS, JOINS, PEOPLE
from services.intake.readers.cclf_statements import empty_file, read_file
from services.intake.readers.masking import shape_of
from services.intake.readers.records import layout
from services.intake.reading import (
    Defect,
    EncodedClaims,
    PersonReference,
    Progress,
    RefusedDelivery,
)

# DuckDB takes about five times as much for a share: with what Python and its libraries need, that of two stays below
# 600 MB, and larger shares are not read faster.
SHARE_BYTES: Final = 24 << 20
_MEMORY = "256MB"
_MOST_WORKERS = 2
# A share is made of many people. One that is so much larger holds claims of one "person" that no person has.
_LARGEST_SHARE = 3
_PEOPLE_A_FETCH = 256
# Of the work, about so much is the cutting.
_CUTTING_WEIGHT = 0.25


@dataclass(slots=True)
class ClaimEngine:
    """Reads the claims of one delivery."""

    archive: zipfile.ZipFile
    members: Mapping[str, Member]
    synthetic: bool
    share_bytes: int = field(default_factory=lambda: SHARE_BYTES)
    _flaws: dict[str, list[Flaw]] = field(default_factory=dict)

    def readings(self) -> Iterator[EncodedClaims | Defect | Progress]:
        """Claims by person, then defects. Raises :class:`RefusedDelivery`."""
        total = sum(member.info.file_size for member in self.members.values())
        cut_bytes = sum(
            member.info.file_size * width_of(file, CLAIM_FILES[file]) // (member.length + 1)
            for file, member in self.members.items()
        )
        count = max(1, -(-cut_bytes // self.share_bytes))
        with ExitStack() as stack:
            shares: dict[str, Shares] = {}
            for done in self._cut(stack, count, shares):
                yield Progress(int(done * _CUTTING_WEIGHT), total)
            yield from self._shares_read(shares, count, total)
        yield from self._defects()

    def _cut(self, stack: ExitStack, count: int, shares: dict[str, Shares]) -> Iterator[int]:
        done = 0
        for file, member in self.members.items():
            shares[file] = Shares(scratch(stack), count)
            cutter = Cutter(file, CLAIM_FILES[file], member.length, shares[file], count)
            with member_blocks(self.archive, member.info) as read:
                for size in cutter.cut(read):
                    done += size
                    yield done
            refuse_if_untrustworthy(member, cutter.lines, cutter.broken, cut_short=cutter.cut_short)
            self._flaws[file] = cutter.flaws

    def _shares_read(self, shares: dict[str, Shares], count: int, total: int) -> Iterator[EncodedClaims | Progress]:
        sizes = [sum(one.bytes[number] for one in shares.values()) for number in range(count)]
        if not any(sizes):
            return
        if max(sizes) > self.share_bytes * _LARGEST_SHARE:
            raise RefusedDelivery("too_many_claims", "one person has more claims than a person can have")
        workers = min(_MOST_WORKERS, os.cpu_count() or 1, count)
        with ShareReader(shares, workers, synthetic=self.synthetic) as reader:
            for number, (claims, flaws) in enumerate(reader.read_all(count), start=1):
                for file, flaw in flaws:
                    self._flaws[file].append(flaw)
                yield from claims
                left = (1 - _CUTTING_WEIGHT) * number / count
                yield Progress(int(total * (_CUTTING_WEIGHT + left)), total)

    def _defects(self) -> Iterator[Defect]:
        for file, flaws in self._flaws.items():
            # Of several reasons why a line is in no claim one is told, always the same.
            by_line = {flaw.line: flaw for flaw in sorted(flaws, key=lambda flaw: flaw.reason, reverse=True)}
            if by_line:
                yield from self._looked_up(self.members[file], by_line)

    def _looked_up(self, member: Member, by_line: dict[int, Flaw]) -> Iterator[Defect]:
        places = {element.label: slice(element.start - 1, element.end) for element in layout(member.file)}
        for number, raw in enumerate(physical_lines(self.archive, member.info), start=1):
            flaw = by_line.pop(number, None)
            if flaw is None:
                continue
            record = raw.rstrip(b"\r\n")
            found = shape_of(record[places[flaw.element]]) if flaw.element else shape_of(record)
            expected = None if flaw.element else f"{member.length} characters"
            yield Defect(member.info.filename, number, flaw.element, flaw.reason, record, found, expected)
            if not by_line:
                return


ShareRead = tuple[list[EncodedClaims], list[tuple[str, Flaw]]]


class ShareReader:
    """Reads shares, some at once: a share is too small for DuckDB to use more than one thread for it."""

    def __init__(self, shares: Mapping[str, Shares], workers: int, *, synthetic: bool) -> None:
        self._shares = shares
        self._workers = workers
        self._statements = {file: read_file(file, synthetic=synthetic) for file in shares}
        self._idle: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for one in self._shares.values():
            one.settle()
        for _ in range(self._workers):
            self._idle.put(self._stack.enter_context(duckdb.connect(config=_CONFIGURATION)))
        self._pool = ThreadPoolExecutor(self._workers)
        # Left before the connections are closed.
        self._stack.callback(self._pool.shutdown, cancel_futures=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read_all(self, count: int) -> Iterator[ShareRead]:
        """What is in each share, in order; few are read ahead."""
        ahead: deque[Future[ShareRead]] = deque()
        for number in range(count):
            ahead.append(self._pool.submit(self._read, number))
            if len(ahead) > self._workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    def _read(self, number: int) -> ShareRead:
        connection = self._idle.get()
        try:
            for file in CLAIM_FILES:
                self._read_file(connection, file, number)
            for statement in JOINS:
                connection.execute(statement)
            return list(_people(connection)), list(_flaws(connection))
        finally:
            self._idle.put(connection)

    def _read_file(self, connection: duckdb.DuckDBPyConnection, file: str, number: int) -> None:
        if file not in self._shares or not self._shares[file].bytes[number]:
            connection.execute(empty_file(file))
            return
        with ExitStack() as stack:
            target = scratch(stack)
            self._shares[file].write_share(number, target)
            target.flush()
            # By its number an open file can be opened again, although it has no name.
            connection.execute(self._statements[file], {"path": f"/dev/fd/{target.fileno()}"})


_CONFIGURATION: Final[dict[str, str | bool | int | float | list[str]]] = {
    "memory_limit": _MEMORY,
    "threads": 1,
    # What does not fit is refused, not written to a disk where it would outlive the process.
    "temp_directory": "",
    "enable_external_file_cache": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def _flaws(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Flaw]]:
    for file, line, fault in connection.execute(FAULTS).fetchall():
        element, _, reason = fault.partition(":")
        yield file, Flaw(line, element, reason)


def _people(connection: duckdb.DuckDBPyConnection) -> Iterator[EncodedClaims]:
    found = connection.execute(PEOPLE)
    while rows := found.fetchmany(_PEOPLE_A_FETCH):
        for mbi, drug, claims in rows:
            yield EncodedClaims(
                PersonReference("mbi", mbi),
                PartDEvent if drug else MedicareClaim,
                ClaimsFeed.CCLF,
                tuple(claim.encode() for claim in claims),
            )
