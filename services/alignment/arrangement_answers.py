"""The shapes of answers about arrangements, reconciliation and work items."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

_PERSON = "p5f2a7c01b9e84d36f0c2a6b8d1e4f730"


def _example(said: dict[str, JsonValue]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [said]})


class Standing(BaseModel):
    """How a person stands to one arrangement: member, eligible, opted_out, excluded or unknown, and why."""

    model_config = _example(
        {
            "arrangement": "dsnp_fide", "standing": "member", "pack": "dsnp_fide", "way": "voluntary",
            "enrolment": "exclusively_aligned", "plan": "H9030-003", "reasons": [],
        }
    )  # fmt: skip

    arrangement: str
    standing: str
    pack: str
    way: str | None
    enrolment: str | None
    plan: str | None
    reasons: list[str]


class MonthStandingsAnswer(BaseModel):
    """A month: the arrangements that the person is in, every standing, and what keeps the answer open."""

    month: str
    known_since: int
    county_fips: str | None
    members: list[str]
    standings: list[Standing]
    open_reasons: list[str]


class PersonArrangements(BaseModel):
    """Every month of a person."""

    person_id: str
    as_of: int
    months: list[MonthStandingsAnswer]


class ConditionAnswer(BaseModel):
    """One condition of a programme, its answer and what that rests on."""

    name: str
    outcome: str
    reason: str | None
    evidence: str | None


class ProgrammeAnswer(BaseModel):
    """One programme in force in the person's state and month: who says that the person is in it, and every condition."""

    pack: str
    title: str
    arrangement: str
    standing: str | None
    member_since: str | None
    evidence: str | None
    conditions: list[ConditionAnswer]


class MonthWhy(BaseModel):
    """Why a month is as it is, as the packs in force now answer it from what was known then."""

    person_id: str
    month: str
    as_of: int
    state: str
    programmes: list[ProgrammeAnswer]
    open_reasons: list[str]


class Share(BaseModel):
    """People of one month, state and county by arrangement.

    ``participation``: members of those who could be (members, eligible, opted out). ``opt_out``: who chose to stay out,
    of the same. ``churn``: who left since the month before, of that month's members. Null where nobody could be, or nobody can know who could.
    """

    model_config = _example(
        {
            "month": "2022-03", "state": "OH", "county_fips": "39049", "arrangement": "medicare_medicaid_plan", "people": 800,
            "members": 40, "eligible": 118, "opted_out": 2, "disputed": 0, "joined": 3, "left": 1, "members_before": 38,
            "participation": 0.25, "opt_out": 0.0125, "churn": 0.0263,
        }
    )  # fmt: skip

    month: str
    state: str
    county_fips: str | None
    arrangement: str
    people: int
    members: int
    eligible: int
    opted_out: int
    disputed: int
    joined: int
    left: int
    members_before: int
    participation: float | None
    opt_out: float | None
    churn: float | None


class Shares(BaseModel):
    """Arrangement shares; ``none`` is in no arrangement."""

    as_of: int
    shares: list[Share]


class ArrangementMember(BaseModel):
    """Somebody who stands to an arrangement in the month."""

    person_id: str
    county_fips: str | None
    standing: str
    way: str | None
    enrolment: str | None
    plan: str | None
    reasons: list[str]
    known_since: int


class ArrangementMembers(BaseModel):
    """One page; ``next_after`` asks for the next one."""

    month: str
    arrangement: str
    as_of: int
    people: list[ArrangementMember]
    next_after: str | None


class DifferenceAnswer(BaseModel):
    """A month about which CMS's report and our predicates differ, with the evidence of both sides.

    ``forecast``: what was said of the month before the report first spoke of it. ``claims_not_shared``: the person does not
    let Medicare share claims with the entity; alignment is as it was.
    """

    model_config = _example(
        {
            "person_id": _PERSON, "state": "OH", "entity_id": "D9001", "month": "2022-03", "outcome": "different_reason",
            "theirs": False, "their_reason": "LEFT_MCO", "their_evidence": ["alignment report 2022-03-10"], "ours": False,
            "our_reasons": ["DUAL_PARTIAL"], "our_evidence": ["834 2022-03-10"], "forecast": "not_aligned",
            "known_since": 41, "differs_since": 41, "differs_since_time": "2022-03-11T06:00:00Z", "age_days": 31,
            "claims_not_shared": False, "resolution": "disputed", "closed_by": "j.doe",
            "closed_at": "2022-04-11T09:30:00Z", "note": "Sent with the April dispute file.",
        }
    )  # fmt: skip

    person_id: str
    state: str
    entity_id: str
    month: str
    outcome: str
    theirs: bool
    their_reason: str | None
    their_evidence: list[str]
    ours: bool
    our_reasons: list[str]
    our_evidence: list[str]
    forecast: str
    known_since: int
    differs_since: int
    differs_since_time: datetime
    age_days: int
    claims_not_shared: bool
    resolution: str | None
    closed_by: str | None
    closed_at: datetime | None
    note: str | None


class QueueAnswer(BaseModel):
    """One page of the reconciliation queue; ``next_after`` asks for the next one."""

    as_of: int
    differences: list[DifferenceAnswer]
    next_after: str | None


class ReconciledMonthCount(BaseModel):
    """Person-months of a reported month: aligned by both sides, and each sort of difference."""

    entity_id: str
    month: str
    agreed: int
    only_ours: int
    only_theirs: int
    different_month: int
    different_reason: int
    closed: int


class ClosingAnswer(BaseModel):
    """What was decided about a difference, by whom and why."""

    person_id: str
    entity_id: str
    month: str
    outcome: str
    resolution: str
    actor: str
    note: str
    closed_at: datetime


class WorkItemAnswer(BaseModel):
    """Something to do about a person."""

    model_config = _example(
        {
            "person_id": _PERSON, "kind": "part_a_buy_in", "state": "OH", "month": "2022-03",
            "reasons": ["PART_B_ONLY", "QMB"], "evidence": ["CCLF8 2022-03-20"], "known_since": 41,
            "since_time": "2022-03-11T06:00:00Z",
        }
    )  # fmt: skip

    person_id: str
    kind: str
    state: str
    month: str
    reasons: list[str]
    evidence: list[str]
    known_since: int
    since_time: datetime


class WorkItems(BaseModel):
    """One page; ``next_after`` asks for the next one."""

    as_of: int
    items: list[WorkItemAnswer]
    next_after: str | None


class PackAnswer(BaseModel):
    """A programme's policy pack: where and when it is in force, and every value with its source."""

    name: str
    title: str
    arrangement: str
    states: list[str]
    first_month: str
    last_month: str | None
    parameters: list[dict[str, Any]]


class ExclusiveGroupAnswer(BaseModel):
    """Arrangements of which a person is in one at most, earlier tiers first, and why."""

    name: str
    tiers: list[list[str]]
    why: str
    source: str
    status: str


class ArrangementPolicyAnswer(BaseModel):
    """All packs and what excludes what."""

    packs: list[PackAnswer]
    exclusive_groups: list[ExclusiveGroupAnswer]
