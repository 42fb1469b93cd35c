"""Intake killed with kill -9 at every point of a delivery, one after the other: what it says is the same, for every kind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from runtime_tally import until

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

from fuzz_seeds import seeds

pytestmark = [pytest.mark.broker, pytest.mark.faults]

SEEDS = seeds(with_samples=False)
KINDS = (
    "cclf",
    "enrolment_834",
    "medicaid_claims",
    "explanation_of_benefit",
    "premium_payment_820",
    "alignment_report",
    "sharing_preferences",
    "state_eligibility",
)
ROOT = Path(__file__).parents[2]
PROCESS = Path(__file__).with_name("intake_process.py")
POINTS = ("staged, people not resolved", "people resolved", "chunk written", "completing")


@contextmanager
def started(database_url: str, schema: str, inbox: Path, *more: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, str(PROCESS), database_url, schema, str(inbox), *more]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "integration")))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": paths})
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


async def asked(database_url: str, schema: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": schema})
    try:
        return list(await connection.fetch(statement))
    except asyncpg.UndefinedTableError:
        return []
    finally:
        await connection.close()


async def is_done(database_url: str, schema: str) -> bool:
    rows = await asked(database_url, schema, "SELECT status FROM delivery")
    return bool(rows) and all(row["status"] == "completed" for row in rows)


async def everything(database_url: str, schema: str) -> dict[str, list[tuple[object, ...]]]:
    """What was said, in its order, who is who, what each delivery held and changed, and which lines were kept back."""
    statements = {
        "said": "SELECT topic, partition, key, payload FROM runtime_outbox ORDER BY id",
        "vault": "SELECT lookup, person_id FROM vault_identifier ORDER BY lookup",
        "deliveries": "SELECT delivery_id, sequence, status, records, claims, quarantined, events, people FROM delivery",
        "contents": "SELECT * FROM delivery_content ORDER BY what",
        "people": "SELECT * FROM delivered_person ORDER BY person_id, since",
        "lines": "SELECT number, file, line, field, reason, found, expected FROM quarantined_line ORDER BY number",
    }
    return {
        name: [tuple(row) for row in await asked(database_url, schema, statement)]
        for name, statement in statements.items()
    }


async def finish(database_url: str, schema: str, inbox: Path) -> dict[str, list[tuple[object, ...]]]:
    with started(database_url, schema, inbox):
        await until(lambda: is_done(database_url, schema), 60)
    return await everything(database_url, schema)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_delivery_that_is_killed_at_every_point_says_the_same(
    database_url: str, tmp_path: Path, kind: str
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    seed = SEEDS[kind][0]
    (inbox / seed.name).write_bytes(seed.content)
    undisturbed = await finish(database_url, "undisturbed", inbox)
    for point in POINTS:
        with started(database_url, "killed", inbox, "--die-at", point) as process:
            await until(lambda running=process: _ended_or_done(database_url, running), 60)
            if process.poll() is None:  # a delivery of a few events has not every point
                break
            assert process.returncode == -signal.SIGKILL
    assert point in POINTS[2:]
    assert await finish(database_url, "killed", inbox) == undisturbed
    assert undisturbed["said"]


async def _ended_or_done(database_url: str, process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is not None or await is_done(database_url, "killed")
