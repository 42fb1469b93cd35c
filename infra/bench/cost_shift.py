"""``python -m infra.bench.cost_shift``: what a claim costs cost shift while its tables grow, and what a cut costs, part by part.

Messages are decoded, applied and committed as a worker does it, with position and arrivals, on a PostgreSQL that waits for the disk; only
the broker is left out. Claims are counted from empty tables; of each size the stretch before it is told. CPU is that of the worker's
process and of the whole database, because other work on the machine moves it less than time.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.bench.__main__ import machine
from infra.bench.cost_shift_claims import Grown, Spent, grown
from infra.bench.cost_shift_cut import MONTHS, PARTS, Cutting, cutting
from infra.bench.memory import peak_megabytes
from infra.local.postgresql import running_postgresql
from services.cost_shift.worker import SERVICE
from services.runtime.collecting import spare_collector
from services.runtime.database import Connection, apply_migrations, close, connect

_COUNTED = ("claim_contribution", "person_month_cost", "cell_delta")


async def fresh(url: str) -> Connection:
    """Cost shift's schema, empty."""
    connection = await connect(url, SERVICE.schema)
    await connection.execute(f"DROP SCHEMA IF EXISTS {SERVICE.schema} CASCADE")
    await apply_migrations(connection, SERVICE.schema, SERVICE.migrations)
    return connection


async def measured(url: str, sizes: Sequence[int], people: int) -> tuple[Grown | None, Cutting | None]:
    """Both parts, each from empty tables; what is asked for with nothing is left out."""
    counted = cut = None
    if sizes:
        connection = await fresh(url)
        counted = await grown(connection, sizes)
        await close(connection)
    if people:
        connection = await fresh(url)
        cut = await cutting(connection, people)
        await close(connection)
    return counted, cut


def growth_table(counted: Grown) -> Table:
    """What a claim costs at each size, and how many rows it touches."""
    title = f"Claims of {counted.people:,} people, {counted.stretch:,} before each size"
    table = Table("claims", "a second", "CPU of a claim, worker", "database", title=title)
    for size, spent in counted.before.items():
        table.add_row(f"{size:,}", f"{spent.count / spent.seconds:,.0f}", *_each(spent))
    first, *_, last = (counted.before[size] for size in sorted(counted.before))
    cpu = last.cpu_microseconds_each / first.cpu_microseconds_each
    table.add_row(
        "last / first",
        f"{last.seconds / last.count / (first.seconds / first.count):.2f} in time",
        f"{cpu:.2f} in CPU",
        "",
    )
    table.add_row("months decided", f"{counted.decided.count / counted.decided.seconds:,.0f}", *_each(counted.decided))
    for name in _COUNTED:
        table.add_row(f"rows touched of {name} for a claim", f"{counted.per_claim(name):.2f}", "", "")
    return table


def _each(spent: Spent) -> tuple[str, str]:
    return f"{spent.worker_cpu / spent.count * 1e6:.0f} µs", f"{spent.database_cpu / spent.count * 1e6:.0f} µs"


def cut_table(cut: Cutting) -> Table:
    """What the parts of a cut take."""
    title = f"A cut that closes month {MONTHS}: {cut.people:,} people, {cut.costs:,} costs, {cut.cells:,} cells"
    table = Table("part", "seconds", "CPU seconds", f"seconds, median of {len(cut.earlier)} cuts before", title=title)
    for part in PARTS:
        before = sorted(one.seconds[part] for one in cut.earlier if part in one.seconds)
        told = f"{before[len(before) // 2]:.2f}" if before else ""
        table.add_row(part, f"{cut.last.seconds[part]:.2f}", f"{cut.last.cpu[part]:.2f}", told)
    table.add_row(f"whole: {cut.events:,} figures told, {cut.signals} signals", f"{sum(cut.last.seconds.values()):.2f}", f"{sum(cut.last.cpu.values()):.2f}", "")  # fmt: skip
    return table


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, nargs="*", default=[200_000, 1_000_000], help="sizes of the tables")
    parser.add_argument("--people", type=int, default=20_000, help="people of the state that is cut; 0: no cut")
    given = parser.parse_args()
    spare_collector()
    console = Console(highlight=False)
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        Path(folder).chmod(0o711)
        with running_postgresql(Path(folder) / "postgresql", durable=True) as url:
            counted, cut = asyncio.run(measured(url, given.claims, given.people))
    if counted is not None:
        console.print(growth_table(counted))
    if cut is not None:
        console.print(cut_table(cut))
    console.print(f"peak memory of the process: {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
