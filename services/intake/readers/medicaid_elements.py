"""Elements of T-MSIS files: what each means, under which labels it is delivered, and how it is read.

Sources: T-MSIS Data Guide; labels of CMS's analytic files as in Enterprise-CMCS T-MSIS Analytic File Generation
(TAF Flat Files Columns). An element stands under the first of its labels that a file has.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from contracts.codes import CodeError, dual_status_code
from contracts.identifiers import MbiError, holds_an_mbi, normalise_mbi
from contracts.money import cents_from_text
from services.intake.readers.fields import (
    Converter,
    Unreadable,
    cents,
    compact_day,
    diagnosis_code,
    iso_day,
    number_of_a_claim,
    text,
)
from services.intake.readers.records import Column, RecordParser
from services.intake.readers.tables import Kind
from services.intake.reading import RefusedDelivery
from services.intake.states import usps_state

_FORMULA_SIGNS = ("=", "+", "@")
_FILL = frozenset("089#")
_FIRST_YEAR, _LAST_YEAR = 1900, 2099

# What a field must hold, by why it was not taken.
EXPECTED = {
    "missing": "a value",
    "not_a_date": "a day of the calendar as YYYYMMDD or YYYY-MM-DD",
    "date_out_of_range": "a day between 1850 and 2099",
    "not_an_amount": "dollars with a point, at most two decimals that count",
    "not_in_code_list": "a code that T-MSIS defines for the element",
    "not_a_state": "a FIPS number or USPS letters of a state",
    "wrong_state": "the state that the delivery's name names",
    "after_the_delivery": "a day not after the delivery",
    "ends_before_it_begins": "a day not before the first",
    "line_without_header": "a line whose header is in the same delivery",
    "more_than_one_header": "one header a claim",
    "not_an_npi": "ten digits",
    "not_a_procedure_code": "five letters or digits",
    "not_a_code": "a code of digits",
    "not_a_contract": "a contract of CMS, as H1234",
    "not_a_whole_number": "a number without sign",
    "formula": "a text that does not begin with =, + or @",
    "identifier": "no identifier of a person",
    "wrong_number_of_columns": "as many fields as the header has",
    "withheld_with_the_person": "a person all of whose rows can be read",
    "contradicting_programmes": "programmes that the mapping ranks one before the other",
    "contradicting_dual_status": "one dual status of one programme in a month",
    "contradicting_rows": "the same value in all rows of a person",
    "contradicts_the_programme": "the dual status that goes with the programme",
    "contradicts_the_code": "the benefit level that goes with the dual status",
    "ambiguous_date": "a day that can be read in one way only",
    "not_an_mbi": "a Medicare Beneficiary Identifier",
    "too_long": "a shorter text",
    "too_many_spans": "at most 600 spans a person",
    "not_a_count_of_days": "a number of days that the month has",
    "contradicts_enrolment": "no dual status in a month without enrolment",
    "no_base_row": "a person of whom the base file has a row",
    "no_primary_row": "one row a person and month that is marked as primary",
    "more_than_one_row": "one row a person and period, or rows that say the same",
    "wrong_period": "the period of the file",
    "died_before_birth": "a day not before the birth",
}


@dataclass(frozen=True, slots=True)
class Element:
    """``labels`` in order of preference. One that is ``optional`` may be missing from a file, and then says nothing."""

    name: str
    labels: tuple[str, ...]
    convert: Converter
    kind: Kind = "text"
    optional: bool = False
    repeats: bool = True


class ElementParser:
    """Turns the rows under one header into values by name; an optional element that is not there gives ``None``."""

    def __init__(self, table: str, header: Sequence[str], elements: Sequence[Element]) -> None:
        labels = frozenset(header)
        chosen = [(element, _label(table, element, labels)) for element in elements]
        self.missing = tuple(element for element, label in chosen if label is None)
        self._nothing = dict.fromkeys([element.name for element in self.missing])
        self._parser = RecordParser.delimited(
            header,
            [Column(element.name, label, element.convert, element.repeats) for element, label in chosen if label],
        )
        self.elements = self._parser.elements
        self._places = {label: place for place, label in enumerate(header)}

    def __call__(self, row: Sequence[str]) -> dict[str, Any]:
        """The values. Raises :class:`FieldError`."""
        values = self._parser(row)
        return {**self._nothing, **values} if self._nothing else values

    def text_of(self, row: Sequence[str], label: str | None) -> str | None:
        """What stands in a field, to be told by its shape only."""
        place = self._places.get(label or "")
        return None if place is None or place >= len(row) else row[place]


def _label(table: str, element: Element, labels: frozenset[str]) -> str | None:
    found = next((label for label in element.labels if label in labels), None)
    if found is None and not element.optional:
        raise RefusedDelivery("missing_column", f"{table} has no column {element.labels[0]}")
    return found


def wanted(elements: Sequence[Element]) -> dict[str, Kind]:
    """Every label under which one of the elements may stand, and what its column must hold."""
    return {label: element.kind for element in elements for label in element.labels}


def state(field: str) -> str | None:
    """A state as FIPS number or USPS letters, as letters."""
    trimmed = text(field)
    if trimmed is None:
        return None
    found = usps_state(trimmed)
    if found is None:
        raise Unreadable("not_a_state")
    return found


def day(field: str) -> date | None:
    """A day as ``YYYYMMDD``, as T-MSIS has it, or as ``YYYY-MM-DD``, as typed files give it."""
    found: date | None = iso_day(field) if "-" in field else compact_day(field)
    return found


def plain(field: str) -> str | None:
    """A text that no spreadsheet would take for a formula."""
    trimmed = text(field)
    if trimmed is not None and trimmed.startswith(_FORMULA_SIGNS):
        raise Unreadable("formula")
    return trimmed


def published(longest: int) -> Callable[[str], str | None]:
    """A text that is sent on: short, no formula, and no identifier of a person."""

    def convert(field: str) -> str | None:
        trimmed = plain(field)
        if trimmed is not None and holds_an_mbi(trimmed):
            raise Unreadable("identifier")
        if trimmed is not None and len(trimmed) > longest:
            raise Unreadable("too_long")
        return trimmed

    return convert


def mbi(*, synthetic: bool) -> Callable[[str], str | None]:
    """A Medicare Beneficiary Identifier; ``synthetic`` admits the impossible ones of test data."""

    def convert(field: str) -> str | None:
        trimmed = text(field)
        if trimmed is None:
            return None
        try:
            return normalise_mbi(trimmed, synthetic=synthetic)
        except MbiError:
            raise Unreadable("not_an_mbi") from None

    return convert


def dual_status(field: str) -> str | None:
    """A dual status as the source writes it: T-MSIS has 00 for no dual, Medicare's files have NA; neither becomes the other."""
    try:
        return dual_status_code(plain(field) or "")
    except CodeError:
        raise Unreadable("not_in_code_list") from None


def day_of_a_life(field: str) -> date | None:
    """A day of birth or death."""
    found = day(field)
    if found is not None and not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise Unreadable("date_out_of_range")
    return found


def claim_number(field: str) -> str | None:
    """The state's own number of a claim."""
    return number_of_a_claim(plain(field) or "")


def diagnosis(field: str) -> str | None:
    """A diagnosis code; one that is filled up with 0, 8, 9 or # is none."""
    code = diagnosis_code(field)
    return None if code is not None and _FILL.issuperset(code) else code


@cache
def missing_amounts() -> Mapping[str, frozenset[int]]:
    """By element, the amounts in cents that stand for no amount (``policy/medicaid_amounts.toml``)."""
    policy = tomllib.loads(
        files("services.intake.policy").joinpath("medicaid_amounts.toml").read_text(encoding="utf-8")
    )
    return {name: frozenset(map(cents_from_text, entry["value"])) for name, entry in policy.items()}


def amount(label: str) -> Converter:
    """Reads the amounts of an element."""
    missing = missing_amounts()[label]

    def convert(field: str) -> int | None:
        value = cents(field)
        return None if value in missing else value

    return convert
