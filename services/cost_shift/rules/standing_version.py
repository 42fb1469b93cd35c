"""Which version of a claim stands after each delivery, and what every change of it moves.

Source: CMS T-MSIS Analytic File code (the newest adjudication of an original claim number stands); every
CCLF record is a record of its own (CCLF Information Packet v36.0, 5.3.1). The answer is a function of the
set of versions, whatever the order in which they came.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from services.cost_shift.rules.claim_contribution import Contribution

Cause = Literal["claims", "cancellations", "alignment"]
Series = tuple[str, str, bool, str]  # payer, category, crossover, basis


class ClaimVersion(NamedTuple):
    """One version of one claim, the delivery that made it known and the state that the delivery gave the person.

    ``alias``: by what the source named the person. What was said of somebody else, who turned out to be this person,
    counts from ``since`` on (``None``: from its own delivery on); what turned out to be another's, no more from ``until``.
    """

    version: int
    sequence: int
    state: str
    withdrawn: bool
    contributions: tuple[Contribution, ...]
    alias: str = ""
    since: int | None = None
    until: int | None = None

    def counts_at(self, sequence: int) -> bool:
        """Whether it counts under this person as known at a delivery."""
        since = self.sequence if self.since is None else self.since
        return since <= sequence and (self.until is None or sequence < self.until)


class CostChange(NamedTuple):
    """Cents and claims of one series and month that became known with ``sequence``."""

    sequence: int
    cause: Cause
    state: str
    series: Series
    month: str
    cents: int
    claims: int


def with_version(history: Iterable[ClaimVersion], arrived: ClaimVersion) -> tuple[ClaimVersion, ...]:
    """The history with one more version; the same version again only counts from the earlier delivery.

    What the version says is its source's and stands; the state is the earlier delivery's word. What was moved from or to
    somebody else stays as it is.
    """
    versions = tuple(history)
    for place, known in enumerate(versions):
        if (known.alias, known.version, known.since) != (arrived.alias, arrived.version, None):
            continue
        if known.until is not None and known.until <= arrived.sequence:
            continue
        sequence, state = min((known.sequence, known.state), (arrived.sequence, arrived.state))
        return (*versions[:place], known._replace(sequence=sequence, state=state), *versions[place + 1 :])
    return (*versions, arrived)


def standing_changes(history: Iterable[ClaimVersion]) -> list[CostChange]:
    """What each delivery moved: the newer version minus the one that stood before.

    Where a delivery said that versions are another person's, what stood here goes and what counts from then on stands.
    """
    versions = tuple(history)
    moves = {version.since for version in versions} | {version.until for version in versions}
    changes: list[CostChange] = []
    standing: ClaimVersion | None = None
    own = sorted((one for one in versions if one.since is None), key=lambda known: (known.sequence, known.version))
    for version in own if moves == {None} else ():
        if standing is None or version.version > standing.version:
            changes.extend(_replaced(standing, version, version.sequence, _cause(version)))
            standing = version
    return changes if moves == {None} else list(_changes_with_moves(versions, own, moves - {None}))


def _changes_with_moves(
    versions: tuple[ClaimVersion, ...], own: list[ClaimVersion], moves: set[int | None]
) -> Iterator[CostChange]:
    standing: ClaimVersion | None = None
    for mark in sorted({version.sequence for version in own} | {move for move in moves if move is not None}):
        for version in (version for version in own if version.sequence == mark):
            if standing is None or version.version > standing.version:
                yield from _replaced(standing, version, mark, _cause(version))
                standing = version
        if mark in moves:
            now = max((one for one in versions if one.counts_at(mark)), key=_standing, default=None)
            if now != standing:
                # What is counted elsewhere is no other cost.
                yield from _replaced(standing, now, mark, "alignment")
                standing = now


def _standing(version: ClaimVersion) -> tuple[int, int, str]:
    """Of the same version by several names, what was said first; that order is the same whoever says it."""
    return version.version, -version.sequence, version.alias


def _cause(version: ClaimVersion) -> Cause:
    return "cancellations" if version.withdrawn else "claims"


def _replaced(
    before: ClaimVersion | None, after: ClaimVersion | None, sequence: int, cause: Cause
) -> Iterator[CostChange]:
    if before is not None:
        yield from _changes(before, sequence, cause, -1)
    if after is not None:
        yield from _changes(after, sequence, cause, 1)


def _changes(version: ClaimVersion, sequence: int, cause: Cause, sign: int) -> Iterable[CostChange]:
    return (
        CostChange(sequence, cause, version.state, part[:4], part.month, sign * part.cents, sign * part.claims)
        for part in version.contributions
        if part.cents or part.claims
    )
