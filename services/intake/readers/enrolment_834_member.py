"""One member of an 834: its segments put in their places, and what they say of identifiers, name, residence and death.

Source: ASC X12N 005010X220A1, loops 2000, 2100A and 2100B; California DHCS 834 companion guide for REF qualifiers 6P,
F6, 1L, 23, 17 and for composite values separated by semicolons.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Literal

from contracts.identifiers import MbiError, holds_an_mbi, normalise_mbi
from services.intake.readers.x12_segments import Segment
from services.intake.readers.x12_values import Defects, day, name_text, state_letters
from services.intake.reading import Demographics, PersonReference
from services.intake.rules.state_enrolment_codes import StateCodes, county_fips, state_codes

# A member with more segments is no member: most likely the file has lost its loops.
MOST_SEGMENTS = 20_000
_OWN_NAME = frozenset({"IL", "74"})  # the member, or the member with a name corrected
_PLACED = frozenset({"REF", "DTP", "AMT"})
# Reporting categories (LS to LE), and what another payer says of coverage (from COB to the next HD).
_ELSEWHERE = frozenset({"LS", "LE", "COB"})
_SEX: dict[str, Literal["1", "2"]] = {"M": "1", "F": "2"}
# REF qualifiers that name a person; SY is the Social Security number, which is read by nobody.
_PERSON_NUMBERS = ("6P", "F6", "1D", "1L", "0F", "23", "SY")
_MBI_REFERENCES = ("6P", "F6")
_DEPENDENT = "N"
_LONGEST_NUMBER = 60


@dataclass(slots=True)
class Loop:
    """An HD segment and the first segment of each name and qualifier that follows it."""

    head: Segment
    first: dict[tuple[str, str], Segment] = field(default_factory=dict)

    def reference(self, kind: str) -> Segment | None:
        """REF of a kind."""
        return self.first.get(("REF", kind))


@dataclass(slots=True)
class Member:
    """One INS loop: the first segment of each name and qualifier before the first HD, the names, and the HD loops."""

    head: Segment
    defects: Defects
    first: dict[tuple[str, str], Segment] = field(default_factory=dict)
    names: list[Segment] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    segments: int = 1
    _elsewhere: bool = False
    _identifying: frozenset[str] | None = None

    def place(self, segment: Segment) -> None:
        """Take the next segment of the member."""
        self.segments += 1
        elements = segment.elements
        name = elements[0]
        if name in _PLACED:
            # Most segments of a file come by here.
            if len(elements) > 1 and not self._elsewhere and self.segments <= MOST_SEGMENTS:
                place = self.loops[-1].first if self.loops else self.first
                place.setdefault((name, elements[1].strip()), segment)
        elif name == "HD":
            self.loops.append(Loop(segment))
            self._elsewhere = False
        elif name in _ELSEWHERE:
            self._elsewhere = name != "LE"
        elif not self.loops and not self._elsewhere and self.segments <= MOST_SEGMENTS:
            self._place_name(name, segment)

    def _place_name(self, name: str, segment: Segment) -> None:
        if name == "NM1":
            self.names.append(segment)
        elif name in {"DMG", "N4"} and self.names and self.names[-1].element(1) in _OWN_NAME:
            self.first.setdefault((name, ""), segment)

    def reference(self, kind: str) -> Segment | None:
        """REF of a kind that stands before the first HD."""
        return self.first.get(("REF", kind))

    def reference_value(self, kind: str) -> str:
        """REF02 of a kind; blank when there is none."""
        segment = self.first.get(("REF", kind))
        return segment.element(2) if segment else ""

    @property
    def state(self) -> str | None:
        """Where the member lives."""
        residence = self.first.get(("N4", ""))
        return state_letters(residence.element(2)) if residence else None

    def county(self, codes: StateCodes) -> str | None:
        """The county of residence as FIPS writes it."""
        residence = self.first.get(("N4", ""))
        if residence is None or residence.element(5) != "CY":
            return None
        return county_fips(residence.element(6), codes)

    def is_named(self, text: str) -> bool:
        """Whether a text that should be a code is somebody's name or number: it would be published."""
        if self._identifying is None:
            texts = [name.element(position) for name in self.names for position in (3, 4, 5, 9)]
            texts += [self.reference_value(kind) for kind in _PERSON_NUMBERS]
            self._identifying = frozenset(filter(None, texts))
        return text in self._identifying or holds_an_mbi(text)


def references(member: Member, state: str, *, synthetic: bool) -> tuple[PersonReference, ...]:
    """The member's MBI, then the state's own number, as far as they are there."""
    mbi, number = _mbi(member, synthetic=synthetic), _medicaid_number(member, state)
    found = [PersonReference("mbi", mbi)] if mbi else []
    return (*found, PersonReference("medicaid", f"{state}:{number}")) if number else tuple(found)


def _mbi(member: Member, *, synthetic: bool) -> str | None:
    """REF*6P, else REF*F6. Where one of them is an MBI the other may be something else: a group, or an older number."""
    read: list[str] = []
    refused: list[Segment] = []
    for segment in filter(None, map(member.reference, _MBI_REFERENCES)):
        try:
            read.append(normalise_mbi(segment.element(2), synthetic=synthetic))
        except MbiError:
            refused.append(segment)
    if not read and refused:
        kind, text = refused[0].element(1), refused[0].element(2)
        member.defects.add(refused[0], f"REF{kind}", "mbi_format", text, "a Medicare Beneficiary Identifier")
    if len(set(read)) > 1:
        member.defects.add(member.head, "REF6P", "two_medicare_numbers", expected="one, in REF*6P or REF*F6")
        return None
    return read[0] if read else None


def _medicaid_number(member: Member, state: str) -> str | None:
    for kind in state_codes(state).medicaid_number_references:
        number = member.reference_value(kind)
        # A composite is about a card; the subscriber's number is not that of a dependent.
        if not number or ";" in number or (kind == "0F" and member.head.element(1) == _DEPENDENT):
            continue
        if len(number) <= _LONGEST_NUMBER and "\x00" not in number:
            return number
        segment = member.first["REF", kind]
        member.defects.add(segment, f"REF{kind}", "not_a_number_of_a_person", number, "a state's number of a person")
    return None


def birth_date(member: Member) -> date | None:
    """DMG02, or a defect."""
    segment = member.first.get(("DMG", ""))
    return member.defects.or_none(lambda: day(segment, segment.element(2), "DMG02")) if segment else None


def sex_code(member: Member) -> Literal["1", "2"] | None:
    """DMG03."""
    segment = member.first.get(("DMG", ""))
    return _SEX.get(segment.element(3)) if segment else None


def death_date(member: Member) -> date | None:
    """DTP*435 or INS12, else the second part of California's REF*17."""
    for segment, text, name in _deaths(member):
        if text:
            return member.defects.or_none(partial(day, segment, text, name))
    return None


def _deaths(member: Member) -> Iterator[tuple[Segment, str, str]]:
    if (stated := member.first.get(("DTP", "435"))) is not None:
        yield stated, stated.element(3), "DTP435"
    if member.head.element(11) == "D8":
        yield member.head, member.head.element(12), "INS12"
    if (reported := member.reference("17")) is not None:
        parts = reported.element(2).split(";")
        yield reported, parts[1].strip() if len(parts) > 1 else "", "REF17"


def demographics(
    member: Member, reference: PersonReference, born: date | None, sex: Literal["1", "2"] | None
) -> Demographics:
    """Name, birth date and sex. The number in NM109, often a Social Security number, stays where it is."""
    own = next((name for name in member.names if name.element(1) in _OWN_NAME), None)
    family = name_text(own.element(3)) if own else None
    given = name_text(own.element(4)) if own else None
    return Demographics(reference, family, given, born, sex)
