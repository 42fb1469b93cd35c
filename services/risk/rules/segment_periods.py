"""From which month of a payment year which segment holds: long-term institutional status and dual status may change.

Source: CMS-HCC models: the segment of a month follows from status in that month; new enrollees (less than twelve months of
Part B in the year of the diagnoses) stay such all the payment year; nobody has a segment before Part B begins. The last
known month decides what goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from contracts.months import last_day, month_of, months_between
from contracts.risk import Segment
from services.risk.facts import PersonFacts, Statement
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.coverage_at import (
    Portrait,
    dual_status_in,
    health_plan_contract_in,
    is_institutional_level,
)
from services.risk.rules.hcc_score import Demographics
from services.risk.rules.institutional_stay import is_long_stay
from services.risk.rules.segment import age_on_first_of_february, has_medicaid, original_entitlement, segment_of


@dataclass(frozen=True, slots=True)
class MonthStatus:
    """What decides the segment of a month."""

    dual_status_code: str | None
    institutional: bool
    special_needs_plan: bool


@dataclass(frozen=True, slots=True)
class Period:
    """A segment, and what holds of the person in it, from a month on."""

    first_month: str
    segment: Segment
    demographics: Demographics | None


def status_in(facts: PersonFacts, month: str, policy: RiskPolicy) -> MonthStatus:
    """Read the status of one month."""
    contracts = policy.special_needs_plan_contracts
    return MonthStatus(
        dual_status_in(facts.statements, month),
        is_institutional_level(facts.statements, month)
        or is_long_stay(
            facts.stays,
            last_day(month),
            window_days=policy.institutional_window_days,
            least_days=policy.institutional_nursing_facility_days,
        ),
        bool(contracts) and health_plan_contract_in(facts.statements, month) in contracts,
    )


def is_new_enrollee(part_b_began: date | None, payment_year: int) -> bool:
    """Say whether Part B covered less than the whole year of the diagnoses."""
    return part_b_began is not None and part_b_began > date(payment_year - 1, 1, 1)


def _is_constant(facts: PersonFacts, policy: RiskPolicy) -> bool:
    """Say whether no month can differ from another, which saves reading each of them."""
    coded: list[Statement] = [one for one in facts.statements if one.dual_status_code is not None]
    return (
        not facts.stays
        and not policy.special_needs_plan_contracts
        and len({one.dual_status_code for one in coded}) <= 1
        and (not coded or any(one.payer == "medicare" for one in coded))
        and not any(one.long_term_care_level == "institutional" for one in facts.statements)
    )


def _demographics(
    birth_date: date, sex_code: Literal["1", "2"], entitlement: str | None, year: int, dual_status: str | None
) -> Demographics:
    return Demographics(
        age_on_first_of_february(birth_date, year),
        sex_code,
        original_entitlement(entitlement),
        medicaid=has_medicaid(dual_status),
    )


def _period(month: str, status: MonthStatus, known: Portrait, year: int, policy: RiskPolicy) -> Period:
    if known.birth_date is None or known.sex_code is None:
        return Period(month, policy.segment_without_demographics, None)
    sex: Literal["1", "2"] = "1" if known.sex_code == "1" else "2"
    entitlement = known.original_entitlement_code
    person = _demographics(known.birth_date, sex, entitlement, year, status.dual_status_code)
    segment = segment_of(
        person.age,
        status.dual_status_code,
        institutional=status.institutional,
        new_enrollee=is_new_enrollee(known.part_b_began, year),
        special_needs_plan=status.special_needs_plan,
    )
    return Period(month, segment, person)


def segment_periods(  # noqa: PLR0913, PLR0917 - the last month's status is known to the caller, and dear
    facts: PersonFacts, known: Portrait, year: int, last_month: str, last_status: MonthStatus, policy: RiskPolicy
) -> Iterator[Period]:
    """List the segments up to the last known month, each with the month from which it holds."""
    january = f"{year:04d}-01"
    first = january if known.part_b_began is None else max(january, month_of(known.part_b_began))
    months = [last_month] if first > last_month or _is_constant(facts, policy) else months_between(first, last_month)
    before: Period | None = None
    for month in months:
        status = last_status if month == last_month else status_in(facts, month, policy)
        period = _period(month, status, known, year, policy)
        if before is None or (period.segment, period.demographics) != (before.segment, before.demographics):
            # The first holds from the first month on, even where only another one was read: a year of which nothing is
            # said yet must not depend on how many months of the year before are known.
            yield Period(first if before is None else month, period.segment, period.demographics)
            before = period
