"""One person's Medicare fee-for-service claims, month by month. Knows nothing of layouts or adjudication."""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from infra.simulator.claims import Line, MedicareClaim
from infra.simulator.life import part_a_and_b
from infra.simulator.person import Person
from infra.simulator.rates import Rate, amount, count, recurring, season, trend
from infra.simulator.traits import Traits
from infra.simulator.world import CLINICIAN_NPIS, FACILITY_NPIS

INPATIENT = Rate(0.0015, 0.002, 0.002, 6_500, 0.15)
HIGH_NEED_INPATIENT = Rate(0.50, 0.50, 0.50, 6_500, 0.15)
SKILLED_NURSING = Rate(0.50, 0.50, 1.00, 3_600, 0.15)  # a stay, once discharged from hospital
HOME_HEALTH = Rate(0.06, 0.16, 0.0, 900, 0.4)
OUTPATIENT = Rate(0.45, 0.50, 0.35, 330, 0.7)
HOSPICE = Rate(0.4, 0.4, 0.4, 2_600, 0.3)  # in the last two months of life
PHYSICIAN = Rate(1.0, 1.4, 1.7, 105, 0.6)  # dollars a line
EQUIPMENT = Rate(0.10, 0.18, 0.05, 140, 0.7)

OFFICE_VISITS = ("99213", "99214", "99214", "99215", "99203", "G0439")
FACILITY_VISITS = ("99308", "99309", "99310")
OTHER_SERVICES = ("36415", "93000", "80053", "71046")
EQUIPMENT_CODES = ("E1390", "E0601", "K0001", "A4253")
DENIED_SHARE = 0.012
# Stays that cost far more than others of their kind.
OUTLIER_SHARE, OUTLIER_FACTOR = 0.005, 3
# Share of physician claims whose lines reach into the next month.
STRADDLING_SHARE = 0.04


class Stay(NamedTuple):
    """An institutional service: claim type, length in days, rate."""

    claim_type: str
    shortest: int
    longest: int
    rate: Rate


def expected_acute_cents(traits: Traits) -> float:
    """Expected inpatient and skilled-nursing cents a month at the first month's prices."""
    stays = _admissions(traits) * (1 - DENIED_SHARE)
    stay_dollars = INPATIENT.mean_dollars + SKILLED_NURSING.of(traits.setting) * SKILLED_NURSING.mean_dollars
    level: float = traits.medicare_level**0.4
    return stays * stay_dollars * level * (1 + OUTLIER_SHARE * (OUTLIER_FACTOR - 1)) * 100


def _admissions(traits: Traits) -> float:
    """Hospital stays a month."""
    if traits.high_need:
        return HIGH_NEED_INPATIENT.of(traits.setting)
    level: float = traits.medicare_level**0.6
    return INPATIENT.of(traits.setting) * level


def _diagnoses(person: Person, most: int) -> tuple[str, ...]:
    codes = person.traits.diagnosis_codes
    return tuple(person.random.sample(codes, min(most, len(codes))))


def day_in(person: Person, month: int) -> date | None:
    """A day of the month on which the person lives."""
    first = person.period.first_days[month]
    day = first + timedelta(days=person.random.randrange(person.period.last_days[month].day))
    return day if day <= person.last_day else None


def _price_level(person: Person, month: int) -> float:
    return trend(month) * season(person.period.first_days[month].month)


def _claim(person: Person, claim_type: str, lines: list[Line], diagnoses: int) -> MedicareClaim:
    denied = person.random.random() < DENIED_SHARE
    if denied:
        lines = [Line(line.first, line.last, line.procedure, 0, 0) for line in lines]
    pool = CLINICIAN_NPIS if claim_type in {"71", "72"} else FACILITY_NPIS
    return MedicareClaim(
        number=person.next_claim(),
        claim_type=claim_type,
        first=min(line.first for line in lines),
        last=max(line.last for line in lines),
        diagnosis_codes=_diagnoses(person, diagnoses),
        npi=person.random.choice(pool),
        lines=lines,
        denied=denied,
    )


def institutional_claim(person: Person, stay: Stay, first: date, month: int) -> MedicareClaim:
    """One institutional claim that begins on a day; a stay ends with life."""
    random = person.random
    last = min(first + timedelta(days=random.randint(stay.shortest, stay.longest)), person.last_day)
    level = person.traits.medicare_level**0.4 * _price_level(person, month)
    cents = amount(random, stay.rate.mean_dollars * level, stay.rate.sigma)
    acute = stay.claim_type in {"60", "20"}
    if acute and random.random() < OUTLIER_SHARE:
        cents *= OUTLIER_FACTOR
    shifted = person.after_shift(cents, last, person.shift.medicare_per_million) if acute else cents
    return _claim(person, stay.claim_type, [Line(first, last, "", shifted, cents)], 2)


def _hospital_course(person: Person, month: int) -> Iterator[MedicareClaim]:
    """Hospital stays, and the skilled-nursing stay that may follow one."""
    traits = person.traits
    admissions = _admissions(traits)
    earlier = math.floor(traits.phase + admissions * month)
    for number in range(earlier, earlier + recurring(traits.phase, admissions, month)):
        day = day_in(person, month)
        if day is None:
            continue
        hospital = institutional_claim(person, Stay("60", 2, 9, INPATIENT), day, month)
        yield hospital
        skilled = recurring(traits.phase, SKILLED_NURSING.of(traits.setting), number)
        if skilled and hospital.last < person.last_day:
            yield institutional_claim(person, Stay("20", 10, 40, SKILLED_NURSING), hospital.last, month)


def _other_institutional(person: Person, month: int) -> Iterator[MedicareClaim]:
    level = person.traits.medicare_level**0.6
    for stay in (Stay("10", 10, 25, HOME_HEALTH), Stay("40", 0, 0, OUTPATIENT)):
        for _ in range(recurring(person.traits.phase, stay.rate.of(person.traits.setting) * level, month)):
            day = day_in(person, month)
            if day is not None:
                yield institutional_claim(person, stay, day, month)


def _hospice(person: Person, month: int) -> Iterator[MedicareClaim]:
    death = person.life.death
    if death is None or person.period.number(death) - month > 1:
        return
    day = day_in(person, month)
    if person.random.random() < HOSPICE.community and day is not None:
        yield institutional_claim(person, Stay("50", 5, 25, HOSPICE), day, month)


def _visit_code(person: Person, line: int) -> str:
    if line:
        return person.random.choice(OTHER_SERVICES)
    return person.random.choice(FACILITY_VISITS if person.traits.setting == "nursing_facility" else OFFICE_VISITS)


def _physician_claim(person: Person, day: date, month: int) -> MedicareClaim:
    random = person.random
    level = person.traits.medicare_level**0.4 * _price_level(person, month)
    straddles = random.random() < STRADDLING_SHARE
    lines = []
    for number in range(2 if straddles else random.choice((1, 1, 2, 3))):
        on = person.period.first_days[month + 1] if straddles and number else day
        cents = amount(random, PHYSICIAN.mean_dollars * level, PHYSICIAN.sigma)
        lines.append(Line(on, on, _visit_code(person, number), cents, cents))
    return _claim(person, "71", [line for line in lines if line.first <= person.last_day], 4)


def _professional(person: Person, month: int) -> Iterator[MedicareClaim]:
    random, level = person.random, person.traits.medicare_level**0.6
    for _ in range(count(random, PHYSICIAN.of(person.traits.setting) * level)):
        day = day_in(person, month)
        if day is not None:
            yield _physician_claim(person, day, month)
    for _ in range(count(random, EQUIPMENT.of(person.traits.setting) * level)):
        day = day_in(person, month)
        if day is not None:
            cents = amount(random, EQUIPMENT.mean_dollars * _price_level(person, month), EQUIPMENT.sigma)
            yield _claim(person, "72", [Line(day, day, random.choice(EQUIPMENT_CODES), cents, cents)], 2)


def in_fee_for_service(person: Person, month: int) -> bool:
    """Whether Medicare itself pays: both parts, and no health plan."""
    return person.life.final[month].health_plan is None and part_a_and_b(person.life, month)


def medicare_claims(person: Person, month: int) -> Iterator[MedicareClaim]:
    """The claims that begin in the month: none for members of a Medicare health plan or without both parts."""
    if not in_fee_for_service(person, month):
        return
    yield from _hospital_course(person, month)
    yield from _other_institutional(person, month)
    yield from _hospice(person, month)
    yield from _professional(person, month)
