"""``python -m infra.bench.explanation_of_benefit``: FHIR claims through intake's reader, against parsing them only.

A file of each generation is made of the resources given, repeated. In turn, round after round, one contestant parses
every line with msgspec into untyped objects and drops them; the other is intake's reader, from bytes to claims that hold the
contract and are encoded as they are staged. Figures are medians over the rounds; the ratio is taken within a round, so that
a slow moment slows both sides. Peak memory is that of a process of its own that only reads.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.status import Status
from rich.table import Table

from contracts.delivery import DeliveryKind
from infra.bench.__main__ import machine
from infra.bench.memory import peak_megabytes
from services.intake.readers.explanation_of_benefit import read
from services.intake.reading import Defect, EncodedClaims, PersonRecord, Source

_RATIO_AIM = 0.4
_LONGEST_RUN_SECONDS = 600
_READS_ONLY = "--reads-only"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured on one file. ``ratio`` is the reader's rate over that of parsing only."""

    name: str
    resources: int
    megabytes: float
    claims: int
    seconds: float
    parsing_seconds: float
    resources_per_second: float
    megabytes_per_second: float
    ratio: float
    peak_megabytes: float


def resources_of(path: Path) -> Iterator[bytes]:
    """Every resource of a sample, one a line: of NDJSON, of a Bundle or of a document."""
    opened = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".ndjson" in path.name:
        yield from filter(None, opened.splitlines())
        return
    document = msgspec.json.decode(opened)
    for entry in document.get("entry", [{"resource": document}]):
        yield msgspec.json.encode(entry["resource"])


def write(path: Path, samples: Sequence[bytes], count: int) -> int:
    """Write a file of ``count`` resources, the samples over and over. How many bytes it has."""
    with path.open("wb") as file:
        for number in range(count):
            file.write(samples[number % len(samples)] + b"\n")
    return path.stat().st_size


def parse_only(path: Path) -> float:
    """Parse every line into untyped objects. How long it took."""
    decode = msgspec.json.Decoder().decode
    started = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            decode(line)
    return time.perf_counter() - started


def read_all(path: Path) -> tuple[float, int, int]:
    """Read and encode every claim. How long it took, how many there were, and how many defects."""
    source = Source(DeliveryKind.EXPLANATION_OF_BENEFIT, path.name, (path,), date(2026, 1, 1), True, "OH")
    claims = defects = 0
    started = time.perf_counter()
    for reading in read(source):
        if isinstance(reading, EncodedClaims):
            claims += len(reading.claims)
        elif isinstance(reading, PersonRecord):
            reading.payload.__pydantic_serializer__.to_json(reading.payload, exclude_none=True)
            claims += 1
        elif isinstance(reading, Defect):
            defects += 1
    return time.perf_counter() - started, claims, defects


def _peak_megabytes(path: Path) -> float:
    command = [sys.executable, "-m", "infra.bench.explanation_of_benefit", _READS_ONLY, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_RUN_SECONDS)
    return float(done.stdout)


def reads_only(path: Path) -> int:
    """Read a file and say how much memory the process had at most, in megabytes."""
    read_all(path)
    sys.stdout.write(f"{peak_megabytes():.1f}\n")
    return 0


def measure(name: str, samples: Sequence[bytes], count: int, rounds: int, tell: Callable[[str], None]) -> Outcome:
    """Let both contestants read a file of ``count`` resources. Raises :class:`RuntimeError` where nothing is read."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        path = Path(folder) / f"{name}.ndjson"
        megabytes = write(path, samples, count) / 1e6
        measured: list[tuple[float, float]] = []
        claims = 0
        for number in range(rounds):
            tell(f"{name}, round {number + 1} of {rounds}")
            parsing = parse_only(path)
            seconds, claims, _ = read_all(path)
            measured.append((seconds, parsing))
        if not claims:
            raise RuntimeError(f"no claim was read of {name}")
        tell(f"{name}, memory")
        peak = _peak_megabytes(path)
    seconds = median(one for one, _ in measured)
    return Outcome(
        name=name,
        resources=count,
        megabytes=megabytes,
        claims=claims,
        seconds=seconds,
        parsing_seconds=median(parsing for _, parsing in measured),
        resources_per_second=count / seconds,
        megabytes_per_second=megabytes / seconds,
        ratio=median(parsing / one for one, parsing in measured),
        peak_megabytes=peak,
    )


def table(outcomes: Sequence[Outcome]) -> Table:
    """Show what was measured."""
    shown = Table(title=f"ExplanationOfBenefit: the aim is at least {_RATIO_AIM} of parsing only")
    for heading in ("file", "EOBs", "MB", "claims", "EOB/s", "MB/s", "parsing only EOB/s", "ratio", "peak MB"):
        shown.add_column(heading, justify="left" if heading == "file" else "right")
    for one in outcomes:
        shown.add_row(
            one.name, f"{one.resources:,}", f"{one.megabytes:,.0f}", f"{one.claims:,}",
            f"{one.resources_per_second:,.0f}", f"{one.megabytes_per_second:,.1f}",
            f"{one.resources / one.parsing_seconds:,.0f}", f"{one.ratio:.2f}", f"{one.peak_megabytes:,.0f}",
        )  # fmt: skip
    return shown


def _groups(paths: Sequence[Path]) -> dict[str, list[bytes]]:
    """The samples by generation."""
    found: dict[str, list[bytes]] = {}
    for path in paths:
        for one in resources_of(path):
            if b'"ExplanationOfBenefit"' in one:
                newest = b"https://bluebutton.cms.gov/fhir/CodeSystem/CLM-TYPE-CD" in one
                generation = "version 3" if newest else "version 2" if b'"productOrService"' in one else "version 1"
                found.setdefault(generation, []).append(one)
    return dict(sorted(found.items()))


def _tell(status: Status, text: str) -> None:
    if status.console.is_terminal:
        status.update(text)
    else:
        status.console.print(text)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.explanation_of_benefit", description=__doc__)
    parser.add_argument("samples", nargs="*", type=Path, help="files of ExplanationOfBenefit resources to repeat")
    parser.add_argument("--resources", type=int, default=10_000, help="how many resources a file has")
    parser.add_argument("--rounds", type=int, default=5, help="how often both read each file")
    parser.add_argument("--json", action="store_true", help="one JSON object a file instead of a table")
    parser.add_argument(_READS_ONLY, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.reads_only:
        return reads_only(given.reads_only)
    if not given.samples or min(given.resources, given.rounds) < 1:
        parser.error("name at least one file; resources and rounds are at least 1")
    try:
        with Console(stderr=True).status("") as status:
            said, tell = machine(), partial(_tell, status)
            outcomes = [
                measure(name, samples, given.resources, given.rounds, tell)
                for name, samples in _groups(given.samples).items()
            ]
    except (RuntimeError, OSError, msgspec.DecodeError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"The benchmark failed: {type(error).__name__}: {error}\n")
        return 1
    if given.json:
        for outcome in outcomes:
            sys.stdout.write(json.dumps(asdict(outcome) | {"machine": said}) + "\n")
    else:
        console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140)
        console.print(said)
        console.print(table(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
