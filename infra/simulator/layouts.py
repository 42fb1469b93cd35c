"""Fixed-width records from the published CCLF layout table: a printf template with a place for each field used."""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

Field = tuple[str, int]


@cache
def layout(file: str) -> tuple[Field, ...]:
    """Names and widths of a file's fields, in order."""
    text = files("contracts.wire").joinpath("cclf_layouts.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["label"], int(row["length"])) for row in rows if row["file"] == file and row["record"] == "data")


def record_length(file: str) -> int:
    """Characters of one record, without the line end."""
    return sum(width for _, width in layout(file))


def template(file: str, given: Sequence[str], constants: Mapping[str, str], right: frozenset[str]) -> str:
    """A template for ``%`` with the fields ``given``, in layout order; other fields are constant or blank.

    Raises :class:`ValueError` when ``given`` is not in the order of the layout or names an unknown field.
    """
    present = [name for name, _ in layout(file) if name in given]
    if present != list(given):
        raise ValueError(f"{file}: fields must be given in the order of the layout")
    parts = []
    for name, width in layout(file):
        if name in present:
            parts.append(f"%{'' if name in right else '-'}{width}s")
        else:
            parts.append(constants.get(name, "").ljust(width))
    return "".join(parts) + "\n"
