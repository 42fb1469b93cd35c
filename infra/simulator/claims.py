"""What a simulated claim is, before any layout. Each amount exists twice: with the planted shift and without it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

FileType = Literal["IP", "LT", "OT", "RX"]
PART_A_TYPES = frozenset({"10", "20", "40", "50", "60"})


@dataclass(slots=True)
class Line:
    """One service line. ``cents`` holds the planted shift, ``unshifted_cents`` does not."""

    first: date
    last: date
    procedure: str
    cents: int
    unshifted_cents: int
    type_of_service: str = ""
    waiver: bool = False


@dataclass(slots=True)
class Version:
    """One adjudication. ``permille`` scales the claim's amounts: an adjusted claim pays something else.

    ``kind`` is ``CLM_ADJSMT_TYPE_CD`` (0, 1, 2) for Medicare and ``ADJSTMT_IND`` (0, 1, 4) for Medicaid.
    """

    kind: str
    delivery: int
    number: int
    permille: int = 1000


@dataclass(slots=True)
class MedicareClaim:
    """A Part A claim (one line that carries its payment) or a Part B claim (service lines)."""

    number: int
    claim_type: str
    first: date
    last: date
    diagnosis_codes: tuple[str, ...]
    npi: str
    lines: list[Line]
    denied: bool = False
    # Of an institutional claim the revenue centre that is told of it, if any.
    revenue_center: str = ""
    versions: list[Version] = field(default_factory=list)

    @property
    def part_a(self) -> bool:
        """Institutional: the header carries the payment."""
        return self.claim_type in PART_A_TYPES


@dataclass(slots=True)
class MedicaidClaim:
    """A fee-for-service claim (1), capitation payment (2) or encounter (3)."""

    number: int
    file_type: FileType
    claim_type: str
    plan: str
    first: date
    last: date
    diagnosis_codes: tuple[str, ...]
    npi: str
    lines: list[Line]
    denied: bool = False
    crossover: bool = False
    medicare_paid_cents: int = 0
    deductible_cents: int = 0
    coinsurance_cents: int = 0
    lines_carry_amounts: bool = True
    versions: list[Version] = field(default_factory=list)


def scaled(cents: int, permille: int) -> int:
    """An amount after adjustment, in whole cents."""
    return cents * permille // 1000
