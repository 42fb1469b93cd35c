"""However identifiers come together over many deliveries, they end as the people that a simple model says."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from intake_installation import KEYS, installed

from contracts.delivery import DeliveryCompleted
from contracts.identities import PeopleMerged
from services.intake import pipeline as pipeline_module
from services.intake.reading import MbiChange, PersonReference, Reading, Source
from services.intake.vault import people_of

pytestmark = pytest.mark.broker

Pair = tuple[int, int]


def reference(number: int) -> PersonReference:
    return PersonReference("mbi", f"{number:011d}")


class Model:
    """Identifiers joined by hand; a group is named by the identifier that was seen first."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []

    def join(self, previous: int, current: int) -> None:
        for number in (previous, current):
            if not any(number in group for group in self.groups):
                self.groups.append([number])
        one, other = (next(group for group in self.groups if number in group) for number in (previous, current))
        if one is not other:
            first, second = sorted((one, other), key=self.groups.index)
            first.extend(second)
            self.groups.remove(second)

    def people(self) -> dict[PersonReference, str]:
        return {reference(number): KEYS.person_id(reference(group[0])) for group in self.groups for number in group}


def random_deliveries(seed: int) -> list[list[Pair]]:
    chance = random.Random(seed)
    return [[(chance.randrange(40), chance.randrange(40)) for _ in range(chance.randrange(1, 12))] for _ in range(6)]


@pytest.mark.parametrize("seed", range(5))
async def test_people_are_the_connected_identifiers_named_by_the_first_seen(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    deliveries = random_deliveries(seed)

    def read(source: Source) -> Iterator[Reading]:
        for previous, current in deliveries[int(source.name.split(".")[0])]:
            yield MbiChange(reference(current).value, reference(previous).value, None)

    monkeypatch.setattr(pipeline_module, "reader_of", lambda _kind: read)
    model = Model()
    async with installed(database_url) as intake:
        for number, pairs in enumerate(deliveries):
            path = tmp_path / f"{number}.ndjson"
            path.write_text(f'{{"number": {number}}}', encoding="utf-8")
            delivery = await intake.delivered(path)
            assert (delivery.status, delivery.records) == ("completed", len(pairs))
            for pair in pairs:
                model.join(*pair)
            expected = model.people()
            assert await people_of(intake.writing, KEYS, map(reference, range(40))) == expected
        await _merges_lead_to_who_is_kept(await intake.events(), set(expected.values()))


async def _merges_lead_to_who_is_kept(events: list[object], kept: set[str]) -> None:
    later: dict[str, str] = {}
    for event in events:
        if isinstance(event, PeopleMerged):
            assert event.data.retired not in later, "someone was retired twice"
            later[event.data.retired] = event.data.kept
    for person in later:
        end = person
        while end in later:
            end = later[end]
        assert end in kept
    assert any(isinstance(event, DeliveryCompleted) for event in events)
