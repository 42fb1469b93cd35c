"""Invents the people one after the other, spools what each source would say of them, and writes the files."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contracts.codes import Payer
from contracts.months import month_index
from infra.simulator import cclf, enrolment, reports, tmsis, x12_encounters
from infra.simulator.adjudication import adjudicate_medicaid, adjudicate_medicare, capitation
from infra.simulator.arrivals import arrivals
from infra.simulator.calibration import plan_shift
from infra.simulator.care_gaps import Planter
from infra.simulator.cclf_parts import drug_record, revenue_record
from infra.simulator.claims import MedicaidClaim, MedicareClaim
from infra.simulator.deliveries import GENERATIONS, Delivery, DeliveryWriter
from infra.simulator.eligibility import Eligibility, spool_eligibility
from infra.simulator.fhir import spool_fhir
from infra.simulator.fills import fills_of
from infra.simulator.lists import List, spool_lists
from infra.simulator.medicaid import crossover_claim, medicaid_claims
from infra.simulator.medicare import medicare_claims
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.shift import ShiftPlan
from infra.simulator.signs import show_signs
from infra.simulator.spool import Spool
from infra.simulator.truth import Truth
from infra.simulator.unplanned import unplanned_claims
from infra.simulator.world import (
    COMPARISON_FEED,
    COUNTIES,
    ENCOUNTER_FEED,
    ENTITY,
    OUR_PLAN,
    SERVICE_AREA,
    STATE,
    Channel,
    Feed,
    Shift,
)

DEFAULT_SHIFT_MEDICARE_PBPM_CENTS = 45_000
DEFAULT_SHIFT_MEDICAID_PBPM_CENTS = 36_000
RUN_OUT_MONTHS = 3
PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was made. ``claims`` counts distinct Medicare records and Medicaid adjudications."""

    directory: Path
    deliveries: tuple[Delivery, ...]
    people: int
    claims: int
    medicare_cents: int
    medicaid_cents: int
    capitation_cents: int


def claims_of(person: Person, planter: Planter | None = None) -> tuple[list[MedicareClaim], list[MedicaidClaim]]:
    """All of a person's claims, adjudicated; with a planter, as care and its gaps are planted."""
    life, period = person.life, person.period
    last = min(period.last_service, period.number(person.last_day))
    medicare = [claim for month in range(life.entry, last + 1) for claim in medicare_claims(person, month)]
    medicaid = [claim for month in range(life.entry, last + 1) for claim in medicaid_claims(person, month)]
    show_signs(person, medicare)
    if planter is not None:
        medicare = planter.plant(medicare, medicaid)
    medicaid += [crossover for claim in medicare if (crossover := crossover_claim(person, claim)) is not None]
    for claim in medicare:
        adjudicate_medicare(person, claim)
    for service in medicaid:
        adjudicate_medicaid(person, service)
    for month in range(life.entry, min(life.last_stated, period.last_service) + 1):
        medicaid += capitation(person, month)
    more_medicare, more_medicaid = unplanned_claims(person, series=planter is None)
    return medicare + more_medicare, medicaid + more_medicaid


def _medicare_records(person: Person, claims: list[MedicareClaim]) -> list[list[tuple[cclf.ClaimFile, str]]]:
    """Records by the month in which they arrive."""
    by_month: list[list[tuple[cclf.ClaimFile, str]]] = [[] for _ in range(person.period.last_delivery + 1)]
    for claim in claims:
        for version in claim.versions:
            by_month[version.delivery].append(cclf.claim_record(person, claim, version))
            if claim.revenue_center:
                by_month[version.delivery].append(("CCLF2", revenue_record(person, claim, version)))
    for fill in fills_of(person):
        by_month[fill.delivery].append(("CCLF7", drug_record(person, fill)))
    return by_month


def _spool_cclf(spool: Spool, person: Person, claims: list[MedicareClaim]) -> None:
    for (month, feed, entered), records in arrivals(person, _medicare_records(person, claims)):
        for file, text in records:
            spool.append(("cclf", feed, file, month), text, text.count("\n"))
        if month <= person.life.last_stated:
            spool.append(("cclf", feed, "CCLF8", month), cclf.demographics(person, month))
            changes = cclf.cross_references(person, month, all_earlier=entered)
            if changes:
                spool.append(("cclf", feed, "CCLF9", month), changes, changes.count("\n"))


def _spool_tmsis(spool: Spool, person: Person, claims: list[MedicaidClaim]) -> None:
    for claim in claims:
        for version in claim.versions:
            key = ("tmsis", claim.file_type)
            spool.append((*key, "HEADER", version.delivery), tmsis.claim_header(person, claim, version))
            lines = tmsis.claim_lines(person, claim, version)
            spool.append((*key, "LINE", version.delivery), lines, len(claim.lines))


def _spool_enrolment(spool: Spool, person: Person) -> None:
    for month in range(person.life.entry, person.life.last_stated + 1):
        for member in enrolment.members(person, month):
            spool.append(("834", member.plan, member.kind, month), member.text)
            spool.append(("834-segments", member.plan, member.kind, month), "", member.segments)
        for row in reports.alignment_rows(person, month):
            spool.append(("alignment", month), row)


def _counted(drawn: Iterator[Person], people: int, on_progress: Callable[[int, int], None] | None) -> Iterator[Person]:
    for done, person in enumerate(drawn, 1):
        yield person
        if on_progress is not None and (done % PROGRESS_EVERY == 0 or done == people):
            on_progress(done, people)


def _truth_document(
    truth: Truth, parameters: dict[str, Any], shift: ShiftPlan, deliveries: list[Delivery], period: Period
) -> dict[str, Any]:
    return {
        "parameters": parameters,
        **({"care": truth.care()} if truth.care() else {}),
        "prospects": truth.prospects(),
        "measures": truth.measures(),
        "person_months": truth.person_months(),
        "alignment": truth.alignment(),
        "planted": {
            "direction": shift.direction,
            "month": period.texts[shift.month] if shift.direction != "none" else None,
            "channel": shift.channel if shift.direction != "none" else None,
            "categories": shift.categories(),
            "medicare_pbpm_cents": shift.medicare_pbpm_cents,
            "medicaid_pbpm_cents": shift.medicaid_pbpm_cents,
            **truth.planted(),
        },
        "deliveries": [asdict(delivery) for delivery in deliveries],
        "totals": {
            "people": parameters["people"],
            "claims": truth.medicare_records + truth.medicaid_versions,
            "medicare_records": truth.medicare_records,
            "medicaid_versions": truth.medicaid_versions,
            "medicaid_claims": truth.medicaid_claims,
            "medicare_cents": truth.cents(Payer.MEDICARE),
            "medicaid_cents": truth.cents(Payer.MEDICAID),
            "capitation_cents": truth.cents(Payer.MEDICAID, capitation=True),
        },
    }


def _spool_medicare(spool: Spool, person: Person, claims: list[MedicareClaim], feeds: Sequence[Feed]) -> None:
    for feed in feeds:
        if feed == "cclf":
            _spool_cclf(spool, person, claims)
        elif feed != ENCOUNTER_FEED:
            spool_fhir(spool, person, claims, GENERATIONS[feed])


def _spool_encounters(spool: Spool, person: Person, claims: list[MedicaidClaim]) -> None:
    for claim in claims:
        guide = x12_encounters.guide_of(claim)
        for version in claim.versions if guide else ():
            text = x12_encounters.encounter_text(person, claim, version)
            spool.append(("837", claim.plan, guide, version.delivery), text)


def _check(directory: Path, people: int, period: Period, shift_month: int, feeds: Sequence[Feed]) -> None:
    """Refuse what would give no well-defined truth."""
    if people < 1 or period.months < 1 or period.run_out < RUN_OUT_MONTHS:
        raise ValueError(f"at least one person, one month and {RUN_OUT_MONTHS} run-out months are needed")
    if not 0 <= shift_month < period.months:
        raise ValueError("the shift must begin within the service months")
    if not set(feeds) - {ENCOUNTER_FEED} or len(set(feeds)) != len(feeds):
        raise ValueError("at least one feed of Medicare's claims is needed, and each only once")
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")


def simulate(  # noqa: PLR0913 - each argument is a choice of whoever plants the truth
    directory: Path,
    *,
    people: int,
    months: int,
    seed: int,
    shift: Shift = "none",
    first_month: str = "2022-01",
    shift_month: str | None = None,
    shift_medicare_pbpm_cents: int = DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
    shift_medicaid_pbpm_cents: int = DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    shift_channel: Channel = "both",
    run_out_months: int = RUN_OUT_MONTHS,
    feeds: Sequence[Feed] = ("cclf",),
    lists: Sequence[List] = (),
    eligibility: Sequence[Eligibility] = (),
    care: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Write ``directory/deliveries`` and ``directory/truth.json``. The same arguments give the same bytes.

    The shift begins halfway through the service months unless ``shift_month`` says otherwise; ``shift_channel``
    says which of Medicaid's long-term care is on the other side of Medicare's hospital stays; ``feeds`` says in
    which layouts Medicare's claims and people are delivered, the same in each, and whether plans' encounters come as
    837 beside the T-MSIS files; ``lists`` says which lists of CMS come besides the monthly report, and
    ``eligibility`` in which files Medicaid's enrolment is told besides the 834. ``state-care`` among them
    tells of care arrangements, so people are in some, which they are not otherwise. ``care`` gives everybody the care that is due,
    but for planted gaps, which the truth tells under ``care``. ``on_progress`` is called with people done and people in all. Raises :class:`ValueError` for impossible arguments and
    :class:`FileExistsError` for a directory that holds something.
    """
    period = Period(first_month, months, run_out_months)
    begins = months // 2 if shift_month is None else month_index(shift_month) - month_index(first_month)
    _check(directory, people, period, begins, feeds)
    sizes = {"medicare": shift_medicare_pbpm_cents, "medicaid": shift_medicaid_pbpm_cents}
    plan = plan_shift(seed, period, direction=shift, month=begins, channel=shift_channel, **sizes)
    spool, truth = Spool(directory / "spool"), Truth(period)
    arranged = "state-care" in eligibility
    drawn = (draw_person(seed, index, period, plan, arrangements=arranged) for index in range(people))
    for person in _counted(drawn, people, on_progress):
        planter = Planter(person, seed) if care else None
        medicare, medicaid = claims_of(person, planter)
        if planter is not None:
            truth.add_care(person, planter.care.document())
        _spool_enrolment(spool, person)
        _spool_medicare(spool, person, medicare, feeds)
        _spool_tmsis(spool, person, medicaid)
        if ENCOUNTER_FEED in feeds:
            _spool_encounters(spool, person, medicaid)
        spool_lists(spool, person, lists)
        spool_eligibility(spool, person, eligibility)
        truth.add_person(person, medicare, medicaid)
    writer = DeliveryWriter(directory / "deliveries", period, spool, seed, feeds)
    writer.lists = lists
    writer.eligibility = eligibility
    for month in range(period.last_delivery + 1):
        writer.write_month(month)
    spool.close()
    parameters = {
        "people": people,
        "months": months,
        "run_out_months": run_out_months,
        "seed": seed,
        "first_month": first_month,
        "last_month": period.texts[period.last_service],
        "shift": shift,
        "state": STATE,
        "entity": ENTITY,
        "comparison_feed": COMPARISON_FEED,
        "plan": OUR_PLAN,
        "counties": list(COUNTIES),
        "service_area": list(SERVICE_AREA),
    }
    document = _truth_document(truth, parameters, plan, writer.written, period)
    (directory / "truth.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return Simulation(
        directory=directory,
        deliveries=tuple(writer.written),
        people=people,
        claims=truth.medicare_records + truth.medicaid_versions,
        medicare_cents=truth.cents(Payer.MEDICARE),
        medicaid_cents=truth.cents(Payer.MEDICAID),
        capitation_cents=truth.cents(Payer.MEDICAID, capitation=True),
    )
