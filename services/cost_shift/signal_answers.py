"""What a signal says: kept with the revision that it stands on, and answered as it was kept."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from contracts.codes import ServiceCategory
from services.cost_shift.estimating import Estimate
from services.cost_shift.rules.attention_level import Level as Attention
from services.cost_shift.rules.composition import TraitDifference, Verdict, verdict
from services.cost_shift.rules.direction import Direction
from services.cost_shift.rules.signal_level import Lack, Level

SignalLevel = Literal["none", "watch", "review", "notify", "cleared"]
Limit = Annotated[float | None, Field(description="null: the data set no bound")]


class EffectShown(BaseModel):
    """Cents per aligned person-month against comparison people: an evaluated effect, no benchmark saving."""

    effect_cents: float
    standard_error_cents: float
    lower_cents: Limit
    upper_cents: Limit
    p_value: float
    detectable_cents: Annotated[float, Field(description="smallest effect seen with the stated power")]

    @classmethod
    def of(cls, found: Estimate) -> Self:
        """Rounded to two decimals of a cent."""
        lower, upper = found.limits or (None, None)
        return cls(
            effect_cents=round(found.effect, 2),
            standard_error_cents=round(found.standard_error, 2),
            lower_cents=None if lower is None else round(lower, 2),
            upper_cents=None if upper is None else round(upper, 2),
            p_value=round(found.p_value, 4),
            detectable_cents=round(found.detectable, 2),
        )


class CompositionShown(BaseModel):
    """A trait of the people, and by how much the aligned parted from the comparison in it."""

    trait: str
    difference: float
    lower: Limit
    upper: Limit
    material: Annotated[float, Field(description="from this difference on it is no longer the same people")]
    known_share: float
    adjusted_p_value: Annotated[float, Field(description="that it is chance, over all traits")]
    verdict: Verdict

    @classmethod
    def of(cls, found: TraitDifference, least_known: float, error: float) -> Self:
        """With the verdict."""
        lower, upper = found.limits or (None, None)
        return cls(
            trait=found.name,
            difference=round(found.difference, 6),
            lower=None if lower is None else round(lower, 6),
            upper=None if upper is None else round(upper, 6),
            material=round(found.material, 6),
            known_share=round(found.known, 4),
            adjusted_p_value=round(found.chance, 4),
            verdict=verdict(found, least_known, error),
        )


class PeriodShown(BaseModel):
    """A quarter since people entered, against the last one before."""

    period: int
    people: Annotated[int, Field(description="the most who were there in any of its months")] = 0
    medicare_cents: float
    medicaid_cents: float


class PairEvidence(BaseModel):
    """Both effects of a channel and what they come to."""

    medicare: EffectShown
    medicaid: EffectShown
    net: EffectShown
    direction: Direction
    shifted_cents: float
    offset_ratio: float | None
    offset_lower: Limit
    offset_upper: Limit
    probability_of_opposite_signs: float
    adjusted_p_value: Annotated[float, Field(description="that both effects are chance, over all channels")]
    held_a_quarter_earlier: bool
    chance_of_earlier_parting: Annotated[
        float | None, Field(description="p-value of the leads; null: no months before")
    ]
    periods: list[PeriodShown]
    detectable_without_covariates: Annotated[float | None, Field(description="Medicare's, in cents")]
    detectable_ratio: Annotated[float | None, Field(description="with covariates, of that without")]


class StudyShown(BaseModel):
    """What all channels of an entity stand on."""

    entity_id: str
    revision: int
    states: list[str]
    first_month: str
    baseline_last: str
    last_month: str
    months_left_out: list[str]
    counties: int = 0
    cells: int = 0
    groups: int = 0
    treated_person_months: int = 0
    person_months_unseen_in_baseline: int = 0
    person_months_without_county: int = 0
    not_estimated: str | None = None
    chart_months: Annotated[int, Field(description="months of all charts")] = 0
    chart_months_run: Annotated[int, Field(description="of these, those from the first that was restated on")] = 0
    composition: list[CompositionShown] = []
    confidence_level: float
    policy: dict[str, float | int]
    cells_digest: str = ""


class SignalShown(BaseModel):
    """The level of attention that one channel of an entity deserves, why, and what is lacking."""

    signal_id: str
    entity_id: str
    channel: str
    medicare_category: ServiceCategory | None
    medicaid_category: ServiceCategory | None
    revision: int
    level: SignalLevel
    previous_level: SignalLevel | None
    enough_people: Annotated[
        bool, Field(description="whether so many people stand behind every number that states may be told")
    ] = False
    previous_enough_people: Annotated[bool, Field(description="the same of the previous level")] = False
    measure: Literal["evaluated_effect"] = "evaluated_effect"
    attention: Annotated[Attention, Field(description="what the charts tell; see /v1/charts")]
    medicare_chart: Literal["up", "down"] | None
    medicaid_chart: Literal["up", "down"] | None
    lacking: list[Lack]
    evidence: PairEvidence | None
    statement: str
    caveats: list[str]


def shown_level(level: Level, before: SignalLevel | None) -> SignalLevel:
    """What was raised and is no more is cleared."""
    return "cleared" if level == "none" and before in {"watch", "review", "notify"} else level
