"""What the service makes of simulated files equals what other code makes of them: every action, its day, its end, its day done."""

import csv
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from care_oracle import LAPSE, TESTS, Oracle

from infra.bench.care_run import CareRun, care_run, deliver_all, deliveries_of
from infra.simulator import simulate

pytestmark = pytest.mark.broker
LONG = 40
READ = ("ALIGNMENT_REPORT", "P.D", "PROVIDER_ROSTER")


def layouts() -> dict[str, dict[str, tuple[int, int]]]:
    found: dict[str, dict[str, tuple[int, int]]] = {}
    text = files("contracts.wire").joinpath("cclf_layouts.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["file"], {})[row["label"]] = (int(row["start"]), int(row["end"]))
    return found


Told = dict[tuple[str, str, str], tuple[date, str | None, date | None]]


async def told_by_the_service(run: CareRun, oracle: Oracle) -> Told:
    rows = await run.risk.fetch(
        "SELECT care_action.person_id, kind, occasion, raised_on, outcome, done_on "
        "FROM care_action LEFT JOIN care_closing USING (action_id) WHERE kind = ANY($1)",
        list(LAPSE),
    )
    names: dict[Any, str] = {}
    for number in oracle.people:
        for version in range(3):
            names[await run.person(f"1S{version:02d}{number}")] = number
    return {(names[row[0]], row[1], row[2]): tuple(row)[3:] for row in rows}  # type: ignore[misc]


def told_by_the_oracle(oracle: Oracle) -> Told:
    return {
        (number, kind, occasion): (raised, *person.ended.get((kind, occasion), (None, None)))
        for number, person in oracle.people.items()
        for (kind, occasion), raised in person.raised.items()
    }


# The last is long enough for screenings.
@pytest.mark.parametrize(
    ("people", "months", "seed"), [(15, 17, 0), (15, 17, 1), (15, 17, 2), (15, 17, 3), (12, 41, 4)]
)
async def test_actions_are_those_that_the_files_call_for(
    database_url: str, tmp_path: Path, people: int, months: int, seed: int
) -> None:
    simulate(tmp_path / "files", people=people, months=months, seed=seed, care=True)
    deliveries = [one for one in deliveries_of(tmp_path / "files") if one[0].name.startswith(READ)]
    oracle = Oracle(layouts())
    for path, _ in deliveries:
        oracle.deliver(path)
    async with care_run(database_url) as run:
        await deliver_all(run, deliveries)
        found = await told_by_the_service(run, oracle)
    expected = told_by_the_oracle(oracle)
    assert found == expected
    assert len(expected) > 5
    assert months < LONG or set(TESTS) <= {kind for _, kind, _ in expected}
