"""On whose side of a comparison a person's month counts.

Source: the comparison population of CMS's Financial Alignment evaluations: full-benefit duals in fee-for-service
who could have been aligned and were not.
"""

from collections.abc import Mapping

from contracts.alignment import Outcome
from contracts.codes import Cohort, DecidedCohort
from services.alignment.rules.known_month import Answer

COMPARISON_NEEDS = ("A_AND_B", "NOT_IN_MA", "US_RESIDENT", "ALIVE", "FULL_DUAL")


def cohort(found: Mapping[str, Answer], *, aligned: bool) -> DecidedCohort:
    """Give aligned, comparison (all that it needs pass) or excluded."""
    if aligned:
        return Cohort.ALIGNED
    if all(found[name].outcome is Outcome.PASS for name in COMPARISON_NEEDS):
        return Cohort.COMPARISON
    return Cohort.EXCLUDED
