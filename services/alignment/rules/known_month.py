"""What is known about one person's month after all statements were resolved: the input of every predicate."""

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Generic, Literal, NamedTuple, TypeVar

from contracts.alignment import Outcome

Value = TypeVar("Value")


class Reach(StrEnum):
    """How a statement comes to speak of a month."""

    EXACT = ""
    CARRIED_FORWARD = "carried forward"
    FROM_LATER = "from a later month"
    # One statement says two things of the month, and nobody can tell which one is meant.
    CONTRADICTED = "contradicts itself"


class Stated(NamedTuple, Generic[Value]):
    """A value and who stated it when."""

    value: Value
    source: str
    stated_on: int
    reach: Reach = Reach.EXACT

    def evidence(self) -> str:
        """Say source and date, never an identifier."""
        return _evidence(self.source, self.stated_on, self.reach)


# A delivery's statements are of one day, and every predicate of every month asks.
@lru_cache(maxsize=4096)
def _evidence(source: str, stated_on: int, reach: Reach) -> str:
    said = f"{source} {date.fromordinal(stated_on).isoformat()}"
    return f"{said}, {reach.value}" if reach.value else said


class Answer(NamedTuple):
    """What a predicate found."""

    outcome: Outcome
    reason: str | None = None
    evidence: str | None = None


def passes(stated: Stated[Value]) -> Answer:
    """Pass, on what was stated; open where the statement contradicts itself."""
    return _contradicted(stated) or Answer(Outcome.PASS, None, stated.evidence())


def fails(reason: str, stated: Stated[Value]) -> Answer:
    """Fail, on what was stated; open where the statement contradicts itself."""
    return _contradicted(stated) or Answer(Outcome.FAIL, reason, stated.evidence())


def unknown(reason: str, stated: Stated[Value] | None = None) -> Answer:
    """Leave it open: nothing was stated, or nothing that decides."""
    return Answer(Outcome.UNKNOWN, reason, stated.evidence() if stated else None)


def _contradicted(stated: Stated[Value]) -> Answer | None:
    return unknown("CONTRADICTED", stated) if stated.reach is Reach.CONTRADICTED else None


def told(stated: Stated[Value] | None) -> Value | None:
    """The value; ``None`` where nothing was stated, or two things at once."""
    return None if stated is None or stated.reach is Reach.CONTRADICTED else stated.value


class Verdict(NamedTuple):
    """What the newest reports say about a month.

    ``ongoing``: after the report's month, with the last span open. ``before``: no span had begun.
    ``returns`` marks the first month of a later span, ``leaves`` the first month after a span.
    """

    kind: Literal["aligned", "ongoing", "removed", "before", "unreported"]
    entity_id: str | None = None
    removal_reason: str | None = None
    returns: bool = False
    leaves: bool = False
    claimed_by_others: bool = False
    stated: Stated[str] | None = None


class KnownMonth(NamedTuple):
    """One person's month as known at one delivery. ``None`` where nobody has stated anything.

    ``enrolled_plans``: empty when the state says "not enrolled"; holds ``""`` for an enrolment without a plan's name.
    ``begun``: whether Parts A and B had begun, asked only where the entitlement comes from a later month.
    """

    month: int
    state: str
    entitlement_buy_in_code: Stated[str] | None
    begun: tuple[bool | None, bool | None]
    health_plan: Stated[str] | None
    medicare_is_primary: Stated[bool] | None
    county_fips: Stated[str] | None
    in_united_states: Stated[bool] | None
    dual_status_code: Stated[str] | None
    enrolled_plans: Stated[tuple[str, ...]] | None
    dead: Stated[bool] | None
    verdict: Verdict
