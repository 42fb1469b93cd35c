"""Keeps what risk says of people: score, age group and long-term stay, to tell whether the people of a cohort changed.

Only the V24 score, with which the model of Direct Contracting paid; scores of models with other denominators are never mixed.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from contracts.risk import RiskScored
from contracts.topics import AnyEvent
from services.runtime.database import Connection

MODEL: Final = "V24"
# Community segments end with the age group that they are for; the others tell no age.
_UNDER_65: Final = {"CNA": False, "CPA": False, "CFA": False, "CND": True, "CPD": True, "CFD": True}
_LONG_TERM: Final = "INS"

_KEEP: Final = """
INSERT INTO person_risk (person_id, payment_year, sequence, thousandths, under_65, long_term)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::integer[], $5::boolean[], $6::boolean[])
ON CONFLICT (person_id, payment_year, sequence) DO UPDATE SET
    thousandths = EXCLUDED.thousandths, under_65 = EXCLUDED.under_65, long_term = EXCLUDED.long_term
"""


class ScoreRow(NamedTuple):
    """A person's score for one payment year, as known from a delivery on."""

    person_id: str
    payment_year: int
    sequence: int
    thousandths: int
    under_65: bool | None
    long_term: bool


def score_rows(events: Iterable[AnyEvent]) -> list[ScoreRow]:
    """One row for each person, year and delivery: of several the one that came last."""
    rows: dict[tuple[str, int, int], ScoreRow] = {}
    for event in events:
        if isinstance(event, RiskScored) and event.data.model == MODEL:
            row = _row(event)
            rows[row[:3]] = row
    return [rows[key] for key in sorted(rows)]


def _row(event: RiskScored) -> ScoreRow:
    data = event.data
    thousandths = int((data.raw_score * 1000).to_integral_value())
    long_term = data.segment == _LONG_TERM
    under_65 = _UNDER_65.get(data.segment)
    return ScoreRow(data.person_id, data.payment_year, event.deliveryseq, thousandths, under_65, long_term)


async def keep_scores(connection: Connection, events: Iterable[AnyEvent]) -> None:
    """Keep the scores of a batch in one statement."""
    rows = score_rows(events)
    if rows:
        await connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))
