"""Who is in which arrangement, found from simulated files by a reading of its own: nothing of readers, rules or packs.

Members only: what files say, month by month, and what excludes what, written out again.
"""

import csv
import hashlib
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

OPEN = "9999-12"
HEALTH_PLANS = {
    "H9080": "medicare_medicaid_plan", "H9081": "medicare_medicaid_plan", "H9065": "minnesota_senior_health_options",
    "H9020": "pace", "H9030-001": "dsnp_coordination_only", "H9030-002": "dsnp_hide", "H9030-003": "dsnp_fide",
}  # fmt: skip
PLAN_TYPES = {
    "70": "health_home", "02": "primary_care_case_management", "03": "primary_care_case_management",
    "07": "managed_long_term_services", "19": "managed_long_term_services", "17": "pace", "80": "medicare_medicaid_plan",
}  # fmt: skip
ONE_OF = set(HEALTH_PLANS.values())


def month(text: str) -> str:
    digits = text.replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}"


def after(text: str) -> str:
    year, number = int(text[:4]), int(text[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"


@dataclass
class Told:
    """One statement of an 834 about whole months."""

    order: tuple[str, int, int]
    first: str
    last: str
    plan: str | None
    contract: str | None


@dataclass
class Person:
    told: list[Told] = field(default_factory=list)
    # By file, newest last: the months of which it knows, and of each what it says.
    care: list[dict[str, list[dict[str, str]]]] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    report: tuple[str, list[tuple[str, str]]] = ("", [])


class Recount:
    """What files say, in the order in which they come. ``numbers``: Medicaid ids by any Medicare number."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self._numbers = numbers
        self._digests: set[bytes] = set()
        self._sequence = 0
        self.people: dict[str, Person] = defaultdict(Person)

    def take(self, path: Path) -> None:
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest in self._digests:
            return
        self._digests.add(digest)
        self._sequence += 1
        if path.name.startswith("834."):
            self._enrolment(path)
        elif path.name.startswith("STATE_CARE."):
            self._care(path)
        elif path.name.startswith("ALIGNMENT_REPORT."):
            self._report(path)
        elif path.name.startswith("P."):
            self._deaths(path)

    def _enrolment(self, path: Path) -> None:
        stated = ""
        for member in members_of(path):
            if member[0][0] == "BGN":
                stated = member[0][3]
                continue
            person = self.people[values(member, "REF", "1D")[0]]
            death = values(member, "DTP", "435")
            if death:
                person.deaths.append(month(death[1]))
            heads = [place for place, segment in enumerate(member) if segment[0] == "HD"] + [len(member)]
            for place, (start, stop) in enumerate(pairwise(heads)):
                loop = member[start:stop]
                self._loop(person, loop, (stated, self._sequence, -place), ended="024" in {member[0][3], loop[0][1]})

    def _loop(self, person: Person, loop: list[list[str]], order: tuple[str, int, int], *, ended: bool) -> None:
        begin, end = values(loop, "DTP", "348")[1], values(loop, "DTP", "349")[1]
        if end < begin:
            person.told.append(Told(order, month(begin), month(begin), None, None))
            return
        medicare = values(loop, "REF", "DX")
        contract, package = (*medicare[0].split(";"), "", "")[:2] if medicare else ("", "")
        plan = loop[0][4].split(";")[0]
        person.told.append(Told(order, month(begin), month(end), plan, f"{contract}-{package}" if contract else ""))
        if ended:
            person.told.append(Told(order, after(month(end)), OPEN, None, None))

    def _care(self, path: Path) -> None:
        through = month(path.name.split(".")[2])
        rows = list(csv.DictReader(path.read_text().splitlines()[:-1]))
        of: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            last = month(row["END_DATE"]) if row["END_DATE"] else through
            at = month(row["BEGIN_DATE"])
            while at <= min(last, through):
                of[row["MEDICAID_ID"]][at].append(row)
                at = after(at)
            if row["DEATH_DATE"]:
                self.people[row["MEDICAID_ID"]].deaths.append(month(row["DEATH_DATE"]))
        for number, months in of.items():
            at, whole = min(months), {}
            while at <= through:
                whole[at] = months.get(at, [])
                at = after(at)
            self.people[number].care.append(whole)

    def _report(self, path: Path) -> None:
        of = month(path.name.split(".")[2])
        spans: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in list(csv.DictReader(path.read_text().splitlines()[:-1])):
            last = month(row["ALGNMT_TERM_DT"]) if row["ALGNMT_TERM_DT"] else OPEN
            spans[row["BENE_MBI_ID"]].append((month(row["ALGNMT_EFCTV_DT"]), last))
        for mbi, stated in spans.items():
            self.people[self._numbers[mbi]].report = (of, stated)

    def _deaths(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if ".ZC8" in name)
            for line in archive.read(name).decode().split("\n")[:-1]:
                if line[51:61] not in {"1000-01-01", "9999-12-31"} and line[:11] in self._numbers:
                    self.people[self._numbers[line[:11]]].deaths.append(month(line[51:61]))

    def members(self, at: str) -> Iterator[tuple[str, frozenset[str]]]:
        """Everybody, and what they are in."""
        for number, person in self.people.items():
            yield number, frozenset(_members(person, at))


def members_of(path: Path) -> Iterator[list[list[str]]]:
    """The BGN segment alone, then each member's segments."""
    segments = [segment.split("*") for segment in path.read_text().replace("\n", "").split("~") if segment]
    names = [segment[0] for segment in segments]
    yield [segments[names.index("BGN")]]
    starts = [place for place, name in enumerate(names) if name == "INS"] + [names.index("SE")]
    for first, last in pairwise(starts):
        yield segments[first:last]


def values(segments: list[list[str]], name: str, qualifier: str) -> list[str]:
    """What follows the first segment of this name and qualifier; nothing where there is none."""
    return next((one[2:] for one in segments if one[0] == name and len(one) > 1 and one[1] == qualifier), [])


def numbers_of(paths: Iterable[Path]) -> dict[str, str]:
    """Which Medicaid id each Medicare number belongs to, as all files together tell."""
    found: dict[str, str] = {}
    for path in paths:
        if path.name.startswith("834."):
            for member in members_of(path):
                if member[0][0] == "INS":
                    found[values(member, "REF", "6P")[0]] = values(member, "REF", "1D")[0]
        elif path.name.startswith("STATE_CARE."):
            for row in csv.DictReader(path.read_text().splitlines()[:-1]):
                found[row["MEDICARE_ID"]] = row["MEDICAID_ID"]
    return found


def _members(person: Person, at: str) -> set[str]:
    if person.deaths and at > person.deaths[-1]:
        return set()
    claimed = {*_from_the_state(person, at), *_from_medicare(person, at)}
    of, spans = person.report
    if at <= of and any(first <= at <= last for first, last in spans):
        claimed.add("mco_based_dce")
    return _without_excluded(claimed)


def _visible(person: Person, at: str) -> tuple[bool, list[Told]]:
    """Whether the 834 speaks of the month, and what it says of it, newest first, down to what takes it back."""
    speaking = [one for one in person.told if one.first <= at <= one.last]
    speaking.sort(key=lambda one: (one.order[0], one.order[1], one.plan is not None, one.order[2]), reverse=True)
    void = next((place for place, one in enumerate(speaking) if one.plan is None), len(speaking))
    return bool(speaking), speaking[:void]


def _from_medicare(person: Person, at: str) -> set[str]:
    _, visible = _visible(person, at)
    contract = (visible[0].contract if visible else "") or ""
    found = HEALTH_PLANS.get(contract) or HEALTH_PLANS.get(contract[:5])
    return {found} if found else set()


def _from_the_state(person: Person, at: str) -> set[str]:
    speaks, visible = _visible(person, at)
    rows = next((months[at] for months in reversed(person.care) if at in months), None)
    if speaks and not visible:
        return set()
    found = {PLAN_TYPES[row["PLAN_TYPE"]] for row in rows or () if row["PLAN_TYPE"] in PLAN_TYPES}
    named = {row["PLAN_ID"] for row in rows or ()}
    if "MFFS9001" in named and any(row["DEMONSTRATION"] == "Y" for row in rows or ()):
        found.add("managed_fee_for_service")
    return found | ({"state_specific"} if "SSM9001" in named else set())


def _without_excluded(claimed: set[str]) -> set[str]:
    kept = set(claimed)
    plans = claimed & ONE_OF
    if plans:
        kept -= {"mco_based_dce", "managed_fee_for_service"}
    if len(plans) > 1:
        kept -= plans
    if "mco_based_dce" in claimed:
        kept.discard("managed_fee_for_service")
    if "pace" in claimed:
        kept -= {"health_home", "primary_care_case_management", "managed_long_term_services"}
    if "medicare_medicaid_plan" in claimed:
        kept -= {"primary_care_case_management", "managed_long_term_services"}
    return kept
