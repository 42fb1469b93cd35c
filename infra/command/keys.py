"""``tandem keys``: another payload key, and everything that was sealed under the one before sealed anew.

The pseudonym key is never changed: person ids are made with it, and under another one everybody would be somebody else,
in every service and on the log.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from rich.table import Table

from contracts.topics import Service
from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json, progress, results
from infra.command.services import CONSUMING
from infra.local.installation import Installation, schema_of
from services.intake import key_rotation
from services.intake.key_rotation import KeyMissing
from services.intake.sealing import IdentityKeys
from services.runtime import dead_letters
from services.runtime.database import Connection, connected
from services.runtime.dead_letters import Seal, SealBroken

Result = TypeVar("Result")
_LETTERS_A_BATCH = 100


def identity_keys(installation: Installation, *, newest_only: bool = False) -> IdentityKeys:
    """The installation's keys; with ``newest_only`` without the payload key before."""
    kept = installation.secrets
    payload = kept.payload_keys()
    return IdentityKeys(kept.pseudonym_key_bytes(), *(payload[:1] if newest_only else payload))


async def _in_service(
    installation: Installation, service: Service, work: Callable[[Connection], Awaitable[Result]]
) -> Result:
    async with connected(installation.database_url(service), schema_of(service)) as connection:
        return await work(connection)


@click.group("keys")
def command() -> None:
    """The key that seals identifiers, quarantined lines and dead letters. The key of person ids never changes."""


@command.command("rotate")
@folder_option
@json_option
def rotate(installation: Installation, as_json: bool) -> None:
    """Make another payload key, if none is being changed, and seal everything anew. Killed, it goes on when called again.

    Processes that run seal under the key that they were started with: start them again, call this again, then 'forget'.
    """
    require_ready(installation)
    if installation.secrets.previous_payload_key is None:
        installation.keep(installation.secrets.with_new_payload_key())
    try:
        resealed = asyncio.run(_resealed(installation))
    except (KeyMissing, SealBroken) as error:
        raise Failure(str(error)) from None
    _show("sealed anew", resealed, as_json=as_json)
    people.print("Start the processes again, then 'tandem keys rotate' and 'tandem keys forget'.")


async def _resealed(installation: Installation) -> dict[str, int]:
    keys, seal = identity_keys(installation), Seal(*installation.secrets.payload_keys())
    with progress() as bar:
        total = sum((await _otherwise(installation, keys, seal)).values())
        task = bar.add_task("sealing anew", total=total)

        def tell(done: int) -> None:
            bar.advance(task, done)

        found = await _in_service(installation, "intake", lambda opened: key_rotation.reseal(opened, keys, tell))
        for service in CONSUMING:
            found[f"dead letters of {service}"] = await _in_service(
                installation, service, lambda opened: _reseal_letters(opened, seal, tell)
            )
    return found


async def _reseal_letters(connection: Connection, seal: Seal, tell: Callable[[int], None]) -> int:
    done, after = 0, 0
    while True:
        count, after = await dead_letters.reseal(connection, seal, after=after, most=_LETTERS_A_BATCH)
        if not count:
            return done
        done += count
        tell(count)


async def _otherwise(installation: Installation, keys: IdentityKeys, seal: Seal) -> dict[str, int]:
    found = await _in_service(installation, "intake", lambda opened: key_rotation.sealed_otherwise(opened, keys))
    for service in CONSUMING:
        found[f"dead letters of {service}"] = await _in_service(
            installation, service, lambda opened: dead_letters.sealed_otherwise(opened, seal)
        )
    return found


@command.command("verify")
@folder_option
@json_option
def verify(installation: Installation, as_json: bool) -> None:
    """Open everything that intake keeps sealed with the newest key alone, and count it."""
    require_ready(installation)
    _show("opened", _verified(installation), as_json=as_json)


def _verified(installation: Installation) -> dict[str, int]:
    keys = identity_keys(installation, newest_only=True)

    async def run() -> dict[str, int]:
        with progress() as bar:
            task = bar.add_task("opening", total=None)
            return await _in_service(
                installation,
                "intake",
                lambda opened: key_rotation.verify(opened, keys, lambda done: bar.advance(task, done)),
            )

    try:
        return asyncio.run(run())
    except KeyMissing as error:
        raise Failure(f"{error}: call 'tandem keys rotate' first.") from None


@command.command("forget")
@folder_option
@json_option
def forget(installation: Installation, as_json: bool) -> None:
    """Forget the key before, once nothing is sealed under it and everything was opened with the newest."""
    require_ready(installation)
    if installation.secrets.previous_payload_key is None:
        raise Failure("There is no key to forget.")
    keys, seal = identity_keys(installation, newest_only=True), Seal(*installation.secrets.payload_keys()[:1])
    left = {name: count for name, count in asyncio.run(_otherwise(installation, keys, seal)).items() if count}
    if left:
        told = ", ".join(f"{count:,} of {name}" for name, count in left.items())
        raise Failure(f"Still sealed under another key: {told}. Start the processes again, then 'tandem keys rotate'.")
    opened = _verified(installation)
    installation.keep(installation.secrets.without_previous_payload_key())
    _show("opened", opened, as_json=as_json)
    people.print("The key before is forgotten. Start the processes again, so that they forget it too.")


def _show(done: str, counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json(counts)
        return
    table = Table("what", done, box=None)
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    results.print(table)
