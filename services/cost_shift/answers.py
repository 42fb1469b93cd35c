"""The shapes of what the gateway answers."""

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.money import shown_cents
from services.cost_shift.completed_figures import NOT_COMPLETED, Completed
from services.cost_shift.reading import Basis, Dimension
from services.cost_shift.rules.direction import Direction


class Ratio(BaseModel):
    """An exact fraction in lowest terms, and the same rounded half away from zero to four decimals, as text."""

    numerator: int
    denominator: Annotated[int, Field(ge=1)]
    shown: str

    @classmethod
    def of(cls, value: Fraction | None) -> Self | None:
        """``None`` stays ``None``: a ratio over nothing is no number."""
        if value is None:
            return None
        shown = shown_cents(value * 10_000)
        whole, decimals = divmod(abs(shown), 10_000)
        text = f"{'-' if shown < 0 else ''}{whole}.{decimals:04d}"
        return cls(numerator=value.numerator, denominator=value.denominator, shown=text)


class CentsPerMonth(BaseModel):
    """Exact cents per person-month in lowest terms, and rounded to a whole cent for showing."""

    numerator: int
    denominator: Annotated[int, Field(ge=1)]
    shown_cents: int

    @classmethod
    def of(cls, value: Fraction | None) -> Self | None:
        """``None`` where there is no person-month."""
        if value is None:
            return None
        return cls(numerator=value.numerator, denominator=value.denominator, shown_cents=shown_cents(value))


class RevisionAnswer(BaseModel):
    """A consistent cut: everything known up to and including this delivery."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"revision": 42, "delivery_id": "d5f2a7c01b9e84d36f0c2a6b8d1e4f730", "known_at": "2022-07-15T00:00:00Z"}
            ]
        }
    )

    revision: int
    delivery_id: str
    known_at: datetime


class RevisionsAnswer(BaseModel):
    """The latest first."""

    revisions: list[RevisionAnswer]


class Measure(BaseModel):
    """One figure. A dimension that was not grouped by is left out; ``entity_id`` null means people of no entity."""

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
                    "basis": "services",
                    "cents": 123456700,
                    "claims": 96,
                    "crossover_cents": 0,
                    "crossover_claims": 0,
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
                }
            ]
        }
    )

    state: str | None = None
    entity_id: str | None = None
    county_fips: str | None = None
    cohort: Cohort | None = None
    payer: Payer | None = None
    category: ServiceCategory | None = None
    month: str | None = None
    basis: Basis
    cents: int
    claims: int
    crossover_cents: Annotated[int, Field(description="part of cents")]
    crossover_claims: Annotated[int, Field(description="part of claims")]
    person_months: int
    pbpm: Annotated[CentsPerMonth | None, Field(description="cents per person-month; null without person-months")]
    completed: Annotated[Completed | None, Field(description=NOT_COMPLETED)]


class MeasuresAnswer(BaseModel):
    """Figures as of one revision. ``next_offset`` is null on the last page."""

    revision: int
    basis: Basis
    group_by: list[Dimension]
    measures: list[Measure]
    next_offset: int | None


class PersonMonths(BaseModel):
    """A count of person-months; dimensions as in :class:`Measure`."""

    state: str | None = None
    entity_id: str | None = None
    county_fips: str | None = None
    cohort: Cohort | None = None
    month: str | None = None
    person_months: int


class PersonMonthsAnswer(BaseModel):
    """Counts as of one revision."""

    revision: int
    group_by: list[Dimension]
    person_months: list[PersonMonths]


class Restatement(BaseModel):
    """Part of the difference between a figure and the one published before it, by cause."""

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
                    "cause": "cancellations",
                    "cents": -815000,
                    "claims": -1,
                    "crossover_cents": 0,
                    "crossover_claims": 0,
                }
            ]
        }
    )

    state: str
    entity_id: str | None
    cohort: Cohort
    payer: Payer
    category: ServiceCategory
    month: str
    revision: int
    cause: str
    cents: int
    claims: int
    crossover_cents: int
    crossover_claims: int


class RestatementsAnswer(BaseModel):
    """Everything that moved after revision ``since``, up to ``revision``."""

    since: int
    revision: int
    restatements: list[Restatement]
    next_offset: int | None


class Window(BaseModel):
    """One cohort in one window."""

    cents: int
    person_months: int
    pbpm: CentsPerMonth | None


class Effect(BaseModel):
    """A descriptive difference in differences of one series. Null category: all services together."""

    payer: Payer
    category: ServiceCategory | None
    aligned_before: Window
    aligned_after: Window
    comparison_before: Window
    comparison_after: Window
    effect: CentsPerMonth | None


class Pair(BaseModel):
    """Two series side by side. Null where a window holds nobody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "channel": "early_discharge_to_nursing_facility",
                    "medicare_category": "skilled_nursing_facility",
                    "medicaid_category": "nursing_facility",
                    "medicare_effect": {"numerator": -6000, "denominator": 1, "shown_cents": -6000},
                    "medicaid_effect": {"numerator": 4500, "denominator": 1, "shown_cents": 4500},
                    "net_effect": {"numerator": -1500, "denominator": 1, "shown_cents": -1500},
                    "offset_ratio": {"numerator": 3, "denominator": 4, "shown": "0.7500"},
                    "direction": "medicare_to_medicaid",
                    "shifted": {"numerator": 4500, "denominator": 1, "shown_cents": 4500},
                    "aligned_person_months": 12000,
                    "shifted_cents": 54000000,
                    "net_cents": -18000000,
                }
            ]
        }
    )

    channel: str
    medicare_category: ServiceCategory | None
    medicaid_category: ServiceCategory | None
    medicare_effect: CentsPerMonth | None
    medicaid_effect: CentsPerMonth | None
    net_effect: CentsPerMonth | None
    offset_ratio: Ratio | None
    direction: Direction | None
    shifted: CentsPerMonth | None
    aligned_person_months: int
    shifted_cents: Annotated[int | None, Field(description="shifted x aligned person-months of the later window")]
    net_cents: Annotated[int | None, Field(description="net effect x aligned person-months of the later window")]


class DescriptiveEffectsAnswer(BaseModel):
    """What the figures did, without inference: no interval, no risk adjustment, no completion of late claims."""

    label: str = "descriptive difference in differences; no inference, not evidence of a shift by itself"
    revision: int
    entity_id: str
    states: list[str]
    pre: tuple[str, str]
    post: tuple[str, str]
    effects: list[Effect]
    pairs: list[Pair]
