"""Fuzzes one reader, guided by the coverage of intake's code, and ends the process. Started by ``fuzz_readers.py``."""

import argparse
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["services.intake", "contracts"]):
    from fuzz_seeds import seeds
    from fuzzing import changed, examine

    from contracts.delivery import DeliveryKind
    from services.intake.registry import reader_of

    for _kind in DeliveryKind:
        if find_spec(f"services.intake.readers.{_kind.value}") is not None:
            reader_of(_kind)

_LONGEST_INPUT = 512
# One file of some kilobytes is read in a moment, or something is wrong.
_SECONDS_A_FILE = 30
_MEGABYTES = 3_000


class Guided:
    """Choices made of the fuzzer's bytes."""

    def __init__(self, data: bytes) -> None:
        self._provider = atheris.FuzzedDataProvider(data)

    def below(self, limit: int) -> int:
        """A number from 0 to below the limit."""
        number: int = self._provider.ConsumeIntInRange(0, limit - 1)
        return number

    def content(self, most: int) -> bytes:
        """Any bytes."""
        content: bytes = self._provider.ConsumeBytes(most)
        return content


def fuzz(kind: str, kept: Path, options: list[str]) -> None:
    """Fuzz one kind. The fuzzer ends the process."""
    all_seeds = seeds(with_samples=True)
    everything = tuple(one for some in all_seeds.values() for one in some)
    folder = Path(tempfile.mkdtemp(prefix="tandem-fuzz-"))

    def one_input(data: bytes) -> None:
        choices = Guided(data)
        own = all_seeds[kind]
        name, content = changed(choices, own[choices.below(len(own))], everything)
        path = folder / name
        path.write_bytes(content)
        try:
            examine(path)
        except Exception:
            (kept / f"{kind}.{name}").write_bytes(content)
            raise
        path.unlink()

    limits = [f"-max_len={_LONGEST_INPUT}", f"-timeout={_SECONDS_A_FILE}", f"-rss_limit_mb={_MEGABYTES}"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={kept}/", *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind")
    parser.add_argument("kept", type=Path)
    words, rest = parser.parse_known_args()
    fuzz(words.kind, words.kept, rest)
