"""What the simulator makes, a bulk server hands out and the client fetches is what intake reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bulk_bench import Bench
from round_trip import readings

from infra.simulator import simulate
from services.intake.reading import EncodedClaims, PersonRecord, Reading

KINDS = {"1-Patient": "Patient", "2-Coverage": "Coverage", "3-ExplanationOfBenefit": "ExplanationOfBenefit"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("bulk") / "made"
    simulate(directory, people=20, months=3, seed=8, feeds=("fhir-v3",))
    return sorted(directory.glob("deliveries/005-*/*.D220510.ndjson"))


def _served(bench: Bench, made: list[Path]) -> None:
    bench.server.files = {path.name: (KINDS[path.name.split(".")[2]], path.read_bytes()) for path in made}


def _read(paths: list[Path]) -> Iterator[Reading]:
    for path in paths:
        yield from (reading for reading in readings(path) if isinstance(reading, PersonRecord | EncodedClaims))


async def test_what_is_fetched_is_read_as_if_it_had_been_delivered(tmp_path: Path, made: list[Path]) -> None:
    bench = Bench(tmp_path)
    _served(bench, made)
    bench.server.moods = {made[0].name: ["cut"], made[-1].name: ["gzip ends early"]}
    fetched = await bench.fetch()
    assert len(made) == len(fetched.files) == 6
    direct, through = list(_read(made)), list(_read(sorted(bench.into.iterdir())))
    assert len(direct) > 50
    assert sorted(map(repr, through)) == sorted(map(repr, direct))
    # Who the people are comes before what is said about them.
    kinds = [path.name.split(".")[4] for path in sorted(bench.into.iterdir())]
    assert kinds == ["Patient", "Patient", "Coverage", "Coverage", "ExplanationOfBenefit", "ExplanationOfBenefit"]
