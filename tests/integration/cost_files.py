"""Who is meant, where people live and to whom they belong: worked out from delivered files again, month by month and delivery by delivery.

Nothing of any service is used: positions, codes and rules are written out here a second time, as docs/architecture.md defines them.
"""

import csv
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

FULL = frozenset({"02", "04", "08"})
LEVELS = {
    "NA": "none", "00": "none", **dict.fromkeys(FULL, "full"), **dict.fromkeys(("01", "03", "05", "06"), "partial"),
    "09": "other", "10": "other",
}  # fmt: skip
OUR_PLAN, ENTITY, BOTH_PARTS = "MCO9001", "D9001", frozenset({"3", "C"})
NO_DATES = frozenset({"", "1000-01-01", "9999-12-31"})
OPEN = "9999-12"
MONTHS_AHEAD = 12


def month(day: str) -> str:
    """``YYYYMMDD`` or ``YYYY-MM-DD`` to its month."""
    digits = day.replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}"


def shifted(text: str, by: int) -> str:
    number = int(text[:4]) * 12 + int(text[5:7]) - 1 + by
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def months(first: str, last: str) -> Iterator[str]:
    while first <= last:
        yield first
        first = shifted(first, 1)


def dated(name: str) -> str:
    """Of when a file is, by its name."""
    found = re.search(r"\.D(\d{6})\b", name)
    assert found is not None
    return f"20{found[1][:2]}-{found[1][2:4]}-{found[1][4:]}"


class Snapshot(NamedTuple):
    """One row of CCLF8. Where one file says two things of somebody, it says nothing of it."""

    order: tuple[str, int]
    county: str | None
    dual: str | None
    buy_in: str | None
    begun: tuple[str, str]


class Span(NamedTuple):
    """What the state says of some whole months: newest first by ``order``."""

    order: tuple[str, int, bool, int]
    first: str
    last: str
    plan: str
    dual: str | None = None
    health_plan: str | None = None
    county: str | None = None

    @property
    def enrolled(self) -> bool:
        return self.order[2]


class Report(NamedTuple):
    """The newest alignment report about somebody."""

    order: tuple[str, str, int]
    spans: tuple[tuple[str, str], ...]


@dataclass
class Known:
    """All that files have said of one person."""

    snapshots: dict[str, list[Snapshot]] = field(default_factory=lambda: defaultdict(list))
    spans: list[Span] = field(default_factory=list)
    deaths: list[tuple[tuple[str, int], str]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    def merged(self, other: "Known") -> "Known":
        both = Known(
            spans=self.spans + other.spans, deaths=self.deaths + other.deaths, reports=self.reports + other.reports
        )
        for one in (self, other):
            for of, rows in one.snapshots.items():
                both.snapshots[of] += rows
        return both

    def stated(self) -> tuple[str, str] | None:
        """The first and the last month of which anything was said."""
        firsts = [*self.snapshots, *(span.first for span in self.spans)]
        firsts += [first for report in self.reports for first, _ in report.spans]
        lasts = [*self.snapshots, *(report.order[0] for report in self.reports)]
        for span in self.spans:
            said = month(span.order[0])
            lasts.append(min(said if span.last == OPEN else span.last, shifted(said, MONTHS_AHEAD)))
        return (min(firsts), max(lasts)) if firsts else None


class Place(NamedTuple):
    """Where the costs of somebody's month count, and the dual status that can be why."""

    cohort: str
    entity: str
    county: str
    dual: str


def _only(values: Iterable[str | None]) -> str | None:
    """What one statement says; nothing where it says two things."""
    said = {value for value in values if value is not None}
    return said.pop() if len(said) == 1 else None


def _newest_first(person: Known, of: str) -> list[Span]:
    """The state's spans of a month, down to the newest that says "not enrolled"."""
    covering = [span for span in person.spans if span.first <= of <= span.last]
    covering.sort(key=lambda span: span.order, reverse=True)
    end = next((number for number, span in enumerate(covering) if not span.enrolled), len(covering))
    return covering[:end]


def _said(spans: list[Span], value: Callable[[Span], str | None]) -> tuple[bool, str | None]:
    """Whether the state says it at all, and what."""
    newest = next((span for span in spans if value(span) is not None), None)
    if newest is None:
        return False, None
    return True, _only(value(span) for span in spans if span.order[:2] == newest.order[:2])


def _snapshot(person: Known, of: str) -> tuple[Snapshot | None, str | None, bool]:
    """The row that speaks for a month, the state that it names, and whether it is of a later month.

    Of two rows that name two counties of one state, the state stands.
    """
    known = sorted(person.snapshots)
    before = [one for one in known if one <= of]
    if not known:
        return None, None, False
    rows = person.snapshots[before[-1] if before else known[0]]
    newest = max(rows, key=lambda row: row.order)
    same = [row for row in rows if row.order == newest.order]
    county, dual, buy_in = (_only(getattr(row, name) for row in same) for name in ("county", "dual", "buy_in"))
    state = _only(row.county[:2] for row in same if row.county)
    return Snapshot(newest.order, county, dual, buy_in, newest.begun), state, not before


def _both_parts(row: Snapshot | None, of: str, *, later: bool) -> bool | None:
    if row is None or row.buy_in is None:
        return None
    if row.buy_in not in BOTH_PARTS or not later:
        return row.buy_in in BOTH_PARTS
    return None if "" in row.begun else all(day <= f"{of}-01" for day in row.begun)


def place(person: Known, of: str) -> Place:
    """The definitions of cohort, entity, county and dual status."""
    rows = _newest_first(person, of)
    row, state, later = _snapshot(person, of)
    state_says, dual = _said(rows, lambda span: span.dual)
    dual = dual if state_says or row is None else row.dual
    _, health_plan = _said(rows, lambda span: span.health_plan)
    if row is None:
        county = _said(rows, lambda span: span.county)[1]
        state = county and county[:2]
    else:
        county = row.county
    parts = _both_parts(row, of, later=later)
    death = max(person.deaths)[1] if person.deaths else None
    alive = None if not person.snapshots and not person.spans else death is None or month(death) >= of
    level = LEVELS.get(dual or "", "unknown")
    tests = {"dual": None if level == "unknown" else level == "full", "parts": parts, "alive": alive,
             "plan": health_plan and health_plan == "none", "lives": state and state == "39"}  # fmt: skip
    if _aligned(person, of, [*tests.values(), _in_our_plan(person, rows, of)]):
        return Place("aligned", ENTITY, county or "", dual or "")
    cohort = "comparison" if all(tests.values()) else "excluded"
    return Place(cohort, "", county or "", dual or "")


def _in_our_plan(person: Known, rows: list[Span], of: str) -> bool | None:
    if not any(span.first <= of <= span.last for span in person.spans):
        return None
    plans = {row.plan for row in rows if row.order[:2] == rows[0].order[:2]}
    return None if OUR_PLAN in plans and len(plans) > 1 else OUR_PLAN in plans


def _aligned(person: Known, of: str, tests: list[object]) -> bool:
    """By the newest report; behind its month, while it goes on and nothing speaks against it."""
    if not person.reports:
        return False
    newest = max(report.order for report in person.reports)
    reported, spans = newest[0], [span for report in person.reports if report.order == newest for span in report.spans]
    if of <= reported:
        return any(first <= of <= last for first, last in spans)
    first, last = max(spans)
    return last == OPEN and first <= of and not any(test is False for test in tests)


class People:
    """Everybody, delivery by delivery. ``who`` and ``placed`` keep what became known with which delivery."""

    def __init__(self) -> None:
        self.known: dict[int, Known] = {}
        self.root: dict[str, int] = {}
        self.who: list[tuple[int, str, int]] = []
        self.placed: list[tuple[int, int, str, str | None, str, str, str]] = []
        self.merged = 0
        self._places: dict[int, dict[str, Place]] = defaultdict(dict)
        self._touched: set[int] = set()

    def named(self, sequence: int, *identifiers: str) -> Known:
        """The person of some identifiers, who are one from now on."""
        roots = sorted({self.root[one] for one in identifiers if one in self.root})
        kept = roots[0] if roots else len(self.root)
        self.known.setdefault(kept, Known())
        for retired in roots[1:]:
            self.known[kept] = self.known[kept].merged(self.known.pop(retired))
            self.placed += [(sequence, retired, of, None, "", "", "") for of in self._places.pop(retired, {})]
            identifiers = (*identifiers, *(one for one, root in self.root.items() if root == retired))
            self.merged += 1
        for one in dict.fromkeys(identifiers):
            if self.root.get(one) != kept:
                self.root[one] = kept
                self.who.append((sequence, one, kept))
        self._touched.add(kept)
        return self.known[kept]

    def decide(self, sequence: int) -> None:
        """Every month of everybody of whom the delivery said anything."""
        for root in sorted(self._touched & self.known.keys()):
            person = self.known[root]
            extent = person.stated()
            for of in months(*extent) if extent else ():
                found = place(person, of)
                if self._places[root].get(of) != found:
                    self._places[root][of] = found
                    self.placed.append((sequence, root, of, *found))
        self._touched.clear()

    def read(self, sequence: int, path: Path) -> None:
        """Take in all that one delivered file says of people."""
        reader = next((read for start, read in _READERS.items() if path.name.startswith(start)), None)
        if reader is not None:
            reader(self, sequence, path)
        self.decide(sequence)


def _read_cclf(people: People, sequence: int, path: Path) -> None:
    on = dated(path.name)
    with zipfile.ZipFile(path) as archive:
        lines = {name.split(".ZC")[1][0]: archive.read(name).decode().splitlines() for name in archive.namelist()}
    for line in lines["9"]:
        people.named(sequence, f"mbi:{line[12:23]}", f"mbi:{line[1:12]}")
    for line in lines["8"]:
        person = people.named(sequence, f"mbi:{line[:11]}")
        begun = ["" if day in NO_DATES else day for day in (line[168:178].strip(), line[178:188].strip())]
        row = Snapshot((on, sequence), line[22:27].strip(), line[49:51].strip(), line[167], (begun[0], begun[1]))
        person.snapshots[month(on)].append(row)
        if line[51:61] not in NO_DATES:
            person.deaths.append(((on, sequence), line[51:61]))
    for mbi in dict.fromkeys([*(line[19:30] for line in lines["1"]), *(line[23:34] for line in lines["5"])]):
        people.named(sequence, f"mbi:{mbi}")


def _read_834(people: People, sequence: int, path: Path) -> None:
    segments = [segment.split("*") for segment in path.read_text().replace("\n", "").split("~") if segment]
    names = [name for name, *_ in segments]
    on = segments[names.index("BGN")][3]
    on = f"{on[:4]}-{on[4:6]}-{on[6:]}"
    starts = [number for number, name in enumerate(names) if name == "INS"] + [names.index("SE")]
    for first, last in pairwise(starts):
        _read_member(people, segments[first:last], on, sequence)


def _read_member(people: People, segments: list[list[str]], on: str, sequence: int) -> None:
    loops = [number for number, segment in enumerate(segments) if segment[0] == "HD"] + [len(segments)]
    level = segments[: loops[0]]
    said = {(segment[0], segment[1]): segment[-1] for segment in level if len(segment) > 1}
    county = next(segment[6] for segment in level if segment[0] == "N4")
    person = people.named(sequence, f"mbi:{said['REF', '6P']}", f"medicaid:{said['REF', '1D']}")
    if death := said.get(("DTP", "435")):
        person.deaths.append(((on, sequence), f"{death[:4]}-{death[4:6]}-{death[6:]}"))
    spans = len(person.spans)
    for first, last in pairwise(loops):
        values = {segment[1]: segment[2:] for segment in segments[first + 1 : last]}
        begin, end = values["348"][1], values["349"][1]
        plan = segments[first][4].split(";")[0]
        number = spans - len(person.spans)
        if end < begin:
            person.spans.append(Span((on, sequence, False, number), month(begin), month(begin), plan))
            continue
        contract = values["DX"][0].split(";")[0] if "DX" in values else "none"
        enrolled = (on, sequence, True, number)
        person.spans.append(Span(enrolled, month(begin), month(end), plan, values["F5"][0], contract, county))
        if "024" in {level[0][3], segments[first][1]}:
            person.spans.append(Span((on, sequence, False, number - 1), shifted(month(end), 1), OPEN, plan))


def _read_report(people: People, sequence: int, path: Path) -> None:
    rows = list(csv.reader(path.read_text().splitlines()))
    of = path.name.split(".")[2]
    order = (f"{of[:4]}-{of[4:]}", dated(path.name), sequence)
    # Somebody may be named by an old and a new number: both rows are one statement.
    said: dict[int, tuple[Known, set[tuple[str, str]]]] = {}
    for row in rows[1:-1]:
        person = people.named(sequence, f"mbi:{row[2]}")
        said.setdefault(id(person), (person, set()))[1].add((month(row[3]), month(row[4]) if row[4] else OPEN))
    for person, spans in said.values():
        person.reports.append(Report(order, tuple(sorted(spans))))


def _read_medicaid(people: People, sequence: int, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("_HEADER.csv"):
                for row in csv.DictReader(io.StringIO(archive.read(name).decode())):
                    people.named(sequence, f"medicaid:{row['MSIS_IDENT_NUM']}")


_READERS: dict[str, Callable[[People, int, Path], None]] = {
    "834.": _read_834,
    "ALIGNMENT_REPORT.": _read_report,
    "P.": _read_cclf,
    "TMSIS.": _read_medicaid,
}
