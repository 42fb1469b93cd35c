"""What a model is trained on and judged by: a person on a day, and what came after."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.risk.rules.predictors import Candidate

HORIZON_DAYS: Final = 181
UNKNOWN: Final = "unknown"


class Planted(NamedTuple):
    """The true probability of an admission in the half year: with the chance that came about, and as of the day."""

    probability: float
    foreseeable: float


@dataclass(frozen=True, slots=True)
class History:
    """A person on the day of prediction; whether an avoidable admission followed; to which groups the person belongs.

    ``groups``: by characteristic (age, sex, race, dual status, residence) the group. ``planted``: of simulated people the
    true probability, and what of it could be known on the day; ``None`` of real ones.
    """

    candidate: Candidate
    avoidable: bool
    groups: Mapping[str, str]
    planted: Planted | None = None


def age_group(age: int) -> str:
    """Group an age as the table of fairness shows it."""
    return "under 65" if age < 65 else "65 to 79" if age < 80 else "80 and older"  # noqa: PLR2004 - as CMS groups ages
