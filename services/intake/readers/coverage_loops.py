"""From the HD loops of one 834 member to spans of whole months that do not contradict each other.

Source: ASC X12N 005010X220A1, loop 2300 (HD01 002 deletes what was stated, 024 ends it); California DHCS 834 companion
guide (Medicare coverages stand as HD loops of their own, an end before its begin takes the coverage of the begin's
month back).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from contracts.codes import DualStatusCode, HealthPlan
from contracts.medicaid import MedicaidEnrolmentSpan
from contracts.months import add_months, month_of


@dataclass(frozen=True, slots=True)
class StatedPlan:
    """A Medicare health plan from the month of ``begin``, to ``end`` when the state gives one."""

    contract: str | None
    begin: date
    end: date | None = None
    package: str | None = None


def is_medicare(plan_text: str) -> bool:
    """HD04 names a Medicare coverage (``MEDICARE PART A``), not a Medicaid plan."""
    return plan_text.upper().startswith("MEDICARE")


@dataclass(frozen=True, slots=True)
class CoverageLoop:
    """One HD loop, read. ``plan_text`` is what stands before the first semicolon of HD04.

    ``cancelled``: it ends with ``end``; ``deleted``: it never was.
    """

    plan_text: str
    plan_id: str | None
    begin: date
    end: date | None
    cancelled: bool
    dual_status_code: DualStatusCode | None
    aid_code: str | None
    health_plan: StatedPlan | None
    deleted: bool = False
    share_of_cost_cents: int | None = None
    institutional: bool = False

    @property
    def medicare(self) -> bool:
        """The loop tells of Medicare coverage that the state knows of, not of Medicaid enrolment."""
        return is_medicare(self.plan_text)

    @property
    def medicare_health_plan(self) -> bool:
        """Medicare Advantage, by either of its names."""
        return self.medicare and any(name in self.plan_text.upper() for name in ("ADVANTAGE", "PART C"))

    @property
    def voided(self) -> bool:
        """An end before the begin, or deleted: the coverage never was."""
        return self.deleted or (self.end is not None and self.end < self.begin)


class _Months(NamedTuple):
    """Months, both included; ``last`` is ``None`` while it goes on."""

    first: str
    last: str | None


_FOREVER = "9999-12"


def enrolment_spans(
    loops: Sequence[CoverageLoop], county_fips: str | None, ended: date | None = None
) -> tuple[MedicaidEnrolmentSpan, ...]:
    """Enrolled spans in file order, then the months stated as not enrolled that no loop of the member covers.

    ``ended`` is the last day of everything that the member had, where the file says so of the member itself.
    """
    plans = [StatedPlan(None, loop.begin, loop.end) for loop in loops if _gives_plan(loop)]
    medicaid = [loop for loop in loops if not loop.medicare]
    enrolled = [span for loop in medicaid for span in _enrolled(loop, plans, county_fips)]
    covered = [_Months(span.first_month, span.last_month) for span in enrolled]
    gone = [months for loop in medicaid for months in _not_enrolled(loop)]
    if ended is not None:
        gone.append(_after(ended))
    left = sorted({months for span in gone for months in _without(span, covered)}, key=_bounds)
    return (*enrolled, *(MedicaidEnrolmentSpan(first_month=a, last_month=b, enrolled=False) for a, b in left))


def _bounds(months: _Months) -> tuple[str, str]:
    return months.first, months.last or _FOREVER


def _gives_plan(loop: CoverageLoop) -> bool:
    return loop.medicare_health_plan and not loop.voided


def _enrolled(loop: CoverageLoop, plans: list[StatedPlan], county_fips: str | None) -> Iterator[MedicaidEnrolmentSpan]:
    if loop.voided:
        return
    whole = _Months(month_of(loop.begin), month_of(loop.end) if loop.end else None)
    for months, plan, stated in _by_health_plan(whole, [loop.health_plan] if loop.health_plan else plans):
        yield MedicaidEnrolmentSpan(
            first_month=months.first,
            last_month=months.last,
            plan_id=loop.plan_id,
            aid_code=loop.aid_code,
            dual_status_code=loop.dual_status_code,
            county_fips=county_fips,
            health_plan=plan,
            health_plan_contract=None if stated is None else stated.contract,
            health_plan_package=None if stated is None else stated.package,
            long_term_care_level="institutional" if loop.institutional else None,
            share_of_cost_cents=loop.share_of_cost_cents,
        )


def _by_health_plan(
    whole: _Months, plans: list[StatedPlan]
) -> Iterator[tuple[_Months, HealthPlan | None, StatedPlan | None]]:
    """Without a plan: fee-for-service. Before a plan's begin the state says nothing, so neither do we."""
    if not plans:
        yield whole, HealthPlan.NONE, None
        return
    plan = max(plans, key=lambda stated: stated.begin)
    begin, end = month_of(plan.begin), month_of(plan.end) if plan.end else None
    if (before := _cut(whole, _Months("0000-01", add_months(begin, -1)))) is not None:
        yield before, None, None
    if (during := _cut(whole, _Months(begin, end))) is not None:
        yield during, HealthPlan.MEDICARE_ADVANTAGE, plan
    if end is not None and (after := _cut(whole, _Months(add_months(end, 1), None))) is not None:
        yield after, HealthPlan.NONE, None


def _not_enrolled(loop: CoverageLoop) -> Iterator[_Months]:
    begin, end = month_of(loop.begin), month_of(loop.end) if loop.end else None
    if loop.deleted and (end is None or end >= begin):
        yield _Months(begin, end)
    elif loop.voided:
        yield _Months(begin, begin)
    elif loop.cancelled and loop.end is not None:
        yield _after(loop.end)


def _after(day: date) -> _Months:
    return _Months(add_months(month_of(day), 1), None)


def _cut(months: _Months, bounds: _Months) -> _Months | None:
    """Give the months that both have; ``None`` when there are none."""
    first = max(months.first, bounds.first)
    last = min(months.last or _FOREVER, bounds.last or _FOREVER)
    return None if first > last else _Months(first, None if last == _FOREVER else last)


def _without(months: _Months, taken: list[_Months]) -> list[_Months]:
    """Give what is left of ``months`` when every span of ``taken`` is cut out."""
    left = [months]
    for span in taken:
        before = _Months("0000-01", add_months(span.first, -1))
        after = None if span.last is None else _Months(add_months(span.last, 1), None)
        left = [
            piece
            for part in left
            for bounds in (before, after)
            if bounds is not None and (piece := _cut(part, bounds)) is not None
        ]
    return left
