"""A state's Medicaid enrolment file (X12 834) as records about people.

Source: ASC X12N 005010X220A1 benefit enrolment and maintenance; California DHCS 834 companion guide for REF
qualifiers ABB, F5, AB, 3H, DX, RB. The file's envelopes are checked first, so that nothing of a refused one is ever
yielded. A file says nothing about people who are not in it, not even one that says it is complete (BGN08 4 or RX).
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import cast

from contracts.codes import CodeError, DualStatusCode, dual_status_code
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStatedData
from services.intake.readers.coverage_loops import CoverageLoop, StatedPlan, enrolment_spans, is_medicare
from services.intake.readers.enrolment_834_member import (
    MOST_SEGMENTS,
    Loop,
    Member,
    birth_date,
    death_date,
    demographics,
    references,
    sex_code,
)
from services.intake.readers.x12_envelope import TransactionRules, check
from services.intake.readers.x12_segments import Segment, segments
from services.intake.readers.x12_values import Defects, ElementError, day, is_code, period, required_amount
from services.intake.reading import UNRESOLVED_PERSON, Defect, PersonRecord, Reading, RefusedDelivery, Source
from services.intake.rules.state_enrolment_codes import StateCodes, state_codes

_IMPLEMENTATION = "005010X220"
_MAINTENANCE = frozenset({"", "001", "021", "024", "025", "030"})
_LOOP_MAINTENANCE = _MAINTENANCE | {"002", "026"}
_CANCELLATION, _DELETION = "024", "002"
_EXPECTED_MAINTENANCE = "a maintenance type of 005010X220A1"
_DUAL_STATUS_OF_TEXT: dict[str, DualStatusCode] = {
    "QMB": "01",
    "QMBONLY": "01",
    "QMBPLUS": "02",
    "SLMB": "03",
    "SLMBONLY": "03",
    "SLMBPLUS": "04",
    "QDWI": "05",
    "QI": "06",
    "QI1": "06",
    "FBDE": "08",
}
_MOST_SPANS = 600
_LONGEST_PLAN_ID = 20
# States' aid codes have two to four characters; whatever is longer is another text that slipped.
_LONGEST_AID_CODE = 4
# CMS numbers the contracts of Medicare health plans: a letter and digits, H1234.
_CONTRACT = re.compile(r"[A-Z][0-9]{1,7}")
_PACKAGE = re.compile(r"[0-9]{3}")
_TOTAL_OF_MEMBERS = "TO"


class _MemberTotals:
    """QTY*TO promises so many members; every INS is one."""

    def __init__(self) -> None:
        self._stated: Segment | None = None
        self._counted = 0

    def take(self, segment: Segment) -> None:
        """Take a QTY or an INS."""
        if segment.name == "INS":
            self._counted += 1
        elif not self._counted and segment.element(1) == _TOTAL_OF_MEMBERS:
            self._stated = segment

    def judged(self, file: str) -> Iterator[Defect]:
        """Fewer members than promised: a part is missing."""
        stated = self._stated
        if stated is None or stated.element(2) == str(self._counted):
            return
        text = stated.element(2)
        if text.isascii() and text.isdecimal() and int(text[:18]) > self._counted:
            raise RefusedDelivery("truncated", f"QTY02 at segment {stated.number} promises more than {self._counted}")
        told = Defects(file)
        told.add(stated, "QTY02", "member_count_wrong", text, f"{self._counted}, as counted")
        yield from told.found


def read(source: Source) -> Iterator[Reading]:
    """Every member of the delivery, and every value that could not be read.

    Raises :class:`RefusedDelivery` for what is truncated, no 834, or breaks its own envelope.
    """
    rules = TransactionRules(
        code="834",
        implementations=(_IMPLEMENTATION,),
        tests=source.synthetic_identifiers,
        watched=frozenset({"INS", "QTY"}),
        totals=_MemberTotals,
    )
    for path in source.paths:
        yield from check(path, rules)
    for path in source.paths:
        yield from _read_file(path, source)


def _read_file(path: Path, source: Source) -> Iterator[Reading]:
    stated_on: date | None = None
    member: Member | None = None
    for segment in segments(path):
        name = segment.elements[0]
        if member is not None and name in {"INS", "SE"}:
            yield from _readings(member, stated_on, source)
            member = None
        if name == "INS":
            member = Member(segment, Defects(path.name))
        elif member is not None:
            member.place(segment)
        elif name == "ST":
            stated_on = None
        elif name == "BGN":
            stated_on = _statement_date(segment)


def _statement_date(segment: Segment) -> date | None:
    try:
        return day(segment, segment.element(3), "BGN03")
    except ElementError:
        return None


def _readings(member: Member, stated_on: date | None, source: Source) -> Iterator[Reading]:
    if stated_on is None:
        raise RefusedDelivery(
            "no_statement_date", f"no BGN with a date (BGN03) before the member at {member.head.number}"
        )
    state = member.state or source.default_state
    found = references(member, state, synthetic=source.synthetic_identifiers)
    born, sex = birth_date(member), sex_code(member)
    if member.segments > MOST_SEGMENTS:
        member.defects.add(member.head, "INS", "too_many_segments", expected=f"at most {MOST_SEGMENTS} in a member")
    elif not found:
        member.defects.add(member.head, "REF", "no_identifier", expected="an MBI or a Medicaid number")
    else:
        yield demographics(member, found[0], born, sex)
        stated = MedicaidEnrolmentStatedData(
            person_id=UNRESOLVED_PERSON,
            state=state,
            stated_on=stated_on,
            birth_date=born,
            sex_code=sex,
            death_date=death_date(member),
            spans=_spans(member, state_codes(state)),
        )
        yield PersonRecord(found, member.state, stated)
    yield from member.defects.found


def _spans(member: Member, codes: StateCodes) -> tuple[MedicaidEnrolmentSpan, ...]:
    maintenance = member.head.element(3)
    if maintenance not in _MAINTENANCE:
        member.defects.add(member.head, "INS03", "not_in_code_list", maintenance, _EXPECTED_MAINTENANCE)
        return ()
    loops = [loop for part in member.loops if (loop := _readable(member, part, codes)) is not None]
    ended = member.defects.or_none(lambda: _member_end(member)) if maintenance == _CANCELLATION else None
    spans = enrolment_spans(loops, member.county(codes), ended)
    if not spans and any(loop.medicare_health_plan for loop in loops):
        member.defects.add(member.head, "HD04", "medicare_plan_without_medicaid_coverage")
    elif not member.loops and not spans:
        member.defects.add(member.head, "HD", "no_coverage_loop")
    if len(spans) > _MOST_SPANS:
        member.defects.add(member.head, "HD", "too_many_coverage_loops", expected=f"at most {_MOST_SPANS} spans")
    return spans[:_MOST_SPANS]


def _readable(member: Member, loop: Loop, codes: StateCodes) -> CoverageLoop | None:
    try:
        return _coverage_loop(member, loop, codes)
    except ElementError as error:
        # The loop as a whole is what is missing now, so it is the loop that is kept for whoever repairs it.
        member.defects.add_error(error)
        return None


def _coverage_loop(member: Member, loop: Loop, codes: StateCodes) -> CoverageLoop:
    maintenance = loop.head.element(1)
    if maintenance not in _LOOP_MAINTENANCE:
        raise ElementError(loop.head, "HD01", "not_in_code_list", maintenance, _EXPECTED_MAINTENANCE)
    deleted, cancelled = maintenance == _DELETION, _CANCELLATION in (maintenance, member.head.element(3))
    begin, end = _dates(member, loop, cancelled=cancelled)
    plan = loop.head.element(4).split(";")[0].strip()
    aid_code = _aid_code(member, loop)
    return CoverageLoop(
        plan_text=plan,
        plan_id=None if is_medicare(plan) else _code(member, loop.head, plan, "HD04", _LONGEST_PLAN_ID),
        begin=begin,
        end=end,
        cancelled=cancelled,
        dual_status_code=_dual_status(member, loop, codes),
        aid_code=aid_code,
        health_plan=_health_plan(loop.reference("DX") or member.reference("DX")),
        deleted=deleted,
        share_of_cost_cents=member.defects.or_none(lambda: _share_of_cost(member, loop)),
        institutional=aid_code in codes.long_term_care_aid_codes,
    )


def _dates(member: Member, loop: Loop, *, cancelled: bool) -> tuple[date, date | None]:
    """Begin and end of coverage; where the loop has none, those of the member's benefit or eligibility."""
    first = loop.first.get(("DTP", "348")) or member.first.get(("DTP", "348")) or member.first.get(("DTP", "356"))
    if first is None and not cancelled:
        # A change without dates of its own holds from the day on which it takes effect.
        first = loop.first.get(("DTP", "303")) or member.first.get(("DTP", "303"))
    if first is None:
        raise ElementError(loop.head, "DTP348", "begin_missing", expected="DTP*348 within the loop")
    begin, through = _period(first)
    if begin is None:
        raise ElementError(first, f"DTP{first.element(1)}", "begin_missing", expected="a day")
    last = loop.first.get(("DTP", "349"))
    end = _end(last) if last else (through if through != begin else None) or _member_end(member)
    if cancelled and end is None:
        raise ElementError(loop.head, "DTP349", "end_missing", expected="DTP*349: maintenance type 024 ends coverage")
    return begin, end


def _member_end(member: Member) -> date | None:
    last = member.first.get(("DTP", "349")) or member.first.get(("DTP", "357"))
    return _end(last) if last else None


def _end(segment: Segment) -> date | None:
    """Open when it is the end of time that states write (99991231)."""
    return _period(segment)[1]


def _period(segment: Segment) -> tuple[date | None, date | None]:
    return period(segment, segment.element(2), segment.element(3), f"DTP{segment.element(1)}")


def _share_of_cost(member: Member, loop: Loop) -> int | None:
    segment = loop.first.get(("AMT", "R")) or member.first.get(("AMT", "R"))
    return required_amount(segment, 2, "AMTR") if segment else None


def _aid_code(member: Member, loop: Loop) -> str | None:
    """REF*RB, else REF*AB, of the loop before the member's own; else the second part of REF*3H."""
    for part in (loop, member):
        for kind in ("RB", "AB"):
            if (segment := part.reference(kind)) is not None:
                return _code(member, segment, segment.element(2), "REF" + kind, _LONGEST_AID_CODE)
    if (case := member.reference("3H")) is None:
        return None
    parts = case.element(2).split(";")
    return _code(member, case, parts[1].strip() if len(parts) > 1 else "", "REF3H", _LONGEST_AID_CODE)


def _code(member: Member, segment: Segment, text: str, field: str, longest: int) -> str | None:
    if not text:
        return None
    reason = "code_too_long" if len(text) > longest else "identifier" if member.is_named(text) else None
    # No database keeps this character in a text.
    reason = "nul_character" if "\x00" in text else reason or (None if is_code(text) else "not_a_code")
    if reason is None:
        return text
    member.defects.add(segment, field, reason, text, f"a code of at most {longest} characters")
    return None


def _dual_status(member: Member, loop: Loop, codes: StateCodes) -> DualStatusCode | None:
    """Take an explicit F5, then what the aid code means, then the ABB text; the loop's before the member's own."""
    for part in (loop, member):
        if (explicit := part.reference("F5")) is not None:
            return _read_dual_status(member, explicit)
        if (aided := part.reference("AB")) is not None:
            means = codes.dual_status_of_aid_code.get(aided.element(2).upper())
            if means is not None:
                return cast("DualStatusCode", means)
        if (named := part.reference("ABB")) is not None:
            return _read_dual_status(member, named)
    return None


def _read_dual_status(member: Member, segment: Segment) -> DualStatusCode | None:
    text = segment.element(2).upper()
    named = _DUAL_STATUS_OF_TEXT.get(text.replace("+", "PLUS").replace(" ", "").replace("-", ""))
    try:
        return named or cast("DualStatusCode | None", dual_status_code(text))
    except CodeError:
        if not any(defect.line == segment.number for defect in member.defects.found):
            field = "REF" + segment.element(1)
            member.defects.add(
                segment, field, "dual_status_unknown", text, "a dual status code, or QMB, SLMB and so on"
            )
        return None


def _health_plan(segment: Segment | None) -> StatedPlan | None:
    """REF*DX holds Part C contract, plan and begin; a blank contract is a drug plan only, so fee-for-service."""
    if segment is None:
        return None
    contract, package, begin = (*(part.strip() for part in segment.element(2).split(";")), "", "", "")[:3]
    if not contract:
        return None
    if not _CONTRACT.fullmatch(contract):
        raise ElementError(segment, "REFDX", "contract_format", contract, "a contract of CMS, as H1234")
    day_of_begin = day(segment, begin, "REFDX")
    if day_of_begin is None:
        raise ElementError(segment, "REFDX", "begin_missing", expected="contract;plan;CCYYMMDD")
    return StatedPlan(contract, day_of_begin, package=package if _PACKAGE.fullmatch(package) else None)
