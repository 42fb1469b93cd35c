"""Small whole files of every kind: those of the simulator, some written here, and public samples where they lie."""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from fuzzing import TODAY, Seed

from contracts.delivery import DeliveryKind
from infra.simulator.eligibility import Eligibility
from infra.simulator.lists import List
from infra.simulator.simulation import simulate
from infra.simulator.world import Feed
from services.intake.inbox import deliverable_files
from services.intake.reading import RefusedDelivery
from services.intake.registry import recognise

SAMPLES = Path(__file__).parents[3] / "shared" / "data"
_LARGEST = 64 * 1024
_MOST_OF_A_KIND = 8


def _seed(path: Path) -> Seed | None:
    try:
        found = recognise(path, TODAY)
    except RefusedDelivery:
        return None
    return Seed(found.kind.value, path.name, path.read_bytes())


def _small_files_of(folder: Path) -> Iterator[Path]:
    return (path for path in deliverable_files(folder) if path.stat().st_size <= _LARGEST)


@cache
def seeds(*, with_samples: bool) -> dict[str, tuple[Seed, ...]]:
    """Seeds by kind, at most eight each, always in the same order."""
    found: dict[str, list[Seed]] = {kind.value: [] for kind in DeliveryKind}
    with tempfile.TemporaryDirectory(prefix="tandem-seeds-") as made:
        simulate(
            Path(made),
            people=8,
            months=1,
            seed=11,
            feeds=get_args(Feed),
            lists=get_args(List),
            eligibility=get_args(Eligibility),
        )
        paths = [*_small_files_of(Path(__file__).parent / "seeds"), *_small_files_of(Path(made) / "deliveries")]
        if with_samples and SAMPLES.is_dir():
            paths += _small_files_of(SAMPLES)
        for path in paths:
            seed = _seed(path)
            if seed is not None:
                found[seed.kind].append(seed)
    return {kind: tuple(_largest(some)) for kind, some in found.items() if some}


def _largest(some: list[Seed]) -> list[Seed]:
    """Those that hold most: in the others is nothing else."""
    return sorted(some, key=lambda seed: -len(seed.content))[:_MOST_OF_A_KIND]


def readable_seeds() -> dict[str, tuple[Seed, ...]]:
    """Those that come to something: a decision about who is who is signed with a key that nobody here has."""
    return {kind: some for kind, some in seeds(with_samples=False).items() if kind != DeliveryKind.IDENTITY_REVIEW}
