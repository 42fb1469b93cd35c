"""``tandem dead-letters``: messages that could not be applied, and what to do with them. Every action is recorded."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click
from rich.table import Table

from contracts.topics import Service
from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json, results
from infra.command.services import CONSUMING, definition_of
from infra.local.installation import Installation, schema_of
from services.runtime import dead_letters
from services.runtime.database import Connection, connected
from services.runtime.dead_letters import Seal, SealBroken
from services.runtime.replaying import ReplayRefused, replay

Result = TypeVar("Result")


def _in_database(
    installation: Installation, service: Service, work: Callable[[Connection], Awaitable[Result]]
) -> Result:
    async def run() -> Result:
        async with connected(installation.database_url(service), schema_of(service)) as connection:
            return await work(connection)

    return asyncio.run(run())


def listed(installation: Installation, service: Service, limit: int) -> list[dead_letters.Listed]:
    """Parked messages of a service, the oldest first."""
    return _in_database(
        installation, service, lambda connection: dead_letters.list_dead_letters(connection, limit=limit)
    )


def _as_object(service: Service, letter: dead_letters.Listed) -> dict[str, Any]:
    occurred = letter.occurred_at.isoformat() if letter.occurred_at else None
    return {"service": service, **asdict(letter), "occurred_at": occurred}


@click.group("dead-letters", invoke_without_command=True)
@folder_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Of each service.")
@json_option
@click.pass_context
def command(context: click.Context, installation: Installation, limit: int, as_json: bool) -> None:
    """List messages that could not be applied. Their content stays sealed; reason and place are shown."""
    context.obj = installation
    if context.invoked_subcommand is not None:
        return
    require_ready(installation)
    found = [(service, letter) for service in CONSUMING for letter in listed(installation, service, limit)]
    if as_json:
        print_json([_as_object(service, letter) for service, letter in found])
        return
    if not found:
        people.print("No dead letters.")
        return
    table = Table(box=None)
    for column in ("service", "id", "topic", "partition", "offset", "reason", "detail"):
        table.add_column(column)
    for service, letter in found:
        place = (letter.topic, str(letter.partition), str(letter.offset))
        table.add_row(service, str(letter.id), *place, letter.reason, letter.detail)
    results.print(table)


@command.command("drop", short_help="Give one up: its content is erased.")
@click.argument("service", metavar="SERVICE", type=click.Choice(CONSUMING))
@click.argument("identity", metavar="ID", type=int)
@click.option("--actor", default=getpass.getuser, show_default="you", help="Who decided it; recorded.")
@click.pass_obj
def drop(installation: Installation, service: Service, identity: int, actor: str) -> None:
    """Give dead letter ID of SERVICE up: its content is erased, the row and who decided it stay."""
    require_ready(installation)
    try:
        _in_database(installation, service, lambda connection: dead_letters.drop(connection, identity, actor=actor))
    except LookupError as error:
        raise Failure(str(error)) from None
    people.print(f"Dead letter {identity} of {service} dropped.")


@command.command("replay", short_help="Apply one again, after the cause was put right.")
@click.argument("service", metavar="SERVICE", type=click.Choice(CONSUMING))
@click.argument("identity", metavar="ID", type=int)
@click.option("--actor", default=getpass.getuser, show_default="you", help="Who decided it; recorded.")
@click.pass_obj
def replay_one(installation: Installation, service: Service, identity: int, actor: str) -> None:
    """Apply dead letter ID of SERVICE again, after what was wrong has been put right."""
    require_ready(installation)
    seal = Seal(*installation.secrets.payload_keys())
    definition = definition_of(service)
    try:
        _in_database(
            installation,
            service,
            lambda connection: replay(connection, definition, definition.schema, identity, seal, actor=actor),
        )
    except (LookupError, SealBroken) as error:
        raise Failure(str(error)) from None
    except ReplayRefused as refusal:
        raise Failure(f"It failed again, and stays parked: {refusal}") from None
    people.print(f"Dead letter {identity} of {service} replayed.")
