"""Conditions that counted in an earlier year and that no claim supports this year: a worklist, never a score.

Source: convention of this product. A condition that a heavier one of its hierarchy now stands for is no gap. A gap says
that nobody has looked at a known condition, or that it is gone; only a visit can tell, and only its claim can score.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.risk.hcc_tables import LIBRARY_MODEL, AnyModel, HccTables


@dataclass(frozen=True, slots=True)
class Support:
    """What supported a condition, in the trail of a score."""

    diagnosis_code: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A condition without support in a payment year, and what last supported it, in which year."""

    category: int
    last_payment_year: int
    last_support: Support


def _stands_for(category: int, present: set[int], model: AnyModel, tables: HccTables) -> bool:
    """Say whether the condition itself, or a heavier one of its hierarchy, is there."""
    name = LIBRARY_MODEL[model]
    return category in present or any(
        str(category) in tables.hierarchies.get((str(heavier), name), ()) for heavier in present
    )


def gaps_in(
    payment_year: int, years: Mapping[int, Mapping[int, Support]], model: AnyModel, tables: HccTables
) -> tuple[Gap, ...]:
    """Compare a payment year with those before it; of a condition that several years had, the last one is told.

    ``years``: by payment year the categories of one model with their support. Models are never mixed: the numbers of
    V24 and V28 mean different conditions.
    """
    present = set(years.get(payment_year, {}))
    found: dict[int, Gap] = {}
    for year in sorted(year for year in years if year < payment_year):
        for category, support in years[year].items():
            if not _stands_for(category, present, model, tables):
                found[category] = Gap(category, year, support)
    return tuple(found[category] for category in sorted(found))
