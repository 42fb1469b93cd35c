"""What is known about a person for a month: demographics, dual status, level of long-term care.

Source: CCLF Information Packet v36.0, CCLF8 (a snapshot of the file's month); X12 834 (dated spans of the state);
CMS State Phasedown (MMA) file, which makes the state the authority on dual status. Later statements win field by
field; a missing value is no information.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from contracts.months import month_of
from services.risk.facts import Statement

Span = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is known of the person apart from any month."""

    birth_date: date | None = None
    sex_code: str | None = None
    original_entitlement_code: str | None = None
    death_date: date | None = None
    part_b_began: date | None = None
    notes: tuple[str, ...] = ()


def _when(statement: Statement) -> tuple[date, int]:
    return statement.stated_on, statement.sequence


def _authority(statement: Statement) -> tuple[bool, date, int]:
    return statement.payer == "medicare", statement.stated_on, statement.sequence


def is_plausible_birth(birth_date: date, stated_on: date, oldest_age: int) -> bool:
    """Say whether somebody born on a day can have been spoken of on another."""
    return birth_date <= stated_on and stated_on.year - birth_date.year <= oldest_age


def portrait(statements: Iterable[Statement], oldest_age: int) -> Portrait:
    """Read each field of the person: Medicare's newest word, else the state's. Sex 0 is no information."""
    ordered = sorted(statements, key=_authority, reverse=True)
    stated = [(one.birth_date, one.stated_on) for one in ordered if one.birth_date is not None]
    births = [birth for birth, on in stated if is_plausible_birth(birth, on, oldest_age)]
    sexes = [one.sex_code for one in ordered if one.sex_code in ("1", "2")]
    doubts = {
        "birth_date_implausible": len(births) < len(stated),
        "birth_date_conflicting": len(set(births)) > 1,
        "birth_date_unknown": not births,
        "sex_conflicting": len(set(sexes)) > 1,
        "sex_unknown": not sexes,
    }
    return Portrait(
        births[0] if births else None,
        sexes[0] if sexes else None,
        next((one.original_entitlement_code for one in ordered if one.original_entitlement_code is not None), None),
        next((one.death_date for one in ordered if one.death_date is not None), None),
        next((one.part_b_began for one in ordered if one.part_b_began is not None), None),
        tuple(note for note, holds in doubts.items() if holds),
    )


def _covers(statement: Statement, month: str) -> bool:
    first, last = statement.first_month, statement.last_month
    return first is not None and first <= month and (last is None or month <= last)


def nearest_snapshot(statements: list[Statement], month: str) -> Statement | None:
    """Find the snapshot before the month, else the first after it."""
    before = [one for one in statements if (one.first_month or "") <= month]
    if before:
        return max(before, key=lambda one: (one.first_month or "", *_when(one)))
    first = min((one.first_month or "" for one in statements), default=None)
    return max((one for one in statements if one.first_month == first), key=_when, default=None)


def dual_status_in(statements: Iterable[Statement], month: str) -> str | None:
    """Read the dual status of a month: the state's span if it carries a code, else Medicare's snapshot."""
    coded = [one for one in statements if one.dual_status_code is not None and one.first_month is not None]
    for payer in ("medicaid", "medicare"):
        covering = [one for one in coded if one.payer == payer and _covers(one, month)]
        if covering:
            return max(covering, key=_when).dual_status_code
    nearest = nearest_snapshot([one for one in coded if one.payer == "medicare"], month)
    return None if nearest is None else nearest.dual_status_code


def health_plan_contract_in(statements: Iterable[Statement], month: str) -> str | None:
    """Read the contract of the Medicare health plan of a month, as the state's newest word on it has it."""
    covering = [one for one in statements if one.payer == "medicaid" and _covers(one, month)]
    return max(covering, key=_when).health_plan_contract if covering else None


def is_institutional_level(statements: Iterable[Statement], month: str) -> bool:
    """Say whether the state's newest word on the month is an institutional level of care."""
    levels = [one for one in statements if one.long_term_care_level is not None and _covers(one, month)]
    return bool(levels) and max(levels, key=_when).long_term_care_level == "institutional"


def spoken_of(statements: Iterable[Statement]) -> list[Span]:
    """List the first and last month that each statement speaks of; an open span reaches to its statement's date."""
    return [
        (one.first_month, one.last_month or max(month_of(one.stated_on), one.first_month))
        for one in statements
        if one.first_month is not None
    ]


def last_known_month(spans: Iterable[Span], year: int) -> str:
    """Find the last month, up to the end of the year, that a statement speaks of; else January."""
    end = f"{year:04d}-12"
    return min(max((last for first, last in spans if first <= end), default=f"{year:04d}-01"), end)
