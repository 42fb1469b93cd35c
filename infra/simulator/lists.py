"""Lists that CMS sends an entity besides the monthly report, from the same people: preferences, participants, answers.

What a list says follows from the person's number and course alone and draws nothing, so that a population with lists is
the population without them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from contracts.delivery import DeliveryKind
from infra.simulator.period import Period
from infra.simulator.person import Person
from infra.simulator.reports import ALIGNMENT_TYPES, last_day_aligned, trailer
from infra.simulator.spool import Spool
from infra.simulator.workbook import write_workbook
from infra.simulator.world import CLINICIAN_NPIS, ENTITY, SERVICE_AREA

List = Literal["sharing-preferences", "provider-alignment", "voluntary-responses", "alignment-workbook"]
ISSUED_ON = 12
QUARTER = 3
PARTICIPANTS = 2 * len(SERVICE_AREA)
PREFERENCE_LENGTH = 459
PROVIDER_HEADING = "RPT_PRD,DCE_ID,BENE_MBI_ID,PRTCPNT_NPI,ALGNMT_TYPE_CD\n"
RESPONSE_HEADING = "RSPNS_PRD,DCE_ID,BENE_MBI_ID,SGNTR_DT,CLNCN_NPI,RSPNS_CD,RJCT_RSN_CD\n"
WORKBOOK_HEADING = (
    "Report Month", "Entity ID", "MBI", "Last Name", "First Name", "Date of Birth", "Sex", "State",
    "Beneficiary Status", "Alignment Start Date", "Removal Date", "Removal Reason", "Alignment Basis",
    "Alignment Year", "Performance Year", "Part D", "Data Sharing", "Administrative Opt Out",
)  # fmt: skip
REMOVAL_CODES = {
    "DEATH": "DEATH", "ENROLLED_MA": "MA", "LOST_PART_B": "PART_B", "NOT_FULL_DUAL": "NOT_DUAL", "LEFT_MCO": "MCO",
    "OUT_OF_AREA": "MOVED",
}  # fmt: skip
NOT_ON_LIST = "NOT_ON_LIST"


class Preference(NamedTuple):
    """What a person told 1-800-MEDICARE; ``None`` is nothing."""

    effective: date
    shares_claims: bool | None
    shares_substance_use: bool | None


class Form(NamedTuple):
    """A signed form and what CMS answered."""

    signed_on: date
    clinician_npi: str
    rejection_reason: str | None


def first_reported(person: Person) -> int | None:
    """The month of the first report that names the person."""
    return min((span.known_first for span in person.life.spans), default=None)


def preference_of(person: Person) -> Preference | None:
    """Told in the month of the first report: whoever opted out, and some who say that their claims may be shared."""
    month, index = first_reported(person), person.traits.index
    if month is None:
        return None
    substance_use = False if index % 9 == 0 else None
    claims = False if person.life.opted_out else True if index % 7 == 0 else None
    if claims is None and substance_use is None:
        return None
    return Preference(person.period.first_days[month], claims, substance_use)


def participants_of(person: Person) -> tuple[str, ...]:
    """Whose care aligned the person: one participant, or two."""
    index = person.traits.index
    places = {index % PARTICIPANTS, (7 * index + 5) % PARTICIPANTS if index % 3 == 0 else index % PARTICIPANTS}
    return tuple(sorted(CLINICIAN_NPIS[place] for place in places))


def form_of(person: Person) -> Form | None:
    """Who is aligned voluntarily had a form accepted; some others had one rejected."""
    index = person.traits.index
    if not person.life.spans:
        return None
    signed_on = person.period.first_days[person.life.spans[0].first] - timedelta(days=20)
    npi = CLINICIAN_NPIS[index % PARTICIPANTS]
    if ALIGNMENT_TYPES[index % len(ALIGNMENT_TYPES)] == "VOLUNTARY":
        return Form(signed_on, npi, None)
    return Form(signed_on, npi, NOT_ON_LIST) if index % 13 == 0 else None


def closes_quarter(period: Period, month: int) -> bool:
    """Whether quarterly lists come in the month."""
    return period.first_days[month].month % QUARTER == 0


def quarter_of(period: Period, month: int) -> str:
    """``2022Q1``."""
    on = period.first_days[month]
    return f"{on.year}Q{(on.month - 1) // QUARTER + 1}"


def spool_lists(spool: Spool, person: Person, lists: Sequence[List]) -> None:
    """Everything that the chosen lists say of a person."""
    for month in range(person.life.entry, person.period.last_delivery + 1):
        for name in lists:
            for row in _ROWS[name](person, month):
                spool.append((name, month), row)


def _mbi(person: Person, month: int) -> str:
    return person.traits.mbi(person.life.mbi_version(month - 1))


def preference_rows(person: Person, month: int) -> Iterator[str]:
    """The person's record in the preferences of the month."""
    told = preference_of(person)
    if told is None or month != first_reported(person):
        return
    record = [" "] * PREFERENCE_LENGTH
    record[0:11] = _mbi(person, month)
    record[11:21] = f"{person.traits.index:010d}"
    if told.shares_claims is not None:
        record[354:362], record[362:367] = f"{told.effective:%Y%m%d}", "1-800"
        record[367:369] = "TY" if told.shares_claims else "TN"
    if told.shares_substance_use is not None:
        record[369:377], record[377:382] = f"{told.effective:%Y%m%d}", "1-800"
        record[382:384] = "TY" if told.shares_substance_use else "TN"
    record[384:389] = ENTITY
    yield "".join(record) + "\n"


def provider_rows(person: Person, month: int) -> Iterator[str]:
    """The person's participants in the quarter's report, a row each."""
    if closes_quarter(person.period, month) and person.life.in_entity_feed(month):
        kind = ALIGNMENT_TYPES[person.traits.index % len(ALIGNMENT_TYPES)]
        for npi in participants_of(person):
            yield f"{quarter_of(person.period, month)},{ENTITY},{_mbi(person, month)},{npi},{kind}\n"


def response_rows(person: Person, month: int) -> Iterator[str]:
    """The answer to the person's form, in the first quarter that closes once a report has named the person."""
    form, first = form_of(person), first_reported(person)
    if (
        form is None
        or first is None
        or not closes_quarter(person.period, month)
        or not first <= month < first + QUARTER
    ):
        return
    answer = "ACCEPTED," if form.rejection_reason is None else f"REJECTED,{form.rejection_reason}"
    quarter = quarter_of(person.period, month)
    yield f"{quarter},{ENTITY},{_mbi(person, month)},{form.signed_on:%Y%m%d},{form.clinician_npi},{answer}\n"


def workbook_rows(person: Person, month: int) -> Iterator[str]:
    """The rows of the monthly report in the columns of its workbook."""
    traits, life, period = person.traits, person.life, person.period
    for span in life.reported(month) if month <= life.last_stated else ():
        last = span.last_as_known(month)
        removed = None if last is None else last_day_aligned(person, last) + timedelta(days=1)
        values = (
            f"{period.first_days[month]:%m/%Y}", ENTITY, _mbi(person, month), "", "", traits.birth.isoformat(),
            {"1": "M", "2": "F"}[traits.sex], "", "ALIGNED" if removed is None else "REMOVED",
            period.first_days[span.first].isoformat(), "" if removed is None else removed.isoformat(),
            "" if removed is None else REMOVAL_CODES[span.reason],
            ALIGNMENT_TYPES[traits.index % len(ALIGNMENT_TYPES)][0], "", str(period.first_days[month].year), "",
            "N" if life.opted_out else "Y", "",
        )  # fmt: skip
        yield ",".join(values) + "\n"


_ROWS = {
    "sharing-preferences": preference_rows,
    "provider-alignment": provider_rows,
    "voluntary-responses": response_rows,
    "alignment-workbook": workbook_rows,
}


def write_lists(
    folder: Path, month: int, period: Period, spool: Spool, lists: Sequence[List]
) -> Iterator[tuple[Path, DeliveryKind]]:
    """Write the chosen lists of a month; a list that would say nothing is not sent."""
    on = period.first_days[month].replace(day=ISSUED_ON)
    for name in lists:
        key = (name, month)
        if not spool.count(key):
            continue
        count, rows = spool.count(key), spool.take(key)
        if name == "alignment-workbook":
            path = folder / f"ALIGNMENT_REPORT.{ENTITY}.{on:%Y%m}.D{on:%y%m%d}.xlsx"
            write_workbook(path, WORKBOOK_HEADING, map(_cells, "".join(rows).splitlines()))
            yield path, DeliveryKind.ALIGNMENT_REPORT
        elif name == "sharing-preferences":
            path = folder / f"T#EFT.ON.ACO.NGD1800.DPRF.D{on:%y%m%d}.T1000000"
            _write(path, f"HDR_BENEDATASHR{on:%Y%m%d}\n", rows, f"TRL_BENEDATASHR{on:%Y%m%d}{count:<10}\n")
            yield path, DeliveryKind.SHARING_PREFERENCES
        elif name == "provider-alignment":
            path = folder / f"PROVIDER_ALIGNMENT_REPORT.{ENTITY}.{quarter_of(period, month)}.D{on:%y%m%d}.csv"
            _write(path, PROVIDER_HEADING, rows, trailer(count))
            yield path, DeliveryKind.PROVIDER_ALIGNMENT_REPORT
        else:
            path = folder / f"VOLUNTARY_ALIGNMENT_RESPONSE.{ENTITY}.{quarter_of(period, month)}.D{on:%y%m%d}.csv"
            _write(path, RESPONSE_HEADING, rows, trailer(count))
            yield path, DeliveryKind.VOLUNTARY_ALIGNMENT_RESPONSE


def _write(path: Path, opening: str, rows: Iterable[str], closing: str) -> None:
    with path.open("w", encoding="ascii", newline="") as file:
        file.writelines((opening, *rows, closing))


def _cells(line: str) -> list[Any]:
    """Days as days and years as numbers, as a spreadsheet keeps them."""
    values: list[Any] = [value or None for value in line.split(",")]
    for place, label in enumerate(WORKBOOK_HEADING):
        if values[place] is not None and ("Date" in label or label.endswith("Year")):
            values[place] = date.fromisoformat(values[place]) if "Date" in label else int(values[place])
    return values
