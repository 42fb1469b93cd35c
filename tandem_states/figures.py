"""What the API answers, as values. A number that may not be told is the word ``suppressed``, never 0 or None."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias, TypeVar

SUPPRESSED: Final = "suppressed"
Shown: TypeAlias = int | Literal["suppressed"]
Rate: TypeAlias = Fraction | Literal["suppressed"] | None  # cents per person-month; None without person-months
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """What a figure is about; None where it was summed over, and ``entity_id`` also for people of no entity."""

    state: str | None = None
    entity_id: str | None = None
    cohort: str | None = None
    payer: str | None = None
    category: str | None = None
    month: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What received cents will come to. ``level`` says whose history tells; ``enough``, whether the share is enough for estimates."""

    share: float
    level: str
    enough: bool
    cents: Shown
    lower_cents: Shown | None
    upper_cents: Shown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(_About):
    """One figure. ``figure_revision``: the last that changed it. ``completed`` is None where nobody can tell, or of several months."""

    cents: Shown
    claims: Shown
    crossover_cents: Shown
    crossover_claims: Shown
    person_months: Shown
    pbpm: Rate
    figure_revision: int
    completed: Completed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMonths(_About):
    """How many people, month by month."""

    person_months: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement(_About):
    """By how much a figure moved in a revision, and why."""

    revision: int
    previous_revision: int | None
    causes: tuple[str, ...]
    cents: Shown
    claims: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(_About):
    """A figure as of one revision, and what it was before. ``cursor`` goes on behind the page that it came with."""

    revision: int
    known_at: datetime
    previous_revision: int | None
    previous_cents: Shown | None
    causes: tuple[str, ...]
    cents: Shown
    claims: Shown
    person_months: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Changes that belong together with the cursor behind them: keep both or neither."""

    changes: tuple[Change, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity with people in the state."""

    entity_id: str
    state: str
    first_month: str
    last_month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A revision: everything known up to and including a delivery."""

    revision: int
    delivery_id: str
    known_at: datetime
    dated: date
    figures_changed: int


def _rate(value: Any) -> Rate:  # noqa: ANN401 - JSON
    return Fraction(value["numerator"], value["denominator"]) if isinstance(value, Mapping) else value


def _completed(value: Mapping[str, Any] | None) -> Completed | None:
    return None if value is None else row_of(Completed, value)


_READ: Final[Mapping[str, Any]] = {
    "pbpm": _rate,
    "completed": _completed,
    "causes": tuple,
    "known_at": datetime.fromisoformat,
    "dated": date.fromisoformat,
}


def row_of(kind: type[Row], document: Mapping[str, Any]) -> Row:
    """A value of JSON. Members that this version does not know are left out: later versions may add some."""
    known = {field.name for field in fields(kind)} & document.keys()  # type: ignore[arg-type] # dataclasses all
    return kind(**{name: _READ[name](document[name]) if name in _READ else document[name] for name in known})
