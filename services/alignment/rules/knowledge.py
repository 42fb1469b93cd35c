"""Everything stated about one person up to a delivery, and what follows from it for a month.

Source of the competition between sources: state MMA files are CMS's gold standard for dual status (CCW codebook,
DUAL_01), so the state's enrolment file goes before CCLF8 for dual status and health plan; CCLF8 before it for residence.
"""

from functools import lru_cache

from contracts.months import first_day, month_at
from services.alignment.programme import Programme
from services.alignment.rules.coverage_resolution import CoverageStatements
from services.alignment.rules.enrolment_resolution import EnrolmentStatements
from services.alignment.rules.known_month import KnownMonth, Reach, Stated
from services.alignment.rules.report_resolution import Reports
from services.alignment.statements import AlignedSpan, CoverageSpan, EnrolmentSpan, Fact, month_number

_Standing = tuple[int, int]


class _Newest:
    """One date about a person for which the newest statement stands."""

    __slots__ = ("_standing", "stated")

    def __init__(self) -> None:
        self._standing: _Standing = (0, 0)
        self.stated: Stated[int] | None = None

    def add(self, value: int | None, fact: Fact) -> None:
        if value is None:
            return
        standing = (fact.stated_on, fact.sequence)
        if standing >= self._standing:
            self._standing = standing
            self.stated = Stated(value, fact.source.upper(), fact.stated_on)

    def would_change(self, value: int | None) -> bool:
        return value is not None and (self.stated is None or self.stated.value != value)


class Knowledge:
    """Built by adding facts in the order of their deliveries; two orders within one delivery give the same."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._coverage = CoverageStatements(programme.first_decided_month)
        self._enrolment = EnrolmentStatements(programme.enrolment_sources)
        self._reports = Reports()
        self._death, self._part_a, self._part_b, self._heard = _Newest(), _Newest(), _Newest(), _Newest()
        self.first: int | None = None
        self.last: int = 0
        self.state = ""

    def add(self, fact: Fact) -> None:
        """Take in one fact."""
        self.first, self.last = self.range_with(fact)
        self.state = fact.state
        if fact.kind == "report":
            self._reports.add(fact)
        else:
            self._add_coverage(fact)

    def _add_coverage(self, fact: Fact) -> None:
        if fact.coverage:
            self._coverage.add(fact)
        if fact.enrolment:
            self._enrolment.add(fact)
        self._heard.add(1, fact)
        self._death.add(fact.death, fact)
        if fact.kind == "coverage":
            self._part_a.add(fact.part_a_began, fact)
            self._part_b.add(fact.part_b_began, fact)

    @property
    def months(self) -> range:
        """The months that have a decision."""
        return range(0) if self.first is None else range(self.first, self.last + 1)

    def range_with(self, fact: Fact) -> tuple[int | None, int]:
        """Give the first and the last month with a decision once ``fact`` is known."""
        first, last = _extent(fact, self._programme)
        if first is None:
            return self.first, max(self.last, last)
        first = max(first, self._programme.first_decided_month)
        return (first if self.first is None else min(first, self.first)), max(self.last, last)

    def touched_by(self, fact: Fact) -> set[int]:
        """Months whose decision may change with ``fact``, which is not yet added; never too few."""
        first, last = self.range_with(fact)
        if first is None:
            return set()
        whole = range(first, last + 1)
        if self._changes_person(fact):
            return set(whole)
        touched = set(range(first, self.first if self.first is not None else last + 1)) | set(
            range(self.last + 1, last + 1)
        )
        touched |= self._coverage.reach_of(fact, first, last)
        if fact.enrolment:
            touched |= self._enrolment.reach_of(fact, first, last)
        if fact.kind == "report":
            touched |= self._reports.reach_of(fact, whole)
        return touched & set(whole)

    def _changes_person(self, fact: Fact) -> bool:
        return (
            (self._heard.stated is None and fact.kind in {"coverage", "enrolment"})
            or (bool(self.state) and fact.state != self.state)
            or self._death.would_change(fact.death)
            or self._part_a.would_change(fact.part_a_began)
            or self._part_b.would_change(fact.part_b_began)
        )

    def about(self, month: int) -> KnownMonth:
        """Say what is known about a month."""
        entitlement, dual, plan, primary, county, resident = self._coverage.resolve(month)
        state = self._enrolment.resolve(month)
        return KnownMonth(
            month,
            self.state,
            entitlement,
            self._begun(month) if entitlement and entitlement.reach is Reach.FROM_LATER else (None, None),
            state.health_plan or plan,
            primary,
            county or state.county_fips,
            resident,
            state.dual_status_code or dual,
            state.plans,
            self._dead(month),
            self._reports.verdict(month),
        )

    def _begun(self, month: int) -> tuple[bool | None, bool | None]:
        day = _first_day(month)
        a, b = self._part_a.stated, self._part_b.stated
        return (None if a is None else a.value <= day, None if b is None else b.value <= day)

    def _dead(self, month: int) -> Stated[bool] | None:
        death, heard = self._death.stated, self._heard.stated
        if death is not None:
            return Stated(death.value < _first_day(month), death.source, death.stated_on)
        return Stated(False, heard.source, heard.stated_on) if heard else None


def _extent(fact: Fact, programme: Programme) -> tuple[int | None, int]:
    """First month of any span; last of any snapshot, report or Medicaid span, an open one up to its statement."""
    said = month_number(fact.stated_on)
    first: int | None = None
    last = fact.report_month or 0
    spans: tuple[CoverageSpan | EnrolmentSpan | AlignedSpan, ...] = fact.coverage or fact.enrolment or fact.aligned
    for span in spans:
        first = span.first if first is None or span.first < first else first
    for stated in fact.coverage or fact.enrolment:
        last = max(last, said if stated.last is None else stated.last)
    return first, min(last, said + programme.furthest_future_months)


@lru_cache(maxsize=4096)
def _first_day(month: int) -> int:
    return first_day(month_at(month)).toordinal()
