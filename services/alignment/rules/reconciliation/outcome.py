"""What the sides of a person's months come to: agreed, only ours, only theirs, another month, another reason.

CMS's reason tells why an alignment ended, so it is compared in the first month in which both sides call the person not
aligned; why somebody stays out later is nobody's dispute. Of two neighbouring months, both sides may make the same change, one earlier than the other: then what differs in between
is the month, not whether. A stretch of months that differ alike is that where both sides agree before it and after it, and
the side that changes at its end changes as the other did at its beginning.
"""

from collections.abc import Callable, Mapping

from contracts.reconciliation import Outcome
from services.alignment.review_policy import ReviewPolicy
from services.alignment.rules.reconciliation.two_sides import Sides

SidesOf = Callable[[int], Sides | None]
_ONE_SIDED = frozenset({"only_ours", "only_theirs"})


def alone(month: int, sides: SidesOf, policy: ReviewPolicy) -> Outcome | None:
    """The month by itself, and whether both sides are out of it for the first time; ``None`` where it is not compared."""
    here, before = sides(month), sides(month - 1)
    if here is None:
        return None
    if here.theirs:
        return "agreed" if here.ours else "only_theirs"
    if here.ours:
        return "only_ours"
    if before is not None and not before.theirs and not before.ours:
        return "agreed"
    same = here.reason is not None and policy.same_reason(here.reason, frozenset(here.failing))
    return "agreed" if same else "different_reason"


def stretch_of(month: int, sides: SidesOf, policy: ReviewPolicy) -> range:
    """The neighbouring months that one side alone calls aligned, as it does this one; empty where both agree of it."""
    kind = alone(month, sides, policy)
    if kind not in _ONE_SIDED:
        return range(month, month)
    first, last = month, month
    while alone(first - 1, sides, policy) == kind:
        first -= 1
    while alone(last + 1, sides, policy) == kind:
        last += 1
    return range(first, last + 1)


def outcome(month: int, sides: SidesOf, policy: ReviewPolicy) -> Outcome | None:
    """What a month comes to, in the light of its neighbours; ``None`` where it is not compared."""
    stretch = stretch_of(month, sides, policy)
    if stretch:
        before, after = sides(stretch.start - 1), sides(stretch.stop)
        if after is not None and _same_change(before, after, alone(stretch.stop, sides, policy)):
            return "different_month"
    return alone(month, sides, policy)


def _same_change(before: Sides | None, after: Sides, outcome_after: Outcome | None) -> bool:
    """Both agree after the stretch, and agreed on the contrary before it; before the first month nobody was aligned."""
    aligned_before = before is not None and before.theirs
    agreed_before = before is None or before.theirs == before.ours
    return agreed_before and outcome_after == "agreed" and after.theirs != aligned_before


def hanging_on(month: int, sides: SidesOf, policy: ReviewPolicy) -> set[int]:
    """Months whose outcome may change with this one: the next, and the stretches on both sides of it."""
    return {month, month + 1, *stretch_of(month - 1, sides, policy), *stretch_of(month + 1, sides, policy)}


def outcomes(months: Mapping[int, Sides], policy: ReviewPolicy) -> dict[int, Outcome]:
    """What every month comes to."""
    found = ((month, outcome(month, months.get, policy)) for month in sorted(months))
    return {month: one for month, one in found if one is not None}
