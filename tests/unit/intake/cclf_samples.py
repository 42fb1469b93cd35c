"""The public CCLF rows, which are CSV, as deliveries in the published positions: one archive a month."""

import csv
import re
from collections import defaultdict
from pathlib import Path

from intake_files import cclf, fixed

FILES = ("CCLF1", "CCLF4", "CCLF5", "CCLF6", "CCLF7", "CCLF8", "CCLF9")
_CONTEXT = ("FILE_NAME", "FILE_DATE")
# The identifiers of the samples are impossible on purpose; CMS's own synthetic ones, which are too, can be read.
_IMPOSSIBLE = re.compile(r"9TT0FK0XX(\d\d)")


def synthetic(mbi: str) -> str:
    """The identifier of a sample in CMS's synthetic form."""
    return _IMPOSSIBLE.sub(r"9S00FK0XX\1", mbi)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def sample_deliveries(samples: Path, folder: Path) -> list[Path]:
    """The four months, oldest first."""
    months: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file in FILES:
        for row in rows_of(samples / f"{file.lower()}.csv"):
            values = {label: synthetic(value) for label, value in row.items() if label not in _CONTEXT}
            months[row["FILE_DATE"]][file].append(fixed(file, values))
    paths = []
    for day, files in sorted(months.items()):
        compact = day.replace("-", "")[2:]
        paths.append(cclf(folder, files, name=f"P.D9001.ACO.ZCY{compact[:2]}.D{compact}.T1200000"))
    return paths
