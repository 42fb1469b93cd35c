"""People made to order for tests of the simulator."""

from collections.abc import Iterable, Iterator
from datetime import date
from random import Random

from infra.simulator.life import AlignedSpan, Change, Enrolment, Life
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.shift import ShiftPlan
from infra.simulator.traits import Traits

PERIOD = Period("2022-01", 12, 3)
NO_SHIFT = ShiftPlan("none", 0, 0, 0)
IN_OUR_PLAN = Enrolment("02", "MCO9001", None)


def traits(**given: object) -> Traits:
    values: dict[str, object] = {
        "index": 7,
        "birth": date(1950, 6, 1),
        "sex": "2",
        "race": "1",
        "original_entitlement": "0",
        "renal_failure": False,
        "setting": "community",
        "home_county": "39001",
        "diagnosis_codes": ("I10", "E119"),
        "behavioural": False,
        "substance_use": False,
        "medicare_level": 1.0,
        "medicaid_level": 1.0,
        "high_need": False,
        "phase": 0.5,
        "part_a_began": date(2015, 6, 1),
        "part_b_began": date(2015, 6, 1),
        **given,
    }
    return Traits(**values)  # type: ignore[arg-type]


def life(changes: Iterable[Change] = (), **given: object) -> Life:
    values: dict[str, object] = {
        "entry": 0,
        "death": None,
        "last_stated": PERIOD.last_delivery,
        "start": IN_OUR_PLAN,
        "changes": list(changes),
        "counties": ["39001"] * (PERIOD.last_delivery + 1),
        "buy_ins": ["C"] * (PERIOD.last_delivery + 1),
        "mbi_changes": (),
        "opted_out": False,
        **given,
    }
    made = Life(**values)  # type: ignore[arg-type]
    made.final = [made.as_known(month, PERIOD.last_delivery) for month in range(PERIOD.last_delivery + 1)]
    return made


def person(course: Life | None = None, spans: tuple[AlignedSpan, ...] = (), **given: object) -> Person:
    course = course or life()
    course.spans = spans
    end = PERIOD.last_days[PERIOD.last_service]
    return Person(
        traits=traits(**given),
        life=course,
        period=PERIOD,
        shift=NO_SHIFT,
        random=Random("made to order"),
        last_day=end if course.death is None else min(end, course.death),
        aligned=[course.aligned(month) for month in range(PERIOD.last_delivery + 1)],
    )


def drawn(people: int, seed: int = 1) -> Iterator[Person]:
    return (draw_person(seed, index, PERIOD, NO_SHIFT) for index in range(people))
