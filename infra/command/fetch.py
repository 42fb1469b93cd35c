"""``tandem fetch``: claims and people from CMS's bulk APIs into the inbox."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from infra.command.output import Failure, folder_option, json_option, people, print_json, results
from infra.local.installation import Installation
from services.intake.bulk.api import Api
from services.intake.bulk.clock import SystemClock
from services.intake.bulk.credentials import Credentials, credentials
from services.intake.bulk.error_reports import reported
from services.intake.bulk.failures import BulkFailure
from services.intake.bulk.fetching import Fetch, Fetched, Since
from services.intake.bulk.job_state import StateFolder
from services.intake.bulk.patience import Patience
from services.intake.bulk.profiles import profile_named
from services.intake.bulk.request import TYPES, ExportRequest, export_request, instant
from services.intake.bulk.sending import Sender, open_client
from services.intake.bulk.tokens import Tokens

Result = TypeVar("Result")
_STOPPED = 130


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for, checked."""

    request: ExportRequest
    since: Since
    state: Path
    into: Path
    credentials: Credentials
    most_seconds: float


class Bars:
    """A bar for the server's work, then one for the files, on standard error."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def said(self, text: str) -> None:
        """A line of its own."""
        self._bar.console.print(Text(text))

    def _shown(self, text: str, done: int | None, of: int) -> None:
        if self._task is None:
            self._task = self._bar.add_task(text, total=None)
        self._bar.update(self._task, description=text, total=None if done is None else of, completed=done or 0)

    def exporting(self, percent: int | None) -> None:
        """The percentage that the server tells, or none."""
        self._shown("the server exports" if percent is None else f"the server exports, {percent} %", percent, 100)

    def fetching(self, file: int, files: int, received: int) -> None:
        """Files, and what has come of this one."""
        self._shown(f"file {file} of {files}, {received / 1e6:,.1f} MB", file - 1, files)


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=people, transient=True)


async def _with_fetch(wanted: Wanted, act: Callable[[Fetch], Awaitable[Result]]) -> Result:
    request = wanted.request
    with _progress() as bar:
        async with open_client() as http:
            sender = Sender(http, Patience(SystemClock(), wanted.most_seconds))
            tokens = Tokens(sender, request.profile, wanted.credentials)
            api = Api(sender, tokens, request.profile.base_url)
            return await act(Fetch(api, request, StateFolder(wanted.state), wanted.into, Bars(bar)))


def _act(wanted: Wanted, act: Callable[[Fetch], Awaitable[Result]]) -> Result:
    try:
        return asyncio.run(_with_fetch(wanted, act))
    except BulkFailure as failure:
        raise Failure(str(failure), failure.exit_code) from None
    except OSError as problem:
        raise Failure(f"{problem.filename or 'The disk'}: {problem.strerror}. What came is kept.", 6) from None


def somebody_is_there() -> bool:
    """Whether a question would be seen."""
    return sys.stdin.isatty()


def _stopped(wanted: Wanted) -> NoReturn:
    """Ask a person whether the job at the server is to be dropped; leave it where nobody can be asked."""
    question = "Cancel the export at the server too? Otherwise the same command goes on with it"
    if somebody_is_there() and click.confirm(question, default=False, err=True):
        _act(wanted, Fetch.cancel)
        raise Failure("Stopped, and the export cancelled.", _STOPPED)
    raise Failure("Stopped. The same command goes on where this one stopped; --cancel drops the export.", _STOPPED)


def _as_object(fetched: Fetched) -> dict[str, object]:
    return {
        "request": fetched.request,
        "since": None if fetched.since is None else instant(fetched.since),
        "transaction_time": instant(fetched.transaction_time),
        "resumed": fetched.resumed,
        "files": [str(path) for path in fetched.files],
        "resources": fetched.lines,
        "bytes": fetched.file_bytes,
        "error_files": [str(path) for path in fetched.errors],
        "errors": dict(reported(fetched.errors).most_common()),
    }


def _show(fetched: Fetched) -> None:
    table = Table("resource", "number", box=None)
    for kind, count in fetched.lines.items():
        table.add_row(kind, f"{count:,}")
    if fetched.files:
        results.print(table)
    else:
        since = "" if fetched.since is None else f" since {instant(fetched.since)}"
        results.print(f"No file: nobody is attributed, or nothing changed{since}.", soft_wrap=True)
    for text, count in reported(fetched.errors).most_common():
        results.print(Text(f"the server reports, {count:,} times: {text}"))
    for path in fetched.errors:
        results.print(Text(f"its report is kept: {path}"))
    results.print(Text(f"{len(fetched.files)} files as of {instant(fetched.transaction_time)}"))


def _moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a date or a FHIR instant, for example 2024-03-01T00:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _wanted_since(since: datetime | None, *, full: bool) -> Since:
    if full and since is not None:
        raise click.UsageError("--full and --since exclude each other.")
    if since is not None:
        return Since("given", since)
    return Since("full") if full else Since()


@click.command("fetch")
@click.argument("source")
@click.option("--url", metavar="URL", help="Where the source answers, if not at its usual address.")
@click.option("--profiles", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="More sources (TOML).")
@click.option("--version", "version", help="Version of the API: v1 (STU3), v2, v3 (R4).")
@click.option("--group", help="all, runout (people of last year), patient, or a group of your own.")
@click.option("--type", "types", multiple=True, type=click.Choice(TYPES), help="Resource type; several allowed.")
@click.option("--since", callback=_moment, help="Only what changed since. [default: the last fetch of the same]")
@click.option("--full", is_flag=True, help="Everything, whatever was fetched before.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Folder. [default: the inbox]")
@click.option(
    "--credentials", "file", type=click.Path(dir_okay=False, path_type=Path), help="File: identifier, then secret."
)
@click.option("--wait", "hours", type=click.FloatRange(min=0.001, max=168), default=24.0, show_default=True,
              help="Hours to wait for the server, in all.")  # fmt: skip
@click.option("--cancel", is_flag=True, help="Drop the unfinished export, at the server and here.")
@folder_option
@json_option
def command(
    source: str,
    url: str | None,
    profiles: Path | None,
    version: str | None,
    group: str | None,
    types: tuple[str, ...],
    since: datetime | None,
    full: bool,
    into: Path | None,
    file: Path | None,
    hours: float,
    cancel: bool,
    installation: Installation,
    as_json: bool,
) -> None:
    """Fetch claims and people from SOURCE (bcda, bcda-sandbox, ab2d, dpc ...) into the inbox, where intake takes them.

    The identifier and the secret are read from TANDEM_BULK_CLIENT_ID and TANDEM_BULK_CLIENT_SECRET, or a file. A fetch
    that was stopped or killed goes on where it was when the same command is given again.
    """
    try:
        profile = profile_named(source, profiles)
        profile = profile if url is None else profile.moved_to(url)
        request = export_request(profile, version=version, group=group, types=types)
        secret = credentials(os.environ, file, signs_assertion=profile.signs_assertion)
    except BulkFailure as failure:
        raise Failure(str(failure), failure.exit_code) from None
    place = (installation.inbox if into is None else into).resolve()
    state = installation.folder / "fetch"
    wanted = Wanted(request, _wanted_since(since, full=full), state, place, secret, hours * 3600)
    if cancel:
        dropped = _act(wanted, Fetch.cancel)
        print_json({"cancelled": dropped}) if as_json else results.print(
            "The export is cancelled." if dropped else "There is no unfinished export."
        )
        return
    try:
        fetched = _act(wanted, lambda fetch: fetch.run(wanted.since))
    except KeyboardInterrupt:
        _stopped(wanted)
    print_json(_as_object(fetched)) if as_json else _show(fetched)
