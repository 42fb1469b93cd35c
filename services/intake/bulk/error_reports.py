"""What the server reports as missing: counted by what it says, with everything masked that may name a person."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.intake.bulk.answers import told


def reported(paths: Iterable[Path]) -> Counter[str]:
    """How often each thing is reported."""
    return Counter(_report(line) for path in paths for line in _lines(path))


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        yield from (line for line in file if line.strip())


def _report(line: bytes) -> str:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return "unreadable"
    if not isinstance(document, dict) or document.get("resourceType") != "OperationOutcome":
        return "no OperationOutcome"
    return told(document)
