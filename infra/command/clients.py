"""``tandem clients``: who may read from outside, with which keys. Every change is recorded with who made it."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import click
from joserfc.jwk import ECKey
from rich.table import Table

from contracts.topics import Service
from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json, results
from infra.local.installation import Installation, schema_of
from services.runtime.access import clients
from services.runtime.access.clients import ClientError, Grant
from services.runtime.access.principal import OPERATIONS, SCOPES, NoPrincipalError, Tenant
from services.runtime.database import Connection, connected

Result = TypeVar("Result")
_SERVICE: Service = "cost-shift"  # its schema holds the clients of the gateway for states


def _in_database(installation: Installation, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connected(installation.database_url(_SERVICE), schema_of(_SERVICE)) as connection:
            return await work(connection)

    require_ready(installation)
    try:
        return asyncio.run(run())
    except (ClientError, NoPrincipalError, ValueError) as error:
        raise Failure(f"{error}.") from None


_key_options = (
    click.option(
        "--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Public key: PEM or JSON Web Key."
    ),
    click.option(
        "--new-key",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Make a key pair, and write the private key into this file: for trying out.",
    ),
)


def _with_key(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_key_options):
        command = option(command)
    return command


def _public_key(key: Path | None, new_key: Path | None) -> str:
    if (key is None) == (new_key is None):
        raise Failure("One of --key and --new-key is needed.")
    if key is not None:
        return key.read_text(encoding="utf-8")
    assert new_key is not None  # noqa: S101 - the other one is not given
    made = ECKey.generate_key("P-384")
    try:
        descriptor = os.open(new_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(f"{new_key} is there already: a key is never written over.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(made.as_pem(private=True))
    return made.as_pem(private=False).decode()


@click.group("clients")
def command() -> None:
    """Who may read from outside: states, entities in them, and the operator's own programs."""


@command.command("add")
@click.argument("client")
@folder_option
@click.option("--state", help="See the rows of this state.")
@click.option("--entity", help="Of that state, see this entity's rows and the comparison people's alone.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="May be given more than once.")
@_with_key
@json_option
def add(
    client: str,
    installation: Installation,
    state: str | None,
    entity: str | None,
    scopes: tuple[str, ...],
    key: Path | None,
    new_key: Path | None,
    as_json: bool,
) -> None:
    """Register CLIENT with its public key. Its private key stays with it.

    Without --scope a client of a state may read figures and estimates. Without --state it is an operator's program: it sees
    everything through the operators' gateways where those ask for tokens, and nothing through the one for states.
    """
    tenant = None if state is None else _tenant(state, entity)
    if tenant is None and entity is not None:
        raise Failure("An entity is of a state: give --state as well.")
    usual = {OPERATIONS} if tenant is None else set(SCOPES) - {OPERATIONS}
    grant, public = Grant(tenant, frozenset(scopes or usual)), _public_key(key, new_key)
    kid = _in_database(installation, lambda one: clients.add(one, client, grant, public, getpass.getuser()))
    if as_json:
        print_json({"client_id": client, "key_id": kid, "scopes": sorted(grant.scopes)})
    else:
        people.print(f"{client} may read as {tenant or 'operator'} with the key {kid}.", soft_wrap=True)


def _tenant(state: str, entity: str | None) -> Tenant:
    try:
        return Tenant(state, entity)
    except NoPrincipalError as error:
        raise Failure(f"{error}.") from None


@command.command("rotate")
@click.argument("client")
@folder_option
@click.option(
    "--keep-hours",
    type=click.IntRange(0, 24 * 90),
    default=24,
    show_default=True,
    help="So long the old keys stay good.",
)
@_with_key
@json_option
def rotate(
    client: str, installation: Installation, keep_hours: int, key: Path | None, new_key: Path | None, as_json: bool
) -> None:
    """Give CLIENT another key. Those before it end later, so that it can change over."""
    public, until = _public_key(key, new_key), datetime.now(UTC) + timedelta(hours=keep_hours)
    kid = _in_database(installation, lambda one: clients.rotate(one, client, public, until, getpass.getuser()))
    if as_json:
        print_json({"client_id": client, "key_id": kid, "others_until": until.isoformat(timespec="seconds")})
    else:
        people.print(f"{client} has the key {kid}; others are good until {until:%Y-%m-%d %H:%M} UTC.", soft_wrap=True)


@command.command("revoke")
@click.argument("client")
@folder_option
def revoke(client: str, installation: Installation) -> None:
    """Shut CLIENT out for good, within a second. Its name is never used again."""
    _in_database(installation, lambda one: clients.revoke(one, client, getpass.getuser()))
    people.print(f"{client} is shut out.")


@command.command("list")
@folder_option
@json_option
def listed(installation: Installation, as_json: bool) -> None:
    """Everybody who was ever registered."""
    found = _in_database(installation, clients.clients)
    if as_json:
        print_json(clients.told(found))
        return
    table = Table("client", "sees", "scopes", "keys", "", box=None)
    for client in found:
        sees = str(client.tenant) if client.tenant else "everything"
        scopes, keys = " ".join(sorted(client.scopes)), "\n".join(client.key_ids)
        table.add_row(client.client_id, sees, scopes, keys, "shut out" if client.revoked else "")
    results.print(table)
