"""Publishes what changed between two consistent cuts: figures, person-months and why they moved."""

from typing import Final

import asyncpg

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.cost_shift import MeasureKey, MeasureRestated, MeasureRestatedData
from services.cost_shift.releasing import release_published
from services.cost_shift.signals import signal_at_cut
from services.runtime.database import Connection
from services.runtime.service import Cut, Transaction

_KEY = "state, entity, cohort, payer, category, month"

# Capitation is a cost of the state but no service: it is published on its own basis, as its own category.
_PUBLISHED_BASIS = "(basis IN ('services', 'both') OR (category = 'capitation' AND basis = 'outlay'))"

_MOVED = f"""
    SELECT {_KEY}, cause, sum(cents)::bigint AS cents, sum(claims)::bigint AS claims,
        coalesce(sum(cents) FILTER (WHERE crossover), 0)::bigint AS crossover_cents,
        coalesce(sum(claims) FILTER (WHERE crossover), 0)::bigint AS crossover_claims
    FROM cell_delta
    WHERE sequence > $1 AND sequence <= $2 AND {_PUBLISHED_BASIS}
    GROUP BY {_KEY}, cause
"""  # noqa: S608 - constants of this module

_PUBLISH_MEASURES = f"""
WITH moved AS ({_MOVED}),
total AS (
    SELECT {_KEY}, sum(cents)::bigint AS cents, sum(claims)::bigint AS claims,
        sum(crossover_cents)::bigint AS crossover_cents, sum(crossover_claims)::bigint AS crossover_claims
    FROM moved GROUP BY {_KEY}
    HAVING sum(cents) <> 0 OR sum(claims) <> 0 OR sum(crossover_cents) <> 0 OR sum(crossover_claims) <> 0
),
published AS (
    INSERT INTO published_measure
        ({_KEY}, revision, cents, claims, crossover_cents, crossover_claims, previous_revision, previous_cents)
    SELECT state, entity, cohort, payer, category, month, $2,
        total.cents + coalesce(before.cents, 0), total.claims + coalesce(before.claims, 0),
        total.crossover_cents + coalesce(before.crossover_cents, 0),
        total.crossover_claims + coalesce(before.crossover_claims, 0),
        before.revision, before.cents
    FROM total LEFT JOIN LATERAL (
        SELECT revision, cents, claims, crossover_cents, crossover_claims FROM published_measure AS older
        WHERE (older.state, older.entity, older.cohort, older.payer, older.category, older.month)
            = (total.state, total.entity, total.cohort, total.payer, total.category, total.month)
        ORDER BY revision DESC LIMIT 1
    ) AS before ON true
    RETURNING {_KEY}
)
-- Also of a figure that stays because its causes cancel out: in a sum with the figure that they moved, they do not.
INSERT INTO restatement ({_KEY}, revision, cause, cents, claims, crossover_cents, crossover_claims)
SELECT {_KEY}, $2, cause, cents, claims, crossover_cents, crossover_claims
FROM moved
WHERE cents <> 0 OR claims <> 0 OR crossover_cents <> 0 OR crossover_claims <> 0
"""  # noqa: S608 - constants of this module

_PUBLISH_PERSON_MONTHS = """
INSERT INTO published_person_months (state, entity, cohort, month, revision, person_months)
SELECT state, entity, cohort, month, $2, moved.person_months + coalesce(before.person_months, 0)
FROM (
    SELECT state, entity, cohort, month, sum(person_months)::bigint AS person_months
    FROM person_month_delta WHERE sequence > $1 AND sequence <= $2
    GROUP BY state, entity, cohort, month HAVING sum(person_months) <> 0
) AS moved
LEFT JOIN LATERAL (
    SELECT person_months FROM published_person_months AS older
    WHERE (older.state, older.entity, older.cohort, older.month)
        = (moved.state, moved.entity, moved.cohort, moved.month)
    ORDER BY revision DESC LIMIT 1
) AS before ON true
"""

# What readers of the event know; the finer causes are in restatements.
_WIRE_CAUSE: Final = {"dual_status": "alignment", "residence": "alignment"}
_PUBLISHED = f"""
SELECT {_KEY}, cents, claims, crossover_cents, crossover_claims, previous_revision, previous_cents,
    coalesce((
        SELECT person_months FROM published_person_months AS counted
        WHERE (counted.state, counted.entity, counted.cohort, counted.month)
            = (measure.state, measure.entity, measure.cohort, measure.month)
        ORDER BY counted.revision DESC LIMIT 1
    ), 0) AS person_months,
    ARRAY(
        SELECT cause FROM restatement AS reason
        WHERE (reason.state, reason.entity, reason.cohort, reason.payer, reason.category, reason.month)
            = (measure.state, measure.entity, measure.cohort, measure.payer, measure.category, measure.month)
            AND reason.revision = measure.revision
        ORDER BY cause
    ) AS causes
FROM published_measure AS measure
WHERE revision = $1
ORDER BY {_KEY}
"""  # noqa: S608 - constants of this module


async def at_cut(cut: Cut, transaction: Transaction) -> None:
    """Publish revision ``cut.sequence``: every figure that any delivery since the last revision changed."""
    if not await publish_figures(cut, transaction.connection):
        return
    await release_published(transaction.connection)
    for restated in await restated_figures(transaction.connection, cut):
        transaction.publish(restated)
    await signal_at_cut(cut, transaction)


async def publish_figures(cut: Cut, connection: Connection) -> bool:
    """Write the revision; whether it was not there already."""
    previous = await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM revision")
    if cut.sequence <= previous:
        return False
    await connection.execute(
        "INSERT INTO revision (sequence, delivery_id, known_at, dated) VALUES ($1, $2, $3, $4)",
        cut.sequence,
        cut.delivery_id,
        cut.time,
        cut.dated,
    )
    await connection.execute(_PUBLISH_PERSON_MONTHS, previous, cut.sequence)
    await connection.execute(_PUBLISH_MEASURES, previous, cut.sequence)
    return True


async def restated_figures(connection: Connection, cut: Cut) -> list[MeasureRestated]:
    """What is told of a published revision."""
    return [_event(row, cut) for row in await connection.fetch(_PUBLISHED, cut.sequence)]


def _event(row: asyncpg.Record, cut: Cut) -> MeasureRestated:
    key = MeasureKey(
        state=row["state"],
        entity_id=row["entity"] or None,
        cohort=Cohort(row["cohort"]),
        payer=Payer(row["payer"]),
        category=ServiceCategory(row["category"]),
        month=row["month"],
    )
    return MeasureRestated.of(
        service="cost-shift",
        key=key.text(),
        version=str(cut.sequence),
        time=cut.time,
        delivery_id=cut.delivery_id,
        sequence=cut.sequence,
        data=_data(row, key, cut.sequence),
    )


def _data(row: asyncpg.Record, key: MeasureKey, revision: int) -> MeasureRestatedData:
    return MeasureRestatedData(
        key=key,
        revision=revision,
        cents=row["cents"],
        claims=row["claims"],
        crossover_cents=row["crossover_cents"],
        crossover_claims=row["crossover_claims"],
        person_months=row["person_months"],
        previous_revision=row["previous_revision"],
        previous_cents=row["previous_cents"],
        causes=tuple(sorted({_WIRE_CAUSE.get(cause, cause) for cause in row["causes"]})),
    )
