"""Claims-based alignment: whose patients' qualified visits of two alignment years were worth most, in exact thirds.

Source: GPDC operating guide, appendix B, as public summaries of it tell (codes of table B.6.3, specialties of B.6.4, years
and weights of B.2.1). The two stages, pooling and the last tie-break are values of the pack. Allowed cents of the earlier
year count once and of the later one twice: scores are thirds of a cent, and no division can make or break a tie.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from contracts.alignment import Outcome
from services.alignment.paths_policy import Pack
from services.alignment.statements import month_number

Stage = Literal["primary_care", "other_specialties"]
Tie = Literal["latest_service", "lowest_identifier", "undecided"]


class Visit(NamedTuple):
    """One line of a physician's claim. ``cents``: the allowed amount, below zero for a line that was cancelled."""

    day: int
    code: str
    place: str | None
    specialty: str | None
    npi: str | None
    practice: str | None
    cents: int


class Participation(NamedTuple):
    """An entity's participant in these months (month numbers, both included)."""

    entity_id: str
    first: int
    last: int | None

    def covers(self, month: int) -> bool:
        """Whether it holds in a month."""
        return self.first <= month and (self.last is None or month <= self.last)


Participants = Mapping[str, Sequence[Participation]]


class Competitor(NamedTuple):
    """Who competes for a person: an entity's participants together, a practice by its tax number, a clinician by NPI.

    ``entity_id`` is that of a participant. Nothing at all: the line named nobody.
    """

    entity_id: str | None = None
    practice: str = ""
    npi: str = ""

    def shown(self) -> str:
        """A name for it without a tax number, which may be somebody's own number."""
        return self.entity_id or self.npi or ("another practice" if self.practice else "nobody named")


UNNAMED = Competitor()


class Score(NamedTuple):
    """What a competitor's visits are worth, in thirds of a cent, and the latest day of one that stands."""

    competitor: Competitor
    thirds: int
    latest: int


class ClaimsResult(NamedTuple):
    """Who is aligned by claims, and why. ``scores``: all who compete, the winner first."""

    outcome: Outcome
    reason: str | None = None
    entity_id: str | None = None
    stage: Stage | None = None
    tie: Tie | None = None
    scores: tuple[Score, ...] = ()


def claims_based(visits: Sequence[Visit], participants: Participants, pack: Pack, year: int) -> ClaimsResult:
    """Align a person for the performance year that begins in month number ``year``.

    ``visits`` are of every claim that was seen, qualified or not: where none is of the alignment years, nothing is known.
    """
    qualified = list(weighed(visits, pack))
    if not qualified:
        seen = any(year.first <= visit.day <= year.last for visit in visits for year in pack.alignment_years)
        return ClaimsResult(Outcome.FAIL, "NO_QUALIFIED_SERVICE") if seen else _UNSEEN
    stage, pool = _pool(qualified, pack)
    scores = _ranked(pool, participants, pack, year)
    if not scores:
        return ClaimsResult(Outcome.FAIL, "NO_QUALIFIED_SERVICE", stage=stage)
    return _won(scores, stage, pack)


_UNSEEN = ClaimsResult(Outcome.UNKNOWN, "NO_CLAIMS_SEEN")
# A qualified visit and its thirds of a cent.
Weighed = tuple[Visit, int]


def weighed(visits: Iterable[Visit], pack: Pack) -> Iterator[Weighed]:
    """Those of the alignment years whose code counts on their day and at their place."""
    # Plain loops: this is done for every line of everybody.
    years, services = pack.alignment_years, pack.services
    for visit in visits:
        day, weight = visit.day, 0
        for year in years:
            if year.first <= day <= year.last:
                weight = year.weight
                break
        if weight:
            for one in services.get(visit.code, ()):
                if one.first <= day <= one.last and visit.place not in one.not_in_places:
                    yield visit, visit.cents * weight
                    break


def _pool(qualified: Sequence[Weighed], pack: Pack) -> tuple[Stage, list[Weighed]]:
    """Primary care alone where it has its share of all qualified visits, else the other specialties alone."""
    primary = _of_specialties(qualified, pack.primary_care_specialties)
    part, whole = pack.threshold
    if sum([thirds for _, thirds in primary]) * whole >= sum([thirds for _, thirds in qualified]) * part:
        return "primary_care", primary
    return "other_specialties", _of_specialties(qualified, pack.other_specialties)


def _of_specialties(qualified: Sequence[Weighed], specialties: frozenset[str]) -> list[Weighed]:
    return [one for one in qualified if one[0].specialty in specialties]


def competitor_of(visit: Visit, participants: Participants, pack: Pack, year: int) -> Competitor:
    """For whom a visit counts."""
    month = year if pack.participants_as_of == "performance_year" else month_number(visit.day)
    own = participants.get(visit.npi or "")
    entity = None if own is None else next((one.entity_id for one in own if one.covers(month)), None)
    if entity is not None and pack.participants_pooled:
        return Competitor(entity)
    if pack.competitors == "practice" and visit.practice:
        return Competitor(entity, practice=visit.practice)
    return Competitor(entity, npi=visit.npi or "")


def _ranked(pool: Iterable[Weighed], participants: Participants, pack: Pack, year: int) -> tuple[Score, ...]:
    by_day: dict[Competitor, dict[int, int]] = {}
    # People go to few clinicians, time and again.
    known: dict[tuple[str | None, str | None, int], dict[int, int]] = {}
    by_service = pack.participants_as_of == "service"
    for visit, thirds in pool:
        day = visit.day
        key = (visit.npi, visit.practice, day if by_service else 0)
        days = known.get(key)
        if days is None:
            days = known[key] = by_day.setdefault(competitor_of(visit, participants, pack, year), {})
        days[day] = days.get(day, 0) + thirds
    scores = []
    for competitor, days in by_day.items():
        thirds = sum(days.values())
        if thirds > 0:
            scores.append(Score(competitor, thirds, max([day for day, worth in days.items() if worth > 0])))
    return tuple(sorted(scores, key=_place))


def _place(score: Score) -> tuple[int, int, tuple[str, ...]]:
    entity, practice, npi = score.competitor
    return -score.thirds, -score.latest, (entity or "", practice, npi)


def _won(scores: tuple[Score, ...], stage: Stage, pack: Pack) -> ClaimsResult:
    winner, tie = scores[0].competitor, _tie(scores, pack)
    if tie == "undecided":
        return ClaimsResult(Outcome.UNKNOWN, "TIED", None, stage, tie, scores)
    if winner == UNNAMED:
        return ClaimsResult(Outcome.UNKNOWN, "CLINICIAN_NOT_NAMED", None, stage, tie, scores)
    if winner.entity_id is None:
        return ClaimsResult(Outcome.FAIL, "OTHER_PRACTICE", None, stage, tie, scores)
    return ClaimsResult(Outcome.PASS, None, winner.entity_id, stage, tie, scores)


def _tie(scores: Sequence[Score], pack: Pack) -> Tie | None:
    if len(scores) == 1 or scores[0].thirds != scores[1].thirds:
        return None
    if scores[0].latest != scores[1].latest:
        return "latest_service"
    return "lowest_identifier" if pack.last_tie_break == "lowest_identifier" else "undecided"
