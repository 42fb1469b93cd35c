"""What a person used in the year before a day, from marked claims: the raw material of predictors.

Sources: domain of risk stratification beyond HCC: prior cost and use, emergency visits by ResDAC's revenue centers, avoidable
admissions by AHRQ's prevention quality indicators. Architecture, "Cents" and "Claims": a cancellation takes back what it
shares its key with. ``services/risk/use_reading.py`` counts the same in SQL, and a test holds both together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Final

from services.risk.rules.claim_marks import Mark

YEAR_DAYS: Final = 365
QUARTER_DAYS: Final = 90
RECENT_DAYS: Final = 30
# A series: at least so many treatments in the days before the last thirty, and none in those.
SERIES_DAYS: Final = 120
SERIES_TREATMENTS: Final = 3
SERIES: Final = (Mark.DIALYSIS, Mark.INFUSION, Mark.WOUND)


@dataclass(frozen=True, slots=True)
class UseRecord:
    """One version of a claim record, by what it is a sign of."""

    sequence: int
    record_id: str
    version: int
    claim_key: str
    cancellation: bool
    service_from: date
    service_through: date
    paid_cents: int
    marks: Mark
    frailty: int


@dataclass(frozen=True, slots=True)
class PersonUse:
    """Counts of the year before a day. Days of admission are counted once; ``frailty`` has one bit a marker."""

    spend_year_cents: int = 0
    spend_quarter_cents: int = 0
    admissions_year: int = 0
    admissions_quarter: int = 0
    avoidable_year: int = 0
    emergency_year: int = 0
    primary_care_year: int = 0
    discharged_recently: bool = False
    to_facility_recently: bool = False
    behavioural: bool = False
    dialysis: bool = False
    missed_series: int = 0
    frailty: int = 0
    # Of other sources than Medicare's claims.
    nursing_facility: bool = False
    community_services: bool = False
    drug_products: int = 0


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is left of the records that share a key."""

    began: date
    day: date
    cents: int
    marks: Mark
    frailty: int


def _newest(records: Iterable[UseRecord], day: date) -> Iterable[UseRecord]:
    newest: dict[str, UseRecord] = {}
    for record in sorted(records, key=lambda one: one.sequence):
        if 0 <= (day - record.service_through).days < YEAR_DAYS:
            known = newest.get(record.record_id)
            if known is None or record.version > known.version:
                newest[record.record_id] = record
    return newest.values()


def _standing(records: Iterable[UseRecord], day: date) -> list[_Standing]:
    groups: dict[str, list[UseRecord]] = {}
    for record in _newest(records, day):
        groups.setdefault(record.claim_key, []).append(record)
    found = []
    for group in groups.values():
        claims = [one for one in group if not one.cancellation]
        if 2 * len(claims) > len(group):
            found.append(
                _Standing(
                    max(one.service_from for one in claims),
                    max(one.service_through for one in claims),
                    sum(-one.paid_cents if one.cancellation else one.paid_cents for one in group),
                    reduce(or_, (one.marks for one in claims)),
                    reduce(or_, (one.frailty for one in claims)),
                )
            )
    return found


def _missed(standing: list[_Standing], day: date) -> int:
    missed = 0
    for series in SERIES:
        ages = [(day - one.day).days for one in standing if series in one.marks]
        before = sum(RECENT_DAYS <= age < SERIES_DAYS for age in ages)
        missed += before >= SERIES_TREATMENTS and not any(age < RECENT_DAYS for age in ages)
    return missed


def use_of(
    records: Iterable[UseRecord],
    day: date,
    *,
    nursing_facility: bool = False,
    community_services: bool = False,
    drug_products: int = 0,
) -> PersonUse:
    """Count what stands in the year that ends with ``day``."""
    standing = _standing(records, day)

    def within(mark: Mark, days: int) -> list[_Standing]:
        return [one for one in standing if mark in one.marks and (day - one.day).days < days]

    def days_of(found: list[_Standing]) -> int:
        return len({one.began for one in found})

    return PersonUse(
        spend_year_cents=sum(one.cents for one in standing),
        spend_quarter_cents=sum(one.cents for one in standing if (day - one.day).days < QUARTER_DAYS),
        admissions_year=days_of(within(Mark.ADMISSION, YEAR_DAYS)),
        admissions_quarter=days_of(within(Mark.ADMISSION, QUARTER_DAYS)),
        avoidable_year=days_of(within(Mark.AVOIDABLE, YEAR_DAYS)),
        emergency_year=days_of(within(Mark.EMERGENCY, YEAR_DAYS)),
        primary_care_year=len(within(Mark.PRIMARY_CARE, YEAR_DAYS)),
        discharged_recently=bool(within(Mark.ADMISSION, RECENT_DAYS)),
        to_facility_recently=bool(within(Mark.TO_FACILITY, RECENT_DAYS)),
        behavioural=bool(within(Mark.BEHAVIOURAL, YEAR_DAYS)),
        dialysis=bool(within(Mark.DIALYSIS, YEAR_DAYS)),
        missed_series=_missed(standing, day),
        frailty=reduce(or_, (one.frailty for one in standing), 0),
        nursing_facility=nursing_facility,
        community_services=community_services,
        drug_products=drug_products,
    )
