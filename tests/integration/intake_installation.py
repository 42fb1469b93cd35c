"""An intake with a database of its own, without processes, and deliveries made by the simulator or by hand."""

import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.topics import EVENT_BY_TYPE, AnyEvent
from services.intake.deliveries import Delivery, Registration, find, next_waiting, register
from services.intake.pipeline import Pipeline
from services.intake.readers.records import record_length
from services.intake.sealing import IdentityKeys
from services.intake.worker import SERVICE
from services.runtime.database import Connection, apply_migrations, close, connect
from services.runtime.transactions import Probe, no_probe

KEYS = IdentityKeys(b"k" * 32, b"s" * 32)
RECEIVED_AT = datetime(2022, 2, 10, 6, tzinfo=UTC)
REPORT_HEADER = (
    "REPORT_MONTH,DCE_ID,BENE_MBI_ID,ALGNMT_EFCTV_DT,ALGNMT_TERM_DT,RMVL_RSN_CD,ALGNMT_TYPE_CD,PRFRMNC_YR,"
    "DATA_SHRNG_OPT_OUT_IND"
)


class Killed(Exception):  # noqa: N818 - what a test does to a process
    """Stands for kill -9 at a probe."""


@dataclass(slots=True)
class Installation:
    """Two connections and what one can ask of them."""

    writing: Connection
    reading: Connection

    def pipeline(self, probe: Probe = no_probe) -> Pipeline:
        return Pipeline(self.writing, self.reading, KEYS, "OH", synthetic_identifiers=True, probe=probe)

    async def take(self, path: Path) -> Registration:
        return await register(self.writing, path, RECEIVED_AT)

    async def work(self, probe: Probe = no_probe) -> None:
        while delivery := await next_waiting(self.writing):
            await self.pipeline(probe).process(delivery)

    async def delivered(self, path: Path) -> Delivery:
        """Take and process one file."""
        registration = await self.take(path)
        await self.work()
        found = await find(self.writing, registration.delivery_id)
        assert found is not None
        return found

    async def payloads(self) -> list[bytes]:
        return [row["payload"] for row in await self.writing.fetch("SELECT payload FROM runtime_outbox ORDER BY id")]

    async def events(self, event_type: str = "") -> list[AnyEvent]:
        found = (EVENT_BY_TYPE[json.loads(payload)["type"]].model_validate_json(payload) for payload in
                 await self.payloads())  # fmt: skip
        return [event for event in found if event_type in event.type]

    async def vault(self) -> list[tuple[Any, ...]]:
        """Which identifiers lead to whom."""
        rows = await self.writing.fetch("SELECT lookup, person_id FROM vault_identifier ORDER BY lookup")
        return [tuple(row) for row in rows]


@asynccontextmanager
async def installed(database_url: str, schema: str = "intake") -> AsyncIterator[Installation]:
    """An empty intake."""
    writing, reading = await connect(database_url, schema), await connect(database_url, schema)
    try:
        await apply_migrations(writing, schema, SERVICE.migrations)
        yield Installation(writing, reading)
    finally:
        await close(reading)
        await close(writing)


def killing_at(point: str, times_before: int = 0) -> Probe:
    """A probe that dies when it has passed the point so many times."""
    passes: Iterator[int] = iter(range(times_before + 1))

    def probe(reached: str) -> None:
        if reached == point and next(passes) == times_before:
            raise Killed(point)

    return probe


def report(folder: Path, *rows: str, month: str = "202202") -> Path:
    """An alignment report of ``MBI,first,last`` rows."""
    path = folder / f"ALIGNMENT_REPORT.D9001.{month}.D{month[2:]}10.csv"
    lines = [f"{month},D9001,{row},,CLAIMS,2022,N" for row in rows]
    path.write_text("\n".join((REPORT_HEADER, *lines, f"TRL,{len(lines)}")) + "\n", encoding="utf-8")
    return path


def cross_referenced(folder: Path, *changes: tuple[str, str]) -> Path:
    """A CCLF delivery of nothing but changes of MBI, current and previous."""
    archive = "P.D9001.ACO.ZCY22.D220310.T1000000"
    members: dict[str, list[str]] = {file: [] for file in ("CCLF1", "CCLF5", "CCLF8")}
    members["CCLF9"] = [f"M{current}{previous}2018-01-012021-12-31{' ' * 12}" for current, previous in changes]
    header = "File Number  |File Description    |Total Records Count |Record Length"
    control = [header, *(f"{file:<7}|{'':<43}|{len(rows):>11}|{record_length(file):>5} "
                         for file, rows in members.items())]  # fmt: skip
    path = folder / archive
    with zipfile.ZipFile(path, "w") as made:
        for file, rows in {**members, "CCLF0": control}.items():
            made.writestr(archive.replace("ZCY", f"ZC{file[-1]}Y"), "".join(f"{row}\n" for row in rows))
    return path
