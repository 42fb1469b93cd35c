"""What held month by month, written as spans, and people whose rows are taken together or not at all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from contracts.codes import DualStatusCode, HealthPlan
from contracts.medicaid import EnrolmentBasis, LevelOfCare, MedicaidEnrolmentSpan
from contracts.months import month_at
from services.intake.readers.masking import shape_of
from services.intake.readers.medicaid_elements import EXPECTED
from services.intake.readers.records import FieldError
from services.intake.reading import Defect, RefusedDelivery

MOST_SPANS = 600
WITHHELD = "withheld_with_the_person"


class Plan(NamedTuple):
    """A managed-care plan of a month: its number and T-MSIS type, each as far as it is told."""

    plan_id: str | None = None
    plan_type_code: str | None = None


class MonthState(NamedTuple):
    """What a source says of one person's month."""

    enrolled: bool
    plans: tuple[Plan, ...] = ()
    dual_status_code: DualStatusCode | None = None
    aid_code: str | None = None
    county_fips: str | None = None
    health_plan: HealthPlan | None = None
    programme: str | None = None
    programme_basis: str | None = None
    eligibility_group_code: str | None = None
    restricted_benefits_code: str | None = None
    waiver_ids: tuple[str, ...] = ()
    waiver_type_codes: tuple[str, ...] = ()
    health_plan_contract: str | None = None
    health_plan_package: str | None = None
    level_of_care: LevelOfCare | None = None
    safe_in_community: bool | None = None
    enrolment_basis: EnrolmentBasis | None = None
    demonstration: bool | None = None


NOT_ENROLLED = MonthState(enrolled=False)


def spans(months: Mapping[int, MonthState]) -> tuple[MedicaidEnrolmentSpan, ...]:
    """Equal neighbouring months as one span, once for each plan. Raises :class:`FieldError` where there are too many."""
    found = tuple(span for first, last, state in _runs(months) for span in _of_plans(first, last, state))
    if len(found) > MOST_SPANS:
        raise FieldError(None, "too_many_spans")
    return found


def _runs(months: Mapping[int, MonthState]) -> Iterator[tuple[int, int, MonthState]]:
    first = last = None
    for month in sorted(months):
        if first is not None and last is not None:
            if month == last + 1 and months[month] == months[first]:
                last = month
                continue
            yield first, last, months[first]
        first = last = month
    if first is not None and last is not None:
        yield first, last, months[first]


def _of_plans(first: int, last: int, state: MonthState) -> Iterator[MedicaidEnrolmentSpan]:
    said = state._asdict()
    for plan in said.pop("plans") or (Plan(),):
        yield MedicaidEnrolmentSpan(first_month=month_at(first), last_month=month_at(last), **plan._asdict(), **said)


class SourceRow(NamedTuple):
    """A row as it stands in its table: enough to keep it when it cannot be taken."""

    table: str
    number: int
    cells: Sequence[str]

    @property
    def place(self) -> tuple[str, int]:
        """Where the row stands."""
        return self.table, self.number


class Fault(NamedTuple):
    """Why a row cannot be taken, and the text that stands in the field: of that only the shape is ever told."""

    field: str | None
    reason: str
    found: str | None = None


def withheld(rows: Iterable[SourceRow], faults: Mapping[tuple[str, int], Fault]) -> Iterator[Defect]:
    """Every row of a person of whom one row cannot be taken: what is missing must not read as an end of enrolment."""
    for row in rows:
        fault = faults.get(row.place, Fault(None, WITHHELD))
        raw = ",".join(row.cells).encode("utf-8", "surrogateescape")
        shape = None if fault.found is None else shape_of(fault.found)
        expected = EXPECTED.get(fault.reason)
        yield Defect(row.table, row.number, fault.field, fault.reason, raw, shape, expected)


def refuse_empty(table: str, rows: int) -> None:
    """Raises :class:`RefusedDelivery` for a table without rows: it would say of nobody that they are enrolled."""
    if not rows:
        raise RefusedDelivery("empty_file", f"{table} holds no rows")
