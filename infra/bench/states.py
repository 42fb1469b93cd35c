"""``python -m infra.bench.states``: polls that change nothing, the feed under 200 pollers, a year of a state's measures.

Each beside an honest rival in the same run: a route of FastAPI that does nothing, the same feed when idle, DuckDB over Parquet.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
from rich.console import Console
from rich.table import Table

from infra.bench.__main__ import machine
from infra.bench.processor_time import cpu_seconds_of
from infra.bench.states_world import (
    REVISIONS,
    bare_server,
    flowing_claims,
    prepare,
    publish,
    states_server,
    token_of,
)
from infra.local.postgresql import running_postgresql
from services.cost_shift.states.reading import PeopleQuery, figures
from services.runtime.access.principal import Tenant
from services.runtime.access.tenancy import enter_tenant

_CONNECTIONS = 32
_DIMENSIONS = ("state", "entity", "cohort", "payer", "category", "month")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ours, the rival's, and their ratio, where more than 1 is better for us."""

    what: str
    ours: str
    rival: str
    ratio: float


async def _exchange(port: int, request: bytes, deadline: float) -> tuple[int, set[bytes]]:
    """Ask the same over one connection until the deadline; how often it was answered, and with which statuses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count, statuses = 0, set()
    while time.monotonic() < deadline:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        statuses.add(head[9:12])
        count += 1
    writer.close()
    return count, statuses


async def _rate(port: int, request: bytes, seconds: float) -> float:
    deadline = time.monotonic() + seconds
    found = await asyncio.gather(*(_exchange(port, request, deadline) for _ in range(_CONNECTIONS)))
    statuses = set().union(*(statuses for _, statuses in found))
    if statuses != {b"304"}:
        raise AssertionError(f"not only 304: {statuses}")
    return sum(count for count, _ in found) / seconds


def _request(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(port: int, request: bytes) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    whole = await reader.read()
    writer.close()
    head, _, body = whole.partition(b"\r\n\r\n")
    return head, body


@dataclass(slots=True)
class Polled:
    """Answers a second, round by round, and CPU of the server's process for one."""

    port: int
    process: int
    rates: list[float] = field(default_factory=list)
    microseconds: list[float] = field(default_factory=list)

    async def round(self, request: bytes, seconds: float) -> None:
        """Poll for so long."""
        before = cpu_seconds_of(self.process)
        self.rates.append(await _rate(self.port, request, seconds))
        self.microseconds.append((cpu_seconds_of(self.process) - before) / (self.rates[-1] * seconds) * 1e6)


async def polls(reading_url: str, seconds: float, rounds: int) -> list[Row]:
    """304 a second: token, limit, record of the read and all, against a route that answers 304 and nothing else."""
    path = "/v1/measures?payer=medicaid&cohort=aligned"
    with states_server(reading_url) as (port, settings, process), bare_server() as bare:
        headers = {"Authorization": f"Bearer {token_of(settings, time.time())}"}
        head, _ = await _answer(port, _request(path, **headers))
        tag = next(line for line in head.decode().split("\r\n") if line.lower().startswith("etag:")).split(": ")[1]
        asked = _request(path, **headers, **{"If-None-Match": tag})
        ours, theirs = Polled(port, process), Polled(*bare)
        for _ in range(rounds):
            await ours.round(asked, seconds)
            await theirs.round(_request("/"), seconds)
    rates = statistics.median(ours.rates), statistics.median(theirs.rates)
    cpu = statistics.median(ours.microseconds), statistics.median(theirs.microseconds)
    return [
        Row(
            "304 a second, one process",
            f"{rates[0]:,.0f}",
            f"{rates[1]:,.0f} (a route that does nothing)",
            rates[0] / rates[1],
        ),
        Row("CPU of a 304, of the gateway's process", f"{cpu[0]:,.0f} µs", f"{cpu[1]:,.0f} µs", cpu[1] / cpu[0]),
    ]


async def _poller(port: int, headers: dict[str, str], seen: dict[int, list[float]], last: int) -> None:
    """Wait for each revision with a long poll, and note when it was seen."""
    cursor = ""
    while True:
        _, body = await _answer(port, _request(f"/v1/changes?limit=100&start=latest&wait=30{cursor}", **headers))
        now = time.monotonic()
        text = body.decode()
        cursor = "&cursor=" + text.split('"next_cursor":"')[1].split('"')[0]
        changed = [int(part.split(",")[0]) for part in text.split('"revision":')[2:]]
        for revision in set(changed):
            seen[revision].append(now)
        if changed and max(changed) >= last:
            return


async def _delays(url: str, port: int, headers: dict[str, str], pollers: int, revisions: range) -> list[float]:
    """Seconds from the commit of each revision until each poller has it."""
    seen: dict[int, list[float]] = {revision: [] for revision in revisions}
    waiting = [asyncio.create_task(_poller(port, headers, seen, revisions[-1])) for _ in range(pollers)]
    await asyncio.sleep(3)  # all of them wait by now; nothing is measured before
    connection = await asyncpg.connect(url, server_settings={"search_path": "cost_shift"})
    committed = {}
    for revision in seen:
        await publish(connection, revision)
        committed[revision] = time.monotonic()
        await asyncio.sleep(1.5)
    await asyncio.wait_for(asyncio.gather(*waiting), 60)
    await connection.close()
    return [moment - committed[revision] for revision, moments in seen.items() for moment in moments]


def _high(values: Sequence[float]) -> float:
    return sorted(values)[max(0, round(0.99 * len(values)) - 1)]


async def feed(url: str, reading_url: str, revisions: int) -> list[Row]:
    """How long after the commit the slowest hundredth of 200 long polls has a revision, against one poller alone.

    And the same while a worker applies claims to the same database without a pause.
    """
    with states_server(reading_url) as (port, settings, _):
        headers = {"Authorization": f"Bearer {token_of(settings, time.time())}"}
        first = REVISIONS + 1
        turns = [range(first + number * revisions, first + (number + 1) * revisions) for number in range(3)]
        alone = await _delays(url, port, headers, 1, turns[0])
        idle = await _delays(url, port, headers, 200, turns[1])
        with flowing_claims(url):
            flowing = await _delays(url, port, headers, 200, turns[2])
    return [
        Row(
            "publication delay, p99 of 200 pollers",
            _told(idle),
            f"{_told(alone)} (one poller)",
            _high(alone) / _high(idle),
        ),
        Row("the same while claims flow", _told(flowing), f"{_told(idle)} (idle)", _high(idle) / _high(flowing)),
    ]


def _told(delays: Sequence[float]) -> str:
    return f"{_high(delays) * 1000:,.0f} ms (median {statistics.median(delays) * 1000:,.0f})"


_SAME = """
    SELECT state, entity, cohort, payer, category, month, sum(cents), sum(claims), sum(crossover_cents), sum(crossover_claims)
    FROM (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY state, entity, cohort, payer, category, month
        ORDER BY revision DESC) AS place FROM read_parquet($file) WHERE revision <= 45 AND month BETWEEN '2022-01' AND '2022-12')
        WHERE place = 1)
    GROUP BY ALL ORDER BY ALL
"""


async def year(reading_url: str, rounds: int) -> Row:
    """A year of all figures as of a revision, from PostgreSQL under row-level security, against DuckDB over a Parquet file."""
    connection: Any = await asyncpg.connect(reading_url, server_settings={"search_path": "cost_shift"})
    people = PeopleQuery(45, first_month="2022-01", last_month="2022-12")
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as duck:
        file = Path(folder) / "figures.parquet"
        async with connection.transaction(readonly=True):
            await enter_tenant(connection, Tenant("OH"))
            rows = await connection.fetch("SELECT * FROM released_measure")
            _write_parquet(duck, rows, file)
            ours, theirs = [], []
            for _ in range(rounds):
                started = time.perf_counter()
                found = await figures(connection, people, None, None, _DIMENSIONS, 1_000_000, 0)
                ours.append(time.perf_counter() - started)
                started = time.perf_counter()
                same = duck.execute(_SAME, {"file": str(file)}).fetchall()
                theirs.append(time.perf_counter() - started)
    await connection.close()
    if [(*one.key, one.cents, one.claims) for one in found] != [tuple(row[:8]) for row in same]:
        raise AssertionError("both must say the same")
    mine, rival = min(ours), min(theirs)
    return Row(
        f"a year of a state's measures ({len(found):,} figures of {len(rows):,} rows)",
        f"{mine * 1000:.1f} ms",
        f"{rival * 1000:.1f} ms (DuckDB over Parquet)",
        rival / mine,
    )


def _write_parquet(duck: duckdb.DuckDBPyConnection, rows: Sequence[Any], file: Path) -> None:
    columns = "state VARCHAR, entity VARCHAR, cohort VARCHAR, payer VARCHAR, category VARCHAR, month VARCHAR"
    duck.execute(
        f"CREATE TABLE figure ({columns}, revision BIGINT, cents BIGINT, claims BIGINT, crossover_cents BIGINT, crossover_claims BIGINT)"
    )
    text = file.with_suffix(".csv")
    text.write_text("\n".join(",".join(str(value) for value in tuple(row)[:11]) for row in rows))
    duck.execute(
        "INSERT INTO figure SELECT * FROM read_csv($file, header = false, nullstr = '\x01', all_varchar = true)",
        {"file": str(text)},
    )
    duck.execute(f"COPY figure TO '{file}' (FORMAT parquet)")


async def measure(url: str, *, quick: bool) -> list[Row]:
    """All three, one after the other."""
    reading_url = await prepare(url)
    return [
        *await polls(reading_url, 1.0 if quick else 4.0, 1 if quick else 3),
        *await feed(url, reading_url, 2 if quick else 8),
        await year(reading_url, 3 if quick else 15),
    ]


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once, and short")
    quick = parser.parse_args().quick
    console = Console()
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        Path(folder).chmod(0o711)
        with running_postgresql(Path(folder) / "postgresql", durable=True) as url:
            rows = asyncio.run(measure(url, quick=quick))
    table = Table("", "Tandem", "rival", "ratio", title="The states' gateway (ratio: more than 1 is better)")
    for row in rows:
        table.add_row(row.what, row.ours, row.rival, f"{row.ratio:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
