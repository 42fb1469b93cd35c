"""A small world of people and claims in which a shift is planted, as events and as plain facts."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from contracts.alignment import (
    AlignmentDecided,
    AlignmentDecidedData,
    DecisionChange,
    MonthDecision,
    Outcome,
    PredicateResult,
)
from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicaidClaimsDeliveredData,
    MedicareClaim,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.codes import Cohort
from contracts.months import add_months, last_day
from contracts.risk import RiskScored, RiskScoredData
from contracts.topics import ALIGNMENT_DECISIONS, CLAIMS_MEDICAID, CLAIMS_MEDICARE, RISK_SCORES, AnyEvent
from services.runtime.service import Cut

FIRST = "2020-01"
MONTHS = tuple(add_months(FIRST, number) for number in range(24))
TIME = datetime(2022, 7, 1, tzinfo=UTC)
ENTITY = "D9001"
_START = 12  # the first month behind the baseline


@dataclass(slots=True)
class Person:
    """Months here, from which one on aligned (``None``: never), and what each month cost: payer and category to cents."""

    person_id: str
    county: str
    first: int
    last: int
    entered: int | None
    under_65: bool
    score: int
    status: str
    costs: dict[int, dict[tuple[str, str], int]] = field(default_factory=dict)

    def cohort(self, month: int) -> Cohort:
        """Aligned, or could be."""
        return Cohort.ALIGNED if self.entered is not None and month >= self.entered else Cohort.COMPARISON


def people(seed: int = 1, counties: int = 8, a_cohort: int = 8) -> list[Person]:
    """Half were aligned from the beginning or enter in the second year; Medicare falls and Medicaid rises from then on."""
    chance = random.Random(seed)
    made = []
    for county in range(counties):
        level = chance.gauss(0, 3000)
        for number in range(2 * a_cohort):
            aligned = number < a_cohort
            person = Person(
                person_id=f"p{county:016x}{number:016x}",
                county=f"39{county:03}",
                first=0 if chance.random() < 0.9 else 4,
                last=len(MONTHS) if chance.random() < 0.95 else 20,
                entered=chance.choice((0, 0, _START, _START + 4)) if aligned else None,
                under_65=number % 3 == 0,
                score=1000 + 10 * number,
                status="02" if number % 4 else "08",
            )
            own = chance.gauss(0, 5000)
            for month in range(person.first, person.last):
                behind = person.entered is not None and month >= max(person.entered, _START)
                person.costs[month] = {
                    ("medicare", "skilled_nursing_facility"): _cents(chance, 60_000 + level + own - 20_000 * behind),
                    ("medicaid", "nursing_facility"): _cents(chance, 50_000 + level - own + 15_000 * behind),
                    ("medicare", "inpatient"): _cents(chance, 40_000 + level),
                }
            made.append(person)
    return made


def _cents(chance: random.Random, mean: float) -> int:
    return max(1, round(chance.gauss(mean, 8000)))


def cut_of(number: int) -> Cut:
    """Delivery ``number`` is dated at the end of its month."""
    return Cut(number, f"d{number:032x}", TIME, last_day(add_months(FIRST, number - 1)))


def _common(person: Person, sequence: int, service: str, version: str) -> dict[str, Any]:
    return {
        "service": service, "key": person.person_id, "version": version, "time": TIME, "delivery_id": f"d{sequence:032x}",
        "sequence": sequence,
    }  # fmt: skip


def decided(person: Person, sequence: int = 1, revision: int = 1) -> AlignmentDecided:
    """Every month of a person, as one delivery says; behind the last it is in a health plan."""
    months = tuple(
        MonthDecision(
            month=MONTHS[month],
            aligned=here and person.cohort(month) is Cohort.ALIGNED,
            basis="none",
            change=DecisionChange.ALIGNED,
            cohort=person.cohort(month) if here else Cohort.EXCLUDED,
            entity_id=ENTITY if here and person.cohort(month) is Cohort.ALIGNED else None,
            county_fips=person.county,
            dual_status_code=person.status,  # type: ignore[arg-type]
            predicates=(PredicateResult(name="NOT_IN_MA", outcome=Outcome.PASS if here else Outcome.FAIL),),
        )
        for month in range(person.first, len(MONTHS))
        for here in (month < person.last,)
    )
    data = AlignmentDecidedData(person_id=person.person_id, state="OH", revision=revision, decisions=months)
    return AlignmentDecided.of(**_common(person, sequence, "alignment", str(revision)), data=data)


def scored(person: Person) -> RiskScored:
    """The score of the first year."""
    data = RiskScoredData(
        person_id=person.person_id, state="OH", model="V24", payment_year=2020, diagnosis_year=2019,
        segment="CFD" if person.under_65 else "CFA", raw_score=Decimal(person.score) / 1000,
    )  # fmt: skip
    return RiskScored.of(**_common(person, 1, "risk", "V24:2020"), data=data)


def claims(person: Person, month: int) -> list[AnyEvent]:
    """The claims of one month, in the delivery of that month."""
    sequence, day = month + 1, date.fromisoformat(f"{MONTHS[month]}-15")
    costs = person.costs.get(month)
    if costs is None:
        return []
    name = f"{person.person_id[-8:]}{person.county}m{month}"
    medicare = tuple(
        MedicareClaim(
            record_id=f"m{code}{name}", version=1, claim_type_code=code, adjustment=Adjustment.ORIGINAL,
            service_from=day, service_through=day, paid_cents=costs["medicare", category],
        )
        for code, category in (("20", "skilled_nursing_facility"), ("60", "inpatient"))
    )  # fmt: skip
    medicaid = MedicaidClaim(
        record_id=f"d{name}", version=1, file_type="LT", claim_type_code="1", service_from=day, service_through=day,
        paid_cents=costs["medicaid", "nursing_facility"],
    )  # fmt: skip
    return [
        MedicareClaimsDelivered.of(
            **_common(person, sequence, "intake", f"{sequence}m"),
            data=MedicareClaimsDeliveredData(person_id=person.person_id, state="OH", claims=medicare),
        ),
        MedicaidClaimsDelivered.of(
            **_common(person, sequence, "intake", f"{sequence}d"),
            data=MedicaidClaimsDeliveredData(person_id=person.person_id, state="OH", claims=(medicaid,)),
        ),
    ]


def by_topic(events: list[AnyEvent]) -> dict[str, list[AnyEvent]]:
    """As a worker gets them."""
    topics = {
        AlignmentDecided: ALIGNMENT_DECISIONS.name, RiskScored: RISK_SCORES.name,
        MedicareClaimsDelivered: CLAIMS_MEDICARE.name, MedicaidClaimsDelivered: CLAIMS_MEDICAID.name,
    }  # fmt: skip
    sorted_out: dict[str, list[AnyEvent]] = {}
    for event in events:
        sorted_out.setdefault(topics[type(event)], []).append(event)  # type: ignore[index]
    return sorted_out
