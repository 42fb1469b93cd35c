"""``tandem deliveries``: what was delivered, what it held, what could not be read, and what is to be decided."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

import click

from infra.command.deliveries_shown import show_deliveries, show_detail, show_lines, show_overview
from infra.command.delivering import require_ready
from infra.command.output import Decorated, Failure, folder_option, json_option, people, print_json
from infra.local.installation import Installation, schema_of
from services.intake import deliveries
from services.intake.changes import Change, people_changed
from services.intake.decisions import reject, release
from services.intake.deliveries import Delivery, find_named, retry
from services.intake.quarantine import quarantine_counts, quarantined_deliveries, quarantined_lines
from services.intake.shown import CountShown, DeliveryDetail, DeliveryShown, LineShown, detail_of
from services.runtime.database import Connection, connected

Result = TypeVar("Result")

_MOST_PEOPLE = 100_000


def _in_intake(installation: Installation, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
            return await work(connection)

    require_ready(installation)
    return asyncio.run(run())


async def _named(connection: Connection, name: str) -> Delivery:
    found = await find_named(connection, name)
    if found is None:
        raise Failure(f"There is no delivery {name}: 'tandem deliveries list' shows their numbers.")
    return found


def _limit_option(text: str) -> Callable[[Decorated], Decorated]:
    return click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help=text)


def _deciding_options(command: Decorated) -> Decorated:
    actor = click.option("--actor", default=getpass.getuser, show_default="you", help="Who decides it; recorded.")
    reason = click.option("--reason", required=True, help="Why; recorded. No names and numbers of people.")
    return actor(reason(command))


@click.group("deliveries")
def command() -> None:
    """What was delivered, what it held, and what is refused or held.

    DELIVERY is a number of the list, or the id.
    """


@command.command("list")
@folder_option
@click.option("--status", type=click.Choice(get_args(deliveries.Status)), help="Only these.")
@_limit_option("How many at most.")
@json_option
def list_deliveries(installation: Installation, status: str | None, limit: int, as_json: bool) -> None:
    """List deliveries, the newest first."""
    found = _in_intake(installation, lambda opened: deliveries.listed(opened, limit, status=status))
    shown = [DeliveryShown.model_validate(one) for one in found]
    print_json([one.model_dump(mode="json") for one in shown]) if as_json else show_deliveries(shown)


@command.command("show", short_help="What a delivery held, and what could not be read and why.")
@click.argument("delivery")
@folder_option
@click.option("--people", "change", type=click.Choice(get_args(Change)), help="List these people's pseudonyms instead.")
@json_option
def show(installation: Installation, delivery: str, change: Change | None, as_json: bool) -> None:
    """Tell what DELIVERY held, what could not be read and why, and what it changes against the last of its kind."""
    if change is not None:
        listed = _in_intake(installation, lambda opened: _people_of(opened, delivery, change))
        print_json(listed) if as_json else click.echo("\n".join(listed), nl=bool(listed))
        return
    detail = _in_intake(installation, lambda opened: _detail_of(opened, delivery))
    print_json(detail.model_dump(mode="json")) if as_json else show_detail(detail)


async def _people_of(connection: Connection, name: str, change: Change) -> list[str]:
    found = await _named(connection, name)
    return await people_changed(connection, found.sequence, change, _MOST_PEOPLE)


async def _detail_of(connection: Connection, name: str) -> DeliveryDetail:
    return await detail_of(connection, await _named(connection, name))


@command.command("quarantine", short_help="Lines that could not be read.")
@click.argument("delivery", required=False)
@folder_option
@_limit_option("Of each kind.")
@json_option
def list_quarantined(installation: Installation, delivery: str | None, limit: int, as_json: bool) -> None:
    """List the lines of DELIVERY that could not be read; without one, refused deliveries and the commonest faults."""
    if delivery is not None:
        lines = _in_intake(installation, lambda opened: _lines_of(opened, delivery, limit))
        print_json([line.model_dump(mode="json") for line in lines]) if as_json else show_lines(lines)
        return
    refused, counts = _in_intake(installation, lambda opened: _overview(opened, limit))
    if as_json:
        told = {"deliveries": [one.model_dump(mode="json") for one in refused]}
        print_json(told | {"lines": [count.model_dump(mode="json") for count in counts]})
    else:
        show_overview(refused, counts)


async def _lines_of(connection: Connection, name: str, limit: int) -> list[LineShown]:
    found = await _named(connection, name)
    return [LineShown.model_validate(line) for line in await quarantined_lines(connection, found.delivery_id, limit)]


async def _overview(connection: Connection, limit: int) -> tuple[list[DeliveryShown], list[CountShown]]:
    refused = [DeliveryShown.model_validate(one) for one in await quarantined_deliveries(connection, limit)]
    return refused, [CountShown.model_validate(count) for count in await quarantine_counts(connection, limit)]


@command.command("retry", short_help="Take a refused delivery again.")
@click.argument("delivery")
@folder_option
@click.option("--actor", default=getpass.getuser, show_default="you", help="Who decided it; recorded.")
def retry_refused(installation: Installation, delivery: str, actor: str) -> None:
    """Take refused DELIVERY again, after what was wrong has been put right. It gets a new number."""

    async def again(connection: Connection) -> deliveries.Registration | None:
        return await retry(connection, (await _named(connection, delivery)).delivery_id, actor=actor)

    taken = _in_intake(installation, again)
    if taken is None:
        raise Failure(f"Delivery {delivery} is not a refused one of a known kind.")
    people.print(f"Taken again as delivery {taken.sequence}: 'tandem status' shows how far it has come.")


@command.command("release")
@click.argument("delivery")
@folder_option
@_deciding_options
def release_held(installation: Installation, delivery: str, actor: str, reason: str) -> None:
    """Publish held DELIVERY after all. It gets a new number: what it says is known from now on."""

    async def decide(connection: Connection) -> deliveries.Registration | None:
        identity = (await _named(connection, delivery)).delivery_id
        return await release(connection, identity, actor=actor, reason=reason)

    taken = _in_intake(installation, decide)
    if taken is None:
        raise Failure(f"Delivery {delivery} is not held.")
    people.print(f"Released as delivery {taken.sequence}: 'tandem status' shows how far it has come.")


@command.command("reject")
@click.argument("delivery")
@folder_option
@_deciding_options
def reject_held(installation: Installation, delivery: str, actor: str, reason: str) -> None:
    """Refuse held DELIVERY: nothing of it is used."""

    async def decide(connection: Connection) -> bool:
        identity = (await _named(connection, delivery)).delivery_id
        return await reject(connection, identity, actor=actor, reason=reason)

    if not _in_intake(installation, decide):
        raise Failure(f"Delivery {delivery} is not held.")
    people.print(f"Rejected: 'tandem deliveries retry {delivery}' takes it up again.")
