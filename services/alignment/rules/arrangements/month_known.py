"""What is known about one person's month when its arrangements are judged."""

from collections.abc import Mapping
from typing import NamedTuple

from services.alignment.rules.aligned import Alignment
from services.alignment.rules.known_month import Answer, KnownMonth, Stated


class Plan(NamedTuple):
    """A Medicaid plan of the month and its T-MSIS type; ``""`` and ``None`` where that is not told."""

    plan_id: str
    plan_type_code: str | None = None


class Care(NamedTuple):
    """What the state says of a month beside eligibility. No plans: not enrolled. ``None``: nobody has stated it.

    ``contract``: of the statement that speaks of the Medicare health plan, so it is never older than that.
    """

    plans: Stated[tuple[Plan, ...]] | None = None
    contract: Stated[str] | None = None
    level_of_care: Stated[str] | None = None
    safe_in_community: Stated[bool] | None = None
    enrolment_basis: Stated[str] | None = None
    demonstration: Stated[bool] | None = None
    waiver_type_codes: Stated[tuple[str, ...]] | None = None


class MonthKnown(NamedTuple):
    """A month as known at one delivery. ``found`` are the predicates of alignment to the entity, with their answers."""

    known: KnownMonth
    care: Care
    birth: Stated[int] | None
    alignment: Alignment
    found: Mapping[str, Answer]

    @property
    def month(self) -> int:
        """The month's number."""
        return self.known.month
