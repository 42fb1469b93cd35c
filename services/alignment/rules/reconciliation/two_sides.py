"""One month: what CMS's newest report says of it, and what our predicates say.

Source: GPDC participation agreement, "Beneficiary Alignment Data": the monthly report tells who is aligned, who was removed,
from when and why. Our side is every predicate that alignment answers from other sources than the report; one that is
unknown speaks for nobody. Compared are the months up to the report's own from the first that it calls aligned: whom CMS
will align, nobody can foresee from an entity's own claims.
"""

from collections.abc import Mapping
from typing import NamedTuple

from contracts.alignment import Outcome
from services.alignment.rules.known_month import Answer, Verdict

# Answered from the report itself, so no word of ours.
_OF_THE_REPORT = frozenset({"NO_OVERLAP"})


class Sides(NamedTuple):
    """Both sides. ``reason``: CMS's, for a removal. ``failing``: our reasons, by predicate order."""

    entity_id: str
    theirs: bool
    reason: str | None
    failing: tuple[str, ...]
    their_evidence: str
    our_evidence: tuple[str, ...]

    @property
    def ours(self) -> bool:
        """Whether nothing that we know speaks against alignment."""
        return not self.failing


def two_sides(verdict: Verdict, found: Mapping[str, Answer]) -> Sides | None:
    """Both sides of a month; ``None`` where the report does not speak of it."""
    if verdict.kind not in {"aligned", "removed"} or verdict.stated is None:
        return None
    own = [answer for name, answer in found.items() if name not in _OF_THE_REPORT]
    against = [answer for answer in own if answer.outcome is Outcome.FAIL]
    evidence = (answer.evidence for answer in against or own if answer.outcome is not Outcome.UNKNOWN)
    return Sides(
        verdict.entity_id or "",
        verdict.kind == "aligned",
        None if verdict.kind == "aligned" else verdict.removal_reason or "BY_REPORT",
        tuple(answer.reason for answer in against if answer.reason),
        verdict.stated.evidence(),
        tuple(dict.fromkeys(one for one in evidence if one)),
    )
