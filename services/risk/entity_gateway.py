"""The score of an entity's benchmark, from the months in which people were aligned and their scores in those months."""

from decimal import Decimal
from typing import Annotated, Any, Final

import asyncpg
from fastapi import APIRouter, Path, Query

from services.risk.entity_policy import (
    POPULATIONS,
    Population,
    chain_policy,
    entity_policy_entries,
    reference_year,
    stated_reference,
)
from services.risk.rules.entity_score import EntityScore, MonthsAt, entity_score, normalised_score
from services.runtime.gateway import ReadConnection
from services.runtime.person_moves import is_gone

router = APIRouter()

# Larger than any sequence: as known now.
_NOW: Final = 2**62
EntityId = Annotated[str, Path(pattern=r"^D[0-9]{4}$", description="Direct Contracting Entity", examples=["D9001"])]
Year = Annotated[int, Query(ge=2019, le=2100, description="performance year, which is the payment year of the scores")]
AsOf = Annotated[int | None, Query(ge=1, description="sequence of a delivery; left out: as known now")]

# Months by population, model and raw score in that month. Whoever has end-stage renal disease is in its population alone.
_MONTHS: Final = f"""
    WITH decided AS (
        SELECT DISTINCT ON (person_id, month) person_id, month, aligned, entity_id
        FROM care_alignment
        WHERE sequence <= $1 AND month BETWEEN $3 || '-01' AND $3 || '-12'
            AND NOT {is_gone("care_alignment.person_id", "$1")}
        ORDER BY person_id, month, sequence DESC, revision DESC
    ), months AS (
        SELECT person_id, month FROM decided WHERE aligned AND entity_id = $2
    ), scored AS (
        SELECT DISTINCT ON (person_id, model) person_id, model, raw_score, periods, completeness
        FROM score WHERE payment_year = $3::int AND sequence <= $1 AND person_id IN (SELECT person_id FROM months)
        ORDER BY person_id, model, sequence DESC
    ), renal AS (
        SELECT person_id FROM scored WHERE model = 'ESRD_V24'
    )
    SELECT CASE WHEN renal.person_id IS NULL THEN 'aged_and_disabled' ELSE 'esrd' END AS population,
           scored.model,
           coalesce((SELECT (period->>'raw_score')::numeric FROM jsonb_array_elements(scored.periods) AS period
                     WHERE period->>'first_month' <= month ORDER BY period->>'first_month' DESC LIMIT 1),
                    scored.raw_score) AS raw_score,
           count(*) AS months
    FROM months LEFT JOIN renal USING (person_id)
    LEFT JOIN scored ON scored.person_id = months.person_id AND scored.completeness = 'complete'
        AND (scored.model = 'ESRD_V24') = (renal.person_id IS NOT NULL)
    GROUP BY 1, 2, 3
"""  # noqa: S608 - a fixed condition


async def _months(connection: ReadConnection, sequence: int, entity_id: str, year: int) -> list[asyncpg.Record]:
    return await connection.fetch(_MONTHS, sequence, entity_id, str(year))


def _of(rows: list[asyncpg.Record], population: Population) -> list[MonthsAt]:
    return [
        MonthsAt(row["model"], row["months"], row["raw_score"])
        for row in rows
        if row["population"] == population and row["model"] is not None
    ]


def _computed_reference(rows: list[asyncpg.Record], population: Population, year: int) -> Decimal | None:
    """Normalise what is known of the reference year itself."""
    policy = chain_policy(population, year)
    means = entity_score(_of(rows, population), None, policy).mean_raw
    reference, _ = normalised_score(means, policy)
    return reference


def _shown(score: EntityScore, unscored: int) -> dict[str, Any]:
    steps = ("normalised", "reference", "capped", "final")
    return {
        "person_months": score.person_months,
        "person_months_without_score": unscored,
        "mean_raw_scores": {model: str(mean) for model, mean in score.mean_raw.items()},
        **{name: None if getattr(score, name) is None else str(getattr(score, name)) for name in steps},
        "missing": list(score.missing),
    }


@router.get("/entities/{entity_id}/score", summary="An entity's risk score, step by step")
async def entity_risk_score(
    connection: ReadConnection, entity_id: EntityId, performance_year: Year, as_of: AsOf = None
) -> dict[str, Any]:
    """Mean raw scores of aligned months, normalised, blended, capped against the reference year, and deflated.

    Raw scores of different models are never mixed. A step that lacks what it needs is null, and ``missing`` says what.
    """
    sequence, earlier = as_of or _NOW, reference_year(performance_year)
    rows = await _months(connection, sequence, entity_id, performance_year)
    before = await _months(connection, sequence, entity_id, earlier)
    populations = {}
    for population in POPULATIONS:
        stated = stated_reference(entity_id, population)
        reference = _computed_reference(before, population, earlier) if stated is None else stated
        score = entity_score(_of(rows, population), reference, chain_policy(population, performance_year))
        unscored = sum(row["months"] for row in rows if row["population"] == population and row["model"] is None)
        populations[population] = _shown(score, unscored) | {"reference_is_stated": stated is not None}
    return {
        "entity_id": entity_id,
        "performance_year": performance_year,
        "reference_year": earlier,
        "as_of": as_of,
        "populations": populations,
        "policy": entity_policy_entries(),
    }
