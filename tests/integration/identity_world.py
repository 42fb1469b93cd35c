"""A small world of people with numbers and names, told by made-up feeds, for tests of who is who."""

import random
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from intake_installation import KEYS, Installation, installed

from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStatedData
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStatedData
from services.intake import pipeline as pipeline_module
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Demographics,
    PersonRecord,
    PersonReference,
    Reading,
    Source,
)
from services.intake.registry import reader_of

FAMILIES = ("Kowalski", "O'Brien", "Nguyen", "Garcia Lopez", "Smith", "Smyth", "Müller", "Washington")
GIVEN = ("Maria", "Anna", "Anne", "Ruth", "Dolores", "James", "Jamal", "Peter")
TOLD_ON = date(2022, 3, 1)
_ENROLLED = MedicaidEnrolmentSpan(first_month="2022-01", plan_id="MCO9001")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody, and what each side calls them. ``number`` tells them apart in truth."""

    number: int
    family: str
    given: str
    born: date
    sex: str

    @property
    def mbi(self) -> PersonReference:
        return PersonReference("mbi", f"1S00{self.number:07d}")

    @property
    def medicaid(self) -> PersonReference:
        return PersonReference("medicaid", f"OH:{700000 + self.number}")


def beneficiary(one: Member) -> list[Reading]:
    """What Medicare says of somebody."""
    span = MedicareCoverageSpan(first_month="2022-03", last_month="2022-03", dual_status_code="02")
    data = MedicareCoverageStatedData(
        person_id=UNRESOLVED_PERSON, state="OH", source=CoverageSource.CCLF8, stated_on=TOLD_ON, spans=(span,)
    )
    said = Demographics(one.mbi, one.family, one.given, one.born, one.sex)
    return [PersonRecord((one.mbi,), "OH", data), said]


def member(one: Member, *, with_mbi: bool = False) -> list[Reading]:
    """What the state says of somebody."""
    said = Demographics(one.medicaid, one.family, one.given, one.born, one.sex)
    return [*naming(*((one.mbi, one.medicaid) if with_mbi else (one.medicaid,))), said]


def naming(*references: PersonReference) -> list[Reading]:
    """What the state says of somebody whom it names by several numbers."""
    data = MedicaidEnrolmentStatedData(person_id=UNRESOLVED_PERSON, state="OH", stated_on=TOLD_ON, spans=(_ENROLLED,))
    return [PersonRecord(references, "OH", data)]


def mistyped(one: Member, chance: random.Random) -> Member:
    """The same with an error that clerks make."""
    kind = chance.randrange(4)
    if kind == 0:
        at = chance.randrange(1, len(one.family) - 1)
        swapped = one.family[:at] + one.family[at + 1] + one.family[at] + one.family[at + 2 :]
        return replace(one, family=swapped)
    if kind == 1 and one.born.day <= 12:
        return replace(one, born=date(one.born.year, one.born.day, one.born.month))
    if kind == 2:
        return replace(one, given=one.given[0])
    return replace(one, family=one.family.upper())


Deliveries = Sequence[Sequence[Reading]]


def some_people(chance: random.Random, count: int) -> list[Member]:
    """People of whom some share a birthday and a family."""
    found: list[Member] = []
    for number in range(count):
        if found and chance.random() < 0.25:
            twin = chance.choice(found)
            found.append(Member(number, twin.family, chance.choice(GIVEN), twin.born, chance.choice("12")))
        else:
            born = date(chance.randrange(1930, 1935), chance.randrange(1, 13), chance.randrange(1, 29))
            found.append(Member(number, chance.choice(FAMILIES), chance.choice(GIVEN), born, chance.choice("12")))
    return found


def random_deliveries(chance: random.Random) -> list[list[Reading]]:
    """Deliveries of both sides, in which some members come with their MBI and some never do."""
    deliveries: list[list[Reading]] = [[] for _ in range(4)]
    for one in some_people(chance, 8):
        if chance.random() < 0.85:
            deliveries[chance.randrange(4)] += beneficiary(one)
        if chance.random() < 0.85:
            told = mistyped(one, chance) if chance.random() < 0.4 else one
            deliveries[chance.randrange(4)] += member(told, with_mbi=chance.random() < 0.3)
        if chance.random() < 0.2:
            deliveries[chance.randrange(4)] += member(one, with_mbi=True)
    return [delivery for delivery in deliveries if delivery]


@dataclass(slots=True)
class Told:
    """Feeds that say what a test wants: the name of a file is the number of a delivery."""

    installation: Installation
    folder: Path
    said: dict[str, Sequence[Reading]]

    async def deliver(self, readings: Sequence[Reading]) -> Any:
        number = len(self.said)
        name = f"{number}.ndjson"
        self.said[name] = readings
        path = self.folder / name
        path.write_text(f'{{"number": {number}}}', encoding="utf-8")
        return await self.installation.delivered(path)

    async def people(self) -> list[frozenset[bytes]]:
        """Which identifiers name one person, whatever the person is called."""
        groups: dict[str, set[bytes]] = {}
        for lookup, person in await self.installation.vault():
            groups.setdefault(person, set()).add(lookup)
        return sorted((frozenset(group) for group in groups.values()), key=sorted)

    async def person(self, reference: PersonReference) -> str:
        found: str = await self.installation.writing.fetchval(
            "SELECT person_id FROM vault_identifier WHERE lookup = $1", KEYS.lookup(reference)
        )
        return found


@asynccontextmanager
async def telling(url: str, folder: Path, patch: pytest.MonkeyPatch, schema: str = "intake") -> AsyncIterator[Told]:
    """An empty intake that is told what a test wants, and reads decisions as ever."""
    async with installed(url, schema) as installation:
        told = Told(installation, folder, {})
        real = reader_of

        def of_kind(kind: Any) -> Any:
            return _read if kind.value == "explanation_of_benefit" else real(kind)

        def _read(source: Source) -> Iterator[Reading]:
            yield from told.said[source.name]

        patch.setattr(pipeline_module, "reader_of", of_kind)
        yield told


def together(*readings: Iterable[Reading]) -> list[Reading]:
    return [reading for some in readings for reading in some]
