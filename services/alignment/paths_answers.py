"""How ways to alignment, forecasts, minimum numbers and changes are shown. Tax numbers of practices never are."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from contracts.months import month_at
from services.alignment.computing import Forecast, Standing, Worked
from services.alignment.explaining import dollars_of
from services.alignment.rules.retention import HangsOn, Kind


class Visited(BaseModel):
    """A visit on which a decision hangs: without it, ``would_be`` has the person. ``worth`` is weighted, in dollars."""

    on: date
    clinician_npi: str | None = None
    worth: str
    would_be: str | None = None


class Scored(BaseModel):
    """What a competitor's visits are worth: ``thirds`` of a cent exactly, ``dollars`` for reading."""

    competitor: str
    thirds: int
    dollars: str
    latest_visit: date


class ByClaims(BaseModel):
    """Alignment by claims: whose qualified visits of two alignment years were worth most."""

    outcome: str
    reason: str | None = None
    entity_id: str | None = None
    stage: str | None = None
    tie: str | None = None
    scores: list[Scored]
    hangs_on: Visited | None = None


class DesignationJudged(BaseModel):
    """A designation, and what it is worth for the month."""

    entity_id: str
    channel: str
    signed_on: date
    clinician_npi: str | None = None
    withdrawn: bool
    outcome: str
    reason: str | None = None
    counts_from: str
    known_since: int


class ByOwnWord(BaseModel):
    """Voluntary alignment: the newest valid designation."""

    outcome: str
    reason: str | None = None
    entity_id: str | None = None
    designations: list[DesignationJudged]


class ByRoster(BaseModel):
    """Alignment by the Medicaid plan's roster."""

    outcome: str
    reason: str | None = None
    entity_id: str | None = None


class Paths(BaseModel):
    """What we compute for a month, beside what counts. ``reported``: whether CMS's report aligns the month."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person_id": "p5f2a7c01b9e84d36f0c2a6b8d1e4f730", "month": "2022-03", "as_of": 17, "aligned": True,
                    "reported": True, "computed": "pass", "entity_id": "D9001", "path": "roster", "reasons": [],
                    "voluntary": {"outcome": "fail", "reason": "NO_DESIGNATION", "entity_id": None, "designations": []},
                    "roster": {"outcome": "pass", "reason": None, "entity_id": "D9001"},
                    "claims": {
                        "outcome": "unknown", "reason": "NO_CLAIMS_SEEN", "entity_id": None, "stage": None, "tie": None,
                        "scores": [], "hangs_on": None,
                    },
                }
            ]
        }
    )  # fmt: skip

    person_id: str
    month: str
    as_of: int
    aligned: bool
    reported: bool
    computed: str
    entity_id: str | None = None
    path: str | None = None
    reasons: list[str]
    voluntary: ByOwnWord
    roster: ByRoster
    claims: ByClaims


class Explanation(BaseModel):
    """A decision in plain words."""

    person_id: str
    month: str
    as_of: int
    lines: list[str]


class Ahead(BaseModel):
    """What becomes of one person. ``from_month``: the last month decided; ``entity_id``: to whom it is aligned."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person_id": "p5f2a7c01b9e84d36f0c2a6b8d1e4f730", "kind": "lost", "from_month": "2022-09",
                    "entity_id": "D9001", "next_entity_id": None, "path": None, "reasons": ["DUAL_LOST"],
                    "hangs_on": None,
                }
            ]
        }
    )  # fmt: skip

    person_id: str
    kind: Kind
    from_month: str
    entity_id: str | None = None
    next_entity_id: str | None = None
    path: str | None = None
    reasons: list[str]
    hangs_on: Visited | None = None


class AheadPage(BaseModel):
    """One page: ``looked_at`` people, of whom those whose kind was asked for. ``next_after`` asks for the next one."""

    month: str
    performance_year: str
    as_of: int
    looked_at: int
    people: list[Ahead]
    next_after: str | None = None


class Minima(BaseModel):
    """Aligned people of the last reported month against the minimum, and where the trend leads."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "as_of": 17, "entity_id": "D9001", "month": "2022-09", "aligned": 5120, "minimum": 5000, "floor": 5000,
                    "above": 120, "trend_months": 6, "trend_change": -90, "lost_next_year": None,
                    "falls_below_minimum_in": "2023-06", "falls_below_floor_in": "2023-06",
                }
            ]
        }
    )  # fmt: skip

    as_of: int
    entity_id: str | None = None
    month: str | None = None
    aligned: int
    minimum: int | None = None
    floor: int | None = None
    above: int | None = None
    trend_months: int
    trend_change: int
    lost_next_year: int | None = None
    falls_below_minimum_in: str | None = None
    falls_below_floor_in: str | None = None


class Changed(BaseModel):
    """A decision that was made after the place asked for."""

    sequence: int
    person_id: str
    month: str
    aligned: bool
    basis: str
    change: str
    cohort: str
    entity_id: str | None = None
    reasons: list[str]


class ChangesPage(BaseModel):
    """Decisions in the order in which they were made; ``next_since`` asks for those after them."""

    as_of: int
    changes: list[Changed]
    next_since: str | None = None


def own_word(done: Worked) -> ByOwnWord:
    """The person's own word."""
    result = done.ways.voluntary
    return ByOwnWord(
        outcome=result.outcome.value,
        reason=result.reason,
        entity_id=result.entity_id,
        designations=[
            DesignationJudged(
                entity_id=one.designated.entity_id,
                channel=one.designated.channel,
                signed_on=date.fromordinal(one.designated.signed_on),
                clinician_npi=one.designated.clinician_npi,
                withdrawn=one.designated.withdrawn,
                outcome=one.outcome.value,
                reason=one.reason,
                counts_from=month_at(one.counts_from),
                known_since=one.designated.sequence,
            )
            for one in result.judged
        ],
    )


def claims_shown(done: Worked, found: HangsOn | None) -> ByClaims:
    """Alignment by claims."""
    result = done.ways.claims
    return ByClaims(
        outcome=result.outcome.value,
        reason=result.reason,
        entity_id=result.entity_id,
        stage=result.stage,
        tie=result.tie,
        scores=[
            Scored(
                competitor=score.competitor.shown(),
                thirds=score.thirds,
                dollars=dollars_of(score.thirds),
                latest_visit=date.fromordinal(score.latest),
            )
            for score in result.scores
        ],
        hangs_on=visited(found),
    )


def visited(found: HangsOn | None) -> Visited | None:
    """The visit that decides, if one does."""
    if found is None:
        return None
    return Visited(
        on=date.fromordinal(found.day),
        clinician_npi=found.npi,
        worth=dollars_of(found.thirds),
        would_be=found.would_be,
    )


def ahead_shown(person_id: str, month: str, now: Standing, done: Forecast) -> Ahead:
    """What becomes of a person in a month to come."""
    return Ahead(
        person_id=person_id,
        kind=done.kind,
        from_month=month,
        entity_id=now.entity_id,
        next_entity_id=done.worked.computed.entity_id,
        path=done.worked.computed.path,
        reasons=list(done.worked.computed.reasons),
        hangs_on=visited(done.hangs_on),
    )
