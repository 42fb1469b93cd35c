"""``python -m infra.bench``: one table, everything in one run on Apache Kafka.

With ``--quick`` a small workload once; without it three interleaved rounds, and a million claims through the worker.
``--people`` adds the whole system at the given sizes, from files to the published cut.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
from rich.console import Console
from rich.status import Status
from rich.table import Table

from infra.bench.end_to_end import Demonstration, demonstrate
from infra.bench.running import ORDER, Results, Servers, grow, prepare, rounds
from infra.bench.workload import FULL, QUICK, Scale
from infra.kafka.apache_kafka import running_apache_kafka
from infra.local.ports import StartError
from infra.local.postgresql import running_postgresql

_TITLES = {
    "plain": "(a) plain aiokafka loop, the same transaction",
    "worker": "(b) Tandem's worker",
    "faust": "(c) textbook Faust: a table, one claim a message",
    "consume": "(d) consume only",
}


def machine() -> str:
    """Describe the machine in a line."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load before the run {os.getloadavg()[0]:.1f}"
    )


def _tell(status: Status, text: str) -> None:
    if status.console.is_terminal:
        status.update(text)
    else:
        status.console.print(text)


def measure(scale: Scale, tell: Callable[[str], None]) -> Results:
    """Run every contestant in every round."""
    # Not below a private folder: as root, PostgreSQL runs as another account, which must be able to enter.
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        Path(folder).chmod(0o711)
        tell("starting Apache Kafka and PostgreSQL")
        with (
            running_apache_kafka(Path(folder) / "kafka") as kafka,
            running_postgresql(Path(folder) / "postgresql", durable=True) as url,
        ):
            servers = Servers(kafka.address, url)
            tell(f"writing {scale.published:,} messages")
            asyncio.run(prepare(servers, scale))
            return Results(list(rounds(servers, scale, tell)), list(grow(servers, scale, tell)))


def table(scale: Scale, results: Results) -> Table:
    """Show the medians."""
    shown = Table(title=f"{scale.claims:,} claims, {scale.rounds} rounds, medians")
    for heading in ("what", "claims a second", "CPU s per million claims", "peak memory, MB"):
        shown.add_column(heading, justify="left" if heading == "what" else "right")
    for name in ORDER:
        figures = (results.rate(name), results.cpu(name), results.peak(name))
        shown.add_row(_TITLES[name], *(f"{figure:,.0f}" for figure in figures))
    shown.add_section()
    for name, letters in (("plain", "b / a"), ("faust", "b / c")):
        shown.add_row(letters, f"{results.ratio('worker', name):.2f}", f"{results.cpu_ratio('worker', name):.2f}", "")
    plain, worker = (results.rounds[0][name] for name in ("plain", "worker"))
    for what, count, claims in (
        ("a: transactions per 1,000 claims", plain.transactions, plain.claims),
        ("b: transactions per 1,000 claims", worker.transactions, worker.claims),
        ("b: round trips per 1,000 claims", worker.round_trips, worker.claims),
    ):
        shown.add_row(what, f"{count * 1000 / claims:.2f}", "", "")
    return shown


def growth_table(results: Results) -> Table:
    """Show what a claim costs as the tables grow."""
    shown = Table(title="(b) Tandem's worker, from empty tables to so many claims")
    for heading in ("claims", "claims a second", "CPU s per million claims", "peak memory, MB"):
        shown.add_column(heading, justify="right")
    for run in results.growth:
        cpu = run.cpu_seconds * 1e6 / run.claims
        shown.add_row(
            f"{run.claims:,}", f"{run.claims / run.seconds:,.0f}", f"{cpu:,.1f}", f"{run.peak_megabytes:,.0f}"
        )
    shown.add_section()
    shown.add_row("cost, last / first", "", f"{results.growth_ratio():.2f}", "")
    return shown


def end_to_end_table(runs: list[Demonstration]) -> Table:
    """Show the whole system at each size."""
    shown = Table(title="from files to the published cut")
    for heading in ("claims", "seconds", "claims a second", "differences"):
        shown.add_column(heading, justify="right")
    for run in runs:
        said = run.summary
        shown.add_row(
            f"{said['claims_applied']:,}",
            f"{said['seconds']:.0f}",
            f"{said['claims_per_second']:,.0f}",
            str(said["cents_difference"] + said["person_months_difference"] + said["alignment_months_different"]),
        )
    shown.add_section()
    for name, megabytes in sorted(runs[-1].peaks.items()):
        shown.add_row(f"peak of {name}", "", f"{megabytes:,.0f} MB", "")
    if len(runs) > 1:
        ratio = runs[-1].microseconds_a_claim / runs[0].microseconds_a_claim
        shown.add_row("cost a claim, last / first", "", f"{ratio:.2f}", "")
    return shown


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small workload, once")
    parser.add_argument("--people", type=int, nargs="*", default=[], help="also the whole system at these sizes")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--rounds", type=int, help="how often everything is repeated")
    given = parser.parse_args(arguments)
    scale = QUICK if given.quick else FULL
    scale = replace(scale, rounds=given.rounds or scale.rounds)
    try:
        _show(scale, given.people, given.seed)
    except (RuntimeError, OSError, subprocess.SubprocessError, StartError) as error:
        sys.stderr.write(f"The benchmark failed: {type(error).__name__}: {error}\n")
        return 1
    return 0


def _show(scale: Scale, sizes: list[int], seed: int) -> None:
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 120)
    console.print(machine())
    with Console(stderr=True).status("") as status:
        results = measure(scale, partial(_tell, status))
        console.print(table(scale, results))
        if results.growth:
            console.print(growth_table(results))
        runs = []
        for people in sizes:
            _tell(status, f"the whole system with {people:,} people")
            runs.append(demonstrate(people, seed))
    if runs:
        console.print(end_to_end_table(runs))


if __name__ == "__main__":
    sys.exit(main())
