"""Everything stated about one person up to a delivery, and each month as the rules of arrangements see it.

Grows as deliveries are replayed in order; which facts came in between is never seen, so equal facts give an equal person.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from services.alignment.arrangement_policy import ArrangementPolicy
from services.alignment.programme import Programme
from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.aligned import alignment
from services.alignment.rules.arrangements.care_resolution import CareStatements
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.knowledge import Knowledge
from services.alignment.rules.known_month import Stated
from services.alignment.rules.predicates import answers
from services.alignment.statements import Fact, month_number

Forecast = Literal["aligned", "not_aligned", "none"]


class Policies(NamedTuple):
    """All that rules take from policy."""

    programme: Programme
    arrangements: ArrangementPolicy
    review: ReviewPolicy


class KnownPerson:
    """One person as known at one delivery."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.care = CareStatements(policies.programme.enrolment_sources)
        self._knowledge = Knowledge(policies.programme)
        self._birth: tuple[tuple[int, int], Stated[int]] | None = None
        self._known: dict[int, MonthKnown] = {}
        self._reported = 0
        self._forecasts: dict[int, Forecast] = {}
        self.newest_statement = 0

    @property
    def months(self) -> range:
        """The months of which anything is decided."""
        return self._knowledge.months

    @property
    def state(self) -> str:
        """Whose state spoke last; empty for whom nobody knows, or who turned out to be somebody else."""
        return self._knowledge.state

    @property
    def reported(self) -> int:
        """The month of the newest report; 0 before the first."""
        return self._reported

    def add(self, together: Sequence[Fact]) -> set[int]:
        """Take in what one delivery states. Gives the months of which anything may have changed; never too few."""
        self._remember_forecasts(together)
        touched: set[int] = set()
        for fact in together:
            touched |= self._knowledge.touched_by(fact)
            born = self._add_birth(fact)
            self._knowledge.add(fact)
            self.care.add(fact)
            touched |= set(self.months) if born else self._covered(fact)
            self.newest_statement = max(self.newest_statement, month_number(fact.stated_on))
        for month in touched:
            self._known.pop(month, None)
        return touched

    def month(self, month: int) -> MonthKnown:
        """A month, looked up once until it may have changed."""
        found = self._known.get(month)
        if found is None:
            found = self._known[month] = self.afresh(month)
        return found

    def afresh(self, month: int) -> MonthKnown:
        """A month with the newest evidence for it."""
        known, programme = self._knowledge.about(month), self.policies.programme
        found = answers(known, programme)
        decided = alignment(known.verdict, found, programme)
        return MonthKnown(known, self.care.resolve(month), self._birth and self._birth[1], decided, found)

    def forecast(self, month: int) -> Forecast:
        """What was said of a month before a report first spoke of it."""
        return self._forecasts.get(month, "none")

    def _covered(self, fact: Fact) -> set[int]:
        first, last = (self.months.start, self.months.stop - 1) if self.months else (0, -1)
        return {
            month
            for span in fact.enrolment
            for month in range(max(span.first, first), (last if span.last is None else min(span.last, last)) + 1)
        }

    def _add_birth(self, fact: Fact) -> bool:
        """Take a birth date in; whether another one stands now."""
        if fact.birth is None:
            return False
        standing, before = (fact.stated_on, fact.sequence), self._birth
        if before is not None and before[0] > standing:
            return False
        self._birth = standing, Stated(fact.birth, fact.source.upper(), fact.stated_on)
        return before is None or before[1].value != fact.birth

    def _remember_forecasts(self, together: Sequence[Fact]) -> None:
        newest = max((fact.report_month or 0 for fact in together), default=0)
        if newest <= self._reported:
            return
        if self._reported:
            for month in range(self._reported + 1, newest + 1):
                if month in self.months:
                    aligned = self.month(month).alignment.aligned
                    self._forecasts[month] = "aligned" if aligned else "not_aligned"
        self._reported = newest


def known_at(ordered: Iterable[Fact], sequence: int, policies: Policies) -> KnownPerson:
    """All that counts at a delivery, taken in delivery by delivery as if it had never been another's."""
    person = KnownPerson(policies)
    counting = (fact for fact in ordered if fact.counts_at(sequence))
    for _, together in groupby(counting, key=_stated_by):
        person.add(list(together))
    return person


def _stated_by(fact: Fact) -> int:
    return fact.sequence
