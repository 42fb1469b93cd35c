"""Tiers at each cut, from the scores and the use known by then; published only where a tier changed.

Everyone alive is ranked in one model and one payment year: the year in which most people have a complete score, the later
one of equals. A score of diseases alone has no demographic part and is not ranked among complete ones.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

import asyncpg

from contracts.risk import RiskTierChanged, RiskTierChangedData
from services.risk.hcc_tables import Model, hcc_tables
from services.risk.prediction_pack import coefficient_pack
from services.risk.risk_policy import RiskPolicy, risk_policy
from services.risk.rules.avoidable_admission import CoefficientPack, probability
from services.risk.rules.capacity_tier import Standing, tiers_of
from services.risk.rules.person_use import PersonUse
from services.risk.rules.predictors import Candidate, predictors_of
from services.risk.rules.scoring_input import DIED_IN_YEAR
from services.risk.rules.stratification import (
    MOST_REASONS,
    Outlook,
    overrides_of,
    reasons_of,
    shares_below,
    stratification_score,
)
from services.risk.use_reading import last_day_of_claims, use_by_person
from services.runtime.person_moves import is_gone
from services.runtime.service import Cut, Transaction

# Nothing new about scores, claims or stays in this delivery: no tier can change.
_ANYTHING_NEW = """
    SELECT EXISTS (SELECT 1 FROM score WHERE sequence = $1)
        OR EXISTS (SELECT 1 FROM claim_record WHERE since = $1)
        OR EXISTS (SELECT 1 FROM person_move WHERE sequence = $1)
"""
_RANKED = f"""
    WITH known AS (
        SELECT DISTINCT ON (person_id, payment_year) person_id, payment_year, state, raw_score, completeness, segment,
               categories, notes, age
        FROM score WHERE model = $2 AND sequence <= $1 AND NOT {is_gone("score.person_id", "$1")}
        ORDER BY person_id, payment_year, sequence DESC
    ), year AS (
        SELECT payment_year FROM known WHERE completeness = 'complete' AND NOT '{DIED_IN_YEAR}' = ANY(notes)
        GROUP BY payment_year ORDER BY count(*) DESC, payment_year DESC LIMIT 1
    )
    SELECT person_id, state, payment_year, raw_score, segment, categories, age
    FROM known JOIN year USING (payment_year)
    WHERE completeness = 'complete' AND NOT '{DIED_IN_YEAR}' = ANY(notes)
    ORDER BY person_id
"""  # noqa: S608 - a fixed condition
_CURRENT = """
    SELECT DISTINCT ON (person_id) person_id, tier, state FROM tier WHERE sequence < $1
    ORDER BY person_id, sequence DESC
"""
NOT_RANKED: Final = "not_ranked"
# Rows of before the column say no age; between the groups it changes nothing.
_AGE_NOT_KEPT: Final = 70


@dataclass(frozen=True, slots=True)
class Ranked:
    """One person among those who are ranked."""

    person_id: str
    state: str
    payment_year: int
    raw_score: Decimal
    segment: str
    categories: tuple[int, ...]
    age: int
    use: PersonUse


@dataclass(frozen=True, slots=True)
class TierChange:
    """A person's new tier at a cut; ``tier`` is ``None`` where the person is in none any more."""

    person_id: str
    state: str
    tier: int | None
    previous: int | None
    reasons: tuple[str, ...]
    score: float | None = None
    spend_cents: int | None = None
    probability: float | None = None


@lru_cache(maxsize=100_000)
def _categories(text: str) -> tuple[int, ...]:
    """People share most combinations of conditions, but not the claims behind them: only the numbers are kept."""
    return tuple(category["category"] for category in json.loads(text))


def ranked_people(rows: Iterable[asyncpg.Record], use: dict[str, PersonUse]) -> list[Ranked]:
    """Put scores and use together; who used nothing is ranked as well."""
    nothing = PersonUse()
    return [
        Ranked(
            row["person_id"],
            row["state"],
            row["payment_year"],
            row["raw_score"],
            row["segment"],
            _categories(row["categories"]),
            row["age"] or _AGE_NOT_KEPT,
            use.get(row["person_id"], nothing),
        )
        for row in rows
    ]


def candidate_of(one: Ranked) -> Candidate:
    """Give what a prediction asks of a person."""
    return Candidate(one.age, float(one.raw_score), frozenset(one.categories), one.use)


def conditions_of(one: Ranked, model: Model, policy: RiskPolicy) -> tuple[str, ...]:
    """Name the heaviest conditions of a score, as CMS does."""
    tables = hcc_tables(max(policy.hcc_tables_years))
    weights = {number: tables.coefficient(model, one.segment, f"HCC{number}") or 0 for number in one.categories}
    heaviest = sorted(one.categories, key=lambda number: (-weights[number], number))[:MOST_REASONS]
    return tuple(tables.label(model, number) for number in heaviest)


@dataclass(frozen=True, slots=True)
class _Place:
    """What is computed of everybody, before anybody's reasons are put together."""

    probability: float
    spend_share: float
    probability_share: float

    def outlook(self, one: Ranked, policy: RiskPolicy, *, in_words: bool) -> Outlook:
        conditions = conditions_of(one, policy.tier_model, policy) if in_words else ()
        scored = f"{policy.tier_model} risk score {one.raw_score} for {one.payment_year}"
        return Outlook(one.use, self.probability, self.spend_share, self.probability_share, conditions, scored)


def _places(people: list[Ranked], pack: CoefficientPack) -> list[_Place]:
    chances = [probability(pack, predictors_of(candidate_of(one))) for one in people]
    spend = shares_below([one.use.spend_year_cents for one in people])
    return [_Place(*place) for place in zip(chances, spend, shares_below(chances), strict=True)]


def tier_changes(
    people: list[Ranked], current: dict[str, int | None], pack: CoefficientPack, policy: RiskPolicy
) -> Iterator[TierChange]:
    """Say whose tier is another than before; of the others not even the reasons are put together."""
    places = _places(people, pack) if people else []
    scores, overrides = {}, {}
    standings = []
    for one, place in zip(people, places, strict=True):
        outlook = place.outlook(one, policy, in_words=False)
        overrides[one.person_id] = overrides_of(one.use, policy.admissions_for_highest_tier)
        scores[one.person_id] = stratification_score(outlook, policy.tier_weights)
        standings.append(
            Standing(
                one.person_id,
                scores[one.person_id],
                float(one.raw_score),
                current.get(one.person_id),
                bool(overrides[one.person_id]),
            )
        )
    tiers = tiers_of(standings, policy.tier_capacity_percent, policy.tier_advantage)
    for one, place in zip(people, places, strict=True):
        name = one.person_id
        if tiers[name] != current.get(name):
            outlook = place.outlook(one, policy, in_words=True)
            reasons = reasons_of(outlook, policy.tier_weights, overrides[name])
            spend = one.use.spend_year_cents
            yield TierChange(
                name, one.state, tiers[name], current.get(name), reasons, scores[name], spend, place.probability
            )


def ended(people: Iterable[Ranked], current: dict[str, int | None], states: dict[str, str]) -> Iterator[TierChange]:
    """Say who is in no tier any more: died, or has no complete score of the year."""
    ranked = {one.person_id for one in people}
    for person_id, tier in sorted(current.items()):
        if tier is not None and person_id not in ranked:
            yield TierChange(person_id, states[person_id], None, tier, ())


def _publish(change: TierChange, cut: Cut, transaction: Transaction) -> None:
    tier = change.previous if change.tier is None else change.tier
    data = RiskTierChangedData.model_validate(
        {
            "person_id": change.person_id,
            "state": change.state,
            "tier": tier,
            "previous_tier": change.previous,
            "reasons": change.reasons,
            "ended": NOT_RANKED if change.tier is None else None,
        }
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


def _row(change: TierChange, sequence: int) -> tuple[object, ...]:
    return (
        *(change.person_id, sequence, change.state, change.tier, change.previous, list(change.reasons)),
        NOT_RANKED if change.tier is None else None,
        None if change.score is None else Decimal(f"{change.score:.4f}"),
        change.spend_cents,
        None if change.probability is None else Decimal(f"{change.probability:.4f}"),
    )


async def at_cut(cut: Cut, transaction: Transaction) -> None:
    """Rank everyone as known at the cut and publish the tiers that changed."""
    policy = risk_policy()
    connection = transaction.connection
    if not await connection.fetchval(_ANYTHING_NEW, cut.sequence):
        return
    # A year of claims of everybody is sorted and grouped: on disk that takes several times as long.
    await connection.execute("SET LOCAL work_mem = '128MB'")
    rows = await connection.fetch(_RANKED, cut.sequence, policy.tier_model)
    day = await last_day_of_claims(connection, cut.sequence, cut.dated)
    people = ranked_people(rows, await use_by_person(connection, cut.sequence, day))
    before = await connection.fetch(_CURRENT, cut.sequence)
    current = {row["person_id"]: row["tier"] for row in before}
    states = {row["person_id"]: row["state"] for row in before}
    changes = [*tier_changes(people, current, coefficient_pack(), policy), *ended(people, current, states)]
    await connection.copy_records_to_table("tier", records=[_row(one, cut.sequence) for one in changes])
    if people:
        ranking = (cut.sequence, day, people[0].payment_year, len(people))
        await connection.execute("INSERT INTO ranking VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", *ranking)
    for change in changes:
        _publish(change, cut, transaction)
