"""``tandem status``: how far each service has come, and what waits."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from infra.command.delivering import require_ready
from infra.command.output import folder_option, json_option, print_json, results
from infra.command.services import definition_of
from infra.local.installation import SERVICES, Installation, schema_of
from services.runtime.database import connected
from services.runtime.log import reading
from services.runtime.status import ServiceStatus, read_status

_PATIENCE_SECONDS = 10.0


async def read_all(installation: Installation) -> list[ServiceStatus]:
    """Every service's status."""
    found = []
    async with reading([installation.addresses().brokers], _PATIENCE_SECONDS) as reader:
        for service in SERVICES:
            async with connected(installation.database_url(service), schema_of(service)) as connection:
                found.append(await read_status(connection, reader, definition_of(service)))
    return found


def _as_object(status: ServiceStatus) -> dict[str, Any]:
    summary = {"lag": status.lag, "lag_seconds": status.lag_seconds}
    return {**asdict(status), "dead_letters": dict(status.dead_letters), **summary}


def _age(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:,.0f} s"


def _show(found: Sequence[ServiceStatus]) -> None:
    table = Table(box=None)
    table.add_column("service")
    columns = ("delivery", "messages waiting", "for", "outbox", "for", "dead letters")
    for column in columns:
        table.add_column(column, justify="right")
    for status in found:
        table.add_row(
            status.service,
            f"{status.last_cut:,}" if status.partitions else "",
            f"{status.lag:,}" if status.partitions else "",
            _age(status.lag_seconds),
            f"{status.outbox.depth:,}",
            _age(status.outbox.age_seconds),
            ", ".join(f"{reason} {count:,}" for reason, count in status.dead_letters.items()) or "0",
        )
    results.print(table)


@click.command("status")
@folder_option
@json_option
def command(installation: Installation, as_json: bool) -> None:
    """How far each service has come, what waits, and dead letters by reason. Positions are in the JSON."""
    require_ready(installation)
    found = asyncio.run(read_all(installation))
    if as_json:
        print_json({"services": [_as_object(status) for status in found]})
    else:
        _show(found)
