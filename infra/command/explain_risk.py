"""``tandem explain-risk``: why a person has the scores and the tier that they have, in plain words."""

import asyncio

import click

from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, print_json, results
from infra.local.installation import Installation, schema_of
from services.risk.explaining import explanation
from services.runtime.database import connected

_NOW = 2**62


async def _explained(installation: Installation, person: str, sequence: int) -> list[str] | None:
    async with connected(installation.database_url("risk"), schema_of("risk")) as connection:
        return await explanation(connection, person, sequence)


@click.command("explain-risk")
@click.argument("person")
@click.option("--as-of", type=click.IntRange(1), help="Number of a delivery: as known once it had been applied.")
@folder_option
@json_option
def command(installation: Installation, person: str, as_of: int | None, as_json: bool) -> None:
    """Explain the scores, the tier and the outlook of PERSON, a pseudonym as 'tandem people show' prints it."""
    require_ready(installation)
    lines = asyncio.run(_explained(installation, person, as_of or _NOW))
    if lines is None:
        when = "" if as_of is None else f" as of delivery {as_of}"
        raise Failure(f"Nobody by that pseudonym has a score{when}. 'tandem people show' tells who is known.")
    if as_json:
        print_json({"person_id": person, "as_of": as_of, "lines": lines})
        return
    for line in lines:
        results.print(line, markup=False, soft_wrap=True)
