"""Medicaid claims, encounters and capitation payments with T-MSIS field names: one zip of header and line CSVs.

A header and its lines stand in two files and are brought together by state, person, ICN_ORIG and ICN_ADJ.
Source: T-MSIS Data Guide; layout of the CSV files in ``docs/files.md``.
"""

import csv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

from pydantic import ValidationError

from contracts.claims import ClaimsFeed, MedicaidClaim
from services.intake.readers.archive import members, opened
from services.intake.readers.fields import required, text, whole_number
from services.intake.readers.medicaid_columns import DIAGNOSES, HEADER, LINE, LINK
from services.intake.readers.partitions import Row, grouped
from services.intake.readers.records import Column, FieldError, RecordParser, csv_rows, field_error
from services.intake.reading import Defect, PersonRecord, PersonReference, Reading, RefusedDelivery, Source
from services.intake.rules.claim_version import medicaid_version
from services.intake.rules.denial import denial_policy, medicaid_claim_is_denied, medicaid_line_is_denied
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

FileType = Literal["IP", "LT", "OT", "RX"]
FILE_TYPES: tuple[FileType, ...] = ("IP", "LT", "OT", "RX")
CONTROL = "TMSIS_CONTROL.csv"
_CONTROL_COLUMNS = (
    Column("file", "FILE_NAME", required(text)),
    Column("records", "RECORD_COUNT", required(whole_number)),
)
_HEADER_ROW, _LINE_ROW = 0, 1


def read(source: Source) -> Iterator[Reading]:
    """Every reading of one delivery. Raises :class:`services.intake.reading.RefusedDelivery`."""
    with opened(source.paths[0]) as archive:
        found = members(archive)
        control = _checked_control(archive, found)
        for file_type in FILE_TYPES:
            if f"TMSIS_{file_type}_HEADER.csv" in control:
                yield from _file_readings(archive, found, control, file_type)


def _checked_control(archive: zipfile.ZipFile, found: dict[str, zipfile.ZipInfo]) -> dict[str, int]:
    if CONTROL not in found:
        raise RefusedDelivery("missing_member", f"{CONTROL} is not in the archive")
    control = _control(archive, found[CONTROL])
    expected = {f"TMSIS_{kind}_{part}.csv" for kind in FILE_TYPES for part in ("HEADER", "LINE")}
    if not control.keys() <= expected or not found.keys() <= expected | {CONTROL}:
        raise RefusedDelivery("unexpected_member", "the archive or its control file names an unknown file")
    if control.keys() != found.keys() - {CONTROL}:
        raise RefusedDelivery("missing_member", "the control file and the archive do not name the same files")
    if any((f"TMSIS_{kind}_HEADER.csv" in control) != (f"TMSIS_{kind}_LINE.csv" in control) for kind in FILE_TYPES):
        raise RefusedDelivery("missing_member", "a header file and its line file are not both there")
    return control


def _control(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, int]:
    try:
        with closing(_Rows(archive, info)) as rows:
            parser = RecordParser.delimited(rows.header, _CONTROL_COLUMNS)
            return _listed_once([parser(row) for _, row in rows])
    except FieldError as error:
        raise RefusedDelivery("unreadable_control_file", f"{CONTROL}: {error}") from error


def _listed_once(entries: list[dict[str, Any]]) -> dict[str, int]:
    control = {values["file"]: values["records"] for values in entries}
    if len(control) != len(entries):
        raise RefusedDelivery("unreadable_control_file", f"{CONTROL} names a file more than once")
    return control


class _Rows:
    """The rows of a CSV member; damage in its syntax refuses the delivery."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._name = info.filename
        # Latin-1 never fails: a stray byte spoils its own field and no other.
        self._text = TextIOWrapper(archive.open(info), encoding="latin-1", newline="")
        self._rows = self._checked(csv_rows(iter(self._text)))
        self.header = next(self._rows, (0, []))[1]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self._rows

    def close(self) -> None:
        self._text.close()

    def _checked(self, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        try:
            yield from rows
        except csv.Error as error:
            raise RefusedDelivery("truncated_file", f"{self._name} is no complete CSV file") from error


@dataclass(slots=True)
class _Pair:
    """Header and line file of one type, as one stream of rows to group."""

    archive: zipfile.ZipFile
    found: dict[str, zipfile.ZipInfo]
    control: dict[str, int]
    file_type: FileType
    headers: _Rows = field(init=False)
    lines: _Rows = field(init=False)

    def __post_init__(self) -> None:
        self.headers = _Rows(self.archive, self.found[self.name("HEADER")])
        self.lines = _Rows(self.archive, self.found[self.name("LINE")])

    def close(self) -> None:
        self.headers.close()
        self.lines.close()

    def name(self, part: str) -> str:
        return f"TMSIS_{self.file_type}_{part}.csv"

    def size(self) -> int:
        return sum(self.found[self.name(part)].file_size for part in ("HEADER", "LINE"))

    def rows(self) -> Iterator[Row]:
        """``(header or line, line number, link, row)``. Raises :class:`RefusedDelivery` where counts do not hold."""
        return chain(self._counted("HEADER", self.headers, _HEADER_ROW), self._counted("LINE", self.lines, _LINE_ROW))

    def _counted(self, part: str, rows: _Rows, kind: int) -> Iterator[Row]:
        name, count = self.name(part), 0
        link = _link(name, rows.header)
        width = len(rows.header)
        for number, row in rows:
            count += 1
            yield kind, number, link(row) if len(row) == width else (number,), row
        if count != self.control[name]:
            raise RefusedDelivery("wrong_record_count", f"{name} holds {count} rows, the control file says otherwise")


def _link(name: str, header: list[str]) -> Callable[[list[str]], tuple[str, ...]]:
    missing = next((label for label in LINK if label not in header), None)
    if missing is not None:
        raise RefusedDelivery("missing_column", f"{name} has no column {missing}")
    places = [header.index(label) for label in LINK]
    return itemgetter(*places)


def _file_readings(
    archive: zipfile.ZipFile, found: dict[str, zipfile.ZipInfo], control: dict[str, int], file_type: FileType
) -> Iterator[Reading]:
    with closing(_Pair(archive, found, control, file_type)) as pair:
        joiner = _Joiner(pair)
        for group in grouped(pair.rows(), itemgetter(2), pair.size()):
            yield from joiner.readings(group)


class _Joiner:
    """Makes one claim of a header and its lines."""

    def __init__(self, pair: _Pair) -> None:
        self._pair = pair
        self._denials = denial_policy()
        self._substance_use = substance_use_policy()
        columns = HEADER if pair.file_type == "RX" else HEADER + DIAGNOSES
        self._header = _parser(pair.name("HEADER"), pair.headers.header, columns)
        self._line = _parser(pair.name("LINE"), pair.lines.header, LINE)

    def readings(self, group: list[Row]) -> Iterator[Reading]:
        """The claim; a defect for every row that cannot be part of it."""
        header = group[0]
        claim: dict[str, Any] | None = None
        lines: list[dict[str, Any]] = []
        for row in group:
            try:
                if row[0] == _LINE_ROW:
                    lines.append(self._read_line(row[3], claim))
                else:
                    claim, header = self._read_header(row[3], claim), row
            except FieldError as error:
                yield self._defect(row, error)
        if claim is not None:
            yield self._built(header, claim, lines)

    def _read_header(self, row: list[str], earlier: dict[str, Any] | None) -> dict[str, Any]:
        if earlier is not None:
            raise FieldError("ICN_ORIG", "more_than_one_header")
        values = self._header(row)
        if values["service_through"] < values["service_from"]:
            raise FieldError("SRVC_ENDG_DT", "ends_before_it_begins")
        return values

    def _read_line(self, row: list[str], claim: dict[str, Any] | None) -> dict[str, Any]:
        values = self._line(row)
        if claim is None:
            raise FieldError("ICN_ORIG", "line_without_header")
        values["denied"] = medicaid_line_is_denied(values.pop("denial_code"), self._denials)
        values["service_from"] = values["service_from"] or claim["service_from"]
        values["service_through"] = values["service_through"] or claim["service_through"]
        values["waiver_benefit"] = values["waiver_benefit"] or False
        return values

    def _built(self, row: Row, values: dict[str, Any], lines: list[dict[str, Any]]) -> Reading:
        state, medicaid_id = values.pop("state"), values.pop("medicaid_id")
        if medicaid_id in (values["original_number"], values["plan_id"]):
            # Both are published, and this one slipped into a neighbouring column.
            return self._defect(row, FieldError("MSIS_IDENT_NUM", "identifier"))
        try:
            claim: MedicaidClaim = MedicaidClaim.__pydantic_validator__.validate_python(
                self._claim(state, values, lines)
            )
        except ValidationError as failure:
            return self._defect(row, field_error(failure, {**self._line.elements, **self._header.elements}))
        reference = PersonReference("medicaid", f"{state}:{medicaid_id}")
        return PersonRecord((reference,), state, claim, ClaimsFeed.TMSIS)

    def _claim(self, state: str, values: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
        adjustment = values.pop("adjustment")
        codes = (values.pop(column.name, None) for column in DIAGNOSES)
        diagnoses = tuple(dict.fromkeys(filter(None, codes)))
        if values["paid_cents"] is None:
            values["paid_cents"] = sum(line["paid_cents"] or 0 for line in lines)
        for line in lines:
            line["paid_cents"] = line["paid_cents"] or 0
        return {
            # An original claim number is unique within its state only.
            "record_id": f"{state}:{values.pop('original_number')}",
            "version": medicaid_version(values.pop("adjudicated_on"), adjustment),
            "file_type": self._pair.file_type,
            "voided": adjustment == "void",
            "crossover": values.pop("crossover") or False,
            "denied": medicaid_claim_is_denied(values.pop("denial_code"), self._denials),
            "type_of_service_code": lines[0]["type_of_service_code"] if lines else None,
            "diagnosis_codes": diagnoses,
            "substance_use": is_about_substance_use(diagnoses, self._substance_use),
            "lines": tuple(lines),
            **values,
        }

    def _defect(self, row: Row, error: FieldError) -> Defect:
        kind, number, _, texts = row
        name = self._pair.name("HEADER" if kind == _HEADER_ROW else "LINE")
        return Defect(name, number, error.element, error.reason, ",".join(texts).encode("latin-1"))


def _parser(name: str, header: list[str], columns: tuple[Column, ...]) -> RecordParser:
    try:
        return RecordParser.delimited(header, columns)
    except FieldError as error:
        raise RefusedDelivery("missing_column", f"{name} has no column {error.element}") from error
