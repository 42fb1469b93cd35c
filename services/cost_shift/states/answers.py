"""The shapes of what others are answered. A number that may not be told is the word ``suppressed``, never 0 or null."""

from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.money import per_month
from contracts.months import Month
from services.cost_shift.answers import CentsPerMonth
from services.cost_shift.completed_figures import NOT_COMPLETED, Completed, Enough, Share, Whose

SUPPRESSED: Literal["suppressed"] = "suppressed"
Suppressed = Literal["suppressed"]
Shown: TypeAlias = int | Suppressed
_HIDDEN = "suppressed: it could tell of fewer people or claims than may be shown"

Cents = Annotated[Shown, Field(description=f"paid amounts, cancellations with a minus sign; or {_HIDDEN}")]
Claims = Annotated[Shown, Field(description=f"claims, cancellations with a minus sign; or {_HIDDEN}")]
People = Annotated[
    Shown, Field(description=f"people who were in the cohort that month, added over months; or {_HIDDEN}")
]
Rate = Annotated[
    CentsPerMonth | Suppressed | None, Field(description="cents per person-month; null without person-months")
]


class Dimensions(BaseModel):
    """What a figure is about. One that was not grouped by is left out; ``entity_id`` null means people of no entity."""

    state: str | None = None
    entity_id: str | None = None
    cohort: Cohort | None = None
    payer: Payer | None = None
    category: ServiceCategory | None = None
    month: str | None = None


class CompletedShown(BaseModel):
    """What received cents will come to, by how figures that were shown grew. Nothing else goes into it."""

    share: Share
    level: Whose
    enough: Enough
    cents: Cents
    lower_cents: Annotated[Shown | None, Field(description="null: too little has come in to tell")]
    upper_cents: Shown | None

    @classmethod
    def of(cls, found: Completed | None, *, hidden: bool) -> Self | None:
        """The share is nobody's alone; amounts are as hidden as the cents that they are of."""
        if found is None:
            return None
        return cls(
            share=found.share,
            level=found.level,
            enough=found.enough,
            cents=shown(found.cents, hidden=hidden),
            lower_cents=None if found.lower_cents is None else shown(found.lower_cents, hidden=hidden),
            upper_cents=None if found.upper_cents is None else shown(found.upper_cents, hidden=hidden),
        )


class Measure(Dimensions):
    """One figure. Capitation is of the outlay basis, all else of services."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "OH",
                    "entity_id": "D9001",
                    "cohort": "aligned",
                    "payer": "medicaid",
                    "category": "nursing_facility",
                    "month": "2022-03",
                    "cents": 123456700,
                    "claims": 96,
                    "crossover_cents": "suppressed",
                    "crossover_claims": "suppressed",
                    "person_months": 1200,
                    "pbpm": {"numerator": 1234567, "denominator": 12, "shown_cents": 102881},
                    "completed": {
                        "share": 0.962,
                        "level": "entity",
                        "enough": True,
                        "cents": 128333368,
                        "lower_cents": 126012345,
                        "upper_cents": 130678901,
                    },
                    "figure_revision": 41,
                },
                {
                    "payer": "medicaid",
                    "category": "hospice",
                    "month": "2022-03",
                    "cents": "suppressed",
                    "claims": "suppressed",
                    "crossover_cents": "suppressed",
                    "crossover_claims": "suppressed",
                    "person_months": 1200,
                    "pbpm": "suppressed",
                    "completed": {
                        "share": 0.974,
                        "level": "pooled",
                        "enough": True,
                        "cents": "suppressed",
                        "lower_cents": "suppressed",
                        "upper_cents": "suppressed",
                    },
                    "figure_revision": 41,
                },
            ]
        }
    )

    cents: Cents
    claims: Claims
    crossover_cents: Cents
    crossover_claims: Claims
    person_months: People
    pbpm: Rate
    completed: Annotated[CompletedShown | None, Field(description=NOT_COMPLETED)]
    figure_revision: Annotated[
        int, Field(description="the last revision that changed it as far as it may be told; small changes wait")
    ]


class MeasuresAnswer(BaseModel):
    """Figures as of one revision."""

    revision: int
    as_of: datetime
    group_by: list[str]
    measures: list[Measure]
    next_offset: int | None


class PersonMonths(Dimensions):
    """How many people, month by month, stand behind figures."""

    person_months: People


class PersonMonthsAnswer(BaseModel):
    """Counts as of one revision."""

    revision: int
    as_of: datetime
    group_by: list[str]
    person_months: list[PersonMonths]


class Restatement(Dimensions):
    """By how much a figure moved from one showing to the next, and why. All of a figure's add up to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "OH",
                    "entity_id": "D9001",
                    "cohort": "aligned",
                    "payer": "medicare",
                    "category": "inpatient",
                    "month": "2022-03",
                    "revision": 43,
                    "previous_revision": 40,
                    "causes": ["cancellations", "claims"],
                    "cents": -8150000,
                    "claims": -12,
                }
            ]
        }
    )

    revision: int
    previous_revision: Annotated[int | None, Field(description="null: it was shown for the first time")]
    causes: Annotated[list[str], Field(description="claims, cancellations, alignment, dual_status, residence")]
    cents: Cents
    claims: Claims


class RestatementsAnswer(BaseModel):
    """Everything that moved after revision ``since``, up to ``revision``."""

    since: int
    revision: int
    as_of: datetime
    restatements: list[Restatement]
    next_offset: int | None


class Change(Restatement):
    """A figure as of one revision: ``cents`` and ``claims`` are the whole figure, beside what it was before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "OH",
                    "entity_id": "D9001",
                    "cohort": "aligned",
                    "payer": "medicare",
                    "category": "inpatient",
                    "month": "2022-03",
                    "revision": 43,
                    "previous_revision": 40,
                    "causes": ["claims"],
                    "cents": 123456700,
                    "claims": 96,
                    "known_at": "2022-07-15T00:00:00Z",
                    "previous_cents": 98765400,
                    "person_months": 1200,
                }
            ]
        }
    )

    known_at: datetime
    previous_cents: Annotated[Shown | None, Field(description="null: it was shown for the first time")]
    person_months: People


class ChangesAnswer(BaseModel):
    """Changes in their one order. ``next_cursor`` goes on behind the last of them, now or any time later."""

    revision: Annotated[int, Field(description="the latest at this moment")]
    changes: list[Change]
    next_cursor: str
    more: Annotated[bool, Field(description="whether there are more at this moment")]


class PairMonth(BaseModel):
    """Both sides of a channel in one month."""

    month: str
    medicare_cents: Cents
    medicaid_cents: Cents
    person_months: People
    medicare_pbpm: Rate
    medicaid_pbpm: Rate


class Pair(BaseModel):
    """A channel through which costs could move, with its two series. Null category: all services of the payer."""

    channel: str
    medicare_category: ServiceCategory | None
    medicaid_category: ServiceCategory | None
    months: list[PairMonth]


class PairsAnswer(BaseModel):
    """Series side by side, of one cohort."""

    revision: int
    as_of: datetime
    cohort: Cohort
    pairs: list[Pair]


class Entity(BaseModel):
    """An entity with people in this state."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"entity_id": "D9001", "state": "OH", "first_month": "2022-01", "last_month": "2022-12"}]
        }
    )

    entity_id: str
    state: str
    first_month: str
    last_month: str


class EntitiesAnswer(BaseModel):
    """Entities whose people may be told of."""

    revision: int
    as_of: datetime
    entities: list[Entity]


class Delivery(BaseModel):
    """A consistent cut: everything known up to and including this delivery."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "revision": 42,
                    "delivery_id": "d5f2a7c01b9e84d36f0c2a6b8d1e4f730",
                    "known_at": "2022-07-15T00:00:00Z",
                    "dated": "2022-07-14",
                    "figures_changed": 118,
                }
            ]
        }
    )

    revision: int
    delivery_id: str
    known_at: datetime
    dated: Annotated[date, Field(description="of when it is, by its sender's word")]
    figures_changed: Annotated[int, Field(description="figures of yours that it changed as far as may be told")]


class DeliveriesAnswer(BaseModel):
    """The latest first."""

    deliveries: list[Delivery]


class Term(BaseModel):
    """A field, or a value that a field can have."""

    name: str
    meaning: str


class PolicyEntry(BaseModel):
    """A dated parameter of what may be shown."""

    name: str
    value: int
    since: Annotated[Month, Field(description="in force from this month on")]
    source: str
    status: Literal["confirmed", "unconfirmed"]


class DictionaryAnswer(BaseModel):
    """What everything means."""

    fields: list[Term]
    payers: list[str]
    cohorts: list[Term]
    categories: list[str]
    causes: list[Term]
    policies: list[PolicyEntry]


def shown(value: int, *, hidden: bool) -> Shown:
    """A number, or that it is not told."""
    return SUPPRESSED if hidden else value


def rate(cents: Shown, person_months: Shown) -> CentsPerMonth | Suppressed | None:
    """Cents per person-month of what is told."""
    if isinstance(cents, str) or isinstance(person_months, str):
        return SUPPRESSED
    found: Fraction | None = per_month(cents, person_months)
    return CentsPerMonth.of(found)
