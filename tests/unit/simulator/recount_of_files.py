"""A second, separate reading of simulated files: positions and rules written out again, nothing of the simulator.

It reads what was delivered, in the order of delivery, and applies the shared definitions to it. What it finds
must equal the truth that the simulator wrote down.
"""

import csv
import hashlib
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

FULL = {"02", "04", "08"}
MEDICARE_CATEGORY = {
    "60": "inpatient",
    "40": "outpatient",
    "20": "skilled_nursing_facility",
    "10": "home_health",
    "50": "hospice",
    "71": "physician",
    "72": "durable_medical_equipment",
}
SERVICE_CATEGORY = {
    "002": "outpatient",
    "012": "physician",
    "016": "home_health",
    "017": "home_health",
    "018": "home_health",
    "029": "other",
    "051": "home_and_community",
    "053": "behavioural_health",
    "056": "other",
}
FILE_CATEGORY = {"LT": "nursing_facility", "IP": "inpatient", "RX": "drugs"}
RECORD_LENGTHS = {"1": 437, "2": 199, "5": 388, "7": 195, "8": 549, "9": 55}
NO_DATE = {"1000-01-01", "9999-12-31"}
OPEN = "9999-12"


def month(text: str) -> str:
    """``YYYYMMDD`` or ``YYYY-MM-DD`` to its month."""
    digits = text.replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}"


def cents(text: str) -> int:
    dollars, _, rest = text.strip().partition(".")
    sign = -1 if dollars.startswith("-") else 1
    return sign * (abs(int(dollars)) * 100 + int(rest.ljust(2, "0")))


def months(first: str, last: str) -> Iterator[str]:
    year, number = int(first[:4]), int(first[5:7])
    while (text := f"{year:04d}-{number:02d}") <= last:
        yield text
        year, number = (year + 1, 1) if number == 12 else (year, number + 1)


def next_month(text: str) -> str:
    return list(months(text, f"{int(text[:4]) + 1}-12"))[1]


@dataclass
class Span:
    """A statement of the state about whole months."""

    stated_on: str
    sequence: int
    first: str
    last: str
    dual: str | None
    health_plan: str | None
    enrolled: bool
    plan: str | None = None


@dataclass
class Known:
    """All that the files say of one person."""

    snapshots: dict[str, dict[str, str]] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    death: str | None = None
    report: tuple[str, list[tuple[str, str]]] = ("", [])
    stated: set[str] = field(default_factory=set)
    mbis: set[str] = field(default_factory=set)


@dataclass
class Recount:
    """What the files hold."""

    people: dict[int, Known] = field(default_factory=dict)
    by_mbi: dict[str, int] = field(default_factory=dict)
    by_medicaid: dict[str, int] = field(default_factory=dict)
    medicare: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    medicare_type: dict[str, str] = field(default_factory=dict)
    medicaid: dict[str, dict[tuple[str, int], Any]] = field(default_factory=lambda: defaultdict(dict))
    fills: dict[str, str] = field(default_factory=dict)
    repeated_files: int = 0
    repeated_records: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)

    def person(self, mbi: str, medicaid: str | None = None) -> Known:
        number = self.by_mbi.get(mbi)
        if number is None and medicaid is not None:
            number = self.by_medicaid.get(medicaid)
        if number is None:
            number = len(self.people)
            self.people[number] = Known()
        self.by_mbi[mbi] = number
        self.people[number].mbis.add(mbi)
        if medicaid is not None:
            assert self.by_medicaid.setdefault(medicaid, number) == number
        return self.people[number]


def recount(deliveries: Path, first: int | None = None) -> Recount:
    """Read every file, or the first so many, in the order of its path; one with the bytes of an earlier is skipped."""
    found, digests = Recount(), set()
    for sequence, path in enumerate(sorted(deliveries.glob("*/*"))[:first]):
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest in digests:
            found.repeated_files += 1
            continue
        digests.add(digest)
        reader = next((read for prefix, read in READERS.items() if path.name.startswith(prefix)), None)
        if reader is None:
            found.unread.append(path.name)
        else:
            reader(found, path, sequence)
    return found


def read_cclf(found: Recount, path: Path, sequence: int) -> None:
    del sequence
    with zipfile.ZipFile(path) as archive:
        lines = {name.split(".ZC")[1][0]: archive.read(name).decode().split("\n")[:-1] for name in archive.namelist()}
    for control in lines.pop("0")[1:]:
        assert len(control) == 70
        kind = control[:7].strip().removeprefix("CCLF")
        assert int(control[52:63]) == len(lines[kind])
        assert int(control[64:69]) == RECORD_LENGTHS[kind]
        assert {len(line) for line in lines[kind]} <= {RECORD_LENGTHS[kind]}
    for line in lines["9"]:
        _cross_reference(found, line)
    for line in lines["8"]:
        _snapshot(found, line, month("20" + path.name.split(".D")[-1][:6]))
    for kind in ("1", "5"):
        _medicare_records(found, kind, lines[kind])
    _revenue_lines(lines["1"], lines["2"])
    for line in lines["7"]:
        assert found.fills.setdefault(line[:13], line) == line, "a fill changed when it came again"


def _revenue_lines(headers: list[str], lines: list[str]) -> None:
    """Each belongs to a claim of its file and says nothing else than its header; what it carries is the whole payment."""
    claims = {line[:13]: line for line in headers}
    assert len({line[:13] for line in lines}) == len(lines)
    for line in lines:
        header = claims[line[:13]]
        told = (line[23:34], line[45:47], line[97:103], line[103:113], line[113:123])
        assert told == (header[19:30], header[41:43], header[13:19], header[43:53], header[53:63])
        assert line[147:164].strip() == ("" if header[41:43] == "60" else header[81:98].strip())


def _cross_reference(found: Recount, line: str) -> None:
    current, previous = line[1:12], line[12:23]
    person = found.person(previous)
    found.by_mbi[current] = found.by_mbi[previous]
    person.mbis.add(current)
    found.seen["cross_reference"] += 1


def _snapshot(found: Recount, line: str, of: str) -> None:
    person = found.person(line[0:11])
    assert of not in person.snapshots, "two snapshots of one person and month"
    person.snapshots[of] = {"county": line[22:27], "dual": line[49:51].strip(), "buy_in": line[167]}
    person.stated.add(of)
    if line[51:61] not in NO_DATE:
        person.death = line[51:61]


def _medicare_records(found: Recount, kind: str, lines: list[str]) -> None:
    groups: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        groups[line[:13]].append(line)
    for unique, group in groups.items():
        if unique in found.medicare:
            assert found.medicare[unique] == group, "a record changed when it came again"
            found.repeated_records += 1
        found.medicare[unique] = group
        found.medicare_type[unique] = kind


def read_enrolment(found: Recount, path: Path, sequence: int) -> None:
    segments = [segment.split("*") for segment in path.read_text().replace("\n", "").split("~") if segment]
    assert [segments[0][0], segments[-1][0]] == ["ISA", "IEA"]
    inside = [name for name, *_ in segments]
    assert int(segments[inside.index("SE")][1]) == inside.index("SE") - inside.index("ST") + 1
    stated_on = segments[inside.index("BGN")][3]
    starts = [number for number, name in enumerate(inside) if name == "INS"] + [inside.index("SE")]
    for first, last in pairwise(starts):
        _member(found, segments[first:last], stated_on, sequence)


def _member(found: Recount, segments: list[list[str]], stated_on: str, sequence: int) -> None:
    loops = [number for number, segment in enumerate(segments) if segment[0] == "HD"] + [len(segments)]
    level = segments[: loops[0]]
    values = {(segment[0], segment[1]): segment[-1] for segment in level if len(segment) > 1}
    person = found.person(values["REF", "6P"], values["REF", "1D"])
    if ("DTP", "435") in values:
        person.death = "-".join((values["DTP", "435"][:4], values["DTP", "435"][4:6], values["DTP", "435"][6:]))
    for first, last in pairwise(loops):
        ended = "024" in {level[0][3], segments[first][1]}
        found.seen["termination"] += ended
        plan = segments[first][4].split(";")[0]
        _loop(found, person, segments[first + 1 : last], (stated_on, sequence, plan), ended=ended)


def _loop(found: Recount, person: Known, loop: list[list[str]], of: tuple[str, int, str], *, ended: bool) -> None:
    order = of[:2]
    values = {segment[1]: segment[2:] for segment in loop}
    begin, end = values["348"][1], values["349"][1]
    plan = values["DX"][0].split(";") if "DX" in values else None
    assert plan is None or month(plan[2]) <= month(begin)
    if end < begin:
        person.spans.append(Span(*order, month(begin), month(begin), None, None, enrolled=False))
        found.seen["voided_month"] += 1
        return
    covered = Span(*order, month(begin), month(end), values["F5"][0], plan[0] if plan else "none", True, of[2])
    person.spans.append(covered)
    person.stated.update(months(covered.first, covered.last))
    found.seen["restated_month"] += not ended and covered.last < month(order[0])
    if ended:
        after = next_month(month(end))
        person.spans.append(Span(*order, after, OPEN, None, None, enrolled=False))
        person.stated.update(months(after, month(order[0])))


def read_alignment(found: Recount, path: Path, sequence: int) -> None:
    del sequence
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows[-1] == ["TRL", str(len(rows) - 2)]
    spans: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows[1:-1]:
        values = dict(zip(rows[0], row, strict=True))
        last = month(values["ALGNMT_TERM_DT"]) if values["ALGNMT_TERM_DT"] else OPEN
        spans[values["BENE_MBI_ID"]].append((month(values["ALGNMT_EFCTV_DT"]), last))
        found.seen["opted_out"] += values["DATA_SHRNG_OPT_OUT_IND"] == "Y"
    of = f"{path.name.split('.')[2][:4]}-{path.name.split('.')[2][4:]}"
    for mbi, stated in spans.items():
        person = found.person(mbi)
        found.seen["alignment_changed_after_the_fact"] += _changed_before(person.report[1], stated, of)
        person.report = (of, stated)
        person.stated.add(of)
        for first, last in stated:
            person.stated.update(months(first, min(last, of)))


def _changed_before(old: list[tuple[str, str]], new: list[tuple[str, str]], of: str) -> bool:
    """Whether a report says of a month before the last one something else than the report before it."""
    earlier = list(months("2021-01", of))[:-1]
    return bool(old) and any(any(a <= m <= b for a, b in old) != any(a <= m <= b for a, b in new) for m in earlier)


def read_medicaid(found: Recount, path: Path, sequence: int) -> None:
    del sequence
    with zipfile.ZipFile(path) as archive:
        tables = {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
        }
    for control in tables.pop("TMSIS_CONTROL"):
        assert int(control["RECORD_COUNT"]) == len(tables[control["FILE_NAME"].removesuffix(".csv")])
    for file_type in ("IP", "LT", "OT", "RX"):
        lines: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
        for line in tables[f"TMSIS_{file_type}_LINE"]:
            lines[line["ICN_ORIG"], line["ICN_ADJ"]].append(line)
        for header in tables[f"TMSIS_{file_type}_HEADER"]:
            rank = {"0": 0, "4": 1, "1": 2}[header["ADJSTMT_IND"]]
            versions = found.medicaid[header["ICN_ORIG"]]
            key = (header["ADJDCTN_DT"], rank)
            assert key not in versions
            assert all(key > earlier for earlier in versions), "an older adjudication arrived later"
            versions[key] = (file_type, header, lines[header["ICN_ORIG"], header["ICN_ADJ"]])


def read_roster(found: Recount, path: Path, sequence: int) -> None:
    del sequence
    rows = path.read_text().splitlines()
    assert rows[-1] == f"TRL,{len(rows) - 2}"
    found.seen["roster"] += 1


READERS = {
    "834.": read_enrolment,
    "ALIGNMENT_REPORT.": read_alignment,
    "P.": read_cclf,
    "PROVIDER_ROSTER.": read_roster,
    "TMSIS.": read_medicaid,
}
