"""What we compute for a person and month from what is known at a delivery: every way to alignment, and who wins. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.alignment import Outcome, PredicateResult
from contracts.months import first_day, month_index
from services.alignment.paths_policy import Pack, paths_policy
from services.alignment.programme import programme
from services.alignment.rules.by_roster import by_roster
from services.alignment.rules.claims_based import Participants, Visit, claims_based
from services.alignment.rules.computed import Computed, Ways, barred, by_ways
from services.alignment.rules.known_month import Answer
from services.alignment.rules.retention import HangsOn, Kind, hangs_on, kind
from services.alignment.rules.voluntary import Designated, voluntary
from services.alignment.statements import Fact, month_number

# Whoever moves away stays until the year is over, so this is asked in the first month of a performance year alone.
_ASKED_ONCE_A_YEAR = "IN_SERVICE_AREA"


_DECEASED = PredicateResult(name="ALIVE", outcome=Outcome.FAIL, reason="DECEASED")


class Lists(NamedTuple):
    """Participants by NPI, and the entities whose list is known."""

    participants: Participants
    rostered: frozenset[str]


class Evidence(NamedTuple):
    """What is known of one person besides the month's predicates."""

    state: str
    visits: Sequence[Visit] = ()
    designations: tuple[Designated, ...] = ()


class Worked(NamedTuple):
    """A month as we compute it. ``year``: the first month (number) of its performance year."""

    year: int
    pack: Pack
    ways: Ways
    eligible: bool
    computed: Computed


class Standing(NamedTuple):
    """To whom a person is aligned in the last month decided, the predicates of that month, and a death (an ordinal)."""

    entity_id: str | None
    predicates: Sequence[PredicateResult]
    same_year: bool
    death: int | None = None

    def predicates_in(self, month: str) -> list[PredicateResult]:
        """Those of the last month, but for a death that lies between."""
        dead = self.death is not None and self.death < first_day(month).toordinal()
        return [_DECEASED if dead and one.name == _DECEASED.name else one for one in self.predicates]


class Forecast(NamedTuple):
    """What becomes of a person in a month to come."""

    kind: Kind
    worked: Worked
    hangs_on: HangsOn | None


def designations_of(facts: Iterable[Fact]) -> tuple[Designated, ...]:
    """Every designation among statements."""
    return tuple(_designated(fact) for fact in facts if fact.designation is not None)


def _designated(fact: Fact) -> Designated:
    said = dict(fact.said)
    channel, withdrawn = fact.designation or ("", False)
    return Designated(
        fact.entity_id or "",
        channel,
        fact.stated_on,
        month_number(fact.stated_on),
        said.get("clinician_npi"),
        withdrawn,
        said.get("response"),
        said.get("rejection_reason"),
        fact.sequence,
    )


def worked(
    month: str, predicates: Iterable[PredicateResult], evidence: Evidence, lists: Lists, *, added: bool = False
) -> Worked | None:
    """Compute a month; ``None`` where no pack says how. ``added``: only ways by which people are added within a year."""
    own = programme()
    year = own.first_month_of_year(month)
    pack = None if year is None else paths_policy().pack(year)
    if year is None or pack is None:
        return None
    entity = own.entity_for(None, evidence.state)
    answers = _answers(predicates, month, year)
    ways = Ways(
        voluntary(evidence.designations, *lists, pack, month_index(month)),
        by_roster(answers, entity.entity_id if entity else None),
        claims_based(evidence.visits, lists.participants, pack, month_index(year)),
    )
    order = tuple(path for path in pack.path_order if not (added and path == "claims"))
    bar = barred(answers, own.tolerated_unknowns)
    return Worked(month_index(year), pack, ways, bar is None, bar or by_ways(ways, order))


def _answers(predicates: Iterable[PredicateResult], month: str, year: str) -> Mapping[str, Answer]:
    return {
        one.name: Answer(one.outcome, one.reason, one.evidence)
        for one in predicates
        if one.name != _ASKED_ONCE_A_YEAR or month == year
    }


def forecast(month: str, now: Standing, evidence: Evidence, lists: Lists) -> Forecast | None:
    """What becomes of a person in a month to come; ``None`` where no pack says how.

    Within the performance year claims decide nothing anew: whoever is aligned stays while eligible, and others are added
    by the other ways. ``now.same_year``: the last month decided is of the performance year of ``month``.
    """
    done = worked(month, now.predicates_in(month), evidence, lists, added=now.same_year)
    if done is None:
        return None
    if now.same_year and now.entity_id is not None and done.eligible:
        done = done._replace(computed=Computed(Outcome.PASS, now.entity_id))
    found = hangs_on(evidence.visits, lists.participants, done.pack, done.year, done.ways.claims)
    return Forecast(kind(now.entity_id, done.computed), done, found)
