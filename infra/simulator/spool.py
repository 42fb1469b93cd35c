"""Growing text files on disk, so that memory does not grow with the number of people."""

from collections.abc import Hashable, Iterator
from pathlib import Path

MOST_BUFFERED_CHARACTERS = 32 * 1024 * 1024
CHUNK = 1024 * 1024


class Spool:
    """Text under a key, appended in order. Counts pieces, because files state how many records they hold."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers: dict[Hashable, int] = {}
        self._buffers: dict[Hashable, list[str]] = {}
        self._counts: dict[Hashable, int] = {}
        self._buffered = 0
        directory.mkdir(parents=True)

    def append(self, key: Hashable, text: str, records: int = 1) -> None:
        """Add text that holds so many records."""
        self._buffers.setdefault(key, []).append(text)
        self._counts[key] = self._counts.get(key, 0) + records
        self._buffered += len(text)
        if self._buffered > MOST_BUFFERED_CHARACTERS:
            self._flush()

    def count(self, key: Hashable) -> int:
        """Records under the key so far."""
        return self._counts.get(key, 0)

    def take(self, key: Hashable) -> Iterator[str]:
        """All text under the key, once: it is deleted afterwards."""
        path = self._path(key)
        if path.exists():
            with path.open(encoding="ascii", newline="") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
            path.unlink()
        yield "".join(self._buffers.pop(key, []))

    def close(self) -> None:
        """Remove the spool's folder."""
        for path in self._directory.iterdir():
            path.unlink()
        self._directory.rmdir()

    def _path(self, key: Hashable) -> Path:
        number = self._numbers.setdefault(key, len(self._numbers))
        return self._directory / f"{number:05d}"

    def _flush(self) -> None:
        for key, texts in self._buffers.items():
            with self._path(key).open("a", encoding="ascii", newline="") as file:
                file.writelines(texts)
        self._buffers.clear()
        self._buffered = 0
