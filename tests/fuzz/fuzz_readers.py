"""Fuzzes every reader, one process a kind: ``make fuzz``.

What was tried and how often is printed with the seed that repeats it. A file that broke its reader is kept, and the
run ends with 1.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from fuzz_seeds import seeds

from contracts.delivery import DeliveryKind

_DONE = re.compile(r"Done (\d+) runs")
_COVERED = re.compile(r"cov: (\d+)")
_CHILD = Path(__file__).with_name("fuzz_one_reader.py")
_SHOWN_LINES = 25
_KINDS = [kind.value for kind in DeliveryKind]


def _run(kind: str, seconds: int, seed: int, kept: Path) -> bool:
    options = (f"-max_total_time={seconds}", f"-seed={seed}")
    done = subprocess.run(
        [sys.executable, _CHILD, kind, kept, *options], capture_output=True, text=True, errors="replace", check=False
    )
    runs, covered = _DONE.search(done.stderr), _COVERED.findall(done.stderr)
    if done.returncode == 0 and runs is not None:
        click.echo(f"{kind:<30}{int(runs[1]):>10,} files{int(covered[-1]):>8,} branches")
        return True
    click.echo(f"{kind:<30}broken; its file lies in {kept}")
    click.echo(_told(done.stdout + done.stderr))
    return False


def _told(output: str) -> str:
    """Where it broke: what the fuzzer tells of its progress is of no use for that."""
    lines = [line for line in output.splitlines() if line and not line.startswith(("#", "INFO:", "WARNING:"))]
    return "\n".join(lines[-_SHOWN_LINES:])


@click.command()
@click.option("--seconds", type=click.IntRange(1), default=60, show_default=True, help="For each kind.")
@click.option("--seed", type=int, default=lambda: int(time.time()), help="Repeats a run.")
@click.option("--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only these.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(tempfile.gettempdir()) / "tandem-fuzz",
    help="Where files that break a reader are kept.",
)
@click.pass_context
def main(context: click.Context, seconds: int, seed: int, kinds: tuple[str, ...], keep: Path) -> None:
    """Fuzz every reader of which there is a seed."""
    keep.mkdir(parents=True, exist_ok=True)
    known = seeds(with_samples=True)
    click.echo(f"seed {seed}, {seconds} s a kind")
    for kind in kinds or _KINDS:
        if kind not in known:
            click.echo(f"{kind:<30}no seed")
    held = [_run(kind, seconds, seed, keep) for kind in kinds or known]
    context.exit(not all(held))


if __name__ == "__main__":
    main()
