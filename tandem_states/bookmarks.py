"""Where a reader of the changes stands, kept in a file that is whole whatever happens."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bookmark:
    """A cursor in a file. Written after what was read has been kept: then a reader that is killed misses nothing.

    It may see the page again that it was killed in; whoever must not keeps the cursor where the changes are kept, in the
    same transaction, and uses ``pages(cursor)`` instead.
    """

    path: Path

    def read(self) -> str | None:
        """The cursor; None where nothing was read yet."""
        try:
            return self.path.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def write(self, cursor: str) -> None:
        """Keep a cursor in place of the one before, all at once."""
        unfinished = self.path.with_name(f"{self.path.name}.part")
        with unfinished.open("w", encoding="ascii") as file:
            file.write(cursor)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)
