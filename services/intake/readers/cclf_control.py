"""The archive of a CCLF delivery: what belongs in it, and the counts by which CCLF0 vouches for it.

Source: CCLF Information Packet v36.0, sections 2 and 3 (file names, CCLF0 summary file).
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.intake.readers.archive import members, physical_lines
from services.intake.readers.cclf_columns import BENEFICIARY, CLAIM_FILES, CROSS_REFERENCE
from services.intake.readers.fields import Required, required, text, whole_number
from services.intake.readers.records import Column, FieldError, RecordParser, layout, record_length
from services.intake.reading import RefusedDelivery

MEMBER_NAME = re.compile(
    r"P\.(?P<entity>D\d{4})\.ACO\.ZC(?P<number>[0-9AB])(?P<kind>[YR])(?P<year>\d\d)\.D(?P<day>\d{6})\.T\d{7}"
)
ARCHIVE_NAME = re.compile(
    r"P\.(?P<entity>D\d{4})\.ACO\.ZC(?P<kind>[YR])(?P<year>\d\d)\.D(?P<day>\d{6})\.T\d{7}(?:\.zip)?"
)
# Without these there is no delivery; which others there are, CCLF0 says.
_NEEDED = ("CCLF0", "CCLF1", "CCLF5", "CCLF8", "CCLF9")
_SHOWN_TOGETHER = ("entity", "kind", "year", "day")
# A performance year's files begin with three years of history and end with the run-out after it.
_YEARS_BEFORE, _YEARS_AFTER = 1, 2
# Line ends and a last line too many are no reason to think of a bomb.
_ROOM_BYTES = 1 << 20
_COLUMNS = {**CLAIM_FILES, "CCLF8": BENEFICIARY, "CCLF9": CROSS_REFERENCE}

_CONTROL = RecordParser.fixed_width(
    "CCLF0",
    (
        Column("file", "File Type", required(text)),
        Column("records", "Number of records", required(whole_number)),
        Column("length", "Length of record", required(whole_number)),
    ),
    record="detail",
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the delivery and what CCLF0 says about it."""

    file: str
    info: zipfile.ZipInfo
    records: int
    length: int


def checked_members(archive: zipfile.ZipFile, archive_name: str) -> dict[str, Member]:
    """The delivery's files by name (``CCLF1``), vouched for by CCLF0. Raises :class:`RefusedDelivery`."""
    found = _recognised(archive, archive_name)
    control = _control(archive, found["CCLF0"])
    for file, (records, length) in control.items():
        if records and file not in found:
            raise RefusedDelivery("missing_member", f"CCLF0 announces {file}, which is not in the archive")
        if file in found and file != "CCLF0":
            _require_readable(file, found[file], records, length)
    unlisted = found.keys() - control.keys() - {"CCLF0"}
    if unlisted:
        raise RefusedDelivery("unlisted_member", f"CCLF0 does not announce {min(unlisted)}")
    return {file: Member(file, info, *control[file]) for file, info in found.items() if file != "CCLF0"}


def _require_readable(file: str, info: zipfile.ZipInfo, records: int, length: int) -> None:
    """Records of an older packet are shorter: they end behind an element, and what is needed lies before that."""
    ends = {element.label: element.end for element in layout(file)}
    needed = max(ends[column.element] for column in _COLUMNS[file] if isinstance(column.convert, Required))
    if length not in ends.values() or length < needed:
        raise RefusedDelivery("wrong_record_length", f"CCLF0 gives {file} {length}, not {record_length(file)}")
    if info.file_size > 2 * records * (length + 1) + _ROOM_BYTES:
        raise RefusedDelivery("wrong_record_count", f"{file} is far larger than {records} records can be")


def _recognised(archive: zipfile.ZipFile, archive_name: str) -> dict[str, zipfile.ZipInfo]:
    outer = ARCHIVE_NAME.fullmatch(archive_name)
    if outer is None:
        raise RefusedDelivery("unrecognised_name", "the archive is not named as a CCLF delivery")
    if not -_YEARS_BEFORE <= int(outer["day"][:2]) - int(outer["year"]) <= _YEARS_AFTER:
        raise RefusedDelivery("wrong_period", "the archive's date lies outside of its performance year")
    found: dict[str, zipfile.ZipInfo] = {}
    for name, info in members(archive).items():
        inner = MEMBER_NAME.fullmatch(name)
        if inner is None:
            raise RefusedDelivery("unexpected_member", "a member is not named as a CCLF file")
        if any(inner[part] != outer[part] for part in _SHOWN_TOGETHER):
            raise RefusedDelivery("mislabelled_member", f"CCLF{inner['number']} is named for another delivery")
        if f"CCLF{inner['number']}" in found:
            raise RefusedDelivery("unexpected_member", f"CCLF{inner['number']} is there twice")
        found[f"CCLF{inner['number']}"] = info
    missing = next((file for file in _NEEDED if file not in found), None)
    if missing is not None:
        raise RefusedDelivery("missing_member", f"{missing} is not in the archive")
    return found


def _control(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, tuple[int, int]]:
    # Some producers leave the trailing filler out, and the columns end before it.
    shortest = record_length("CCLF0", "detail") - 1
    control: dict[str, tuple[int, int]] = {}
    for number, raw in enumerate(physical_lines(archive, info), start=1):
        line = raw.rstrip(b"\r\n").decode("latin-1")
        if number == 1 or not line.strip():
            continue
        if not shortest <= len(line) <= shortest + 1:
            raise RefusedDelivery(
                "unreadable_control_file", f"line {number} of CCLF0 is not {shortest} or {shortest + 1} long"
            )
        values = _control_values(number, line)
        if values["file"] in control:
            raise RefusedDelivery("unreadable_control_file", f"line {number} of CCLF0 names a file again")
        control[values["file"]] = (values["records"], values["length"])
    return control


def _control_values(number: int, line: str) -> dict[str, Any]:
    try:
        return _CONTROL(line.ljust(record_length("CCLF0", "detail")))
    except FieldError as error:
        raise RefusedDelivery("unreadable_control_file", f"line {number} of CCLF0: {error}") from error


def fixed_width_lines(archive: zipfile.ZipFile, member: Member) -> Iterator[tuple[int, str]]:
    """The member's lines with their numbers, those of a wrong length too.

    Raises :class:`RefusedDelivery` at the end when the file is cut short, of another layout or miscounted.
    """
    number = broken = 0
    raw = b"\n"
    for number, raw in enumerate(physical_lines(archive, member.info), start=1):
        line = raw.rstrip(b"\r\n").decode("latin-1")
        broken += len(line) != member.length
        yield number, line
    refuse_if_untrustworthy(member, number, broken, cut_short=not raw.endswith(b"\n") and len(raw) < member.length)


def refuse_if_untrustworthy(member: Member, lines: int, broken: int, *, cut_short: bool) -> None:
    """Refuse a file that is cut short, of another layout or miscounted. Raises :class:`RefusedDelivery`."""
    if cut_short:
        raise RefusedDelivery("truncated_file", f"{member.file} ends inside line {lines}")
    # Single broken lines are quarantined; where most are, the file is not what its name says.
    if broken * 2 > lines:
        raise RefusedDelivery("wrong_record_length", f"{broken} of {lines} lines of {member.file} have another length")
    if lines != member.records:
        raise RefusedDelivery("wrong_record_count", f"{member.file} holds {lines} lines, CCLF0 says {member.records}")
