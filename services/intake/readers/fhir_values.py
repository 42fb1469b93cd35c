"""Texts and numbers of FHIR resources and what they mean: days, moments, cents, codes, identifiers.

What decides money, time or person is strict: what cannot be read exactly raises :class:`UnreadableResource`. A
descriptive code that does not have its declared shape counts as absent. Amounts are read from the number's own text,
never through a float.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from contracts.identifiers import MbiError, holds_an_mbi, normalise_mbi
from contracts.money import AmountError, cents_from_text
from services.intake.readers.masking import shape_of

_REMEMBERED = 1 << 16
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,2})?")
_CODE = re.compile(r"[0-9A-Z]{1,8}")
_ICD_10_CM = re.compile(r"[A-Z][0-9A-Z]{2,6}")
# Always seven characters, and neither the letter I nor O (CMS, ICD-10-PCS Official Guidelines, A2).
_ICD_10_PCS = re.compile(r"[0-9A-HJ-NP-Z]{7}")
_PROCEDURE = re.compile(r"[0-9A-Z]{5}")
_NPI = re.compile(r"[0-9]{10}")
_NATIONAL_DRUG_CODE = re.compile(r"[0-9]{11}")
_QUANTITY = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,4})?")
_RECORD_ID = re.compile(r"[!-~]{1,60}")
_DIGITS = re.compile(r"-?[0-9]{1,40}")
_EARLIEST, _LATEST = date(1900, 1, 1), date(2099, 12, 31)
# The Integrated Data Repository's days for "no day", and what is left of the first after a change of calendar.
_NO_DAY = frozenset({"1000-01-01", "9999-12-31", "0999-12-27", "0001-01-01"})
_UNIQUE_CLAIM_DIGITS = 13

EXPECTED = {
    "amount_malformed": "a JSON number with at most two decimals",
    "claim_id_malformed": "1 to 60 printable characters of ASCII",
    "claim_type_unknown": "a claim type code of CMS",
    "date_malformed": "YYYY-MM-DD, from 1900 to 2099",
    "mbi_malformed": "11 characters in the format of a Medicare Beneficiary Identifier",
    "number_malformed": "a whole number",
    "status_unknown": "active, cancelled or entered-in-error",
    "adjustment_type_unknown": "0, 1 or 2",
    "dual_status_unknown": "a dual status code of CMS",
    "dual_code_contradicts_type": "F with 02, 04, 08; P with 01, 03, 05, 06",
}


class UnreadableResource(Exception):  # noqa: N818 - a verdict about one resource of a file
    """Why a resource, or one element of it, cannot be used. No argument is shown but ``found``, and of that the shape."""

    def __init__(self, reason: str, field: str | None = None, found: str | bytes | None = None) -> None:
        super().__init__(reason if field is None else f"{reason}: {field}")
        self.reason = reason
        self.field = field
        self.found = None if found is None else shape_of(found)
        self.expected = EXPECTED.get(reason)


@lru_cache(maxsize=_REMEMBERED)
def _parsed_day(text: str) -> date | None:
    """The day; ``None`` where the text is none, or of a year that no claim can be of."""
    if not _ISO_DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _EARLIEST <= day <= _LATEST else None


def day_of(text: str | None, field: str) -> date | None:
    """The day of a date or of a moment; ``None`` for CMS's ways to write that there is none."""
    if not text:
        return None
    day = _parsed_day(text[:10])
    if day is None and text[:10] not in _NO_DAY:
        raise UnreadableResource("date_malformed", field, text)
    return day


@lru_cache(maxsize=_REMEMBERED)
def _milliseconds(text: str) -> int | None:
    try:
        stamp = datetime.fromisoformat(text)
        return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def milliseconds_of(text: str, field: str) -> int:
    """A moment as milliseconds since 1970."""
    moment = _milliseconds(text)
    if moment is None or moment < 0:
        raise UnreadableResource("date_malformed", field, text)
    return moment


@lru_cache(maxsize=_REMEMBERED)
def _plain(number: bytes) -> str | None:
    """A JSON number without an exponent; ``None`` for what is no number or absurdly long."""
    text = number.decode("latin-1")
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return format(Decimal(text), "f") if "e" in text.lower() else text
    except InvalidOperation:
        return None


@lru_cache(maxsize=_REMEMBERED)
def _cents(number: bytes) -> int | None:
    text = _plain(number)
    if text is None:
        return None
    # Trailing zeros say nothing: 37.500000 is 37.5.
    text = text.rstrip("0") if "." in text else text
    try:
        return cents_from_text(text)
    except AmountError:
        return None


def cents_of(number: bytes, field: str) -> int | None:
    """A JSON number of dollars as integer cents; ``None`` where there is none."""
    if not number or number == b"null":
        return None
    cents = _cents(number)
    if cents is None:
        raise UnreadableResource("amount_malformed", field, number)
    return cents


def whole_number_of(number: bytes) -> int | None:
    """A descriptive count; whatever is no whole number from 0 to 99,999 counts as absent."""
    text = (_plain(number) or "").removesuffix(".0")
    return int(text) if text.isdecimal() and len(text) < 6 else None  # noqa: PLR2004 - digits of the number above


def quantity_of(number: bytes) -> str | None:
    """A descriptive quantity as decimal text."""
    text = _plain(number)
    return text if text is not None and _QUANTITY.fullmatch(text) else None


def _shaped(text: str | None, shape: re.Pattern[str]) -> str | None:
    return text if text is not None and shape.fullmatch(text) else None


@lru_cache(maxsize=4096)
def code_of(text: str | None) -> str | None:
    """A short descriptive code."""
    return _shaped(text, _CODE)


@lru_cache(maxsize=_REMEMBERED)
def npi_of(text: str | None) -> str | None:
    """A National Provider Identifier."""
    return _shaped(text, _NPI)


@lru_cache(maxsize=_REMEMBERED)
def procedure_of(text: str | None) -> str | None:
    """A HCPCS or CPT code."""
    return _shaped(text, _PROCEDURE)


@lru_cache(maxsize=_REMEMBERED)
def institutional_procedure_of(text: str | None) -> str | None:
    """An ICD-10-PCS code."""
    return None if text is None else _shaped(text.replace(".", "").upper(), _ICD_10_PCS)


@lru_cache(maxsize=_REMEMBERED)
def diagnosis_of(text: str | None) -> str | None:
    """An ICD-10-CM code, without its dot."""
    return None if text is None else _shaped(text.replace(".", "").upper(), _ICD_10_CM)


@lru_cache(maxsize=_REMEMBERED)
def national_drug_code_of(text: str | None) -> str | None:
    """An eleven-digit National Drug Code."""
    return None if text is None else _shaped(text.replace("-", ""), _NATIONAL_DRUG_CODE)


def record_id_of(text: str | None, field: str) -> str:
    """The source's own number of a claim, as wide as CCLF writes it (CUR_CLM_UNIQ_ID, 9(13)); never a person's."""
    if not text:
        raise UnreadableResource("claim_id_missing", field)
    if not _DIGITS.fullmatch(text):
        if not _RECORD_ID.fullmatch(text) or holds_an_mbi(text):
            raise UnreadableResource("claim_id_malformed", field, text)
        return text
    return text if text.startswith("-") else text.zfill(_UNIQUE_CLAIM_DIGITS)


def number_of_a_claim(text: str | None, most: int) -> str | None:
    """A further number of a claim or a facility, published verbatim: absent where it could be anything else."""
    if not text or len(text) > most or not _RECORD_ID.fullmatch(text):
        return None
    return text if _DIGITS.fullmatch(text) or not holds_an_mbi(text) else None


def mbi_of(text: str, field: str, *, synthetic: bool) -> str:
    """A Medicare Beneficiary Identifier."""
    try:
        return normalise_mbi(text, synthetic=synthetic)
    except MbiError:
        raise UnreadableResource("mbi_malformed", field, text) from None
