"""NO_OVERLAP: not aligned or assigned to another shared-savings model at the same time.

Source: GPDC participation agreement, "Prospective Plus Alignment". CMS has checked it where it reports the month as
aligned; nobody tells an entity about other models otherwise.
"""

from contracts.alignment import Outcome
from services.alignment.rules.known_month import Answer, KnownMonth, passes, unknown


def no_overlap(known: KnownMonth) -> Answer:
    """Judge by the alignment reports that there are."""
    verdict = known.verdict
    if verdict.claimed_by_others:
        return Answer(Outcome.FAIL, "OVERLAP_REACH", verdict.stated.evidence() if verdict.stated else None)
    if verdict.kind == "aligned" and verdict.stated is not None:
        return passes(verdict.stated)
    return unknown("OTHER_MODELS_NOT_STATED")
