"""The segments of one 837 claim put in their places: the claim, its other payers, its lines and each payer's decisions.

Source: ASC X12N 005010X222A1 (professional), 005010X223A2 (institutional), 005010X224A2 (dental): loops 2300, 2320,
2330A, 2330B, 2400 and 2430.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.intake.readers.x12_segments import Segment
from services.intake.readers.x12_values import required_amount
from services.intake.rules.encounter_codes import Adjustment

# A claim has at most 999 lines of some ten segments each; whatever is longer has lost its structure.
MOST_SEGMENTS = 50_000
_SERVICES = frozenset({"SV1", "SV2", "SV3"})
_REASONS_OF_A_SEGMENT = range(2, 18, 3)
_CLAIM_LEVEL = frozenset({"HI", "K3"})


@dataclass(slots=True)
class Decision:
    """What one payer decided about one line (SVD), and why it paid less than was charged (CAS)."""

    head: Segment
    adjustments: list[Segment] = field(default_factory=list)
    decided: Segment | None = None

    @property
    def payer(self) -> str:
        """SVD01: the number under which the payer stands in loop 2330B."""
        return self.head.element(1)


@dataclass(slots=True)
class ServiceLine:
    """One service line."""

    head: Segment
    service: Segment | None = None
    dates: Segment | None = None
    decisions: list[Decision] = field(default_factory=list)


@dataclass(slots=True)
class OtherPayer:
    """A payer that has decided about the claim before: the plan itself, Medicare, an insurer."""

    head: Segment
    paid: Segment | None = None
    adjustments: list[Segment] = field(default_factory=list)
    subscriber: Segment | None = None
    payer: Segment | None = None
    decided: Segment | None = None
    claim_number: Segment | None = None
    entity: str = ""

    @property
    def filing_indicator(self) -> str:
        """SBR09."""
        return self.head.element(9)

    @property
    def number(self) -> str:
        """NM109 of loop 2330B."""
        return self.payer.element(9) if self.payer else ""


@dataclass(slots=True)
class Claim:
    """One CLM loop."""

    head: Segment
    first: dict[tuple[str, str], Segment] = field(default_factory=dict)
    several: list[Segment] = field(default_factory=list)
    payers: list[OtherPayer] = field(default_factory=list)
    lines: list[ServiceLine] = field(default_factory=list)
    segments: int = 1

    def place(self, segment: Segment) -> None:
        """Take the next segment of the claim."""
        self.segments += 1
        if self.segments > MOST_SEGMENTS:
            return
        name = segment.elements[0]
        if name == "LX" or (name in _SERVICES and self._needs_line()):
            self.lines.append(ServiceLine(segment))
        if self.lines:
            _place_in_line(self.lines[-1], name, segment)
        elif name == "SBR":
            self.payers.append(OtherPayer(segment))
        elif self.payers:
            _place_in_payer(self.payers[-1], name, segment)
        elif name in _CLAIM_LEVEL:
            self.several.append(segment)
        else:
            self.first.setdefault((name, segment.element(1)), segment)

    def _needs_line(self) -> bool:
        """A service without LX before it, as some senders write."""
        return not self.lines or self.lines[-1].service is not None

    def named(self, name: str) -> Iterator[Segment]:
        """The claim's own HI or K3 segments."""
        return (segment for segment in self.several if segment.name == name)


def _place_in_line(line: ServiceLine, name: str, segment: Segment) -> None:
    if name in _SERVICES:
        line.service = segment
    elif name == "SVD":
        line.decisions.append(Decision(segment))
    elif name == "CAS" and line.decisions:
        line.decisions[-1].adjustments.append(segment)
    elif name == "DTP" and segment.element(1) == "573" and line.decisions:
        line.decisions[-1].decided = segment
    elif name == "DTP" and segment.element(1) == "472" and line.dates is None:
        line.dates = segment


def _place_in_payer(payer: OtherPayer, name: str, segment: Segment) -> None:
    qualifier = segment.element(1)
    if name == "NM1":
        payer.entity = qualifier
        if qualifier == "IL":
            payer.subscriber = segment
        elif qualifier == "PR":
            payer.payer = segment
    elif name == "CAS" and not payer.entity:
        payer.adjustments.append(segment)
    elif (name, qualifier) == ("AMT", "D"):
        payer.paid = segment
    elif payer.entity == "PR" and (name, qualifier) == ("DTP", "573"):
        payer.decided = segment
    elif payer.entity == "PR" and (name, qualifier) == ("REF", "F8"):
        payer.claim_number = segment


def adjustments(segments: Iterable[Segment]) -> Iterator[Adjustment]:
    """Every reason of some CAS segments. Raises :class:`services.intake.readers.x12_values.ElementError`."""
    for segment in segments:
        for position in _REASONS_OF_A_SEGMENT:
            if reason := segment.element(position):
                cents = required_amount(segment, position + 1, f"CAS{position + 1:02d}")
                yield Adjustment(segment.element(1), reason, cents)
