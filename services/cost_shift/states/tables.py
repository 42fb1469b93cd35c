"""Figures as rows of tables: columns are numbers in a Parquet file, and in CSV the word ``suppressed`` can stand among them."""

from typing import Any

from services.cost_shift.answers import CentsPerMonth
from services.cost_shift.states.answers import SUPPRESSED, CompletedShown, Dimensions, Measure, Restatement

_AMOUNTS = ("cents", "claims", "crossover_cents", "crossover_claims", "person_months")


class MeasureRow(Dimensions):
    """A figure as a row of a Parquet file: numbers stay numbers, and what is not told is marked."""

    cents: int | None
    claims: int | None
    crossover_cents: int | None
    crossover_claims: int | None
    person_months: int | None
    pbpm_numerator: int | None
    pbpm_denominator: int | None
    pbpm_shown_cents: int | None
    completed_share: float | None
    completed_level: str | None
    completed_enough: bool | None
    completed_cents: int | None
    completed_lower_cents: int | None
    completed_upper_cents: int | None
    figure_revision: int
    suppressed: bool
    crossover_suppressed: bool


class MeasureText(MeasureRow):
    """The same as a row of CSV, where the word can stand."""

    cents: Any
    claims: Any
    crossover_cents: Any
    crossover_claims: Any
    person_months: Any
    completed_cents: Any
    completed_lower_cents: Any
    completed_upper_cents: Any


def as_row(measure: Measure, *, text: bool) -> MeasureRow:
    """One figure as a row of a table."""
    pbpm = measure.pbpm if isinstance(measure.pbpm, CentsPerMonth) else None
    amounts = {name: getattr(measure, name) for name in _AMOUNTS} | {
        f"completed_{name}": getattr(measure.completed, name, None) for name in CompletedShown.model_fields
    }
    numbers = {name: value if text or value != SUPPRESSED else None for name, value in amounts.items()}
    values = {
        **{name: getattr(measure, name) for name in Dimensions.model_fields},
        **numbers,
        **{f"pbpm_{name}": getattr(pbpm, name, None) for name in CentsPerMonth.model_fields},
        "figure_revision": measure.figure_revision,
        "suppressed": SUPPRESSED in {measure.cents, measure.person_months},
        "crossover_suppressed": measure.crossover_cents == SUPPRESSED,
    }
    return (MeasureText if text else MeasureRow)(**values)


class RestatementRow(Dimensions):
    """A step of a figure as a row of a Parquet file."""

    revision: int
    previous_revision: int | None
    causes: list[str]
    cents: int | None
    claims: int | None
    suppressed: bool


class RestatementText(RestatementRow):
    """The same as a row of CSV."""

    cents: Any
    claims: Any


def as_step(restatement: Restatement, *, text: bool) -> RestatementRow:
    """One step of a figure as a row of a table."""
    values = restatement.model_dump() | {"suppressed": SUPPRESSED in {restatement.cents, restatement.claims}}
    if text:
        return RestatementText(**values)
    told = {name: None if values[name] == SUPPRESSED else values[name] for name in ("cents", "claims")}
    return RestatementRow(**values | told)
