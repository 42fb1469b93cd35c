"""Hands files to intake and watches them go through every service."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from contracts.topics import Service
from infra.command.output import Failure
from infra.command.services import CONSUMING
from infra.local.installation import Installation, schema_of
from services.intake import deliveries
from services.intake.deliveries import Registration
from services.intake.inbox import deliverable_files
from services.runtime.database import Connection, connected

LOOK_EVERY_SECONDS = 0.2
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Handed:
    """A file and what intake made of it at the door."""

    name: str
    registration: Registration


@dataclass(frozen=True, slots=True)
class Reading:
    """The delivery that intake is reading, as far as its reader tells."""

    sequence: int
    name: str
    read_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the deliveries up to ``last`` have come: the newest cut of each service, and what is being read."""

    cuts: dict[Service, int]
    reading: Reading | None = None

    def published(self, sequence: int) -> bool:
        """Whether every service has said what it says of a delivery."""
        return all(cut >= sequence for cut in self.cuts.values())

    @property
    def slowest(self) -> int:
        """The newest delivery that all services have applied."""
        return min(self.cuts.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one file in the end."""

    name: str
    delivery_id: str
    sequence: int
    status: str
    repeated: bool
    reason: str | None
    records: int
    claims: int
    quarantined: int
    events: int


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Every file named, and of folders everything inside, in the order of their paths.

    Raises:
        Failure: there is no file at all.
    """
    found = [file for path in paths for file in deliverable_files(path)]
    if not found:
        raise Failure("There is no file to deliver.", exit_code=2)
    return found


async def _register(connection: Connection, path: Path) -> Handed:
    return Handed(path.name, await deliveries.register(connection, path, datetime.now(UTC)))


async def _keep_copy(connection: Connection, installation: Installation, path: Path) -> Handed:
    """Register a copy of our own: the file must be there when intake comes to read it."""
    folder = installation.delivered / uuid4().hex
    folder.mkdir(parents=True)
    copy = folder / path.name
    await asyncio.to_thread(shutil.copyfile, path, copy)
    handed = await _register(connection, copy)
    if handed.registration.known:
        shutil.rmtree(folder)
    return handed


async def hand_over(installation: Installation, paths: Sequence[Path], *, keep_copies: bool = True) -> list[Handed]:
    """Number the files in the order given; the same content a second time is only recognised."""
    async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
        if keep_copies:
            return [await _keep_copy(connection, installation, path) for path in paths]
        return [await _register(connection, path) for path in paths]


_READING = """
    SELECT sequence, name, read_bytes, total_bytes FROM delivery
    WHERE status = 'registered' AND total_bytes > 0 ORDER BY sequence LIMIT 1
"""
_CUT = "SELECT coalesce(max(sequence), 0) FROM runtime_cut"


async def progress_of(installation: Installation) -> Progress:
    """The newest cut of every service that applies deliveries."""
    cuts = {}
    for service in CONSUMING:
        async with connected(installation.database_url(service), schema_of(service)) as connection:
            cuts[service] = await connection.fetchval(_CUT)
    async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
        row = await connection.fetchrow(_READING)
    return Progress(cuts, Reading(**dict(row)) if row else None)


def wait_until_published(
    installation: Installation, sequence: int, *, tend: Callable[[], None], tell: Callable[[Progress], None]
) -> Progress:
    """Wait until every service has cut a delivery. ``tend`` and ``tell`` are called at each look.

    Raises whatever ``tend`` raises: it is where a process that keeps failing is noticed.
    """
    while True:
        tend()
        progress = asyncio.run(progress_of(installation))
        tell(progress)
        if progress.published(sequence):
            return progress
        time.sleep(LOOK_EVERY_SECONDS)


def wait_until_ready(installation: Installation, *, tend: Callable[[], None]) -> None:
    """Wait until every service has made its tables.

    Raises:
        Failure: not in time.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while not asyncio.run(_has_tables(installation)):
        tend()
        if time.monotonic() > deadline:
            raise Failure(f"The services are not ready after {_READY_SECONDS:.0f} s: look into {installation.logs}.")
        time.sleep(LOOK_EVERY_SECONDS)


def require_ready(installation: Installation) -> None:
    """Make sure that there is something to ask.

    Raises:
        StartError: it does not run.
        Failure: it is still starting.
    """
    installation.addresses()
    if not asyncio.run(_has_tables(installation)):
        raise Failure("Tandem is still starting: try again in a few seconds.")


async def _has_tables(installation: Installation) -> bool:
    tables = {"intake": "delivery"} | dict.fromkeys(CONSUMING, "runtime_cut")
    for service in ("intake", *CONSUMING):
        async with connected(installation.database_url(service), schema_of(service)) as connection:
            if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", tables[service]):
                return False
    return True


async def outcomes(installation: Installation, handed: Sequence[Handed]) -> list[Outcome]:
    """What has become of the files, in their order."""
    async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
        return [await _outcome(connection, one) for one in handed]


async def _outcome(connection: Connection, handed: Handed) -> Outcome:
    delivery = await deliveries.find(connection, handed.registration.delivery_id)
    if delivery is None:
        raise Failure(f"Delivery {handed.registration.delivery_id} is gone from intake's database.")
    reason = f"{delivery.reason_code}: {delivery.reason_detail}" if delivery.reason_code else None
    return Outcome(
        handed.name,
        delivery.delivery_id,
        delivery.sequence,
        delivery.status,
        handed.registration.known,
        reason,
        delivery.records,
        delivery.claims,
        delivery.quarantined,
        delivery.events,
    )
