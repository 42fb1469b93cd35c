"""Every folder of public samples through one running installation, and what came of each file.

``make samples`` writes down what came out, here and in ``docs/public-samples.md``, to be looked at and committed.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLES = ROOT.parent / "shared" / "data"
EXPECTED = HERE / "sample_folders.json"
PAGE = ROOT / "docs" / "public-samples.md"
BEGIN, END = "<!-- sample folders: written by make samples -->\n", "<!-- end of sample folders -->\n"
# In this order: who is enrolled before what they had. What is no feed comes last.
FOLDERS = (
    "x12/834",
    "x12/837",
    "x12/820",
    "cclf",
    "bcda",
    "ab2d",
    "dpc",
    "hccinfhir",
    "bfd/fhir-v3",
    "bfd/rda",
    "bfd/idr-synthetic",
    "bfd/idr-test-samples",
    "bfd/rif-static",
    "bfd/rif-synthea",
    "bfd/samhsa",
    "tuva",
    "goldens",
)
_READY_SECONDS = 90.0
_LISTED_REASONS = 4
_SECONDS_A_FOLDER = 280


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file."""

    folder: str
    file: str
    kind: str | None
    status: str
    repeated: bool
    contents: dict[str, int]
    claims: int
    quarantined: int
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Installation:
    """One that runs."""

    folder: Path

    def deliver(self, path: Path) -> list[dict[str, Any]]:
        """What ``tandem deliver`` says of every file of a folder."""
        done = subprocess.run(
            _command("deliver", path, "--json", "--folder", self.folder),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS_A_FOLDER,
        )
        if done.returncode not in {0, 1}:
            raise AssertionError(f"tandem deliver ended with {done.returncode}: {done.stderr}")
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    def detail(self, delivery_id: str) -> dict[str, Any]:
        """What intake's gateway tells of a delivery."""
        gateways = json.loads((self.folder / "addresses.json").read_text())["gateways"]
        answer = httpx.get(f"{gateways['intake']}/v1/deliveries/{delivery_id}")
        answer.raise_for_status()
        detail: dict[str, Any] = answer.json()
        return detail


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "infra.command", *map(str, words)]


@contextmanager
def running() -> Iterator[Installation]:
    """An empty installation that admits the samples' impossible numbers."""
    with tempfile.TemporaryDirectory(prefix="tandem-test-") as made:
        Path(made).chmod(0o711)
        folder = Path(made) / "tandem"
        log = Path(made) / "up.log"
        with log.open("w+") as said:
            words = ("up", "--folder", folder, "--synthetic", "--broker", "embedded")
            process = psutil.Popen(_command(*words), stdout=said, stderr=said, cwd=ROOT)
            try:
                _wait_for(folder / "addresses.json", process, log)
                yield Installation(folder)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def _wait_for(path: Path, process: psutil.Popen, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(log.read_text())
        time.sleep(0.1)


def delivered(installation: Installation, samples: Path, folder: str) -> list[Row]:
    """Deliver one folder, and say what became of its files, in the order of their paths."""
    root = (samples / folder).resolve()
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    told = installation.deliver(root)
    assert [one["name"] for one in told] == [path.name for path in paths]
    return [_row(installation, folder, path.relative_to(root), one) for path, one in zip(paths, told, strict=True)]


def _row(installation: Installation, folder: str, path: Path, told: dict[str, Any]) -> Row:
    detail = installation.detail(told["delivery_id"])
    return Row(
        folder,
        str(path),
        detail["kind"],
        told["status"],
        told["repeated"],
        detail["contents"],
        detail["claims"],
        detail["quarantined"],
        _reasons(detail),
    )


def _reasons(detail: dict[str, Any]) -> list[str]:
    if detail["reason_code"]:
        return [f"{detail['reason_code']}: {detail['reason_detail']}"]
    faults = sorted(detail["faults"], key=lambda one: (-one["lines"], one["reason"], one["field"] or ""))
    told = [f"{one['lines']} {one['field'] or ''} {one['reason']}".replace("  ", " ") for one in faults]
    more = len(told) - _LISTED_REASONS
    return told[:_LISTED_REASONS] + ([f"and {more} more kinds"] if more > 0 else [])


def expected() -> list[Row]:
    """What came out when somebody last looked at it."""
    return [Row(**row) for row in json.loads(EXPECTED.read_text(encoding="utf-8"))]


def table(rows: Sequence[Row]) -> str:
    """The rows as the page shows them: files of a folder that came to the same are told together."""
    lines = ["| folder | file | what it held | quarantined | why |", "|---|---|---|---:|---|"]
    together: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        together.setdefault(_told_together(row), []).append(row)
    for (folder, *_), files in together.items():
        first = files[0]
        name = first.file if len(files) == 1 else f"{len(files)} files"
        quarantined = f"{first.quarantined:,}" if len(files) == 1 else ""
        lines.append(f"| {folder} | {name} | {_what(first)} | {quarantined} | {_why(first)} |")
    return "\n".join(lines) + "\n"


def _told_together(row: Row) -> tuple[str, str, str]:
    alone = "" if row.status in {"refused", "held"} or row.repeated else row.file
    return row.folder, alone, f"{row.status} {row.repeated} {row.reasons}"


def _what(row: Row) -> str:
    if row.status != "completed" or row.repeated:
        return row.status if not row.repeated else "delivered before"
    return ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in row.contents.items()) or "nothing"


def _why(row: Row) -> str:
    return "" if row.repeated else "; ".join(row.reasons).replace("|", "\\|")


def page_with(text: str, rows: Sequence[Row]) -> str:
    """The page with the table of these rows in its place."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.split(END)[1]}"


@click.command()
@click.option("--samples", type=click.Path(exists=True, path_type=Path), default=SAMPLES, help="The public samples.")
def main(samples: Path) -> None:
    """Deliver every folder of samples and write down what came of it."""
    rows: list[Row] = []
    with running() as installation:
        for folder in FOLDERS:
            started = time.monotonic()
            rows += delivered(installation, samples, folder)
            click.echo(f"{folder}: {time.monotonic() - started:.1f} s", err=True)
    EXPECTED.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


if __name__ == "__main__":
    main()
