"""Capitation that a state paid a plan (X12 820), as payments for one person and coverage period each.

Source: ASC X12N 005010X218 payroll deducted and other group premium payment: BPR and TRN (the payment), loop 2000B (ENT,
NM1: the person) and loop 2300B (RMR, REF, DTM, ADX: one amount). A negative amount is one taken back.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.identifiers import MbiError, holds_an_mbi, normalise_mbi
from contracts.medicaid import PremiumPayment
from services.intake.readers.premium_payment_820_totals import WATCHED, PaymentTotals
from services.intake.readers.x12_envelope import TransactionRules, check
from services.intake.readers.x12_segments import Segment, segments
from services.intake.readers.x12_values import (
    Defects,
    ElementError,
    amount,
    day,
    is_code,
    name_text,
    period,
    required_amount,
    state_letters,
)
from services.intake.reading import Demographics, Observation, PersonRecord, PersonReference, Reading, Source
from services.intake.rules.rate_category import is_dual_rate, rate_category_policy

_IMPLEMENTATION = "005010X218"
_COVERAGE_PERIOD = "582"
_PLAN_REFERENCE, _OTHER_REFERENCE = "18", "ZZ"
_PAYER = "PR"
# NM108: 34 is a Social Security number, EI an employer's; neither is the state's number of a person.
_OTHER_NUMBERS = frozenset({"34", "EI", "FI", "24"})
_LONGEST_NUMBER = 60
_LONGEST = {"REF18": 20, "REFZZ": 40, "ADX02": 8}
_LONGEST_PAYMENT = 45
_MOST_SEGMENTS_OF_A_LINE = 1_000
_CATEGORY = re.compile(r"[A-Za-z0-9 &/+.,()-]+")
_DIGEST_LETTERS = 24


@dataclass(slots=True)
class _Remittance:
    """What the header of a transaction set says of all its lines."""

    file: str
    control_number: str
    trace: str = ""
    paid_on: date | None = None
    state: str | None = None
    period: Segment | None = None
    lines: int = 0
    entity: str = ""


@dataclass(slots=True)
class _Person:
    """One ENT loop: whom the lines are about."""

    head: Segment
    name: Segment | None = None
    told: bool = False


@dataclass(slots=True)
class _Line:
    """One RMR and the segments that follow it."""

    head: Segment
    number: int
    body: list[Segment] = field(default_factory=list)

    def first(self, name: str, qualifier: str) -> Segment | None:
        """The first segment of a name and qualifier."""
        return next((one for one in self.body if one.name == name and one.element(1) == qualifier), None)


def read(source: Source) -> Iterator[Reading]:
    """Every payment of the delivery, and every line that could not be read. Raises :class:`RefusedDelivery`."""
    rules = TransactionRules("820", (_IMPLEMENTATION,), source.synthetic_identifiers, WATCHED, PaymentTotals)
    for path in source.paths:
        yield from check(path, rules)
    for path in source.paths:
        yield from _Reader(path, source).readings()


class _Reader:
    """Goes through one file, remittance by remittance and person by person."""

    def __init__(self, path: Path, source: Source) -> None:
        self._path = path
        self._source = source
        self._remittance = _Remittance(path.name, "")
        self._person: _Person | None = None
        self._line: _Line | None = None
        self._policy = rate_category_policy()
        self._unknown_categories = 0

    def readings(self) -> Iterator[Reading]:
        """Every reading of the file."""
        for segment in segments(self._path):
            name = segment.elements[0]
            if name in {"RMR", "ENT", "SE"} and self._line is not None:
                yield from self._payment(self._line)
                self._line = None
            self._place(segment, name)
        if self._unknown_categories:
            yield Observation("payments in a rate category that the policy does not know", self._unknown_categories)

    def _place(self, segment: Segment, name: str) -> None:
        if name == "ST":
            self._remittance, self._person = _Remittance(self._path.name, segment.element(2)), None
        elif name == "ENT":
            self._person = _Person(segment)
        elif name == "RMR":
            self._remittance.lines += 1
            self._line = _Line(segment, self._remittance.lines)
        elif self._line is not None:
            if len(self._line.body) < _MOST_SEGMENTS_OF_A_LINE:
                self._line.body.append(segment)
        elif self._person is not None:
            if name == "NM1" and self._person.name is None:
                self._person.name = segment
        else:
            self._head(segment, name)

    def _head(self, segment: Segment, name: str) -> None:
        remittance = self._remittance
        if name == "BPR":
            remittance.paid_on = day(segment, segment.element(16), "BPR16")
        elif name == "TRN":
            remittance.trace = segment.element(2)
        elif name == "N1":
            remittance.entity = segment.element(1)
        elif name == "N4" and remittance.entity == _PAYER:
            remittance.state = state_letters(segment.element(2))
        elif name == "DTM" and segment.element(1) == _COVERAGE_PERIOD:
            remittance.period = segment

    def _payment(self, line: _Line) -> Iterator[Reading]:
        defects = Defects(self._path.name)
        if self._person is None or self._person.name is None:
            defects.add(line.head, "RMR", "payment_for_nobody", expected="ENT and NM1 of a person before it")
        else:
            try:
                yield from self._paid_for(self._person, self._person.name, line, defects)
            except ElementError as error:
                defects.add_error(error)
        yield from defects.found

    def _paid_for(self, person: _Person, name: Segment, line: _Line, defects: Defects) -> Iterator[Reading]:
        state = self._remittance.state or self._source.default_state
        reference = self._reference(name, state)
        values = self._values(line, name, state, defects)
        try:
            payment = PremiumPayment.model_validate(values)
        except ValidationError:
            raise ElementError(line.head, "RMR", "invalid", expected="a payment within the bounds of one") from None
        if not person.told:
            person.told = True
            yield Demographics(reference, name_text(name.element(3)), name_text(name.element(4)), None, None)
        yield PersonRecord((reference,), self._remittance.state, payment)

    def _reference(self, name: Segment, state: str) -> PersonReference:
        number = name.element(9)
        if not number or name.element(8) in _OTHER_NUMBERS or len(number) > _LONGEST_NUMBER or "\x00" in number:
            raise ElementError(name, "NM109", "no_identifier", number, "the state's number of a person")
        try:
            return PersonReference("mbi", normalise_mbi(number, synthetic=self._source.synthetic_identifiers))
        except MbiError:
            return PersonReference("medicaid", f"{state}:{number}")

    def _values(self, line: _Line, name: Segment, state: str, defects: Defects) -> dict[str, Any]:
        first, last = self._period(line)
        category = self._category(line, name, defects)
        dual = is_dual_rate(category, self._policy)
        self._unknown_categories += category is not None and dual is None
        return {
            "record_id": self._record_id(state, line),
            "plan_id": self._plan(line, name, defects),
            "paid_on": self._remittance.paid_on,
            "first_day": first,
            "last_day": last,
            "paid_cents": self._net(line, defects),
            "rate_category": category,
            "dual": dual,
            "adjustment_reason_code": self._reason(line, name, defects),
        }

    def _record_id(self, state: str, line: _Line) -> str:
        """The payment's trace number, the transaction set's number and the line's place in it."""
        payment = f"{self._remittance.trace}:{self._remittance.control_number}"
        if len(payment) > _LONGEST_PAYMENT or holds_an_mbi(payment) or not is_code(payment):
            payment = sha256(payment.encode("latin-1")).hexdigest()[:_DIGEST_LETTERS]
        return f"{state}:{payment}:{line.number}"

    def _period(self, line: _Line) -> tuple[date, date]:
        segment = line.first("DTM", _COVERAGE_PERIOD) or self._remittance.period
        if segment is None:
            raise ElementError(line.head, "DTM582", "missing", expected="a coverage period as RD8")
        if segment.element(5):
            first, last = period(segment, segment.element(5), segment.element(6), "DTM06")
        else:
            first = last = day(segment, segment.element(2), "DTM02")
        if first is None or last is None:
            raise ElementError(segment, "DTM582", "missing", expected="a coverage period as RD8")
        if last < first:
            raise ElementError(segment, "DTM06", "ends_before_it_begins", expected="the first day before the last")
        return first, last

    @staticmethod
    def _net(line: _Line, defects: Defects) -> int:
        """RMR04. Where RMR05 is there, it and the adjustments must come to the same."""
        net, gross = required_amount(line.head, 4, "RMR04"), amount(line.head, 5, "RMR05")
        adjusted = sum(required_amount(one, 1, "ADX01") for one in line.body if one.name == "ADX")
        if gross is not None and gross + adjusted != net:
            defects.add(line.head, "RMR04", "amounts_do_not_balance", expected="RMR05 and the ADX01 of the line")
        return net

    @staticmethod
    def _category(line: _Line, name: Segment, defects: Defects) -> str | None:
        """The REF*ZZ that is no composite: a rate category in the state's words."""
        for segment in line.body:
            text = segment.element(2)
            if segment.name != "REF" or segment.element(1) != _OTHER_REFERENCE or not text or ";" in text:
                continue
            if not _CATEGORY.fullmatch(text):
                defects.add(segment, "REFZZ", "not_a_rate_category", text, "letters, digits and blanks")
                return None
            return _published(segment, "REFZZ", text, name, defects)
        return None

    @staticmethod
    def _plan(line: _Line, name: Segment, defects: Defects) -> str | None:
        segment = line.first("REF", _PLAN_REFERENCE)
        if segment is None:
            return None
        return _published(segment, "REF18", segment.element(2), name, defects)

    @staticmethod
    def _reason(line: _Line, name: Segment, defects: Defects) -> str | None:
        segment = next((one for one in line.body if one.name == "ADX"), None)
        if segment is None:
            return None
        return _published(segment, "ADX02", segment.element(2), name, defects)


def _published(segment: Segment, field_name: str, text: str, name: Segment, defects: Defects) -> str | None:
    """A text that leaves intake as it stands, unless it is too long or the person's own name or number."""
    if not text:
        return None
    longest = _LONGEST[field_name]
    named = holds_an_mbi(text) or text in {name.element(position) for position in (3, 4, 5, 9)}
    reason = "code_too_long" if len(text) > longest else "identifier" if named else None
    if reason is None and not is_code(text):
        reason = "not_a_code"
    if reason is None:
        return text
    defects.add(segment, field_name, reason, text, f"a code of at most {longest} characters")
    return None
