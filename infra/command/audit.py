"""``tandem audit``: the record of every read through a protected gateway, in a chain that shows tampering."""

import asyncio

import click

from contracts.topics import Service
from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json
from infra.local.installation import SERVICES, Installation, schema_of
from services.runtime.access import audit
from services.runtime.access.audit import Finding, Head
from services.runtime.database import connected

service_option = click.option(
    "--service",
    type=click.Choice(SERVICES),
    default="cost-shift",
    show_default=True,
    help="Whose gateway was read from.",
)


def _anchor(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Head]:
    try:
        parts = [value.split(":") for value in values]
        return [Head(int(number), bytes.fromhex(digest)) for number, digest in parts]
    except ValueError:
        raise click.BadParameter("an end is noted as NUMBER:DIGEST, as 'tandem audit head' prints it") from None


@click.group("audit")
def command() -> None:
    """Who read what, when and with what outcome. Values are never in it."""


@command.command("head")
@folder_option
@service_option
def head(installation: Installation, service: Service) -> None:
    """Print where the record ends, as NUMBER:DIGEST. Keep it where whoever owns the database cannot change it."""

    async def run() -> Head:
        async with connected(installation.database_url(service), schema_of(service)) as connection:
            return await audit.head_of(connection)

    require_ready(installation)
    found = asyncio.run(run())
    click.echo(f"{found.number}:{found.digest.hex()}")


@command.command("verify")
@folder_option
@service_option
@click.option(
    "--noted",
    multiple=True,
    callback=_anchor,
    metavar="NUMBER:DIGEST",
    help="An end that was printed earlier; more than once.",
)
@json_option
def verify(installation: Installation, service: Service, noted: list[Head], as_json: bool) -> None:
    """Compute the whole chain again. Ends with 1 at the first row that is not as it was written, or is missing."""

    async def run() -> tuple[Head, Finding | None]:
        async with connected(installation.database_url(service), schema_of(service)) as connection:
            return await audit.verify(connection, noted)

    require_ready(installation)
    end, finding = asyncio.run(run())
    if as_json:
        fault = finding and {"number": finding.number, "fault": finding.fault}
        print_json({"reads": end.number, "digest": end.digest.hex(), "finding": fault})
    if finding is not None:
        raise Failure(f"Read {finding.number}: {finding.fault}.")
    if not as_json:
        people.print(
            f"{end.number:,} reads, each as it was written. The record ends with {end.number}:{end.digest.hex()}"
        )
