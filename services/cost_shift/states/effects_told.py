"""Which of an entity's effects others may be told: those behind which enough people stand, and enough of them with a cost.

People are those of the very cells that an effect was estimated from. Who had a cost is known from what may be shown: a figure that is shown
alone is of enough claimants (rule ``disclosure``), and of a category that is shown only together with others nothing is told.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from contracts.codes import Cohort, Payer
from services.cost_shift.completion import TOTAL
from services.cost_shift.county_cells import CountyCells
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.rules.enough_people import Behind, enough_people
from services.cost_shift.states.reading import Known, PeopleQuery, figures
from services.runtime.database import Connection

Months = tuple[str, str]  # first and last, both included
CohortMonth = tuple[bool, str]  # aligned, month
_ALL: Final = 1_000_000
_BY: Final = ("payer", "category", "month")
_COHORTS: Final = (True, False)


@dataclass(frozen=True, slots=True)
class Standing:
    """Of both cohorts by month: people, the series that had a claim, and how many claims of them are shown."""

    people: Counter[CohortMonth] = field(default_factory=Counter)
    claimed: set[tuple[CohortMonth, Series]] = field(default_factory=set)
    shown: Counter[tuple[CohortMonth, Series]] = field(default_factory=Counter)

    @classmethod
    def of(cls, cells: CountyCells, aligned: Iterable[Known], comparison: Iterable[Known]) -> Self:
        """From the cells of an answer, and from figures by payer, category and month."""
        standing = cls()
        for key, people in cells.people.items():
            standing.people[key.aligned, key.month] += people
        for key, costs in cells.cents.items():
            for series, cents in costs.items():
                if cents or cells.claims[key].get(series):
                    payer, _ = series
                    standing.claimed.update(((key.aligned, key.month), one) for one in (series, (payer, TOTAL)))
        for side, rows in ((True, aligned), (False, comparison)):
            for row in rows:
                payer, category, month = row.key
                standing.shown[(side, month), (payer, TOTAL)] += abs(row.claims)
                # Of a category that is shown only together with others nothing is told.
                standing.shown[(side, month), (payer, category)] += 0 if row.grouped else abs(row.claims)
        return standing

    def tells(self, series: Iterable[Series], windows: Sequence[Months], smallest: int) -> bool:
        """Whether an effect on some series, between some windows, may be told."""
        groups = (
            self._behind(aligned, months, one) for one in series for months in windows for aligned in _COHORTS
        )  # fmt: skip
        return enough_people(groups, smallest)

    def tells_anything(self, windows: Sequence[Months], smallest: int) -> bool:
        """Whether there are people enough in some windows, whatever they cost."""
        groups = (
            Behind(self._most(self._months(aligned, months)), 0) for months in windows for aligned in _COHORTS
        )  # fmt: skip
        return enough_people(groups, smallest)

    def _months(self, aligned: bool, months: Months) -> list[CohortMonth]:  # noqa: FBT001 - the cohort
        return [one for one in self.people if one[0] is aligned and months[0] <= one[1] <= months[1]]

    def _most(self, months: Sequence[CohortMonth]) -> int:
        """The most people in any month: at least so many different ones were there."""
        return max((self.people[one] for one in months), default=0)

    def _behind(self, aligned: bool, months: Months, series: Series) -> Behind:  # noqa: FBT001 - the cohort
        """Without any claim nobody had a cost; else at least one person, so that too few is not taken for none."""
        used = self._months(aligned, months)
        claimed = any((one, series) in self.claimed for one in used)
        return Behind(self._most(used), max(1, sum(self.shown[one, series] for one in used)) if claimed else 0)


async def standing_of(connection: Connection, revision: int, entity: str, cells: CountyCells, span: Months) -> Standing:
    """Of the aligned of an entity and of the comparison, from the first month of any window to the last."""
    aligned = PeopleQuery(revision, None, entity, Cohort.ALIGNED.value, *span)
    comparison = PeopleQuery(revision, None, None, Cohort.COMPARISON.value, *span)
    return Standing.of(
        cells,
        await figures(connection, aligned, None, None, _BY, _ALL, 0),
        await figures(connection, comparison, None, None, _BY, _ALL, 0),
    )


def totals(payers: Iterable[Payer] = Payer) -> list[Series]:
    """All services of each payer."""
    return [(payer.value, TOTAL) for payer in payers]
