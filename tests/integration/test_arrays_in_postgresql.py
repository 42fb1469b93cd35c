"""Columns as texts, read by PostgreSQL itself: every type that rows have comes out as it went in."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from services.runtime.arrays import Value, array_texts, unnested

pytestmark = pytest.mark.broker
TYPES = "text bigint boolean date timestamptz uuid numeric smallint"
ROWS: list[tuple[Value, ...]] = [
    (
        "plain",
        1,
        True,
        date(2022, 3, 1),
        datetime(2022, 3, 1, 4, 5, 6, 7, tzinfo=UTC),
        UUID(int=7),
        Decimal("1.250"),
        1,
    ),
    ('a "b" \\ c, {d} NULL', 2**62, False, date(1900, 1, 2), None, UUID(int=8), Decimal(-3), 2),
    ("", -5, False, date(2099, 12, 31), None, UUID(int=9), Decimal("0.001"), 3),
    (None, None, None, None, None, None, None, None),
    ("\u00e9\u4e2d\U0001f600\n\t", 0, None, None, None, None, None, 4),
]


async def test_rows_come_out_as_they_went_in(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for rows in (ROWS, ROWS[:3]):
            found = await connection.fetch(f"SELECT * FROM {unnested(TYPES)}", *array_texts(rows))
            assert [tuple(row) for row in found] == rows
    finally:
        await connection.close()
