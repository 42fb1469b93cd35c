"""What others are told of a signal: nothing of one behind which too few people stand, nor of what it was before."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field

from contracts.codes import ServiceCategory
from services.cost_shift.disclosure_policy import disclosure_policy
from services.cost_shift.rules.attention_level import Level as Attention
from services.cost_shift.rules.signal_level import Lack
from services.cost_shift.signal_answers import PairEvidence, PeriodShown, SignalLevel, SignalShown
from services.cost_shift.states.answers import SUPPRESSED, Suppressed

Withheld = Literal["too_few_people"]
TOO_FEW_PEOPLE: Final[Withheld] = "too_few_people"
_STATEMENT: Final = "Too few people stand behind one of the groups that are set against each other: nothing may be told of this channel."
_ALL_SERVICES: Final = "all_services"


class StatePeriod(PeriodShown):
    """A quarter, without the exact count of its people."""

    people: Annotated[int, Field(exclude=True)] = 0


class StateEvidence(PairEvidence):
    """Both effects of a channel and what they come to."""

    periods: list[StatePeriod]  # type: ignore[assignment] # the same, less a count


class StateSignal(BaseModel):
    """The level of attention that one channel of an entity deserves, or why it is not told."""

    signal_id: str
    entity_id: str
    channel: str
    medicare_category: ServiceCategory | None
    medicaid_category: ServiceCategory | None
    revision: int
    level: SignalLevel | Suppressed
    previous_level: Annotated[
        SignalLevel | Suppressed | None, Field(description="suppressed: too few people stood behind that one")
    ]
    withheld: Annotated[
        Withheld | None,
        Field(description="too_few_people: a cohort before or after has too few people, or too few with a cost"),
    ]
    measure: Literal["evaluated_effect"] = "evaluated_effect"
    attention: Annotated[Attention | Suppressed, Field(description="what the charts tell; see /v1/charts")]
    medicare_chart: Literal["up", "down"] | None
    medicaid_chart: Literal["up", "down"] | None
    lacking: list[Lack]
    evidence: StateEvidence | None
    statement: str
    caveats: list[str]

    @classmethod
    def of(cls, signal: SignalShown) -> Self:
        """As far as it may be told."""
        before: SignalLevel | Suppressed | None = signal.previous_level
        if not signal.previous_enough_people and before is not None:
            before = SUPPRESSED
        told = signal.model_dump(exclude={"enough_people", "previous_enough_people", "evidence"})
        if not signal.enough_people:
            return cls(**told | _NOTHING | {"previous_level": before})
        # That it is cleared would tell that it was raised before.
        level = "none" if before == SUPPRESSED and signal.level == "cleared" else signal.level
        return cls(**told | {"level": level, "previous_level": before, "withheld": None, "evidence": _evidence(signal)})


_NOTHING: Final[dict[str, object]] = {
    "level": SUPPRESSED,
    "withheld": TOO_FEW_PEOPLE,
    "attention": SUPPRESSED,
    "medicare_chart": None,
    "medicaid_chart": None,
    "lacking": [],
    "evidence": None,
    "statement": _STATEMENT,
    "caveats": [],
}


def _evidence(signal: SignalShown) -> StateEvidence | None:
    """Quarters are told of all services alone, because who had a cost of one category in a quarter is not counted."""
    if signal.evidence is None:
        return None
    smallest = disclosure_policy().smallest_shown
    quarters = signal.evidence.periods if signal.channel == _ALL_SERVICES else []
    told = [quarter.model_dump() for quarter in quarters if quarter.people >= smallest]
    return StateEvidence(**signal.evidence.model_dump() | {"periods": told})
