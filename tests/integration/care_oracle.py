"""Care actions worked out again from simulated files, by other code: CCLF zips, alignment reports and rosters, delivery by delivery.

Nothing of the service is used: positions, code lists, days and rules are written out here. Medicaid's files are left out, and
so is coordination, which follows from tiers.
"""

import csv
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

PRIMARY = {"01", "08", "11", "37", "38", "50", "89", "97"}
VISITS = {"99213", "99214", "99215", "99203", "G0439", "99308", "99309", "99310"}
SHOWN = {
    "90662": "flu", "G0439": "wellness", "92014": "eye", "G0245": "foot", "83036": "blood", "97161": "therapy",
    "90935": "dialysis", "97597": "wound", "96365": "infusion", "97802": "nutrition",
    "77067": "mammogram", "45378": "colonoscopy", "81528": "stool_dna", "82274": "stool_blood",
}  # fmt: skip
YEARLY = {
    "wellness_visit": "wellness", "diabetes_eye_exam": "eye", "diabetes_foot_exam": "foot", "diabetes_blood_test": "blood",
    "nutrition_meals": "nutrition",
}  # fmt: skip
# Signal, longest usual interval, least gap, and days back up to which claims have come.
SERIES = {
    "missed_dialysis": ("dialysis", 7, 5, 45), "missed_wound_care": ("wound", 16, 14, 60),
    "missed_infusion": ("infusion", 45, 30, 90),
}  # fmt: skip
LAPSE = {
    "connect_primary_care": 240, "flu_vaccine": 270, "wellness_visit": 270, "falls_prevention": 180,
    "diabetes_eye_exam": 270, "diabetes_foot_exam": 270, "diabetes_blood_test": 240, "missed_dialysis": 60,
    "missed_wound_care": 90, "missed_infusion": 120, "nutrition_meals": 240, "breast_cancer_screening": 270,
    "colorectal_cancer_screening": 270,
}  # fmt: skip
# Of each screening the days that a test counts, and days for which claims must be known.
TESTS = {
    "breast_cancer_screening": ({"mammogram": 822}, 822),
    "colorectal_cancer_screening": ({"colonoscopy": 3697, "stool_dna": 1141, "stool_blood": 410}, 1095),
}
# Beginnings of diagnoses that keep somebody from a screening for ever, or with frailty.
CANCER = {"breast_cancer_screening": ("C50", "D05", "Z853", "Z9013"),
          "colorectal_cancer_screening": ("C18", "C19", "C20", "C212", "C218", "C785", "Z8503", "Z8504")}  # fmt: skip
ILL = (
    "A810", "C25", "C71", "C77", "C78", "C79", "C910", "C920", "C930", "C950", "F01", "F02", "F03", "F1027", "F1097", "G10",
    "G122", "G20", "G30", "G310", "G3183", "G35", "I0981", "I110", "I120", "I130", "I131", "I132", "I50", "J43", "J684", "J841",
    "J961", "J982", "J983", "K70", "K721", "K74", "N185", "N186",
)  # fmt: skip
YEAR = 410
# Beginnings of the diagnoses that simulated claims have, and which sign of frailty each is.
FRAIL = {
    "R26": "gait", "M6281": "weak", "R32": "incontinent", "L89": "ulcer", "W18": "falls", "G30": "dementia",
    "F03": "dementia",
}  # fmt: skip
NO_DATES = {"1000-01-01", "9999-12-31", ""}
Verdict = tuple[str, str | None, date | None]  # "need" with an occasion, "met" with a day, or "none"


@dataclass
class Claim:
    """Records of one claim that are known, and what each shows."""

    kinds: dict[str, str] = field(default_factory=dict)
    shows: list[tuple[str, date, str]] = field(default_factory=list)

    def stands(self) -> bool:
        signs = [-1 if kind == "1" else 1 for kind in self.kinds.values()]
        return sum(signs) > 0


@dataclass
class Person:
    """All that files have said of one person, and the actions that followed."""

    claims: dict[str, Claim] = field(default_factory=lambda: defaultdict(Claim))
    observed: date | None = None
    dead: bool = False
    birth: date | None = None
    sex: str = ""
    report: str = ""
    spans: list[tuple[str, str]] = field(default_factory=list)
    opted_out: bool = False
    open: dict[str, tuple[date, str]] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    ended: dict[tuple[str, str], tuple[str, date | None]] = field(default_factory=dict)
    raised: dict[tuple[str, str], date] = field(default_factory=dict)

    def days(self, signal: str) -> list[tuple[date, str]]:
        found = {(day, detail) for claim in self.claims.values() if claim.stands() for name, day, detail in claim.shows
                 if name == signal}  # fmt: skip
        return sorted(found)

    def observe(self, day: date) -> None:
        self.observed = day if self.observed is None else min(self.observed, day)


def month(day: date) -> str:
    return f"{day:%Y-%m}"


class Oracle:
    """Reads deliveries in their order."""

    def __init__(self, layouts: dict[str, dict[str, tuple[int, int]]]) -> None:
        self.layouts = layouts
        self.people: dict[str, Person] = defaultdict(Person)
        self.participants: set[str] = set()
        self.rows: list[tuple[str, str, str]] = []
        self.day = date.min

    def deliver(self, path: Path) -> None:
        name = path.name
        stamp = next(part for part in name.split(".") if len(part) == 7 and part[0] == "D" and part[1:].isdigit())
        self.day = max(self.day, date(2000 + int(stamp[1:3]), int(stamp[3:5]), int(stamp[5:])))
        if name.startswith("PROVIDER_ROSTER"):
            rows = [row for row in csv.reader(path.read_text().splitlines()[1:]) if row[0] != "TRL"]
            self.rows = [(row[1], row[4][:6], row[5][:6] or "999912") for row in rows]
            return
        if name.startswith("ALIGNMENT_REPORT"):
            self._report(path)
        else:
            self._cclf(path)
        now = f"{self.day:%Y%m}"
        self.participants = {npi for npi, first, last in self.rows if first <= now <= last}
        for person in self.people.values():
            self._look(person)

    def _report(self, path: Path) -> None:
        for row in csv.DictReader(path.read_text().splitlines()):
            if row["REPORT_MONTH"] == "TRL":
                continue
            person, told = self.people[row["BENE_MBI_ID"][4:]], row["REPORT_MONTH"]
            if person.report != told:
                person.report, person.spans = told, []
            person.spans.append((row["ALGNMT_EFCTV_DT"][:6], row["ALGNMT_TERM_DT"][:6] or "999912"))
            person.opted_out = row["DATA_SHRNG_OPT_OUT_IND"] == "Y"

    def _records(self, path: Path, number: str) -> Iterator[dict[str, str]]:
        places = self.layouts[f"CCLF{number}"]
        with zipfile.ZipFile(path) as archive:
            member = next(one for one in archive.namelist() if f".ZC{number}" in one)
            for line in archive.read(member).decode().splitlines():
                yield {name: line[first - 1 : last].strip() for name, (first, last) in places.items()}

    def _cclf(self, path: Path) -> None:
        for row in self._records(path, "8"):
            person = self.people[row["BENE_MBI_ID"][4:]]
            person.observe(self.day.replace(day=1))
            person.dead |= row["BENE_DEATH_DT"] not in NO_DATES
            person.birth, person.sex = date.fromisoformat(row["BENE_DOB"]), row["BENE_SEX_CD"]
        for row in self._records(path, "1"):
            self._part_a(row)
        for row in self._records(path, "5"):
            self._part_b(row)

    def _part_a(self, row: dict[str, str]) -> None:
        person, day = self.people[row["BENE_MBI_ID"][4:]], date.fromisoformat(row["CLM_FROM_DT"])
        person.observe(day)
        key = "|".join(row[name] for name in ("CLM_TYPE_CD", "PRVDR_OSCAR_NUM", "CLM_FROM_DT", "CLM_THRU_DT"))
        claim = person.claims[key]
        claim.kinds[row["CUR_CLM_UNIQ_ID"]] = row["CLM_ADJSMT_TYPE_CD"]
        if row["CLM_MDCR_NPMT_RSN_CD"]:
            return
        codes = [row["PRNCPL_DGNS_CD"], row["ADMTG_DGNS_CD"]]
        self._signs(claim, day, codes)
        if row["CLM_TYPE_CD"] == "50":
            claim.shows.append(("hospice", date.fromisoformat(row["CLM_THRU_DT"]), ""))
        if row["CLM_TYPE_CD"] in {"40", "60", "61"}:
            self._diagnoses(claim, day, codes)
        if row["CLM_TYPE_CD"] in {"60", "61"}:
            claim.shows.append(("admission", day, ""))

    def _part_b(self, row: dict[str, str]) -> None:
        person = self.people[row["BENE_MBI_ID"][4:]]
        first, day = date.fromisoformat(row["CLM_FROM_DT"]), date.fromisoformat(row["CLM_LINE_FROM_DT"])
        person.observe(first)
        claim = person.claims[f"{row['CLM_TYPE_CD']}|{row['CLM_CNTL_NUM']}"]
        claim.kinds[row["CUR_CLM_UNIQ_ID"]] = row["CLM_ADJSMT_TYPE_CD"]
        if row["CLM_CARR_PMT_DNL_CD"] == "0":
            return
        codes = [row[f"CLM_DGNS_{number}_CD"] for number in range(1, 5)]
        self._signs(claim, first, codes)
        self._diagnoses(claim, first, codes)
        code = row["CLM_LINE_HCPCS_CD"]
        if code in SHOWN:
            claim.shows.append((SHOWN[code], day, code))
        if code in VISITS and row["CLM_PRVDR_SPCLTY_CD"] in PRIMARY:
            claim.shows.append(("visit", day, row["RNDRG_PRVDR_NPI_NUM"]))

    @staticmethod
    def _signs(claim: Claim, day: date, codes: list[str]) -> None:
        signs = {sign for code in codes for beginning, sign in FRAIL.items() if code.startswith(beginning)}
        claim.shows += [("frail", day, sign) for sign in signs]

    @staticmethod
    def _diagnoses(claim: Claim, day: date, codes: list[str]) -> None:
        for code in codes:
            if code.startswith("E11"):
                claim.shows.append(("diabetes", day, code))
            if code.startswith(("E11", "N1832", "N184", "N185", "N186")):
                claim.shows.append(("sensitive", day, code))
            if code.startswith("W18"):
                claim.shows.append(("fall", day, code))
            if code.startswith(ILL):
                claim.shows.append(("ill", day, code))
            for screening, beginnings in CANCER.items():
                if code.startswith(beginnings):
                    claim.shows.append((f"no {screening}", day, code))

    def _acts_for(self, person: Person) -> bool:
        now = int(f"{self.day:%Y}") * 12 + self.day.month
        told = int(person.report[:4] or 0) * 12 + int(person.report[4:] or 0)
        aligned = any(first <= person.report <= last for first, last in person.spans)
        return aligned and now - told <= 3 and not person.dead and not person.opted_out

    def _look(self, person: Person) -> None:
        if not self._acts_for(person):
            for kind, (_, occasion) in person.open.items():
                person.ended[kind, occasion] = ("withdrawn", None)
            person.open.clear()
            return
        for kind, (raised, occasion) in list(person.open.items()):
            said, _, done = self.verdict(kind, person, raised)
            late = self.day > raised + timedelta(days=LAPSE[kind])
            if said != "need" or late:
                outcome = {"met": "done", "none": "withdrawn"}.get(said, "lapsed")
                person.ended[kind, occasion] = (outcome, done)
                del person.open[kind]
        for kind in LAPSE:
            said, again, _ = self.verdict(kind, person, self.day)
            if said == "need" and again is not None and kind not in person.open and (kind, again) not in person.seen:
                person.open[kind] = (self.day, again)
                person.seen.add((kind, again))
                person.raised[kind, again] = self.day

    def verdict(self, kind: str, person: Person, raised: date) -> Verdict:  # noqa: PLR0911 - one for each sort
        since = raised - timedelta(days=YEAR)
        if kind == "connect_primary_care":
            return self._connect(person, since, raised)
        if kind == "flu_vaccine":
            return self._flu(person, raised)
        if kind == "falls_prevention":
            return self._falls(person, raised)
        if kind in SERIES:
            return self._series(kind, person, raised)
        if kind in TESTS:
            return self._screening(kind, person, raised)
        if kind.startswith("diabetes"):
            shown = {day for day, _ in person.days("diabetes") if raised - timedelta(days=2 * YEAR) <= day <= raised}
            if len(shown) < 2:
                return "none", None, None
        if kind == "nutrition_meals" and not any(since <= day <= raised for day, _ in person.days("sensitive")):
            return "none", None, None
        done = [day for day, _ in person.days(YEARLY[kind]) if since <= day <= self.day]
        if done:
            return "met", None, done[0]
        known = person.observed is not None and person.observed <= since
        return ("need", str(raised.year), None) if known else ("none", None, None)

    def _connect(self, person: Person, since: date, raised: date) -> Verdict:
        visits = [(day, npi) for day, npi in person.days("visit") if since <= day <= self.day]
        ours = [not self.participants or npi in self.participants for _, npi in visits]
        if visits and ours[-1]:
            last_other = max((number for number, own in enumerate(ours) if not own), default=-1)
            return "met", None, visits[last_other + 1][0]
        if not visits and (person.observed is None or person.observed > since):
            return "none", None, None
        return "need", str(raised.year), None

    def _flu(self, person: Person, raised: date) -> Verdict:
        year = raised.year if raised.month >= 9 else raised.year - 1
        if not date(year, 9, 1) <= raised <= date(year + 1, 3, 31):
            return "none", None, None
        given = [
            day for day, _ in person.days("flu") if date(year, 9, 1) <= day <= min(self.day, date(year + 1, 3, 31))
        ]
        return ("met", None, given[0]) if given else ("need", f"{year}-{year + 1}", None)

    def _screening(self, kind: str, person: Person, raised: date) -> Verdict:
        if person.birth is None or self._not_screened(kind, person, person.birth, raised):
            return "none", None, None
        counts, silence = TESTS[kind]
        done = sorted(
            day
            for test, days in counts.items()
            for day, _ in person.days(test)
            if raised - timedelta(days=days) <= day <= self.day
        )
        if done:
            return "met", None, done[0]
        known = person.observed is not None and person.observed <= raised - timedelta(days=silence)
        return ("need", str(raised.year), None) if known else ("none", None, None)

    def _not_screened(self, kind: str, person: Person, birth: date, raised: date) -> bool:
        age = raised.year - birth.year - ((raised.month, raised.day) < (birth.month, birth.day))
        if kind == "breast_cancer_screening":
            due = person.sex == "2" and (40 if raised >= date(2024, 4, 30) else 50) <= age <= 74
        else:
            due = 45 <= age <= 75
        since = raised - timedelta(days=YEAR)
        hospice = any(since <= day <= self.day for day, _ in person.days("hospice"))
        frail = {day for day, _ in person.days("frail") if since <= day <= self.day}
        ill = {day for day, _ in person.days("ill") if raised - timedelta(days=775) <= day <= self.day}
        old = raised.year - birth.year >= 66
        cancer = any(day <= self.day for day, _ in person.days(f"no {kind}"))
        return not due or hospice or cancer or (old and min(len(frail), len(ill)) >= 2)

    def _falls(self, person: Person, raised: date) -> Verdict:
        falls = [day for day, _ in person.days("fall") if raised - timedelta(days=120) <= day <= raised]
        year = raised - timedelta(days=YEAR)
        signs = {sign for day, sign in person.days("frail") if year <= day <= raised}
        if not falls and len(signs) < 3:
            return "none", None, None
        since = falls[-1] if falls else year
        done = [day for day, _ in person.days("therapy") if since <= day <= self.day]
        if done:
            return "met", None, done[0]
        if falls:
            return "need", falls[-1].isoformat(), None
        known = person.observed is not None and person.observed <= year
        return ("need", str(raised.year), None) if known else ("none", None, None)

    def _series(self, kind: str, person: Person, raised: date) -> Verdict:
        signal, longest, least, lag = SERIES[kind]
        until = raised - timedelta(days=lag)
        sessions = sorted({day for day, _ in person.days(signal) if day <= self.day})
        before = [day for day in sessions if day <= until]
        gaps = sorted((before[number] - before[number - 1]).days for number in range(1, len(before)))[:]
        recent = sorted(
            (before[number] - before[number - 1]).days for number in range(max(1, len(before) - 8), len(before))
        )
        if len(before) < 4 or not gaps or recent[len(recent) // 2] > longest:
            return "none", None, None
        silence, usual = (until - before[-1]).days, recent[len(recent) // 2]
        hospital = any(before[-1] <= day <= until for day, _ in person.days("admission"))
        if silence > 150 or hospital:
            return "none", None, None
        if silence <= max(least, 2 * usual) or sessions[-1] > before[-1]:
            return "met", None, sessions[-1]
        return "need", before[-1].isoformat(), None
