"""``tandem evidence``: what a signal rests on, as a folder that a statistician can check."""

import asyncio
from pathlib import Path

import click

from infra.command.delivering import require_ready
from infra.command.evidence_folder import write_evidence
from infra.command.output import Failure, folder_option, json_option, people, print_json
from infra.local.installation import Installation, schema_of
from services.cost_shift.evidence import EvidenceAnswer, NoSuchSignalError, evidence
from services.runtime.database import connected


async def _read(installation: Installation, signal: str) -> EvidenceAnswer:
    async with (
        connected(installation.database_url("cost-shift"), schema_of("cost-shift")) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await evidence(connection, signal)


@click.command("evidence")
@click.argument("signal")
@click.option(
    "--to",
    "to",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where to write; a new or empty folder. The signal's name in the current folder where absent.",
)
@folder_option
@json_option
def command(installation: Installation, signal: str, to: Path | None, as_json: bool) -> None:
    """Write what SIGNAL rests on: cells as CSV, estimates, figures, method, versions and checksums.

    SIGNAL is a signal_id of the cost-shift gateway's /v1/signals, such as D9001.home_health.42.
    """
    require_ready(installation)
    try:
        found = asyncio.run(_read(installation, signal))
    except NoSuchSignalError:
        raise Failure(
            f"There is no signal {signal!r}. The gateway of cost-shift lists them under /v1/signals."
        ) from None
    folder = to or Path(signal)
    try:
        files = write_evidence(found, folder)
    except FileExistsError:
        raise Failure(f"{folder} is not empty. Name another folder with --to.") from None
    if as_json:
        print_json({"folder": str(folder), "files": [str(file) for file in files], "as_kept": found.as_kept})
        return
    people.print(f"{signal}: {found.signal.level}. {found.signal.statement}", markup=False)
    people.print(
        f"Written to {folder}: {len(files)} files, {len(found.cells):,} cells. Begin with README.md.", markup=False
    )
    if not found.as_kept:
        people.print("[yellow]The cells are not those of which the signal was worked out; README.md says why.[/]")
