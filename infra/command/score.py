"""``tandem score``: CMS-HCC scores of a file of people, without anything running."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from infra.command.output import Failure, json_option, people
from services.risk.hcc_tables import Model
from services.risk.scoring_file import ScoringFileError, score_file


def _as_object(row: dict[str, str]) -> dict[str, object]:
    hccs, notes = ([one for one in row[name].split("|") if one] for name in ("hccs", "notes"))
    return {**row, "raw_score": float(row["raw_score"]), "hccs": [int(hcc) for hcc in hccs], "notes": notes}


def _print_csv(rows: Iterator[dict[str, str]]) -> int:
    writer: csv.DictWriter[str] | None = None
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is the count
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return count


def _print_json(rows: Iterator[dict[str, str]]) -> int:
    """One array, written as it grows: a large file must not fill the memory."""
    count = 0
    for count, row in enumerate(rows, 1):
        click.echo("[" if count == 1 else ",", nl=False)
        click.echo(json.dumps(_as_object(row), separators=(",", ":")))
    click.echo("]" if count else "[]")
    return count


@click.command("score")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", type=click.Choice(["V24", "V28"]), required=True, help="Which CMS-HCC model.")
@json_option
def command(file: Path, model: Model, as_json: bool) -> None:
    """Score FILE, a CSV with columns age,sex,orec,medicaid,segment,icd10 (codes separated by |).

    Prints the same rows with raw_score, hccs and notes (what adds nothing, and why): CSV, or with --json an array.
    """
    try:
        count = (_print_json if as_json else _print_csv)(score_file(file, model))
    except ScoringFileError as error:
        raise Failure(f"{file}: {error}", exit_code=2) from None
    people.print(f"{count} people scored with CMS-HCC {model}.")
