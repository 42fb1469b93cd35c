"""Tiers at each cut, from the scores and admissions known by then; published only where a tier changed.

Everyone is ranked in one model and one payment year: the year in which most people have a complete score, the later
one of equals. A score of diseases alone has no demographic part and is not ranked among complete ones.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from contracts.risk import RiskTierChanged, RiskTierChangedData
from services.risk.hcc_tables import HccTables, Model, hcc_tables
from services.risk.risk_policy import RiskPolicy, risk_policy
from services.risk.rules.capacity_tier import MOST_REASONS, Standing, reasons_of, tier_of
from services.runtime.person_moves import is_gone
from services.runtime.service import Cut, Transaction

# Nothing new about scores or admissions in this delivery: no tier can change.
_ANYTHING_NEW = """
    SELECT EXISTS (SELECT 1 FROM score WHERE sequence = $1)
        OR EXISTS (SELECT 1 FROM claim_record WHERE sequence = $1 AND (admission OR cancellation))
        OR EXISTS (SELECT 1 FROM person_move WHERE sequence = $1)
"""
_RANKED = f"""
    WITH known AS (
        SELECT DISTINCT ON (person_id, payment_year) person_id, payment_year, state, raw_score, completeness, segment,
               categories
        FROM score WHERE model = $2 AND sequence <= $1 AND NOT {is_gone("score.person_id", "$1")}
        ORDER BY person_id, payment_year, sequence DESC
    ), year AS (
        SELECT payment_year FROM known WHERE completeness = 'complete'
        GROUP BY payment_year ORDER BY count(*) DESC, payment_year DESC LIMIT 1
    )
    SELECT person_id, state, payment_year, raw_score, segment, categories,
           row_number() OVER (ORDER BY raw_score DESC, person_id) AS rank,
           count(*) OVER () AS people
    FROM known JOIN year USING (payment_year)
    WHERE completeness = 'complete'
    ORDER BY person_id
"""  # noqa: S608 - a fixed condition
# Admissions that stand: newest version of each record, as many of a key as cancellations leave over. The window ends
# where 99 % of what is known has ended, so that one wrong date in the future does not close it.
_ADMISSIONS = """
    WITH newest AS (
        SELECT DISTINCT ON (person_id, record_id) person_id, claim_key, cancellation, admission, service_from
        FROM claim_record WHERE since <= $1 AND (until IS NULL OR until > $1)
          AND (person_id, claim_key) IN (SELECT person_id, claim_key FROM claim_record WHERE admission AND since <= $1)
        ORDER BY person_id, record_id, version DESC, sequence, alias
    ), standing AS (
        SELECT person_id, claim_key, min(service_from) AS admitted
        FROM newest GROUP BY person_id, claim_key
        HAVING count(*) FILTER (WHERE admission AND NOT cancellation) > count(*) FILTER (WHERE cancellation)
    ), until AS (
        SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY admitted) AS day FROM standing
    )
    SELECT person_id, count(DISTINCT admitted) AS admissions
    FROM standing CROSS JOIN until
    WHERE admitted > until.day - $2::integer AND admitted <= until.day
    GROUP BY person_id
"""
_CURRENT = """
    SELECT DISTINCT ON (person_id) person_id, tier FROM tier WHERE sequence < $1 ORDER BY person_id, sequence DESC
"""


@dataclass(frozen=True, slots=True)
class TierChange:
    """A person's new tier at a cut."""

    person_id: str
    state: str
    tier: int
    previous: int | None
    reasons: tuple[str, ...]


def _conditions(row: asyncpg.Record, model: Model, tables: HccTables) -> tuple[str, ...]:
    """Name the heaviest conditions of a score, as CMS does."""
    numbers = [category["category"] for category in json.loads(row["categories"])]
    weights = {number: tables.coefficient(model, row["segment"], f"HCC{number}") or 0 for number in numbers}
    heaviest = sorted(numbers, key=lambda number: (-weights[number], number))[:MOST_REASONS]
    return tuple(tables.label(model, number) for number in heaviest)


def _standing(row: asyncpg.Record, admissions: dict[str, int], policy: RiskPolicy) -> Standing:
    return Standing(
        row["rank"],
        row["people"],
        row["raw_score"],
        policy.tier_model,
        row["payment_year"],
        _conditions(row, policy.tier_model, hcc_tables(max(policy.hcc_tables_years))),
        admissions.get(row["person_id"], 0),
    )


def tier_changes(
    ranked: list[asyncpg.Record], admissions: dict[str, int], current: dict[str, int], policy: RiskPolicy
) -> Iterator[TierChange]:
    """Say whose tier is another than before; of the others not even the reasons are put together."""
    for row in ranked:
        standing = _standing(row, admissions, policy)
        tier = tier_of(standing, policy.tier_capacity_percent, policy.admissions_for_highest_tier)
        previous = current.get(row["person_id"])
        if tier != previous:
            reasons = reasons_of(standing, policy.admissions_for_highest_tier, policy.admission_window_days)
            yield TierChange(row["person_id"], row["state"], tier, previous, reasons)


def _publish(change: TierChange, cut: Cut, transaction: Transaction) -> None:
    data = RiskTierChangedData(
        person_id=change.person_id,
        state=change.state,
        tier=change.tier,
        previous_tier=change.previous,
        reasons=change.reasons,
    )
    event = RiskTierChanged.of(
        service="risk",
        key=change.person_id,
        version=str(cut.sequence),
        time=cut.time,
        delivery_id=cut.delivery_id,
        sequence=cut.sequence,
        data=data,
    )
    transaction.publish(event)


async def at_cut(cut: Cut, transaction: Transaction) -> None:
    """Rank everyone as known at the cut and publish the tiers that changed."""
    policy = risk_policy()
    connection = transaction.connection
    if not await connection.fetchval(_ANYTHING_NEW, cut.sequence):
        return
    ranked = await connection.fetch(_RANKED, cut.sequence, policy.tier_model)
    admitted = await connection.fetch(_ADMISSIONS, cut.sequence, policy.admission_window_days)
    admissions = {row["person_id"]: row["admissions"] for row in admitted}
    current = {row["person_id"]: row["tier"] for row in await connection.fetch(_CURRENT, cut.sequence)}
    changes = list(tier_changes(ranked, admissions, current, policy))
    rows = [(one.person_id, cut.sequence, one.state, one.tier, one.previous, list(one.reasons)) for one in changes]
    await connection.copy_records_to_table("tier", records=rows)
    for change in changes:
        _publish(change, cut, transaction)
