"""``python -m infra.bench.cclf``: CCLF files of any size through intake's reader, against a bare scan of them in DuckDB.

The files are written once; then both contestants read them in turn, each in a process of its own, round after round.
Figures are medians over the rounds; the ratio is taken within a round, so that a slow moment slows both sides.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.status import Status
from rich.table import Table

from infra.bench.__main__ import machine
from infra.bench.cclf_files import Size, write

_LONGEST_RUN_SECONDS = 1_800
_PEAK_AIM_MEGABYTES, _RATIO_AIM = 600, 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured at one size. ``ratio`` is the reader's rate over that of the bare scan.

    ``cpu_ratio`` is the same by CPU time of all threads, which other work on the machine moves less.
    """

    lines: int
    megabytes: float
    claims: int
    staged_rows: int
    seconds: float
    bare_seconds: float
    lines_per_second: float
    megabytes_per_second: float
    ratio: float
    cpu_seconds: float
    cpu_ratio: float
    peak_megabytes: float


def _run(name: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "infra.bench.cclf_contestant", name, str(folder)],
        check=False,
        capture_output=True,
        text=True,
        timeout=_LONGEST_RUN_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(size: Size, rounds: int, tell: Callable[[str], None]) -> Outcome:
    """Write the files of one size and let both contestants read them. Raises :class:`RuntimeError`."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        folder = Path(name)
        _, plain = write(folder, size, tell)
        megabytes = sum(path.stat().st_size for path in plain.values()) / 1e6
        measured: list[tuple[dict[str, float], dict[str, float]]] = []
        for number in range(rounds):
            tell(f"{size.lines:,} lines, round {number + 1} of {rounds}: bare scan")
            bare = _run("bare", folder)
            tell(f"{size.lines:,} lines, round {number + 1} of {rounds}: intake's reader")
            measured.append((_run("reader", folder), bare))
    return _outcome(measured, megabytes)


def _outcome(measured: list[tuple[dict[str, float], dict[str, float]]], megabytes: float) -> Outcome:
    first, bare = measured[0]
    if first["defects"] or not first["claims"]:
        raise RuntimeError("the reader did not read what was written")
    seconds = median(reader["seconds"] for reader, _ in measured)
    return Outcome(
        lines=int(bare["lines"]),
        megabytes=megabytes,
        claims=int(first["claims"]),
        staged_rows=int(first["rows"]),
        seconds=seconds,
        bare_seconds=median(one["seconds"] for _, one in measured),
        lines_per_second=bare["lines"] / seconds,
        megabytes_per_second=megabytes / seconds,
        ratio=median(one["seconds"] / reader["seconds"] for reader, one in measured),
        cpu_seconds=median(reader["cpu_seconds"] for reader, _ in measured),
        cpu_ratio=median(one["cpu_seconds"] / reader["cpu_seconds"] for reader, one in measured),
        peak_megabytes=max(reader["peak_megabytes"] for reader, _ in measured),
    )


def table(outcomes: list[Outcome]) -> Table:
    """Show what was measured."""
    shown = Table(title=f"CCLF: aims are at least {_RATIO_AIM} of a bare scan, at most {_PEAK_AIM_MEGABYTES} MB")
    for heading in (
        "lines",
        "MB",
        "claims",
        "rows staged",
        "seconds",
        "lines/s",
        "MB/s",
        "bare s",
        "ratio",
        "CPU s",
        "by CPU",
        "peak MB",
    ):
        shown.add_column(heading, justify="right")
    for one in outcomes:
        shown.add_row(
            f"{one.lines:,}", f"{one.megabytes:,.0f}", f"{one.claims:,}", f"{one.staged_rows:,}",
            f"{one.seconds:,.1f}", f"{one.lines_per_second:,.0f}", f"{one.megabytes_per_second:,.1f}",
            f"{one.bare_seconds:,.1f}", f"{one.ratio:.2f}", f"{one.cpu_seconds:,.1f}", f"{one.cpu_ratio:.2f}",
            f"{one.peak_megabytes:,.0f}",
        )  # fmt: skip
    return shown


def _tell(status: Status, text: str) -> None:
    if status.console.is_terminal:
        status.update(text)
    else:
        status.console.print(text)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.cclf", description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000], help="sizes, in lines of all files")
    parser.add_argument("--rounds", type=int, default=3, help="how often both read the files")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", action="store_true", help="one JSON object a size instead of a table")
    given = parser.parse_args(arguments)
    if min(*given.lines, given.rounds) < 1:
        parser.error("sizes and rounds are at least 1")
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140)
    try:
        with Console(stderr=True).status("") as status:
            said = machine()
            tell = partial(_tell, status)
            outcomes = [measure(Size(lines, given.seed), given.rounds, tell) for lines in given.lines]
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"The benchmark failed: {type(error).__name__}: {error}\n")
        return 1
    if given.json:
        for outcome in outcomes:
            sys.stdout.write(json.dumps(asdict(outcome) | {"machine": said}) + "\n")
    else:
        console.print(said)
        console.print(table(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
