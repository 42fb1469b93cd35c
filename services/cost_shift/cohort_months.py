"""Reads both cohorts month by month, as of any revision, and how they differ."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.codes import Cohort, ServiceCategory
from services.cost_shift.completion import Completion
from services.cost_shift.county_cells import COHORTS, OF_NO_ENTITY, completed
from services.cost_shift.rules.county_panel import Series
from services.runtime.database import Connection

_PEOPLE = f"""
    SELECT cohort, month, sum(person_months)::bigint AS person_months FROM person_month_delta WHERE {COHORTS}
    GROUP BY cohort, month HAVING sum(person_months) > 0
"""  # noqa: S608 - constants
_COSTS = f"""
    SELECT cohort, month, payer, category, sum(cents)::bigint AS cents FROM cell_delta
    WHERE {COHORTS} AND basis IN ('services', 'both') AND category <> '{ServiceCategory.CAPITATION.value}'
    GROUP BY cohort, month, payer, category
"""  # noqa: S608 - constants

CohortMonth = tuple[bool, str]  # aligned, month


@dataclass(slots=True)
class CohortMonths:
    """Person-months and cents of the aligned of one entity and of the comparison."""

    people: dict[CohortMonth, int] = field(default_factory=dict)
    cents: dict[CohortMonth, dict[Series, int]] = field(default_factory=lambda: defaultdict(dict))

    def months(self) -> list[str]:
        """Those in which both cohorts have people, in order."""
        return sorted({month for _, month in self.people if {(True, month), (False, month)} <= self.people.keys()})

    def series(self) -> list[Series]:
        """Every series with a cost and the total of each payer that has one."""
        found = {series for costs in self.cents.values() for series in costs}
        return sorted(found | {(payer, "") for payer, _ in found})

    def per_person_month(self, completion: Completion, entity: str) -> dict[CohortMonth, dict[Series, float]]:
        """Completed cents per person-month. ``entity``: of the aligned."""
        found = {}
        for (aligned, month), count in self.people.items():
            costs = self.cents.get((aligned, month), {})
            whole = completed(month, costs, completion, entity if aligned else OF_NO_ENTITY)
            found[aligned, month] = {series: cents / count for series, cents in whole.items()}
        return found


def differences(
    means: dict[CohortMonth, dict[Series, float]], series: Series, months: Iterable[str]
) -> dict[str, float]:
    """By how many cents the aligned lie above the comparison."""
    return {month: means[True, month].get(series, 0.0) - means[False, month].get(series, 0.0) for month in months}


async def cohort_months(
    connection: Connection, revision: int, entity: str, states: list[str], months: tuple[str, str]
) -> CohortMonths:
    """The months from the first to the last, both included."""
    result = CohortMonths()
    parameters = (revision, states, *months, entity)
    for row in await connection.fetch(_PEOPLE, *parameters):
        result.people[row["cohort"] == Cohort.ALIGNED, row["month"]] = row["person_months"]
    for row in await connection.fetch(_COSTS, *parameters):
        result.cents[row["cohort"] == Cohort.ALIGNED, row["month"]][row["payer"], row["category"]] = row["cents"]
    return result
