"""The texts of a record and what they mean: days, cents, identifiers, codes.

Every converter takes the field as it stands in the file. Blank, and the ``~`` that newer feeds write, mean "not
given" and give ``None``. A text that is no value raises :class:`Unreadable`, whose reason never holds the text.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Generic, TypeVar

from contracts.identifiers import holds_an_mbi
from contracts.money import MEDICAID_MISSING_AMOUNTS, AmountError, cents_from_text

Converter = Callable[[str], Any]
Value = TypeVar("Value")

_EARLIEST_YEAR, _YEAR_AFTER_LATEST = 1850, 2100
# CCLF Information Packet v36.0, 3.6: dates without a value.
_NO_DAY = frozenset({"1000-01-01", "9999-12-31"})
_NO_COMPACT_DAY = frozenset({"00000000", "99991231", "10000101"})
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COMPACT_DAY = re.compile(r"[0-9]{8}")
_NPI = re.compile(r"[0-9]{10}")
_PROCEDURE = re.compile(r"[0-9A-Z]{5}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


class Unreadable(ValueError):  # noqa: N818 - reads as what the field is
    """The text is not a value of the field. ``reason`` is snake_case."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text(field: str) -> str | None:
    """The trimmed text."""
    trimmed = field.strip()
    # No database keeps this character in a text.
    if "\x00" in trimmed:
        raise Unreadable("nul_character")
    return None if trimmed in {"", "~"} else trimmed


def upper(field: str) -> str | None:
    """The trimmed text in capitals."""
    trimmed = text(field)
    return None if trimmed is None else trimmed.upper()


class Required(Generic[Value]):
    """A converter for a field that must have a value."""

    def __init__(self, convert: Callable[[str], Value | None]) -> None:
        self.convert = convert

    def __call__(self, field: str) -> Value:
        """The value. Raises :class:`Unreadable`."""
        value = self.convert(field)
        if value is None:
            raise Unreadable("missing")
        return value


def required(convert: Callable[[str], Value | None]) -> Required[Value]:
    """The converter, for a field that must have a value."""
    return Required(convert)


def _calendar_day(year: str, month: str, day: str) -> date:
    if not _EARLIEST_YEAR <= int(year) < _YEAR_AFTER_LATEST:
        raise Unreadable("date_out_of_range")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unreadable("not_a_date") from None


@lru_cache(maxsize=1 << 16)
def iso_day(field: str) -> date | None:
    """A day as ``YYYY-MM-DD``."""
    trimmed = text(field)
    if trimmed is None or trimmed in _NO_DAY:
        return None
    if not _ISO_DAY.fullmatch(trimmed):
        raise Unreadable("not_a_date")
    return _calendar_day(trimmed[:4], trimmed[5:7], trimmed[8:])


@lru_cache(maxsize=1 << 16)
def compact_day(field: str) -> date | None:
    """A day as ``YYYYMMDD``."""
    trimmed = text(field)
    if trimmed is None or trimmed in _NO_COMPACT_DAY:
        return None
    if not _COMPACT_DAY.fullmatch(trimmed):
        raise Unreadable("not_a_date")
    return _calendar_day(trimmed[:4], trimmed[4:6], trimmed[6:])


# More different amounts than a parser remembers of one field, and each is dear.
@lru_cache(maxsize=1 << 16)
def cents(field: str) -> int | None:
    """A dollar amount as integer cents."""
    trimmed = text(field)
    if trimmed is None:
        return None
    try:
        return cents_from_text(trimmed)
    except AmountError:
        raise Unreadable("not_an_amount") from None


def medicaid_cents(field: str) -> int | None:
    """A T-MSIS amount; the published filler amounts are no amount."""
    return None if field.strip() in MEDICAID_MISSING_AMOUNTS else cents(field)


def npi(field: str) -> str | None:
    """A National Provider Identifier."""
    trimmed = text(field)
    if trimmed is not None and not _NPI.fullmatch(trimmed):
        raise Unreadable("not_an_npi")
    return trimmed


def procedure_code(field: str) -> str | None:
    """A HCPCS or CPT code."""
    trimmed = upper(field)
    if trimmed is not None and not _PROCEDURE.fullmatch(trimmed):
        raise Unreadable("not_a_procedure_code")
    return trimmed


@lru_cache(maxsize=1 << 14)
def diagnosis_code(field: str) -> str | None:
    """A diagnosis code without its dot; whether it is one is the claim's check."""
    trimmed = upper(field)
    return None if trimmed is None else trimmed.replace(".", "")


def number_of_a_claim(field: str) -> str | None:
    """The source's own number of a claim: published, so never an identifier of a person."""
    trimmed = text(field)
    if trimmed is not None and holds_an_mbi(trimmed):
        raise Unreadable("identifier")
    return trimmed


class Digits:
    """A numeric code of so many digits: a text that slipped into its column is none."""

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most

    def __call__(self, field: str) -> str | None:
        """The code. Raises :class:`Unreadable`."""
        trimmed = text(field)
        if trimmed is None:
            return None
        if not (trimmed.isascii() and trimmed.isdecimal() and self.least <= len(trimmed) <= self.most):
            raise Unreadable("not_a_code")
        return trimmed


def digits(least: int, most: int) -> Digits:
    """The converter for a numeric code of so many digits."""
    return Digits(least, most)


def whole_number(field: str) -> int | None:
    """A number without sign or fraction."""
    trimmed = text(field)
    if trimmed is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(trimmed):
        raise Unreadable("not_a_whole_number")
    return int(trimmed)


class OneOf(Generic[Value]):
    """A code of a closed list, and what it means."""

    def __init__(self, meanings: Mapping[str, Value]) -> None:
        self.meanings = meanings

    def __call__(self, field: str) -> Value | None:
        """The meaning. Raises :class:`Unreadable`."""
        trimmed = upper(field)
        if trimmed is None:
            return None
        if trimmed not in self.meanings:
            raise Unreadable("not_in_code_list")
        return self.meanings[trimmed]


def one_of(**meanings: Value) -> OneOf[Value]:
    """The converter for a code of a closed list; keys start with ``_`` where the code is a digit."""
    return OneOf({code.removeprefix("_"): meaning for code, meaning in meanings.items()})
