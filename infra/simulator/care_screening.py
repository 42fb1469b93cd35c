"""Screening for breast and colorectal cancer among planted care: who has which test when, and who lacks it.

Only of people whom everybody would screen: of an age throughout, at home, without cancer, hospice or an illness that would keep them
from it. Knows nothing of any service's rules: codes are CPT and ICD-10-CM as claims carry them.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from infra.simulator.claims import MedicareClaim
from infra.simulator.traits import Traits

LACKING_SHARE: Final = 0.3
LATE_SHARE: Final = 0.5
# By test: what shows it, and days until the next; once is enough where there are none.
TESTS: Final = {
    "mammography": ("77067", 600), "colonoscopy": ("45378", None), "stool_dna": ("81528", 1000), "stool_blood": ("82274", 320),
}  # fmt: skip
# By screening: its tests, ages at which it is due, and after how many days of silence its lack can be seen.
SCREENINGS: Final = {
    "breast_cancer_screening": (("mammography",), 50, 74, 822),
    "colorectal_cancer_screening": (("colonoscopy", "stool_dna", "stool_blood"), 45, 75, 1095),
}
_NOT_SCREENED: Final = (
    "C", "D05", "Z85", "Z9013", "F01", "F02", "F03", "F1027", "F1097", "G10", "G122", "G20", "G30", "G31", "G35", "I0981", "I11",
    "I12", "I13", "I50", "J43", "J684", "J841", "J961", "J98", "K70", "K72", "K74", "N185", "N186",
)  # fmt: skip
_HOSPICE: Final = "50"
_FEMALE: Final = "2"
_YEAR: Final = 365.25


class Test(NamedTuple):
    """One test that somebody has."""

    name: str
    day: date
    code: str


class Plan(NamedTuple):
    """A screening of one person. ``lacking``: there is no test until the one in ``tests``, if there is any."""

    kind: str
    tests: tuple[Test, ...]
    lacking: bool


def is_screened(traits: Traits, claims: Iterable[MedicareClaim]) -> bool:
    """Whether anything could keep the person from being screened."""
    ill = any(code.startswith(_NOT_SCREENED) for code in traits.diagnosis_codes)
    return traits.setting != "nursing_facility" and not ill and all(one.claim_type != _HOSPICE for one in claims)


def _is_of_age(traits: Traits, least: int, most: int, first: date, last: date) -> bool:
    return (first - traits.birth).days >= (least + 1) * _YEAR and (last - traits.birth).days < most * _YEAR


def _series(random: Random, name: str, first: date, last: date) -> Iterator[Test]:
    code, interval = TESTS[name]
    day = first + timedelta(days=random.randrange(300))
    while day <= last:
        yield Test(name, day, code)
        day = last + timedelta(days=1) if interval is None else day + timedelta(days=interval)


def _late(random: Random, name: str, seen: date, last: date) -> Iterator[Test]:
    """A test after its lack could be seen, of half of those who lack it."""
    day = seen + timedelta(days=60 + random.randrange(60))
    if random.random() < LATE_SHARE and day <= last:
        yield Test(name, day, TESTS[name][0])


def plans(random: Random, traits: Traits, first: date, last: date) -> Iterator[Plan]:
    """The screenings that are due to a person in a period, done or lacking."""
    for kind, (names, least, most, silence) in SCREENINGS.items():
        name, lacking = random.choice(names), random.random() < LACKING_SHARE
        late = tuple(_late(random, name, first + timedelta(days=silence), last))
        due = _is_of_age(traits, least, most, first, last) and (
            kind != "breast_cancer_screening" or traits.sex == _FEMALE
        )
        if due:
            yield Plan(kind, late if lacking else tuple(_series(random, name, first, last)), lacking)
