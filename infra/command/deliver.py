"""``tandem deliver``: files into a running installation, through to published figures."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import Progress as Bars
from rich.progress import TaskID
from rich.table import Table

from infra.command.delivering import (
    Outcome,
    Progress,
    Reading,
    files_in,
    hand_over,
    outcomes,
    wait_until_published,
    wait_until_ready,
)
from infra.command.output import folder_option, json_option, print_json, progress, reading_progress, results
from infra.local.installation import Installation


def _wait(installation: Installation, first: int, last: int) -> None:
    with progress() as bar, reading_progress() as reading:
        task = bar.add_task("publishing", total=last - first + 1)
        reader = ReadingBar(reading)

        def tell(seen: Progress) -> None:
            bar.update(task, completed=max(0, seen.slowest - first + 1))
            reader.tell(seen.reading)

        wait_until_published(installation, last, tend=lambda: _require_running(installation), tell=tell)


class ReadingBar:
    """The bar of the file that is being read: another file is another task, so that rate and rest are its own."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._sequence: int | None = None
        self._task: TaskID | None = None

    def tell(self, reading: Reading | None) -> None:
        """Move the bar."""
        if reading is None or reading.sequence != self._sequence:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task, self._sequence = None, None
        if reading is None:
            return
        if self._task is None:
            self._task = self._bars.add_task(f"reading {reading.name}", total=reading.total_bytes)
            self._sequence = reading.sequence
        self._bars.update(self._task, completed=reading.read_bytes, total=reading.total_bytes)


def _require_running(installation: Installation) -> None:
    installation.addresses()


def _state(one: Outcome, *, waited: bool) -> str:
    if one.reason:
        return f"[{'yellow' if one.status == 'held' else 'red'}]{one.status}[/] {one.reason}"
    if one.repeated:
        return "delivered before"
    return "published" if waited else one.status  # nobody has looked whether it is published


def _show(found: Sequence[Outcome], *, waited: bool) -> None:
    table = Table(box=None)
    table.add_column("file", overflow="fold")
    table.add_column("delivery", justify="right")
    table.add_column("status", overflow="fold")
    for column in ("records", "claims", "quarantined"):
        table.add_column(column, justify="right")
    for one in found:
        counts = (f"{count:,}" for count in (one.records, one.claims, one.quarantined))
        table.add_row(one.name, str(one.sequence), _state(one, waited=waited), *counts)
    results.print(table)


@click.command("deliver")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@folder_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until every service has published.")
@json_option
@click.pass_context
def command(
    context: click.Context, paths: tuple[Path, ...], installation: Installation, wait: bool, as_json: bool
) -> None:
    """Deliver PATHS (files, or folders of files in the order of their names) and wait until their figures are published.

    The same content again is recognised and changes nothing. Ends with 1 if a delivery was refused whole or is held.
    """
    wait_until_ready(installation, tend=lambda: _require_running(installation))
    handed = asyncio.run(hand_over(installation, files_in(paths)))
    if wait:
        sequences = [one.registration.sequence for one in handed]
        _wait(installation, min(sequences), max(sequences))
    found = asyncio.run(outcomes(installation, handed))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        _show(found, waited=wait)
    context.exit(any(one.status in {"refused", "held"} for one in found))
