"""``tandem check``: is this machine fit, is the installation well, and what would intake make of these files."""

from pathlib import Path

import click
from rich.table import Table

from infra.command.deliveries_shown import show_lines
from infra.command.findings import Finding, installation_findings, machine_findings
from infra.command.output import folder_option, json_option, print_json, results, state_option
from infra.command.reading import FileReading, read_file
from infra.local.installation import Installation

_MARKS = {"well": "[green]ok[/]", "optional": "[yellow]--[/]", "wrong": "[red]NO[/]"}


def _show_findings(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False)
    for finding in findings:
        table.add_row(_MARKS[finding.state], finding.subject, finding.detail)
        if finding.advice:
            table.add_row("", "", f"[dim]{finding.advice}[/]")
    results.print(table)


def _show_readings(readings: list[FileReading]) -> None:
    for reading in readings:
        table = Table(title=f"{reading.name}: {reading.kind or 'not recognised'}", title_justify="left", box=None)
        table.add_column("what")
        table.add_column("records", justify="right")
        for what, count in reading.records.items():
            table.add_row(what, f"{count:,}")
        for reason, count in reading.defects.items():
            table.add_row(f"[yellow]quarantined: {reason}[/]", f"{count:,}")
        if reading.refused is not None:
            table.add_row(f"[red]refused: {reading.refused}[/]", "")
            table.add_row(reading.detail or "", "")
        results.print(table)
        if reading.first_lines:
            show_lines(reading.first_lines)


@click.command("check")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@folder_option
@state_option("The state of people whose file does not name one.")
@click.option("--synthetic", is_flag=True, help="Admit the impossible identifiers of test data.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    installation: Installation,
    state: str,
    synthetic: bool,
    as_json: bool,
) -> None:
    """Without FILES: check this machine and the installation. With FILES: read them as intake would, deliver nothing.

    Ends with 1 if something is wrong, or if a file would be refused whole.
    """
    if files:
        readings = [read_file(path, state=state, synthetic_identifiers=synthetic) for path in files]
        print_json([reading.as_object() for reading in readings]) if as_json else _show_readings(readings)
        context.exit(any(reading.refused is not None for reading in readings))
    findings = machine_findings() + installation_findings(installation)
    if as_json:
        print_json(
            [
                {"subject": one.subject, "state": one.state, "detail": one.detail, "advice": one.advice}
                for one in findings
            ]
        )
    else:
        _show_findings(findings)
    context.exit(any(finding.state == "wrong" for finding in findings))
