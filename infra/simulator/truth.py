"""What is true by construction: final-action cents and claims, person-months, alignment, the planted effect.

Computed from the invented people and claims, never from the files written for them and never by code of a service.
"""

from typing import Any

from contracts.codes import DUAL_BENEFIT_LEVEL, BenefitLevel, Cohort, Payer, ServiceCategory
from infra.simulator.claims import Line, MedicaidClaim, MedicareClaim, scaled
from infra.simulator.life import alive, part_a_and_b
from infra.simulator.period import Period
from infra.simulator.person import Person

MEDICARE_CATEGORIES: dict[str, ServiceCategory] = {
    "60": ServiceCategory.INPATIENT,
    "40": ServiceCategory.OUTPATIENT,
    "20": ServiceCategory.SKILLED_NURSING_FACILITY,
    "10": ServiceCategory.HOME_HEALTH,
    "50": ServiceCategory.HOSPICE,
    "71": ServiceCategory.PHYSICIAN,
    "72": ServiceCategory.DURABLE_MEDICAL_EQUIPMENT,
}
MEDICAID_FILE_CATEGORIES: dict[str, ServiceCategory] = {
    "LT": ServiceCategory.NURSING_FACILITY,
    "IP": ServiceCategory.INPATIENT,
    "RX": ServiceCategory.DRUGS,
}
TYPE_OF_SERVICE_CATEGORIES: dict[str, ServiceCategory] = {
    "002": ServiceCategory.OUTPATIENT,
    "012": ServiceCategory.PHYSICIAN,
    "016": ServiceCategory.HOME_HEALTH,
    "017": ServiceCategory.HOME_HEALTH,
    "018": ServiceCategory.HOME_HEALTH,
    "051": ServiceCategory.HOME_AND_COMMUNITY,
    "053": ServiceCategory.BEHAVIOURAL_HEALTH,
    "056": ServiceCategory.OTHER,
    "029": ServiceCategory.OTHER,
}


def cohort_of(person: Person, month: int) -> Cohort:
    """Aligned by CMS's last report; else comparison if every predicate passes; else excluded."""
    life = person.life
    if person.aligned[month]:
        return Cohort.ALIGNED
    enrolment = life.final[month]
    passes = (
        enrolment.dual is not None
        and DUAL_BENEFIT_LEVEL[enrolment.dual] is BenefitLevel.FULL
        and enrolment.health_plan is None
        and part_a_and_b(life, month)
        and alive(life, month, person.period)
    )
    return Cohort.COMPARISON if passes else Cohort.EXCLUDED


def medicaid_category(claim: MedicaidClaim, line: Line) -> ServiceCategory:
    """Capitation by claim type, then the file, then waiver flag and type of service of the line."""
    if claim.claim_type == "2":
        return ServiceCategory.CAPITATION
    if claim.file_type != "OT":
        return MEDICAID_FILE_CATEGORIES[claim.file_type]
    return ServiceCategory.HOME_AND_COMMUNITY if line.waiver else TYPE_OF_SERVICE_CATEGORIES[line.type_of_service]


class Cell:
    """One measure."""

    __slots__ = ("cents", "claims", "crossover_cents", "crossover_claims", "outlay_cents")

    def __init__(self) -> None:
        self.cents = self.claims = self.crossover_cents = self.crossover_claims = self.outlay_cents = 0


CellKey = tuple[Payer, ServiceCategory, int, Cohort]


class Truth:
    """Sums over all people."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._cells: dict[CellKey, Cell] = {}
        self._person_months: dict[tuple[Cohort, int], int] = {}
        self._alignment: list[dict[str, Any]] = []
        self._care: list[dict[str, Any]] = []
        self._prospects: list[dict[str, Any]] = []
        self._shifted_cents = dict.fromkeys(Payer, 0)
        self._shifted_person_months = 0
        self.medicare_records = self.medicaid_versions = self.medicaid_claims = 0

    def add_person(self, person: Person, medicare: list[MedicareClaim], medicaid: list[MedicaidClaim]) -> None:
        """Count one person with all claims."""
        life, period = person.life, self._period
        cohorts = [cohort_of(person, month) for month in range(period.months)]
        for month in range(life.entry, min(life.last_stated, period.last_service) + 1):
            key = (cohorts[month], month)
            self._person_months[key] = self._person_months.get(key, 0) + 1
            if cohorts[month] is Cohort.ALIGNED and person.shift.applies(month):
                self._shifted_person_months += 1
        for claim in medicare:
            self._add_medicare(claim, cohorts)
        for payment in medicaid:
            self._add_medicaid(payment, cohorts)
        self._alignment.append(
            {
                "mbis": [person.traits.mbi(version) for version in range(len(life.mbi_changes) + 1)],
                "aligned_months": [period.texts[month] for month in range(period.months) if person.aligned[month]],
            }
        )

        if person.prospects is not None:
            self._prospects.append({"mbi": person.traits.mbi(0), **person.prospects.document()})

    def _cell(self, payer: Payer, category: ServiceCategory, month: int, cohort: Cohort) -> Cell:
        key = (payer, category, month, cohort)
        if key not in self._cells:
            self._cells[key] = Cell()
        return self._cells[key]

    def _add_medicare(self, claim: MedicareClaim, cohorts: list[Cohort]) -> None:
        category = MEDICARE_CATEGORIES[claim.claim_type]
        self.medicare_records += len(claim.versions)
        for version in claim.versions:
            sign = -1 if version.kind == "1" else 1
            for line in claim.lines:
                month = self._period.number(line.last)
                cell = self._cell(Payer.MEDICARE, category, month, cohorts[month])
                cents = sign * scaled(line.cents, version.permille)
                cell.cents += cents
                cell.outlay_cents += cents
                without = sign * scaled(line.unshifted_cents, version.permille)
                self._shifted_cents[Payer.MEDICARE] += cents - without
            month = self._period.number(claim.last)
            if not claim.denied:
                self._cell(Payer.MEDICARE, category, month, cohorts[month]).claims += sign

    def _add_medicaid(self, claim: MedicaidClaim, cohorts: list[Cohort]) -> None:
        self.medicaid_versions += len(claim.versions)
        self.medicaid_claims += 1
        standing = claim.versions[-1]
        paid = standing.kind != "1" and not claim.denied
        for line in claim.lines:
            month = self._period.number(line.last if claim.lines_carry_amounts else claim.last)
            category = medicaid_category(claim, line if claim.lines_carry_amounts else claim.lines[0])
            cell = self._cell(Payer.MEDICAID, category, month, cohorts[month])
            cents = scaled(line.cents, standing.permille) if paid else 0
            self._count_medicaid(cell, claim, cents)
            if paid:
                self._shifted_cents[Payer.MEDICAID] += cents - scaled(line.unshifted_cents, standing.permille)
        month = self._period.number(claim.last)
        cell = self._cell(Payer.MEDICAID, medicaid_category(claim, claim.lines[0]), month, cohorts[month])
        cell.claims += paid
        cell.crossover_claims += paid and claim.crossover

    @staticmethod
    def _count_medicaid(cell: Cell, claim: MedicaidClaim, cents: int) -> None:
        cell.cents += cents
        cell.crossover_cents += cents if claim.crossover else 0
        cell.outlay_cents += cents if claim.claim_type in {"1", "2"} else 0

    def cents(self, payer: Payer, *, capitation: bool = False) -> int:
        """All of one payer's cents: services, or capitation."""
        return sum(
            cell.cents
            for (of, category, _, _), cell in self._cells.items()
            if of is payer and (category is ServiceCategory.CAPITATION) is capitation
        )

    def measures(self) -> list[dict[str, Any]]:
        """Every cell that any claim touches, in order."""
        return [
            {
                "payer": payer.value,
                "category": category.value,
                "month": self._period.texts[month],
                "cohort": cohort.value,
                "basis": "capitation" if category is ServiceCategory.CAPITATION else "services",
                "cents": cell.cents,
                "claims": cell.claims,
                "crossover_cents": cell.crossover_cents,
                "crossover_claims": cell.crossover_claims,
                "outlay_cents": cell.outlay_cents,
            }
            for (payer, category, month, cohort), cell in sorted(self._cells.items(), key=lambda item: item[0])
        ]

    def person_months(self) -> list[dict[str, Any]]:
        """Person-months by cohort and month, in order."""
        return [
            {"cohort": cohort.value, "month": self._period.texts[month], "count": count}
            for (cohort, month), count in sorted(self._person_months.items())
        ]

    def alignment(self) -> list[dict[str, Any]]:
        """Each person's identifiers and aligned months, in order of people."""
        return self._alignment

    def prospects(self) -> list[dict[str, Any]]:
        """Each person's planted risk of an avoidable admission, in order of people."""
        return self._prospects

    def add_care(self, person: Person, care: dict[str, Any]) -> None:
        """Keep what is planted of a person's care, with what keeps anybody from acting on it."""
        life = person.life
        self._care.append(
            {
                "mbi": person.traits.mbi(0),
                "opted_out": life.opted_out,
                "death": None if life.death is None else life.death.isoformat(),
                **care,
            }
        )

    def care(self) -> list[dict[str, Any]]:
        """Each person's care, in order of people; empty where none is planted."""
        return self._care

    def planted(self) -> dict[str, int]:
        """What the shift came to: dollars with it minus dollars without it, and the person-months it touched."""
        return {
            "medicare_cents": self._shifted_cents[Payer.MEDICARE],
            "medicaid_cents": self._shifted_cents[Payer.MEDICAID],
            "medicare_person_months": self._shifted_person_months,
            "medicaid_person_months": self._shifted_person_months,
        }
