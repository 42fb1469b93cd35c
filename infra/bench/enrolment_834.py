"""``python -m infra.bench.enrolment_834``: the 834 reader against a bare split of the same file, and its memory.

Each contestant reads a file of its own making in a process of its own, round after round: one cuts the text at its
delimiters and looks at nothing, one takes segments apart as the reader does, one gives what intake would store. Ratios
are taken within a round, of time and of CPU, which other work on the machine moves little. Memory is the process's peak, at
few members and at many.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from contracts.delivery import DeliveryKind
from infra.bench.memory import peak_megabytes
from infra.simulator.enrolment import END, closing, opening
from services.intake.readers import enrolment_834
from services.intake.readers.x12_segments import segments
from services.intake.reading import PersonRecord, Source

ON = date(2022, 1, 10)
PLAN = "MCO9001"
FEW, MANY, ROUNDS = 10_000, 200_000, 3
_SYNTHETIC_LETTERS = "ACDEFGHJKM"
_CONTESTANTS = ("split", "segments", "reader")
_TITLES = {
    "split": "bare split of the whole text at its delimiters",
    "segments": "stream of segments",
    "reader": "the reader: people, names and spans",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant's reading of one file."""

    members: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float

    @property
    def rate(self) -> float:
        """Members a second."""
        return self.members / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Members a second of CPU."""
        return self.members / self.cpu_seconds


def _member(number: int) -> str:
    """What states write of most members: numbers, name, residence, one coverage with a dual status."""
    letters = "".join(_SYNTHETIC_LETTERS[int(digit)] for digit in f"{number % 10_000:04d}")
    mbi = f"1S{number % 10}0{letters[0]}{number // 10 % 10}0{letters[2:]}{number // 10_000 % 100:02d}"
    lines = (
        "INS*Y*18*001*XN*A***AC",
        f"REF*0F*{39 * 10**10 + number}",
        f"REF*6P*{mbi}",
        f"REF*1D*{39 * 10**10 + number}",
        f"NM1*IL*1*SYNTHETIC{number}*GIVEN{number}",
        "N3*1 MAIN STREET",
        "N4*ANYTOWN*OH*43001**CY*39001",
        f"DMG*D8*19{number % 60 + 20}0{number % 9 + 1}15*{'MF'[number % 2]}",
        f"HD*001**HLT*{PLAN};01",
        "DTP*348*D8*20220101",
        "DTP*349*D8*20220131",
        "REF*RB*60",
        f"REF*F5*0{(1, 2, 4, 8)[number % 4]}",
    )
    return "".join(line + END for line in lines)


def write_file(path: Path, members: int) -> None:
    """A plan's roster with so many members."""
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(opening(PLAN, ON, "roster"))
        file.writelines(map(_member, range(members)))
        file.write(closing(members * _member(0).count("\n")))


def _split(path: Path) -> int:
    text = path.read_text(encoding="latin-1")
    cut = [segment.split("*") for segment in text.split("~")]
    return sum(segment[0].strip() == "INS" for segment in cut)


def _segments(path: Path) -> int:
    return sum(segment.elements[0] == "INS" for segment in segments(path))


def _reader(path: Path) -> int:
    source = Source(DeliveryKind.ENROLMENT_834, path.name, (path,), ON, synthetic_identifiers=True, default_state="OH")
    return sum(isinstance(reading, PersonRecord) for reading in enrolment_834.read(source))


_WORK: dict[str, Callable[[Path], int]] = {"split": _split, "segments": _segments, "reader": _reader}


def run_here(contestant: str, path: Path) -> Run:
    """Read the file in this process."""
    began, busy = time.perf_counter(), time.process_time()
    members = _WORK[contestant](path)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    return Run(members, seconds, cpu, peak_megabytes())


def run_apart(contestant: str, path: Path) -> Run:
    """Read the file in a process of its own, whose peak of memory is then the contestant's."""
    command = [sys.executable, "-m", "infra.bench.enrolment_834", "--only", contestant, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(**json.loads(done.stdout))


def measure(few: int, many: int, rounds: int) -> Iterator[tuple[str, int, Run]]:
    """Every contestant, every size, every round."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        paths = {count: Path(folder) / f"834.{PLAN}.{count}.txt" for count in (few, many)}
        for count, path in paths.items():
            write_file(path, count)
        for _ in range(rounds):
            for count, path in paths.items():
                for contestant in _CONTESTANTS:
                    yield contestant, count, run_apart(contestant, path)


def summary(runs: Sequence[tuple[str, int, Run]]) -> dict[str, Any]:
    """Medians of rates and of ratios within a round, and the greatest peaks."""
    # Imported here: the broker's client would count as memory of a contestant.
    from infra.bench.__main__ import machine  # noqa: PLC0415

    sizes = sorted({count for _, count, _ in runs})
    by = {
        (contestant, count): [run for name, size, run in runs if (name, size) == (contestant, count)]
        for contestant in _CONTESTANTS
        for count in sizes
    }
    return {
        "machine": machine(),
        "members": sizes,
        "rounds": len(by["split", sizes[0]]),
        "members_per_second": {
            name: {size: round(median(run.rate for run in by[name, size])) for size in sizes} for name in _CONTESTANTS
        },
        "members_per_cpu_second": {
            name: {size: round(median(run.cpu_rate for run in by[name, size])) for size in sizes}
            for name in _CONTESTANTS
        },
        "reader_to_split": {size: _ratio(by["reader", size], by["split", size], "rate") for size in sizes},
        "reader_to_split_cpu": {size: _ratio(by["reader", size], by["split", size], "cpu_rate") for size in sizes},
        "peak_megabytes": {
            name: {size: round(max(run.peak_megabytes for run in by[name, size])) for size in sizes}
            for name in _CONTESTANTS
        },
    }


def _ratio(mine: Sequence[Run], bare: Sequence[Run], rate: Literal["rate", "cpu_rate"]) -> float:
    ratios: list[float] = [getattr(one, rate) / getattr(other, rate) for one, other in zip(mine, bare, strict=True)]
    return round(median(ratios), 3)


def _show(found: dict[str, Any]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(found["machine"])
    columns = [found[name] for name in ("members_per_second", "members_per_cpu_second", "peak_megabytes")]
    table = Table(title=f"834, medians of {found['rounds']} rounds")
    for heading in ("what", "members", "members a second", "a second of CPU", "peak memory, MB"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name in _CONTESTANTS:
        for size in found["members"]:
            table.add_row(_TITLES[name], f"{size:,}", *(f"{column[name][size]:,}" for column in columns))
    console.print(table)
    console.print(f"reader / bare split: {found['reader_to_split']} in time, {found['reader_to_split_cpu']} in CPU")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.enrolment_834", description=__doc__)
    parser.add_argument("--few", type=int, default=FEW, help="members of the small file")
    parser.add_argument("--many", type=int, default=MANY, help="members of the large file")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often everything is repeated")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--only", choices=_CONTESTANTS, help="read --file once, here, and print the figures as JSON")
    parser.add_argument("--file", type=Path, help="the file to read with --only")
    given = parser.parse_args(arguments)
    if given.only:
        if given.file is None:
            parser.error("--only needs --file")
        run = run_here(given.only, given.file)
        print(json.dumps(asdict(run)))
        return 0
    if min(given.few, given.many, given.rounds) < 1 or given.few == given.many:
        parser.error("--few and --many are two different numbers above 0, --rounds one")
    found = summary(list(measure(given.few, given.many, given.rounds)))
    if given.json:
        print(json.dumps(found))
    else:
        _show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
