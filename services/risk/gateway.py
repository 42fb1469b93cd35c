"""Questions about scores and tiers, answered from the read model. Every answer can be asked for as known earlier.

``as_of`` is the sequence of a delivery: what was known once that delivery had been applied.
"""

import json
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Path, Query

from services.risk.care_gateway import router as care_actions
from services.risk.claim_codes import claim_code_entries
from services.risk.entity_gateway import router as entity_scores
from services.risk.hcc_tables import hcc_tables
from services.risk.prediction_pack import pack_entries
from services.risk.risk_policy import policy_entries, risk_policy
from services.risk.worklist_gateway import router as worklists
from services.runtime.gateway import ReadConnection
from services.runtime.person_moves import is_gone
from services.runtime.problems import not_found

router = APIRouter(prefix="/v1", tags=["risk"])

# Larger than any sequence: as known now.
_NOW = 2**62
_PERSON = r"^p[0-9a-f]{32}$"
PersonId = Annotated[str, Path(pattern=_PERSON)]
AsOf = Annotated[int | None, Query(ge=1, description="sequence of a delivery; left out: as known now")]
Page = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
After = Annotated[str, Query(pattern=r"^(p[0-9a-f]{32})?$", description="last person of the page before")]

_SCORES = f"""
    SELECT DISTINCT ON (model, payment_year) model, payment_year, sequence, state, segment, raw_score,
           demographic_score, completeness, categories, interactions, tables_year, periods, ignored, notes, kidney_status,
           graft_month
    FROM score WHERE person_id = $1 AND sequence <= $2 AND NOT {is_gone("$1", "$2")}
    ORDER BY model, payment_year, sequence DESC
"""  # noqa: S608 - a fixed condition
_TIER = """
    SELECT tier, previous_tier, reasons, sequence, ended, score, spend_cents, probability FROM tier WHERE person_id = $1 AND sequence <= $2
    ORDER BY sequence DESC LIMIT 1
"""
_TIERS = f"""
    WITH current AS (
        SELECT DISTINCT ON (person_id) person_id, tier FROM tier WHERE sequence <= $1
            AND NOT {is_gone("tier.person_id", "$1")}
        ORDER BY person_id, sequence DESC)
    SELECT tier, count(*) AS people FROM current WHERE tier IS NOT NULL GROUP BY tier ORDER BY tier DESC
"""  # noqa: S608 - a fixed condition
_PEOPLE = f"""
    WITH current AS (
        SELECT DISTINCT ON (person_id) person_id, tier, previous_tier, reasons, sequence FROM tier
        WHERE sequence <= $2 AND person_id > $3 AND NOT {is_gone("tier.person_id", "$2")}
        ORDER BY person_id, sequence DESC)
    SELECT person_id, previous_tier, reasons, sequence FROM current WHERE tier = $1 ORDER BY person_id LIMIT $4
"""  # noqa: S608 - a fixed condition
_SUMMARY = f"""
    WITH current AS (
        SELECT DISTINCT ON (person_id, model, payment_year) model, payment_year, segment, completeness, raw_score
        FROM score WHERE sequence <= $1 AND NOT {is_gone("score.person_id", "$1")}
        ORDER BY person_id, model, payment_year, sequence DESC)
    SELECT model, payment_year, segment, completeness, count(*) AS people,
           round(avg(raw_score), 3) AS mean_raw_score, max(raw_score) AS highest_raw_score
    FROM current GROUP BY model, payment_year, segment, completeness
    ORDER BY model, payment_year, segment, completeness
"""  # noqa: S608 - a fixed condition


def _category(model: Any, category: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a row's value
    label = hcc_tables(max(risk_policy().hcc_tables_years)).label(model, category["category"])
    return {**category, "label": label}


def _score(row: asyncpg.Record) -> dict[str, Any]:
    demographic = row["demographic_score"]
    return {
        **dict(row),
        "raw_score": str(row["raw_score"]),
        "demographic_score": None if demographic is None else str(demographic),
        "categories": [_category(row["model"], category) for category in json.loads(row["categories"])],
        "periods": json.loads(row["periods"]),
        "ignored": json.loads(row["ignored"]),
    }


def _tier(row: asyncpg.Record) -> dict[str, Any]:
    """Shares as texts, so that no reader makes a binary fraction of them."""
    return dict(row) | {name: None if row[name] is None else str(row[name]) for name in ("score", "probability")}


@router.get("/people/{person_id}/scores", summary="A person's scores and tier, with their trail")
async def person_scores(
    connection: ReadConnection,
    person_id: Annotated[PersonId, Path(description="the person's pseudonym")],
    as_of: AsOf = None,
) -> dict[str, Any]:
    """Raw V24 and V28 scores have different denominators: they stand side by side and must not be compared."""
    sequence = as_of or _NOW
    scores = await connection.fetch(_SCORES, person_id, sequence)
    if not scores:
        raise not_found("score of this person")
    tier = await connection.fetchrow(_TIER, person_id, sequence)
    return {
        "person_id": person_id,
        "as_of": as_of,
        "scores": [_score(row) for row in scores],
        "tier": None if tier is None else _tier(tier),
    }


@router.get("/tiers", summary="How many people are in each tier")
async def tiers(connection: ReadConnection, as_of: AsOf = None) -> dict[str, Any]:
    """Tier 4 is the highest."""
    rows = await connection.fetch(_TIERS, as_of or _NOW)
    return {"as_of": as_of, "tiers": [dict(row) for row in rows]}


@router.get("/tiers/{tier}/people", summary="Who is in a tier, and why")
async def tier_people(
    connection: ReadConnection,
    tier: Annotated[int, Path(ge=1, le=4, description="4 is the highest")],
    as_of: AsOf = None,
    after: After = "",
    limit: Page = 100,
) -> dict[str, Any]:
    """One page, in the order of the pseudonyms; ``next`` is what to pass as ``after``."""
    rows = await connection.fetch(_PEOPLE, tier, as_of or _NOW, after, limit)
    following = rows[-1]["person_id"] if len(rows) == limit else None
    return {"as_of": as_of, "tier": tier, "people": [dict(row) for row in rows], "next": following}


@router.get("/scores", summary="Scores by model, payment year and segment")
async def scores_summary(connection: ReadConnection, as_of: AsOf = None) -> dict[str, Any]:
    """Averages are of raw scores within one model and payment year, never across models."""
    rows = await connection.fetch(_SUMMARY, as_of or _NOW)
    shown = [
        {**dict(row), "mean_raw_score": str(row["mean_raw_score"]), "highest_raw_score": str(row["highest_raw_score"])}
        for row in rows
    ]
    return {"as_of": as_of, "scores": shown}


@router.get("/policy", summary="The dated parameters in force, with source and status")
async def policy() -> dict[str, Any]:
    """What differs by state, year or programme, or has not been confirmed; also the lists of codes that mark claims."""
    return policy_entries() | claim_code_entries()


@router.get("/model", summary="The model of avoidable admissions: coefficients, training and measures")
async def model() -> dict[str, Any]:
    """Log odds are the intercept plus the sum of coefficient times predictor."""
    return pack_entries()


router.include_router(worklists)
router.include_router(entity_scores)
router.include_router(care_actions)
