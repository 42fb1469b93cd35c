"""One person's Medicaid claims, encounters and capitation payments, month by month. Knows nothing of layouts."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from contracts.codes import ServiceCategory
from infra.simulator.claims import FileType, Line, MedicaidClaim, MedicareClaim
from infra.simulator.life import MANAGED_CARE_PLANS
from infra.simulator.person import Person
from infra.simulator.rates import Rate, amount, count, season, trend
from infra.simulator.shift import MEDICAID_CATEGORIES
from infra.simulator.traits import SUBSTANCE_USE, Traits
from infra.simulator.world import CLINICIAN_NPIS, FACILITY_NPIS, Channel

NURSING_FACILITY = Rate(0.0, 0.0, 1.0, 4_600, 0.06)
PERSONAL_CARE = Rate(0.0, 1.0, 0.0, 2_200, 0.15)
LONG_TERM_CARE = {
    ServiceCategory.NURSING_FACILITY: NURSING_FACILITY,
    ServiceCategory.HOME_AND_COMMUNITY: PERSONAL_CARE,
}
BEHAVIOURAL = Rate(0.02, 0.02, 0.02, 160, 0.6)
CAPITATION_DOLLARS = {"community": 352, "home_and_community": 1_815, "nursing_facility": 4_470}
DENIED_SHARE = 0.015
ZERO_PAID_ENCOUNTERS = 0.02
HEADER_ONLY_SHARE = 0.07


class Service(NamedTuple):
    """A kind of Medicaid service: file, types of service, procedure codes, whether plans pay it, rate."""

    file_type: FileType
    types_of_service: tuple[str, ...]
    procedures: tuple[str, ...]
    by_plan: bool
    rate: Rate


SERVICES: tuple[Service, ...] = (
    Service("OT", ("016", "017", "018"), ("G0299", "G0300", "G0156"), True, Rate(0.02, 0.10, 0.0, 420, 0.5)),
    Service("OT", ("056",), ("A0130", "T2003"), True, Rate(0.25, 0.50, 0.10, 48, 0.5)),
    Service("OT", ("029",), ("D0120", "D1110"), False, Rate(0.06, 0.05, 0.03, 140, 0.7)),
    Service("OT", ("012",), ("99213", "92014"), True, Rate(0.08, 0.08, 0.04, 75, 0.5)),
    Service("OT", ("002",), ("99283", "T1015"), True, Rate(0.06, 0.06, 0.02, 160, 0.7)),
    Service("RX", ("033",), ("",), True, Rate(0.60, 0.90, 0.40, 55, 1.0)),
    Service("IP", ("001",), ("",), False, Rate(0.003, 0.004, 0.003, 2_800, 0.4)),
)
CROSSOVER_TYPES_OF_SERVICE: dict[str, tuple[FileType, str]] = {
    "71": ("OT", "012"),
    "40": ("OT", "002"),
    "60": ("IP", "001"),
    "20": ("LT", "047"),
}
# Dual statuses for which Medicaid pays Medicare's cost sharing (Social Security Act 1905(p)(3); 08: state plan).
COST_SHARING_CODES = frozenset({"01", "02", "04", "08"})


def expected_long_term_care_cents(traits: Traits, channel: Channel = "both") -> float:
    """Expected cents a month of the channel's long-term care at the first month's prices."""
    dollars = sum(
        LONG_TERM_CARE[category].of(traits.setting) * LONG_TERM_CARE[category].mean_dollars
        for category in MEDICAID_CATEGORIES[channel]
    )
    level: float = traits.medicaid_level**0.4
    return dollars * level * (1 - DENIED_SHARE) * 100


def _price_level(person: Person, month: int) -> float:
    return trend(month) * (0.6 + 0.4 * season(person.period.first_days[month].month))


def _make(person: Person, plan: str, file_type: FileType, lines: list[Line], *, by_plan: bool) -> MedicaidClaim:
    random = person.random
    managed = by_plan and plan in MANAGED_CARE_PLANS
    long_term = file_type == "LT" or lines[0].waiver
    denied = random.random() < DENIED_SHARE
    # What a plan pays by the month is in its capitation to the provider, and never nothing.
    unpaid = denied or (managed and not long_term and random.random() < ZERO_PAID_ENCOUNTERS)
    if unpaid:
        lines = [Line(line.first, line.last, line.procedure, 0, 0, line.type_of_service, line.waiver) for line in lines]
    codes = person.traits.diagnosis_codes
    return MedicaidClaim(
        number=person.next_claim(),
        file_type=file_type,
        claim_type="3" if managed else "1",
        plan=plan if managed else "",
        first=min(line.first for line in lines),
        last=max(line.last for line in lines),
        diagnosis_codes=tuple(random.sample(codes, min(3, len(codes)))),
        npi=random.choice(FACILITY_NPIS if file_type in {"IP", "LT"} else CLINICIAN_NPIS),
        lines=lines,
        denied=denied,
        lines_carry_amounts=random.random() >= HEADER_ONLY_SHARE,
    )


def _nursing_facility(person: Person, plan: str, month: int) -> Iterator[MedicaidClaim]:
    if person.traits.setting != "nursing_facility":
        return
    first = person.period.first_days[month]
    last = min(person.period.last_days[month], person.last_day)
    dollars = NURSING_FACILITY.mean_dollars * person.traits.medicaid_level**0.4 * _price_level(person, month)
    cents = amount(person.random, dollars, NURSING_FACILITY.sigma)
    shifted = person.after_shift(cents, last, person.shift.medicaid_factor(ServiceCategory.NURSING_FACILITY))
    yield _make(person, plan, "LT", [Line(first, last, "", shifted, cents, "047")], by_plan=True)


def _care_line(person: Person, start: date, cents: int, counted: date | None) -> Line:
    """One week; the shift is that of the month in which the amount counts: the header's where only it has one."""
    last = min(start + timedelta(days=6), person.last_day)
    shifted = person.after_shift(
        cents, counted or last, person.shift.medicaid_factor(ServiceCategory.HOME_AND_COMMUNITY)
    )
    return Line(start, last, "T1019", shifted, cents, "051", waiver=True)


def _personal_care(person: Person, plan: str, month: int) -> Iterator[MedicaidClaim]:
    """Four weeks of care on one claim; the last weeks may reach into the next month."""
    if person.traits.setting != "home_and_community":
        return
    random = person.random
    dollars = PERSONAL_CARE.mean_dollars * person.traits.medicaid_level**0.4 * _price_level(person, month)
    cents = amount(random, dollars, PERSONAL_CARE.sigma)
    start = person.period.first_days[month] + timedelta(days=random.choice((0, 0, 0, 5)))
    starts = [day for week in range(4) if (day := start + timedelta(days=7 * week)) <= person.last_day]
    if not starts:
        return
    header_only = random.random() < HEADER_ONLY_SHARE
    counted = min(starts[-1] + timedelta(days=6), person.last_day) if header_only else None
    claim = _make(person, plan, "OT", [_care_line(person, day, cents // 4, counted) for day in starts], by_plan=True)
    claim.lines_carry_amounts = not header_only
    yield claim


def _day(person: Person, month: int) -> date | None:
    day = person.period.first_days[month] + timedelta(days=person.random.randrange(person.period.last_days[month].day))
    return day if day <= person.last_day else None


def _service_lines(person: Person, service: Service, day: date, month: int) -> list[Line]:
    random = person.random
    dollars = service.rate.mean_dollars * person.traits.medicaid_level**0.3 * _price_level(person, month)
    lines = []
    for _ in range(random.choice((1, 1, 1, 2))):
        cents = amount(random, dollars, service.rate.sigma)
        kind = random.choice(service.types_of_service)
        lines.append(Line(day, day, random.choice(service.procedures), cents, cents, kind))
    # A home-health visit billed together with the ride to it: two categories on one claim.
    if service.types_of_service[0] == "016" and random.random() < 0.2:  # noqa: PLR2004
        lines.append(Line(day, day, "A0130", 2_500, 2_500, "056"))
    return lines


def _services(person: Person, plan: str, month: int) -> Iterator[MedicaidClaim]:
    for service in SERVICES:
        for _ in range(count(person.random, service.rate.of(person.traits.setting))):
            day = _day(person, month)
            if day is not None:
                lines = _service_lines(person, service, day, month)
                yield _make(person, plan, service.file_type, lines, by_plan=service.by_plan)


def _behavioural_health(person: Person, plan: str, month: int) -> Iterator[MedicaidClaim]:
    traits = person.traits
    rate = BEHAVIOURAL.of(traits.setting) + 0.7 * traits.behavioural + 0.5 * traits.substance_use
    for _ in range(count(person.random, rate)):
        day = _day(person, month)
        if day is None:
            continue
        cents = amount(person.random, BEHAVIOURAL.mean_dollars * _price_level(person, month), BEHAVIOURAL.sigma)
        claim = _make(person, plan, "OT", [Line(day, day, "H2017", cents, cents, "053")], by_plan=False)
        if traits.substance_use:
            claim.diagnosis_codes = (person.random.choice(SUBSTANCE_USE), *claim.diagnosis_codes)
        yield claim


def medicaid_claims(person: Person, month: int) -> Iterator[MedicaidClaim]:
    """Services of the month, paid by the plan or fee-for-service; partial benefits cover none of them."""
    enrolment = person.life.final[month]
    if not enrolment.full or enrolment.plan is None:
        return
    for make in (_nursing_facility, _personal_care, _services, _behavioural_health):
        yield from make(person, enrolment.plan, month)


def crossover_claim(person: Person, medicare: MedicareClaim) -> MedicaidClaim | None:
    """Medicare's cost sharing of a claim, paid by the state as the lesser of it and the Medicaid rate's room."""
    month = person.period.number(medicare.last)
    where = CROSSOVER_TYPES_OF_SERVICE.get(medicare.claim_type)
    draw, share = person.random.random(), person.random.choice((0, 30, 60, 100, 100))
    if where is None or medicare.denied or person.life.final[month].dual not in COST_SHARING_CODES or draw < 0.15:  # noqa: PLR2004
        return None
    paid = sum(line.unshifted_cents for line in medicare.lines)
    deductible = 0 if medicare.claim_type in {"71", "20"} else min(paid // 10, 155_600)
    coinsurance = paid // 4 if medicare.claim_type in {"71", "40"} else paid // 20
    cents = (deductible + coinsurance) * share // 100
    file_type, kind = where
    line = Line(medicare.first, medicare.last, medicare.lines[0].procedure, cents, cents, kind)
    return MedicaidClaim(
        number=person.next_claim(),
        file_type=file_type,
        claim_type="1",
        plan="",
        first=medicare.first,
        last=medicare.last,
        diagnosis_codes=medicare.diagnosis_codes[:3],
        npi=medicare.npi,
        lines=[line],
        crossover=True,
        medicare_paid_cents=paid,
        deductible_cents=deductible,
        coinsurance_cents=coinsurance,
    )


def capitation_payment(person: Person, plan: str, month: int) -> MedicaidClaim:
    """The plan's payment for one member and month, at the rate cell of the member's setting."""
    first, last = person.period.first_days[month], person.period.last_days[month]
    cents = CAPITATION_DOLLARS[person.traits.setting] * 100 + 100 * MANAGED_CARE_PLANS.index(plan)
    kind = "119" if person.traits.setting != "community" else "122"
    return MedicaidClaim(
        number=person.next_claim(),
        file_type="OT",
        claim_type="2",
        plan=plan,
        first=first,
        last=last,
        diagnosis_codes=(),
        npi="",
        lines=[Line(first, last, "", cents, cents, kind)],
    )
