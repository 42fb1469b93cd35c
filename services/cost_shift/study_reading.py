"""Reads the cells of a study as of any revision: who was aligned when, who these people were, and what both payers paid.

A study follows the people who were there in its baseline: whoever was ever aligned to the entity belongs to the group of the quarter of
entry, in all months in which they were aligned or could have been in the comparison; people never aligned to any entity are the comparison.
So nobody joins, and somebody's earlier months are the comparison of their later ones. People first seen later are left out and counted.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from contracts.codes import Cohort, ServiceCategory
from services.cost_shift.study_cells import TRAITS, Side, StudyCells, UnitMonth
from services.runtime.database import Connection

# Traits are those of the month in which somebody was first seen, where they can be: they tell whether other people are there, not how
# the same people fare. Exits are of the month itself. The score is that of the first payment year known from then on.
_PEOPLE: Final = f"""
    known AS MATERIALIZED (
        SELECT DISTINCT ON (person_id, month) person_id, month, county, entity, cohort, dual_status, in_health_plan
        FROM assignment
        WHERE sequence <= $1 AND state = ANY($2) AND month <= $4 AND NOT EXISTS (
            SELECT FROM gone WHERE gone.person_id = assignment.person_id AND gone.since <= $1
                AND (gone.until IS NULL OR gone.until > $1))
        ORDER BY person_id, month, sequence DESC
    ),
    entry AS (
        SELECT person_id, min(month) FILTER (WHERE cohort = '{Cohort.ALIGNED}' AND entity = $5) AS entered
        FROM known GROUP BY person_id
        HAVING NOT bool_or(cohort = '{Cohort.ALIGNED}' AND entity <> $5)
    ),
    present AS (
        SELECT known.person_id, known.month, known.county, known.dual_status, coalesce(began.start, '') AS start,
            lead(known.month) OVER later IS NOT NULL AND coalesce(lead(known.in_health_plan) OVER later, false) AS exits,
            known.cohort <> '{Cohort.EXCLUDED}' AND known.month >= $3 AS counts
        FROM known JOIN entry USING (person_id)
        LEFT JOIN unnest($6::text[], $7::text[]) AS began (entered, start) ON began.entered = entry.entered
        WINDOW later AS (PARTITION BY known.person_id ORDER BY known.month)
    ),
    person AS (
        SELECT person_id, start, min(month) AS first_month, (array_agg(county ORDER BY month))[1] AS first_county,
            (array_agg(dual_status ORDER BY month))[1] AS first_status
        FROM present WHERE counts GROUP BY person_id, start
    ),
    followed AS MATERIALIZED (
        SELECT person.*, first_month <= $8 AS seen_before, risk.thousandths, risk.under_65, risk.long_term
        FROM person LEFT JOIN LATERAL (
            SELECT thousandths, under_65, long_term FROM person_risk AS scored
            WHERE scored.person_id = person.person_id AND scored.sequence <= $1
                AND scored.payment_year >= left(person.first_month, 4)::integer
            ORDER BY payment_year, sequence DESC LIMIT 1
        ) AS risk ON true
    )"""  # noqa: S608 - constants
_COSTS: Final = f"""
    cost AS MATERIALIZED (
        SELECT person_id, month, payer, category, sum(cents)::bigint AS cents FROM person_month_cost
        WHERE sequence <= $1 AND month BETWEEN $3 AND $4 AND basis IN ('services', 'both')
            AND category <> '{ServiceCategory.CAPITATION}'
        GROUP BY person_id, month, payer, category
    )"""  # noqa: S608 - constants
# Nobody's month of a category counts for more than the share $9 of all months with a cost in it do.
_WINSORISED: Final = f"""
    {_COSTS.replace("cost AS", "whole AS", 1)},
    most AS (
        SELECT payer, category, percentile_disc($9::float8) WITHIN GROUP (ORDER BY cents) AS cents
        FROM whole WHERE cents > 0 GROUP BY payer, category
    ),
    cost AS MATERIALIZED (
        SELECT person_id, month, payer, category, least(whole.cents, most.cents) AS cents
        FROM whole LEFT JOIN most USING (payer, category)
    )"""  # noqa: S608 - constants
_TRAIT_CELLS: Final = f"""
    WITH {_PEOPLE}, {{costs}},
    earlier AS (
        SELECT present.person_id, count(*) AS months FROM present WHERE counts AND month <= $8 GROUP BY present.person_id
    ),
    spent AS (
        SELECT cost.person_id, sum(cents) FILTER (WHERE payer = 'medicare') AS medicare,
            sum(cents) FILTER (WHERE payer = 'medicaid') AS medicaid
        FROM cost JOIN present ON (present.person_id, present.month) = (cost.person_id, cost.month)
        WHERE counts AND cost.month <= $8 GROUP BY cost.person_id
    )
    SELECT present.county, present.start, present.month, count(*) AS person_months,
        count(*) FILTER (WHERE first_status <> '') AS with_status,
        count(*) FILTER (WHERE first_status = '02') AS status_02, count(*) FILTER (WHERE first_status = '08') AS status_08,
        count(*) FILTER (WHERE present.county <> first_county) AS moved,
        count(*) FILTER (WHERE exits) AS exits,
        count(thousandths) AS scored, coalesce(sum(thousandths), 0)::bigint AS thousandths,
        count(under_65) AS with_age, count(*) FILTER (WHERE under_65) AS under_65,
        count(*) FILTER (WHERE long_term) AS long_term,
        count(earlier.months) AS with_baseline,
        coalesce(sum(coalesce(medicare, 0)::numeric / earlier.months), 0)::float8 AS baseline_medicare,
        coalesce(sum(coalesce(medicaid, 0)::numeric / earlier.months), 0)::float8 AS baseline_medicaid
    FROM present JOIN followed USING (person_id)
    LEFT JOIN earlier USING (person_id) LEFT JOIN spent USING (person_id)
    WHERE counts AND seen_before GROUP BY present.county, present.start, present.month
"""  # noqa: S608 - constants
# Beside the cells: how many different people of each side had a cost in the months that are used.
_COST_CELLS: Final = f"""
    WITH {_PEOPLE}, {{costs}},
    had AS MATERIALIZED (
        SELECT present.person_id, present.county, present.start, present.month, payer, category, cents
        FROM present JOIN followed USING (person_id)
        JOIN cost ON (cost.person_id, cost.month) = (present.person_id, present.month)
        WHERE counts AND seen_before
    )
    SELECT county, start, month, payer, category, sum(cents)::bigint AS amount, NULL::boolean AS aligned, NULL::boolean AS later
    FROM had GROUP BY county, start, month, payer, category
    UNION ALL
    SELECT '', '', '', payer, category, count(*), aligned, later
    FROM (
        SELECT DISTINCT person_id, payer, category, start <> '' AS aligned, month > $8 AS later
        FROM had WHERE county <> '' AND month = ANY(${{used}}) AND cents <> 0
    ) AS claimant GROUP BY payer, category, aligned, later
"""  # noqa: S608 - constants
_LEFT_OUT: Final = f"""
    WITH {_PEOPLE}
    SELECT count(*) FILTER (WHERE NOT seen_before) AS unseen, count(*) FILTER (WHERE seen_before AND county = '') AS nowhere
    FROM present JOIN followed USING (person_id) WHERE counts
"""  # noqa: S608 - constants
_ENTITIES: Final = """
    SELECT entity, array_agg(DISTINCT state ORDER BY state) AS states, min(month) AS first_month
    FROM (
        SELECT entity, state, month FROM person_month_delta WHERE sequence <= $1 AND cohort = 'aligned' AND entity <> ''
        GROUP BY entity, state, month HAVING sum(person_months) > 0
    ) AS counted
    GROUP BY entity ORDER BY entity
"""
_MONTHS: Final = """
    SELECT month FROM person_month_delta WHERE sequence <= $1 AND state = ANY($2) AND cohort IN ('aligned', 'comparison')
    GROUP BY month HAVING sum(person_months) > 0 ORDER BY month
"""


async def entities(connection: Connection, revision: int) -> list[tuple[str, list[str]]]:
    """Every entity with aligned people, and the states that they live in."""
    return [(row["entity"], row["states"]) for row in await connection.fetch(_ENTITIES, revision)]


async def months_counted(connection: Connection, revision: int, states: Sequence[str]) -> list[str]:
    """The months in which anybody is counted, in order."""
    return [row["month"] for row in await connection.fetch(_MONTHS, revision, list(states))]


@asynccontextmanager
async def _whole_tables(connection: Connection) -> AsyncIterator[None]:
    """Join by hashing and merging: of what is left of people and months the planner expects one row, and would go through it for each.

    For the rest of the transaction that is open, if what is inside fails: it is lost anyway.
    """
    await connection.execute("SET LOCAL enable_nestloop = off")
    yield
    await connection.execute("SET LOCAL enable_nestloop = on")


async def study_cells(  # noqa: PLR0913, PLR0917 - whose cells, as of when, and how they are laid out
    connection: Connection,
    revision: int,
    entity: str,
    states: Sequence[str],
    months: Sequence[str],
    starts: dict[str, str],
    baseline_last: str,
    winsorise: float | None = None,
    used: Sequence[str] | None = None,
) -> StudyCells:
    """Cells of county, group and month. ``starts`` gives the first month in which people of an entry month count as treated.

    ``winsorise``: the share of person-months with a cost of a category whose largest caps all others. ``used``: the months of which
    claimants are counted; all of them where it is ``None``.
    """
    parameters: list[Any] = [
        revision,
        list(states),
        months[0],
        months[-1],
        entity,
        list(starts),
        list(starts.values()),
        baseline_last,
    ]
    costs_as, capped = (_COSTS, parameters) if winsorise is None else (_WINSORISED, [*parameters, winsorise])
    cells = StudyCells()
    async with _whole_tables(connection):
        traits = await connection.fetch(_TRAIT_CELLS.format(costs=costs_as), *capped)
        costs = await connection.fetch(
            _COST_CELLS.format(costs=costs_as, used=len(capped) + 1), *capped, list(months if used is None else used)
        )
        left = await connection.fetchrow(_LEFT_OUT, *parameters)
    for row in traits:
        if row["county"]:
            key = UnitMonth(row["county"], row["start"], row["month"])
            cells.people[key] = row["person_months"]
            cells.traits[key] = {name: row[name] for name in TRAITS}
    for row in costs:
        key, series = UnitMonth(row["county"], row["start"], row["month"]), (row["payer"], row["category"])
        if row["aligned"] is not None:
            cells.claimants[Side(row["aligned"], row["later"])][series] = row["amount"]
        elif key in cells.people:
            cells.cents[key][series] = row["amount"]
    if left is not None:
        cells.unseen, cells.nowhere = left["unseen"], left["nowhere"]
    return cells
