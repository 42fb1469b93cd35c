"""Histories of simulated people, through the same facts and rules that score and count real ones.

Claims take no way through files here: that they mean the same by every way is what other tests hold.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from contracts.claims import (
    Adjustment,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.codes import BenefitLevel, benefit_level
from contracts.months import first_day
from infra.command.risk_training.history import HORIZON_DAYS, History, Planted, age_group
from infra.simulator.adjudication import adjudicate_medicare
from infra.simulator.claim_facts import (
    BILL_TYPES,
    control_number,
    discharge_status,
    facility_number,
    listed_diagnoses,
    record_number,
    specialty,
)
from infra.simulator.claims import MedicareClaim as SimulatedClaim
from infra.simulator.claims import Version, scaled
from infra.simulator.fills import fills_of
from infra.simulator.life import alive, part_a_and_b
from infra.simulator.medicare import in_fee_for_service, medicare_claims
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.shift import ShiftPlan
from infra.simulator.signs import show_signs
from infra.simulator.unplanned import unplanned_claims
from services.risk.fact_rows import claim_records, product_of
from services.risk.facts import ClaimRecord, PersonFacts, Statement
from services.risk.risk_policy import RiskPolicy, risk_policy
from services.risk.rules.claim_marks import Mark
from services.risk.rules.person_use import UseRecord, use_of
from services.risk.rules.predictors import Candidate
from services.risk.rules.scoring_input import scoring_inputs
from services.risk.score_history import scores_of
from services.risk.use_reading import DRUG_DAYS

_FIRST_MONTH: Final = "2021-01"
_MONTHS: Final = 20
_RUN_OUT: Final = 3
_INDEX_MONTH, _LAST_FOLLOWED = 11, 17
_NO_SHIFT: Final = ShiftPlan("none", 0, 0, 0)
_KINDS: Final = {"0": Adjustment.ORIGINAL, "1": Adjustment.CANCELLATION, "2": Adjustment.ADJUSTMENT}
_KNOWN_ON: Final = datetime(2023, 1, 1, tzinfo=UTC)
_PERSON: Final = "p" + "0" * 32
_DELIVERY: Final = "d" + "0" * 32
# BENE_RACE_CD of CCLF8.
_RACES: Final = {"1": "white", "2": "black", "3": "other", "4": "asian", "5": "hispanic", "6": "north american native"}


class Rows(NamedTuple):
    """A person's claims as the service keeps them, for scoring and for counting."""

    claims: tuple[ClaimRecord, ...]
    use: tuple[UseRecord, ...]


def _revenue_lines(claim: SimulatedClaim) -> tuple[MedicareClaimLine, ...]:
    if not claim.revenue_center:
        return ()
    line = claim.lines[0]
    return (
        MedicareClaimLine(
            line_number=1,
            service_from=line.first,
            service_through=line.last,
            procedure_code=line.procedure or None,
            revenue_center_code=claim.revenue_center,
            denied=False,
        ),
    )


def _lines(claim: SimulatedClaim, version: Version) -> tuple[MedicareClaimLine, ...]:
    if claim.part_a:
        return _revenue_lines(claim)
    return tuple(
        MedicareClaimLine(
            line_number=number,
            service_from=line.first,
            service_through=line.last,
            procedure_code=line.procedure,
            provider_specialty_code=specialty(claim),
            paid_cents=scaled(line.cents, version.permille),
            denied=claim.denied,
        )
        for number, line in enumerate(claim.lines, 1)
    )


def _record(person: Person, claim: SimulatedClaim, version: Version) -> MedicareClaim:
    bill = BILL_TYPES.get(claim.claim_type, (None, None))
    more: dict[str, Any] = {}
    if claim.part_a:
        more = {"facility_number": facility_number(claim), "discharge_status_code": discharge_status(person, claim)}
    return MedicareClaim(
        record_id=record_number(person, version),
        version=int(f"{person.period.first_days[version.delivery]:%Y%m%d}") * 10**8,
        claim_type_code=claim.claim_type,
        adjustment=_KINDS[version.kind],
        claim_control_number=control_number(person, claim),
        service_from=claim.first,
        service_through=claim.last,
        paid_cents=scaled(claim.lines[0].cents, version.permille),
        facility_type_code=bill[0],
        classification_code=bill[1],
        denied=claim.denied,
        diagnosis_codes=claim.diagnosis_codes if claim.part_a else listed_diagnoses(claim),
        lines=_lines(claim, version),
        **more,
    )


def _delivered(records: list[MedicareClaim]) -> Iterator[MedicareClaimsDelivered]:
    for start in range(0, len(records), 250):
        data = MedicareClaimsDeliveredData(person_id=_PERSON, state="OH", claims=tuple(records[start : start + 250]))
        yield MedicareClaimsDelivered.of(
            service="intake", key=_PERSON, version="1", time=_KNOWN_ON, delivery_id=_DELIVERY, sequence=1, data=data
        )


def rows_of(records: list[MedicareClaim], policy: RiskPolicy) -> Rows:
    """Give what the service would keep of claims."""
    claims, use = [], []
    for event in _delivered(records):
        for row in claim_records(event, policy):
            (_, name, version, sequence, state, key, cancellation, _, first, last, counting, ignored, reason) = row[:13]
            cents, marks, frailty = row[14], Mark(row[15]), row[16]
            codes = (tuple(counting.split("|")) if counting else (), tuple(ignored.split("|")) if ignored else ())
            claims.append(ClaimRecord(sequence, state, name, version, key, cancellation, first, last, *codes, reason))
            use.append(UseRecord(sequence, name, version, key, cancellation, first, last, cents, marks, frailty))
    return Rows(tuple(claims), tuple(use))


def _claims(person: Person) -> list[MedicareClaim]:
    last = min(person.period.last_service, person.period.number(person.last_day))
    made = [claim for month in range(person.life.entry, last + 1) for claim in medicare_claims(person, month)]
    show_signs(person, made)
    for claim in made:
        adjudicate_medicare(person, claim)
    made += unplanned_claims(person)[0]
    return [_record(person, claim, version) for claim in made for version in claim.versions]


def _statement(person: Person, day: date) -> Statement:
    traits, month = person.traits, f"{day:%Y-%m}"
    return Statement(
        1, "OH", "medicare", day, traits.birth, traits.sex, traits.original_entitlement,
        part_b_began=traits.part_b_began, first_month=month, last_month=month,
        dual_status_code=person.life.final[_INDEX_MONTH].dual or "NA",
        medicare_status_code="11" if traits.renal_failure else "10",
    )  # fmt: skip


def _is_observed(person: Person, day: date) -> bool:
    """Whether the person is alive on the day, in Medicare and not in a health plan: claims tell of nobody else."""
    life = person.life
    return (
        life.entry == 0
        and person.last_day > day
        and life.final[_INDEX_MONTH].health_plan is None
        and part_a_and_b(life, _INDEX_MONTH)
    )


def _groups(person: Person, age: int) -> dict[str, str]:
    full = benefit_level(person.life.final[_INDEX_MONTH].dual) is BenefitLevel.FULL
    return {
        "age": age_group(age),
        "sex": "women" if person.traits.sex == "2" else "men",
        "race": _RACES.get(person.traits.race, "unknown"),
        "dual status": "full benefits" if full else "partial or none",
        "residence": person.traits.setting.replace("_", " "),
    }


def _drug_products(person: Person, day: date) -> int:
    """Different products filled in the days before, as the service counts them."""
    filled = (one for one in fills_of(person) if 0 <= (day - one.filled_on).days < DRUG_DAYS)
    return len({product_of(one.drug) for one in filled})


def _planted(person: Person) -> Planted | None:
    prospects, life = person.prospects, person.life
    if prospects is None:
        return None
    months = [month for month in range(_INDEX_MONTH + 1, _LAST_FOLLOWED + 1) if in_fee_for_service(person, month)]
    months = [month for month in months if alive(life, month, person.period)]
    return Planted(prospects.probability(months), prospects.foreseeable(_INDEX_MONTH, months))


def history_of(person: Person, policy: RiskPolicy) -> History | None:
    """Give one person's history; ``None`` where claims cannot tell of the person."""
    day = person.period.last_days[_INDEX_MONTH]
    if not _is_observed(person, day):
        return None
    rows = rows_of(_claims(person), policy)
    facts = PersonFacts((_statement(person, first_day(f"{day.year + 1}-01")),), rows.claims)
    scored = next(one for one in scoring_inputs(facts, policy) if one.payment_year == day.year + 1)
    score = next(one.score for one in scores_of(scored, policy) if one.score.model == "V28")
    age = scored.demographics.age if scored.demographics is not None else 0
    setting = person.traits.setting
    use = use_of(
        rows.use,
        day,
        nursing_facility=setting == "nursing_facility",
        community_services=setting == "home_and_community",
        drug_products=_drug_products(person, day),
    )
    until = day + timedelta(days=HORIZON_DAYS)
    followed = use_of([one for one in rows.use if one.service_from > day], until).avoidable_year > 0
    categories = frozenset(category.number for category in score.categories)
    candidate = Candidate(age, float(score.raw_score), categories, use)
    return History(candidate, followed, _groups(person, age), _planted(person))


def simulated_histories(seed: int, people: int) -> Iterator[History]:
    """Invent people, a year of whose claims is known, and look at the half year after."""
    period, policy = Period(_FIRST_MONTH, _MONTHS, _RUN_OUT), risk_policy()
    for index in range(people):
        found = history_of(draw_person(seed, index, period, _NO_SHIFT), policy)
        if found is not None:
            yield found
