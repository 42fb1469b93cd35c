"""Everything stated about one person up to a delivery, and each month as the rules of arrangements see it.

Grows fact by fact as deliveries are replayed in order; which of them were looked at in between is never seen, so equal
facts give an equal person. What is looked up is kept until it may have changed: one day's news touches few months.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from services.alignment.arrangement_policy import ArrangementPolicy, Pack
from services.alignment.programme import Programme
from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.aligned import alignment
from services.alignment.rules.arrangements.care_resolution import CareStatements
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.arrangements.standings import MonthStandings, Run, claim_of, month_standings, run_of
from services.alignment.rules.knowledge import Knowledge
from services.alignment.rules.known_month import Stated
from services.alignment.rules.predicates import answers
from services.alignment.rules.reconciliation.two_sides import Sides, two_sides
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
        self._runs: dict[tuple[int, str], Run | None] = {}
        self._sides: dict[int, Sides | None] = {}
        self._forecasts: dict[int, Forecast] = {}
        self.reported = 0
        self.newest_statement = 0

    @property
    def months(self) -> range:
        """The months of which anything is decided."""
        return self._knowledge.months

    @property
    def state(self) -> str:
        """Whose state spoke last; empty for whom nobody knows, or who turned out to be somebody else."""
        return self._knowledge.state

    def remember_forecasts(self, together: Iterable[Fact]) -> None:
        """Note what was said of the months that a delivery's reports are the first to speak of; before they are added.

        From here on those months are compared.
        """
        newest = max((fact.report_month or 0 for fact in together), default=0)
        if newest <= self.reported:
            return
        for month in range(self.reported + 1, newest + 1) if self.reported else ():
            if month in self.months:
                self._forecasts[month] = "aligned" if self.month(month).alignment.aligned else "not_aligned"
        for month in [month for month in self._sides if month > self.reported]:
            del self._sides[month]
        self.reported = newest

    def touched_by(self, fact: Fact) -> set[int]:
        """Months of which anything may change with ``fact``, which is not yet added; never too few."""
        first, last = self._knowledge.range_with(fact)
        if first is None:
            return set()
        if self._is_newer_birth(fact):
            return set(range(first, last + 1))
        return self._knowledge.touched_by(fact) | self.care.reach_of(fact, first, last)

    def add(self, fact: Fact, touched: set[int] | None = None) -> None:
        """Take in a fact. ``touched``: the months that it may change; left out, everything is looked up anew."""
        if fact.birth is not None and self._standing_of(fact) >= self._birth_standing:
            self._birth = self._standing_of(fact), Stated(fact.birth, fact.source.upper(), fact.stated_on)
        self._knowledge.add(fact)
        self.care.add(fact)
        self.newest_statement = max(self.newest_statement, month_number(fact.stated_on))
        self._forget(touched)

    def _forget(self, touched: set[int] | None) -> None:
        if touched is None:
            self._known.clear()
            self._sides.clear()
            self._runs.clear()
            return
        for month in touched:
            self._known.pop(month, None)
            self._sides.pop(month, None)
        earliest = min(touched, default=0)
        for key in [key for key in self._runs if touched and key[0] >= earliest]:
            del self._runs[key]

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

    def run(self, month: int, pack: Pack) -> Run | None:
        """Membership in a programme in a month, with its beginning where that matters."""
        key = month, pack.name
        if key not in self._runs:
            known = self.month(month)
            goes_on = pack.asks_when_enrolling and month > self.months.start and claim_of(known, pack) is not None
            before = self.run(month - 1, pack) if goes_on and pack.in_force(known.known.state, month - 1) else None
            self._runs[key] = run_of(known, pack, before)
        return self._runs[key]

    def runs_on(self, month: int) -> bool:
        """Whether the month's memberships may hang on what held in the month before."""
        known = self.month(month)
        packs = self.policies.arrangements.in_force(known.known.state, month)
        return any(pack.asks_when_enrolling and claim_of(known, pack) is not None for pack in packs)

    def standings(self, month: int) -> MonthStandings:
        """How the person stands to every arrangement."""
        known = self.month(month)
        return month_standings(known, self.policies.arrangements, lambda pack: self.run(month, pack))

    def sides(self, month: int) -> Sides | None:
        """Both sides of a month; ``None`` where no report speaks of it."""
        if month > self.reported or month not in self.months:
            return None
        if month not in self._sides:
            known = self.month(month)
            self._sides[month] = two_sides(known.known.verdict, known.found)
        return self._sides[month]

    def forecast(self, month: int) -> Forecast:
        """What was said of a month before a report first spoke of it."""
        return self._forecasts.get(month, "none")

    @property
    def _birth_standing(self) -> tuple[int, int]:
        return (0, 0) if self._birth is None else self._birth[0]

    def _standing_of(self, fact: Fact) -> tuple[int, int]:
        return fact.stated_on, fact.sequence

    def _is_newer_birth(self, fact: Fact) -> bool:
        """Whether the fact brings another birth date that stands."""
        if fact.birth is None or self._standing_of(fact) < self._birth_standing:
            return False
        return self._birth is None or self._birth[1].value != fact.birth


def known_at(ordered: Iterable[Fact], sequence: int, policies: Policies) -> KnownPerson:
    """All that counts at a delivery, taken in delivery by delivery as if it had never been another's."""
    person = KnownPerson(policies)
    counting = (fact for fact in ordered if fact.counts_at(sequence))
    for _, group in groupby(counting, key=_stated_by):
        take_in(person, list(group))
    return person


def take_in(person: KnownPerson, together: Sequence[Fact]) -> None:
    """Take in all that one delivery states."""
    person.remember_forecasts(together)
    for fact in together:
        person.add(fact)


def _stated_by(fact: Fact) -> int:
    return fact.sequence
