"""How every command speaks: people read standard error and tables, machines read standard output."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from infra.local.installation import Installation, usual_folder

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

# A pipe and a file have no width: what goes there is neither broken nor cropped.
_UNLIMITED = 10_000


def _console(stream: TextIO, *, stderr: bool) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _UNLIMITED)


# Standard output stays free for results, so that --json can be piped.
people = _console(sys.stderr, stderr=True)
results = _console(sys.stdout, stderr=False)


class Failure(click.ClickException):
    """Something that the person at the keyboard can act on. The text says what to do."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def print_json(value: object) -> None:
    """One line on standard output."""
    click.echo(json.dumps(value, separators=(",", ":"), sort_keys=False))


def progress() -> Progress:
    """A bar with what is done, on standard error; gone when finished."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=people, transient=True)


def reading_progress() -> Progress:
    """A bar with bytes, rate and the time that remains, on standard error; gone when finished."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=people, transient=True)


def json_option(command: Decorated) -> Decorated:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


def state_option(text: str) -> Callable[[Decorated], Decorated]:
    """``--state``: a USPS code, refused here and not by every process that is given it."""

    def checked(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        if not re.fullmatch("[A-Z]{2}", value):
            raise click.BadParameter("a state is two capital letters, for example OH")
        return value

    return click.option("--state", default="OH", show_default=True, callback=checked, help=text)


def folder_option(command: Decorated) -> Decorated:
    """``--folder``: which installation; handed on as an :class:`Installation`."""
    return click.option(
        "--folder",
        "installation",
        type=click.Path(file_okay=False, path_type=Path),
        default=usual_folder,
        show_default=str(usual_folder()),
        envvar="TANDEM_FOLDER",
        callback=lambda _context, _parameter, value: Installation(value.resolve()),
        help="The folder of the installation.",
    )(command)
