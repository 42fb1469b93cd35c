"""A short run of the fuzzer, the same every time: ``make fuzz`` is the long one, guided by coverage."""

import random
from collections import Counter
from pathlib import Path

import pytest
from fuzz_seeds import readable_seeds, seeds
from fuzzing import Choices, EscapedError, Seed, changed, checksum, examine

SEED = 20_260_301
_FILES_A_KIND = 60


class Random:
    """Choices by a generator of random numbers."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

    def content(self, most: int) -> bytes:
        return self._random.randbytes(most)


SEEDS = seeds(with_samples=False)


@pytest.mark.parametrize("seed", [one for some in readable_seeds().values() for one in some], ids=lambda one: one.name)
def test_a_seed_can_be_read_as_it_is(tmp_path: Path, seed: Seed) -> None:
    path = tmp_path / seed.name
    path.write_bytes(seed.content)
    assert "readings" in examine(path)


@pytest.mark.parametrize("kind", SEEDS)
def test_no_changed_file_breaks_its_reader_or_tells_of_a_person(tmp_path: Path, kind: str) -> None:
    everything = tuple(seed for some in SEEDS.values() for seed in some)
    outcomes: Counter[str] = Counter()
    for number in range(_FILES_A_KIND):
        choices: Choices = Random(f"{SEED} {kind} {number}")
        own = SEEDS[kind]
        name, content = changed(choices, own[choices.below(len(own))], everything)
        path = tmp_path / name
        path.write_bytes(content)
        try:
            outcomes[examine(path)] += 1
        except Exception as error:
            error.add_note(f"seed {SEED}, {kind}, file {number}: {name} {checksum(content)}")
            raise
        path.unlink()
    print(f"seed {SEED}, {kind}: {dict(outcomes)}")  # noqa: T201 - shown where the test fails
    # Most changes are seen, and some files are read in spite of them.
    assert len(outcomes) > 1


def test_the_look_for_identifiers_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = next(seed for seed in SEEDS["alignment_report"] if seed.name.endswith(".csv"))
    path = tmp_path / seed.name
    path.write_bytes(seed.content.replace(b",1S", b",1EG4TE5MK73,1S"))
    told = examine(path)
    assert "defects" in told or "refused" in told
    monkeypatch.setattr("services.intake.readers.records.FieldError.__init__", _telling)
    path.write_bytes(seed.content.replace(b",1S", b",not an mbi 1S"))
    with pytest.raises(EscapedError):
        examine(path)


def _telling(self: ValueError, _element: str | None, reason: str) -> None:
    ValueError.__init__(self, reason)
    self.element, self.reason = "1EG4TE5MK73", reason  # type: ignore[attr-defined]
