"""Which line of a claim has a category of its own, whatever the claim's: by revenue centre, procedure or specialty, from a month on.

Sources: CMS T-MSIS Analytic File code (``TAF_Grouper``: hospice by revenue centre, equipment by procedure), HCPCS level II, CMS specialty
codes; the codes and the months from which they hold are in ``policy/category_splits.toml``.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Split(NamedTuple):
    """A category, and the service month from which on it has lines of its own."""

    category: str
    since: str


class Splits(NamedTuple):
    """Of one payer, by code. Procedures by their first one or two characters."""

    revenue: Mapping[str, Split] = {}
    procedure: Mapping[str, Split] = {}
    specialty: Mapping[str, Split] = {}


class LineCodes(NamedTuple):
    """What a line says of the service."""

    month: str
    revenue: str | None = None
    procedure: str | None = None
    specialty: str | None = None


def split_category(line: LineCodes, splits: Splits) -> str | None:
    """The line's own category; ``None`` where it has that of its claim. What was given goes before who gave it."""
    procedure = line.procedure or ""
    for found in (
        splits.revenue.get((line.revenue or "").zfill(4)),
        splits.procedure.get(procedure[:2]) or splits.procedure.get(procedure[:1]),
        splits.specialty.get(line.specialty or ""),
    ):
        if found is not None and line.month >= found.since:
            return found.category
    return None
