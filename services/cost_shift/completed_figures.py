"""How much of a figure's month has come in, and what the figure will come to: of figures of one month and payer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol, Self

from pydantic import BaseModel, Field

from contracts.codes import Cohort, ServiceCategory
from services.cost_shift.completion import TOTAL, Come, Level, Source
from services.cost_shift.estimate_policy import EstimatePolicy, estimate_policy
from services.cost_shift.histories import StateHistories, TenantHistories
from services.cost_shift.rules.completed_amount import CompletedAmount, completed_amount
from services.runtime.database import Connection

NOT_COMPLETED: Final = (
    "what cents will come to; null: not of one month and one payer's services, or nobody can tell how much has come in"
)
Asked = Mapping[str, str | None]  # filters by dimension, and ``month`` where only one was asked for
Stand = tuple[Source, int]  # what an answer is made of, and as of which revision
Place = tuple[str | None, str | None, str, str, str]  # state, entity, payer, category, month

Share = Annotated[float, Field(description="of the month's final cost, as of the payer's last delivery")]
Whose = Annotated[
    Level,
    Field(
        description="whose history says so: the entity's own (or of people of no entity), pooled over everybody, or the payer's whole"
    ),
]
Enough = Annotated[bool, Field(description="whether the share is large enough for estimates; see /v1/completeness")]


class Completed(BaseModel):
    """What received cents will come to. Limits hold the outcome as often as estimates' intervals do (Mack's error)."""

    share: Share
    level: Whose
    enough: Enough
    cents: int
    lower_cents: Annotated[int | None, Field(description="null: too little has come in to tell")]
    upper_cents: int | None

    @classmethod
    def of(cls, come: Come, amount: CompletedAmount, least: float) -> Self:
        """Share and amounts."""
        lower, upper = amount.limits or (None, None)
        share = come.in_so_far.share
        return cls(
            share=round(share, 6),
            level=come.level,
            enough=share >= least,
            cents=amount.cents,
            lower_cents=lower,
            upper_cents=upper,
        )


@dataclass(slots=True)
class FigureCompletion:
    """What the figures of one answer will come to."""

    histories: StateHistories
    asked: Asked
    policy: EstimatePolicy = field(default_factory=estimate_policy)
    _come: dict[Place, Come | None] = field(default_factory=dict)

    def of(self, about: Mapping[str, str], cents: int) -> Completed | None:
        """Of received cents of the figure that ``about`` names; ``None`` where there is nothing to complete, or nobody can tell."""
        place = place_of(about, self.asked)
        if place is None:
            return None
        if place not in self._come:
            state, entity, payer, category, month = place
            self._come[place] = self.histories[state].told((payer, category), month, entity)
        come = self._come[place]
        if come is None:
            return None
        amount = completed_amount(cents, come.in_so_far, self.policy.confidence_level)
        return Completed.of(come, amount, self.policy.least_completeness)


def place_of(about: Mapping[str, str], asked: Asked) -> Place | None:
    """By whose history and of which series a figure is completed.

    Capitation is paid when it is due, and costs without a decision go where they belong: neither fills up.
    """
    state, entity, payer, month, category, cohort = (
        about.get(name, asked.get(name)) for name in ("state", "entity", "payer", "month", "category", "cohort")
    )
    if not payer or not month or category == ServiceCategory.CAPITATION or cohort == Cohort.UNASSIGNED:
        return None
    return state, entity, payer, category or TOTAL, month


class PeopleAsked(Protocol):
    """The filters of people that every query of figures has."""

    @property
    def state(self) -> str | None: ...  # noqa: D102 - as filters have it
    @property
    def entity(self) -> str | None: ...  # noqa: D102
    @property
    def cohort(self) -> str | None: ...  # noqa: D102
    @property
    def first_month(self) -> str | None: ...  # noqa: D102
    @property
    def last_month(self) -> str | None: ...  # noqa: D102


def asked_for(people: PeopleAsked, payer: str | None, category: str | None) -> dict[str, str | None]:
    """The filters as :class:`FigureCompletion` takes them."""
    month = people.first_month if people.first_month == people.last_month else None
    return {
        "state": people.state, "entity": people.entity, "cohort": people.cohort, "payer": payer, "category": category,
        "month": month,
    }  # fmt: skip


async def figure_completion(
    connection: Connection, histories: TenantHistories, stand: Stand, group_by: Collection[str], asked: Asked
) -> FigureCompletion:
    """Of an answer's figures. Where none of them is of one month and payer, no history is read."""
    if all(name in group_by or asked[name] is not None for name in ("payer", "month")):
        return FigureCompletion(await histories.of(connection, *stand), asked)
    return FigureCompletion({}, asked)
