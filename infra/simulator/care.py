"""In which care arrangements people are, month by month, and when files come to say so.

Asked for only: it has a stream of randomness of its own, so that a population without it is what it was. Medicare's side
comes into a person's life as a health plan, and so into the 834 and CMS's alignment; the state's side is told by its own
file, ``STATE_CARE``.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from random import Random
from typing import NamedTuple

from infra.simulator.life import Change, Enrolment, Life
from infra.simulator.period import Period
from infra.simulator.world import FEE_FOR_SERVICE_PLAN

LATEST_KNOWN = 3


class Arrangement(NamedTuple):
    """What files say of somebody in it. ``contract``: of Medicare, with its package; ``plans``: of the state."""

    name: str
    contract: str | None = None
    plans: tuple[tuple[str, str], ...] = ()
    level_of_care: str = ""
    safe_in_community: str = ""
    enrolment_basis: str = ""
    demonstration: str = ""


_HEALTH_HOME, _PACE = ("HH9001", "70"), ("PACE9001", "17")
_CERTIFIED = {"level_of_care": "NURSING_FACILITY", "safe_in_community": "Y"}
ARRANGEMENTS: tuple[Arrangement, ...] = (
    Arrangement("none"),
    Arrangement("Medicare-Medicaid plan", "H9080", enrolment_basis="PASSIVE"),
    Arrangement("another Medicare-Medicaid plan", "H9081", enrolment_basis="VOLUNTARY"),
    Arrangement("opted out", enrolment_basis="OPTED_OUT"),
    Arrangement("managed fee-for-service", plans=(("MFFS9001", "20"),), demonstration="Y"),
    Arrangement("listed without the demonstration's mark", plans=(("MFFS9001", "20"),), demonstration="N"),
    Arrangement("seniors' health options", "H9065"),
    Arrangement("health home", plans=(_HEALTH_HOME,)),
    Arrangement("primary care case management", plans=(("PCCM9001", "03"),)),
    Arrangement("long-term services", plans=(("LTC9001", "07"),), level_of_care="NURSING_FACILITY"),
    Arrangement("special-needs plan, coordination only", "H9030-001"),
    Arrangement("special-needs plan, highly integrated", "H9030-002"),
    Arrangement("special-needs plan, fully integrated", "H9030-003"),
    Arrangement("PACE", "H9020", (_PACE,), **_CERTIFIED),
    Arrangement("state-specific model", plans=(("SSM9001", "20"),)),
    Arrangement("health home and long-term services", plans=(_HEALTH_HOME, ("LTC9001", "19"))),
    # What cannot be: files say it all the same.
    Arrangement("PACE and health home", "H9020", (_PACE, _HEALTH_HOME), **_CERTIFIED),
    Arrangement("PACE and a Medicare-Medicaid plan", "H9080", (_PACE,)),
)


class CareStay(NamedTuple):
    """From ``first`` to ``last`` somebody is in it; files say so from month ``known`` on."""

    arrangement: Arrangement
    first: int
    last: int
    known: int

    def said_of(self, month: int, delivery: int) -> bool:
        """Whether files of a month say so of another."""
        return self.first <= month <= self.last and self.known <= delivery


def draw_care(random: Random, index: int, life: Life, period: Period) -> tuple[CareStay, ...]:
    """Invent up to two stays one after the other. A Medicare contract becomes part of the life."""
    stays: list[CareStay] = []
    first = life.entry + random.randrange(3)
    for turn in range(random.choice((1, 1, 2))):
        arrangement = ARRANGEMENTS[(index + turn * 7) % len(ARRANGEMENTS)]
        last = min(first + random.randrange(2, 9), period.last_delivery)
        if first > life.last_stated:
            break
        known = min(first + random.choice((0, 0, 0, random.randrange(1, LATEST_KNOWN + 1))), life.last_stated)
        stays.append(CareStay(arrangement, first, last, known))
        first = last + 1 + random.randrange(2)
    life.changes += [
        Change("health_plan", stay.arrangement.contract, stay.first, stay.last, stay.known)
        for stay in stays
        if stay.arrangement.contract is not None
    ]
    life.final = [life.as_known(month, period.last_delivery) for month in range(period.last_delivery + 1)]
    return tuple(stays)


_ALONE = ARRANGEMENTS[0]
CARE_COLUMNS = (
    "LEVEL_OF_CARE", "SAFE_IN_COMMUNITY", "ENROLMENT_BASIS", "DEMONSTRATION", "MEDICARE_CONTRACT", "MEDICARE_PACKAGE",
)  # fmt: skip


def arrangement_of(stays: Sequence[CareStay], month: int, delivery: int) -> Arrangement:
    """What files of a month say of another."""
    return next((stay.arrangement for stay in stays if stay.said_of(month, delivery)), _ALONE)


class Stretch(NamedTuple):
    """Months of which the state's file says the same."""

    first: int
    last: int
    enrolment: Enrolment
    county: str
    arrangement: Arrangement

    def plans(self) -> tuple[tuple[str, str], ...]:
        """Every plan of the person, comprehensive care first; a blank one where there is none."""
        own = () if self.enrolment.plan in {None, FEE_FOR_SERVICE_PLAN} else ((self.enrolment.plan or "", "01"),)
        return (*own, *self.arrangement.plans) or (("", ""),)

    def care(self) -> tuple[str, ...]:
        """The values of :data:`CARE_COLUMNS`; the contract is told by the 834."""
        said = self.arrangement
        return (said.level_of_care, said.safe_in_community, said.enrolment_basis, said.demonstration, "", "")


def stretches(
    months: Sequence[tuple[int, Enrolment | None]], counties: Sequence[str], stays: Sequence[CareStay], delivery: int
) -> Iterator[Stretch]:
    """Months with Medicaid, alike ones together."""
    said = [(month, (one, counties[month], arrangement_of(stays, month, delivery))) for month, one in months]
    for (enrolment, county, arrangement), together in groupby(said, key=lambda pair: pair[1]):
        numbers = [month for month, _ in together]
        if enrolment is not None:
            yield Stretch(numbers[0], numbers[-1], enrolment, county, arrangement)
