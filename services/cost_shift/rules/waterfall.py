"""From a figure as of one revision to the same as of another, cause by cause, so that it adds up to the cent.

Causes are what restatements keep (docs/cost-shift.md): claims that came in or were adjusted, cancellations and voids, decisions about
alignment, dual status and residence. Names are those that readers of a restated figure use.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Step = Literal["late_claims", "cancellations", "retroactive_alignment", "dual_status_change", "change_of_residence"]
STEP_OF_CAUSE: Final[dict[str, Step]] = {
    "claims": "late_claims",
    "cancellations": "cancellations",
    "alignment": "retroactive_alignment",
    "dual_status": "dual_status_change",
    "residence": "change_of_residence",
}


class Amounts(NamedTuple):
    """Cents and claims."""

    cents: int
    claims: int

    def plus(self, other: "Amounts") -> "Amounts":
        """Both together."""
        return Amounts(self.cents + other.cents, self.claims + other.claims)


class Fall(NamedTuple):
    """One step: what it adds, and what the figure has come to with it."""

    step: Step
    added: Amounts
    reached: Amounts


class DoesNotAddUpError(AssertionError):
    """Causes do not lead from the first figure to the last: something was restated without one."""


def waterfall(first: Amounts, causes: Mapping[str, Amounts], last: Amounts) -> list[Fall]:
    """The steps in one fixed order, without those that add nothing. Raises :class:`DoesNotAddUpError`."""
    reached, falls = first, []
    for cause, step in STEP_OF_CAUSE.items():
        added = causes.get(cause, Amounts(0, 0))
        if added != (0, 0):
            reached = reached.plus(added)
            falls.append(Fall(step, added, reached))
    if reached != last or causes.keys() - STEP_OF_CAUSE.keys():
        raise DoesNotAddUpError(f"{first} with {dict(causes)} is not {last}")
    return falls
