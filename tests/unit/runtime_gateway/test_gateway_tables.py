"""Rows as CSV and Parquet: what is read back from them is what the JSON says."""

import csv
import io
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from services.runtime.tabular import columns_of, csv_of, parquet_of, table_response


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    numerator: int
    shown: str


class Row(BaseModel):
    name: str | None
    colour: Colour
    kind: Literal["a", "b"]
    count: Annotated[int, Field(description="how many")]
    share: float | None
    held: bool
    day: date
    moment: datetime
    ratio: Inner | None
    causes: list[str]


COLUMNS = {
    "name": "VARCHAR",
    "colour": "VARCHAR",
    "kind": "VARCHAR",
    "count": "BIGINT",
    "share": "DOUBLE",
    "held": "BOOLEAN",
    "day": "DATE",
    "moment": "TIMESTAMPTZ",
    "ratio_numerator": "BIGINT",
    "ratio_shown": "VARCHAR",
    "causes": "VARCHAR",
}

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1, max_size=12)
ROWS = st.builds(
    Row,
    name=st.none() | TEXT,
    colour=st.just(Colour.RED),
    kind=st.sampled_from(["a", "b"]),
    count=st.integers(-(2**62), 2**62),
    share=st.none() | st.floats(-1e9, 1e9, allow_subnormal=False),
    held=st.booleans(),
    day=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ratio=st.none() | st.builds(Inner, numerator=st.integers(-(2**40), 2**40), shown=TEXT),
    causes=st.lists(st.sampled_from(["claims", "alignment"]), max_size=2),
)


def read_parquet(content: bytes, folder: Path) -> list[dict[str, Any]]:
    path = folder / "table.parquet"
    path.write_bytes(content)
    with duckdb.connect() as connection:
        found = connection.execute("SET TimeZone = 'UTC'; SELECT * FROM read_parquet($path)", {"path": str(path)})
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def expected(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "colour": row.colour.value,
        "kind": row.kind,
        "count": row.count,
        "share": row.share,
        "held": row.held,
        "day": row.day,
        "moment": row.moment,
        "ratio_numerator": row.ratio and row.ratio.numerator,
        "ratio_shown": row.ratio and row.ratio.shown,
        "causes": ";".join(row.causes) or None,
    }


def test_columns_are_those_of_the_model() -> None:
    assert columns_of(Row) == COLUMNS


# Each example writes and reads a file.
@settings(deadline=None, max_examples=30)
@given(rows=st.lists(ROWS, max_size=5))
def test_parquet_holds_what_the_rows_hold(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("parquet")
    found = read_parquet(parquet_of(rows, Row), folder)
    assert [{**row, "moment": row["moment"].astimezone(UTC)} for row in found] == [expected(row) for row in rows]


@given(st.lists(ROWS, max_size=5))
def test_csv_holds_what_the_rows_hold(rows: list[Row]) -> None:
    found = list(csv.DictReader(io.StringIO(csv_of(rows, Row).decode(), newline="")))
    assert [(row["name"], row["count"], row["causes"]) for row in found] == [
        (row.name or "", str(row.count), ";".join(row.causes)) for row in rows
    ]
    assert [float(row["share"]) if row["share"] else None for row in found] == [row.share for row in rows]


def test_no_rows_are_a_table_with_columns(tmp_path: Path) -> None:
    assert csv_of([], Row).decode() == ",".join(COLUMNS) + "\r\n"
    assert read_parquet(parquet_of([], Row), tmp_path) == []


def test_columns_that_are_not_asked_for_are_left_out(tmp_path: Path) -> None:
    row = Row(
        name="x", colour=Colour.RED, kind="a", count=1, share=None, held=True, day=date(2022, 1, 1),
        moment=datetime(2022, 1, 1, tzinfo=UTC), ratio=None, causes=[],
    )  # fmt: skip
    left_out = frozenset(COLUMNS) - {"name", "count"}
    assert csv_of([row], Row, left_out) == b"name,count\r\nx,1\r\n"
    assert read_parquet(parquet_of([row], Row, left_out), tmp_path) == [{"name": "x", "count": 1}]


@pytest.mark.parametrize(("form", "media"), [("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")])
def test_a_table_is_a_file_with_a_name_and_keeps_the_headers(form: Literal["csv", "parquet"], media: str) -> None:
    answer = table_response([], Row, form, name="measures-7", headers={"ETag": '"x"'})
    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["content-disposition"] == f'attachment; filename="measures-7.{form}"'
    assert answer.headers["etag"] == '"x"'
