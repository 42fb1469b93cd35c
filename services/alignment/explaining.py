"""A decision in plain words, for somebody who has to defend it: what counts, what CMS says, what we compute, and on what.

Knows no database: it is given what was known, and says it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from contracts.alignment import Outcome, PredicateResult
from contracts.months import first_day, month_at
from services.alignment.computing import Evidence, Lists, Worked
from services.alignment.rules.claims_based import ClaimsResult
from services.alignment.rules.retention import HangsOn, hangs_on
from services.alignment.rules.voluntary import Judged, VoluntaryResult
from services.alignment.statements import Fact

_ANSWERS = {Outcome.PASS: "yes", Outcome.FAIL: "no", Outcome.UNKNOWN: "nobody has said"}
_PREDICATES = {
    "A_AND_B": "has Part A and Part B",
    "NOT_IN_MA": "is in no Medicare health plan",
    "MEDICARE_PRIMARY": "Medicare pays first",
    "US_RESIDENT": "lives in the United States",
    "IN_SERVICE_AREA": "lives in the service area",
    "ALIVE": "was alive on the first of the month",
    "FULL_DUAL": "has full Medicaid benefits",
    "IN_OUR_MCO": "is in the entity's Medicaid plan",
    "NO_OVERLAP": "is in no other model",
}
_BASES = {"reported": "because CMS's alignment report says so", "forecast": "by forecast: no newer report has come"}
_REASONS = {
    "NOT_REPORTED": "no alignment report has named the person",
    "NOT_YET_ALIGNED": "the report's alignment begins later",
    "FORECAST_ENDED": "the last report left the alignment open, and what follows has ended it since",
    "DECEASED": "died before the month",
    "DUAL_LOST": "no dual status any more",
    "DUAL_PARTIAL": "partial Medicaid benefits only",
    "MCO_DISENROLLED": "not in the entity's Medicaid plan",
    "ENROLLED_MA": "in a Medicare health plan",
    "ENROLLED_COST": "in a cost plan",
    "ENROLLED_PACE": "in PACE",
    "LOST_PART_A": "no Part A",
    "LOST_PART_B": "no Part B",
}
_STAGES = {"primary_care": "primary care decides", "other_specialties": "too little primary care: specialists decide"}
_TIES = {
    "latest_service": "a tie, decided by the latest visit",
    "lowest_identifier": "a tie to the day, decided by the lower number: a convention of this installation",
    "undecided": "a tie that nothing decides",
}
_CHANNELS = {"medicare_gov": "on Medicare.gov", "signed_form": "on a signed form"}
_MOST_SCORES = 3


class Decided(NamedTuple):
    """The stored decision of the month, its predicates with IN_SERVICE_AREA in its place."""

    aligned: bool
    basis: str
    change: str
    entity_id: str | None
    reasons: tuple[str, ...]
    sequence: int
    predicates: tuple[PredicateResult, ...]


class Past(NamedTuple):
    """A decision that once stood for the month."""

    sequence: int
    received_on: date
    aligned: bool
    basis: str
    change: str


class Known(NamedTuple):
    """All that an explanation is made of. ``reports``: CMS's reports about the person, as facts."""

    person_id: str
    month: str
    as_of: int
    decided: Decided | None
    past: Sequence[Past]
    reports: Sequence[Fact]
    evidence: Evidence
    lists: Lists
    worked: Worked | None
    merged_into: str | None = None


def explanation(known: Known) -> list[str]:
    """The lines of it, from the answer to what it rests on."""
    lines = [f"{known.person_id} in {known.month}, as known at delivery {known.as_of}."]
    if known.merged_into is not None:
        return [*lines, f"This turned out to be {known.merged_into}: ask about them."]
    if known.decided is None:
        return [*lines, "No decision: by then nobody had said anything about the person in this month."]
    lines += [_answer(known.decided), "", "What CMS says", *_indented(_cms(known))]
    lines += ["", "Eligibility", *_indented(_predicate(one) for one in known.decided.predicates)]
    lines += ["", "What we compute", *_indented(_computed(known))]
    return [*lines, "", "How it came to this", *_indented(_past(one) for one in known.past)]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _answer(decided: Decided) -> str:
    since = f"known since delivery {decided.sequence}"
    if decided.aligned:
        return f"Counts for {decided.entity_id}, {_BASES[decided.basis]} ({since})."
    return f"Does not count: {'; '.join(map(_reason, decided.reasons)) or 'no reason stored'} ({since})."


def _reason(code: str) -> str:
    removed = code.removeprefix("REMOVED_")
    if removed != code:
        return f"CMS's report ended the alignment ({removed})"
    return f"{_REASONS[code]} ({code})" if code in _REASONS else code


def _cms(known: Known) -> Iterator[str]:
    if not known.reports:
        yield "No alignment report has named the person."
    for fact in sorted(known.reports, key=lambda one: (one.report_month or 0, one.stated_on, one.sequence))[
        -_MOST_SCORES:
    ]:
        spans = "; ".join(
            f"{month_at(span.first)} to {'on' if span.last is None else month_at(span.last)}"
            + (f", removed: {span.removal_reason}" if span.removal_reason else "")
            for span in fact.aligned
        )
        said = dict(fact.said)
        basis = f", by {said['basis']}" if "basis" in said else ""
        yield (
            f"{fact.entity_id}, report for {month_at(fact.report_month or 0)} of {date.fromordinal(fact.stated_on)}"
            f" (delivery {fact.sequence}): aligned {spans}{basis}"
        )


def _predicate(one: PredicateResult) -> str:
    reason = f", {one.reason}" if one.reason else ""
    evidence = f" ({one.evidence})" if one.evidence else ""
    return f"{_PREDICATES.get(one.name, one.name)}: {_ANSWERS[one.outcome]}{reason}{evidence}"


def _computed(known: Known) -> Iterator[str]:
    worked = known.worked
    if worked is None:
        yield "Nothing: no policy pack says how the month's performance year is aligned."
        return
    yield _verdict(worked)
    if known.decided is not None and _differs(known.decided, worked):
        yield "This is not what counts: CMS decides, and the difference is what to raise with it."
    yield f"by the person's own word: {_voluntary(worked.ways.voluntary)}"
    yield from (f"  {_judged(one)}" for one in worked.ways.voluntary.judged)
    roster = worked.ways.roster
    yield f"by the plan's roster: {_ANSWERS[roster.outcome]}{f', {roster.reason}' if roster.reason else ''}"
    years = ", ".join(
        f"{date.fromordinal(one.first)} to {date.fromordinal(one.last)}" for one in worked.pack.alignment_years
    )
    yield f"by claims of {years}: {_claims(worked.ways.claims)}"
    yield from _scores(worked.ways.claims)
    found = hangs_on(known.evidence.visits, known.lists.participants, worked.pack, worked.year, worked.ways.claims)
    if worked.ways.claims.scores:
        yield f"  {_hanging(found)}"


def _verdict(worked: Worked) -> str:
    done = worked.computed
    if done.outcome is Outcome.PASS:
        return f"Aligned to {done.entity_id}, by {done.path}."
    start = "Not aligned" if done.outcome is Outcome.FAIL else "Not to be said"
    return f"{start}: {', '.join(done.reasons)}."


def _differs(decided: Decided, worked: Worked) -> bool:
    if worked.computed.outcome is Outcome.UNKNOWN:
        return False
    return decided.aligned is not (worked.computed.outcome is Outcome.PASS)


def _voluntary(result: VoluntaryResult) -> str:
    return f"{_ANSWERS[result.outcome]}{f', {result.reason}' if result.reason else ''}"


def _judged(one: Judged) -> str:
    designated = one.designated
    what = "withdrawn" if designated.withdrawn else f"clinician {designated.clinician_npi or 'not named'}"
    signed = date.fromordinal(designated.signed_on)
    worth = "valid" if one.outcome is Outcome.PASS else one.reason
    return (
        f"{signed} {_CHANNELS.get(designated.channel, designated.channel)}, {what}: {worth}, "
        f"counts from {first_day(month_at(one.counts_from))} (delivery {designated.sequence})"
    )


def _claims(result: ClaimsResult) -> str:
    said = [_ANSWERS[result.outcome]]
    said += [result.reason] if result.reason else []
    said += [_STAGES[result.stage]] if result.stage else []
    said += [_TIES[result.tie]] if result.tie else []
    return ", ".join(said)


def _scores(result: ClaimsResult) -> Iterator[str]:
    for score in result.scores[:_MOST_SCORES]:
        yield f"  {score.competitor.shown()}: {dollars_of(score.thirds)}, latest visit {date.fromordinal(score.latest)}"
    if len(result.scores) > _MOST_SCORES:
        yield f"  and {len(result.scores) - _MOST_SCORES} with less"


def dollars_of(thirds: int) -> str:
    """Thirds of a cent as dollars and cents, rounded down, for reading only."""
    cents = thirds // 3
    return f"${cents // 100:,}.{cents % 100:02d}"


def _hanging(found: HangsOn | None) -> str:
    if found is None:
        return "no single visit decides it"
    would_be = f"it would be {found.would_be}" if found.would_be else "there would be nobody"
    return (
        f"it hangs on the visit of {date.fromordinal(found.day)} to {found.npi or 'nobody named'}: "
        f"without it, {would_be}"
    )


def _past(one: Past) -> str:
    what = f"counts ({one.basis})" if one.aligned else "does not count"
    return f"delivery {one.sequence}, received {one.received_on}: {what}, {one.change.replace('_', ' ')}"
