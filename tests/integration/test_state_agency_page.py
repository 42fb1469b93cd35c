"""The page for state agencies, followed word for word by a shell, then its Python and its notebook."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import access_world as access
import pytest
import pytest_asyncio
import states_world as world
from access_world import serving

from services.cost_shift.states.gateway import router
from services.runtime.access import clients
from services.runtime.access.clients import Grant
from services.runtime.access.principal import Tenant

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "state-agency.md").read_text()
OUTSIDE = PAGE.split("## Inside the organisation")[0]
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", OUTSIDE, re.DOTALL | re.MULTILINE)


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await world.prepare(database_url)
    for sequence in range(1, world.DELIVERIES + 1):
        await world.deliver(connection, sequence)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def address(owner: Any, database_url: str) -> AsyncIterator[str]:
    del owner
    settings = access.settings_of(await access.reading_url(database_url), world.SCHEMA)
    async with serving(world.SERVICE, router, settings) as url:
        yield url


def _script(address: str) -> str:
    """Every block for a shell, in order. Registering is the operators' part; the address is another one each time."""
    shell = [text for language, text in BLOCKS if language == "sh" and not text.startswith("tandem ")]
    return "set -euo pipefail\n" + "\n".join(shell).replace("STATES=http://127.0.0.1:8085", f"STATES={address}")


async def _run(program: list[str], folder: Path, address: str, text: str | None = None) -> str:
    environment = {**os.environ, "STATES": address, "CLIENT": "ohio-medicaid", "PYTHONPATH": str(ROOT)}

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            program, input=text, text=True, capture_output=True, cwd=folder, env=environment, check=False
        )

    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_page_can_be_followed_word_for_word(owner: Any, address: str, tmp_path: Path) -> None:
    keys, *rest = [text for language, text in BLOCKS if language == "sh"]
    assert "openssl genpkey" in keys
    await _run(["bash"], tmp_path, address, keys)
    public = (tmp_path / "ohio.pub.pem").read_text()
    grant = Grant(Tenant("OH"), frozenset({"measures.read", "effects.read"}))
    await clients.add(owner, "ohio-medicaid", grant, public, "somebody")
    said = await _run(["bash"], tmp_path, address, _script(address).replace(keys, ""))
    assert len(rest) > 8
    assert '"entity_id":"D9001"' in said
    assert "}304\n" in said
    assert "event: change" in said
    assert (tmp_path / "measures.parquet").read_bytes().startswith(b"PAR1")
    # The last of all that is asked; every other answer but that of too few counties is one.
    assert len(re.findall(r'"status":[45]\d\d', said)) == said.count("counties, and") == 1

    (program,) = [text for language, text in BLOCKS if language == "python"]
    for _ in range(2):
        await _run([sys.executable, "-c", program], tmp_path, address)
    kept = sqlite3.connect(tmp_path / "ohio.db").execute("SELECT count(*) FROM figure").fetchone()
    assert kept == (await owner.fetchval("SELECT count(*) FROM released_measure WHERE state = 'OH'"),)

    notebook = json.loads((ROOT / "docs" / "state-agency.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"] == [[]] * len(cells)
    told = await _run([sys.executable, "-c", "\n".join(cells)], tmp_path, address)
    assert f"{len(world.MONTHS)} months" in told
    lines = ET.parse(tmp_path / "picture.svg").getroot().findall("{http://www.w3.org/2000/svg}polyline")  # noqa: S314 - ours
    assert [len(line.attrib["points"].split()) for line in lines] == [len(world.MONTHS)] * 2
