"""Answers as tables: the rows of a JSON answer as CSV or Parquet, with the same names.

A model within a row becomes columns ``outer_inner``, a list one text with semicolons. Null is an empty CSV field, and an
empty text is null in Parquet.
"""

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import duckdb
from fastapi.responses import Response
from pydantic import BaseModel

Format = Literal["json", "csv", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}
_COLUMN_TYPES: dict[type, str] = {
    bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR", date: "DATE", datetime: "TIMESTAMPTZ",
}  # fmt: skip
_LIST_MARK = ";"


def columns_of(model: type[BaseModel]) -> dict[str, str]:
    """Names and DuckDB types of a row's columns, in the order of the fields."""
    columns: dict[str, str] = {}
    for name, field in model.model_fields.items():
        plain = _plain(field.annotation)
        if issubclass(plain, BaseModel):
            columns |= {f"{name}_{inner}": kind for inner, kind in columns_of(plain).items()}
        else:
            columns[name] = _COLUMN_TYPES.get(plain, "VARCHAR")
    return columns


def _plain(annotation: Any) -> type:  # noqa: ANN401 - whatever stands at a field
    """The one type that a field has beside None. A list, and what is no class, is shown as text."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _plain(next(one for one in get_args(annotation) if one is not NoneType))
    if not isinstance(annotation, type) or issubclass(annotation, Enum):
        return str
    return annotation


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}_")
        else:
            flat[prefix + name] = _LIST_MARK.join(map(str, value)) if isinstance(value, list) else value
    return flat


def csv_of(rows: Sequence[BaseModel], model: type[BaseModel], without: frozenset[str] = frozenset()) -> bytes:
    """RFC 4180 with a header row. ``without`` names columns that are left out."""
    columns = _shown(model, without)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(_flat(row.model_dump(mode="json")) for row in rows)
    return text.getvalue().encode()


def parquet_of(rows: Sequence[BaseModel], model: type[BaseModel], without: frozenset[str] = frozenset()) -> bytes:
    """One row group, compressed; columns are typed even where there is no row."""
    columns = _shown(model, without)
    with tempfile.TemporaryDirectory(prefix="tandem-table-") as folder, duckdb.connect() as connection:
        source, target = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        source.write_bytes(csv_of(rows, model, without))
        connection.execute(
            "COPY (SELECT * FROM read_csv($source, header = true, auto_detect = false, columns = $columns, quote = '\"', "
            "escape = '\"', delim = ',', strict_mode = true, null_padding = false)) TO $target (FORMAT parquet)",
            {"source": str(source), "columns": columns, "target": str(target)},
        )
        return target.read_bytes()


def _shown(model: type[BaseModel], without: frozenset[str]) -> dict[str, str]:
    return {name: kind for name, kind in columns_of(model).items() if name not in without}


def table_response(  # noqa: PLR0913 - what is answered, and how
    rows: Sequence[BaseModel],
    model: type[BaseModel],
    form: Literal["csv", "parquet"],
    *,
    name: str,
    headers: Mapping[str, str],
    without: frozenset[str] = frozenset(),
) -> Response:
    """The rows as a file of this name. ``headers`` are kept, so that what JSON says around the rows is not lost."""
    content = (csv_of if form == "csv" else parquet_of)(rows, model, without)
    marked = {**headers, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, headers=marked, media_type=MEDIA_TYPES[form])
