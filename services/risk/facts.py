"""What the service knows of one person: facts with the sequence of the delivery that made them known.

Values only. Facts are never changed; what was known at a sequence is what carries that sequence or a smaller one.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Moved:
    """From which delivery on a fact counts under its person (``None``: from its own), and from which no more."""

    since: int | None = field(default=None, kw_only=True)
    until: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Statement(Moved):
    """What one source stated about one span of months, and about the person on that occasion."""

    sequence: int
    state: str
    payer: Literal["medicare", "medicaid"]
    stated_on: date
    birth_date: date | None = None
    sex_code: str | None = None
    original_entitlement_code: str | None = None
    death_date: date | None = None
    part_b_began: date | None = None
    first_month: str | None = None
    last_month: str | None = None
    dual_status_code: str | None = None
    long_term_care_level: str | None = None
    medicare_status_code: str | None = None
    health_plan_contract: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRecord(Moved):
    """One version of a Medicare claim record: which diagnoses it supports, which not and why, what it may cancel."""

    sequence: int
    state: str
    record_id: str
    version: int
    claim_key: str
    cancellation: bool
    service_from: date
    service_through: date
    diagnosis_codes: tuple[str, ...] = ()
    ignored_codes: tuple[str, ...] = ()
    ignored_reason: str | None = None
    transplant: bool = False
    dialysis: bool = False


@dataclass(frozen=True, slots=True)
class FacilityStay(Moved):
    """One version of a Medicaid long-term-care claim; ``counts`` is false when it is void or denied."""

    sequence: int
    state: str
    record_id: str
    version: int
    first_day: date
    last_day: date
    counts: bool


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """All facts of one person, or those known at a sequence."""

    statements: tuple[Statement, ...] = ()
    claims: tuple[ClaimRecord, ...] = ()
    stays: tuple[FacilityStay, ...] = ()

    def known_at(self, sequence: int) -> "PersonFacts":
        """Keep what counts under this person at ``sequence``."""
        return PersonFacts(
            tuple(fact for fact in self.statements if counts_at(fact, sequence)),
            tuple(fact for fact in self.claims if counts_at(fact, sequence)),
            tuple(fact for fact in self.stays if counts_at(fact, sequence)),
        )

    def sequences(self) -> set[int]:
        """List the sequences at which anything became known, or turned out to be another's."""
        facts = [fact for facts in (self.statements, self.claims, self.stays) for fact in facts]
        return {known_from(fact) for fact in facts} | {fact.until for fact in facts if fact.until is not None}


def known_from(fact: Statement | ClaimRecord | FacilityStay) -> int:
    """The delivery from which a fact counts under its person."""
    return fact.sequence if fact.since is None else fact.since


def counts_at(fact: Statement | ClaimRecord | FacilityStay, sequence: int) -> bool:
    """Whether a fact counts under its person as known at a delivery."""
    return known_from(fact) <= sequence and (fact.until is None or sequence < fact.until)
