"""Facts about one person as alignment keeps them: what was stated, when, and which delivery made it known.

Months are month numbers and days are ordinals in here, because every decision compares them many times.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from contracts.alignment import (
    AlignmentReported,
    AlignmentReportedData,
    DesignationRecorded,
    DesignationRecordedData,
    ProviderAlignmentReported,
    ProviderAlignmentReportedData,
    SharingPreferenceStated,
    SharingPreferenceStatedData,
)
from contracts.coverage import MedicareCoverageStated, MedicareCoverageStatedData
from contracts.medicaid import (
    EnrolmentSource,
    MedicaidEnrolmentSpan,
    MedicaidEnrolmentStated,
    MedicaidEnrolmentStatedData,
)
from contracts.months import month_index
from services.alignment.care_told import CareTold, care_again, care_told
from services.alignment.saying import Said, said_again, said_in

Kind = Literal["coverage", "enrolment", "report", "designation", "provider_alignment", "sharing"]
# The others are evidence: kept and shown, and never seen by a decision.
DECIDING: frozenset[Kind] = frozenset({"coverage", "enrolment", "report"})
PersonEvent = (
    MedicareCoverageStated
    | MedicaidEnrolmentStated
    | AlignmentReported
    | DesignationRecorded
    | ProviderAlignmentReported
    | SharingPreferenceStated
)
# What a source of Medicaid enrolment is called in evidence.
ENROLMENT_SOURCES = {
    EnrolmentSource.ENROLMENT_834: "834",
    EnrolmentSource.STATE_FILE: "STATE FILE",
    EnrolmentSource.TMSIS: "T-MSIS",
}


class CoverageSpan(NamedTuple):
    """What a Medicare source states for ``first`` to ``last``; ``None`` in a value is no information."""

    first: int
    last: int | None
    entitlement_buy_in_code: str | None
    dual_status_code: str | None
    health_plan: str | None
    medicare_is_primary: bool | None
    county_fips: str | None
    in_united_states: bool | None


class EnrolmentSpan(NamedTuple):
    """What a state says about Medicaid enrolment in ``first`` to ``last``."""

    first: int
    last: int | None
    enrolled: bool
    plan_id: str | None
    dual_status_code: str | None
    health_plan: str | None
    county_fips: str | None
    programme: str | None = None
    programme_basis: str | None = None
    care: CareTold | None = None


class AlignedSpan(NamedTuple):
    """Months that a report calls aligned."""

    first: int
    last: int | None
    removal_reason: str | None


class Designation(NamedTuple):
    """A primary clinician named or withdrawn; kept and shown, not yet decided upon."""

    channel: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about one person. ``sequence`` is the delivery that stated it.

    It counts under this person from ``since`` on (``None``: from ``sequence`` on), and no more from ``until`` on.
    """

    event_id: str
    sequence: int
    kind: Kind
    state: str
    source: str
    stated_on: int
    death: int | None = None
    part_a_began: int | None = None
    part_b_began: int | None = None
    coverage: tuple[CoverageSpan, ...] = ()
    enrolment: tuple[EnrolmentSpan, ...] = ()
    entity_id: str | None = None
    report_month: int | None = None
    aligned: tuple[AlignedSpan, ...] = ()
    designation: Designation | None = None
    said: Said = ()
    since: int | None = None
    until: int | None = None
    birth: int | None = None

    @property
    def known_from(self) -> int:
        """The delivery from which it counts under this person."""
        return self.sequence if self.since is None else self.since

    def counts_at(self, sequence: int) -> bool:
        """Whether it counts under this person as known at a delivery."""
        return self.known_from <= sequence and (self.until is None or sequence < self.until)

    def body(self) -> str:
        """What the store keeps beside the columns: the spans and dates, compact."""
        values: list[object] = [
            self.death,
            self.part_a_began,
            self.part_b_began,
            self.coverage,
            self.enrolment,
            self.report_month,
            self.aligned,
            self.designation,
        ]
        if self.said or self.birth is not None:
            values.append(dict(self.said))
        if self.birth is not None:
            values.append(self.birth)
        return json.dumps(values, separators=(",", ":"))


def restored(  # noqa: PLR0913, PLR0917 - the store's columns, in the order of the table
    event_id: str,
    sequence: int,
    kind: Kind,
    state: str,
    source: str,
    stated_on: int,
    entity_id: str | None,
    body: str,
) -> Fact:
    """Build a fact from the store's columns; the inverse of :meth:`Fact.body`."""
    death, part_a, part_b, coverage, enrolment, report_month, aligned, designation, *more = from_json(body)
    return Fact(
        event_id,
        sequence,
        kind,
        state,
        source,
        stated_on,
        death,
        part_a,
        part_b,
        tuple([CoverageSpan(*span) for span in coverage]),
        tuple([_enrolment_span_again(span) for span in enrolment]),
        entity_id,
        report_month,
        tuple([AlignedSpan(*span) for span in aligned]),
        Designation(*designation) if designation else None,
        said_again(more[0]) if more else (),
        birth=more[1] if len(more) > 1 else None,
    )


def _enrolment_span_again(stored: list[Any]) -> EnrolmentSpan:
    span = EnrolmentSpan(*stored)
    return span if span.care is None else span._replace(care=care_again(span.care))


def fact_of(event: PersonEvent) -> Fact:
    """Read an event about a person as a fact."""
    about = (event.id, event.deliveryseq)
    match event.data:
        case MedicareCoverageStatedData():
            return _coverage(event.data, *about)
        case MedicaidEnrolmentStatedData():
            return _enrolment(event.data, *about)
        case AlignmentReportedData():
            return _report(event.data, *about)
        case DesignationRecordedData():
            return _designation(event.data, *about)
        case ProviderAlignmentReportedData():
            return _provider_alignment(event.data, *about)
        case SharingPreferenceStatedData():
            return _sharing(event.data, *about)


def _coverage(data: MedicareCoverageStatedData, event_id: str, sequence: int) -> Fact:
    spans = tuple(
        CoverageSpan(
            month_index(span.first_month),
            _month_number(span.last_month),
            span.entitlement_buy_in_code,
            span.dual_status_code,
            span.health_plan and span.health_plan.value,
            span.medicare_is_primary,
            span.county_fips,
            span.in_united_states,
        )
        for span in data.spans
    )
    return Fact(
        event_id,
        sequence,
        "coverage",
        data.state,
        data.source.value,
        data.stated_on.toordinal(),
        death=_ordinal(data.death_date),
        part_a_began=_ordinal(data.part_a_began),
        part_b_began=_ordinal(data.part_b_began),
        coverage=spans,
        birth=_ordinal(data.birth_date),
    )


def _enrolment(data: MedicaidEnrolmentStatedData, event_id: str, sequence: int) -> Fact:
    horizon = _month_number(data.known_through)
    spans = (_enrolment_span(span, horizon) for span in data.spans)
    return Fact(
        event_id,
        sequence,
        "enrolment",
        data.state,
        ENROLMENT_SOURCES[data.source],
        data.stated_on.toordinal(),
        death=_ordinal(data.death_date),
        enrolment=tuple([span for span in spans if span is not None]),
        birth=_ordinal(data.birth_date),
    )


def _enrolment_span(span: MedicaidEnrolmentSpan, horizon: int | None) -> EnrolmentSpan | None:
    """What the span states: nothing of a month behind the feed's horizon, so that a feed that ends early ends nobody."""
    first, last = month_index(span.first_month), _month_number(span.last_month)
    if horizon is not None:
        if first > horizon:
            return None
        last = horizon if last is None else min(last, horizon)
    return EnrolmentSpan(
        first,
        last,
        span.enrolled,
        span.plan_id,
        span.dual_status_code,
        span.health_plan and span.health_plan.value,
        span.county_fips,
        span.programme,
        span.programme_basis,
        care_told(span),
    )


def _report(data: AlignmentReportedData, event_id: str, sequence: int) -> Fact:
    spans = sorted(
        AlignedSpan(month_index(span.first_month), _month_number(span.last_month), span.removal_reason)
        for span in data.spans
    )
    return Fact(
        event_id,
        sequence,
        "report",
        data.state,
        "alignment report",
        data.stated_on.toordinal(),
        entity_id=data.entity_id,
        report_month=month_index(data.report_month),
        aligned=tuple(spans),
        said=said_in(data),
    )


def _designation(data: DesignationRecordedData, event_id: str, sequence: int) -> Fact:
    return Fact(
        event_id,
        sequence,
        "designation",
        data.state,
        "designation",
        data.signed_on.toordinal(),
        entity_id=data.entity_id,
        designation=Designation(data.channel, data.withdrawn),
        said=said_in(data),
    )


def _provider_alignment(data: ProviderAlignmentReportedData, event_id: str, sequence: int) -> Fact:
    return Fact(
        event_id,
        sequence,
        "provider_alignment",
        data.state,
        "provider alignment report",
        data.stated_on.toordinal(),
        entity_id=data.entity_id,
        said=said_in(data),
    )


def _sharing(data: SharingPreferenceStatedData, event_id: str, sequence: int) -> Fact:
    return Fact(
        event_id,
        sequence,
        "sharing",
        data.state,
        "1-800-MEDICARE",
        data.stated_on.toordinal(),
        entity_id=data.entity_id,
        said=said_in(data),
    )


@lru_cache(maxsize=4096)
def month_number(day: int) -> int:
    """Give the number of the month that a day's ordinal lies in."""
    there = date.fromordinal(day)
    return there.year * 12 + there.month - 1


def _month_number(month: str | None) -> int | None:
    return None if month is None else month_index(month)


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()
