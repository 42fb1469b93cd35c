"""Why a person has the scores and the tier that they have, in plain words, as known at a delivery."""

import json
from collections.abc import Iterator
from typing import Any, Final

import asyncpg

from services.risk.gap_reading import GapQuestion, GapReader
from services.risk.hcc_tables import HccTables, hcc_tables
from services.risk.prediction_pack import coefficient_pack
from services.risk.risk_policy import RiskPolicy, risk_policy
from services.risk.rules.avoidable_admission import contributions, probability
from services.risk.rules.person_use import PersonUse
from services.risk.rules.predictors import PREDICTORS as PREDICTOR_RULES
from services.risk.rules.predictors import predictors_of
from services.risk.rules.support_gaps import Gap
from services.risk.tiering import Ranked, candidate_of, ranked_people
from services.risk.use_reading import use_by_person
from services.risk.words import IGNORED, MODELS, NEVER_COMPARE, NOTES, PREDICTORS, SEGMENTS
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone

_SCORES: Final = f"""
    WITH known AS (
        SELECT DISTINCT ON (model, payment_year) * FROM score
        WHERE person_id = $1 AND sequence <= $2 AND NOT {is_gone("$1", "$2")}
        ORDER BY model, payment_year, sequence DESC)
    SELECT * FROM known WHERE payment_year = (SELECT max(payment_year) FROM known)
    ORDER BY array_position(ARRAY['V28', 'V24', 'ESRD_V24'], model)
"""  # noqa: S608 - a fixed condition
_TIER: Final = """
    SELECT tier, previous_tier, reasons, sequence, ended FROM tier WHERE person_id = $1 AND sequence <= $2
    ORDER BY sequence DESC LIMIT 1
"""
_RANKING: Final = "SELECT * FROM ranking WHERE sequence <= $1 ORDER BY sequence DESC LIMIT 1"
_MOST_CONTRIBUTIONS: Final = 3


async def explanation(connection: Connection, person_id: str, sequence: int) -> list[str] | None:
    """Explain the newest scores, the tier, what may come and what is missing; ``None`` for nobody who is known."""
    policy = risk_policy()
    rows = await connection.fetch(_SCORES, person_id, sequence)
    if not rows:
        return None
    tables = hcc_tables(max(policy.hcc_tables_years))
    lines = [line for row in rows for line in _score_lines(row, tables)]
    lines.append(NEVER_COMPARE)
    lines += _tier_lines(await connection.fetchrow(_TIER, person_id, sequence))
    ranking = await connection.fetchrow(_RANKING, sequence)
    leading = next((row for row in rows if row["model"] == policy.tier_model), None)
    if ranking is not None and leading is not None and leading["completeness"] == "complete":
        used = await use_by_person(connection, sequence, ranking["day"], [person_id])
        lines += _outlook_lines(ranked_people([leading], used)[0], ranking)
    year = rows[0]["payment_year"]
    lines += _gap_lines(await _gaps(connection, person_id, sequence, year, policy), policy, tables)
    return lines


async def _gaps(
    connection: Connection, person_id: str, sequence: int, year: int, policy: RiskPolicy
) -> tuple[Gap, ...]:
    tables = hcc_tables(max(policy.hcc_tables_years))
    question = GapQuestion(sequence, policy.tier_model, year, policy.gap_years)
    reader = GapReader(connection, question, tables)
    return await reader.of(person_id)


def _score_lines(row: asyncpg.Record, tables: HccTables) -> Iterator[str]:
    model, segment, year = row["model"], row["segment"], row["payment_year"]
    yield (
        f"{MODELS[model]}, payment year {year} (diagnoses of {year - 1}): raw score {row['raw_score']}, "
        f"segment {segment}: {SEGMENTS[segment]}."
    )
    if row["demographic_score"] is not None:
        yield f"  {row['demographic_score']} by age, sex and entitlement."
    for period in json.loads(row["periods"]):
        yield f"  From {period['first_month']} segment {period['segment']}, raw score {period['raw_score']}."
    for one in json.loads(row["categories"]):
        yield from _category_line(row, one, tables)
    for name in row["interactions"]:
        yield f"  {tables.coefficient(model, segment, name)} for {name}: what counts together or in number."
    for one in json.loads(row["ignored"]):
        yield f"  Ignored {one['diagnosis_code']}: {IGNORED[one['reason']]}."
    for note in row["notes"]:
        yield f"  Note: {NOTES[note]}."


def _category_line(row: asyncpg.Record, one: dict[str, Any], tables: HccTables) -> Iterator[str]:
    number = one["category"]
    factor = tables.coefficient(row["model"], row["segment"], f"HCC{number}") or 0
    support = f"{one['diagnosis_code']}, first supported by claim {one['first_record_id']}"
    yield f"  {factor} for HCC {number}, {tables.label(row['model'], number)} ({support})."


def _tier_lines(tier: asyncpg.Record | None) -> Iterator[str]:
    if tier is None or tier["tier"] is None:
        was = "" if tier is None else f" since delivery {tier['sequence']}; before: tier {tier['previous_tier']}"
        yield f"In no tier{was}."
        return
    before = "no tier" if tier["previous_tier"] is None else f"tier {tier['previous_tier']}"
    yield f"Tier {tier['tier']} of 4 (4 is the highest) since delivery {tier['sequence']}; before: {before}. Because:"
    for reason in tier["reasons"]:
        yield f"  {reason}"


def _outlook_lines(one: Ranked, ranking: asyncpg.Record) -> Iterator[str]:
    pack, predictors = coefficient_pack(), predictors_of(candidate_of(one))
    yield (
        f"Chance of an avoidable admission within 6 months of {ranking['day']}: {probability(pack, predictors):.1%}, by "
        f"coefficients of {pack.dated} trained on {pack.trained_on}. Compared with whoever is typical, it is raised most by:"
    )
    values = dict(zip(PREDICTOR_RULES, predictors, strict=True))
    raising = [(name, part) for name, part in contributions(pack, predictors).items() if part > 0]
    for name, part in raising[:_MOST_CONTRIBUTIONS]:
        yield f"  {PREDICTORS[name]}: {_shown(one.use, name, values[name])} (log odds +{part:.2f})"


def _shown(use: PersonUse, name: str, value: float) -> str:
    if name == "spend_year_log_dollars":
        return f"${use.spend_year_cents // 100:,}"
    if name == "spend_quarter_log_dollars":
        return f"${use.spend_quarter_cents // 100:,}"
    return f"{value:g}"


def _gap_lines(gaps: tuple[Gap, ...], policy: RiskPolicy, tables: HccTables) -> Iterator[str]:
    if gaps:
        yield "To look at, never part of a score: conditions of earlier years that no claim supports this year."
    for gap in gaps:
        label = tables.label(policy.tier_model, gap.category)
        last = f"{gap.last_support.diagnosis_code} by claim {gap.last_support.record_id}"
        yield f"  HCC {gap.category}, {label}: last in payment year {gap.last_payment_year} ({last})."
