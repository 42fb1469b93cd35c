"""From a score to the event that tells of it and the row that keeps it. Pure: both say the same."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from contracts.risk import (
    EsrdRiskScored,
    EsrdRiskScoredData,
    RiskScored,
    RiskScoredData,
)
from services.risk.fact_rows import Row
from services.risk.hcc_tables import tables_year
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.hcc_score import HccScore
from services.risk.rules.scoring_input import EDITED
from services.risk.score_history import ModelScore, ScoredInput
from services.risk.store import as_json

AnyScored = RiskScored | EsrdRiskScored
# An event stays small; the count says how many there are in all.
_MOST_IGNORED: Final = 30
OTHER_TABLES: Final = "tables_of_another_year"


class Delivered(NamedTuple):
    """By which delivery something is known, and its time."""

    delivery_id: str
    time: datetime


class Said(NamedTuple):
    """One score, to be told and to be kept."""

    event: AnyScored
    row: Row


# Parts are plain values until the whole is validated, once.
def _categories(score: HccScore, scored: ScoredInput) -> tuple[dict[str, Any], ...]:
    """Name for each category the diagnosis and the claim that became known first."""
    support = dict(scored.scored.support)
    return tuple(
        {
            "category": category.number,
            "diagnosis_code": category.diagnosis_codes[0],
            "first_record_id": support[category.diagnosis_codes[0]],
        }
        for category in score.categories
    )


def _ignored(score: HccScore, scored: ScoredInput) -> tuple[dict[str, str], ...]:
    pairs = dict(scored.scored.ignored) | dict.fromkeys(score.edited, EDITED)
    return tuple({"diagnosis_code": code, "reason": reason} for code, reason in sorted(pairs.items()))


def _periods(found: ModelScore) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"first_month": month, "segment": one.segment, "raw_score": one.raw_score} for month, one in found.periods
    )


def _common(person_id: str, scored: ScoredInput, score: HccScore, policy: RiskPolicy) -> dict[str, Any]:
    given = scored.scored
    year = tables_year(given.payment_year, policy)
    ignored = _ignored(score, scored)
    return {
        "person_id": person_id,
        "state": given.state,
        "model": score.model,
        "payment_year": given.payment_year,
        "diagnosis_year": given.payment_year - 1,
        "segment": score.segment,
        "raw_score": score.raw_score,
        "demographic_score": score.demographic_score,
        "completeness": "complete" if given.demographics else "disease_only",
        "categories": _categories(score, scored),
        "interactions": score.interactions,
        "tables_year": year,
        "ignored": ignored[:_MOST_IGNORED],
        "ignored_count": len(ignored),
        "notes": (*given.notes, *((OTHER_TABLES,) if year != given.payment_year else ())),
    }


def _json(values: Sequence[object]) -> str:
    """Most lists of a score are empty."""
    return as_json(values) if values else "[]"


def _row(scored: ScoredInput, said: dict[str, Any]) -> Row:
    """What is kept are the values that the event was made of: it has been validated by then."""
    return (
        *(said["person_id"], said["model"], said["payment_year"], scored.sequence, said["state"], said["segment"]),
        *(said["raw_score"], said["demographic_score"], said["completeness"], _json(said["categories"])),
        *(said["interactions"], scored.fingerprint, said["tables_year"], _json(said.get("periods", ()))),
        *(_json(said["ignored"]), said["notes"], said.get("kidney_status"), said.get("graft_month")),
        None if scored.scored.demographics is None else scored.scored.demographics.age,
    )


def said_of(
    person_id: str, scored: ScoredInput, scores: Iterable[ModelScore], delivered: Delivered, policy: RiskPolicy
) -> list[Said]:
    """Put the scores of one input into words and rows."""
    return [_said(person_id, scored, found, delivered, policy) for found in scores]


def _said(person_id: str, scored: ScoredInput, found: ModelScore, delivered: Delivered, policy: RiskPolicy) -> Said:
    said = _common(person_id, scored, found.score, policy)
    envelope: dict[str, Any] = {
        "service": "risk",
        "key": person_id,
        "version": f"{found.score.model}:{scored.scored.payment_year}:{scored.sequence}:{scored.fingerprint.hex()}",
        "time": delivered.time,
        "delivery_id": delivered.delivery_id,
        "sequence": scored.sequence,
    }
    if scored.scored.renal is not None and found.score.model == "ESRD_V24":
        kidneys = scored.scored.renal.kidneys
        said |= {"kidney_status": kidneys.status, "graft_month": kidneys.graft_month}
        return Said(EsrdRiskScored.of(data=EsrdRiskScoredData.model_validate(said), **envelope), _row(scored, said))
    said["periods"] = _periods(found)
    return Said(RiskScored.of(data=RiskScoredData.model_validate(said), **envelope), _row(scored, said))
