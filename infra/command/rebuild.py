"""``tandem rebuild``: a read model once more from the beginning of the log, beside the live one."""

import asyncio
import time
from dataclasses import asdict, dataclass

import click
from rich.progress import Progress, TaskID

from contracts.topics import Service
from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json, progress
from infra.command.services import CONSUMING, definition_of
from infra.command.status import read_all
from infra.local.installation import Installation
from services.runtime.database import connected
from services.runtime.rebuild import Difference, compare_schemas, replay_from_start
from services.runtime.settings import Settings, load_settings

_QUIET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``differences`` is none where no comparison was asked for."""

    service: str
    schema: str
    messages: int
    seconds: float
    differences: tuple[Difference, ...] | None


def _settings(installation: Installation) -> Settings:
    # The schema of the rebuild is made and dropped by the superuser: a service's own role may make none.
    return load_settings(
        database_url=installation.superuser_url(),
        brokers=installation.addresses().brokers,
        payload_key=installation.secrets.payload_key,
        previous_payload_key=installation.secrets.previous_payload_key,
    )


async def wait_until_quiet(installation: Installation, seconds: float = _QUIET_SECONDS) -> None:
    """Wait until nothing waits anywhere: only then do two read models stand at the same place.

    Raises:
        Failure: deliveries keep coming.
    """
    deadline = time.monotonic() + seconds
    while any(status.lag or status.outbox.depth for status in await read_all(installation)):
        if time.monotonic() > deadline:
            raise Failure("Deliveries are still being applied: compare when 'tandem status' shows nothing waiting.")
        await asyncio.sleep(0.5)


async def rebuild(
    installation: Installation, service: Service, bar: Progress, task: TaskID, *, compare: bool
) -> Rebuilt:
    """Rebuild one service's read model into a schema of its own."""
    definition, settings, started = definition_of(service), _settings(installation), time.monotonic()
    schema = f"{definition.schema}_rebuild"
    if compare:
        await wait_until_quiet(installation)
    messages = await replay_from_start(
        definition, settings, schema, progress=lambda done, total: bar.update(task, completed=done, total=total)
    )
    differences = None
    if compare:
        async with connected(settings.database_url, schema) as connection:
            differences = tuple(await compare_schemas(connection, definition.schema, schema))
    return Rebuilt(service, schema, messages, round(time.monotonic() - started, 1), differences)


def _show(rebuilt: Rebuilt) -> None:
    people.print(f"{rebuilt.messages:,} messages applied into schema {rebuilt.schema} in {rebuilt.seconds:.1f} s.")
    if rebuilt.differences is None:
        return
    if not rebuilt.differences:
        people.print("[green]Equal[/] to the live read model, row by row.")
    for difference in rebuilt.differences:
        people.print(
            f"[red]{difference.table}[/]: {difference.only_in_first} rows only in the live one, "
            f"{difference.only_in_second} only in the rebuilt one, for example {'; '.join(difference.examples)}"
        )


@click.command("rebuild")
@click.argument("service", metavar="SERVICE", type=click.Choice(CONSUMING))
@click.option("--compare", is_flag=True, help="Compare with the live read model, row by row; 1 if they differ.")
@folder_option
@json_option
@click.pass_context
def command(context: click.Context, service: Service, compare: bool, installation: Installation, as_json: bool) -> None:
    """Rebuild the read model of SERVICE (alignment, risk or cost-shift) from offset 0 into a second schema.

    The live one is not touched.
    """
    require_ready(installation)
    with progress() as bar:
        task = bar.add_task(f"rebuilding {service}", total=None)
        rebuilt = asyncio.run(rebuild(installation, service, bar, task, compare=compare))
    if as_json:
        equal = None if rebuilt.differences is None else not rebuilt.differences
        print_json(asdict(rebuilt) | {"equal": equal})
    else:
        _show(rebuilt)
    context.exit(bool(rebuilt.differences))
