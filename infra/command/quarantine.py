"""``tandem quarantine``: what was delivered and could not be read, and taking a refused delivery again."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

import click
from rich.table import Table

from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json, results
from infra.local.installation import Installation, schema_of
from services.intake.deliveries import Delivery, find, retry
from services.intake.quarantine import (
    QuarantineCount,
    QuarantinedLine,
    quarantine_counts,
    quarantined_deliveries,
    quarantined_lines,
)
from services.runtime.database import Connection, connected

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery that was refused whole."""

    delivery_id: str
    sequence: int
    name: str
    reason: str


def _in_intake(installation: Installation, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
            return await work(connection)

    require_ready(installation)
    return asyncio.run(run())


def _refused(delivery: Delivery) -> Refused:
    reason = f"{delivery.reason_code}: {delivery.reason_detail}"
    return Refused(delivery.delivery_id, delivery.sequence, delivery.name, reason)


@click.group("quarantine")
def command() -> None:
    """Lines and whole deliveries that could not be read. Their content stays sealed; place and reason are shown."""


@command.command("list")
@click.argument("delivery", required=False)
@folder_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Of each kind.")
@json_option
def list_quarantined(installation: Installation, delivery: str | None, limit: int, as_json: bool) -> None:
    """List the lines of DELIVERY; without one, refused deliveries and the commonest faults of lines."""
    if delivery is not None:
        _show_lines(_in_intake(installation, lambda opened: _lines_of(opened, delivery, limit)), as_json=as_json)
        return
    deliveries = _in_intake(installation, lambda opened: quarantined_deliveries(opened, limit))
    counts = _in_intake(installation, lambda opened: quarantine_counts(opened, limit))
    _show_overview([_refused(one) for one in deliveries], counts, as_json=as_json)


async def _lines_of(connection: Connection, delivery: str, limit: int) -> list[QuarantinedLine]:
    if await find(connection, delivery) is None:
        raise Failure(f"There is no delivery {delivery}.")
    return await quarantined_lines(connection, delivery, limit)


def _show_lines(lines: list[QuarantinedLine], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    table = Table("file", "line", "field", "reason", "found", "expected", box=None)
    for line in lines:
        told = (line.field, line.reason, line.found, line.expected)
        table.add_row(line.file, str(line.line), *(text or "" for text in told))
    results.print(table if lines else "No line of it is in quarantine.")


def _show_overview(refused: list[Refused], counts: list[QuarantineCount], *, as_json: bool) -> None:
    if as_json:
        print_json({"deliveries": [asdict(one) for one in refused], "lines": [asdict(count) for count in counts]})
        return
    if not refused and not counts:
        people.print("Nothing is in quarantine.")
        return
    table = Table("delivery", "file", "field", "reason", "lines", box=None)
    for one in refused:
        table.add_row(one.delivery_id, one.name, "", f"[red]refused[/] {one.reason}", "all")
    for count in counts:
        table.add_row(count.delivery_id, count.file, count.field or "", count.reason, f"{count.lines:,}")
    results.print(table)


@command.command("retry")
@click.argument("delivery")
@folder_option
@click.option("--actor", default=getpass.getuser, show_default="you", help="Who decided it; recorded.")
def retry_refused(installation: Installation, delivery: str, actor: str) -> None:
    """Take refused DELIVERY again, after what was wrong has been put right. It gets a new number."""
    taken = _in_intake(installation, lambda opened: retry(opened, delivery, actor=actor))
    if taken is None:
        raise Failure(f"There is no refused delivery {delivery} of a known kind.")
    people.print(f"Taken again as delivery {taken.sequence}: 'tandem status' shows how far it has come.")
