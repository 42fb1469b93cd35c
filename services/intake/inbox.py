"""The folder into which files are put, and which of them have not been seen yet."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Whoever copies a file in gives it one of these while it is incomplete, and then renames it.
INCOMPLETE_SUFFIXES = (".part", ".tmp")

_Stamp = tuple[int, int]
_NANOSECONDS = 1e9


@dataclass(slots=True)
class Inbox:
    """Looks at a folder and those in it. A file is new again when its size or its time of change is another.

    What was changed less than ``settle_seconds`` ago may still be on its way in: whoever copies a file without
    another name for the time must not have half of it taken.
    """

    folder: Path
    settle_seconds: float = 0.0
    now: Callable[[], float] = time.time
    _seen: dict[Path, _Stamp] = field(default_factory=dict)

    def new_files(self) -> Iterator[Path]:
        """Files not yet remembered, by their path: months in folders come in order."""
        for path in deliverable_files(self.folder):
            stamp = _stamp(path)
            if stamp is not None and self._seen.get(path) != stamp and self._has_settled(stamp):
                yield path

    def _has_settled(self, stamp: _Stamp) -> bool:
        # A time in the future is another machine's clock, or nonsense: nothing can be told by it.
        return not 0 <= self.now() - stamp[1] / _NANOSECONDS < self.settle_seconds

    def remember(self, path: Path) -> None:
        """Pass over the file from now on."""
        stamp = _stamp(path)
        if stamp is not None:
            self._seen[path] = stamp


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def deliverable_files(path: Path) -> list[Path]:
    """The file, or the files under a folder in the order of their paths, without hidden and incomplete ones."""
    if path.is_file():
        return [path.resolve()]
    root = path.resolve()
    return sorted(
        found
        for found in root.rglob("*")
        if found.is_file()
        and not any(part.startswith(".") for part in found.relative_to(root).parts)
        and found.suffix not in INCOMPLETE_SUFFIXES
    )
