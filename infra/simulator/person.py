"""One simulated person with all that the generators of claims need, and one stream of randomness."""

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from infra.simulator.alignment import draw_alignment
from infra.simulator.care import CareStay, draw_care
from infra.simulator.life import Life, draw_life
from infra.simulator.period import Period
from infra.simulator.prospects import Prospects, draw_prospects
from infra.simulator.shift import MILLION, ShiftPlan
from infra.simulator.traits import Traits, draw_traits


@dataclass(slots=True)
class Person:
    """A person, the period, and counters for identifiers that only this person's claims use."""

    traits: Traits
    life: Life
    period: Period
    shift: ShiftPlan
    random: Random
    last_day: date
    aligned: list[bool] = field(default_factory=list)
    care: tuple[CareStay, ...] = ()
    seed: int = 0
    prospects: Prospects | None = None
    claims_made: int = 0
    records_made: int = 0

    def aside(self, name: str, first_number: int) -> "Person":
        """The same person with a stream and numbers of their own, so that what is added changes nothing else."""
        stream = Random(f"{self.seed}:{name}:{self.traits.index}")
        return replace(self, random=stream, claims_made=first_number, records_made=first_number)

    def next_claim(self) -> int:
        """A number for a new claim."""
        self.claims_made += 1
        return self.claims_made

    def next_record(self) -> int:
        """A number for a new record of a claim."""
        self.records_made += 1
        return self.records_made

    def after_shift(self, cents: int, day: date, per_million: int) -> int:
        """The amount with the planted shift in it, if the day lies in a shifted month."""
        month = self.period.number(day)
        if per_million == MILLION or not self.shift.applies(month) or not self.aligned[month]:
            return cents
        return cents * per_million // MILLION


def draw_person(seed: int, index: int, period: Period, shift: ShiftPlan, *, arrangements: bool = False) -> Person:
    """Invent a person. The stream depends on seed and index alone, so more people change nobody.

    ``arrangements``: people are in care arrangements.
    """
    random = Random(f"{seed}:person:{index}")
    traits = draw_traits(random, index, period.first_days[0])
    life = draw_life(random, traits, period)
    care = draw_care(Random(f"{seed}:care:{index}"), index, life, period) if arrangements else ()
    life.spans = draw_alignment(random, life, period)
    end = period.last_days[period.last_service]
    return Person(
        traits=traits,
        life=life,
        period=period,
        shift=shift,
        random=random,
        last_day=end if life.death is None else min(end, life.death),
        aligned=[life.aligned(month) for month in range(period.last_delivery + 1)],
        care=care,
        seed=seed,
        prospects=draw_prospects(Random(f"{seed}:prospects:{index}"), traits, period),
    )
