"""Cost shift's work in counters of a real run: rows touched for a claim, whatever the machine. Seconds are not judged here."""

import asyncio
from typing import Any

import pytest

from infra.bench import cost_shift_claims as bench
from infra.bench.cost_shift import cut_table, fresh, growth_table
from infra.bench.cost_shift_claims import CLAIMS_A_QUARTER, QUARTERS, Spent, grown, started, touched
from infra.bench.cost_shift_cut import MONTHS, PARTS, cutting
from services.runtime.database import close

pytestmark = [pytest.mark.broker, pytest.mark.perf]

PEOPLE = 120
CLAIMS = PEOPLE * QUARTERS * CLAIMS_A_QUARTER


async def _sums(connection: Any) -> tuple[int, int]:
    row = await connection.fetchrow(
        "SELECT (SELECT sum(cents) FROM cell_delta), (SELECT sum(cents) FROM person_month_cost)"
    )
    return int(row[0]), int(row[1])


def test_a_claim_touches_few_rows(database_url: str) -> None:
    async def run() -> None:
        connection = await fresh(database_url)
        found = await grown(connection, [CLAIMS // 4, CLAIMS], batch=PEOPLE)
        assert (found.people, found.claims.count, found.decided.count) == (PEOPLE, CLAIMS, PEOPLE * 36)
        # One row keeps the claim and at most one what was used; it is never written again.
        assert found.per_claim("claim_contribution") <= 1.2
        assert found.touched["claim_contribution"][1:] == (0, 0)
        # What a person's claims of a month and category come to is one row, and so is what a cell's do.
        assert found.per_claim("person_month_cost") <= 0.95
        assert found.per_claim("cell_delta") <= 0.6
        assert found.touched["cell_delta"][2] == found.touched["person_month_cost"][2] == 0
        cells, costs = await _sums(connection)
        assert cells == costs != 0
        assert growth_table(found).row_count == 7
        await close(connection)

    asyncio.run(run())


def test_larger_batches_write_a_cell_less_often(database_url: str) -> None:
    async def run() -> tuple[float, float]:
        found = []
        for batch in (PEOPLE // 6, PEOPLE):
            connection = await fresh(database_url)
            found.append((await grown(connection, [CLAIMS], batch=batch)).per_claim("cell_delta"))
            await close(connection)
        return found[0], found[1]

    small, large = asyncio.run(run())
    assert large < 0.75 * small


def test_claims_that_come_again_touch_no_cell(database_url: str) -> None:
    async def run() -> None:
        connection = await fresh(database_url)
        worker, log = await started(connection), bench.Log(0, PEOPLE, PEOPLE)
        for _, batches in log.claims():
            await worker.apply(batches, Spent(), 0)
        first = await touched(connection)
        for _, batches in log.claims():
            await worker.apply(batches, Spent(), 0)
        again = await touched(connection)
        same = {name: again[name] == first[name] for name in ("claim_contribution", "person_month_cost", "cell_delta")}
        assert all(same.values()), same
        assert again["arrival"] != first["arrival"]
        await close(connection)

    asyncio.run(run())


def test_a_cut_is_taken_apart(database_url: str) -> None:
    async def run() -> None:
        connection = await fresh(database_url)
        cut = await cutting(connection, 120, counties=4, entities=1)
        assert set(cut.last.seconds) == set(PARTS)
        assert len(cut.earlier) == MONTHS - 1
        assert all(set(one.seconds) == set(PARTS) - {"signals"} for one in cut.earlier)
        assert cut.signals > 0
        published, released = [
            await connection.fetchval(f"SELECT sum(cents) FROM (SELECT DISTINCT ON ({_KEY}) * FROM {table} "
                                      f"ORDER BY {_KEY}, revision DESC) AS latest")
            for table in ("published_measure", "released_measure")
        ]  # fmt: skip
        cells = await connection.fetchval("SELECT sum(cents) FROM cell_delta WHERE sequence <= $1", MONTHS)
        assert published == cells
        assert 0 < released <= published
        assert cut_table(cut).row_count == 5
        await close(connection)

    asyncio.run(run())


_KEY = "state, entity, cohort, payer, category, month"
