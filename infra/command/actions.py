"""``tandem actions``: what is to be done for whom, exports for those who do it, and what they say has become of it."""

import asyncio
import getpass
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import click
from rich.table import Table

from contracts.care import DismissalReason, Owner
from infra.command.delivering import require_ready
from infra.command.output import Decorated, Failure, folder_option, json_option, people, print_json, results
from infra.local.installation import Installation, schema_of
from services.risk import care_actions
from services.risk.care_actions import Worklist
from services.risk.care_reporting import Refused, take_report
from services.risk.care_rules import CARE_RULES
from services.risk.care_shown import ActionRow, ActionShown, as_row, bundle, outcome_shown, shown
from services.risk.rules.report_admissible import Report, Status
from services.runtime.database import Connection, connected
from services.runtime.tabular import csv_of

Result = TypeVar("Result")
_PAGE = 5_000
_REPORTER = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_STATUSES = (*get_args(Status), "any")


def _in_risk(installation: Installation, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connected(installation.database_url("risk"), schema_of("risk")) as connection:
            return await work(connection)

    require_ready(installation)
    return asyncio.run(run())


def _worklist_options(command: Decorated) -> Decorated:
    for option in (
        click.option("--owner", type=click.Choice(get_args(Owner)), help="Whose work."),
        click.option("--kind", type=click.Choice(sorted(CARE_RULES)), help="What is to be done."),
        click.option("--status", type=click.Choice(_STATUSES), default="open", show_default=True),
        click.option("--tier", type=click.IntRange(1, 4), help="Tier when it was raised; 4 is the highest."),
        click.option("--county", help="FIPS code of the county."),
        click.option("--facility", help="NPI of the nursing facility."),
        click.option("--person", help="One person's pseudonym."),
        click.option("--as-of", type=click.IntRange(1), help="As known at this delivery."),
    ):
        command = option(command)
    return command


def _wanted(given: dict[str, Any]) -> Worklist:
    return Worklist(
        owner=given["owner"],
        kind=given["kind"],
        status=None if given["status"] == "any" else given["status"],
        tier=given["tier"],
        county_fips=given["county"],
        facility_npi=given["facility"],
        person_id=given["person"],
    )


@click.group("actions")
def command() -> None:
    """What is to be done for whom, and what has become of it.

    ACTION is an id of the list.
    """


@command.command("list")
@folder_option
@_worklist_options
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
@json_option
def list_actions(installation: Installation, limit: int, as_json: bool, as_of: int | None, **given: Any) -> None:  # noqa: ANN401 - click's own way
    """List actions in the order in which they are due."""
    rows = _in_risk(installation, lambda opened: care_actions.worklist(opened, _wanted(given), as_of, limit))
    actions = [shown(row) for row in rows]
    if as_json:
        print_json([one.model_dump(mode="json") for one in actions])
        return
    table = Table("due", "person", "what", "why", "owner", "tier", "status", "action", box=None)
    for one in actions:
        told = (str(one.due_on), one.person_id, one.title, one.reason, one.owner, str(one.tier or ""), one.status)
        table.add_row(*told, one.action_id)
    results.print(table if actions else "Nothing is to be done.")


@command.command("export", short_help="Write a worklist as CSV or FHIR R4.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@folder_option
@click.option("--format", "form", type=click.Choice(["csv", "fhir"]), default="csv", show_default=True)
@_worklist_options
def export(
    installation: Installation,
    file: Path,
    form: Literal["csv", "fhir"],
    as_of: int | None,
    **given: Any,  # noqa: ANN401 - click's own way
) -> None:
    """Write every action of a worklist to FILE, which must not be there yet."""
    if file.exists():
        raise Failure(f"{file} is there already: name another file.")
    actions = _in_risk(installation, lambda opened: _everything(opened, _wanted(given), as_of))
    content = (
        csv_of([as_row(one) for one in actions], ActionRow) if form == "csv" else json.dumps(bundle(actions)).encode()
    )
    file.write_bytes(content)
    people.print(f"{len(actions)} actions are in {file}.")


async def _everything(connection: Connection, wanted: Worklist, as_of: int | None) -> list[ActionShown]:
    actions: list[ActionShown] = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        while True:
            page = [shown(row) for row in await care_actions.worklist(connection, wanted, as_of, _PAGE)]
            actions += page
            if len(page) < _PAGE:
                return actions
            wanted = wanted._replace(after=f"{page[-1].due_on}:{page[-1].action_id}")


_by = click.option("--by", "reported_by", default=getpass.getuser, show_default="you", help="Who says so; recorded.")


def _tell(installation: Installation, action: str, report: Report, reported_by: str) -> None:
    if not _REPORTER.fullmatch(reported_by):
        raise Failure("--by: a user's name of small letters, digits, dots, dashes and underscores.", exit_code=2)

    async def told(connection: Connection) -> Refused | None:
        async with connection.transaction():
            return await take_report(connection, action, report, reported_by, datetime.now(UTC))

    refused = _in_risk(installation, told)
    if refused is not None:
        raise Failure(refused.reason)
    people.print(f"Recorded: {report.verdict}.")


@command.command("complete")
@click.argument("action")
@folder_option
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="When it was done; today if left out.")
@_by
def complete(installation: Installation, action: str, on: datetime | None, reported_by: str) -> None:
    """Say that ACTION was done."""
    done_on: date = on.date() if on else datetime.now(UTC).date()
    _tell(installation, action, Report("done", done_on), reported_by)


@command.command("dismiss")
@click.argument("action")
@folder_option
@click.option("--reason", required=True, type=click.Choice(get_args(DismissalReason)), help="Why not; recorded.")
@_by
def dismiss(installation: Installation, action: str, reason: DismissalReason, reported_by: str) -> None:
    """Say that ACTION will not be done, and why."""
    _tell(installation, action, Report("dismissed", None, reason), reported_by)


@command.command("reopen")
@click.argument("action")
@folder_option
@_by
def reopen(installation: Installation, action: str, reported_by: str) -> None:
    """Take back what was said about ACTION."""
    _tell(installation, action, Report("reopened"), reported_by)


@command.command("outcomes", short_help="What became of actions, with rates.")
@folder_option
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Raised on this day or later.")
@click.option("--through", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Or earlier than the next.")
@click.option("--by", type=click.Choice(["kind", "county", "tier"]), default="kind", show_default=True)
@click.option("--as-of", type=click.IntRange(1), help="As known at this delivery.")
@json_option
def outcomes(
    installation: Installation, first: datetime, last: datetime, by: str, as_of: int | None, as_json: bool
) -> None:
    """What became of actions: raised, done, days, rates per 1,000 aligned people."""
    rows = _in_risk(installation, lambda opened: care_actions.outcomes(opened, by, as_of, first.date(), last.date()))
    found = [outcome_shown(row) for row in rows]
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    columns = ("raised", "done", "done_before", "reported_only", "dismissed", "lapsed", "withdrawn", "open")
    more = ("median_days", "raised_per_1000", "done_per_1000")
    table = Table(by, *(column.replace("_", " ") for column in (*columns, *more)), box=None)
    for one in found:
        values = one.model_dump()
        table.add_row(
            one.group or "unknown", *("" if values[name] is None else str(values[name]) for name in (*columns, *more))
        )
    results.print(table if found else "No action was raised in these days.")


@command.command("facilities", short_help="How often facilities' residents are hospitalised.")
@folder_option
@click.option("--as-of", type=click.IntRange(1), help="As known at this delivery.")
@json_option
def facilities(installation: Installation, as_of: int | None, as_json: bool) -> None:
    """Nursing facilities by how often their residents are hospitalised, against residents like them."""
    rows = _in_risk(installation, lambda opened: care_actions.facilities(opened, None, as_of))
    if as_json:
        print_json([json.loads(json.dumps(dict(row), default=str)) for row in rows])
        return
    table = Table("facility", "residents", "days", "admissions", "expected", "ratio", "90 %", "above", box=None)
    for row in rows:
        interval = f"{row['ratio_low']:.2f}-{row['ratio_high']:.2f}"
        told = (
            row["residents"],
            row["resident_days"],
            row["admissions"],
            f"{row['expected']:.1f}",
            f"{row['ratio']:.2f}",
        )
        table.add_row(row["facility_npi"], *map(str, told), interval, "yes" if row["above_reference"] else "")
    results.print(table if rows else "No facility has been rated yet.")
