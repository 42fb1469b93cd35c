"""Whether other people, and not other costs, are behind an effect.

Traits are those of people when they were first seen, so that they change only with who is there. A trait passes when the aligned
did not part from the comparison by more than is material and more than chance does, allowing for all traits that were looked at; where
too few have it told, nobody can tell.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["passed", "failed", "not_told"]


@dataclass(frozen=True, slots=True)
class TraitDifference:
    """By how much a trait of the aligned parted from the comparison; ``known``: of how large a share of person-months it is told.

    ``chance``: the p-value of no difference, adjusted for all traits.
    """

    name: str
    difference: float
    limits: tuple[float, float] | None
    material: float
    known: float
    chance: float


def verdict(found: TraitDifference, least_known: float, error: float) -> Verdict:
    """Failed: the difference is told from nothing and as large as is material. Without an end of the interval nobody can tell."""
    if found.known < least_known or found.limits is None:
        return "not_told"
    return "failed" if found.chance <= error and abs(found.difference) >= found.material else "passed"
