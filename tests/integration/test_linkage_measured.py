"""How well people are found by resemblance: precision and recall on simulated people, printed as docs/identity.md has them.

``pytest tests/integration/test_linkage_measured.py -s``
"""

import random
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from identity_world import Member, Told, beneficiary, member, telling
from intake_installation import KEYS

from infra.simulator.traits import draw_traits
from services.intake.reading import Reading

pytestmark = pytest.mark.broker

PEOPLE = 3_000
# Common US surnames and given names of people born 1930-1960, the commonest first; drawn as 1 / rank.
FAMILIES = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Hernandez",
    "Lopez",
    "Gonzalez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Sanchez",
    "Clark",
    "Ramirez",
    "Lewis",
    "Robinson",
    "Walker",
    "Young",
    "Allen",
    "King",
    "Wright",
    "Scott",
    "Torres",
    "Nguyen",
    "Hill",
    "Flores",
    "Green",
    "Adams",
    "Nelson",
    "Baker",
    "Hall",
    "Rivera",
    "Campbell",
    "Mitchell",
    "Carter",
    "Roberts",
    "Gomez",
    "Phillips",
    "Evans",
    "Turner",
    "Diaz",
    "Parker",
    "Cruz",
    "Edwards",
    "Collins",
    "Reyes",
    "Stewart",
    "Morris",
    "Morales",
    "Murphy",
    "Cook",
    "Rogers",
]
WOMEN = [
    "Mary",
    "Barbara",
    "Patricia",
    "Betty",
    "Linda",
    "Carol",
    "Shirley",
    "Nancy",
    "Judith",
    "Dorothy",
    "Sandra",
    "Donna",
    "Joan",
    "Ruth",
    "Margaret",
    "Helen",
]
MEN = [
    "Robert",
    "James",
    "John",
    "William",
    "Richard",
    "Charles",
    "Donald",
    "George",
    "Thomas",
    "Joseph",
    "David",
    "Edward",
    "Ronald",
    "Paul",
    "Kenneth",
    "Frank",
]


@dataclass(frozen=True, slots=True)
class Planted:
    """How many members came without their MBI, and how many of them with an error."""

    withheld: float
    mistyped: float


def _drawn(names: list[str], chance: random.Random) -> str:
    return chance.choices(names, [1 / rank for rank in range(1, len(names) + 1)])[0]


def population(seed: int) -> list[Member]:
    """Birth dates and sexes of the simulator's people, with names; one in a hundred has a twin."""
    chance = random.Random(seed)
    found: list[Member] = []
    for number in range(PEOPLE):
        traits = draw_traits(random.Random(f"{seed}:person:{number}"), number, date(2022, 1, 1))
        twin = found[-1] if found and chance.random() < 0.01 else None
        sex = traits.sex if twin is None else twin.sex
        family = _drawn(FAMILIES, chance) if twin is None else twin.family
        born: date = traits.birth if twin is None else twin.born
        found.append(Member(number, family, _drawn(WOMEN if sex == "2" else MEN, chance), born, sex))
    return found


def error(one: Member, chance: random.Random) -> Member:
    """One error of a clerk."""
    kind = chance.randrange(6)
    at = chance.randrange(1, len(one.family)) if len(one.family) > 1 else 1
    if kind == 0:
        return replace(one, family=one.family[:at] + one.family[at:].lstrip(one.family[at - 1]) + "s")
    if kind == 1:
        return replace(one, family=one.family[:at] + one.family[at + 1 :])
    if kind == 2:
        return replace(one, given=one.given[:-1])
    if kind == 3 and one.born.day <= 12:
        return replace(one, born=date(one.born.year, one.born.day, one.born.month))
    if kind == 4:
        return replace(one, given=one.given[0])
    return replace(one, born=one.born.replace(day=one.born.day % 28 + 1))


async def measured(told: Told, seed: int, planted: Planted) -> dict[str, float]:
    chance = random.Random(seed)
    everybody = population(seed)
    withheld = {one.number for one in everybody if chance.random() < planted.withheld}
    said: list[Reading] = []
    for one in everybody:
        told_as = error(one, chance) if one.number in withheld and chance.random() < planted.mistyped else one
        said += member(told_as, with_mbi=one.number not in withheld)
    # One in five members is no beneficiary of the entity: nobody is to be found for them.
    known = [one for one in everybody if chance.random() < 0.8]
    await told.deliver([reading for one in known for reading in beneficiary(one)])
    await told.deliver(said)
    rows = await told.installation.writing.fetch("SELECT alias, atom, person_id FROM vault_identifier")
    person = {row["alias"]: row["person_id"] for row in rows}
    linked = {row["alias"]: row["person_id"] for row in rows if row["atom"] != row["person_id"]}
    right = {KEYS.person_id(one.medicaid): person[KEYS.person_id(one.mbi)] for one in known if one.number in withheld}
    good = sum(right.get(alias) == found for alias, found in linked.items())
    review = await told.installation.writing.fetchval("SELECT count(*) FROM vault_pair")
    return {
        "to be found": len(right),
        "linked": len(linked),
        "wrong": len(linked) - good,
        "precision": good / len(linked),
        "recall": good / len(right),
        "left for review": review - len(linked),
    }


@pytest.mark.parametrize(
    ("planted", "least_recall"), [(Planted(0.3, 0.0), 0.96), (Planted(0.3, 0.2), 0.80), (Planted(1.0, 0.2), 0.80)]
)
async def test_precision_and_recall(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: Planted, least_recall: float
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        found = await measured(told, 7, planted)
    print(f"\n{planted.withheld:.0%} without MBI, {planted.mistyped:.0%} of them with an error:", found)  # noqa: T201 - the table is asked for
    assert found["precision"] >= 0.995
    assert found["recall"] >= least_recall
