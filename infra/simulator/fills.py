"""Part D: what is dispensed to people with a drug plan, every ninety days, all of a person's products on one day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from infra.simulator.medicare import day_in, in_fee_for_service
from infra.simulator.person import Person
from infra.simulator.prospects import Prospects
from infra.simulator.rates import amount
from infra.simulator.world import CLINICIAN_NPIS, FACILITY_NPIS

FIRST_NUMBER: Final = 80_000
MONTHS_SUPPLIED, DAYS_SUPPLIED = 3, 90
_SKIPPED_SHARE: Final = 0.08
_COST_SHARE: Final = (2.0, 0.8)
_LABELER, _PRODUCTS, _PACKAGES = "00090", 60, ("01", "30", "90")


@dataclass(frozen=True, slots=True)
class Fill:
    """One prescription dispensed, as it stands when all is settled: Part D is delivered as final action only."""

    number: int
    drug: str
    filled_on: date
    fill_number: int
    prescriber: str
    pharmacy: str
    patient_cents: int
    delivery: int


def _round(person: Person, products: list[str], month: int, fill_number: int) -> Iterator[Fill]:
    day, random = day_in(person, month), person.random
    for product in products if day is not None else ():
        if random.random() >= _SKIPPED_SHARE and day is not None:
            yield Fill(
                number=person.next_record(),
                drug=product + random.choice(_PACKAGES),
                filled_on=day,
                fill_number=fill_number,
                prescriber=random.choice(CLINICIAN_NPIS),
                pharmacy=FACILITY_NPIS[person.traits.index % len(FACILITY_NPIS)],
                patient_cents=amount(random, *_COST_SHARE),
                delivery=month + 1,
            )


def _all(person: Person, prospects: Prospects) -> Iterator[Fill]:
    numbers = sorted(person.random.sample(range(_PRODUCTS), min(prospects.drugs, _PRODUCTS)))
    products = [f"{_LABELER}{number:04d}" for number in numbers]
    last = min(person.period.last_service, person.period.number(person.last_day))
    for month in range(person.life.entry + person.traits.index % MONTHS_SUPPLIED, last + 1, MONTHS_SUPPLIED):
        if in_fee_for_service(person, month):
            yield from _round(person, products, month, month // MONTHS_SUPPLIED)


def fills_of(person: Person) -> list[Fill]:
    """Everything dispensed to a person."""
    prospects = person.prospects
    if prospects is None or not prospects.drug_plan:
        return []
    return list(_all(person.aside("fills", FIRST_NUMBER), prospects))
