"""From facts to what a score depends on, for each payment year; nothing else makes a person be scored again.

Source: CMS-HCC model documentation: diagnoses of the calendar year before the payment year, demographics on
February 1 of the payment year.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from contracts.months import last_day
from contracts.risk import Segment
from services.risk.facts import ClaimRecord, PersonFacts
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.coverage_at import (
    Portrait,
    dual_status_in,
    is_institutional_level,
    last_known_month,
    portrait,
    spoken_of,
)
from services.risk.rules.hcc_score import Demographics
from services.risk.rules.institutional_stay import is_long_stay
from services.risk.rules.segment import age_on_first_of_february, has_medicaid, original_entitlement, segment_of
from services.risk.rules.standing_claims import standing_claims

_FIRST_PAYMENT_YEAR = 2018
_LAST_PAYMENT_YEAR = 2100


@dataclass(frozen=True, slots=True)
class ScoringInput:
    """All that the scores of one payment year depend on. ``support``: diagnosis to the first claim known for it."""

    payment_year: int
    state: str
    segment: Segment
    demographics: Demographics | None
    support: tuple[tuple[str, str], ...]

    def fingerprint(self) -> bytes:
        """Sum up the input, so that an unchanged one is recognised without scoring."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).digest()


def _support(claims: Iterable[ClaimRecord]) -> dict[int, dict[str, str]]:
    """List by diagnosis year the codes and for each the claim that supported it first."""
    years: dict[int, dict[str, str]] = {}
    for claim in claims:
        codes = years.setdefault(claim.service_through.year, {}) if claim.diagnosis_codes else {}
        for code in claim.diagnosis_codes:
            codes.setdefault(code, claim.record_id)
    return years


def _payment_years(
    facts: PersonFacts, diagnosis_years: Iterable[int], died: date | None, policy: RiskPolicy
) -> set[int]:
    supported = {year + 1 for year in diagnosis_years if year >= policy.first_diagnosis_year}
    stated = {statement.stated_on.year for statement in facts.statements}
    last = _LAST_PAYMENT_YEAR if died is None else died.year
    return {year for year in supported | stated if _FIRST_PAYMENT_YEAR <= year <= last}


def _state(facts: PersonFacts) -> str:
    """Read the state that a statement named last, else that of the last claim."""
    said = [(fact.sequence, fact.state) for fact in facts.statements]
    claimed = [(fact.sequence, fact.state) for fact in facts.claims]
    claimed += [(fact.sequence, fact.state) for fact in facts.stays]
    return max(said or claimed)[1]


def _is_institutional(facts: PersonFacts, month: str, policy: RiskPolicy) -> bool:
    return is_institutional_level(facts.statements, month) or is_long_stay(
        facts.stays,
        last_day(month),
        window_days=policy.institutional_window_days,
        least_days=policy.institutional_nursing_facility_days,
    )


def _demographics(known: Portrait, year: int, dual_status: str | None) -> Demographics | None:
    if known.birth_date is None or known.sex_code is None:
        return None
    return Demographics(
        age_on_first_of_february(known.birth_date, year),
        "1" if known.sex_code == "1" else "2",
        original_entitlement(known.original_entitlement_code),
        medicaid=has_medicaid(dual_status),
    )


def scoring_inputs(facts: PersonFacts, policy: RiskPolicy, also: Iterable[int] = ()) -> Iterator[ScoringInput]:
    """Give the inputs of every payment year that the facts speak of, and of the years ``also`` asked for."""
    support = _support(standing_claims(facts.claims))
    known, state, spans = portrait(facts.statements), _state(facts), spoken_of(facts.statements)
    for year in sorted({*_payment_years(facts, support, known.death_date, policy), *also}):
        month = last_known_month(spans, year)
        dual_status = dual_status_in(facts.statements, month)
        person = _demographics(known, year, dual_status)
        segment = policy.segment_without_demographics
        if person is not None:
            new_enrollee = known.part_b_began is not None and known.part_b_began > date(year - 1, 1, 1)
            institutional = _is_institutional(facts, month, policy)
            segment = segment_of(person.age, dual_status, institutional=institutional, new_enrollee=new_enrollee)
        yield ScoringInput(year, state, segment, person, tuple(sorted(support.get(year - 1, {}).items())))
