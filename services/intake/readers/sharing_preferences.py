"""Data-sharing preferences: whether Medicare may share a person's claims with an accountable entity.

Source: the layout that CMS's own reader takes (CMSgov/bcda-app, bcda/bene-prefs/parser.go): records of 459 characters
between ``HDR_BENEDATASHR``, date and ``TRL_BENEDATASHR``, date, number of records. Names and addresses stand in the
records too, at places that are not published; they are not read.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from contracts.alignment import SharingPreferenceStatedData
from contracts.identifiers import MbiError, normalise_mbi
from services.intake.readers.fields import Converter, Unreadable, compact_day, one_of, required, text, upper
from services.intake.readers.masking import shape_of
from services.intake.readers.records import FieldError, field_error
from services.intake.readers.trailed_csv import require_narrow
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Defect,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)

RECORD_LENGTH = 459
_LONGEST_LINE = 4096
_TEST_FILE = "T#EFT."
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEADER = re.compile(rb"HDR_BENEDATASHR([0-9]{8}) *")
_TRAILER = re.compile(rb"TRL_BENEDATASHR([0-9]{8}) *([0-9]{1,10}) *")
_PREFERENCE = one_of(Y=True, N=False)


def _link_key(field: str) -> str | None:
    """A number that nothing is made of: what is none says that the record is not in its places."""
    trimmed = text(field)
    if trimmed is not None and not (trimmed.isascii() and trimmed.isdecimal()):
        raise Unreadable("not_a_whole_number")
    return trimmed


# Label: first place, place behind the last, what it is made of, what it must hold.
_LAYOUT: Mapping[str, tuple[int, int, Converter, str]] = {
    "MBI": (0, 11, required(upper), "a Medicare Beneficiary Identifier"),
    "BENE_LINK_KEY": (11, 21, _link_key, "a number or nothing"),
    "EFFECTIVE_DATE": (354, 362, compact_day, "a day as YYYYMMDD or nothing"),
    "SOURCE_CODE": (362, 367, text, "a code"),
    "PREFERENCE": (368, 369, _PREFERENCE, "Y, N or nothing"),
    "SUD_EFFECTIVE_DATE": (369, 377, compact_day, "a day as YYYYMMDD or nothing"),
    "SUD_SOURCE_CODE": (377, 382, text, "a code"),
    "SUD_PREFERENCE": (383, 384, _PREFERENCE, "Y, N or nothing"),
    "ACO_ID": (384, 389, required(upper), "an accountable entity"),
}
_ELEMENTS = {
    "entity_id": "ACO_ID",
    "shares_claims": "PREFERENCE",
    "shares_claims_from": "EFFECTIVE_DATE",
    "source_code": "SOURCE_CODE",
    "shares_substance_use": "SUD_PREFERENCE",
    "shares_substance_use_from": "SUD_EFFECTIVE_DATE",
    "substance_use_source_code": "SUD_SOURCE_CODE",
}


def read(source: Source) -> Iterator[Reading]:
    """Every stated preference as a record. Raises :class:`services.intake.reading.RefusedDelivery`.

    A record without any preference says nothing and gives nothing.
    """
    path = source.paths[0]
    if path.name.startswith(_TEST_FILE) and not source.synthetic_identifiers:
        raise RefusedDelivery("test_file", "the name says that it is a test file")
    require_narrow(path)
    frame = _Frame(source)
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            yield from frame.line(number, line.removesuffix(b"\n").removesuffix(b"\r"))
    frame.require_whole()


class _Frame:
    """Header and trailer, and what stands between them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._name = source.paths[0].name
        self._stated_on = source.dated
        self._of_header = b""
        self._count = 0
        self._announced: int | None = None

    def line(self, number: int, line: bytes) -> Iterator[Reading]:
        """One line. Raises :class:`RefusedDelivery` for one that cannot stand where it stands."""
        if number == 1:
            yield from self._begin(line.removeprefix(_BYTE_ORDER_MARK))
        elif self._announced is not None:
            if line.strip(b" \x1a\x00"):
                raise RefusedDelivery("truncated_file", "there are records after the trailer")
        elif (trailer := _TRAILER.fullmatch(line)) is not None:
            if trailer[1] != self._of_header:
                raise RefusedDelivery("mislabelled_file", "header and trailer are of different days")
            self._announced = int(trailer[2])
        else:
            self._count += 1
            yield from self._record(number, line)

    def require_whole(self) -> None:
        """Raises :class:`RefusedDelivery` when the trailer is missing or miscounts."""
        if not self._of_header:
            raise RefusedDelivery("missing_header", "the file is empty")
        if self._announced is None:
            raise RefusedDelivery("truncated_file", "the last line is no trailer")
        if self._announced != self._count:
            raise RefusedDelivery("wrong_record_count", f"the file holds {self._count} records, its trailer another")

    def _begin(self, line: bytes) -> Iterator[Defect]:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise RefusedDelivery("missing_header", "the first line is no HDR_BENEDATASHR with a date")
        self._of_header = header[1]
        try:
            stated_on = compact_day(header[1].decode())
        except Unreadable:
            stated_on = None
        if stated_on is None:
            raise RefusedDelivery("missing_header", "the date of the header is none")
        if stated_on != self._source.dated:
            # Who wrote the records wrote the header; whoever moved the file may have named it.
            expected = f"the day of the name, {self._source.dated.isoformat()}"
            found = stated_on.isoformat()
            yield Defect(self._name, 1, "HDR_BENEDATASHR", "date_differs_from_name", line, found, expected)
        self._stated_on = stated_on

    def _record(self, number: int, line: bytes) -> Iterator[PersonRecord | Defect]:
        if len(line) != RECORD_LENGTH:
            found, expected = f"{len(line)} characters", f"{RECORD_LENGTH} characters"
            yield Defect(self._name, number, None, "wrong_length", line, found, expected)
            return
        record = line.decode("latin-1")
        try:
            found_record = self._preference(record)
        except FieldError as error:
            yield _defect(self._name, number, line, error)
        else:
            if found_record is not None:
                yield found_record

    def _preference(self, record: str) -> PersonRecord | None:
        values = {label: _converted(record, label) for label in _LAYOUT}
        try:
            mbi = normalise_mbi(values["MBI"], synthetic=self._source.synthetic_identifiers)
            if values["PREFERENCE"] is None and values["SUD_PREFERENCE"] is None:
                return None
            stated = SharingPreferenceStatedData(
                person_id=UNRESOLVED_PERSON,
                state=self._source.default_state,
                stated_on=self._stated_on,
                **{field: values[label] for field, label in _ELEMENTS.items()},
            )
        except MbiError:
            raise FieldError("MBI", "not_an_mbi") from None
        except ValidationError as failure:
            raise field_error(failure, _ELEMENTS) from None
        return PersonRecord((PersonReference("mbi", mbi),), None, stated)


def _converted(record: str, label: str) -> Any:  # noqa: ANN401 - of whatever type the field is
    first, behind, convert, _ = _LAYOUT[label]
    try:
        return convert(record[first:behind])
    except Unreadable as unreadable:
        raise FieldError(label, unreadable.reason) from None


def _defect(name: str, number: int, line: bytes, error: FieldError) -> Defect:
    if error.element is None or error.element not in _LAYOUT:
        return Defect(name, number, error.element, error.reason, line)
    first, behind, _, expected = _LAYOUT[error.element]
    return Defect(name, number, error.element, error.reason, line, shape_of(line[first:behind]), expected)
