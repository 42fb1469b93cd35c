"""Which version of a claim stands after each delivery, and what every change of it moves.

Source: CMS T-MSIS Analytic File code (the newest adjudication of an original claim number stands); every
CCLF record is a record of its own (CCLF Information Packet v36.0, 5.3.1). The answer is a function of the
set of versions, whatever the order in which they came.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from services.cost_shift.rules.claim_contribution import Contribution

Cause = Literal["claims", "cancellations", "alignment"]
Series = tuple[str, str, bool, str]  # payer, category, crossover, basis


class ClaimVersion(NamedTuple):
    """One version of one claim, the delivery that made it known and the state that the delivery gave the person."""

    version: int
    sequence: int
    state: str
    withdrawn: bool
    contributions: tuple[Contribution, ...]


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

    What the version says is its source's and stands; the state is the earlier delivery's word.
    """
    versions = {known.version: known for known in history}
    known = versions.get(arrived.version)
    if known is not None:
        sequence, state = min((known.sequence, known.state), (arrived.sequence, arrived.state))
        arrived = known._replace(sequence=sequence, state=state)
    return tuple({**versions, arrived.version: arrived}.values())


def standing_changes(history: Iterable[ClaimVersion]) -> list[CostChange]:
    """What each delivery moved: the newer version minus the one that stood before."""
    changes: list[CostChange] = []
    standing: ClaimVersion | None = None
    for version in sorted(history, key=lambda known: (known.sequence, known.version)):
        if standing is not None and version.version <= standing.version:
            continue
        cause: Cause = "cancellations" if version.withdrawn else "claims"
        if standing is not None:
            changes.extend(_changes(standing, version.sequence, cause, -1))
        changes.extend(_changes(version, version.sequence, cause, 1))
        standing = version
    return changes


def _changes(version: ClaimVersion, sequence: int, cause: Cause, sign: int) -> Iterable[CostChange]:
    return (
        CostChange(sequence, cause, version.state, part[:4], part.month, sign * part.cents, sign * part.claims)
        for part in version.contributions
        if part.cents or part.claims
    )
