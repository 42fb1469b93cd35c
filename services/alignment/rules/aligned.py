"""Whether a month counts as aligned. CMS decides; a predicate that disagrees is shown, not obeyed.

Source: GPDC participation agreement, "Beneficiary Alignment Data" (the monthly alignment report). After the
report's month an alignment that goes on is forecast for as long as no predicate ends it.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from contracts.alignment import Outcome
from services.alignment.programme import Programme
from services.alignment.rules.known_month import Answer, Verdict

Basis = Literal["reported", "forecast", "none"]


class Alignment(NamedTuple):
    """Aligned or not, on what basis, and the reason if not."""

    aligned: bool
    basis: Basis
    reason: str | None = None


_WITHOUT = {"before": "NOT_YET_ALIGNED", "unreported": "NOT_REPORTED"}
_LONGEST_REASON = 40


def alignment(verdict: Verdict, found: Mapping[str, Answer], programme: Programme) -> Alignment:
    """Decide from the report's verdict and, after the report's month, the predicates."""
    if verdict.kind == "aligned":
        return Alignment(True, "reported")
    if verdict.kind == "removed":
        return Alignment(False, "none", f"REMOVED_{verdict.removal_reason or 'BY_REPORT'}"[:_LONGEST_REASON])
    if verdict.kind != "ongoing":
        return Alignment(False, "none", _WITHOUT[verdict.kind])
    if any(_ends(name, answer, programme) for name, answer in found.items()):
        return Alignment(False, "none", "FORECAST_ENDED")
    return Alignment(True, "forecast")


def _ends(name: str, answer: Answer, programme: Programme) -> bool:
    if answer.outcome is Outcome.UNKNOWN:
        return name not in programme.tolerated_unknowns
    return answer.outcome is Outcome.FAIL
