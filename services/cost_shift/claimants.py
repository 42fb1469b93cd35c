"""Whose costs changed figures that wait to be shown, as of a cut: people who had claims, and people who count elsewhere now."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from contracts.codes import ServiceCategory
from services.cost_shift.rules.disclosure import Cell, Claimants
from services.runtime.database import Connection

Place = tuple[str, str, str, bool]  # state, payer, month; capitation by itself
_KEY: Final = "state, payer, month, entity, cohort, category, crossover"
_SERIES: Final = "payer, category, crossover"
_PUBLISHED: Final = (
    f"(basis IN ('services', 'both') OR (category = '{ServiceCategory.CAPITATION.value}' AND basis = 'outlay'))"
)
# Whoever had a cost counts where the person-month does as of the cut. Of whoever came or went everything counts, here and there. Nobody is
# in one cell twice: a person-month moved or it did not, and what moved left one place for another.
_NOTE: Final = f"""
WITH added AS MATERIALIZED (
    SELECT person_id, month, {_SERIES} FROM person_month_cost
    WHERE sequence > $1 AND sequence <= $2 AND {_PUBLISHED}
    GROUP BY person_id, month, {_SERIES} HAVING sum(cents) <> 0 OR sum(claims) <> 0
),
decided AS MATERIALIZED (
    SELECT DISTINCT ON (person_id, month) person_id, month, state, entity, cohort FROM assignment
    WHERE sequence > $1 AND sequence <= $2 ORDER BY person_id, month, sequence DESC
),
moved AS MATERIALIZED (
    SELECT person_id, month, decided.state, decided.entity, decided.cohort,
        before.state AS old_state, before.entity AS old_entity, before.cohort AS old_cohort
    FROM decided LEFT JOIN LATERAL (
        SELECT state, entity, cohort FROM assignment AS known
        WHERE (known.person_id, known.month) = (decided.person_id, decided.month) AND sequence <= $1
        ORDER BY sequence DESC LIMIT 1
    ) AS before ON true
    WHERE (decided.state, decided.entity, decided.cohort) IS DISTINCT FROM (before.state, before.entity, before.cohort)
),
whole AS MATERIALIZED (
    SELECT person_id, month, {_SERIES}, moved.state, moved.entity, moved.cohort, old_state, old_entity, old_cohort,
        sum(cents) AS cents, sum(claims) AS claims,
        sum(cents) FILTER (WHERE sequence <= $1) AS old_cents, sum(claims) FILTER (WHERE sequence <= $1) AS old_claims
    FROM moved CROSS JOIN LATERAL (
        SELECT {_SERIES}, sequence, cents, claims FROM person_month_cost AS cost
        WHERE (cost.person_id, cost.month) = (moved.person_id, moved.month) AND sequence <= $2 AND {_PUBLISHED}
        OFFSET 0
    ) AS spent
    GROUP BY person_id, month, {_SERIES}, moved.state, moved.entity, moved.cohort, old_state, old_entity, old_cohort
),
changed AS (
    SELECT place.state, payer, month, place.entity, place.cohort, category, crossover, person_id
    FROM added CROSS JOIN LATERAL (
        SELECT state, entity, cohort FROM assignment AS known
        WHERE (known.person_id, known.month) = (added.person_id, added.month) AND sequence <= $2
        ORDER BY sequence DESC LIMIT 1
    ) AS place
    WHERE NOT EXISTS (SELECT FROM moved WHERE (moved.person_id, moved.month) = (added.person_id, added.month))
    UNION ALL
    SELECT state, payer, month, entity, cohort, category, crossover, person_id FROM whole
    WHERE cents <> 0 OR claims <> 0
    UNION ALL
    SELECT old_state, payer, month, old_entity, old_cohort, category, crossover, person_id FROM whole
    WHERE old_state IS NOT NULL AND (old_cents <> 0 OR old_claims <> 0)
)
INSERT INTO waiting_claimant ({_KEY}, person_id)
SELECT {_KEY}, person_id FROM (
    SELECT {_KEY}, person_id, row_number() OVER (PARTITION BY {_KEY} ORDER BY person_id) AS place FROM changed
) AS ranked WHERE place <= $3
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
_WAITING: Final = f"SELECT {_KEY}, person_id FROM waiting_claimant"  # noqa: S608 - constants
_SHOWN: Final = """
    DELETE FROM waiting_claimant USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        AS shown (state, entity, cohort, payer, category, month)
    WHERE (waiting_claimant.state, waiting_claimant.entity, waiting_claimant.cohort, waiting_claimant.payer,
        waiting_claimant.category, waiting_claimant.month)
        = (shown.state, shown.entity, shown.cohort, shown.payer, shown.category, shown.month)
"""


async def note_claimants(connection: Connection, revision: int, enough: int) -> None:
    """Keep whose costs a revision changed: of each figure and part so many people at most."""
    previous = await connection.fetchval(
        "SELECT coalesce(max(sequence), 0) FROM revision WHERE sequence < $1", revision
    )
    await connection.execute(_NOTE, previous, revision, enough)


async def waiting_claimants(connection: Connection) -> dict[Place, dict[Cell, Claimants]]:
    """Of every figure that waits."""
    people: dict[tuple[Place, Cell], dict[bool, set[str]]] = defaultdict(lambda: {True: set(), False: set()})
    for state, payer, month, *cell, crossover, person in await connection.fetch(_WAITING):
        place = (state, payer, month, cell[2] == ServiceCategory.CAPITATION)
        people[place, Cell(*cell)][crossover].add(person)
    found: dict[Place, dict[Cell, Claimants]] = defaultdict(dict)
    for (place, one), parts in people.items():
        found[place][one] = Claimants(frozenset(parts[True]), frozenset(parts[False]))
    return found


async def forget_claimants(connection: Connection, shown: Sequence[Sequence[str]]) -> None:
    """Of figures that are shown now; columns state, entity, cohort, payer, category, month."""
    await connection.execute(_SHOWN, *shown)
