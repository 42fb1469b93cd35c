"""The descriptive difference in differences: arithmetic on published figures, without inference.

(aligned after - aligned before) - (comparison after - comparison before), each in exact cents per person-month.
It says what the figures did, not what caused it: no interval, no adjustment for who the people are, no allowance
for claims still to come. The outline is that of the evaluation which CMS announced with the Massachusetts
demonstration (fact sheet, 2012-08-23): expenditure of both programmes against a comparison group.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from contracts.money import per_month


class Spending(NamedTuple):
    """Cents over a number of person-months."""

    cents: int
    person_months: int

    def per_person_month(self) -> Fraction | None:
        """Exact cents per person-month; ``None`` without a person-month."""
        return per_month(self.cents, self.person_months)


NOTHING = Spending(0, 0)


@dataclass(frozen=True, slots=True)
class BeforeAndAfter:
    """One cohort in the two windows."""

    before: Spending
    after: Spending

    def change(self) -> Fraction | None:
        """Change of cents per person-month; ``None`` where a window holds nobody."""
        before, after = self.before.per_person_month(), self.after.per_person_month()
        return None if before is None or after is None else after - before


def descriptive_effect(aligned: BeforeAndAfter, comparison: BeforeAndAfter) -> Fraction | None:
    """How much more the aligned cohort's cost changed than the comparison cohort's, in cents per person-month."""
    own, other = aligned.change(), comparison.change()
    return None if own is None or other is None else own - other
