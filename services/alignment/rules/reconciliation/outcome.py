"""What the sides of a person's months come to: agreed, only ours, only theirs, another month, another reason.

CMS's reason tells why an alignment ended, so it is compared in the first month in which both sides call the person not
aligned; why somebody stays out later is nobody's dispute. Of two neighbouring months, both sides may make the same change, one earlier than the other: then what differs in between
is the month, not whether. A stretch of months that differ alike is that where both sides agree before it and after it, and
the side that changes at its end changes as the other did at its beginning.
"""

from collections.abc import Mapping

from contracts.reconciliation import Outcome
from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.reconciliation.two_sides import Sides


def _alone(sides: Sides, before: Sides | None, policy: ReviewPolicy) -> Outcome:
    """The month by itself, and whether both sides are out of it for the first time."""
    if sides.theirs:
        return "agreed" if sides.ours else "only_theirs"
    if sides.ours:
        return "only_ours"
    if before is not None and not before.theirs and not before.ours:
        return "agreed"
    same = sides.reason is not None and policy.same_reason(sides.reason, frozenset(sides.failing))
    return "agreed" if same else "different_reason"


def outcomes(months: Mapping[int, Sides], policy: ReviewPolicy) -> dict[int, Outcome]:
    """The outcome of every month, in the light of its neighbours."""
    found = {month: _alone(sides, months.get(month - 1), policy) for month, sides in sorted(months.items())}
    for stretch in _stretches(found):
        before, after = months.get(stretch[0] - 1), months.get(stretch[-1] + 1)
        if after is not None and _same_change(before, after, found.get(stretch[-1] + 1)):
            found.update(dict.fromkeys(stretch, "different_month"))
    return found


def _same_change(before: Sides | None, after: Sides, outcome_after: Outcome | None) -> bool:
    """Both agree after the stretch, and agreed on the contrary before it; before the first month nobody was aligned."""
    aligned_before = before is not None and before.theirs
    agreed_before = before is None or before.theirs == before.ours
    return agreed_before and outcome_after == "agreed" and after.theirs != aligned_before


def _stretches(found: Mapping[int, Outcome]) -> list[range]:
    """Neighbouring months that only one side calls aligned, the same side in all."""
    stretches: list[range] = []
    for month, outcome in found.items():
        if outcome not in {"only_ours", "only_theirs"}:
            continue
        if stretches and stretches[-1].stop == month and found[stretches[-1].start] == outcome:
            stretches[-1] = range(stretches[-1].start, month + 1)
        else:
            stretches.append(range(month, month + 1))
    return stretches
