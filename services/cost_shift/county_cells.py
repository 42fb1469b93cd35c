"""Reads the county-month cells that estimates stand on, as of any revision."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from contracts.codes import Cohort, Payer, ServiceCategory
from services.cost_shift.completion import TOTAL, Completion
from services.cost_shift.estimating import Windows
from services.cost_shift.rules.county_panel import CellKey, Panel, Series, panel_of
from services.runtime.database import Connection

OF_NO_ENTITY = ""
# The aligned of one entity, and the comparison people of the states in which it has any.
COHORTS = """
    state = ANY($2) AND month BETWEEN $3 AND $4
    AND ((cohort = 'aligned' AND entity = $5) OR cohort = 'comparison') AND sequence <= $1"""
_PEOPLE = f"""
    SELECT county, cohort, month, sum(person_months)::bigint AS person_months
    FROM person_month_delta WHERE {COHORTS}
    GROUP BY county, cohort, month HAVING sum(person_months) > 0
"""  # noqa: S608 - constants
_COSTS = f"""
    SELECT county, cohort, month, payer, category, sum(cents)::bigint AS cents, sum(claims)::bigint AS claims
    FROM cell_delta WHERE {COHORTS} AND basis IN ('services', 'both') AND category <> '{ServiceCategory.CAPITATION.value}'
    GROUP BY county, cohort, month, payer, category
"""  # noqa: S608 - constants


@dataclass(slots=True)
class CountyCells:
    """Cells of known counties; the person-months of people whose county nobody knows are only counted."""

    people: dict[CellKey, int] = field(default_factory=dict)
    cents: dict[CellKey, dict[Series, int]] = field(default_factory=lambda: defaultdict(dict))
    left_out: int = 0
    claims: dict[CellKey, dict[Series, int]] = field(default_factory=lambda: defaultdict(dict))

    def months(self) -> list[str]:
        """The months in which anybody is counted."""
        return sorted({key.month for key in self.people})

    def without(self, months: frozenset[str]) -> "CountyCells":
        """The cells of all other months."""
        kept = {key: count for key, count in self.people.items() if key.month not in months}
        return CountyCells(
            kept,
            {key: self.cents[key] for key in kept if key in self.cents},
            self.left_out,
            {key: self.claims[key] for key in kept if key in self.claims},
        )

    def panel(self, completion: Completion, entity: str) -> Panel:
        """Completed cells, for the total of each payer and every series that has a cost. ``entity``: of the aligned."""
        whole = {
            key: completed(key.month, costs, completion, entity if key.aligned else OF_NO_ENTITY)
            for key, costs in self.cents.items()
        }
        totals = [(payer.value, TOTAL) for payer in Payer]
        found = {series for cell in self.cents.values() for series in cell}
        return panel_of(self.people, whole, [*totals, *sorted(found)])

    def aligned_person_months(self, first: str, last: str) -> int:
        """Of the counties known."""
        return sum(count for key, count in self.people.items() if key.aligned and first <= key.month <= last)


def completed(month: str, costs: Mapping[Series, int], completion: Completion, entity: str) -> dict[Series, float]:
    """Costs of one cell as they will be, and their sum; what nobody can tell the completeness of stays as it is.

    ``entity``: of the cell's people, empty where they have none.
    """
    sums: dict[Series, float] = defaultdict(float)
    for series, cents in costs.items():
        come_in = completion.of(series, month, entity)
        expected = cents if come_in is None else cents / come_in.share
        sums[series] = expected
        sums[series[0], TOTAL] += expected
    return sums


async def county_cells(
    connection: Connection, revision: int, entity: str, states: list[str], windows: Windows
) -> CountyCells:
    """The cells of both windows."""
    parameters = (revision, states, windows.pre_from, windows.post_to, entity)
    cells = CountyCells()
    for row in await connection.fetch(_PEOPLE, *parameters):
        if not windows.hold(row["month"]):
            continue
        if row["county"]:
            cells.people[_key(row)] = row["person_months"]
        else:
            cells.left_out += row["person_months"]
    for row in await connection.fetch(_COSTS, *parameters):
        key = _key(row)
        if key in cells.people:
            cells.cents[key][row["payer"], row["category"]] = row["cents"]
            cells.claims[key][row["payer"], row["category"]] = row["claims"]
    return cells


def _key(row: asyncpg.Record) -> CellKey:
    return CellKey(row["county"], row["cohort"] == Cohort.ALIGNED, row["month"])
