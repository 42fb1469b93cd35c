"""How a decision differs from what was last decided for the month, or from the month before.

Source: GPDC participation agreement, "Beneficiary Alignment Data": people aligned, removed and added again.
"""

from contracts.alignment import DecisionChange
from services.alignment.rules.aligned import Alignment
from services.alignment.rules.known_month import Verdict


def change(now: Alignment, verdict: Verdict, before: Alignment | None) -> DecisionChange:
    """Name the change. ``before`` is the last decision for the same month, if there was one."""
    if now.aligned:
        return _gained(now, verdict, before)
    if before is None:
        return DecisionChange.REMOVED if verdict.leaves else DecisionChange.ELIGIBILITY_CHANGED
    return DecisionChange.REMOVED if before.aligned else DecisionChange.ELIGIBILITY_CHANGED


def _gained(now: Alignment, verdict: Verdict, before: Alignment | None) -> DecisionChange:
    if before is not None and before.aligned and before.basis == now.basis:
        return DecisionChange.ELIGIBILITY_CHANGED
    if now.basis == "forecast":
        return DecisionChange.FORECAST
    was_removed = before is not None and (before.reason or "").startswith("REMOVED_")
    return DecisionChange.REINSTATED if was_removed or verdict.returns else DecisionChange.ALIGNED
