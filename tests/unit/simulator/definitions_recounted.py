"""The shared definitions of cohort, service month, cents, claims and categories, applied to files read again."""

from collections import Counter

from recount_of_files import (
    FILE_CATEGORY,
    FULL,
    MEDICARE_CATEGORY,
    SERVICE_CATEGORY,
    Known,
    Recount,
    cents,
    month,
    months,
)

Measure = tuple[str, str, str, str]


def aligned(person: Known, of: str) -> bool:
    report, spans = person.report
    return any(first <= of <= last for first, last in spans) and of <= report


def resolved(person: Known, of: str) -> tuple[str | None, str | None]:
    """Dual status and Medicare health plan of a month: the state's newest span that says, else CCLF8's dual."""
    spans = sorted(
        (span for span in person.spans if span.first <= of <= span.last),
        key=lambda span: (span.stated_on, span.sequence),
    )
    dual = next((span.dual for span in reversed(spans) if span.dual is not None), None)
    plan = next((span.health_plan for span in reversed(spans) if span.health_plan is not None), None)
    if dual is None:
        dual = snapshot(person, of)["dual"]
    return dual, plan


def snapshot(person: Known, of: str) -> dict[str, str]:
    known = sorted(person.snapshots)
    before = [m for m in known if m <= of]
    return person.snapshots[before[-1] if before else known[0]]


def cohort(person: Known, of: str) -> str:
    if aligned(person, of):
        return "aligned"
    dual, plan = resolved(person, of)
    passes = (
        dual in FULL
        and plan == "none"
        and snapshot(person, of)["buy_in"] in {"3", "C"}
        and (person.death is None or month(person.death) >= of)
        and snapshot(person, of)["county"].startswith("39")
    )
    return "comparison" if passes else "excluded"


def person_months(found: Recount, first: str, last: str) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for person in found.people.values():
        for of in months(max(first, min(person.stated)), min(last, max(person.stated))):
            counts[cohort(person, of), of] += 1
    return counts


def measures(found: Recount) -> tuple[dict[Measure, list[int]], Counter[Measure]]:
    """``[cents, claims, crossover cents, crossover claims]`` by payer, category, month and cohort; and outlay."""
    cells: dict[Measure, list[int]] = {}
    outlay: Counter[Measure] = Counter()
    cohorts: dict[tuple[int, str], str] = {}

    def add(person: int, series: tuple[str, str, str], amounts: tuple[int, int, int, int], spent: int) -> None:
        payer, category, of = series
        if (person, of) not in cohorts:
            known = found.people[person]
            assert min(known.stated) <= of <= max(known.stated), "a claim in a month that nothing states"
            cohorts[person, of] = cohort(known, of)
        key = (payer, category, of, cohorts[person, of])
        cell = cells.setdefault(key, [0, 0, 0, 0])
        for position, amount in enumerate(amounts):
            cell[position] += amount
        outlay[key] += spent

    for unique, records in found.medicare.items():
        for category, of, paid, count in _medicare(found.medicare_type[unique], records):
            person = found.by_mbi[_mbi_of(found.medicare_type[unique], records[0])]
            add(person, ("medicare", category, of), (paid, count, 0, 0), paid)
    for versions in found.medicaid.values():
        file_type, header, lines = versions[max(versions)]
        person = found.by_medicaid[header["MSIS_IDENT_NUM"]]
        crossover, kind = header["XOVR_IND"] == "1", header["CLM_TYPE_CD"]
        for category, of, paid, count in _medicaid(file_type, header, lines):
            spent = paid if kind in {"1", "2"} else 0
            add(person, ("medicaid", category, of), (paid, count, paid * crossover, count * crossover), spent)
    return cells, outlay


def _mbi_of(kind: str, record: str) -> str:
    return record[19:30] if kind == "1" else record[23:34]


def _medicare(kind: str, records: list[str]) -> list[tuple[str, str, int, int]]:
    record = records[0]
    if kind == "1":
        sign, denied = (-1 if record[148] == "1" else 1), record[79:81].strip() != ""
        category = MEDICARE_CATEGORY[record[41:43]]
        return [(category, month(record[53:63]), 0 if denied else sign * cents(record[81:98]), 0 if denied else sign)]
    sign, category = (-1 if record[149] == "1" else 1), MEDICARE_CATEGORY[record[45:47]]
    parts = [
        (category, month(line[87:97]), 0 if line[145] == "0" else sign * cents(line[102:117]), 0) for line in records
    ]
    denied = all(line[145] == "0" for line in records)
    return [*parts, (category, month(record[57:67]), 0, 0 if denied else sign)]


def _medicaid(file_type: str, header: dict[str, str], lines: list[dict[str, str]]) -> list[tuple[str, str, int, int]]:
    categories = [_category(file_type, header, line) for line in lines]
    of = month(header["SRVC_ENDG_DT"])
    if header["ADJSTMT_IND"] == "1" or header["CLM_DND_IND"] == "0":
        return [(categories[0], of, 0, 0)]
    amounts = [line["MDCD_PD_AMT"] for line in lines]
    total = cents(header["TOT_MDCD_PD_AMT"])
    if any(amount in {"", "888888888.88"} for amount in amounts):
        return [(categories[0], of, total, 1)]
    assert sum(map(cents, amounts)) == total
    parts = [
        (category, month(line["LINE_SRVC_ENDG_DT"]), cents(line["MDCD_PD_AMT"]), 0)
        for category, line in zip(categories, lines, strict=True)
    ]
    return [*parts, (categories[0], of, 0, 1)]


def _category(file_type: str, header: dict[str, str], line: dict[str, str]) -> str:
    if header["CLM_TYPE_CD"] == "2":
        return "capitation"
    if file_type != "OT":
        return FILE_CATEGORY[file_type]
    return "home_and_community" if line["WVR_BNFT_IND"] == "Y" else SERVICE_CATEGORY[line["TOS_CD"]]
