"""Encounters that a Medicaid plan reports (X12 837 professional, institutional, dental) as Medicaid claims.

Source: ASC X12N 005010X222A1, 005010X223A2, 005010X224A2: loops 2000A (billing provider), 2000B (subscriber), 2010BB
(payer), 2300 (claim). Claims for another payer than Medicaid are neither Medicare's nor Medicaid's cost: they are
counted and told, not published.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from contracts.claims import ClaimsFeed
from contracts.identifiers import MbiError, normalise_mbi
from services.intake.readers.encounter_837_claim import MOST_SEGMENTS, Claim
from services.intake.readers.encounter_837_record import Around, encounter
from services.intake.readers.x12_envelope import TransactionRules, check
from services.intake.readers.x12_segments import Segment, segments
from services.intake.readers.x12_values import Defects, ElementError, day, name_text, state_letters
from services.intake.reading import Demographics, Observation, PersonRecord, PersonReference, Reading, Source
from services.intake.rules.encounter_codes import encounter_policy

_IMPLEMENTATIONS = ("005010X222", "005010X223", "005010X224")
_BILLING, _SUBSCRIBER, _PATIENT = "20", "22", "23"
_SEX = {"M": "1", "F": "2", "U": "0"}
_LONGEST_NUMBER = 60
# NM108: a number that the payer gave its member; anything else in NM109 is not looked at.
_MEMBER_NUMBERS = frozenset({"", "MI", "II"})
_FILING_CODE = 2


@dataclass(slots=True)
class _Subscriber:
    """Loop 2000B: whose claims follow, and which payer they are for. ``patient`` where it is somebody else (2000C)."""

    filing_indicator: str = ""
    name: Segment | None = None
    residence: Segment | None = None
    demographics: Segment | None = None
    payer: Segment | None = None
    payer_place: Segment | None = None
    patient: bool = False
    entity: str = ""

    def place(self, segment: Segment) -> None:
        """Take a segment between HL and the first claim."""
        name = segment.elements[0]
        if name == "SBR":
            self.filing_indicator = segment.element(9)
        elif name == "NM1":
            self.entity = segment.element(1)
            self.name = segment if self.entity == "IL" else self.name
            self.payer = segment if self.entity == "PR" else self.payer
        elif name == "N4" and self.entity == "IL":
            self.residence = segment
        elif name == "N4" and self.entity == "PR":
            self.payer_place = segment
        elif name == "DMG" and self.entity == "IL":
            self.demographics = segment

    @property
    def state(self) -> str | None:
        """The payer's state, else where the subscriber lives."""
        for segment in (self.payer_place, self.residence):
            if segment is not None and (state := state_letters(segment.element(2))) is not None:
                return state
        return None


def read(source: Source) -> Iterator[Reading]:
    """Every Medicaid encounter of the delivery, and every claim that could not be read.

    Raises :class:`services.intake.reading.RefusedDelivery`.
    """
    rules = TransactionRules("837", _IMPLEMENTATIONS, source.synthetic_identifiers)
    for path in source.paths:
        yield from check(path, rules)
    for path in source.paths:
        yield from _Reader(path, source).readings()


class _Reader:
    """Goes through one file, from billing provider to subscriber to claim."""

    def __init__(self, path: Path, source: Source) -> None:
        self._path = path
        self._source = source
        self._policy = encounter_policy()
        self._sent_on: date | None = None
        self._billing: Segment | None = None
        self._subscriber = _Subscriber()
        self._claim: Claim | None = None
        self._told: Counter[str] = Counter()
        self._named: PersonReference | None = None

    def readings(self) -> Iterator[Reading]:
        """Every reading of the file."""
        for segment in segments(self._path):
            name = segment.elements[0]
            if self._claim is not None:
                if name not in {"CLM", "HL", "SE"}:
                    self._claim.place(segment)
                    continue
                yield from self._claim_readings(self._claim)
                self._claim = None
            if name == "CLM":
                self._claim = Claim(segment)
            elif name == "HL":
                self._level(segment.element(3))
            else:
                self._around(name, segment)
        yield from (Observation(what, count) for what, count in sorted(self._told.items()) if count)

    def _level(self, code: str) -> None:
        if code == _PATIENT:
            self._subscriber.patient = True
            return
        if code == _BILLING:
            self._billing = None
        self._subscriber = _Subscriber()

    def _around(self, name: str, segment: Segment) -> None:
        if name == "ST":
            self._sent_on, self._billing, self._subscriber = None, None, _Subscriber()
        elif name == "BHT":
            self._sent_on = Defects(self._path.name).or_none(lambda: day(segment, segment.element(4), "BHT04"))
        elif name == "NM1" and segment.element(1) == "85":
            self._billing = segment
        elif not self._subscriber.patient:
            self._subscriber.place(segment)

    def _claim_readings(self, claim: Claim) -> Iterator[Reading]:
        if self._subscriber.filing_indicator not in self._policy.medicaid:
            self._told[f"claims for another payer than Medicaid (SBR09 {self._filing_code()})"] += 1
            return
        defects = Defects(self._path.name)
        try:
            yield from self._medicaid_readings(claim, defects)
        except ElementError as error:
            defects.add_error(error)
        yield from defects.found

    def _filing_code(self) -> str:
        code = self._subscriber.filing_indicator
        return code if code.isalnum() and code.isascii() and len(code) <= _FILING_CODE else "missing or no code"

    def _medicaid_readings(self, claim: Claim, defects: Defects) -> Iterator[Reading]:
        subscriber = self._subscriber
        if claim.segments > MOST_SEGMENTS:
            raise ElementError(claim.head, "CLM", "too_many_segments", expected=f"at most {MOST_SEGMENTS} in a claim")
        if subscriber.patient:
            expected = "the patient as subscriber: nothing else gives the patient's own number"
            raise ElementError(claim.head, "HL03", "patient_is_not_the_subscriber", expected=expected)
        state = subscriber.state or self._source.default_state
        references = self._references(claim, state)
        found = encounter(claim, self._surroundings(state, references), defects)
        self._told["encounters without a paid amount of the plan (AMT*D, SVD)"] += not found.paid
        self._told["encounters without the plan's number of the claim (REF*F8)"] += not found.numbered
        if references[0] != self._named:
            self._named = references[0]
            yield self._demographics(references[0], defects)
        yield PersonRecord(references, subscriber.state, found.claim, ClaimsFeed.ENCOUNTER_837)

    def _surroundings(self, state: str, references: tuple[PersonReference, ...]) -> Around:
        name = self._subscriber.name
        texts = [name.element(position) for position in (3, 4, 5, 9)] if name else []
        values = [reference.value.rpartition(":")[2] for reference in references]
        identifying = frozenset(filter(None, (*texts, *values)))
        return Around(state, self._billing, self._subscriber.payer, self._sent_on, self._source.dated, identifying)

    def _references(self, claim: Claim, state: str) -> tuple[PersonReference, ...]:
        """The MBI, from Medicare's own loop or the member's number, then the number that Medicaid gave."""
        name = self._subscriber.name
        number = name.element(9) if name is not None and name.element(8) in _MEMBER_NUMBERS else ""
        subscribers = [p.subscriber for p in claim.payers if p.filing_indicator in self._policy.medicare]
        candidates = [one.element(9) for one in subscribers if one is not None]
        mbi = next(filter(None, map(self._mbi, [*candidates, number])), None)
        found = [PersonReference("mbi", mbi)] if mbi else []
        if number and self._mbi(number) is None and len(number) <= _LONGEST_NUMBER and "\x00" not in number:
            found.append(PersonReference("medicaid", f"{state}:{number}"))
        if not found:
            raise ElementError(name or claim.head, "NM109", "no_identifier", number, "the member's number (MI)")
        return tuple(found)

    def _mbi(self, text: str) -> str | None:
        try:
            return normalise_mbi(text, synthetic=self._source.synthetic_identifiers)
        except MbiError:
            return None

    def _demographics(self, reference: PersonReference, defects: Defects) -> Demographics:
        name, born = self._subscriber.name, self._subscriber.demographics
        return Demographics(
            reference,
            name_text(name.element(3)) if name else None,
            name_text(name.element(4)) if name else None,
            defects.or_none(lambda: day(born, born.element(2), "DMG02")) if born else None,
            _SEX.get(born.element(3)) if born else None,
        )
