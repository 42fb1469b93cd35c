"""Medicaid claims, encounters and capitation payments with T-MSIS field names: one zip of header and line tables.

A header and its lines stand in two files, CSV or Parquet, and are brought together by the key that both carry, or by
state, person and claim numbers. Source: T-MSIS Data Guide; files and labels in ``docs/feeds.md``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

from pydantic import ValidationError

from contracts.claims import ClaimsFeed, MedicaidClaim
from services.intake.readers.masking import shape_of
from services.intake.readers.medicaid_archive import Delivered, delivered
from services.intake.readers.medicaid_columns import LINE, LINK, LINK_KEY, header_elements
from services.intake.readers.medicaid_elements import EXPECTED, ElementParser, wanted
from services.intake.readers.partitions import Row, grouped
from services.intake.readers.records import FieldError, field_error
from services.intake.readers.tables import Kind, Table
from services.intake.reading import (
    Defect,
    Observation,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)
from services.intake.rules.claim_version import medicaid_version
from services.intake.rules.denial import denial_policy, medicaid_claim_is_denied, medicaid_line_is_denied
from services.intake.rules.medicaid_claim_traits import claim_codes, traits_of, untold
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

FileType = Literal["IP", "LT", "OT", "RX"]
FILE_TYPES: tuple[FileType, ...] = ("IP", "LT", "OT", "RX")
_PARTS = ("HEADER", "LINE")
# Names of files by what they are: ours, and those of CMS's analytic tables.
_KNOWN = {f"TMSIS_{kind}_{part}": f"{kind}_{part}" for kind in FILE_TYPES for part in _PARTS} | {
    f"TAF_{kind}{part[0]}": f"{kind}_{part}" for kind in FILE_TYPES for part in _PARTS
}
_STATE_IN_NAME = re.compile(r"TMSIS\.(?P<state>[A-Z]{2})\.")
_HEADER_ROW, _LINE_ROW = 0, 1


def read(source: Source) -> Iterator[Reading]:
    """Every reading of one delivery. Raises :class:`services.intake.reading.RefusedDelivery`."""
    with delivered(source.paths[0], _KNOWN) as files:
        if any((f"{kind}_HEADER" in files.members) != (f"{kind}_LINE" in files.members) for kind in FILE_TYPES):
            raise RefusedDelivery("missing_member", "a header file and its line file are not both there")
        told: Counter[str] = Counter()
        for kind in FILE_TYPES:
            if f"{kind}_HEADER" in files.members:
                yield from _Joiner(source, files, kind, told).readings()
        yield from (Observation(what, count) for what, count in sorted(told.items()))


class _Joiner:
    """Makes one claim of a header and its lines."""

    def __init__(self, source: Source, files: Delivered, file_type: FileType, told: Counter[str]) -> None:
        self._file_type = file_type
        self._files = files
        self._told = told
        self._dated = source.dated
        named = _STATE_IN_NAME.match(source.name)
        self._state = named["state"] if named else None
        self._denials, self._codes = denial_policy(), claim_codes()
        self._substance_use = substance_use_policy()
        elements = header_elements(file_type)
        self._diagnoses = [element.name for element in elements if element.name.startswith("diagnosis_")]
        links: dict[str, Kind] = dict.fromkeys((LINK_KEY[file_type], *chain.from_iterable(LINK)), "text")
        self._headers = files.table(f"{file_type}_HEADER", links | wanted(elements))
        self._lines = files.table(f"{file_type}_LINE", links | wanted(LINE))
        self._header = ElementParser(self._headers.name, self._headers.header, elements)
        self._line = ElementParser(self._lines.name, self._lines.header, LINE)
        missing = [frozenset(element.name for element in parser.missing) for parser in (self._header, self._line)]
        told.update(f"{file_type} tables {what}" for what in untold(file_type, *missing))

    def readings(self) -> Iterator[Reading]:
        """The claims, and defects of rows that cannot be part of one."""
        tables = (self._headers, self._lines)
        by_key = all(LINK_KEY[self._file_type] in table.header for table in tables)
        rows = chain(self._rows("HEADER", _HEADER_ROW, by_key=by_key), self._rows("LINE", _LINE_ROW, by_key=by_key))
        for group in grouped(rows, itemgetter(2), sum(table.size for table in tables)):
            yield from self._joined(group)

    def _rows(self, part: str, kind: int, *, by_key: bool) -> Iterator[Row]:
        """``(header or line, number, link, row)``. Raises :class:`RefusedDelivery` where counts do not hold."""
        table = self._lines if kind == _LINE_ROW else self._headers
        link = _link(table, ((LINK_KEY[self._file_type],),) if by_key else LINK)
        width = len(table.header)
        for number, row in self._files.counted(f"{self._file_type}_{part}", table):
            yield kind, number, link(row) if len(row) == width else (number,), row

    def _joined(self, group: list[Row]) -> Iterator[Reading]:
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

    def _read_header(self, row: Sequence[str], earlier: dict[str, Any] | None) -> dict[str, Any]:
        if earlier is not None:
            raise FieldError("ICN_ORIG", "more_than_one_header")
        values: dict[str, Any] = self._header(row)
        if values["service_through"] < values["service_from"]:
            raise FieldError(self._header.elements["service_through"], "ends_before_it_begins")
        if values["state"] != (self._state or values["state"]):
            raise FieldError("SUBMTG_STATE_CD", "wrong_state")
        if values["adjudicated_on"] > self._dated:
            raise FieldError("ADJDCTN_DT", "after_the_delivery")
        return values

    def _read_line(self, row: Sequence[str], claim: dict[str, Any] | None) -> dict[str, Any]:
        values: dict[str, Any] = self._line(row)
        if claim is None:
            raise FieldError("ICN_ORIG", "line_without_header")
        values["denied"] = medicaid_line_is_denied(values.pop("denial_code"), values.pop("status_code"), self._denials)
        values["service_from"] = values["service_from"] or claim["service_from"]
        values["service_through"] = values["service_through"] or claim["service_through"]
        service = values.pop("community_service")
        values["waiver_benefit"] = bool(values["waiver_benefit"]) or service in self._codes.community_waiver
        return values

    def _built(self, row: Row, values: dict[str, Any], lines: list[dict[str, Any]]) -> Reading:
        state, medicaid_id = values.pop("state"), values.pop("medicaid_id")
        if medicaid_id in (values["original_number"], values["plan_id"]):
            # Both are published, and this one slipped into a neighbouring column.
            return self._defect(row, FieldError("MSIS_IDENT_NUM", "identifier"))
        traits = traits_of(values, lines, self._codes)
        try:
            claim: MedicaidClaim = MedicaidClaim.__pydantic_validator__.validate_python(
                self._claim(state, values, lines)
            )
        except ValidationError as failure:
            return self._defect(row, field_error(failure, {**self._line.elements, **self._header.elements}))
        self._told.update(f"{self._file_type} {trait}" for trait in traits)
        reference = PersonReference("medicaid", f"{state}:{medicaid_id}")
        return PersonRecord((reference,), state, claim, ClaimsFeed.TMSIS)

    def _claim(self, state: str, values: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
        adjustment = values.pop("adjustment")
        codes = [values.pop(name) for name in self._diagnoses]
        diagnoses = tuple(dict.fromkeys(filter(None, codes)))
        if values["paid_cents"] is None:
            values["paid_cents"] = sum(line["paid_cents"] or 0 for line in lines)
        medicare = [line.pop("medicare_paid_cents") for line in lines]
        if values["medicare_paid_cents"] is None and any(cents is not None for cents in medicare):
            values["medicare_paid_cents"] = sum(cents or 0 for cents in medicare)
        for line in lines:
            line["paid_cents"] = line["paid_cents"] or 0
        denial = (values.pop("denial_code"), values.pop("status_code"), values.pop("status_category"))
        return {
            # An original claim number is unique within its state only.
            "record_id": f"{state}:{values.pop('original_number')}",
            "version": medicaid_version(values.pop("adjudicated_on"), adjustment),
            "file_type": self._file_type,
            "voided": adjustment == "void",
            "crossover": values.pop("crossover") or False,
            "denied": medicaid_claim_is_denied(*denial, values["claim_type_code"], self._denials),
            "type_of_service_code": lines[0]["type_of_service_code"] if lines else None,
            "diagnosis_codes": diagnoses,
            "substance_use": is_about_substance_use(diagnoses, self._substance_use),
            "lines": tuple(lines),
            **values,
        }

    def _defect(self, row: Row, error: FieldError) -> Defect:
        kind, number, _, texts = row
        table, parser = (self._headers, self._header) if kind == _HEADER_ROW else (self._lines, self._line)
        found = parser.text_of(texts, error.element)
        raw = ",".join(texts).encode("utf-8", "surrogateescape")
        shape = None if found is None else shape_of(found)
        return Defect(table.name, number, error.element, error.reason, raw, shape, EXPECTED.get(error.reason))


def _link(table: Table, labels: Sequence[Sequence[str]]) -> Callable[[Sequence[str]], tuple[str, ...] | str]:
    places = []
    for preferred in labels:
        place = next((table.header.index(label) for label in preferred if label in table.header), None)
        if place is None:
            raise RefusedDelivery("missing_column", f"{table.name} has no column {preferred[0]}")
        places.append(place)
    return itemgetter(*places)
