"""A state's eligibility spans as CSV, read by a mapping of the state's own columns and codes.

All rows of a person are taken together: where one of them cannot be read, nothing is stated about the person, because
months that only that row covers would look like an end. Within what the file knows, months without a row after the
first are stated as not enrolled; of what lies behind, nothing is stated.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar, cast

from contracts.codes import DualStatusCode, HealthPlan
from contracts.medicaid import EnrolmentSource, MedicaidEnrolmentStatedData
from contracts.months import month_at, month_index, month_of
from services.intake.readers.enrolment_months import (
    NOT_ENROLLED,
    Fault,
    MonthState,
    Plan,
    SourceRow,
    refuse_empty,
    spans,
    withheld,
)
from services.intake.readers.masking import shape_of
from services.intake.readers.partitions import Row, grouped
from services.intake.readers.records import FieldError
from services.intake.readers.state_horizon import Survey, horizon_of
from services.intake.readers.state_mapping import StateMapping, choose, labels_of, named_groups
from services.intake.readers.state_rows import StateRow, StateRowParser
from services.intake.readers.tables import CsvTable
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
from services.intake.rules.covering_programme import ContradictionError, Covered, ProgrammeRow, covering_programme

Value = TypeVar("Value")
_MOST_TOLD = 40
_LOOKED_AT_BYTES = 4096
_ABOUT_THE_PERSON = ("mbi", "birth_date", "death_date", "sex")


def read(source: Source) -> Iterator[Reading]:
    """Every reading of one delivery. Raises :class:`services.intake.reading.RefusedDelivery`."""
    path = source.paths[0]
    mapping, table = _opened(path, source)
    with closing(table):
        yield from _readings(source, path, mapping, table)


def _readings(source: Source, path: Path, mapping: StateMapping, table: CsvTable) -> Iterator[Reading]:
    named = named_groups(path.name, mapping)
    state = named.get("state") or mapping.state
    parser = StateRowParser(mapping, table.header, state, synthetic=source.synthetic_identifiers)
    survey = Survey.of(table, mapping, parser, month_index(month_of(source.dated)))
    refuse_empty(table.name, survey.rows)
    horizon = horizon_of(mapping, survey, named, source.dated)
    yield Observation(f"mapping {mapping.name}, {mapping.status}, valid from {mapping.valid_from.isoformat()}", 1)
    yield Observation(f"known through {month_at(horizon)}", 1)
    people = _People(source, mapping, parser, horizon)
    for group in grouped(_rows_with_keys(table, survey, mapping), itemgetter(1), table.size):
        yield from people.readings([SourceRow(table.name, number, cells) for number, _, cells in group])
    yield from (Observation(what, count) for what, count in sorted(people.told.items()))


def _rows_with_keys(table: CsvTable, survey: Survey, mapping: StateMapping) -> Iterator[Row]:
    """``(number, whose, cells)``: a row of another width is nobody's."""
    labels = [mapping.columns[name] for name in ("state", "medicaid_id") if name in mapping.columns]
    places = [table.header.index(label) for label in labels]
    for number, cells in survey.data_rows(table):
        whole = len(cells) == len(table.header)
        yield number, tuple(cells[place].strip() for place in places) if whole else (number,), list(cells)


def _opened(path: Path, source: Source) -> tuple[StateMapping, CsvTable]:
    with path.open("rb") as file:
        chosen = choose(path.name, labels_of(file.read(_LOOKED_AT_BYTES)), source.dated)
    if chosen is None:
        raise RefusedDelivery("unrecognised_content", "no mapping reads the file")
    mapping = chosen[0]
    table = CsvTable(path.name, path.stat().st_size, lambda: path.open("rb"), mapping.form)
    missing = sorted(mapping.labels() - set(table.header))
    if missing:
        raise RefusedDelivery("missing_column", f"{path.name} has no column {missing[0]}")
    if len(table.header) > len(mapping.labels()):
        raise RefusedDelivery("unknown_column", f"{path.name} has a column that the mapping does not know")
    return mapping, table


class _People:
    """Makes one statement of all rows of a person."""

    def __init__(self, source: Source, mapping: StateMapping, parser: StateRowParser, horizon: int) -> None:
        self._source = source
        self._mapping = mapping
        self._parser = parser
        self._horizon = horizon
        self.told: Counter[str] = Counter()

    def readings(self, rows: Sequence[SourceRow]) -> Iterator[Reading]:
        """The person's statement and name; or every row as a defect."""
        read, faults = self._read(rows)
        if not faults:
            try:
                yield from self._stated(read)
            except ContradictionError as contradiction:
                label = self._parser.label_of["programme"]
                fault = Fault(label, contradiction.reason)
                faults = {row.place: fault for row in rows if row.number in contradiction.rows}
            except FieldError as error:
                faults = {row.place: Fault(error.element, error.reason) for row in rows}
        if faults:
            yield from withheld(rows, faults)

    def _read(self, rows: Sequence[SourceRow]) -> tuple[list[tuple[int, StateRow]], dict[tuple[str, int], Fault]]:
        read: list[tuple[int, StateRow]] = []
        faults: dict[tuple[str, int], Fault] = {}
        for row in rows:
            try:
                read.append((row.number, self._parser(row.cells)))
            except FieldError as error:
                found = self._parser.text_of(row.cells, error.element)
                faults[row.place] = Fault(error.element, error.reason, found)
                self._tell_of_code(error, found)
        return read, faults

    def _tell_of_code(self, error: FieldError, found: str | None) -> None:
        if error.reason == "not_in_code_list" and len(self.told) < _MOST_TOLD:
            self.told[f"unknown code in {error.element}: {shape_of(found or '')}"] += 1

    def _stated(self, read: Sequence[tuple[int, StateRow]]) -> Iterator[Reading]:
        """Raises :class:`ContradictionError`, :class:`FieldError`."""
        about = {name: self._agreed(read, name) for name in _ABOUT_THE_PERSON}
        first = read[0][1]
        references = _references(first.state, first.medicaid_id, about["mbi"])
        months = self._months(_without_repeats(read))
        if months:
            statement = MedicaidEnrolmentStatedData(
                person_id=UNRESOLVED_PERSON,
                state=first.state,
                source=EnrolmentSource.STATE_FILE,
                stated_on=self._source.dated,
                known_through=month_at(self._horizon),
                birth_date=about["birth_date"],
                sex_code=about["sex"],
                death_date=about["death_date"],
                spans=spans(months),
            )
            yield PersonRecord(references, first.state, statement)
        else:
            self.told["people whose rows begin after what the file knows"] += 1
        yield Demographics(references[0], first.family_name, first.given_name, about["birth_date"], about["sex"])

    def _agreed(self, read: Sequence[tuple[int, StateRow]], name: str) -> Any:  # noqa: ANN401 - the field's own type
        values = {value for _, row in read if (value := getattr(row, name)) is not None}
        if len(values) > 1:
            raise FieldError(self._parser.label_of[name], "contradicting_rows")
        return next(iter(values), None)

    def _months(self, read: Sequence[tuple[int, StateRow]]) -> dict[int, MonthState]:
        covering: dict[int, list[tuple[int, StateRow]]] = {}
        for number, row in read:
            first = month_index(month_of(row.first_day))
            last = self._horizon if row.last_day is None else month_index(month_of(row.last_day))
            for month in range(first, min(last, self._horizon) + 1):
                covering.setdefault(month, []).append((number, row))
        if not covering:
            return {}
        answers: dict[tuple[int, ...], MonthState] = {(): NOT_ENROLLED}
        months = {}
        for month in range(min(covering), self._horizon + 1):
            rows = covering.get(month, [])
            key = tuple(number for number, _ in rows)
            if key not in answers:
                answers[key] = self._covered(rows)
            months[month] = answers[key]
        return months

    def _covered(self, rows: Sequence[tuple[int, StateRow]]) -> MonthState:
        said = [ProgrammeRow(number, row.programme_code, row.programme, row.dual_status_code) for number, row in rows]
        answer = covering_programme(said, self._mapping.precedence)
        return _month_state(answer, [row for number, row in rows if number in answer.rows])


def _month_state(answer: Covered, rows: Sequence[StateRow]) -> MonthState:
    named = sorted({(row.plan_id, row.plan_type) for row in rows if row.plan_id is not None}, key=repr)
    contract = _only(row.medicare_contract for row in rows)
    return MonthState(
        enrolled=True,
        plans=tuple(Plan(*plan) for plan in named),
        dual_status_code=cast("DualStatusCode | None", answer.dual_status_code),
        aid_code=_only(row.aid_code for row in rows),
        county_fips=_only(row.county for row in rows),
        programme=answer.programme,
        programme_basis=answer.basis,
        health_plan=None if contract is None else HealthPlan.MEDICARE_ADVANTAGE,
        health_plan_contract=contract,
        health_plan_package=_only(row.medicare_package for row in rows),
        level_of_care=_only(row.level_of_care for row in rows),
        safe_in_community=_only(row.safe_in_community for row in rows),
        enrolment_basis=_only(row.enrolment_basis for row in rows),
        demonstration=_only(row.demonstration for row in rows),
    )


def _only(values: Iterable[Value | None]) -> Value | None:
    """The value where all that give one give the same: two are no information."""
    given = {value for value in values if value is not None}
    return given.pop() if len(given) == 1 else None


def _references(state: str, medicaid_id: str, mbi: str | None) -> tuple[PersonReference, ...]:
    medicaid = PersonReference("medicaid", f"{state}:{medicaid_id}")
    return (medicaid,) if mbi is None else (PersonReference("mbi", mbi), medicaid)


def _without_repeats(read: Sequence[tuple[int, StateRow]]) -> list[tuple[int, StateRow]]:
    first: dict[StateRow, int] = {}
    for number, row in read:
        first.setdefault(row, number)
    return [(number, row) for row, number in first.items()]
