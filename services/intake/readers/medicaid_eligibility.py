"""Medicaid eligibility, managed care and waivers with T-MSIS field names: annual tables, or monthly rows, in one zip.

All rows of a person are taken together: where one of them cannot be read, nothing is stated about the person. A file
states every month that it knows of, enrolled or not, and nothing of later ones. Source: T-MSIS Data Guide; files and
labels in ``docs/feeds.md``.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

from contracts.medicaid import EnrolmentSource, MedicaidEnrolmentStatedData
from contracts.months import month_at, month_index, month_of
from services.intake.readers import medicaid_eligibility_columns as columns
from services.intake.readers.enrolment_months import (
    NOT_ENROLLED,
    Fault,
    MonthState,
    SourceRow,
    refuse_empty,
    spans,
    withheld,
)
from services.intake.readers.medicaid_archive import Delivered, delivered
from services.intake.readers.medicaid_elements import Element, ElementParser, wanted
from services.intake.readers.medicaid_months import days_of, eligibility_policy, of_a_row, of_a_year
from services.intake.readers.partitions import Row, grouped
from services.intake.readers.records import FieldError
from services.intake.readers.tables import Table
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Demographics,
    Observation,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)
from services.intake.states import usps_state

_ANNUAL = ("DE_BASE", "DE_MC", "DE_WVR", "DE_CNTCT_DTLS")
_MONTHLY = "BSF"
_KNOWN = (
    {f"TMSIS_{part}": part for part in (*_ANNUAL, _MONTHLY)}
    | {f"TAF_ANN_{part}": part for part in _ANNUAL}
    | {f"TAF_MON_{_MONTHLY}": _MONTHLY}
)
_STATE_IN_NAME = re.compile(r"TMSIS\.(?P<state>[A-Z]{2})\.")
_PERCENT = 100
_ABOUT_THE_PERSON = {"mbi": "MDCR_BENE_ID", "birth_date": "BIRTH_DT", "death_date": "DEATH_DT", "sex": "SEX_CD"}


@dataclass(slots=True)
class _File:
    """One table and how its rows are read."""

    table: Table
    parser: ElementParser


@dataclass(slots=True)
class _Person:
    """What was read of one person: the one row of each part and period, and which there were rows of."""

    rows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    told_of: set[tuple[str, str]] = field(default_factory=set)


def read(source: Source) -> Iterator[Reading]:
    """Every reading of one delivery. Raises :class:`services.intake.reading.RefusedDelivery`."""
    with delivered(source.paths[0], _KNOWN) as files:
        yield from _Reader(source, files).readings()


def _elements(part: str, *, synthetic: bool) -> tuple[Element, ...]:
    match part:
        case "DE_BASE":
            return columns.base(synthetic=synthetic)
        case "DE_MC":
            return columns.managed_care()
        case "DE_WVR":
            return columns.waivers()
        case "DE_CNTCT_DTLS":
            return columns.CONTACT
        case _:
            return columns.monthly(synthetic=synthetic)


class _Reader:
    """Makes one statement of all that the tables say of a person."""

    def __init__(self, source: Source, files: Delivered) -> None:
        if (_MONTHLY in files.members) == ("DE_BASE" in files.members):
            raise RefusedDelivery("missing_member", "either the annual base or the monthly rows must be there")
        if _MONTHLY in files.members and len(files.members) > 1:
            raise RefusedDelivery("unexpected_member", "annual and monthly files do not come together")
        self._source = source
        self._files = files
        self._annual = "DE_BASE" in files.members
        named = _STATE_IN_NAME.match(source.name)
        self._state = named["state"] if named else None
        self._told: Counter[str] = Counter()
        self._parts = {part: self._opened(part) for part in files.members}
        self._delivered = month_index(month_of(source.dated))

    def _opened(self, part: str) -> _File:
        elements = _elements(part, synthetic=self._source.synthetic_identifiers)
        table = self._files.table(part, wanted(elements))
        return _File(table, ElementParser(table.name, table.header, elements))

    def readings(self) -> Iterator[Reading]:
        """Every reading; a first look through the file tells how far it knows."""
        months = self._known_months()
        yield Observation(f"known through {month_at(max(months))}", 1)
        rows = chain.from_iterable(self._rows(part) for part in self._parts)
        for group in grouped(rows, itemgetter(2), sum(file.table.size for file in self._parts.values())):
            yield from self._of_person(group, months)
        yield from (Observation(what, count) for what, count in sorted(self._told.items()))

    def _rows(self, part: str) -> Iterator[Row]:
        """``(part, number, whose, cells)``: a row of another width is nobody's."""
        file = self._parts[part]
        places = [file.table.header.index(label) for label in ("SUBMTG_STATE_CD", "MSIS_IDENT_NUM")]
        for number, cells in self._files.counted(part, file.table):
            if len(cells) == len(file.table.header):
                code, person = (cells[place].strip() for place in places)
                yield part, number, (usps_state(code) or code, person), list(cells)
            else:
                yield part, number, (part, number), list(cells)

    def _known_months(self) -> frozenset[int]:
        part = "DE_BASE" if self._annual else _MONTHLY
        file, rows, covered, periods = self._parts[part], 0, Counter[int](), set[str]()
        for _, cells in file.table.rows():
            rows += 1
            try:
                values = file.parser(cells)
                periods.add(values["period"])
                covered.update(self._covered(values))
            except FieldError:
                # Told of when the person is read.
                continue
        refuse_empty(file.table.name, rows)
        if not periods:
            raise RefusedDelivery("wrong_period", f"{file.table.name}: no row tells its period")
        return frozenset(self._known_of_year(periods, covered) if self._annual else self._known_of_months(periods))

    def _covered(self, values: Mapping[str, Any]) -> Iterator[int]:
        if self._annual:
            year = int(values["period"]) * 12
            yield from (year + month - 1 for month in columns.MONTHS if any(days_of(values, month)))

    def _known_of_year(self, periods: set[str], covered: Counter[int]) -> Iterator[int]:
        if len(periods) > 1:
            raise RefusedDelivery("more_than_one_period", "the base file holds more than one year")
        january = int(next(iter(periods))) * 12
        if january > self._delivered:
            raise RefusedDelivery("wrong_period", "the file is of a year after its own date")
        most = max(covered.values(), default=0)
        least = eligibility_policy().least_covered_percent
        enough = [
            month for month, count in covered.items() if count * _PERCENT >= most * least and month <= self._delivered
        ]
        if not enough:
            raise RefusedDelivery("horizon_not_stated", "nobody is enrolled in any month that the file can know of")
        return iter(range(january, max(enough) + 1))

    def _known_of_months(self, periods: set[str]) -> Iterator[int]:
        for period in periods:
            month = int(period[:4]) * 12 + int(period[4:]) - 1
            if not 1 <= int(period[4:]) <= 12 or month > self._delivered:  # noqa: PLR2004 - months of a year
                raise RefusedDelivery("wrong_period", "the file is of a month after its own date, or of none")
            yield month

    def _of_person(self, group: list[Row], months: frozenset[int]) -> Iterator[Reading]:
        person, faults, left_out = self._read(group)
        rows = [SourceRow(self._parts[part].table.name, number, cells) for part, number, _, cells in group]
        if not faults:
            try:
                yield from self._stated(person, months)
            except FieldError as error:
                faults = {row.place: Fault(error.element, error.reason) for row in rows}
        if faults:
            yield from withheld(rows, faults)
        elif left_out:
            self._told["rows that are not the primary one"] += left_out

    def _read(self, group: list[Row]) -> tuple[_Person, dict[tuple[str, int], Fault], int]:
        person, left_out = _Person(), 0
        faults: dict[tuple[str, int], Fault] = {}
        for part, number, _, cells in group:
            file = self._parts[part]
            row = SourceRow(file.table.name, number, cells)
            try:
                left_out += not self._add(person, part, file.parser(cells))
            except FieldError as error:
                faults[row.place] = Fault(error.element, error.reason, file.parser.text_of(cells, error.element))
        return person, faults, left_out

    def _add(self, person: _Person, part: str, values: dict[str, Any]) -> bool:
        """Take a row in; whether it is one that counts. Raises :class:`FieldError`."""
        if values["state"] != (self._state or values["state"]):
            raise FieldError("SUBMTG_STATE_CD", "wrong_state")
        key = (part, values["period"])
        person.told_of.add(key)
        if not values.pop("primary", True):
            return False
        if person.rows.setdefault(key, values) != values:
            raise FieldError(None, "more_than_one_row")
        return True

    def _stated(self, person: _Person, months: frozenset[int]) -> Iterator[Reading]:
        """Raises :class:`FieldError`."""
        of_base = [values for (part, _), values in person.rows.items() if part in {"DE_BASE", _MONTHLY}]
        if person.told_of > person.rows.keys():
            raise FieldError("PRMRY_ELGBLTY_GRP_IND", "no_primary_row")
        if not of_base:
            raise FieldError(None, "no_base_row")
        about = {name: _agreed(of_base, name, label) for name, label in _ABOUT_THE_PERSON.items()}
        state, medicaid_id = of_base[0]["state"], of_base[0]["medicaid_id"]
        references = _references(f"{state}:{medicaid_id}", about["mbi"])
        statement = MedicaidEnrolmentStatedData(
            person_id=UNRESOLVED_PERSON,
            state=state,
            source=EnrolmentSource.TMSIS,
            stated_on=self._source.dated,
            known_through=month_at(max(months)),
            birth_date=about["birth_date"],
            sex_code=about["sex"],
            death_date=about["death_date"],
            spans=spans(self._months(person, months)),
        )
        yield PersonRecord(references, state, statement)
        names = next((values for values in person.rows.values() if values.get("family_name")), {})
        name = _name(names.get("family_name")), _name(names.get("given_name"))
        yield Demographics(references[0], *name, about["birth_date"], about["sex"])

    def _months(self, person: _Person, months: frozenset[int]) -> dict[int, MonthState]:
        if not self._annual:
            said = {_number(period): of_a_row(values) for (_, period), values in person.rows.items()}
            return {month: said.get(month, NOT_ENROLLED) for month in months}
        ((year, base),) = [(period, values) for (part, period), values in person.rows.items() if part == "DE_BASE"]
        if any(period != year for _, period in person.rows):
            raise FieldError("DE_FIL_DT", "wrong_period")
        care, waivers = person.rows.get(("DE_MC", year)), person.rows.get(("DE_WVR", year))
        return of_a_year(base, care, waivers, max(months))


def _number(period: str) -> int:
    return int(period[:4]) * 12 + int(period[4:]) - 1


def _agreed(rows: Sequence[Mapping[str, Any]], name: str, label: str) -> Any:  # noqa: ANN401 - the field's own type
    values = {row[name] for row in rows if row[name] is not None}
    if len(values) > 1:
        raise FieldError(label, "contradicting_rows")
    return next(iter(values), None)


def _references(medicaid: str, mbi: str | None) -> tuple[PersonReference, ...]:
    own = PersonReference("medicaid", medicaid)
    return (own,) if mbi is None else (PersonReference("mbi", mbi), own)


def _name(text: str | None) -> str | None:
    """A name as it was written: CSV files are read byte by byte, and most of them are in UTF-8."""
    if text is None:
        return None
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
