"""What we compute for a month, beside what CMS says: eligible by every predicate, and aligned by the first way there is.

Source: GPDC participation agreement, Appendix B (eligibility); the order of the ways is a value of the pack. CMS's report
decides: this is what a forecast and a difference rest on, and it changes no decision.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from contracts.alignment import Outcome
from services.alignment.paths_policy import PathName
from services.alignment.rules.by_roster import RosterResult
from services.alignment.rules.claims_based import ClaimsResult
from services.alignment.rules.known_month import Answer
from services.alignment.rules.voluntary import VoluntaryResult


class Ways(NamedTuple):
    """Every way to alignment, judged by itself."""

    voluntary: VoluntaryResult
    roster: RosterResult
    claims: ClaimsResult


class Computed(NamedTuple):
    """Aligned (pass), not aligned (fail) or not to be said; to whom, by which way, and why not."""

    outcome: Outcome
    entity_id: str | None = None
    path: PathName | None = None
    reasons: tuple[str, ...] = ()


def barred(predicates: Mapping[str, Answer], tolerated_unknowns: Collection[str]) -> Computed | None:
    """Say why nobody could align the person in the month; ``None`` for somebody who is eligible."""
    failed = tuple(one.reason or name for name, one in predicates.items() if one.outcome is Outcome.FAIL)
    if failed:
        return Computed(Outcome.FAIL, reasons=failed)
    open_ = tuple(
        one.reason or name
        for name, one in predicates.items()
        if one.outcome is Outcome.UNKNOWN and name not in tolerated_unknowns
    )
    return Computed(Outcome.UNKNOWN, reasons=open_) if open_ else None


def by_ways(ways: Ways, order: Iterable[PathName]) -> Computed:
    """Align an eligible person by the first way that does. A way that is not in the order is no way."""
    reasons, is_open = [], False
    for path in order:
        way: VoluntaryResult | RosterResult | ClaimsResult = getattr(ways, path)
        if way.outcome is Outcome.PASS:
            # An earlier way of which nothing is known does not take a later one's answer away.
            return Computed(Outcome.PASS, way.entity_id, path)
        is_open = is_open or way.outcome is Outcome.UNKNOWN
        reasons.append(f"{path.upper()}: {way.reason}")
    return Computed(Outcome.UNKNOWN if is_open else Outcome.FAIL, reasons=tuple(reasons))
