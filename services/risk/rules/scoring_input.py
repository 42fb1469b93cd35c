"""From facts to what a score depends on, for each payment year; nothing else makes a person be scored again.

Source: CMS-HCC model documentation: diagnoses of the calendar year before the payment year, demographics on
February 1 of the payment year. What is left out is named with the reason, so that no score is silently low.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.risk import Segment
from services.risk.facts import ClaimRecord, PersonFacts
from services.risk.hcc_tables import HccTables, tables_of
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.coverage_at import Portrait, last_known_month, portrait, spoken_of
from services.risk.rules.esrd_score import EsrdPerson, Kidneys
from services.risk.rules.hcc_score import Demographics
from services.risk.rules.kidney_status import kidneys_in
from services.risk.rules.segment import benefit_letter
from services.risk.rules.segment_periods import MonthStatus, Period, is_new_enrollee, segment_periods, status_in
from services.risk.rules.standing_claims import newest_versions, standing_claims

_FIRST_PAYMENT_YEAR: Final = 2018
_LAST_PAYMENT_YEAR: Final = 2100
_UNKNOWN_DUAL_STATUS: Final = frozenset({None, "99"})
_WITHOUT_BENEFITS: Final = frozenset({"09", "10"})
_KNOWN_ENTITLEMENTS: Final = frozenset({"0", "1", "2", "3"})
CANCELLED: Final = "cancelled_claim"
DIED_IN_YEAR: Final = "died_in_payment_year"
NOT_IN_TABLES: Final = "not_in_tables_of_year"
EDITED: Final = "age_or_sex_edit"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Renal:
    """What the model for end-stage renal disease asks of a person who has it."""

    kidneys: Kidneys
    person: EsrdPerson


@dataclass(frozen=True, slots=True)
class ScoringInput:
    """All that the scores of one payment year depend on. ``support``: diagnosis to the first claim known for it.

    ``segment`` and ``demographics`` are those of the last of ``periods``. ``ignored``: diagnoses that a model knows and
    that do not count, with the reason.
    """

    payment_year: int
    state: str
    segment: Segment
    demographics: Demographics | None
    support: Pairs
    periods: tuple[Period, ...] = ()
    ignored: Pairs = ()
    notes: tuple[str, ...] = ()
    renal: Renal | None = None

    def fingerprint(self) -> bytes:
        """Sum up the input, so that an unchanged one is recognised without scoring."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class _Diagnoses:
    """By diagnosis year: codes that count with the claim that supported each first, and those that do not with why."""

    support: dict[int, dict[str, str]]
    ignored: dict[int, dict[str, str]]


def _diagnoses(claims: tuple[ClaimRecord, ...], standing: tuple[ClaimRecord, ...]) -> _Diagnoses:
    support: dict[int, dict[str, str]] = {}
    ignored: dict[int, dict[str, str]] = {}
    for claim in standing:
        year = claim.service_through.year
        for code in claim.diagnosis_codes:
            support.setdefault(year, {}).setdefault(code, claim.record_id)
        for code in claim.ignored_codes:
            ignored.setdefault(year, {}).setdefault(code, claim.ignored_reason or "")
    stands = {claim.record_id for claim in standing}
    for claim in newest_versions(claims):
        if claim.record_id not in stands and not claim.cancellation:
            for code in claim.diagnosis_codes:
                ignored.setdefault(claim.service_through.year, {})[code] = CANCELLED
    return _Diagnoses(support, ignored)


def _payment_years(facts: PersonFacts, years: Iterable[int], died: date | None, policy: RiskPolicy) -> set[int]:
    supported = {year + 1 for year in years if year >= policy.first_diagnosis_year}
    stated = {statement.stated_on.year for statement in facts.statements}
    last = _LAST_PAYMENT_YEAR if died is None else died.year
    return {year for year in supported | stated if _FIRST_PAYMENT_YEAR <= year <= last}


def _state(facts: PersonFacts) -> str:
    """Read the state that a statement named last, else that of the last claim."""
    said = [(fact.sequence, fact.state) for fact in facts.statements]
    claimed = [(fact.sequence, fact.state) for fact in facts.claims]
    claimed += [(fact.sequence, fact.state) for fact in facts.stays]
    return max(said or claimed)[1]


def _counting(found: _Diagnoses, year: int, tables: HccTables) -> tuple[Pairs, Pairs]:
    """Split a diagnosis year into what counts in a payment year and what does not; a code that counts is not ignored."""
    said = found.support.get(year, {})
    counts = {code: record for code, record in said.items() if tables.is_mapped(code)}
    ignored = dict(found.ignored.get(year, {})) | dict.fromkeys(said.keys() - counts.keys(), NOT_IN_TABLES)
    left_out = {code: reason for code, reason in ignored.items() if code not in counts}
    return tuple(sorted(counts.items())), tuple(sorted(left_out.items()))


def _notes(known: Portrait, status: MonthStatus, renal: Renal | None, year: int) -> tuple[str, ...]:
    died = known.death_date
    said = {
        DIED_IN_YEAR: died is not None and died.year == year,
        "dual_status_unknown": status.dual_status_code in _UNKNOWN_DUAL_STATUS,
        "dual_status_without_benefits": status.dual_status_code in _WITHOUT_BENEFITS,
        "original_entitlement_unknown": known.original_entitlement_code not in _KNOWN_ENTITLEMENTS,
        "esrd_model_applies": renal is not None,
    }
    return (*known.notes, *(note for note, holds in said.items() if holds))


def _renal(
    kidneys: Kidneys | None, person: Demographics | None, status: MonthStatus, *, new_enrollee: bool
) -> Renal | None:
    if kidneys is None or person is None:
        return None
    benefit = benefit_letter(status.dual_status_code)
    entitlement = person.original_entitlement_code
    asked = EsrdPerson(person.age, person.sex_code, entitlement, benefit, status.institutional, new_enrollee)
    return Renal(kidneys, asked)


def scoring_inputs(facts: PersonFacts, policy: RiskPolicy, also: Iterable[int] = ()) -> Iterator[ScoringInput]:
    """Give the inputs of every payment year that the facts speak of, and of the years ``also`` asked for."""
    standing = standing_claims(facts.claims)
    found = _diagnoses(facts.claims, standing)
    known = portrait(facts.statements, policy.oldest_age)
    state, spans = _state(facts), spoken_of(facts.statements)
    years = _payment_years(facts, found.support.keys() | found.ignored.keys(), known.death_date, policy)
    for year in sorted({*years, *also}):
        month = last_known_month(spans, year)
        status = status_in(facts, month, policy)
        periods = tuple(segment_periods(facts, known, year, month, status, policy))
        person = periods[-1].demographics
        kidneys = kidneys_in(facts.statements, standing, month)
        renal = _renal(kidneys, person, status, new_enrollee=is_new_enrollee(known.part_b_began, year))
        support, ignored = _counting(found, year - 1, tables_of(year, policy))
        notes = _notes(known, status, renal, year)
        yield ScoringInput(year, state, periods[-1].segment, person, support, periods, ignored, notes, renal)
