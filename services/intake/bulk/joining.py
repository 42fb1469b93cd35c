"""Files that make one delivery: a claim in adjudication and the answer to it come apart and say nothing alone.

A Claim does not say whether it was cancelled, a ClaimResponse not what was done. Compressed files one after the other are one compressed
file: joining them reads nothing, and the same files always make the same one.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.intake.bulk.downloads import private_file
from services.intake.bulk.job_state import KeptFile, sync_folder

TOGETHER: Final = frozenset({"Claim", "ClaimResponse"})
_DIGEST = 4  # place in a name: source, version, group, rank, type, digest, day


def belongs_together(file: KeptFile) -> bool:
    """Whether a file waits for others before it is delivered."""
    return file.type in TOGETHER and not file.is_error


def joined_name(files: Sequence[KeptFile]) -> str:
    """The first file's name, with a digest of all of them."""
    parts = files[0].name.split(".")
    parts[_DIGEST + 1] = hashlib.sha256("\n".join(file.name for file in files).encode()).hexdigest()[:10]
    return ".".join(parts)


def join(sources: Sequence[Path], target: Path) -> None:
    """Write the files one after the other, at once: ``target`` is whole or not there."""
    part = target.with_name(target.name + ".part")
    with private_file(part) as whole:
        for source in sources:
            with source.open("rb") as file:
                shutil.copyfileobj(file, whole)
        whole.flush()
        os.fsync(whole.fileno())
    part.replace(target)
    sync_folder(target.parent)
