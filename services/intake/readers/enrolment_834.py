"""A state's Medicaid enrolment file (X12 834) as records about people.

Source: ASC X12N 005010X220A1 benefit enrolment and maintenance; California DHCS 834 companion guide for REF
qualifiers 6P, 1D, 1L, ABB, F5, DX, RB. The file is read twice, so that nothing of a refused one is ever yielded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, cast

from contracts.codes import CodeError, DualStatusCode, dual_status_code
from contracts.identifiers import MbiError, holds_an_mbi, normalise_mbi
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStatedData
from services.intake.readers.coverage_loops import CoverageLoop, StatedPlan, enrolment_spans, is_medicare
from services.intake.readers.x12_segments import Segment, TransactionSet, segments, transaction_sets
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Defect,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)

_IMPLEMENTATION = "005010X220"
# The samples that states publish miscount by one; more than that is a part that is missing.
_TOLERATED_MISCOUNT = 1
_CANCELLATION = "024"
_SEX: dict[str, Literal["1", "2"]] = {"M": "1", "F": "2"}
_DUAL_STATUS_OF_TEXT: dict[str, DualStatusCode] = {
    "QMB": "01",
    "QMBPLUS": "02",
    "SLMB": "03",
    "SLMBPLUS": "04",
    "QDWI": "05",
    "QI": "06",
    "FBDE": "08",
}
_STATE_LETTERS = 2
_COUNTY_DIGITS = 5
_MOST_SPANS = 600
_FIRST_YEAR, _LAST_YEAR = 1900, 2098
_LONGEST_PLAN_ID = 20
# States' aid codes have two to four characters; whatever is longer is another text that slipped.
_LONGEST_AID_CODE = 4
_PERSON_NUMBERS = ("6P", "1D", "1L", "0F")
# CMS numbers the contracts of Medicare health plans: a letter and digits, H1234.
_CONTRACT = re.compile(r"[A-Z][0-9]{1,7}")


class _UnreadableError(ValueError):
    """A value that cannot be read; carries the field and the reason, never the value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Loop:
    """An HD segment and the segments that follow it."""

    head: Segment
    body: tuple[Segment, ...]


@dataclass(slots=True)
class _Member:
    """One INS loop, cut into what stands before the first HD and the HD loops."""

    file: str
    head: Segment
    body: list[Segment]
    loops: list[_Loop]
    defects: list[Defect]

    def defect(self, segment: Segment, field: str, reason: str) -> None:
        self.defects.append(Defect(self.file, segment.number, field, reason, segment.raw))

    def is_named(self, text: str) -> bool:
        """Whether a text that should be a code is somebody's name or number: it would be published."""
        return bool(text) and (holds_an_mbi(text) or text in self._names_and_numbers())

    def _names_and_numbers(self) -> Iterator[str]:
        for segment in self.body:
            if segment.name == "NM1":
                yield from segment.elements[3:6]
            elif segment.name == "REF" and segment.element(1) in _PERSON_NUMBERS:
                yield segment.element(2)


def read(source: Source) -> Iterator[Reading]:
    """Every member of the delivery, and every value that could not be read.

    Raises :class:`RefusedDelivery` for what is truncated, no 834, or breaks its own envelope.
    """
    miscounted = [defect for path in source.paths for defect in _checked(path)]
    yield from miscounted
    for path in source.paths:
        yield from _read_file(path, source)


def _checked(path: Path) -> list[Defect]:
    return [defect for closed in transaction_sets(path, "834") for defect in _judged(closed)]


def _judged(closed: TransactionSet) -> Iterator[Defect]:
    if not closed.implementation.startswith(_IMPLEMENTATION):
        raise RefusedDelivery("wrong_implementation", f"ST03 is not {_IMPLEMENTATION}")
    missing = abs(closed.segments_stated - closed.segments_counted)
    if missing > _TOLERATED_MISCOUNT:
        raise RefusedDelivery("truncated", f"SE01 is {missing} off the segments counted")
    if missing:
        yield Defect(closed.file, closed.end.number, "SE01", "segment_count_off_by_one", closed.end.raw)


def _read_file(path: Path, source: Source) -> Iterator[Reading]:
    stated_on: date | None = None
    member: _Member | None = None
    for segment in segments(path):
        if segment.name == "ST":
            stated_on = None
        elif segment.name == "BGN":
            stated_on = _statement_date(segment)
        if member is not None and segment.name in {"INS", "SE"}:
            yield from _readings(member, stated_on, source)
            member = None
        if segment.name == "INS":
            member = _Member(path.name, segment, [], [], [])
        elif member is not None:
            _place(member, segment)


def _statement_date(segment: Segment) -> date:
    try:
        return _day(segment, 3, "BGN03")
    except _UnreadableError:
        raise RefusedDelivery("no_statement_date", "BGN03 is not a date") from None


def _place(member: _Member, segment: Segment) -> None:
    if segment.name == "HD":
        member.loops.append(_Loop(segment, ()))
    elif member.loops:
        last = member.loops[-1]
        member.loops[-1] = _Loop(last.head, (*last.body, segment))
    else:
        member.body.append(segment)


def _readings(member: _Member, stated_on: date | None, source: Source) -> Iterator[Reading]:
    if stated_on is None:
        raise RefusedDelivery("no_statement_date", "a member stands before BGN")
    state = _state(member) or source.default_state
    references = _references(member, state, synthetic=source.synthetic_identifiers)
    spans = _spans(member)
    if references:
        yield PersonRecord(references, _state(member), _stated(member, state, stated_on, spans))
    else:
        member.defect(member.head, "REF", "no_identifier")
    yield from member.defects


def _stated(
    member: _Member, state: str, stated_on: date, spans: tuple[MedicaidEnrolmentSpan, ...]
) -> MedicaidEnrolmentStatedData:
    sex = _SEX.get(_first(member.body, "DMG", 3))
    return MedicaidEnrolmentStatedData(
        person_id=UNRESOLVED_PERSON,
        state=state,
        stated_on=stated_on,
        birth_date=_optional_day(member, "DMG", None, 2, "DMG02"),
        sex_code=sex,
        death_date=_optional_day(member, "DTP", "435", 3, "DTP435"),
        spans=spans,
    )


def _references(member: _Member, state: str, *, synthetic: bool) -> tuple[PersonReference, ...]:
    mbi = _mbi(member, synthetic=synthetic)
    medicaid = next(filter(None, (_reference_value(member.body, kind) for kind in ("1D", "1L", "0F"))), "")
    found = [PersonReference("mbi", mbi)] if mbi else []
    return (*found, PersonReference("medicaid", f"{state}:{medicaid}")) if medicaid else tuple(found)


def _mbi(member: _Member, *, synthetic: bool) -> str | None:
    segment = _reference(member.body, "6P")
    if segment is None:
        return None
    try:
        return normalise_mbi(segment.element(2), synthetic=synthetic)
    except MbiError:
        member.defect(segment, "REF6P", "mbi_format")
        return None


def _residence(member: _Member) -> Segment | None:
    """Find the N4 of the member's own name loop (NM1*IL), never that of a mailing or earlier address."""
    name_loop = ""
    for segment in member.body:
        if segment.name == "NM1":
            name_loop = segment.element(1)
        elif segment.name == "N4" and name_loop in {"IL", "74"}:
            return segment
    return None


def _state(member: _Member) -> str | None:
    residence = _residence(member)
    state = residence.element(2).upper() if residence else ""
    return state if len(state) == _STATE_LETTERS and state.isascii() and state.isalpha() else None


def _county(member: _Member) -> str | None:
    residence = _residence(member)
    if residence is None or residence.element(5) != "CY":
        return None
    county = residence.element(6)
    # States also write their own county numbers here; only five digits are FIPS.
    return county if len(county) == _COUNTY_DIGITS and county.isascii() and county.isdigit() else None


def _spans(member: _Member) -> tuple[MedicaidEnrolmentSpan, ...]:
    loops = [read_loop for loop in member.loops if (read_loop := _readable(member, loop)) is not None]
    spans = enrolment_spans(loops, _county(member))
    if not spans and any(loop.medicare_health_plan for loop in loops):
        member.defect(member.head, "HD04", "medicare_plan_without_medicaid_coverage")
    elif not member.loops:
        member.defect(member.head, "HD", "no_coverage_loop")
    if len(spans) > _MOST_SPANS:
        member.defect(member.head, "HD", "too_many_coverage_loops")
    return spans[:_MOST_SPANS]


def _readable(member: _Member, loop: _Loop) -> CoverageLoop | None:
    try:
        return _coverage_loop(member, loop)
    except _UnreadableError as unreadable:
        member.defect(loop.head, unreadable.field, unreadable.reason)
        return None


def _coverage_loop(member: _Member, loop: _Loop) -> CoverageLoop:
    plan = loop.head.element(4).split(";")[0].strip()
    aid_code = _reference(loop.body, "RB") or _reference(member.body, "RB")
    cancelled = _CANCELLATION in (loop.head.element(1), member.head.element(3))
    begin = _find(loop.body, "DTP", "348")
    if begin is None:
        raise _UnreadableError("DTP348", "begin_missing")
    end = _find(loop.body, "DTP", "349")
    return CoverageLoop(
        plan_text=plan,
        plan_id=None if is_medicare(plan) else _code(member, loop.head, plan, "HD04", _LONGEST_PLAN_ID),
        begin=_day(begin, 3, "DTP348"),
        end=_end(end),
        cancelled=cancelled,
        dual_status_code=_dual_status(member, loop),
        aid_code=_code(member, aid_code, aid_code.element(2), "REFRB", _LONGEST_AID_CODE) if aid_code else None,
        health_plan=_health_plan(_reference(loop.body, "DX") or _reference(member.body, "DX")),
    )


def _end(segment: Segment | None) -> date | None:
    """Open when there is none, or when it is the end of time that states write (99991231)."""
    return None if segment is None or segment.element(3).startswith("9999") else _day(segment, 3, "DTP349")


def _code(member: _Member, segment: Segment, text: str, field: str, longest: int) -> str | None:
    reason = "code_too_long" if len(text) > longest else "identifier" if member.is_named(text) else None
    # No database keeps this character in a text.
    reason = "nul_character" if "\x00" in text else reason
    if reason is not None:
        member.defect(segment, field, reason)
        return None
    return text or None


def _dual_status(member: _Member, loop: _Loop) -> DualStatusCode | None:
    """Take an explicit F5 before the ABB text, within the loop before the member's own."""
    for body in (loop.body, member.body):
        for kind in ("F5", "ABB"):
            if (segment := _reference(body, kind)) is not None:
                return _read_dual_status(member, segment)
    return None


def _read_dual_status(member: _Member, segment: Segment) -> DualStatusCode | None:
    text = segment.element(2).upper()
    named = _DUAL_STATUS_OF_TEXT.get(text.replace("+", "PLUS").replace(" ", ""))
    try:
        return named or cast("DualStatusCode | None", dual_status_code(text))
    except CodeError:
        if not any(defect.line == segment.number for defect in member.defects):
            member.defect(segment, "REF" + segment.element(1), "dual_status_unknown")
        return None


def _health_plan(segment: Segment | None) -> StatedPlan | None:
    """REF*DX holds Part C contract, plan and begin; a blank contract is a drug plan only, so fee-for-service."""
    if segment is None:
        return None
    contract, _, begin = (*(part.strip() for part in segment.element(2).split(";")), "", "", "")[:3]
    if not contract:
        return None
    if not _CONTRACT.fullmatch(contract):
        raise _UnreadableError("REFDX", "contract_format")
    return StatedPlan(contract=contract, begin=_date_of(begin, "REFDX"))


def _find(body: tuple[Segment, ...] | list[Segment], name: str, qualifier: str | None) -> Segment | None:
    return next((segment for segment in body if segment.name == name and qualifier in (None, segment.element(1))), None)


def _first(body: list[Segment], name: str, position: int) -> str:
    segment = _find(body, name, None)
    return segment.element(position) if segment else ""


def _reference(body: tuple[Segment, ...] | list[Segment], kind: str) -> Segment | None:
    return _find(body, "REF", kind)


def _reference_value(body: tuple[Segment, ...] | list[Segment], kind: str) -> str:
    segment = _reference(body, kind)
    return segment.element(2) if segment else ""


def _optional_day(member: _Member, name: str, qualifier: str | None, position: int, field: str) -> date | None:
    segment = _find(member.body, name, qualifier)
    if segment is None or not segment.element(position):
        return None
    try:
        return _day(segment, position, field)
    except _UnreadableError as unreadable:
        member.defect(segment, unreadable.field, unreadable.reason)
        return None


def _day(segment: Segment, position: int, field: str) -> date:
    return _date_of(segment.element(position), field)


def _date_of(text: str, field: str) -> date:
    """Eight digits, CCYYMMDD, in years whose following month is still a month of the contracts."""
    if not (len(text) == len("CCYYMMDD") and text.isascii() and text.isdigit()):
        raise _UnreadableError(field, "date_unreadable")
    year = int(text[:4])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise _UnreadableError(field, "date_absurd")
    try:
        return date(year, int(text[4:6]), int(text[6:8]))
    except ValueError:
        raise _UnreadableError(field, "date_unreadable") from None
