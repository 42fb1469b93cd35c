"""``python -m infra.bench.cclf_contestant NAME FOLDER``: one reading of the files, one line of JSON on standard output.

``reader`` is intake's: from the archive to the claims of each person, encoded and shared out to events. ``bare`` is what
DuckDB needs to look at the same fields of the same lines, unpacked: the text of each, and the largest of it.
"""

import json
import sys
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

import duckdb

from contracts.delivery import DeliveryKind
from infra.bench.cclf_files import ARCHIVE
from infra.bench.memory import peak_megabytes
from services.intake.readers.cclf import read
from services.intake.readers.cclf_columns import CLAIM_FILES
from services.intake.readers.records import layout
from services.intake.reading import Defect, EncodedClaims, Source
from services.intake.rules.event_parts import in_parts


def reader(folder: Path) -> dict[str, int]:
    """Read the archive."""
    path = folder / ARCHIVE
    source = Source(
        DeliveryKind.CCLF, path.name, (path,), date(2022, 2, 10), synthetic_identifiers=True, default_state="OH"
    )
    counts = {"claims": 0, "rows": 0, "bytes": 0, "defects": 0}
    for reading in read(source):
        if isinstance(reading, EncodedClaims):
            for share in in_parts(reading.claims):
                counts["rows"] += 1
                counts["bytes"] += len(b",".join(share))
            counts["claims"] += len(reading.claims)
        elif isinstance(reading, Defect):
            counts["defects"] += 1
    return counts


def bare(folder: Path) -> dict[str, int]:
    """Scan the files."""
    lines = 0
    with duckdb.connect() as connection:
        for file, columns in CLAIM_FILES.items():
            places = {element.label: element for element in layout(file)}
            elements = [places[column.element] for column in columns]
            fields = ", ".join(f"max(substr(line, {one.start}, {one.end - one.start + 1}))" for one in elements)
            found = connection.execute(
                f"SELECT count(*), {fields} FROM read_csv($path, header = false, auto_detect = false, quote = '',"  # noqa: S608 - numbers of the layout
                " escape = '', delim = '\x1f', columns = {'line': 'VARCHAR'})",
                {"path": str(folder / f"{file}.txt")},
            ).fetchone()
            lines += found[0] if found else 0
    return {"lines": lines}


def main() -> None:
    """Run one contestant."""
    _, name, folder = sys.argv
    began, worked = perf_counter(), process_time()
    counts = {"reader": reader, "bare": bare}[name](Path(folder))
    spent = {"seconds": perf_counter() - began, "cpu_seconds": process_time() - worked}
    sys.stdout.write(json.dumps(counts | spent | {"peak_megabytes": peak_megabytes()}) + "\n")


if __name__ == "__main__":
    main()
