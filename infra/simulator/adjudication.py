"""When claims are paid, cancelled, adjusted, replaced and voided, and so in which month's files they arrive.

Every version of a Medicaid claim arrives in a later month than the one before it. A Medicare cancellation and
the adjustment that belongs to it may arrive in different months, either first (CCLF Information Packet v36.0, 5.3).
"""

from random import Random

from infra.simulator.claims import MedicaidClaim, MedicareClaim, Version
from infra.simulator.life import MANAGED_CARE_PLANS
from infra.simulator.medicaid import capitation_payment
from infra.simulator.person import Person

LAGS = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4)
ADJUSTED_SHARE, CANCELLED_SHARE = 0.06, 0.01
REPLACED_SHARE, VOIDED_SHARE = 0.05, 0.012


def _arrival(random: Random, person: Person, service_month: int) -> int:
    return min(service_month + 1 + random.choice(LAGS), person.period.last_delivery)


def adjudicate_medicare(person: Person, claim: MedicareClaim) -> None:
    """Give the claim its records: an original; perhaps its cancellation; perhaps an adjustment."""
    random, last = person.random, person.period.last_delivery
    arrival = _arrival(random, person, person.period.number(claim.last))
    claim.versions.append(Version("0", arrival, person.next_record()))
    draw, wait, gap = random.random(), random.randint(1, 3), random.choice((-1, 0, 0, 0, 1))
    permille = random.choice((700, 850, 950, 1050, 1200))
    if draw >= ADJUSTED_SHARE + CANCELLED_SHARE or arrival + wait > last or claim.denied:
        return
    cancelled = arrival + wait
    claim.versions.append(Version("1", cancelled, person.next_record()))
    if draw < ADJUSTED_SHARE:
        adjusted = min(last, max(arrival + 1, cancelled + gap))
        claim.versions.append(Version("2", adjusted, person.next_record(), permille))


def adjudicate_medicaid(person: Person, claim: MedicaidClaim) -> None:
    """Give the claim its adjudications: an original; perhaps a replacement; perhaps a void."""
    random, last = person.random, person.period.last_delivery
    arrival = _arrival(random, person, person.period.number(claim.last))
    claim.versions.append(Version("0", arrival, person.next_record()))
    draw, first_wait, second_wait = random.random(), random.randint(1, 3), random.randint(1, 2)
    permille = random.choice((600, 900, 1100, 1250))
    replaced, voided = draw < REPLACED_SHARE, REPLACED_SHARE - 0.01 < draw < REPLACED_SHARE + VOIDED_SHARE
    if replaced and arrival + first_wait <= last:
        arrival += first_wait
        claim.versions.append(Version("4", arrival, person.next_record(), permille))
    if voided and arrival + second_wait <= last:
        standing = claim.versions[-1].permille
        claim.versions.append(Version("1", arrival + second_wait, person.next_record(), standing))


def _payee(person: Person, month: int, delivery: int) -> str | None:
    """The plan that is owed the month's capitation, as known when the files of ``delivery`` are made."""
    life = person.life
    dead = life.death is not None and month > person.period.number(life.death) and delivery >= life.last_stated
    plan = life.as_known(month, delivery).plan
    return plan if plan in MANAGED_CARE_PLANS and not dead else None


def capitation(person: Person, month: int) -> list[MedicaidClaim]:
    """Capitation for one month: paid as enrolment was known then, voided and paid again as news arrives."""
    payments: list[MedicaidClaim] = []
    standing: str | None = None
    for delivery in range(month, person.life.last_stated + 1):
        payee = _payee(person, month, delivery)
        if payee == standing:
            continue
        if standing is not None:
            payments[-1].versions.append(Version("1", delivery, person.next_record()))
        if payee is not None:
            payments.append(capitation_payment(person, payee, month))
            payments[-1].versions.append(Version("0", delivery, person.next_record()))
        standing = payee
    return payments
