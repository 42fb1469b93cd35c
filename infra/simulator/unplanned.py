"""Claims that follow from a person's planted risk: admissions that good care could have kept away, and series of treatment.

They have a stream of randomness and numbers of their own: everybody's other claims are what they would be without them.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from infra.simulator.adjudication import adjudicate_medicaid, adjudicate_medicare
from infra.simulator.claims import MedicaidClaim, MedicareClaim
from infra.simulator.medicaid import crossover_claim
from infra.simulator.medicare import DENIED_SHARE, Stay, day_in, in_fee_for_service, institutional_claim
from infra.simulator.person import Person
from infra.simulator.prospects import Prospects, Series, Treatment, expected_monthly
from infra.simulator.rates import Rate, count
from infra.simulator.signs import EMERGENCY_ROOM
from infra.simulator.traits import Traits

FIRST_NUMBER: Final = 60_000
# Shorter and cheaper than the stays of people of high need: chance is small beside what is planted of cost.
AVOIDABLE_STAY: Final = Stay("60", 1, 6, Rate(1.0, 1.0, 1.0, 4_000, 0.15))
THROUGH_EMERGENCY_ROOM: Final = 0.8
# What brings people to hospital, by the beginning of a code that they carry; pneumonia and urinary infections anybody.
_OWN_CAUSES: Final = {"I50": "I509", "J44": "J441", "E11": "E1165"}
_COMMON_CAUSES: Final = ("J189", "N390")
# Revenue centre, service, and what is paid for one.
TREATMENTS: Final[dict[Treatment, tuple[str, str, float]]] = {
    "dialysis": ("0821", "90999", 900),
    "infusion": ("0260", "96365", 130),
    "wound": ("0761", "97597", 120),
}

# Never thirty days apart while the series goes on.
_HALVES_OF_MONTH: Final = (0, 14)


def expected_unplanned_cents(traits: Traits, first: date) -> float:
    """Expected cents a month of avoidable admissions at the first month's prices."""
    level: float = traits.medicare_level**0.4
    return expected_monthly(traits, first) * (1 - DENIED_SHARE) * AVOIDABLE_STAY.rate.mean_dollars * level * 100


def _cause(person: Person) -> str:
    own = [cause for start, cause in _OWN_CAUSES.items() if any(
        code.startswith(start) for code in person.traits.diagnosis_codes)]  # fmt: skip
    return person.random.choice((*own, *own, *_COMMON_CAUSES))


def _admissions(person: Person, prospects: Prospects, month: int) -> Iterator[MedicareClaim]:
    for _ in range(count(person.random, prospects.monthly(month))):
        day = day_in(person, month)
        if day is None:
            continue
        stay = institutional_claim(person, AVOIDABLE_STAY, day, month)
        stay.diagnosis_codes = (_cause(person), stay.diagnosis_codes[-1])
        if person.random.random() < THROUGH_EMERGENCY_ROOM:
            stay.revenue_center = EMERGENCY_ROOM
        yield stay


def _treatments(person: Person, series: Series, month: int) -> Iterator[MedicareClaim]:
    if not series.goes_on(month):
        return
    center, service, dollars = TREATMENTS[series.treatment]
    stay = Stay("40", 0, 0, Rate(0.0, 0.0, 0.0, dollars, 0.1))
    for start in _HALVES_OF_MONTH:
        day = person.period.first_days[month] + timedelta(days=start + person.random.randrange(12))
        if day <= person.last_day:
            claim = institutional_claim(person, stay, day, month)
            claim.revenue_center, claim.lines[0].procedure = center, service
            yield claim


def _made(aside: Person, prospects: Prospects, *, series: bool) -> list[MedicareClaim]:
    last = min(aside.period.last_service, aside.period.number(aside.last_day))
    made: list[MedicareClaim] = []
    for month in range(aside.life.entry, last + 1):
        if in_fee_for_service(aside, month):
            made += _admissions(aside, prospects, month)
            for one in prospects.series if series else ():
                made += _treatments(aside, one, month)
    return made


def unplanned_claims(person: Person, *, series: bool = True) -> tuple[list[MedicareClaim], list[MedicaidClaim]]:
    """All of a person's, and what crosses over of them, adjudicated. ``series``: unless something else plants them."""
    if person.prospects is None:
        return [], []
    aside = person.aside("unplanned", FIRST_NUMBER)
    medicare = _made(aside, person.prospects, series=series)
    for claim in medicare:
        adjudicate_medicare(aside, claim)
    medicaid = [crossed for claim in medicare if (crossed := crossover_claim(aside, claim)) is not None]
    for service in medicaid:
        adjudicate_medicaid(aside, service)
    return medicare, medicaid
